Profile: ScoreProvenance
Parent: Provenance
Id: score-provenance
Title: "Provenance of scores"
Description: """
Where the scores of one response come from: which software, of which version, computed them from which answers.

It differs from Provenance by: Observations as targets; the software as agent; the response as source.
"""
* insert Publish("Herkomst van scores")
* insert Readable
* target only Reference(Observation)
* target MS
* recorded MS
* agent 1..1 MS
* agent.type 1..1
* agent.type = $provenance-agent#assembler
* agent.who MS
* agent.who only Reference(Device)
* agent.who.display 1..1
* agent.who ^short = "The software with its version, by name"
* entity 1..1 MS
* entity.role = #source
* entity.what MS
* entity.what only Reference(QuestionnaireResponse)

Mapping: ScoreProvenanceNl
Source: ScoreProvenance
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on Provenance known to us"
Description: "Nothing claimed: in what was read of nl-core there is no profile on Provenance."
* target -> "Observations, see recovery-score"
