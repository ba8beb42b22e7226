Extension: CourseMoment
Id: course-moment
Title: "Moment of a course"
Description: "Which moment of a programme an activity is: its id in this course and that in the programme, what kind it is, from when the client reads of it, the point in time that the programme names, and how many minutes a conversation takes."
Context: CarePlan.activity
* insert Publish("Moment van een programma")
* extension contains
    id 1..1 MS and
    moment 1..1 MS and
    kind 1..1 MS and
    tell 1..1 MS and
    about 0..1 MS and
    minutes 0..1 MS
* extension[id].value[x] 1..1
* extension[id].value[x] only string
* extension[moment].value[x] 1..1
* extension[moment].value[x] only string
* extension[kind].value[x] 1..1
* extension[kind].value[x] only code
* extension[kind] ^short = "plan | talk | measurement | evaluation"
* extension[tell].value[x] 1..1
* extension[tell].value[x] only date
* extension[about].value[x] 1..1
* extension[about].value[x] only date
* extension[minutes].value[x] 1..1
* extension[minutes].value[x] only positiveInt
