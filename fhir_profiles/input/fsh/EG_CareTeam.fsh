Instance: example-care-team
InstanceOf: RecoveryCareTeam
Title: "Noor's people"
Description: "Noor, her sister, a peer worker and a nurse."
Usage: #example
* insert ExampleText(De mensen om Noor heen)
* status = #active
* insert AboutNoor(subject)
* participant[0].role = $care-role#client "Client"
* participant[0].member = Reference(Patient/example-noor) "Noor Bakker (voorbeeld)"
* participant[1].role = $care-role#loved-one "Loved one"
* participant[1].member = Reference(RelatedPerson/example-zus) "Mila Bakker (voorbeeld)"
* participant[2].role = $care-role#peer-worker "Peer worker"
* participant[2].role.text = "Ervaringsdeskundige"
* participant[2].member = Reference(Practitioner/example-karim) "Karim Aziz (voorbeeld)"
* participant[3].role = $care-role#professional "Professional"
* participant[3].member = Reference(PractitionerRole/example-spv) "Els Visser, SPV (voorbeeld)"

Instance: example-circle
InstanceOf: RecoveryCareTeam
Title: "Noor's circle"
Description: "As Noor keeps it: her sister, who signs in; her grandmother, who does not, and said yes to support her; her general practitioner; a friend of before."
Usage: #example
* insert ExampleText(Mijn mensen)
* language = #nl
* identifier.system = "https://verstel.nl/fhir/identifier/circle"
* identifier.value = "5c1b8a8e-3e0f-5d55-9a0b-5f3c2d5c7a10"
* status = #active
* name = "Mijn mensen"
* insert AboutNoor(subject)
* extension[typedBy].valueReference = Reference(Practitioner/example-karim) "Karim Aziz (voorbeeld)"
* contained[0] = oma
* contained[1] = huisarts
* participant[0].role = $care-role#client "Client"
* participant[0].member = Reference(Patient/example-noor) "Noor Bakker (voorbeeld)"
* participant[1].id = "4b1c6a52-0000-4000-8000-000000000001"
* participant[1].extension[inCircle].extension[phone].valueContactPoint.system = #phone
* participant[1].extension[inCircle].extension[phone].valueContactPoint.value = "06 00000001"
* participant[1].extension[inCircle].extension[invitedOn].valueDateTime = "2026-05-04"
* participant[1].extension[inCircle].extension[cameOn].valueDateTime = "2026-05-06"
* participant[1].role = $care-role#loved-one "Loved one"
* participant[1].role.text = "mijn zus"
* participant[1].member = Reference(RelatedPerson/example-zus) "Mila Bakker (voorbeeld)"
* participant[1].period.start = "2026-05-04"
* participant[2].id = "4b1c6a52-0000-4000-8000-000000000002"
* participant[2].extension[inCircle].extension[supports].valueBoolean = true
* participant[2].role = $care-role#loved-one "Loved one"
* participant[2].role.text = "oma"
* participant[2].member = Reference(oma) "Oma (voorbeeld)"
* participant[3].id = "4b1c6a52-0000-4000-8000-000000000003"
* participant[3].role = $care-role#outside "Professional outside the team"
* participant[3].role.text = "mijn huisarts"
* participant[3].member = Reference(huisarts) "Dokter Jansen (voorbeeld)"
* participant[4].id = "4b1c6a52-0000-4000-8000-000000000004"
* participant[4].role = $care-role#loved-one "Loved one"
* participant[4].role.text = "een vriend"
* participant[4].member = Reference(RelatedPerson/example-vriend) "Sam (voorbeeld)"
* participant[4].period.start = "2026-05-04"
* participant[4].period.end = "2026-08-01T10:00:00+02:00"

Instance: oma
InstanceOf: RelatedPerson
Usage: #inline
* insert AboutNoor(patient)
* name.text = "Oma (voorbeeld)"
* telecom.system = #phone
* telecom.value = "06 00000002"

Instance: huisarts
InstanceOf: Practitioner
Usage: #inline
* name.text = "Dokter Jansen (voorbeeld)"
