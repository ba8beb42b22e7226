// Scores of example-response. HOOP, items 3 and 6 reversed (5 - answer): every answer 3, so 10 x 3 + 2 x (5 - 3) = 34.

RuleSet: ExampleScore(code, name)
* insert ExampleText({name})
* insert ExampleIdentifier(score, example-response/{code})
* category[survey].coding.display = "Survey"
* code.coding[score] = $score#{code} "{name}"
* insert AboutNoor(subject)
* effectiveDateTime = "2026-03-03T14:02:00+01:00"
* derivedFrom = Reference(QuestionnaireResponse/example-response) "Hoop, ingevuld op 3 maart 2026"
* method.coding[rule] = $score-rule#{code}@1
* method.text = "{code}, regel 1"

Instance: example-score
InstanceOf: RecoveryScore
Title: "A hope score"
Description: "The number that Noor's twelve answers give."
Usage: #example
* insert ExampleScore(hoop-total, Hoop totaal)
* status = #final
* valueQuantity = 34 '{score}' "score"

Instance: example-score-without-number
InstanceOf: RecoveryScore
Title: "No score, with the reason"
Description: "Too little was answered: no number, and a reason in words; never 0."
Usage: #example
* insert ExampleScore(hoop-total, Hoop totaal)
* status = #final
* dataAbsentReason = $data-absent-reason#error "Error"
* dataAbsentReason.text = "Niet alle vragen zijn beantwoord: 11 van de 12."

Instance: example-panel
InstanceOf: RecoveryScorePanel
Title: "The scores of one response"
Description: "Holds the scores of Noor's response together."
Usage: #example
* insert ExampleText(Hoop\, scores van 3 maart 2026)
* insert ExampleIdentifier(score, example-response/hoop-panel)
* status = #final
* category[survey].coding.display = "Survey"
* code.coding[panel] = $score#hoop-panel "Hoop"
* insert AboutNoor(subject)
* effectiveDateTime = "2026-03-03T14:02:00+01:00"
* hasMember = Reference(Observation/example-score) "Hoop totaal"
* derivedFrom = Reference(QuestionnaireResponse/example-response) "Hoop, ingevuld op 3 maart 2026"

Instance: example-provenance
InstanceOf: ScoreProvenance
Title: "Where the scores come from"
Description: "Which software computed them from which answers."
Usage: #example
* target[0] = Reference(Observation/example-panel) "Hoop, scores"
* target[1] = Reference(Observation/example-score) "Hoop totaal"
* recorded = "2026-03-03T14:02:01+01:00"
* agent.type.coding.display = "Assembler"
* agent.who.display = "Verstel 0.1.0"
* entity.what = Reference(QuestionnaireResponse/example-response) "Hoop, ingevuld op 3 maart 2026"
