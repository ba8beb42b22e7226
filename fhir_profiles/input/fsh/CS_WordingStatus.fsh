CodeSystem: WordingStatusCodes
Id: wording-status
Title: "Status of a questionnaire's wording"
Description: "Whose words a questionnaire's questions are."
* insert PublishTerminology
* ^caseSensitive = true
* ^language = #en
* #working "Working wording" "Our own plain words, until a licensed organisation loads the official text; nobody validated them."
* #official "Official wording" "The text of the instrument's authors or their translators, loaded by an organisation that may use it."
* #none "No wording" "Structure, codes and rules only, without any sentence: nobody can show this form."
