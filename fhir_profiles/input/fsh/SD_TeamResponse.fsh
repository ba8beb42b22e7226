Profile: TeamResponse
Parent: QuestionnaireResponse
Id: team-response
Title: "Response about a team"
Description: """
Answers to a form about a team: marks by a client, the scores of an auditor, or the report of a client panel.

It differs from QuestionnaireResponse by: the questionnaire with its version; an organisation or care team as subject; an
identifier, so that sending twice writes once; the day; and nobody in it: neither who typed nor whose answers these are. The
identifier of a client's marks is a keyed digest, another one in each round.
"""
* insert Publish("Antwoorden over een team")
* insert Readable
* obeys verstel-response-version
* identifier 1..1 MS
* identifier.system 1..1
* identifier.value 1..1
* questionnaire 1..1 MS
* status MS
* subject 1..1 MS
* subject only Reference(Organization or CareTeam)
* authored 1..1 MS
* insert NotUsed(author, "Whoever typed is not told.")
* insert NotUsed(source, "Whose answers these are is not told.")
* insert NotUsed(encounter, "It would tell who it was.")
* item MS

Mapping: TeamResponseNl
Source: TeamResponse
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on QuestionnaireResponse known to us"
Description: "Nothing to comply with: nl-core has no profile on QuestionnaireResponse."
* subject -> "nl-core-HealthcareProvider-Organization"
