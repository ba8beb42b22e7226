Profile: RecoveryCareTeam
Parent: CareTeam
Id: recovery-care-team
Title: "Recovery care team"
Description: """
The people around one plan: the client, loved ones, the peer worker, professionals.

It differs from CareTeam by: a person as subject; at least one participant; each participant is somebody, with a role from
a list that has the peer worker (*ervaringsdeskundige*), for whom no Dutch or international code was found.
"""
* insert Publish("Mijn mensen")
* insert Readable
* status 1..1 MS
* insert OfOnePerson(subject)
* participant 1..* MS
* participant.role 1..* MS
* participant.role from CareTeamRole (extensible)
* participant.member 1..1 MS
* participant.member only Reference(Patient or RelatedPerson or Practitioner or PractitionerRole or Organization)

Mapping: RecoveryCareTeamNl
Source: RecoveryCareTeam
Target: "http://nictiz.nl/fhir/StructureDefinition/nl-core-CareTeam"
Id: nl-core
Title: "nl-core-CareTeam (zib2020 R4)"
Description: "A team with one loved one, one client and one professional complies; nl-core allows no second of a kind."
* subject -> "CareTeam.subject"
* participant.member -> "CareTeam.participant.member" "contactPerson, patient, healthcareProfessional: at most one each there"
