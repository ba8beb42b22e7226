Invariant: verstel-score-or-reason
Description: "A score has a number, or the reason in words why there is none; never both, never neither."
Severity: #error
Expression: "value.exists() xor dataAbsentReason.text.exists()"

Profile: RecoveryScore
Parent: Observation
Id: recovery-score
Title: "Recovery score"
Description: """
One score of a recovery questionnaire: the number that one scale's answers give, by a named rule, or the reason why too
little was answered for a number.

It differs from Observation by: one number in UCUM `{score}` or a reason in words; a code of our scores; the response
that it was computed from; the rule's name and version in `method`; no performer, for nobody observed it; and no
interpretation: a score is a number, not a verdict.
"""
* insert Publish("Herstelscore")
* insert Readable
* obeys verstel-score-or-reason
* identifier 1..* MS
* identifier ^short = "The same for the same response and score, so that scoring twice writes once"
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
* code.coding contains score 1..1 MS
* code.coding[score].system 1..1
* code.coding[score].system = $score
* code.coding[score].code 1..1
* code.coding[score] from RecoveryScoreCode (required)
* insert OfOnePerson(subject)
* effective[x] 1..1 MS
* effective[x] only dateTime
* effective[x] ^short = "When the questionnaire was filled in (the response's authored)"
* insert NotUsed(performer, "Computed from answers: see derivedFrom for whose answers these are.")
* value[x] MS
* value[x] only Quantity
* valueQuantity.value 1..1
* valueQuantity.comparator 0..0
* valueQuantity.system 1..1
* valueQuantity.system = $ucum
* valueQuantity.code 1..1
* valueQuantity.code = #{score}
* dataAbsentReason MS
* dataAbsentReason ^short = "Why there is no score, in words for people"
* insert NotUsed(interpretation, "No severity labels\, alarms or advice: they would make a score a medical device.")
* method 1..1 MS
* method.text 1..1
* method.coding ^slicing.discriminator.type = #value
* method.coding ^slicing.discriminator.path = "system"
* method.coding ^slicing.rules = #open
* method.coding contains rule 1..1 MS
* method.coding[rule].system 1..1
* method.coding[rule].system = $score-rule
* method.coding[rule].code 1..1
* method.coding[rule] from RecoveryScoreRule (required)
* method ^short = "The scoring rule and its version; scores of different versions never stand in one trend"
* insert NotUsed(hasMember, "The panel has members; a score has none.")
* insert NotUsed(component, "Each scale is an Observation of its own\, so that each can be searched and charted.")
* derivedFrom 1..* MS
* derivedFrom only Reference(QuestionnaireResponse)
* focus only Reference(Goal)
* focus ^short = "The goal that this score measures, where it measures one"

Mapping: RecoveryScoreNl
Source: RecoveryScore
Target: "http://nictiz.nl/fhir/StructureDefinition/nl-core-FunctionalOrMentalStatus"
Id: nl-core
Title: "nl-core-FunctionalOrMentalStatus (zib2020 R4)"
Description: "Not claimed: that profile requires a code of SNOMED CT, ICF, NOC or Omaha, and we know none for these scores."
* code -> "Observation.code" "There bound to SNOMED CT, ICF, NOC and Omaha; here a code of our own"
* value[x] -> "Observation.valueQuantity" "There value[x] is sliced by type and open, so a Quantity is allowed"
* effective[x] -> "Observation.effectiveDateTime"

Mapping: RecoveryScoreMedMij
Source: RecoveryScore
Target: "http://nictiz.nl/fhir/StructureDefinition/zib-GeneralMeasurement"
Id: medmij
Title: "zib-GeneralMeasurement (zib2017 STU3), what a PGO gets"
Description: "Made of a score when a PGO asks for it: mappers/medmij. There is no place for derivedFrom there."
* identifier -> "Observation.identifier"
* status -> "Observation.status" "There with the code-specification of the zib too"
* category -> "Observation.category" "The code survey, of STU3's own code system"
* code -> "Observation.code" "Extensible there to SNOMED CT; the code stays ours"
* subject -> "Observation.subject"
* effective[x] -> "Observation.effectiveDateTime"
* value[x] -> "Observation.valueQuantity" "At most two decimals"
* dataAbsentReason -> "Observation.dataAbsentReason" "Its words are in comment too, which is what a PGO shows"
* method -> "Observation.method"
