"""What answers mean: responses to scores to Observations, and plans to CarePlans, without I/O or clock.

Public names, by module:

- `answers`: `answers_of(response, catalogue) -> Answers`, `response_from(answers)` backwards, `response_of(values,
  instrument, …)` for answers that have no response yet, `is_finished(response)`, `ResponseRef`,
  `instrument_of(canonical, catalogue)`
- `scoring`: `score(instrument, values) -> tuple[Score, …]`, `score_by(instrument, rule, values)`
- `observations`: `observations_of(answers, scores, response_reference=…) -> [panel, score, …]`, `full_url(observation)`
  for the `fullUrl` of a transaction, `scores_from(observations) -> list[ScorePoint]`, `provenance_of(…)`
- `submission`: `submission_of(answers, tasks) -> [Entry, …]`: all that sending answers in writes; `amendment_of(…)`
- `plan`: `Plan`, `Goal`, `Step`, `DomainAnswers`, `PersonRef`; `resources_of(plan, patient=…, author=…, language=…,
  existing=…) -> [Goal…, Task…, CarePlan]`, `plan_of(care_plan, goals, tasks)`, `parts_of(resources)`, `goal_of(goal)`
- `visit`: `visit_of(answers, language) -> VisitReport` with sections and lines, the client's words as typed;
  `latest_visit(responses, catalogue, language)` for the newest that can be read
- `bulk`: `BulkScorer(catalogue).score(batch)`, `batches_of(blocks)`, for whole files; `fast` is its fast way
- `verify`: `differences(resources, catalogue)`: stored scores that their answers do not give
- `fhir_text`: `typed(text)`: a person's text as FHIR can carry it
- `errors`: `MapperError` with `RefusedResponse` and `PlanError` below it; the tree is drawn on top of the module
"""
