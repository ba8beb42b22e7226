Invariant: verstel-team-group-whose
Description: "The clients of a team say of which team they are."
Severity: #error
Expression: "managingEntity.exists() or characteristic.exists()"

Profile: TeamGroup
Parent: Group
Id: team-group
Title: "Clients of a team"
Description: """
The clients of a team as a group, for figures to be about. Who they are is not in it.

It differs from Group by: actual persons; no members; and whose clients they are: the organisation that is the team, or as a
characteristic the care team.
"""
* insert Publish("Cliënten van een team")
* insert Readable
* obeys verstel-team-group-whose
* type = #person
* actual = true
* managingEntity MS
* managingEntity only Reference(Organization)
* characteristic MS
* insert NotUsed(member, "Who is in it is not told.")

Mapping: TeamGroupNl
Source: TeamGroup
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on Group known to us"
Description: "Nothing claimed: in what was read of nl-core there is no profile on Group."
* managingEntity -> "nl-core-HealthcareProvider-Organization"
