Profile: RecoveryAuditEvent
Parent: AuditEvent
Id: recovery-audit-event
Title: "Recovery audit event"
Description: """
Who did what with whose data, when, from where and with what outcome: what the Dutch logging standard NEN 7513 asks for
(as secondary texts describe it), so that the client can read who looked.

It differs from AuditEvent by: the action and the outcome are required; each agent is somebody, by reference, identifier or
name; and what was touched is named.
"""
* insert Publish("Inzageregel")
* insert Readable
* action 1..1 MS
* recorded MS
* outcome 1..1 MS
* agent MS
* agent.who 1..1 MS
* agent.requestor MS
* agent.role MS
* agent.network MS
* source MS
* source.observer MS
* entity 1..* MS
* entity.what MS
* purposeOfEvent MS

Mapping: RecoveryAuditEventNl
Source: RecoveryAuditEvent
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on AuditEvent known to us"
Description: "Nothing claimed: in what was read of nl-core there is no profile on AuditEvent."
* entity.what -> "What was touched, of whatever profile"
