Instance: example-decision
InstanceOf: RecoveryResponse
Title: "A decision of Noor and Els"
Description: "One topic, the options as they weighed them, and what they agreed, in Noor's words."
Usage: #example
* insert ExampleText(Samen beslist op 5 maart 2026: slapen)
* insert ExampleIdentifier(response, 2f1c8a54-93f1-4f7e-8d2b-5c6a7b8d9e10)
* questionnaire = "https://verstel.nl/fhir/Questionnaire/decision|1.0.0"
* status = #completed
* insert AboutNoor(subject)
* authored = "2026-03-05T11:20:00+01:00"
* author = Reference(Practitioner/example-els) "Els Visser (voorbeeld)"
* insert AboutNoor(source)
* item[+].linkId = "decision-about"
* item[=].item[+].linkId = "decision-topic"
* item[=].item[=].answer.valueString = "Slapen"
* item[+].linkId = "decision-option-1"
* item[=].item[+].linkId = "decision-option-1-what"
* item[=].item[=].answer.valueString = "Mijn telefoon in de keuken"
* item[=].item[+].linkId = "decision-option-1-brings"
* item[=].item[=].answer.valueString = "Rust in mijn hoofd"
* item[=].item[+].linkId = "decision-option-1-costs"
* item[=].item[=].answer.valueString = "Ik mis de groepsapp"
* item[+].linkId = "decision-decided"
* item[=].item[+].linkId = "decision-outcome"
* item[=].item[=].answer.valueCoding = https://verstel.nl/fhir/CodeSystem/answer-decision-outcome#1 "we zijn het eens"
* item[=].item[+].linkId = "decision-words"
* item[=].item[=].answer.valueString = "Elke avond om tien uur mijn telefoon in de keuken leggen"
