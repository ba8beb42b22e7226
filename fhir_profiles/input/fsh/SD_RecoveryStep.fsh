Profile: RecoveryStep
Parent: Task
Id: recovery-step
Title: "Step of a recovery plan"
Description: """
Something that somebody does for a goal: the client, a loved one, a professional.

It differs from Task by: the step in the client's own words; the goal that it is for; the client it is for; intent plan,
because a client's plan orders nobody; `owner` may be just a name, because the client's neighbour has no record.
"""
* insert Publish("Stap")
* insert Readable
* extension contains SaidIn named saidIn 0..1 MS
* extension[saidIn] ^short = "The answer of a questionnaire that it came from"
* identifier 1..* MS
* status MS
* intent = #plan
* code 1..1 MS
* code = $plan#recovery-step
* description 1..1 MS
* focus 1..1 MS
* focus only Reference(Goal)
* for 1..1 MS
* for only Reference(Patient)
* requester MS
* owner MS
* restriction.period MS
* restriction ^short = "By when (period.end)"

Mapping: RecoveryStepNl
Source: RecoveryStep
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on Task known to us"
Description: "Nothing claimed: in what was read of nl-core there is no profile on Task."
* for -> "nl-core-Patient"
