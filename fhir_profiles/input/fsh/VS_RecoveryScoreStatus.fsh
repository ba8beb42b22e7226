ValueSet: RecoveryScoreStatus
Id: recovery-score-status
Title: "Status of a recovery score"
Description: "A score is computed from finished answers, so it is never preliminary; a score of amended answers is corrected."
* insert PublishTerminology
* http://hl7.org/fhir/observation-status#final
* http://hl7.org/fhir/observation-status#corrected
* http://hl7.org/fhir/observation-status#entered-in-error
* http://hl7.org/fhir/observation-status#unknown
