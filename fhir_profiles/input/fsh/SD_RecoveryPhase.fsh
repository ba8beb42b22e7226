Profile: RecoveryPhase
Parent: Observation
Id: recovery-phase
Title: "Where the client says to be now"
Description: """
One time that the client said which of four phases of recovery fits now, with or without words of their own.

It differs from Observation by: one of our phases as value; a code that says what it is; the client as only performer, because
nobody else marks it and nothing computes it (no method, no device, derived from nothing, no interpretation); the client's
own words as its only note. Each marking is an Observation of its own, and one that was a mistake becomes entered-in-error.
The phases have no order: an earlier one and a later one are two choices, and the difference between them is no progress.
"""
* insert Publish("Waar ik nu sta")
* insert Readable
* extension contains TypedBy named typedBy 0..1 MS
* extension[typedBy] ^short = "Who typed it, where that was not the client: who chose stays the performer"
* identifier 1..* MS
* status MS
* category ^comment = "None is asked for: those of HL7 are for what is measured, examined or asked by an instrument, and this is a choice."
* code 1..1 MS
* code = $plan#recovery-phase
* insert OfOnePerson(subject)
* effective[x] 1..1 MS
* effective[x] only dateTime
* effective[x] ^short = "When it was marked"
* performer 1..1 MS
* performer only Reference(Patient)
* value[x] 1..1 MS
* value[x] only CodeableConcept
* value[x] from $recovery-phase-values (required)
* value[x] ^short = "The phase that the client chose"
* note 0..1 MS
* note ^short = "The client's own words about it"
* note.author[x] only Reference(Patient)
* insert NotUsed(interpretation, "The choice is the client's own; nobody judges it.")
* insert NotUsed(method, "A phase is chosen and never computed.")
* insert NotUsed(device, "A phase is chosen and never computed.")
* insert NotUsed(derivedFrom, "A phase follows from no answers and from no scores.")

Mapping: RecoveryPhaseNl
Source: RecoveryPhase
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile for a person's own choice known to us"
Description: "Nothing claimed: in what was read of nl-core there is no profile for this."
* subject -> "nl-core-Patient"
