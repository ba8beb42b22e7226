Instance: example-reuse-consent
InstanceOf: ReuseConsent
Title: "What Noor's answers may be used again for"
Description: "For research by others; not said of the place's own improvement, and so not allowed for that."
Usage: #example
* insert ExampleText(Mijn antwoorden mogen helpen bij onderzoek door anderen.)
* insert ExampleIdentifier(reuse-consent, 0d0f4d0c-6a1e-4c59-8f5e-0b6f3f6d2a11)
* status = #active
* insert AboutReuse
* dateTime = "2026-11-27T10:00:00+01:00"
* provision.provision[0].type = #permit
* provision.provision[0].action = $consent-action#access "Access"
* provision.provision[0].purpose = $act-reason#HRESCH "healthcare research"

Instance: example-reuse-consent-taken-back
InstanceOf: ReuseConsent
Title: "Noor took it back"
Description: "Nothing is permitted any more, and so it is not active."
Usage: #example
* insert ExampleText(Mijn antwoorden mogen nergens meer voor gebruikt worden.)
* insert ExampleIdentifier(reuse-consent, 0d0f4d0c-6a1e-4c59-8f5e-0b6f3f6d2a11)
* status = #inactive
* insert AboutReuse
* dateTime = "2026-12-18T10:00:00+01:00"

RuleSet: AboutReuse
* scope = $consent-scope#research "Research"
* category = http://terminology.hl7.org/CodeSystem/consentcategorycodes#research "Research Information Access"
* insert AboutNoor(patient)
* insert AboutNoor(performer)
* policyRule.text = "Verstel: answers are not used again for what is not permitted here."
* provision.type = #deny
