// What the app asks of a FHIR server. Everything is SHOULD: what a server does not offer, the app keeps itself.

RuleSet: Offer(number, code, expectation)
* rest.resource[=].interaction[{number}].code = #{code}
* rest.resource[=].interaction[{number}].extension[0].url = $expectation
* rest.resource[=].interaction[{number}].extension[0].valueCode = #{expectation}

RuleSet: ReadAndSearch
* insert Offer(0, read, SHOULD)
* insert Offer(1, search-type, SHOULD)

RuleSet: AndWrite
* insert Offer(2, create, SHOULD)
* insert Offer(3, update, SHOULD)
* rest.resource[=].versioning = #versioned-update
* rest.resource[=].conditionalCreate = true

RuleSet: Expect(type, expectation)
* rest.resource[+].type = #{type}
* rest.resource[=].extension[0].url = $expectation
* rest.resource[=].extension[0].valueCode = #{expectation}

RuleSet: Profiled(profile)
* rest.resource[=].supportedProfile[+] = "https://verstel.nl/fhir/StructureDefinition/{profile}"

RuleSet: Search(number, name, type)
* rest.resource[=].searchParam[{number}].name = "{name}"
* rest.resource[=].searchParam[{number}].type = #{type}

Instance: app-requirements
InstanceOf: CapabilityStatement
Title: "What Verstel asks of a FHIR server"
Usage: #definition
* url = "https://verstel.nl/fhir/CapabilityStatement/app-requirements"
* version = "0.1.0"
* name = "AppRequirements"
* title = "What Verstel asks of a FHIR server"
* status = #draft
* experimental = false
* date = "2026-11-22"
* publisher = "Verstel"
* jurisdiction = urn:iso:std:iso:3166#NL "Netherlands (the)"
* copyright = "CC0-1.0: free for any use."
* description = "The resources, searches and interactions that the app uses. Only reading the patient is needed; for each other type the app looks at this server's own statement, the granted scopes and the last real answer, and keeps in its own store what the server does not take. `verstel check-ehr` shows the outcome for one server."
* kind = #requirements
* fhirVersion = #4.0.1
* format[0] = #json
* rest.mode = #server
* rest.security.service = http://terminology.hl7.org/CodeSystem/restful-security-service#SMART-on-FHIR "SMART-on-FHIR"
* rest.security.description = "SMART app launch with PKCE (S256): EHR launch and standalone launch. patient/ and user/ scopes, v2 or v1."
* insert Expect(Patient, SHALL)
* insert Offer(0, read, SHALL)
* insert Expect(QuestionnaireResponse, SHOULD)
* insert Profiled(recovery-response)
* insert ReadAndSearch
* insert AndWrite
* insert Search(0, patient, reference)
* insert Search(1, identifier, token)
* insert Expect(Observation, SHOULD)
* insert Profiled(recovery-score)
* insert Profiled(recovery-score-panel)
* insert Profiled(own-note)
* insert Profiled(recovery-phase)
* insert ReadAndSearch
* insert AndWrite
* insert Search(0, patient, reference)
* insert Search(1, category, token)
* insert Search(2, identifier, token)
* insert Expect(CarePlan, SHOULD)
* insert Profiled(recovery-plan)
* insert ReadAndSearch
* insert AndWrite
* insert Search(0, patient, reference)
* insert Search(1, category, token)
* insert Search(2, identifier, token)
* insert Expect(Goal, SHOULD)
* insert Profiled(recovery-goal)
* insert ReadAndSearch
* insert AndWrite
* insert Search(0, patient, reference)
* insert Search(1, identifier, token)
* insert Expect(Task, SHOULD)
* insert Profiled(recovery-step)
* insert Profiled(questionnaire-assignment)
* insert Profiled(talking-point)
* insert ReadAndSearch
* insert AndWrite
* insert Search(0, patient, reference)
* insert Search(1, code, token)
* insert Search(2, identifier, token)
* insert Expect(CareTeam, MAY)
* insert Profiled(recovery-care-team)
* insert ReadAndSearch
* insert Search(0, patient, reference)
* insert Search(1, category, token)
* rest.interaction[0].code = #transaction
* rest.interaction[0].extension[0].url = $expectation
* rest.interaction[0].extension[0].valueCode = #SHOULD
* rest.interaction[0].documentation = "A response and its scores, or a plan with its goals and steps, as one unit. Without it the app writes them one by one, each once, and goes on where it stopped."
