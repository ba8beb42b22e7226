// What figures about a team measure: a MeasureReport has to name a Measure.

RuleSet: TeamMeasure(id, name, title)
* url = "https://verstel.nl/fhir/Measure/{id}"
* version = "0.1.0"
* name = "{name}"
* title = "{title}"
* status = #draft
* experimental = false
* publisher = "Verstel"
* jurisdiction = urn:iso:std:iso:3166#NL "Netherlands (the)"
* copyright = "CC0-1.0: free for any use. The questionnaires themselves belong to their authors."
* scoring = http://terminology.hl7.org/CodeSystem/measure-scoring#continuous-variable "Continuous Variable"

Instance: team-score
InstanceOf: Measure
Title: "A score of a team's clients in a year"
Usage: #definition
* insert TeamMeasure(team-score, TeamScore, A score of a team's clients in a year)
* description = "How many clients of a team have a score in a year, its mean and its standard deviation (n - 1). The code of each group names the score, the rule with its version, and the statistic. Of each person the newest score of the year counts. Fewer than six people are not shown, nor a team that would follow from all teams together."

Instance: team-marks
InstanceOf: Measure
Title: "Marks by clients of a team in a round"
Usage: #definition
* insert TeamMeasure(team-marks, TeamMarks, Marks by clients of a team in a round)
* description = "The mean of the marks (1 to 10) that clients of a team gave per theme in a round that is over, and how many gave one. Fewer than six people are not shown."

Instance: team-ropi
InstanceOf: Measure
Title: "The ROPI of a team in a year"
Usage: #definition
* insert TeamMeasure(team-ropi, TeamRopi, The ROPI of a team in a year)
* description = "The mean per dimension (1 to 5) of what two auditors agreed on. That it is the mean of the items is a choice of Verstel. It has no total, and is about the team: nobody is counted."
