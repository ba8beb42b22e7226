CodeSystem: CareTeamRoleCodes
Id: care-team-role
Title: "Roles around a recovery plan"
Description: "Roles that the standard lists lack or name by profession only. No code for a peer worker was found in SNOMED CT's Dutch edition as far as read, nor in the Dutch role lists."
* insert PublishTerminology
* ^caseSensitive = true
* ^language = #en
* #client "Client" "The person whose plan it is."
* #loved-one "Loved one" "Family, partner, friend: invited by the client."
* #peer-worker "Peer worker" "Uses their own lived experience of recovery, as a profession or as a volunteer."
* #professional "Professional" "Anybody who works with the client from a care organisation, other than as a peer worker."
