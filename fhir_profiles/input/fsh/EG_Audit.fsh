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
* agent.who = Reference(Practitioner/example-els) "Els Visser (voorbeeld)"
* agent.role.text = "Verpleegkundige"
* agent.requestor = true
* agent.network.address = "192.0.2.7"
* agent.network.type = #2
* source.observer.display = "Verstel"
* entity.what = Reference(CarePlan/example-plan) "Herstelplan"
* entity.type = http://hl7.org/fhir/resource-types#CarePlan "CarePlan"
