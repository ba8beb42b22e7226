Instance: example-plan
InstanceOf: RecoveryPlan
Title: "Noor's recovery plan"
Description: "A story, what helps, what costs energy, two life domains with their answers, one goal and one step, and a living form that it names."
Usage: #example
* insert ExampleText(Herstelplan van Noor Bakker)
* insert ExampleIdentifier(plan, 8a9f6d3e-1c8b-4c8e-9b57-0d3b7a1e5c11)
* extension[lifeStory].valueString = "Ik ben Noor. Ik hou van water en van bouwen. Na mijn opname wil ik weer iets maken."
* extension[strength][0].valueString = "Ik kan goed luisteren."
* extension[strength][1].valueString = "Mijn zus belt elke zondag."
* extension[stressor][0].valueString = "Drukke winkels."
* extension[lifeDomainAnswers][0].extension[domain].valueCoding = $life-domain#daytime-activity "Dagbesteding"
* extension[lifeDomainAnswers][0].extension[now].valueString = "Ik zit veel thuis."
* extension[lifeDomainAnswers][0].extension[change].valueString = "Twee dagen iets doen met mijn handen."
* extension[lifeDomainAnswers][0].extension[how].valueString = "Kijken bij de fietsenmaker. Iemand die de eerste keer meegaat."
* extension[lifeDomainAnswers][0].extension[support].valueString = "Mijn zus en Karim."
* extension[lifeDomainAnswers][1].extension[domain].valueCoding = $life-domain#housing "Wonen"
* extension[lifeDomainAnswers][1].extension[now].valueString = "Mijn kamer is klein, maar rustig."
* status = #active
* category[recovery].coding.display = "Herstelplan"
* title = "Herstelplan"
* insert AboutNoor(subject)
* created = "2026-03-02T10:15:00+01:00"
* insert AboutNoor(author)
* supportingInfo.type = "QuestionnaireResponse"
* supportingInfo.identifier.system = "https://verstel.nl/fhir/identifier/response"
* supportingInfo.identifier.value = "5b0c2a0d-64d5-5c5e-9c5b-6a2f1f0e7d42"
* supportingInfo.display = "Steun bij mijn doelen"
* goal = Reference(Goal/example-goal) "Twee dagen per week fietsen maken"
* activity.reference = Reference(Task/example-step) "Een keer gaan kijken bij de fietsenmaker"
