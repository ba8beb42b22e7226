"""Who leaves takes their file, reads what stays elsewhere, and leaves nothing readable behind."""

from __future__ import annotations

import contextlib
import io
import zlib

import pytest
import sqlalchemy as sa

from smartapp.fhir.store import Query, Unreachable, Write
from smartapp.storage.database import metadata
from smartapp.storage.health_links import About, new_secret
from smartapp.storage.reminders import Choice
from smartapp.storage.vault import SealBroken
from tests.smartapp.helpers import Visitor, launched, make_app, text_of
from tests.smartapp.pages.plan.pages import fields_of, fill
from tests.smartapp.pages.take_along.people import BORN, observations, with_everything

WORD = "kanariegeel"
OWN = "openid fhirUser patient/Patient.r patient/Observation.cruds"
"""With these the EHR takes scores and notes; a plan and what is written in forms stay with us."""


def sure(visitor: Visitor) -> dict[str, str]:
    """Return what the last page sends with a yes."""
    return fields_of(visitor.get("take-along/leave/sure"))


def say_yes(visitor: Visitor):
    return visitor.post("take-along/leave/sure", sure(visitor))


def opened(visitor: Visitor, value: object) -> str:
    """Return all that somebody with the keys can read of a value in the database."""
    if not isinstance(value, bytes):
        return str(value)
    try:
        value = visitor.core.vault.open_bytes(value)
    except SealBroken:
        return value.decode("latin-1")
    with contextlib.suppress(zlib.error):
        value = zlib.decompress(value)
    return value.decode("utf-8", "replace")


def tables_with(visitor: Visitor, word: str) -> set[str]:
    """Return the tables in which somebody with the database and its keys finds a word."""
    with visitor.core.engine.connect() as connection:
        return {
            table.name
            for table in metadata.sorted_tables
            for row in connection.execute(sa.select(table))
            if any(word in opened(visitor, value) for value in row)
        }


def write_everywhere(anna: Visitor, app) -> None:
    """Type one word into every kind of thing that is kept about somebody."""
    fill(anna, "living/story/story/", story_story=f"Mijn verhaal is {WORD}.")
    fill(anna, "living/wishes/list/new", wishes_wish=f"Een tuin, {WORD}")
    fill(anna, "plan/domains", domains="housing")
    fill(anna, "plan/domains/housing/now", now=f"Ik woon {WORD}.")
    typed = {**fields_of(anna.get("living/story/story/")), "story-story": f"Half een zin, {WORD}"}
    anna.post("living/story/story/", typed, headers={"Accept": "application/json"})  # a sketch
    anna.records.drafts.change("hoop", lambda _none: {"words": WORD})
    # What was sent while a session had ended, and a file that was handed in.
    words = anna.core.kept_words
    owner = words.owner(anna.launch.issuer_key, anna.launch.patient_id, anna.launch.user.subject)
    words.keep(owner, "living/story/story/", [("story-story", WORD)])
    content = anna.get("take-along/all.json").data
    form = {"file": (io.BytesIO(content), "mine.json")}
    anna.post("take-along/bring-in", form, content_type="multipart/form-data")
    # Typed by a professional: waiting for her yes, and begun and not saved.
    joost = launched(app, role="clinician", scopes=OWN)
    joost.core.handed_over_to(joost.launch.issuer_key, "Patient/anna").change("handed-1", lambda _none: {"text": WORD})
    joost.core.sketches(joost.launch).change("x", lambda _none: {"note": WORD})
    joost.core.audit.record(joost.launch, "launch")
    # What one page tells the next, a link to what she shared, and what waits to be sent.
    for one in (anna, joost):
        one.core.sessions.keep_data(one.launch.session_id, one.core.vault.seal({"undo": WORD}))
    links, about = anna.core.health_links, About("plan", f"Mijn plan, {WORD}", anna.launch.issuer, "Patient/anna")
    person = links.person(anna.launch.issuer_key, "Patient/anna")
    links.make(person, about, asked="Patient/anna", secret=new_secret(), content=WORD, until=2**31)
    choice = Choice(address=f"{WORD}@example.org", issuer=anna.launch.issuer, patient="Patient/anna")
    anna.core.reminders.choose(anna.launch.issuer_key, choice)
    flaky = anna.make_flaky()
    flaky.error = Unreachable("away")
    note, _marking = observations()
    anna.records.save([Write("create", {**note, "valueString": f"Dit zegt {WORD}"})])
    anna.core.local_ehrs[anna.launch.issuer] = flaky.store


@pytest.fixture
def anna(app):
    """Anna, of whom most is kept with us."""
    return launched(app, birth_date=BORN, scopes=OWN)


def test_afterwards_nothing_readable_is_left_in_any_table(app, anna):
    write_everywhere(anna, app)
    before = tables_with(anna, WORD)
    assert before >= {
        *("drafts", "health_links", "kept_words", "outbox", "reminders", "resource_versions", "sessions"),
    }
    assert say_yes(anna).status_code == 303
    assert tables_with(anna, WORD) == set()


def test_what_is_of_somebody_else_stays(app, anna):
    bert = launched(app, "bert", name="Bert", scopes=OWN)
    fill(bert, "living/story/story/", story_story="Van Bert.")
    fill(anna, "living/story/story/", story_story=f"Mijn verhaal is {WORD}.")
    say_yes(anna)
    assert "Van Bert." in bert.get("living/story/").text


def test_she_is_signed_out_and_so_is_who_had_her_place_open(app, anna):
    joost = launched(app, role="clinician", scopes=OWN)
    answer = say_yes(anna)
    assert answer.location.endswith("/goodbye")
    assert anna.get("").status_code == 404
    assert joost.get("overview/").status_code == 404
    assert [one.launch for one in [joost] if joost.core.launches.get(one.launch.id)] == []


def test_the_page_names_what_stays_in_the_record_and_what_goes():
    anna = with_everything(make_app())
    anna.core.own_store(anna.launch.issuer).write(
        Write("create", {**observations()[1], "identifier": [{"system": "x:y", "value": "own"}]})
    )
    page = text_of(anna.get("take-along/leave/sure"))
    goes, _title, stays = page.partition("Dit blijft")
    assert "1 score of notitie" in goes
    for said in (
        "In het dossier van je zorgverlener:",
        "1 plan",
        "2 doelen",
        "De lijst van wie keek",
        "Reservekopieën",
    ):
        assert said in stays


def test_what_is_at_the_ehr_and_the_log_stay(anna):
    note, _marking = observations()
    anna.ehr.write(Write("create", note))
    anna.core.audit.record(anna.launch, "launch")
    rows = len(list(anna.core.audit.entries()))
    say_yes(anna)
    assert len(anna.ehr.search(Query.of("Observation"))) == 1
    assert len(list(anna.core.audit.entries())) == rows + 1
    assert anna.logged().reason == "left"


def test_a_yes_to_another_page_deletes_nothing(anna):
    fill(anna, "living/story/story/", story_story="Eerst dit.")
    said = sure(anna)
    fill(anna, "living/wishes/list/new", wishes_wish="En nog dit.")
    assert anna.post("take-along/leave/sure", said).location.endswith("/take-along/leave/sure")
    assert "Eerst dit." in anna.get("living/story/").text


def test_she_can_come_back_with_her_file(app, anna):
    fill(anna, "living/story/story/", story_story=f"Mijn verhaal is {WORD}.")
    fill(anna, "plan/domains", domains="housing")
    fill(anna, "plan/domains/housing/now", now="Ik woon fijn.")
    content = anna.get("take-along/all.pdf").data
    say_yes(anna)
    again = launched(app, birth_date=BORN, scopes=OWN)
    assert WORD not in again.get("living/story/").text
    again.post("take-along/bring-in", {"file": (io.BytesIO(content), "mine.pdf")}, content_type="multipart/form-data")
    again.post("take-along/bring-in/take-over", fields_of(again.get("take-along/bring-in/look")))
    assert WORD in again.get("living/story/").text
    assert "Ik woon fijn." in again.get("plan/domains/housing/").text


def test_nobody_else_can_leave_for_her(app):
    joost = launched(app, role="clinician")
    assert joost.get("take-along/leave/sure").status_code == 403
    assert joost.post("take-along/leave/sure").status_code == 403


def test_leaving_begins_with_the_file(anna):
    page = anna.get("take-along/leave").text
    assert page.index("take-along/all.pdf") < page.index("take-along/leave/sure")
    assert 'href="' + anna.url("take-along/leave") in anna.get("take-along/").text
