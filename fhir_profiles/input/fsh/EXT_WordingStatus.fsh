Extension: WordingStatus
Id: wording-status
Title: "Status of the wording"
Description: "Says whether a questionnaire's sentences are our own working wording or the instrument's official text, or that it has none."
Context: Questionnaire
* insert Publish("Status van de tekst")
* value[x] 1..1
* value[x] only code
* valueCode from WordingStatusValues (required)
