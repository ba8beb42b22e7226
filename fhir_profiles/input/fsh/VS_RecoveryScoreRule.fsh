ValueSet: RecoveryScoreRule
Id: recovery-score-rule
Title: "Scoring rules"
Description: "Every rule that makes a score, with its version: the score's code, an at sign, the rule's version."
* insert PublishTerminology
* include codes from system $score-rule
