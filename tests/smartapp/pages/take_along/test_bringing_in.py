"""A file of another place: seen first, taken over at a yes, once, about this person, and over nobody's words."""

from __future__ import annotations

import io
import json
import zlib

import pytest

from mappers.course import asked_for, course_of, is_course, resumed, task_changes
from mappers.living import content_of
from mappers.plan import DomainAnswers, Goal, Plan
from mappers.portable.shapes import MOST_BYTES
from mappers.reuse import PROFILE, Reuse
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Unreachable
from smartapp.pages.sharing.reuse import digest_of
from smartapp.settings import Issuer
from smartapp.storage.drafts import DRAFTS
from smartapp.web.guard import MAX_FILE_BYTES
from smartapp.web.typed import digest
from tests.smartapp.helpers import launched, make_app, text_of
from tests.smartapp.pages.plan.conftest import URN, put
from tests.smartapp.pages.take_along.people import (
    BORN,
    NOTE,
    PHASE_WORDS,
    SIGN,
    START,
    STORY,
    TYPIST,
    signs,
    story,
    with_everything,
    write,
)

OTHER = "https://other.example/fhir"
TYPES = ("CarePlan", "Goal", "Task", "QuestionnaireResponse", "Observation")


@pytest.fixture(scope="module")
def files():
    """What Anna took along at another place: the PDF, and the bare file."""
    other = Issuer(base=OTHER, name="Another EHR", client_id="verstel")
    anna = with_everything(make_app(issuers=(other,)), OTHER)
    return anna.get("take-along/all.pdf").data, anna.get("take-along/all.json").data


@pytest.fixture
def bundle(files):
    return json.loads(files[1])


@pytest.fixture
def anna(app):
    """Anna at the new place, where she is called otherwise, and has nothing yet."""
    return launched(app, "p-7", name="Anna Voorbeeld", birth_date=BORN)


def hand_in(visitor, content: bytes, name: str = "mine.pdf"):
    form = {"file": (io.BytesIO(content), name)}
    answer = visitor.post("take-along/bring-in", form, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()  # of a large form that is a file
    return answer


def as_bytes(bundle) -> bytes:
    return json.dumps(bundle).encode()


def say_yes(visitor, **choices: str):
    page = visitor.get("take-along/bring-in/look").text
    mark = page.partition('name="seen" value="')[2].partition('"')[0]
    chosen = {f"choice-{part.replace('__', '.')}": value for part, value in choices.items()}
    return visitor.post("take-along/bring-in/take-over", {"seen": mark, **chosen})


def kept(visitor, *types: str):
    found = visitor.records.search(*(Query.of(type_, patient=visitor.launch.patient_id) for type_ in types or TYPES))
    return [one.resource for part in found for one in part]


def contents(visitor):
    """What a file of somebody holds, but for who they are there, and who made it where and when."""
    bundle = json.loads(visitor.get("take-along/all.json").data)
    [person] = [one["fullUrl"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Patient"]
    entries = json.loads(json.dumps(bundle["entry"]).replace(person, "urn:the-person"))
    return [one for one in entries if one["resource"]["resourceType"] not in ("Patient", "Provenance")]


# --- what should be ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [0, 1])
def test_it_is_shown_first_and_nothing_is_written_before_a_yes(anna, files, which):
    assert hand_in(anna, files[which]).status_code == 303
    page = text_of(anna.get("take-along/bring-in/look"))
    for said in ("Anna Voorbeeld", "14 maart 1992", "1 plan", "2 doelen", "Er wordt nog niets overgenomen."):
        assert said in page
    assert kept(anna) == []


def test_what_goes_out_of_one_place_goes_out_of_the_next_the_same(anna, files):
    hand_in(anna, files[0])
    assert say_yes(anna).status_code == 303
    first = json.loads(files[1])
    [person] = [one["fullUrl"] for one in first["entry"] if one["resource"]["resourceType"] == "Patient"]
    entries = json.loads(json.dumps(first["entry"]).replace(person, "urn:the-person"))
    expected = [one for one in entries if one["resource"]["resourceType"] not in ("Patient", "Provenance")]
    assert contents(anna) == expected


def test_what_is_taken_over_is_on_the_pages_of_the_new_place(anna, files):
    hand_in(anna, files[0])
    say_yes(anna)
    assert "Weer leren zwemmen" in anna.get("plan/").text
    assert STORY in anna.get("living/story/").text
    assert SIGN in anna.get("living/staying-well/").text
    assert NOTE in anna.get("scores/hoop/").text
    assert PHASE_WORDS in anna.get("phase/").text
    assert "Hoop (HOOP)" in anna.get("answers/").text


def test_all_of_it_is_about_the_person_of_this_launch_and_nobody_of_this_ehr_wrote_it(anna, files):
    hand_in(anna, files[0])
    say_yes(anna)
    said = json.dumps(kept(anna))
    assert "Patient/anna" not in said
    assert "Practitioner/" not in said
    response = next(one for one in kept(anna, "QuestionnaireResponse") if "story" in one["questionnaire"])
    assert response["author"] == {"type": "Practitioner", "display": TYPIST}
    assert response["source"]["reference"] == "Patient/p-7"


def test_a_programme_comes_over_with_what_it_asks_and_goes_on_there(anna, files):
    hand_in(anna, files[1])
    say_yes(anna)
    [stored] = [one for one in kept(anna, "CarePlan") if is_course(one)]
    here = course_of(stored)
    assert (here.status, here.paused_since, len(here.planned)) == ("on-hold", START, 3)
    tasks = [task for _moment, task in asked_for(here, kept(anna, "Task"))]
    assert len(tasks) == 12
    assert {task["basedOn"][0]["reference"] for task in tasks} == {f"CarePlan/{stored['id']}"}
    going_on = resumed(here, START, {"reference": "Patient/p-7", "display": "Anna"})
    assert {task["status"] for task in task_changes(going_on, tasks)} == {"requested"}


def test_taken_over_twice_it_is_there_once(anna, files):
    for _time in range(2):
        hand_in(anna, files[0])
        say_yes(anna)
    once = kept(anna)
    assert [is_course(one) for one in once if one["resourceType"] == "CarePlan"].count(True) == 1
    assert [is_course(one) for one in once if one["resourceType"] == "CarePlan"].count(False) == 1
    hand_in(anna, files[0])
    page = text_of(anna.get("take-along/bring-in/look"))
    assert "Niets nieuws." in page
    say_yes(anna)
    assert kept(anna) == once


def test_a_file_of_this_very_place_changes_nothing(app):
    anna = with_everything(app)
    before = kept(anna)
    hand_in(anna, anna.get("take-along/all.pdf").data)
    assert "Niets nieuws." in text_of(anna.get("take-along/bring-in/look"))
    assert kept(anna) == before


def test_put_away_it_is_gone(anna, files):
    hand_in(anna, files[1])
    anna.post("take-along/bring-in/put-away")
    assert anna.get("take-along/bring-in/look").status_code == 303
    assert kept(anna) == []
    with anna.core.engine.connect() as connection:
        assert connection.execute(DRAFTS.select()).all() == []


def test_nobody_else_sees_what_was_handed_in(app, anna, files):
    hand_in(anna, files[1])
    other = launched(app, "bert", name="Anna Voorbeeld", birth_date=BORN)
    assert other.get("take-along/bring-in/look").status_code == 303
    assert launched(app, "p-7", role="clinician").get("take-along/bring-in/look").status_code == 403


# --- words that are here stay ---------------------------------------------------------------------------------------


def text_of_story(visitor) -> str:
    form = catalogue().living["story"]
    found = [one for one in kept(visitor, "QuestionnaireResponse") if one["questionnaire"].startswith(form.url)]
    [response] = found
    return content_of(response, form).of("story-story")


@pytest.fixture
def writer(app):
    """Anna at the new place, where she wrote a story and a sign already."""
    visitor = launched(app, birth_date=BORN)
    write(visitor, story("Hier begon ik opnieuw."))
    write(visitor, signs("Ik bel niet meer terug."))
    return visitor


@pytest.mark.parametrize(
    ("choice", "after"),
    [
        ("mine", "Hier begon ik opnieuw."),
        ("theirs", STORY),
        ("both", f"Hier begon ik opnieuw.\n\n{STORY}"),
    ],
)
def test_of_words_that_are_here_and_in_the_file_the_person_chooses(writer, files, choice, after):
    hand_in(writer, files[0])
    page = writer.get("take-along/bring-in/look").text
    assert "Hier begon ik opnieuw." in page
    assert STORY in page
    assert say_yes(writer, form__story=choice).status_code == 303
    assert text_of_story(writer) == after


def test_without_a_choice_what_is_here_stays(writer, files):
    hand_in(writer, files[0])
    say_yes(writer)
    assert text_of_story(writer) == "Hier begon ik opnieuw."
    assert "Weer leren zwemmen" in writer.get("plan/").text


def test_rows_of_both_stand_below_each_other(writer, files):
    hand_in(writer, files[0])
    say_yes(writer, **{"form__staying-well": "both"})
    page = writer.get("living/staying-well/").text
    assert "Ik bel niet meer terug." in page
    assert SIGN in page


def test_goals_and_areas_of_a_plan_that_is_here_stay_beside_those_of_the_file(app, files):
    visitor = launched(app, "anna", birth_date=BORN)
    mine = Goal(f"{URN}7", "Een fiets", "housing")
    put(visitor.ehr, Plan(id=f"{URN}8", domains=(DomainAnswers("housing", now="Nu hier."),), goals=(mine,)))
    hand_in(visitor, files[0])
    page = text_of(visitor.get("take-along/bring-in/look"))
    assert "Nu hier." in page
    assert "Ik woon fijn." in page
    assert say_yes(visitor, domain__housing="both").status_code == 303
    said = visitor.get("plan/").text + visitor.get("plan/domains/housing/").text
    for words in ("Een fiets", "Weer leren zwemmen", "Nu hier.", "Ik woon fijn."):
        assert words in said
    assert len([one for one in kept(visitor, "CarePlan") if one["status"] == "active"]) == 1


def test_what_changed_meanwhile_is_shown_again(writer, files):
    hand_in(writer, files[0])
    page = writer.get("take-along/bring-in/look").text
    mark = page.partition('name="seen" value="')[2].partition('"')[0]
    writer.post(
        "living/story/story/",
        {"story-story": "En nu weer anders.", "seen-story-story": digest("Hier begon ik opnieuw.")},
    )
    answer = writer.post("take-along/bring-in/take-over", {"seen": mark, "choice-form.story": "theirs"})
    assert answer.status_code == 409
    assert "En nu weer anders." in answer.text
    assert text_of_story(writer) == "En nu weer anders."


def test_a_record_that_is_away_takes_nothing_and_says_so(anna, files):
    hand_in(anna, files[1])
    page = anna.get("take-along/bring-in/look").text
    mark = page.partition('name="seen" value="')[2].partition('"')[0]
    anna.make_flaky().error = Unreachable("away")
    answer = anna.post("take-along/bring-in/take-over", {"seen": mark})
    assert "bewaard" not in text_of(answer) or "nog niet bewaard" in text_of(answer)
    followed = anna.get("")
    assert "onderweg" in text_of(followed) or answer.status_code >= 400


# --- what should not be ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "birth_date"),
    [("Bert Voorbeeld", BORN), ("Anna Voorbeeld", "1992-03-15"), ("Anna Voorbeeld", "1993"), ("", BORN)],
)
def test_a_file_of_another_person_is_refused(app, files, name, birth_date):
    other = launched(app, "p-8", name=name, birth_date=birth_date)
    answer = hand_in(other, files[0])
    assert answer.status_code == 422
    assert "Dit bestand is van iemand anders" in text_of(answer)
    assert other.get("take-along/bring-in/look").status_code == 303


def test_a_file_of_another_id_at_the_same_ehr_is_refused_whatever_name_it_has(app):
    content = with_everything(app).get("take-along/all.json").data
    assert hand_in(launched(app, "p-8", birth_date=BORN), content).status_code == 422


def tampered(bundle, change) -> bytes:
    made = json.loads(json.dumps(bundle))
    change(made)
    return as_bytes(made)


def goals_in(bundle):
    return [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Goal"]


def entry(resource):
    return {"fullUrl": "urn:uuid:99999999-0000-4000-8000-000000000000", "resource": resource}


FOREIGN = {
    "another subject": lambda made: goals_in(made)[1].update(subject={"reference": "Patient/bert"}),
    "a subject in full": lambda made: goals_in(made)[1].update(
        subject={"reference": "https://ehr.example/Patient/bert"}
    ),
    "no subject": lambda made: goals_in(made)[1].pop("subject"),
    "somebody else beside her": lambda made: goals_in(made)[1].update(expressedBy={"reference": "Patient/bert"}),
    "a type of ours that no file has": lambda made: goals_in(made)[1].update(resourceType="AuditEvent"),
    "a type that is none": lambda made: goals_in(made)[1].update(resourceType="<script>"),
    "a number for words": lambda made: goals_in(made)[1].update(description={"text": 7}),
    "a wrong status": lambda made: goals_in(made)[1].update(lifecycleStatus=["active"]),
    "something within it": lambda made: goals_in(made)[1].update(contained=[{"resourceType": "Patient", "id": "x"}]),
    "what changes its meaning": lambda made: goals_in(made)[1].update(modifierExtension=[{"url": "x:y"}]),
    "no name": lambda made: goals_in(made)[1].pop("identifier"),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_does_not_belong_in_it_is_left_out_and_the_page_says_so(anna, bundle, what):
    words = goals_in(bundle)[1]["description"]["text"]
    answer = hand_in(anna, tampered(bundle, FOREIGN[what]))
    assert answer.status_code == 303
    assert "Dit blijft erbuiten:" in text_of(anna.get("take-along/bring-in/look"))
    assert say_yes(anna).status_code == 303
    assert [one["description"]["text"] for one in kept(anna, "Goal")] == [
        one["description"]["text"] for one in goals_in(bundle) if one["description"]["text"] != words
    ]
    everything = [one.resource for type_ in TYPES for one in anna.ehr.search(Query.of(type_))]
    assert "bert" not in json.dumps(everything)


def test_scripts_in_a_narrative_are_left_behind(anna, bundle):
    def change(made):
        goals_in(made)[0]["text"]["div"] = '<div xmlns="http://www.w3.org/1999/xhtml"><p onclick="x()">a</p></div>'
        goals_in(made)[1]["text"]["div"] = '<div xmlns="http://www.w3.org/1999/xhtml"><script>x()</script></div>'

    hand_in(anna, tampered(bundle, change))
    say_yes(anna)
    assert all("text" not in one for one in kept(anna, "Goal"))


def test_who_may_see_what_is_decided_here_and_not_in_a_file(anna, bundle):
    def change(made):
        url = next(one["fullUrl"] for one in made["entry"] if one["resource"]["resourceType"] == "Patient")
        made["entry"].append(entry({"resourceType": "Consent", "status": "active", "patient": {"reference": url}}))

    hand_in(anna, tampered(bundle, change))
    assert "Dat bepaal je hier." in text_of(anna.get("take-along/bring-in/look"))
    say_yes(anna)
    assert kept(anna, "Consent") == []


def test_a_yes_to_reuse_is_in_the_file_and_is_to_one_place(anna):
    there = launched(make_app(issuers=(Issuer(base=OTHER, name="Another EHR", client_id="verstel"),)),
                     name="Anna Voorbeeld", birth_date=BORN, issuer=OTHER)  # fmt: skip
    write(there, story())
    said = "1 keuze of antwoorden mogen helpen bij onderzoek"
    assert said not in text_of(there.get("take-along/"))
    there.post("sharing/reuse/", {"purpose": ["HRESCH"], "seen": digest_of(Reuse())})
    assert said in text_of(there.get("take-along/"))
    file = there.get("take-along/all.json").data
    [consent] = [one["resource"] for one in json.loads(file)["entry"] if one["resource"]["resourceType"] == "Consent"]
    assert consent["meta"]["profile"] == [PROFILE]
    assert [one["purpose"][0]["code"] for one in consent["provision"]["provision"]] == ["HRESCH"]
    hand_in(anna, file)
    assert "Dat bepaal je hier." in text_of(anna.get("take-along/bring-in/look"))
    say_yes(anna)
    assert STORY in anna.get("living/story/").text
    assert kept(anna, "Consent") == []
    assert "Nu staat het uit" in text_of(anna.get("sharing/reuse/"))


def test_a_name_that_is_somebody_else_s_here_meets_nothing_of_theirs(app, anna, bundle):
    """The names of a plan and of a form follow from the person, so who wants to can guess those of another."""
    bert = launched(app, "bert", name="Bert", birth_date="1980-01-01")
    write_as(bert, "Van Bert alleen.")
    [theirs] = kept(bert, "QuestionnaireResponse")

    def change(made):
        for one in made["entry"]:
            if "story" in one["resource"].get("questionnaire", ""):
                one["resource"]["identifier"] = theirs["identifier"]

    hand_in(anna, tampered(bundle, change))
    assert "Van Bert alleen." not in anna.get("take-along/bring-in/look").text
    say_yes(anna)
    assert kept(bert, "QuestionnaireResponse") == [theirs]
    assert text_of_story(anna) == STORY


def write_as(visitor, words: str) -> None:
    visitor.post("living/story/story/", {"story-story": words, "seen-story-story": digest("")})


def deep() -> bytes:
    return b'{"resourceType": "Bundle", "type": "collection", "entry": ' + b"[" * 900 + b"]" * 900 + b"}"


def bomb() -> bytes:
    packed = zlib.compress(b"{" + b" " * (MOST_BYTES + 10), 9)
    head = b"%PDF-1.7\n1 0 obj\n<</Type/EmbeddedFile/Filter/FlateDecode/Length 9>>\nstream\n"
    return head + packed + b"\nendstream\nendobj"


NOT_A_FILE = {
    "nothing": b"",
    "no JSON": b"hello",
    "half of one": b'{"resourceType": "Bundle"',
    "another resource": b'{"resourceType": "Patient"}',
    "a list": b"[]",
    "a transaction": b'{"resourceType": "Bundle", "type": "transaction", "entry": []}',
    "nobody": b'{"resourceType": "Bundle", "type": "collection", "entry": []}',
    "wrong types": b'{"resourceType": "Bundle", "type": "collection", "entry": {"resource": 7}}',
    "deep": deep(),
    "large": b" " * (MOST_BYTES + 1),
    "a PDF without one": b"%PDF-1.7\nnothing",
    "a PDF that unpacks without end": bomb(),
}


@pytest.mark.parametrize("what", NOT_A_FILE)
def test_what_is_no_file_is_refused_in_plain_words(anna, what):
    answer = hand_in(anna, NOT_A_FILE[what])
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert anna.get("take-along/bring-in/look").status_code == 303


def test_two_people_in_one_file_are_refused(anna, bundle):
    def change(made):
        made["entry"].append(entry({"resourceType": "Patient", "name": [{"text": "Bert"}]}))

    assert hand_in(anna, tampered(bundle, change)).status_code == 422


def test_more_than_a_file_may_be_is_not_read(anna):
    assert hand_in(anna, b" " * (MAX_FILE_BYTES + 1)).status_code == 413


def test_another_form_stays_as_small_as_it_was(anna):
    assert anna.post("take-along/bring-in/put-away", {"note": "x" * 600_000}).status_code == 413
