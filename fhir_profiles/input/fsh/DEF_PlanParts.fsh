// Where the client's own texts were before there were living forms, and where plans of then still have them.
RuleSet: PlanParts
* extension contains
    LifeStory named lifeStory 0..1 MS and
    Strength named strength 0..* MS and
    Stressor named stressor 0..* MS
