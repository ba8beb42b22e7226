Profile: TeamToldBack
Parent: Communication
Id: team-told-back
Title: "What was told back about a team"
Description: """
What clients and staff of a team were told about what came out of marks, audits and panels, and what is done with it.

It differs from Communication by: the category; the team as what it is about; the day; the words; and nobody in it: who tells it
is a role in words.
"""
* insert Publish("Teruggekoppeld over een team")
* insert Readable
* identifier 1..* MS
* status = #completed
* category 1..1 MS
* category = $plan#team-told-back
* about 1..1 MS
* about only Reference(Organization or CareTeam)
* sent 1..1 MS
* payload 1..1 MS
* payload.content[x] only string
* sender MS
* sender ^short = "Which role tells it, in words"
* insert NotUsed(sender.reference, "Who it was is not told.")
* insert NotUsed(subject, "It is about no person.")
* insert NotUsed(recipient, "It is for all clients and staff of the team.")

Mapping: TeamToldBackNl
Source: TeamToldBack
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on Communication known to us"
Description: "Nothing claimed: in what was read of nl-core there is no profile on Communication."
* about -> "nl-core-HealthcareProvider-Organization"
