// A made-up team, and what was said about it.

RuleSet: AboutTeam(path)
* {path} = Reference(Organization/example-team) "Team Noord (voorbeeld)"

Instance: example-team-response
InstanceOf: TeamResponse
Title: "Marks that a client gave"
Description: "A mark for one theme, with why. Nobody knows whose it is."
Usage: #example
* insert ExampleText(Een cijfer voor het team\, maart 2026)
* insert ExampleIdentifier(response, 7c1f5a3de0b94b6f8a2e4d6c8b0a9f7e)
* questionnaire = "https://verstel.nl/fhir/Questionnaire/team-marks|1.0.0"
* status = #completed
* insert AboutTeam(subject)
* authored = "2026-03-10"
* item.linkId = "team-marks-atmosphere"
* item.item[+].linkId = "team-marks-atmosphere-mark"
* item.item[=].answer.valueCoding = https://verstel.nl/fhir/CodeSystem/answer-team-marks-mark#7 "7"
* item.item[+].linkId = "team-marks-atmosphere-why"
* item.item[=].answer.valueString = "Er is altijd iemand om mee te praten."

Instance: example-team-group
InstanceOf: TeamGroup
Title: "The clients of a team"
Description: "Whose clients they are, and not who they are."
Usage: #example
* insert ExampleText(Cliënten van Team Noord)
* type = #person
* actual = true
* name = "Team Noord (voorbeeld)"
* insert AboutTeam(managingEntity)

Instance: clients
InstanceOf: TeamGroup
Usage: #inline
* type = #person
* actual = true
* name = "Team Noord (voorbeeld)"
* insert AboutTeam(managingEntity)

RuleSet: TeamScoreGroup(id, statistic, display)
* group[+].id = "{id}"
* group[=].code.coding[+] = $score#nel-professional-help "Professionele hulp"
* group[=].code.coding[+] = $score-rule#nel-professional-help@1
* group[=].code.coding[+] = http://terminology.hl7.org/CodeSystem/observation-statistics#{statistic} "{display}"
* group[=].code.text = "Professionele hulp ({display})"
* group[=].population.code = http://terminology.hl7.org/CodeSystem/measure-population#measure-population "Measure Population"

RuleSet: TeamScoreReport(year)
* language = #nl
* contained = clients
* identifier.system = "https://verstel.nl/fhir/identifier/team"
* identifier.value = "team-score/Organization/example-team/nel-professional-help@1/{year}"
* status = #complete
* type = #summary
* measure = "https://verstel.nl/fhir/Measure/team-score"
* subject = Reference(clients) "Team Noord (voorbeeld)"
* date = "2026-01-10T09:00:00+01:00"
* period.start = "{year}-01-01"
* period.end = "{year}-12-31"

Instance: example-team-report
InstanceOf: TeamReport
Title: "What the NEL says of professional help, in one year of a team"
Description: "Twelve people, a mean of 3.4 and a standard deviation of 0.6."
Usage: #example
* insert TeamScoreReport(2025)
* insert TeamScoreGroup(mean, average, Average)
* group[=].population.count = 12
* group[=].measureScore = 3.4 '{score}' "score"
* insert TeamScoreGroup(spread, std-dev, Standard Deviation)
* group[=].population.count = 12
* group[=].measureScore = 0.6 '{score}' "score"

Instance: example-team-report-masked
InstanceOf: TeamReport
Title: "A year of which too few people were measured"
Description: "No number is told, nor how many people there were."
Usage: #example
* insert TeamScoreReport(2024)
* insert TeamScoreGroup(mean, average, Average)
* group[=].population.count.extension.url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
* group[=].population.count.extension.valueCode = #masked
* group[=].measureScore.extension.url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
* group[=].measureScore.extension.valueCode = #masked

Instance: example-team-told-back
InstanceOf: TeamToldBack
Title: "What a team was told"
Description: "For clients and staff alike."
Usage: #example
* insert ExampleText(Jullie vinden de sfeer goed. Over werk willen we verder praten.)
* insert ExampleIdentifier(team, 3f0f3f0a-54c9-4f57-8b64-4f1d4f2a9c11)
* insert AboutTeam(about)
* sent = "2026-04-02"
* sender.display = "ervaringsdeskundige"
* payload.contentString = "Jullie vinden de sfeer goed. Over werk willen we verder praten."

Instance: example-team-action
InstanceOf: TeamAction
Title: "An action of a team"
Description: "What the team does with what clients said about work."
Usage: #example
* insert ExampleText(Elke maand een bezoek aan een werkplek)
* insert ExampleIdentifier(team, 9f7f2c0e-2a35-4a3a-8a7d-0f3d6f6e1b22)
* status = #in-progress
* description = "Elke maand een bezoek aan een werkplek"
* insert AboutTeam(for)
* authoredOn = "2026-04-02T10:00:00+02:00"
* owner.display = "de trajectbegeleiding"
* restriction.period.end = "2026-12-31"
