// Twelve answers, all "mee eens" (3): see EG_Scores.fsh for what they count for.

RuleSet: HoopAnswer(number)
* item[=].item[+].linkId = "hoop-{number}"
* item[=].item[=].answer.valueCoding = https://verstel.nl/fhir/CodeSystem/answer-hoop-agreement#3 "mee eens"

Instance: example-response
InstanceOf: RecoveryResponse
Title: "Noor's answers about hope"
Description: "A finished questionnaire, typed by herself."
Usage: #example
* insert ExampleText(Hoop\, ingevuld op 3 maart 2026)
* insert ExampleIdentifier(response, 1d9d2f5e-33a8-4d0f-9a0d-6f2f3b0c7e21)
* questionnaire = "https://verstel.nl/fhir/Questionnaire/hoop|1.0.0"
* status = #completed
* insert AboutNoor(subject)
* authored = "2026-03-03T14:02:00+01:00"
* insert AboutNoor(author)
* insert AboutNoor(source)
* item[+].linkId = "hoop-statements"
* insert HoopAnswer(01)
* insert HoopAnswer(02)
* insert HoopAnswer(03)
* insert HoopAnswer(04)
* insert HoopAnswer(05)
* insert HoopAnswer(06)
* insert HoopAnswer(07)
* insert HoopAnswer(08)
* insert HoopAnswer(09)
* insert HoopAnswer(10)
* insert HoopAnswer(11)
* insert HoopAnswer(12)
* extension[filledInWith].extension[name].valueString = "Mila"
* extension[filledInWith].extension[role].valueCoding = $care-role#loved-one "Loved one"
