ValueSet: RecoveryScoreCode
Id: recovery-score-code
Title: "Codes of recovery scores and panels"
Description: "Every scale and panel of the questionnaires: `<questionnaire>-<scale>` and `<questionnaire>-panel`."
* insert PublishTerminology
* include codes from system $score
