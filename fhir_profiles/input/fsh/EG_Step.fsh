Instance: example-step
InstanceOf: RecoveryStep
Title: "A step of Noor's"
Description: "Something small to do, by when, with whom."
Usage: #example
* insert ExampleText(Een keer gaan kijken bij de fietsenmaker)
* insert ExampleIdentifier(step, 5c7f3f0e-6f0a-4d4b-9f38-8c2d9d1c7a41)
* status = #ready
* code.coding.display = "Stap"
* description = "Een keer gaan kijken bij de fietsenmaker"
* focus = Reference(Goal/example-goal) "Twee dagen per week fietsen maken"
* insert AboutNoor(for)
* insert AboutNoor(requester)
* owner.display = "Ik, samen met Karim"
* restriction.period.end = "2026-04-01"
* extension[saidIn].extension[response].valueReference = Reference(QuestionnaireResponse/example-response) "Hoop, ingevuld op 3 maart 2026"
* extension[saidIn].extension[linkId].valueString = "hoop-04"
