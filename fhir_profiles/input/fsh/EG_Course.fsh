RuleSet: CourseStarted
* extension[courseEvent][0].extension[kind].valueCode = #started
* extension[courseEvent][0].extension[day].valueDate = "2026-03-02"
* extension[courseEvent][0].extension[by].valueReference = Reference(Practitioner/example-els) "Els Visser (voorbeeld)"

RuleSet: CourseMomentParts(number, id, moment, kind, tell)
* activity[{number}].extension[courseMoment].extension[id].valueString = "{id}"
* activity[{number}].extension[courseMoment].extension[moment].valueString = "{moment}"
* activity[{number}].extension[courseMoment].extension[kind].valueCode = #{kind}
* activity[{number}].extension[courseMoment].extension[tell].valueDate = "{tell}"

Instance: example-course
InstanceOf: ProgrammeCourse
Title: "The programme that Noor follows"
Description: "It is paused since May; she said no to one measurement."
Usage: #example
* insert ExampleText(Meten op drie momenten\, vanaf 2026-03-02.)
* insert ExampleIdentifier(course, 3f0c0b0e-8d4b-5a56-9a3f-0a9f2e4d7c11)
* insert CourseStarted
* extension[courseEvent][1].extension[kind].valueCode = #declined
* extension[courseEvent][1].extension[day].valueDate = "2026-04-03"
* extension[courseEvent][1].extension[by].valueReference = Reference(Patient/example-noor) "Noor Bakker (voorbeeld)"
* extension[courseEvent][1].extension[moment].valueString = "follow-up"
* extension[courseEvent][2].extension[kind].valueCode = #paused
* extension[courseEvent][2].extension[day].valueDate = "2026-05-11"
* extension[courseEvent][2].extension[by].valueReference = Reference(Patient/example-noor) "Noor Bakker (voorbeeld)"
* instantiatesCanonical = "https://verstel.nl/fhir/PlanDefinition/three-moments|1.0.0"
* status = #on-hold
* category[programme].coding.display = "Programma"
* title = "Meten op drie momenten"
* insert AboutNoor(subject)
* period.start = "2026-03-02"
* created = "2026-03-02T10:20:00+01:00"
* author = Reference(Practitioner/example-els) "Els Visser (voorbeeld)"
* insert CourseMomentParts(0, start, start, measurement, 2026-03-02)
* activity[0].detail.kind = #Task
* activity[0].detail.instantiatesCanonical = "https://verstel.nl/fhir/Questionnaire/hoop|1.0.0"
* activity[0].detail.code.text = "Aan het begin"
* activity[0].detail.reasonCode.text = "Zien waar je begint, en daarover praten."
* activity[0].detail.status = #unknown
* activity[0].detail.scheduledPeriod.start = "2026-03-02"
* activity[0].detail.scheduledPeriod.end = "2026-05-02"
* activity[0].detail.description = "Hoop."
* insert CourseMomentParts(1, follow-up, follow-up, measurement, 2027-07-05)
* activity[1].extension[courseMoment].extension[about].valueDate = "2027-09-02"
* activity[1].detail.kind = #Task
* activity[1].detail.instantiatesCanonical = "https://verstel.nl/fhir/Questionnaire/hoop|1.0.0"
* activity[1].detail.code.text = "Onderweg"
* activity[1].detail.reasonCode.text = "Samen zien wat er veranderd is, en wat je nu wilt."
* activity[1].detail.status = #cancelled
* activity[1].detail.statusReason = $plan#moment-declined "De cliënt zei hier nee tegen"
* activity[1].detail.scheduledPeriod.start = "2027-08-02"
* activity[1].detail.scheduledPeriod.end = "2027-11-02"
* activity[1].detail.description = "Hoop."

Instance: example-course-asked
InstanceOf: QuestionnaireAssignment
Title: "A questionnaire that Noor's programme asks"
Description: "An assignment with the days of its moment; on hold as long as the programme is paused."
Usage: #example
* insert ExampleText(Vragenlijst invullen: hoop)
* insert ExampleIdentifier(assignment, 0f1f2a3b-7a5c-4c6d-8e9f-112233445588)
* basedOn = Reference(CarePlan/example-course) "Meten op drie momenten"
* groupIdentifier.system = "https://verstel.nl/fhir/identifier/course"
* groupIdentifier.value = "3f0c0b0e-8d4b-5a56-9a3f-0a9f2e4d7c11/consolidation"
* status = #on-hold
* statusReason = $plan#course-paused "Het programma staat op pauze"
* code.coding.display = "Complete Questionnaire"
* description = "Hoop"
* insert AboutNoor(for)
* authoredOn = "2026-03-02T10:20:00+01:00"
* requester = Reference(Practitioner/example-els) "Els Visser (voorbeeld)"
* insert AboutNoor(owner)
* restriction.period.start = "2028-08-02"
* restriction.period.end = "2028-11-02"
* input[questionnaire].type.coding.display = "Questionnaire"
* input[questionnaire].valueCanonical = "https://verstel.nl/fhir/Questionnaire/hoop|1.0.0"
