Invariant: verstel-team-report-enough
Description: "No number is of fewer than six people."
Severity: #error
Expression: "group.population.count.where(hasValue()).all($this >= 6)"

Invariant: verstel-team-report-both
Description: "Where the number of people is left out, so is the number of the group."
Severity: #error
Expression: "group.where(population.exists()).all(population.count.where(hasValue()).exists() = measureScore.value.exists())"

Profile: TeamReport
Parent: MeasureReport
Id: team-report
Title: "Figures about a team"
Description: """
Figures about a team in a period: the mean and spread of a score of its clients, the mean of marks per theme, or what two
auditors agreed on per dimension of the ROPI. Without a subject: of all teams together.

It differs from MeasureReport by: a summary; a group as its subject, whose members are not told (`team-group`); an identifier
that is the same when it is made again; a number in each group, with how many people it is of. A number of fewer than six
people, or that would lead to one, is not there: `data-absent-reason` says `masked`. No list of people, and no responses.
"""
* insert Publish("Cijfers over een team")
* insert Readable
* obeys verstel-team-report-enough and verstel-team-report-both
* identifier 1..* MS
* type = #summary
* measure MS
* subject MS
* subject only Reference(Group)
* date 1..1 MS
* period MS
* group 1..* MS
* group.code 1..1 MS
* group.population MS
* group.measureScore 1..1 MS
* insert NotUsed(group.population.subjectResults, "Who they are is not told.")
* insert NotUsed(group.stratifier, "Smaller groups within a team would be too small.")
* insert NotUsed(evaluatedResource, "It would tell who they are.")

Mapping: TeamReportNl
Source: TeamReport
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on MeasureReport known to us"
Description: "Nothing claimed: in what was read of nl-core there is no profile on MeasureReport."
* subject -> "Group: no profile in nl-core"
