Profile: RecoveryCareTeam
Parent: CareTeam
Id: recovery-care-team
Title: "Recovery care team"
Description: """
The people around one plan, as the client sees them: the client, loved ones, the peer worker, professionals. Who leaves stays
in it with the end of their period; who signs in nowhere is described inside it.

It differs from CareTeam by: a person as subject; at least one participant; each participant is somebody, with a role from
a list that has the peer worker (*ervaringsdeskundige*), for whom no Dutch or international code was found.
"""
* insert Publish("Mijn mensen")
* insert Readable
* status 1..1 MS
* insert OfOnePerson(subject)
* extension contains TypedBy named typedBy 0..1 MS
* extension[typedBy] ^short = "Who typed it last, where that was not the client"
* participant 1..* MS
* participant.extension contains InCircle named inCircle 0..1 MS
* participant.extension[inCircle] ^short = "Telephone, invited, came, said yes to support"
* participant.role 1..* MS
* participant.role ^short = "What somebody is in the circle; its text says in the client's words what they are to them"
* participant.role from CareTeamRole (extensible)
* participant.member 1..1 MS
* participant.member only Reference(Patient or RelatedPerson or Practitioner or PractitionerRole or Organization)
* participant.period MS
* participant.period ^short = "Since when; with an end, until when"

Mapping: RecoveryCareTeamNl
Source: RecoveryCareTeam
Target: "http://nictiz.nl/fhir/StructureDefinition/nl-core-CareTeam"
Id: nl-core
Title: "nl-core-CareTeam (zib2020 R4)"
Description: "A team with one loved one, one client and one professional complies; nl-core allows no second of a kind."
* subject -> "CareTeam.subject"
* participant.member -> "CareTeam.participant.member" "contactPerson, patient, healthcareProfessional: at most one each there"

Mapping: RecoveryCareTeamMedMij
Source: RecoveryCareTeam
Target: "http://fhir.nl/fhir/StructureDefinition/nl-core-careteam"
Id: medmij
Title: "nl-core-careteam (zib2017 STU3), what a PGO gets"
Description: "Made when a PGO asks for it: mappers/medmij. Only who is in the circle at that moment, without phone numbers and references."
* identifier -> "CareTeam.identifier"
* subject -> "CareTeam.subject"
* participant.role -> "CareTeam.participant.role" "One there, with a Dutch display"
* participant.member -> "CareTeam.participant.member" "By name alone"
