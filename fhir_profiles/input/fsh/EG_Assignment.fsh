Instance: example-assignment
InstanceOf: QuestionnaireAssignment
Title: "A questionnaire that Noor is asked to fill in"
Description: "Waiting for her answers."
Usage: #example
* insert ExampleText(Vragenlijst invullen: hoop)
* insert ExampleIdentifier(assignment, 0f1f2a3b-7a5c-4c6d-8e9f-112233445566)
* status = #requested
* code.coding.display = "Complete Questionnaire"
* description = "Hoop"
* insert AboutNoor(for)
* authoredOn = "2026-03-02T10:20:00+01:00"
* requester = Reference(Practitioner/example-els) "Els Visser (voorbeeld)"
* insert AboutNoor(owner)
* restriction.period.end = "2026-03-20"
* input[questionnaire].type.coding.display = "Questionnaire"
* input[questionnaire].valueCanonical = "https://verstel.nl/fhir/Questionnaire/hoop|1.0.0"

Instance: example-assignment-answered
InstanceOf: QuestionnaireAssignment
Title: "A questionnaire that Noor was asked to fill in, and did"
Description: "Completed, with the response as output."
Usage: #example
* insert ExampleText(Vragenlijst ingevuld: hoop)
* insert ExampleIdentifier(assignment, 0f1f2a3b-7a5c-4c6d-8e9f-112233445577)
* status = #completed
* code.coding.display = "Complete Questionnaire"
* description = "Hoop"
* insert AboutNoor(for)
* authoredOn = "2026-03-02T10:20:00+01:00"
* requester = Reference(Practitioner/example-els) "Els Visser (voorbeeld)"
* insert AboutNoor(owner)
* input[questionnaire].type.coding.display = "Questionnaire"
* input[questionnaire].valueCanonical = "https://verstel.nl/fhir/Questionnaire/hoop|1.0.0"
* output[response].type.coding.display = "Questionnaire Response"
* output[response].valueReference = Reference(QuestionnaireResponse/example-response) "Hoop, ingevuld op 3 maart 2026"
