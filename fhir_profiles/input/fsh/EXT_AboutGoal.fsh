Extension: AboutGoal
Id: about-goal
Title: "About a goal"
Description: "Which goal an answer in a living form is about. The answer itself has the words of the goal, as they were when it was written: whoever does not know this extension reads those."
Context: QuestionnaireResponse.item.answer
* insert Publish("Over een doel")
* value[x] 1..1 MS
* value[x] only Reference(Goal)
* value[x] ^short = "The goal: by our identifier, which stays when it moves"
