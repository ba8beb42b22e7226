Profile: TalkingPoint
Parent: Task
Id: talking-point
Title: "Point to talk about"
Description: """
An answer that the client wants to talk about.

It differs from Task by: the answer that it is about, as extension; a code that says what it is; intent proposal, because
it orders nobody; the client it is for; when it was marked. Status requested is marked, completed is talked about (which is
not solved), cancelled is taken back by the client.
"""
* insert Publish("Hier wil ik over praten")
* insert Readable
* extension contains SaidIn named saidIn 1..1 MS
* identifier 1..* MS
* status MS
* intent = #proposal
* code 1..1 MS
* code = $plan#talking-point
* description 1..1 MS
* description ^short = "The question and the client's answer"
* for 1..1 MS
* for only Reference(Patient)
* authoredOn 1..1 MS
* requester 1..1 MS
* requester only Reference(Patient or RelatedPerson)

Mapping: TalkingPointNl
Source: TalkingPoint
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on Task known to us"
Description: "Nothing claimed: in what was read of nl-core there is no profile on Task."
* for -> "nl-core-Patient"
