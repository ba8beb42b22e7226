RuleSet: SharedPart(index, part, title)
* provision.provision[{index}].data.meaning = #related
* provision.provision[{index}].data.reference.identifier.system = "https://verstel.nl/fhir/identifier/part"
* provision.provision[{index}].data.reference.identifier.value = "{part}"
* provision.provision[{index}].data.reference.display = "{title}"

RuleSet: SharedWith(index, number)
* provision.provision[{index}].actor[{number}].role = $participation#IRCP "information recipient"

Instance: example-plan-consent
InstanceOf: PlanConsent
Title: "What Noor shares"
Description: "Her sister reads her story, her peer worker reads it and types in it with her, and one area of life is hers alone."
Usage: #example
* insert ExampleText(Mila en de ervaringsdeskundige lezen mijn verhaal. Mijn geldzaken zijn van mij alleen.)
* insert ExampleIdentifier(plan-consent, 5b0d7c86-2a55-4f7e-9a3f-3a1c0f5d7e42)
* status = #active
* scope = $consent-scope#patient-privacy "Privacy Consent"
* category = $act-code#IDSCL "information disclosure"
* insert AboutNoor(patient)
* dateTime = "2026-11-27T10:00:00+01:00"
* insert AboutNoor(performer)
* policyRule.text = "Verstel: what is not permitted here, and by no rule of its parts, is denied."
* provision.type = #deny
* provision.provision[0].type = #permit
* insert SharedPart(0, form.story, Mijn verhaal)
* insert SharedWith(0, 0)
* provision.provision[0].actor[0].reference = Reference(RelatedPerson/example-mila) "Mila Bakker (voorbeeld)"
* insert SharedWith(0, 1)
* provision.provision[0].actor[1].reference.identifier.system = $care-role
* provision.provision[0].actor[1].reference.identifier.value = "peer-worker"
* provision.provision[0].actor[1].reference.display = "ervaringsdeskundige"
* provision.provision[0].action = $consent-action#access "Access"
* provision.provision[1].type = #permit
* insert SharedPart(1, form.story, Mijn verhaal)
* insert SharedWith(1, 0)
* provision.provision[1].actor[0].reference.identifier.system = $care-role
* provision.provision[1].actor[0].reference.identifier.value = "peer-worker"
* provision.provision[1].actor[0].reference.display = "ervaringsdeskundige"
* provision.provision[1].action = $consent-action#correct "Correct"
* provision.provision[2].type = #deny
* insert SharedPart(2, domain.finances, Financiën en administratie)
