Invariant: verstel-response-version
Description: "The questionnaire is named with its version, so that answers and scores stay readable when a new one appears."
Severity: #error
Expression: "questionnaire.contains('|')"

Invariant: verstel-response-finished
Description: "Finished answers say when, by whom they were typed, and whose answers they are."
Severity: #error
Expression: "(status = 'completed' or status = 'amended') implies (authored.exists() and author.exists() and source.exists())"

Profile: RecoveryResponse
Parent: QuestionnaireResponse
Id: recovery-response
Title: "Recovery questionnaire response"
Description: """
A client's answers to one of the recovery questionnaires, or what a client wrote in a living form: one that is never
finished.

It differs from QuestionnaireResponse by: the questionnaire with its version; a person as subject; an identifier, so that
sending twice writes once; and, once finished, when it was filled in, who typed (`author`) and whose answers these are
(`source`): a peer worker or loved one may type for the client, the answers stay the client's.

A living form has one response, which is changed: `completed` when it is written first, `amended` from then on. The
identifier stays, and the CarePlan names it in `supportingInfo`. A group that repeats is a row, whose `id` tells it from
the others when it changes its place. An answer that names a goal has its words, and the goal in `about-goal`.
"""
* insert Publish("Ingevulde vragenlijst")
* insert Readable
* extension contains FilledInWith named filledInWith 0..1 MS
* extension[filledInWith] ^short = "Who helped to fill it in, if the client said so"
* obeys verstel-response-version and verstel-response-finished
* identifier 1..1 MS
* identifier.system 1..1
* identifier.value 1..1
* questionnaire 1..1 MS
* status MS
* insert OfOnePerson(subject)
* authored MS
* author MS
* author only Reference(Patient or RelatedPerson or Practitioner or PractitionerRole)
* source MS
* source only Reference(Patient or RelatedPerson or Practitioner or PractitionerRole)
* item MS
* item ^comment = "Of a living form, a group that repeats is a row. Its id stays when rows change places or are changed; a row without one is told by its place."

Mapping: RecoveryResponseNl
Source: RecoveryResponse
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on QuestionnaireResponse known to us"
Description: "Nothing to comply with: nl-core has no profile on QuestionnaireResponse."
* subject -> "nl-core-Patient"
