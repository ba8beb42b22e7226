Profile: ReadyMessage
Parent: Communication
Id: ready-message
Title: "Message that something is ready"
Description: """
A message to the client, in the portal, that something is ready for them. They chose to get it.

It differs from Communication by: the category reminder; the client as its subject and its only recipient; when it was sent;
words that say that something is ready, and nothing of what it is: no topic, reason, note, or reference to what it is about.
"""
* insert Publish("Bericht dat er iets klaarstaat")
* insert Readable
* identifier 1..* MS
* status = #completed
* category 1..1 MS
* category = $communication-category#reminder
* insert OfOnePerson(subject)
* recipient 1..1 MS
* recipient only Reference(Patient)
* sent 1..1 MS
* payload 1..1 MS
* payload.content[x] only string
* insert NotUsed(about, "It would tell what the message is about.")
* insert NotUsed(basedOn, "It would tell what the message is about.")
* insert NotUsed(partOf, "It would tell what the message is about.")
* insert NotUsed(topic, "It would tell what the message is about.")
* insert NotUsed(reasonCode, "It would tell what the message is about.")
* insert NotUsed(reasonReference, "It would tell what the message is about.")
* insert NotUsed(note, "It would tell what the message is about.")

Mapping: ReadyMessageNl
Source: ReadyMessage
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on Communication known to us"
Description: "Nothing claimed: in what was read of nl-core there is no profile on Communication."
* subject -> "nl-core-Patient"
