"""What other systems send is read, or refused with a reason, but never crashes anything, however broken it is."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from mappers.answers import answers_of
from mappers.errors import PlanError, RefusedResponse
from mappers.observations import observations_of, scores_from
from mappers.plan import DomainAnswers, Goal, PersonRef, Plan, Remark, Step, parts_of, plan_of, resources_of
from mappers.scoring import score
from mappers.verify import differences
from tests.examples import examples
from tests.mappers.build import CATALOGUE, all_answered, bent, response

ANNA = PersonRef("Patient/anna", "Anna de Vries")
RESPONSE = response("mansa", all_answered("mansa"))
ANSWERS = answers_of(RESPONSE, CATALOGUE)
OBSERVATIONS = observations_of(ANSWERS, score(ANSWERS.instrument, ANSWERS.values))
HOUSING = CATALOGUE.life_domains[0].code
PLAN = Plan(
    id="p",
    texts={"story": ("Mijn verhaal",), "strengths": ("muziek",)},
    domains=(DomainAnswers(HOUSING, now="goed"),),
    goals=(
        Goal(
            "g",
            "Een tuin",
            HOUSING,
            "2026-01-01",
            "2026-06-01",
            "improving",
            "2026-02-01",
            steps=(Step("s", "Zaaien", who="ik"),),
            remarks=(Remark("mooi", "2026-02-01T10:00:00+01:00"), Remark("nog kaal")),
        ),
    ),
)
RESOURCES = resources_of(PLAN, patient=ANNA, author=ANNA, known=CATALOGUE)


@examples(300)
@given(bent(st.just(RESPONSE)))
def test_a_bent_response_is_scored_or_refused(changed):
    with suppress(RefusedResponse):
        answers = answers_of(changed, CATALOGUE)
        observations_of(answers, score(answers.instrument, answers.values))


@examples(400)
@given(bent(st.just(OBSERVATIONS)))
def test_bent_observations_give_points_or_none(changed):
    for point in scores_from(changed):
        assert point.value is None or type(point.value) in (int, float)


@examples(400)
@given(bent(st.just([RESPONSE, *OBSERVATIONS])))
def test_bent_files_can_be_verified(changed):
    found, looked_at = differences(changed, CATALOGUE)
    assert len(found) <= looked_at


@examples(600)
@given(bent(st.just(RESOURCES)))
def test_a_bent_plan_is_read_and_written_again_or_refused(changed):
    with suppress(PlanError):
        plan = plan_of(*parts_of(changed), known=CATALOGUE)
        resources_of(plan, patient=ANNA, author=ANNA, known=CATALOGUE, existing=changed)
