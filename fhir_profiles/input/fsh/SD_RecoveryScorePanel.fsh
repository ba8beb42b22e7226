Profile: RecoveryScorePanel
Parent: Observation
Id: recovery-score-panel
Title: "Recovery score panel"
Description: """
The scores of one filled-in questionnaire, held together: one panel per response, with the scores as members.

It differs from Observation by: no value of its own; at least one member; the response that its scores were computed
from; a code of our panels; no performer and no interpretation.
"""
* insert Publish("Herstelscores van één vragenlijst")
* insert Readable
* identifier 1..* MS
* status MS
* status from RecoveryScoreStatus (required)
* insert SliceByPattern(category)
* category 1..* MS
* category contains survey 1..1 MS
* category[survey] = $observation-category#survey
* code MS
* code.coding ^slicing.discriminator.type = #value
* code.coding ^slicing.discriminator.path = "system"
* code.coding ^slicing.rules = #open
* code.coding contains panel 1..1 MS
* code.coding[panel].system 1..1
* code.coding[panel].system = $score
* code.coding[panel].code 1..1
* code.coding[panel] from RecoveryScoreCode (required)
* insert OfOnePerson(subject)
* effective[x] 1..1 MS
* effective[x] only dateTime
* insert NotUsed(performer, "Computed from answers: see derivedFrom for whose answers these are.")
* insert NotUsed(value[x], "The numbers are in the members.")
* insert NotUsed(dataAbsentReason, "Each member says for itself why it has no number.")
* insert NotUsed(interpretation, "No severity labels\, alarms or advice: they would make a score a medical device.")
* insert NotUsed(component, "Each scale is an Observation of its own\, so that each can be searched and charted.")
* hasMember 1..* MS
* hasMember only Reference(Observation)
* derivedFrom 1..* MS
* derivedFrom only Reference(QuestionnaireResponse)

Mapping: RecoveryScorePanelNl
Source: RecoveryScorePanel
Target: "http://nictiz.nl/fhir/StructureDefinition/nl-core-FunctionalOrMentalStatus"
Id: nl-core
Title: "nl-core-FunctionalOrMentalStatus (zib2020 R4)"
Description: "Not claimed, for the same reason as recovery-score: the code is one of our own."
* code -> "Observation.code" "There bound to SNOMED CT, ICF, NOC and Omaha; here a code of our own"
* effective[x] -> "Observation.effectiveDateTime"

Mapping: RecoveryScorePanelMedMij
Source: RecoveryScorePanel
Target: "http://nictiz.nl/fhir/StructureDefinition/zib-GeneralMeasurement"
Id: medmij
Title: "zib-GeneralMeasurement (zib2017 STU3), what a PGO gets"
Description: "Made of the scores of one response when a PGO asks for them: mappers/medmij. A panel has no value there either."
* code -> "Observation.code"
* effective[x] -> "Observation.effectiveDateTime"
* hasMember -> "Observation.related" "type has-member; each target is in the same answer"
