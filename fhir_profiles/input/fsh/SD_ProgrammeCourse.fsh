Invariant: verstel-course-moment-days
Description: "Each moment of a course has a first and a last day."
Severity: #error
Expression: "activity.all(extension.where(url = 'https://verstel.nl/fhir/StructureDefinition/course-moment').empty() or (detail.scheduled.ofType(Period).start.exists() and detail.scheduled.ofType(Period).end.exists()))"

Invariant: verstel-course-pause
Description: "A course that is on hold says since when."
Severity: #error
Expression: "status = 'on-hold' implies extension.where(url = 'https://verstel.nl/fhir/StructureDefinition/course-event').extension.where(url = 'kind').value.where($this = 'paused').exists()"

Profile: ProgrammeCourse
Parent: CarePlan
Id: programme-course
Title: "Course of a programme"
Description: """
A programme (PlanDefinition) that a client follows from a day on: what it measures, which conversations it has and when, with
all that was decided about it since.

It differs from CarePlan by: the category programme; the PlanDefinition that it was made from, with version; a first day;
activities with `detail`, each a moment with its first and last day, what it is for and what is asked; and the events of the
course as extensions, so that no earlier version is needed to tell what happened. Whether a moment was answered is not said in
it: that follows from the responses of its days. What is asked is a Task each (`questionnaire-assignment`), based on it.
"""
* insert Publish("Programma van een cliënt")
* insert Readable
* obeys verstel-course-moment-days and verstel-course-pause
* extension contains CourseEvent named courseEvent 0..* MS
* identifier 1..* MS
* instantiatesCanonical 1..1 MS
* status MS
* intent = #plan
* insert SliceByPattern(category)
* category 1..* MS
* category contains programme 1..1 MS
* category[programme] = $plan#programme
* title 1..1 MS
* insert OfOnePerson(subject)
* period 1..1 MS
* period.start 1..1 MS
* period.end MS
* period.end ^short = "The last day that the programme may take"
* author 1..1 MS
* author ^short = "Who began it"
* supportingInfo MS
* supportingInfo ^short = "The group that follows the programme together, where there is one"
* activity MS
* activity.extension contains CourseMoment named courseMoment 0..1 MS
* activity.detail MS
* activity.detail.code MS
* activity.detail.reasonCode MS
* activity.detail.reasonCode ^short = "What it is for, in words for the client"
* activity.detail.scheduled[x] MS
* activity.detail.instantiatesCanonical MS
* activity.detail.description MS
* activity.detail.description ^short = "What is measured, in words for the client"

Mapping: ProgrammeCourseNl
Source: ProgrammeCourse
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on care plans in general known to us"
Description: "Nothing claimed."
* subject -> "nl-core-Patient"
