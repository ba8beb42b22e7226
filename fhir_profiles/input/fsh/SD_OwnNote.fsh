Profile: OwnNote
Parent: Observation
Id: own-note
Title: "Own note beside scores"
Description: """
What the scores of one questionnaire mean to the client, in the client's own words.

It differs from Observation by: a text as value; a code that says what it is; the client as performer; the questionnaire
as focus, and the response that it stands beside in derivedFrom. It is no interpretation by anyone else, and no score.
"""
* insert Publish("Wat dit voor mij betekent")
* insert Readable
* identifier 1..* MS
* status MS
* code 1..1 MS
* code = $plan#own-note
* insert OfOnePerson(subject)
* effective[x] 1..1 MS
* effective[x] only dateTime
* effective[x] ^short = "When it was written"
* performer 1..1 MS
* performer only Reference(Patient or RelatedPerson)
* value[x] 1..1 MS
* value[x] only string
* insert NotUsed(interpretation, "The note is the client's own; nobody judges it.")
* derivedFrom MS
* derivedFrom only Reference(Observation or QuestionnaireResponse)
* derivedFrom ^short = "The response whose answers or scores the note stands beside"
* focus 1..1 MS
* focus.identifier 1..1 MS
* focus ^short = "The questionnaire, by its canonical as identifier: a note is about one kind of scores"

Mapping: OwnNoteNl
Source: OwnNote
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile for a person's own note known to us"
Description: "Nothing claimed: in what was read of nl-core there is no profile for this."
* subject -> "nl-core-Patient"
