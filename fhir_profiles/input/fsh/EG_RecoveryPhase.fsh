Instance: example-recovery-phase
InstanceOf: RecoveryPhase
Title: "Where Noor says to be now"
Description: "Her own choice, with her own words."
Usage: #example
* text.status = #generated
* text.div = "<div xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"nl\" xml:lang=\"nl\"><p>Waar ik nu sta: Ik leef ermee.</p><p>De meeste dagen lukt het.</p></div>"
* language = #nl
* insert ExampleIdentifier(recovery-phase, 4c1f7a52-6f0e-4b44-9d0b-5c6f0f1f8e21)
* status = #final
* code.coding = $plan#recovery-phase "Waar ik nu sta"
* insert AboutNoor(subject)
* effectiveDateTime = "2026-03-03T15:10:00+01:00"
* insert AboutNoor(performer)
* valueCodeableConcept = $recovery-phase#living-with "Ik leef ermee"
* valueCodeableConcept.text = "Ik leef ermee"
* note.authorReference = Reference(Patient/example-noor) "Noor Bakker (voorbeeld)"
* note.time = "2026-03-03T15:10:00+01:00"
* note.text = "De meeste dagen lukt het."
