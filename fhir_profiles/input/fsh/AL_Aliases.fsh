// The short names of addresses. Ours first: nothing else in the source writes the canonical base.
Alias: $verstel = https://verstel.nl/fhir
Alias: $score = https://verstel.nl/fhir/CodeSystem/score
Alias: $score-rule = https://verstel.nl/fhir/CodeSystem/score-rule
Alias: $life-domain = https://verstel.nl/fhir/CodeSystem/life-domain
Alias: $plan = https://verstel.nl/fhir/CodeSystem/plan
Alias: $life-domain-values = https://verstel.nl/fhir/ValueSet/life-domain
Alias: $recovery-phase = https://verstel.nl/fhir/CodeSystem/recovery-phase
Alias: $recovery-phase-values = https://verstel.nl/fhir/ValueSet/recovery-phase
Alias: $care-role = https://verstel.nl/fhir/CodeSystem/care-team-role

Alias: $observation-category = http://terminology.hl7.org/CodeSystem/observation-category
Alias: $data-absent-reason = http://terminology.hl7.org/CodeSystem/data-absent-reason
Alias: $goal-achievement = http://terminology.hl7.org/CodeSystem/goal-achievement
Alias: $dicom = http://dicom.nema.org/resources/ontology/DCM
Alias: $audit-entity = http://terminology.hl7.org/CodeSystem/audit-entity-type
Alias: $object-role = http://terminology.hl7.org/CodeSystem/object-role
Alias: $participation = http://terminology.hl7.org/CodeSystem/v3-ParticipationType
Alias: $consent-scope = http://terminology.hl7.org/CodeSystem/consentscope
Alias: $consent-action = http://terminology.hl7.org/CodeSystem/consentaction
Alias: $act-code = http://terminology.hl7.org/CodeSystem/v3-ActCode
Alias: $act-reason = http://terminology.hl7.org/CodeSystem/v3-ActReason
Alias: $source-type = http://terminology.hl7.org/CodeSystem/security-source-type
Alias: $provenance-entity = http://hl7.org/fhir/provenance-entity-role
Alias: $provenance-agent = http://terminology.hl7.org/CodeSystem/provenance-participant-type
Alias: $sdc = http://hl7.org/fhir/uv/sdc/CodeSystem/temp
Alias: $ucum = http://unitsofmeasure.org
Alias: $expectation = http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation
