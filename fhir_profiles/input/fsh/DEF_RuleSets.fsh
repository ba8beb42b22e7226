// What several artefacts say in the same words.

RuleSet: Publish(alias)
* ^status = #draft
* ^experimental = false
* ^publisher = "Verstel"
* ^jurisdiction = urn:iso:std:iso:3166#NL "Netherlands (the)"
* ^copyright = "CC0-1.0: free for any use. The questionnaires themselves belong to their authors."
* . ^alias = {alias}

RuleSet: PublishTerminology
* ^status = #draft
* ^experimental = false
* ^publisher = "Verstel"
* ^jurisdiction = urn:iso:std:iso:3166#NL "Netherlands (the)"
* ^copyright = "CC0-1.0: free for any use."

// What readers of a Dutch record need everywhere: words beside references, system and code in codings.
RuleSet: Readable
* obeys verstel-reference-display and verstel-coding-complete

// A slice of a list of CodeableConcepts, told apart by their content.
RuleSet: SliceByPattern(path)
* {path} ^slicing.discriminator.type = #pattern
* {path} ^slicing.discriminator.path = "$this"
* {path} ^slicing.rules = #open

RuleSet: NotUsed(path, reason)
* {path} 0..0
* {path} ^comment = {reason}

// An answer, a goal, a plan is of one person; a group or a device has none.
RuleSet: OfOnePerson(path)
* {path} 1..1 MS
* {path} only Reference(Patient)

// A sentence of the client's: text, as typed, in an extension.
RuleSet: OwnWords
* value[x] 1..1
* value[x] only string
