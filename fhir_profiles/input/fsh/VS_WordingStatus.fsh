ValueSet: WordingStatusValues
Id: wording-status
Title: "Status of a questionnaire's wording"
Description: "Working or official wording, or none."
* insert PublishTerminology
* include codes from system WordingStatusCodes
