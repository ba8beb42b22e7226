Instance: example-audit
InstanceOf: RecoveryAuditEvent
Title: "A nurse read the plan"
Description: "One line of the log that the client can read."
Usage: #example
* type = http://terminology.hl7.org/CodeSystem/audit-event-type#rest "RESTful Operation"
* subtype = http://hl7.org/fhir/restful-interaction#read "read"
* action = #R
* recorded = "2026-03-04T09:30:00.000+01:00"
* outcome = #0
* purposeOfEvent = $act-reason#TREAT "treatment"
* agent[0].type = $participation#IRCP "information recipient"
* agent[0].who = Reference(Practitioner/example-els) "Els Visser (voorbeeld)"
* agent[0].role.text = "Verpleegkundige"
* agent[0].requestor = true
* agent[1].type = $dicom#110152 "Destination Role ID"
* agent[1].who.identifier.system = "urn:ietf:rfc:3986"
* agent[1].who.identifier.value = "https://verstel.example.org"
* agent[1].who.display = "Verstel"
* agent[1].requestor = false
* agent[1].network.address = "https://verstel.example.org"
* agent[1].network.type = #5
* agent[2].type = $dicom#110153 "Source Role ID"
* agent[2].who.identifier.system = "urn:ietf:rfc:3986"
* agent[2].who.identifier.value = "https://ehr.example.org/fhir"
* agent[2].who.display = "De Linden (voorbeeld)"
* agent[2].requestor = false
* agent[2].network.address = "https://ehr.example.org/fhir"
* agent[2].network.type = #5
* agent[3].type = $dicom#110150 "Application"
* agent[3].who.display = "device of the user"
* agent[3].requestor = false
* agent[3].network.address = "192.0.2.7"
* agent[3].network.type = #2
* source.site = "De Linden (voorbeeld)"
* source.observer.identifier.system = "urn:ietf:rfc:3986"
* source.observer.identifier.value = "https://verstel.example.org"
* source.observer.display = "Verstel"
* source.type = $source-type#4 "Application Server"
* entity[0].what = Reference(CarePlan/example-plan) "Herstelplan"
* entity[0].type = $audit-entity#2 "System Object"
* entity[0].role = $object-role#4 "Domain Resource"
* entity[1].what = Reference(Patient/example-noor) "Noor Bakker (voorbeeld)"
* entity[1].type = $audit-entity#1 "Person"
* entity[1].role = $object-role#1 "Patient"

Instance: example-audit-denied
InstanceOf: RecoveryAuditEvent
Title: "Somebody was turned away"
Description: "A page that a peer worker wanted to open and may not: it says which, and nothing of what is on it."
Usage: #example
* type = http://terminology.hl7.org/CodeSystem/audit-event-type#rest "RESTful Operation"
* action = #E
* recorded = "2026-03-04T09:31:00.000+01:00"
* outcome = #4
* outcomeDesc = "role"
* purposeOfEvent = $act-reason#TREAT "treatment"
* agent.who = Reference(Practitioner/example-els) "Els Visser (voorbeeld)"
* agent.role.text = "peer-worker"
* agent.requestor = true
* source.observer.display = "Verstel"
* entity[0].what.display = "scores.index"
* entity[1].what = Reference(Patient/example-noor) "Noor Bakker (voorbeeld)"
* entity[1].type = $audit-entity#1 "Person"
* entity[1].role = $object-role#1 "Patient"
