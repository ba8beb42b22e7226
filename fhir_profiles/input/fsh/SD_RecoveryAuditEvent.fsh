Invariant: verstel-audit-person-no-network
Severity: #error
Description: "Whoever acted has no network address: the device that they used has one, as an agent of its own"
Expression: "agent.where(requestor = true and network.exists()).empty()"

Invariant: verstel-audit-parties
Severity: #error
Description: "What was read or written and succeeded names one source, one destination, one person who acted and one resource or page as data"
Expression: "(type.code = 'rest' and subtype.exists() and outcome = '0') implies (agent.where(type.coding.where(system = 'http://dicom.nema.org/resources/ontology/DCM' and code = '110153').exists()).count() = 1 and agent.where(type.coding.where(system = 'http://dicom.nema.org/resources/ontology/DCM' and code = '110152').exists()).count() = 1 and agent.where(requestor = true).count() = 1 and entity.where(type.system = 'http://terminology.hl7.org/CodeSystem/audit-entity-type' and type.code = '2').count() = 1)"

Profile: RecoveryAuditEvent
Parent: AuditEvent
Id: recovery-audit-event
Title: "Recovery audit event"
Description: """
Who did what with whose data, when, from where, what for and with what outcome: what the Dutch logging standard NEN 7513 asks
for (as secondary texts describe it), so that the client can read who looked. A read, a create and an update that succeeded
have the shape of IHE's Basic Audit Log Patterns; one event tells of a page or a save with all its resources.

It differs from AuditEvent by: the action and the outcome are required; each agent is somebody, by reference, identifier or
name; what was touched is named; a person has no network address; and what was read or written names who gave and who got it.
"""
* insert Publish("Inzageregel")
* insert Readable
* obeys verstel-audit-person-no-network and verstel-audit-parties
* action 1..1 MS
* recorded MS
* outcome 1..1 MS
* agent MS
* agent.type MS
* agent.who 1..1 MS
* agent.requestor MS
* agent.role MS
* agent.network MS
* source MS
* source.site MS
* source.observer MS
* source.type MS
* entity 1..* MS
* entity.what MS
* entity.type MS
* entity.role MS
* purposeOfEvent MS

Mapping: RecoveryAuditEventNl
Source: RecoveryAuditEvent
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on AuditEvent known to us"
Description: "Nothing claimed: in what was read of nl-core there is no profile on AuditEvent."
* entity.what -> "What was touched, of whatever profile"
