// Generated from questionnaires/plan_parts.toml by `make generate`: change it there.

// The client's own texts, in the order in which they are shown.
RuleSet: PlanParts
* extension contains
    LifeStory named lifeStory 0..1 MS and
    Strength named strength 0..* MS and
    Stressor named stressor 0..* MS
