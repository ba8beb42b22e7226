// One made-up person, and what her resources have in common.

RuleSet: ExampleText(words)
* text.status = #generated
* text.div = "<div xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"nl\" xml:lang=\"nl\"><p>{words}</p></div>"
* language = #nl

RuleSet: AboutNoor(path)
* {path} = Reference(Patient/example-noor) "Noor Bakker (voorbeeld)"

RuleSet: ExampleIdentifier(system, value)
* identifier.system = "https://verstel.nl/fhir/identifier/{system}"
* identifier.value = "{value}"
