ValueSet: CareTeamRole
Id: care-team-role
Title: "Roles around a recovery plan"
Description: "The roles of the people around a recovery plan."
* insert PublishTerminology
* include codes from system CareTeamRoleCodes
