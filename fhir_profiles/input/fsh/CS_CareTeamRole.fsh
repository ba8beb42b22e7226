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
* #representative "Legal representative" "Appointed to act for the client where the law says so. It says nothing about what they may decide."
* #clinician "Regular clinician" "The professional with whom the client has most of their conversations."
* #responsible "Responsible clinician" "Answers for the treatment as a whole, often in the background."
* #case-manager "Case manager" "A nurse or another professional who keeps together what is arranged."
* #outside "Professional outside the team" "Works elsewhere, such as a general practitioner, or stands in for somebody."
