Profile: RecoveryPlan
Parent: CarePlan
Id: recovery-plan
Title: "Recovery plan"
Description: """
The client's own recovery plan: their story, what helps them and what costs them energy, at most five life domains with the
answers to four questions each, goals in their own words and the steps towards them.

It differs from CarePlan by: the category recovery plan; intent plan; an author; extensions for the client's own words;
at most five life domains; and steps as separate resources (`activity.reference`), so that each has its own history.

What the client writes in living forms is a QuestionnaireResponse each, which the plan names in `supportingInfo`.
"""
* insert Publish("Herstelplan")
* insert Readable
* insert PlanParts
* extension contains LifeDomainAnswers named lifeDomainAnswers 0..5 MS
* identifier 1..* MS
* status MS
* intent = #plan
* insert SliceByPattern(category)
* category 1..* MS
* category contains recovery 1..1 MS
* category[recovery] = $plan#recovery-plan
* title 1..1 MS
* insert OfOnePerson(subject)
* author 1..1 MS
* author ^short = "Who wrote the plan: the client, unless somebody wrote it down with them"
* careTeam MS
* supportingInfo MS
* supportingInfo ^short = "What the client wrote in living forms, each by the identifier of its response, which stays when it moves"
* goal MS
* activity MS
* activity.reference 1..1 MS
* activity.reference only Reference(Task or ServiceRequest)
* insert NotUsed(activity.detail, "A step has a resource of its own\, so that it can be done\, dated and looked up by itself.")

Mapping: RecoveryPlanNl
Source: RecoveryPlan
Target: "http://nictiz.nl/fhir"
Id: nl-core
Title: "nl-core (zib2020 R4): no profile on care plans in general known to us"
Description: "Nothing to comply with: nl-core's two CarePlans are for help from others and for a nursing intervention. The people around the plan are in nl-core-Patient and nl-core-CareTeam, its goals in nl-core-TreatmentObjective."
* subject -> "nl-core-Patient"
* careTeam -> "nl-core-CareTeam"
* goal -> "nl-core-TreatmentObjective"
