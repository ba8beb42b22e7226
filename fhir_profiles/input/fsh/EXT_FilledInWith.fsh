Extension: FilledInWith
Id: filled-in-with
Title: "Filled in with"
Description: "Who sat beside the client and helped to fill in the questionnaire, as the client says. The answers are the client's: author and source do not change by it."
Context: QuestionnaireResponse
* insert Publish("Ingevuld samen met")
* extension contains
    name 0..1 MS and
    role 0..1 MS
* extension[name].value[x] 1..1
* extension[name].value[x] only string
* extension[role].value[x] 1..1
* extension[role].value[x] only Coding
* extension[role].valueCoding from CareTeamRole (required)
