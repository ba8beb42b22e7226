Extension: SaidIn
Id: said-in
Title: "Said in"
Description: "From which answer this came: the response, and in it the linkId of the question. The words here may have been changed since; the response keeps what was said then."
Context: Goal, Task
* insert Publish("Gezegd in")
* extension contains
    response 1..1 MS and
    linkId 1..1 MS
* extension[response].value[x] 1..1
* extension[response].value[x] only Reference(QuestionnaireResponse)
* extension[response] ^short = "The response: by reference on the same server, and by our identifier, which stays when it moves"
* extension[linkId].value[x] 1..1
* extension[linkId].value[x] only string
* extension[linkId] ^short = "The linkId of the question that was answered"
