Instance: example-ready-message
InstanceOf: ReadyMessage
Title: "A message to Noor that something is ready"
Description: "In her portal, as she chose. What it is, she sees once she has signed in."
Usage: #example
* insert ExampleText(Er staat iets klaar. Log zelf in om het te zien.)
* insert ExampleIdentifier(ready-message, 0d2b7c6e-0b6f-4a4d-8f53-4f6a1c0f3b52)
* category.coding.display = "Reminder"
* insert AboutNoor(subject)
* insert AboutNoor(recipient)
* sent = "2026-03-03T10:00:00+01:00"
* payload.contentString = "Er staat iets klaar. Log zelf in om het te zien."
