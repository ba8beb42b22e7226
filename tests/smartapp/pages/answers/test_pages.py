"""What was sent in is read by the client and the care team, compared, marked, and made into a goal or a step."""

from __future__ import annotations

import re

import pytest

from mappers.plan import goal_of
from mappers.said_in import said_in
from mappers.sharing import ME
from mappers.talking import talking_point_of
from smartapp.fhir.store import Query, Unreachable, Write
from tests.new_form import ask_also
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.scores.people import measure
from tests.smartapp.records.test_sight import share


def sent(visitor, day="2026-11-20", instrument="hoop"):
    found = [one.resource for one in visitor.ehr.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))]
    return next(
        one["id"] for one in found if one["authored"].startswith(day) and f"/{instrument}|" in one["questionnaire"]
    )


@pytest.fixture
def anna(app):
    """Anna, who filled in a questionnaire twice: everything 2 and a year later everything 3."""
    visitor = launched(app)
    measure(visitor, "hoop", "2025-11-20", "2")
    measure(visitor, "hoop", "2026-11-20", "3")
    return visitor


@pytest.fixture
def clinician(app, anna):
    return launched(app, role="clinician")


def tasks(visitor):
    return [one.resource for one in visitor.ehr.search(Query.of("Task", patient="Patient/anna"))]


@pytest.mark.parametrize("who", ["anna", "clinician"])
def test_answers_are_read_in_the_order_asked_with_the_time_before_beside_them(who, request, anna):
    page = text_of(request.getfixturevalue(who).get(f"answers/{sent(anna)}/"))
    questions = [int(number) for number in re.findall(r" (\d\d?)\. (?=[A-Z])", page)]
    assert questions == list(range(1, 13))
    assert page.count("Mee eens · 20 november 2025: Mee oneens") == 12


def test_what_differs_most_is_named_without_a_verdict(anna, clinician):
    page = text_of(clinician.get(f"answers/{sent(anna)}/"))
    assert "Wat het meest verschilt met 20 november 2025" in page
    assert page.count("Mee oneens → en nu: Mee eens") == 5
    # All twelve differ as much: five of them are not "the most" without that being said.
    assert "Nog 7 antwoorden verschillen evenveel." in page
    for verdict in ("beter", "slechter", "vooruit", "achteruit"):
        assert verdict not in page.lower()


def test_the_first_time_has_nothing_beside_it(anna):
    page = text_of(anna.get(f"answers/{sent(anna, '2025-11-20')}/"))
    assert "Mee oneens" in page
    assert "Wat het meest verschilt" not in page
    assert "2026" not in page


def test_another_time_can_be_put_beside_it(anna):
    measure(anna, "hoop", "2024-11-20", "1")
    first = sent(anna, "2024-11-20")
    assert "20 november 2024: Sterk mee oneens" not in text_of(anna.get(f"answers/{sent(anna)}/"))
    page = anna.get(f"answers/{sent(anna)}/?beside={first}")
    assert text_of(page).count("Mee eens · 20 november 2024: Sterk mee oneens") == 12


def test_every_response_is_in_the_list_of_both(anna, clinician):
    measure(anna, "nel", "2026-10-01", "4")
    for visitor in (anna, clinician):
        page = visitor.get("answers/").text
        for one in (sent(anna), sent(anna, "2025-11-20"), sent(anna, "2026-10-01", "nel")):
            assert f"/answers/{one}/" in page


def test_wishes_of_the_conversation_form_are_read_by_the_care_team(app, anna):
    anna.post("questionnaires/mansa-short/questions/mansa-short-01", {"answer": "3", "next": "1"})
    anna.post(
        "questionnaires/mansa-short/questions/mansa-short-home-change", {"answer": "Een eigen deur.", "next": "1"}
    )
    anna.post("questionnaires/mansa-short/submit")
    found = anna.ehr.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))
    [wishes] = [one.resource["id"] for one in found if "/mansa-short|" in one.resource["questionnaire"]]
    page = launched(app, role="clinician").get(f"answers/{wishes}/")
    assert page.status_code == 200
    assert re.search(r'<blockquote class="words">Een eigen deur\.</blockquote>', page.text)
    # The wishes come first, each with its area and the answer there; below them everything, in the order asked.
    first, _, rest = text_of(page).partition("1. Hoe tevreden")
    assert "Wat de cliënt zou willen veranderen Wonen Een beetje ontevreden Een eigen deur." in first
    assert "Een eigen deur." in rest
    assert "Wat je zou willen veranderen" in text_of(anna.get(f"answers/{wishes}/"))
    assert "zou willen veranderen" not in text_of(anna.get(f"answers/{sent(anna)}/")).partition("1. ")[0]


def test_the_client_sees_who_read_it_and_when(anna, clinician):
    assert "Gelezen op" not in text_of(anna.get(f"answers/{sent(anna)}/"))
    clinician.get("answers/")  # the list alone says nothing of the answers
    assert "Gelezen op" not in text_of(anna.get(f"answers/{sent(anna)}/"))
    clinician.get(f"answers/{sent(anna)}/")
    assert re.search(r"Gelezen op \d+ \w+ \d{4}.* door SPV J\. Jansen", text_of(anna.get(f"answers/{sent(anna)}/")))
    assert "Gelezen op" not in text_of(anna.get(f"answers/{sent(anna, '2025-11-20')}/"))
    assert "Gelezen op" not in text_of(clinician.get(f"answers/{sent(anna)}/"))


def test_an_unfinished_questionnaire_is_read_by_nobody(anna, clinician):
    found = anna.ehr.read("QuestionnaireResponse", sent(anna))
    anna.ehr.write(Write("update", {**found.resource, "status": "in-progress"}))
    assert clinician.get(f"answers/{found.resource['id']}/").status_code == 404


@pytest.mark.parametrize("version", ["1.0.0", "9.9.9"])
def test_a_living_form_was_not_sent_in_whatever_its_version(anna, clinician, monkeypatch, tmp_path, version):
    known = ask_also(monkeypatch, tmp_path)
    found = anna.ehr.read("QuestionnaireResponse", sent(anna)).resource
    row = {"linkId": "garden-plants", "item": [{"linkId": "garden-plant", "answer": [{"valueString": "Munt"}]}]}
    written = {**found, "questionnaire": f"{known.living['garden'].url}|{version}", "item": [row, row]}
    anna.ehr.write(Write("update", {**written, "id": "garden", "identifier": {"system": "x", "value": "garden"}}))
    for reader in (anna, clinician):
        assert "answers/garden/" not in reader.get("answers/").text
        assert f"answers/{found['id']}/" in reader.get("answers/").text
        assert reader.get("answers/garden/").status_code == 404


def test_somebody_elses_answers_are_not_there(app, anna):
    assert launched(app, patient="bram", name="Bram").get(f"answers/{sent(anna)}/").status_code == 404


def test_an_answer_is_marked_once_taken_back_and_marked_again(anna):
    where = f"answers/{sent(anna)}"
    anna.post(f"{where}/talk", {"mark": "hoop-04"})
    anna.post(f"{where}/talk", {"mark": "hoop-04"})
    [task] = tasks(anna)
    point = talking_point_of(task)
    assert (point.answer.link_id, point.waiting) == ("hoop-04", True)
    assert task["description"].endswith(": Mee eens")
    assert "Hier wil je over praten" in text_of(anna.get(f"{where}/"))
    anna.post(f"{where}/talk", {"unmark": "hoop-04"})
    assert [one["status"] for one in tasks(anna)] == ["cancelled"]
    assert "Hier wil je over praten" not in text_of(anna.get(f"{where}/"))
    anna.post(f"{where}/talk", {"mark": "hoop-04"})
    assert [one["status"] for one in tasks(anna)] == ["requested"]


def test_the_care_team_sees_marks_and_makes_none(anna, clinician):
    anna.post(f"answers/{sent(anna)}/talk", {"mark": "hoop-04"})
    page = clinician.get(f"answers/{sent(anna)}/")
    assert "Hier wil de cliënt over praten" in text_of(page)
    assert 'name="mark"' not in page.text
    assert clinician.post(f"answers/{sent(anna)}/talk", {"mark": "hoop-05"}).status_code == 403
    assert len(tasks(anna)) == 1


def test_a_mark_waits_for_a_record_that_is_away(anna):
    flaky = anna.make_flaky()
    where = f"answers/{sent(anna)}"
    flaky.error = Unreachable("away")
    assert anna.post(f"{where}/talk", {"mark": "hoop-04"}).status_code == 303
    assert "Hier wil je over praten" in text_of(anna.get(f"{where}/"))
    flaky.error = None
    anna.courier_comes()
    assert len(flaky.store.search(Query.of("Task", patient="Patient/anna"))) == 1


@pytest.mark.parametrize("link_id", ["hoop-99", "", "../x"])
def test_what_was_not_answered_cannot_be_marked(anna, link_id):
    assert anna.post(f"answers/{sent(anna)}/talk", {"mark": link_id}).status_code == 404


def test_an_answer_becomes_a_goal_that_knows_where_it_came_from(anna):
    page = anna.get(f"plan/goals/new/from/{sent(anna)}/hoop-04")
    words = re.search(r'<textarea id="text"[^>]*>\s*([^<]+)</textarea>', page.text)[1]
    key = re.search(r'name="key" value="([^"]+)"', page.text)[1]
    form = {"text": f"{words} Ook op zondag.", "domain": "social", "due": "", "key": key}
    seen = dict(re.findall(r'name="(seen-\w+)" value="([^"]*)"', page.text))
    domain = re.search(r'name="domain" value="([^"]+)"', page.text)[1]
    assert anna.post(f"plan/goals/new/from/{sent(anna)}/hoop-04", {**form, **seen, "domain": domain}).status_code == 303
    [goal] = [one.resource for one in anna.ehr.search(Query.of("Goal", patient="Patient/anna"))]
    assert goal_of(goal).text == f"{words} Ook op zondag."
    answer = said_in(goal)
    assert (answer.link_id, answer.reference) == ("hoop-04", f"QuestionnaireResponse/{sent(anna)}")
    # The plan had no areas yet: it has the one that was chosen here.
    assert domain in anna.get("plan/").text
    after = anna.get(f"answers/{sent(anna)}/hoop-04")
    step = re.search(r'href="([^"]*/steps/new/from/[^"]*)"', after.text)[1]
    page = anna.get(step)
    fields = {
        **dict(re.findall(r'name="(seen-\w+|key)" value="([^"]*)"', page.text)),
        "text": "Oma bellen",
        "who": "Ik",
    }
    assert anna.post(step, fields).status_code == 303
    [task] = [one for one in tasks(anna) if one["description"] == "Oma bellen"]
    assert said_in(task).link_id == "hoop-04"
    # The way back and forth is there to see: from the answer to what came of it, and from the goal to the answer.
    page = anna.get(f"answers/{sent(anna)}/hoop-04").text
    assert "In je plan, uit dit antwoord" in page
    assert "Oma bellen" in page
    there = re.search(r"In je plan, uit dit antwoord.*?href=\"([^\"]*)\"", page, re.DOTALL)[1]
    back = re.search(r'href="([^"]*)">Het begon met je antwoord', anna.get(there).text)[1]
    assert back.endswith("/hoop-04")
    assert anna.get(back).status_code == 200
    assert "In je plan, uit dit antwoord" not in anna.get(f"answers/{sent(anna)}/hoop-05").text


def test_a_goal_from_somebody_elses_answer_is_not_there(app, anna):
    other = launched(app, patient="bram", name="Bram")
    assert other.get(f"plan/goals/new/from/{sent(anna)}/hoop-04").status_code == 404


@pytest.mark.parametrize(("instrument", "scored"), [("hoop", True), ("mansa-short", False)])
def test_only_a_questionnaire_with_scores_says_that_they_change_too(app, instrument, scored):
    visitor = launched(app)
    measure(visitor, instrument, "2026-11-20", "3")
    page = text_of(visitor.get(f"answers/{sent(visitor, instrument=instrument)}/"))
    assert "Je kunt het nog verbeteren." in page
    assert ("Je scores veranderen dan mee." in page) is scored


def test_the_list_says_to_the_client_alone_who_reads_the_answers(app, anna, clinician):
    measure(anna, "nel", "2026-11-21", "3")
    assert re.search("Dit lezen: behandelaar, [^<]* Verander wie dit leest", text_of(anna.get("answers/")))
    assert "Verander wie dit leest" not in text_of(clinician.get("answers/"))
    share(app, answers__nel=ME)
    assert "Wie dit leest, verschilt per deel." in text_of(anna.get("answers/"))
    share(app, answers__nel=ME, answers__hoop=ME)
    assert "In Verstel lees alleen jij dit." in text_of(anna.get("answers/"))
