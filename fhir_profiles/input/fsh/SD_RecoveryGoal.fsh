Invariant: verstel-goal-progress-dated
Description: "Progress says since when: achievementStatus and statusDate come together."
Severity: #error
Expression: "achievementStatus.exists() implies statusDate.exists()"

Profile: RecoveryGoal
Parent: Goal
Id: recovery-goal
Title: "Recovery goal"
Description: """
What the client wants to change, in the client's own words, in one life domain.

It differs from Goal by: the goal's text as typed in `description.text`; one life domain as category; a person as subject;
`expressedBy`, so that it is clear whose words these are; a date, not a duration, for when it is due; progress with
its date; at most one problem, so that Dutch receivers of nl-core-TreatmentObjective can read it; and notes that are
remarks of people, the client's newest first, so that a receiver that takes one note gets that one.
"""
* insert Publish("Hersteldoel")
* insert Readable
* extension contains SaidIn named saidIn 0..1 MS
* extension[saidIn] ^short = "The answer of a questionnaire that it came from"
* obeys verstel-goal-progress-dated
* identifier 1..* MS
* lifecycleStatus MS
* achievementStatus MS
* category 1..* MS
* category ^slicing.discriminator.type = #value
* category ^slicing.discriminator.path = "coding.system"
* category ^slicing.rules = #open
* category contains lifeDomain 1..1 MS
* category[lifeDomain] from $life-domain-values (required)
* category[lifeDomain].coding 1..1
* category[lifeDomain].coding.system 1..1
* category[lifeDomain].coding.system = $life-domain
* category[lifeDomain].coding.code 1..1
* description MS
* description.text 1..1 MS
* description ^short = "The goal, exactly as the client wrote it"
* insert OfOnePerson(subject)
* start[x] MS
* target MS
* target.due[x] only date
* statusDate MS
* expressedBy 1..1 MS
* expressedBy only Reference(Patient or RelatedPerson)
* addresses 0..1
* addresses ^comment = "nl-core allows one; more problems go into CarePlan.addresses."
* note MS
* note ^short = "Remarks about how it goes, the client's newest first"
* note ^comment = "nl-core allows one. A remark that took the place of the one before it would lose what the client said."

Mapping: RecoveryGoalNl
Source: RecoveryGoal
Target: "http://nictiz.nl/fhir/StructureDefinition/nl-core-TreatmentObjective"
Id: nl-core
Title: "nl-core-TreatmentObjective (zib2020 R4)"
Description: "Complies where it overlaps; not derived from it, because that profile is beta."
* subject -> "Goal.subject"
* description.text -> "Goal.description.text" "DesiredHealthcareResult"
* target.due[x] -> "Goal.target.dueDate"
* addresses -> "Goal.addresses"
* note -> "Goal.note"
