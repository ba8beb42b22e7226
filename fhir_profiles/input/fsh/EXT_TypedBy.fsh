Extension: TypedBy
Id: typed-by
Title: "Typed by"
Description: "Who typed what a person said or chose, in their presence, where that was somebody else; the person read it and said yes. It stays theirs: subject and performer do not change by it."
Context: Observation, CareTeam
* insert Publish("Getypt door")
* value[x] 1..1 MS
* value[x] only Reference(Practitioner or PractitionerRole or RelatedPerson)
* valueReference.display 1..1 MS
