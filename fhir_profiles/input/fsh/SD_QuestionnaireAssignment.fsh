Invariant: verstel-assignment-answered
Description: "A completed assignment names the response."
Severity: #error
Expression: "status = 'completed' implies output.exists()"

Profile: QuestionnaireAssignment
Parent: Task
Id: questionnaire-assignment
Title: "Questionnaire assignment"
Description: """
A request to a client to fill in one questionnaire, in the way of HL7's Structured Data Capture.

It differs from Task by: the code "complete questionnaire"; the questionnaire, with version, as input; the client in both
`for` and `owner`; who asked; and, when completed, the response as output.
"""
* insert Publish("Verzoek om een vragenlijst in te vullen")
* insert Readable
* obeys verstel-assignment-answered
* identifier 1..* MS
* status MS
* intent = #order
* code 1..1 MS
* code = $sdc#complete-questionnaire
* description 1..1 MS
* for 1..1 MS
* for only Reference(Patient)
* authoredOn 1..1 MS
* requester 1..1 MS
* owner 1..1 MS
* owner only Reference(Patient or RelatedPerson)
* restriction.period MS
* input ^slicing.discriminator.type = #pattern
* input ^slicing.discriminator.path = "type"
* input ^slicing.rules = #open
* input 1..* MS
* input contains questionnaire 1..1 MS
* input[questionnaire].type = $sdc#questionnaire
* input[questionnaire].value[x] only canonical
* output ^slicing.discriminator.type = #pattern
* output ^slicing.discriminator.path = "type"
* output ^slicing.rules = #open
* output MS
* output contains response 0..1 MS
* output[response].type = $sdc#questionnaire-response
* output[response].value[x] only Reference(QuestionnaireResponse)

Mapping: QuestionnaireAssignmentNl
Source: QuestionnaireAssignment
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on Task known to us"
Description: "Nothing claimed: in what was read of nl-core there is no profile on Task."
* for -> "nl-core-Patient"
