ValueSet: ReusePurpose
Id: reuse-purpose
Title: "What answers may be used again for"
Description: "The place improves its own care, or others do research."
* insert PublishTerminology
* $act-reason#HQUALIMP
* $act-reason#HRESCH
