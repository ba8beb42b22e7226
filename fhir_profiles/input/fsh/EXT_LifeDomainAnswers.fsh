Extension: LifeDomainAnswers
Id: life-domain-answers
Title: "Answers about a life domain"
Description: "One life domain that the client chose, with the answers to four questions: how is it now, what do I want to change, how will I get there and what do I need, what support do I have now. Each answer exactly as typed; a question that is not answered yet is left out."
Context: CarePlan
* insert Publish("Antwoorden bij een levensgebied")
* extension contains
    domain 1..1 MS and
    now 0..1 MS and
    change 0..1 MS and
    how 0..1 MS and
    support 0..1 MS
* extension[domain].value[x] 1..1
* extension[domain].value[x] only Coding
* extension[domain].valueCoding from $life-domain-values (required)
* extension[now] ^short = "How is it now?"
* extension[now] insert OwnWords
* extension[change] ^short = "What do I want to change?"
* extension[change] insert OwnWords
* extension[how] ^short = "How will I get there and what do I need?"
* extension[how] insert OwnWords
* extension[support] ^short = "What support do I have now?"
* extension[support] insert OwnWords
