Instance: example-goal
InstanceOf: RecoveryGoal
Title: "Noor's goal"
Description: "A goal in her own words, with progress and its date."
Usage: #example
* insert ExampleText(Twee dagen per week fietsen maken)
* insert ExampleIdentifier(goal, 2f0f7c1c-9f4a-4a55-8b6e-7d9c1f6a2b31)
* lifecycleStatus = #active
* achievementStatus = $goal-achievement#improving "Improving"
* category[lifeDomain].coding = $life-domain#daytime-activity "Dagbesteding"
* description.text = "Twee dagen per week fietsen maken, en dat ik er niet tegenop zie."
* insert AboutNoor(subject)
* startDate = "2026-03-02"
* target.dueDate = "2026-09-01"
* statusDate = "2026-05-11"
* insert AboutNoor(expressedBy)
* note[0].authorReference = Reference(Patient/example-noor) "Noor Bakker (voorbeeld)"
* note[0].time = "2026-05-11T10:20:00+02:00"
* note[0].text = "Nu ga ik er fluitend heen."
* note[1].authorReference = Reference(Patient/example-noor) "Noor Bakker (voorbeeld)"
* note[1].time = "2026-03-20T16:05:00+01:00"
* note[1].text = "De eerste dag was spannend, de derde niet meer."
* extension[saidIn].extension[response].valueReference = Reference(QuestionnaireResponse/example-response) "Hoop, ingevuld op 3 maart 2026"
* extension[saidIn].extension[linkId].valueString = "hoop-04"
