Instance: example-talking-point
InstanceOf: TalkingPoint
Title: "An answer that Noor wants to talk about"
Description: "Marked after she sent in the questionnaire on hope."
Usage: #example
* insert ExampleText(Hier wil ik over praten: Ik heb mensen om op terug te vallen: mee eens)
* insert ExampleIdentifier(talking-point, 6a0e2f67-6a2b-5b2a-9c5f-3d7f5d0f6c11)
* extension[saidIn].extension[response].valueReference = Reference(QuestionnaireResponse/example-response) "Hoop, ingevuld op 3 maart 2026"
* extension[saidIn].extension[linkId].valueString = "hoop-04"
* status = #requested
* code.coding.display = "Hier wil ik over praten"
* description = "Ik heb mensen om op terug te vallen: mee eens"
* insert AboutNoor(for)
* authoredOn = "2026-03-03T14:10:00+01:00"
* insert AboutNoor(requester)
