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
