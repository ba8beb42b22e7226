Extension: InCircle
Id: in-circle
Title: "In the circle"
Description: "What the client's circle says of one of its people beside role and period: a telephone number of who is referred to, when they were invited, when they first signed in, and whether they said yes to support the client on hard days."
Context: CareTeam.participant
* insert Publish("In de kring")
* extension contains
    phone 0..1 MS and
    invitedOn 0..1 MS and
    cameOn 0..1 MS and
    supports 0..1 MS
* extension[phone].value[x] 1..1
* extension[phone].value[x] only ContactPoint
* extension[invitedOn].value[x] 1..1
* extension[invitedOn].value[x] only dateTime
* extension[cameOn].value[x] 1..1
* extension[cameOn].value[x] only dateTime
* extension[supports].value[x] 1..1
* extension[supports].value[x] only boolean
