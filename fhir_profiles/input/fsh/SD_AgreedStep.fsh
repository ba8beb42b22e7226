Profile: AgreedStep
Parent: Task
Id: agreed-step
Title: "Agreement of a conversation"
Description: """
Something that client and professional agreed to do, in the client's words: what, who, and by when if they said so.

It differs from Task by: the code "agreed step"; the words as description; the client it is for; the decision that it
comes from as reason; intent plan, because two people who agree order nobody; how it went as notes, each with its time
and who said it, none of which replaces another. Unlike a step of a recovery plan it needs no goal and no life domain.
"""
* insert Publish("Afspraak van een gesprek")
* insert Readable
* identifier 1..* MS
* status MS
* intent = #plan
* code 1..1 MS
* code = $plan#agreed-step
* description 1..1 MS
* for 1..1 MS
* for only Reference(Patient)
* authoredOn 1..1 MS
* requester MS
* owner MS
* owner ^short = "Who does it: the client, the professional, or just a name"
* reasonReference MS
* reasonReference only Reference(QuestionnaireResponse)
* restriction.period MS
* restriction ^short = "By when (period.end)"
* note MS
* note.time 1..1
* note.text ^short = "How it went, in somebody's own words"

Mapping: AgreedStepNl
Source: AgreedStep
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on Task known to us"
Description: "Nothing claimed: in what was read of nl-core there is no profile on Task."
* for -> "nl-core-Patient"
