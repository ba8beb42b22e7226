Extension: Stressor
Id: stressor
Title: "Stressor"
Description: "Something that costs the client energy, in their own words."
Context: CarePlan
* insert Publish("Wat mij energie kost")
* insert OwnWords
