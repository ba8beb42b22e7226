Instance: example-own-note
InstanceOf: OwnNote
Title: "What Noor's scores of hope mean to her"
Description: "Her own words beside the numbers."
Usage: #example
* insert ExampleText(Wat dit voor mij betekent: Ik durf weer vooruit te kijken.)
* insert ExampleIdentifier(own-note, 0b7d5a4e-1f7c-5d0e-8a57-2f4f8a1c9d31)
* status = #final
* code.coding = $plan#own-note "Wat dit voor mij betekent"
* insert AboutNoor(subject)
* focus.type = "Questionnaire"
* focus.identifier.system = "urn:ietf:rfc:3986"
* focus.identifier.value = "https://verstel.nl/fhir/Questionnaire/hoop"
* focus.display = "Hoop"
* effectiveDateTime = "2026-03-03T15:00:00+01:00"
* insert AboutNoor(performer)
* valueString = "Ik durf weer vooruit te kijken."
* derivedFrom = Reference(QuestionnaireResponse/example-response) "Hoop, ingevuld op 3 maart 2026"
