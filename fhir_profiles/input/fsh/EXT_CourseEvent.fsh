Extension: CourseEvent
Id: course-event
Title: "What was decided about a course"
Description: "That a course was started, paused, resumed or stopped, or that one of its moments was moved, declined or taken back: on which day, by whom, and, of a moment that was moved, the days that it had before. Events are added and never taken away."
Context: CarePlan
* insert Publish("Wat besloten is over een programma")
* extension contains
    kind 1..1 MS and
    day 1..1 MS and
    by 0..1 MS and
    moment 0..1 MS and
    opens 0..1 MS and
    closes 0..1 MS
* extension[kind].value[x] 1..1
* extension[kind].value[x] only code
* extension[kind] ^short = "started | paused | resumed | moved | declined | taken-back | stopped"
* extension[day].value[x] 1..1
* extension[day].value[x] only date
* extension[by].value[x] 1..1
* extension[by].value[x] only Reference(Patient or Practitioner or PractitionerRole or RelatedPerson)
* extension[moment].value[x] 1..1
* extension[moment].value[x] only string
* extension[opens].value[x] 1..1
* extension[opens].value[x] only date
* extension[closes].value[x] 1..1
* extension[closes].value[x] only date
