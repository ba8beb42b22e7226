Profile: PlanConsent
Parent: Consent
Id: plan-consent
Title: "What a client shares"
Description: """
Who may read, and type in, which part of what a client keeps in Verstel, as the client chose.

It differs from Consent by: an identifier; the client as patient and only performer; a rule that denies, with one provision
below it for each part and each action, which permits or denies; the part as its data, named by identifier (`identifier/part`),
since a part is there before anything is written in it; no provisions any deeper. Readers are roles or people; `record` of
`CodeSystem/reader` stands for everybody who may open the record. It stays in Verstel's own store and is sent to no server: there
it would tell that something is hidden.
"""
* insert Publish("Wie leest wat")
* insert Readable
* identifier 1..* MS
// The example of the base is no URI, as HL7's own validator finds.
* identifier ^example.label = "General"
* identifier ^example.valueIdentifier.system = "https://verstel.nl/fhir/identifier/plan-consent"
* identifier ^example.valueIdentifier.value = "5b0d7c86-2a55-4f7e-9a3f-3a1c0f5d7e42"
* status MS
* scope = $consent-scope#patient-privacy
* insert OfOnePerson(patient)
* dateTime MS
* performer 1..1 MS
* performer only Reference(Patient)
* policyRule 1..1
* provision 1..1 MS
* provision.type 1..1
* provision.type = #deny
* provision.provision MS
* provision.provision.type 1..1
* provision.provision.data 1..1 MS
* provision.provision.data.meaning = #related
* provision.provision.provision 0..0

Mapping: PlanConsentNl
Source: PlanConsent
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile for sharing parts of a plan known to us"
Description: "Nothing claimed: what was read of nl-core has Consents for treatment directives and advance directives, which this is not."
* patient -> "nl-core-Patient"
