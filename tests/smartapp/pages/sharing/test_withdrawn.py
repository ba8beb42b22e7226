"""Sharing that ends while a page is open: what is typed there is refused, and its writer keeps the words."""

import pytest

from mappers.sharing import ME, Choice
from smartapp.fhir.store import Query, Write
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.plan.pages import fields_of, fill
from tests.smartapp.records.test_sight import NOTE, at, share

TYPED = "Wat wij samen zeiden"
PAGES = {
    "form.story": ("living/story/story/", "story-story"),
    "domain.housing": ("plan/domains/housing/change", "change"),
}


@pytest.fixture
def joost(app):
    anna = launched(app)
    anna.post("plan/domains", {**fields_of(anna.get("plan/domains")), "domains": ["housing"]})
    fill(anna, "living/story/story/", **{"story-story": "Mijn verhaal"})
    joost = launched(app, role="clinician")
    joost.post("overview/together/write", {"what": "plan"})
    return joost


@pytest.mark.parametrize("part", PAGES)
@pytest.mark.parametrize("choice", [ME, Choice(False, frozenset({"clinician"}))], ids=["only me", "reads, types not"])
class TestTogether:
    def test_a_part_that_the_client_writes_alone_says_so_before_anything_is_typed(self, app, joost, part, choice):
        path = PAGES[part][0]
        assert joost.get(path).status_code == 200
        share(app, **{part.replace(".", "__"): choice})
        page = joost.get(path)
        assert page.status_code == 403
        assert "De cliënt schrijft dit deel zelf." in text_of(page)

    def test_what_was_typed_by_then_is_not_saved_and_stays_with_its_writer(self, app, joost, part, choice):
        path, name = PAGES[part]
        form = {**fields_of(joost.get(path)), name: TYPED}
        share(app, **{part.replace(".", "__"): choice})
        page = joost.post(path, form)
        assert page.status_code == 403
        assert TYPED in page.text
        autosave = joost.post(path, form, headers={"Accept": "application/json"})
        assert autosave.status_code == 403
        for place in ("ehr", "own"):
            stored = (
                at(app, place).search(Query.of(one, patient="anna")) for one in ("CarePlan", "QuestionnaireResponse")
            )
            assert TYPED not in str([one.resource for found in stored for one in found])


def test_a_guessed_id_of_what_is_hidden_is_as_absent_as_any_other(app):
    share(app, notes=ME, answers__hoop=ME)
    [note] = launched(app).records.save([Write("create", NOTE)])
    joost = launched(app, role="clinician")
    for path in ("answers/{}", "plan/goals/{}/"):
        hidden, absent = (joost.get(path.format(one)) for one in (note.resource["id"], "0" * 36))
        assert hidden.status_code == absent.status_code
        assert text_of(hidden) == text_of(absent)


@pytest.mark.parametrize(("choice", "status"), [(ME, "requested"), (Choice(), "completed")], ids=["private", "shared"])
def test_private_answers_do_not_close_what_was_asked(app, choice, status):
    share(app, answers__hoop=choice)
    joost, anna = launched(app, role="clinician"), launched(app)
    fill(joost, "assignments/new", questionnaire="hoop")
    for number in range(1, 13):
        anna.post(f"questionnaires/hoop/questions/hoop-{number:02}", {"answer": "3", "next": "1"})
    assert anna.post("questionnaires/hoop/submit").status_code == 303
    anna.courier_comes()
    [task] = [one.resource for one in at(app, "ehr").search(Query.of("Task", patient="anna"))]
    assert task["status"] == status
    there = str(at(app, "ehr").search(Query.of("QuestionnaireResponse", patient="anna")))
    assert ("hoop" in there) is (status == "completed")
