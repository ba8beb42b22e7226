Extension: Strength
Id: strength
Title: "Strength"
Description: "Something that helps the client, in their own words."
Context: CarePlan
* insert Publish("Wat mij helpt")
* insert OwnWords
