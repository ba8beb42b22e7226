Invariant: verstel-reuse-active
Description: "It is active if it permits something, and only then."
Severity: #error
Expression: "(status = 'active') = provision.provision.exists()"

Profile: ReuseConsent
Parent: Consent
Id: reuse-consent
Title: "Whether answers may be used again"
Description: """
Whether a client's answers may be used again, and what for: the place improves its own care, others do research, both or neither.

It differs from Consent by: an identifier; the client as patient and only performer; research as its scope; a rule that denies,
with one provision below it for each purpose, which permits that answers are read; nothing that narrows a yes, since a reader
that skips it would read more than was said. Without provisions it is not active: that is how a yes is taken back, and what was
said before stays in its earlier versions. It is to one place, stays in Verstel's own store and is sent to no server.
"""
* insert Publish("Mogen je antwoorden helpen bij onderzoek?")
* insert Readable
* obeys verstel-reuse-active
* identifier 1..* MS
// The example of the base is no URI, as HL7's own validator finds.
* identifier ^example.label = "General"
* identifier ^example.valueIdentifier.system = "https://verstel.nl/fhir/identifier/reuse-consent"
* identifier ^example.valueIdentifier.value = "0d0f4d0c-6a1e-4c59-8f5e-0b6f3f6d2a11"
* status MS
* scope = $consent-scope#research
* insert OfOnePerson(patient)
* dateTime 1..1 MS
* performer 1..1 MS
* performer only Reference(Patient)
* policyRule 1..1
* provision 1..1 MS
* provision.type 1..1
* provision.type = #deny
* provision.provision MS
* provision.provision.type 1..1
* provision.provision.type = #permit
* provision.provision.action 1..1
* provision.provision.action = $consent-action#access
* provision.provision.purpose 1..1 MS
* provision.provision.purpose from ReusePurpose (required)
* insert NotNarrowed(period)
* insert NotNarrowed(actor)
* insert NotNarrowed(securityLabel)
* insert NotNarrowed(class)
* insert NotNarrowed(code)
* insert NotNarrowed(dataPeriod)
* insert NotNarrowed(data)
* insert NotNarrowed(provision)

Mapping: ReuseConsentNl
Source: ReuseConsent
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile for reuse of answers known to us"
Description: "Nothing claimed: what was read of nl-core has Consents for treatment directives and advance directives, which this is not."
* patient -> "nl-core-Patient"

RuleSet: NotNarrowed(element)
* insert NotUsed(provision.provision.{element}, "A yes is to all of one purpose.")
