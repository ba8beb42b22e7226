Instance: example-agreed-step
InstanceOf: AgreedStep
Title: "What Noor and Els agreed"
Description: "Made in a conversation, and looked back on in the next."
Usage: #example
* insert ExampleText(Elke avond om tien uur mijn telefoon in de keuken leggen)
* insert ExampleIdentifier(agreement, 2f1c8a54-93f1-4f7e-8d2b-5c6a7b8d9e10)
* status = #in-progress
* code.coding.display = "Afspraak van een gesprek"
* description = "Elke avond om tien uur mijn telefoon in de keuken leggen"
* insert AboutNoor(for)
* authoredOn = "2026-03-05T11:20:00+01:00"
* requester = Reference(Practitioner/example-els) "Els Visser (voorbeeld)"
* insert AboutNoor(owner)
* reasonReference = Reference(QuestionnaireResponse/example-decision) "Slapen"
* restriction.period.end = "2026-04-02"
* note.authorReference = Reference(Patient/example-noor) "Noor Bakker (voorbeeld)"
* note.time = "2026-04-02T11:05:00+02:00"
* note.text = "Doordeweeks lukt het. In het weekend vergeet ik het."
