Profile: TeamAction
Parent: Task
Id: team-action
Title: "Action of a team"
Description: """
Something that a team does with what came out of marks, audits and panels: what, who, by when, how far it is and what came of it.

It differs from Task by: the code; a team that it is for; words for what is done; when it was written; and nobody in it: who does
it is a role or a team, in words. Planned is `requested`, doing `in-progress`, done `completed`, dropped `cancelled`.
"""
* insert Publish("Actie van een team")
* insert Readable
* identifier 1..* MS
* status MS
* intent = #plan
* code 1..1 MS
* code = $plan#team-action
* description 1..1 MS
* for 1..1 MS
* for only Reference(Organization or CareTeam)
* authoredOn 1..1 MS
* owner MS
* owner ^short = "Which role or team does it, in words"
* insert NotUsed(owner.reference, "Who it is is not told.")
* insert NotUsed(requester, "Who asked for it is not told.")
* restriction.period.end MS
* restriction.period.end ^short = "By when"
* output MS
* output ^short = "What came of it, in words"

Mapping: TeamActionNl
Source: TeamAction
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on Task known to us"
Description: "Nothing claimed: in what was read of nl-core there is no profile on Task for a team."
* for -> "nl-core-HealthcareProvider-Organization"
