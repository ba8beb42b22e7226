ValueSet: RecoveryScoreCode
Id: recovery-score-code
Title: "Codes of recovery scores and panels"
Description: "Every scale and panel of the questionnaires: questionnaire, hyphen, scale; for a panel the word panel in place of the scale."
* insert PublishTerminology
* include codes from system $score
