Extension: LifeStory
Id: life-story
Title: "Life story"
Description: "The client's story, in their own words: what happened, what it means, what gives strength. Not a history taken by somebody else."
Context: CarePlan
* insert Publish("Mijn verhaal")
* insert OwnWords
