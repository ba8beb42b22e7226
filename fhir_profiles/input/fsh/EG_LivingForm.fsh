Instance: example-living-response
InstanceOf: RecoveryResponse
Title: "What support Noor wants with her goal"
Description: "A living form with one row, about a goal. It was changed since, and Karim typed that; the words are hers."
Usage: #example
* insert ExampleText(Steun bij mijn doelen)
* insert ExampleIdentifier(response, 5b0c2a0d-64d5-5c5e-9c5b-6a2f1f0e7d42)
* questionnaire = "https://verstel.nl/fhir/Questionnaire/goal-support|1.0.0"
* status = #amended
* insert AboutNoor(subject)
* authored = "2026-05-11T10:40:00+02:00"
* author = Reference(Practitioner/example-karim) "Karim Aziz (voorbeeld)"
* insert AboutNoor(source)
* item.id = "0d3f6a52-2b1e-4a6c-8f0e-9b7c5d4e3f21"
* item.linkId = "goal-support-goals"
* item.item[+].linkId = "goal-support-goal"
* item.item[=].answer.valueString = "Twee dagen per week fietsen maken, en dat ik er niet tegenop zie."
* item.item[=].answer.extension[+].url = Canonical(AboutGoal)
* item.item[=].answer.extension[=].valueReference.type = "Goal"
* item.item[=].answer.extension[=].valueReference.identifier.system = "https://verstel.nl/fhir/identifier/goal"
* item.item[=].answer.extension[=].valueReference.identifier.value = "2f0f7c1c-9f4a-4a55-8b6e-7d9c1f6a2b31"
* item.item[=].answer.extension[=].valueReference.display = "Twee dagen per week fietsen maken, en dat ik er niet tegenop zie."
* item.item[+].linkId = "goal-support-support"
* item.item[=].answer.valueString = "Dat Karim de eerste keer meegaat. Daarna ga ik alleen."
* item.item[+].linkId = "goal-support-resources"
* item.item[=].answer.valueString = "Gereedschap van mijn opa."
