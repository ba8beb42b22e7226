"""Who looked: everybody else who opened a record or wanted to, in plain words, on the page and on paper."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from mappers.audit import AuditEntry
from mappers.plan import resources_of
from mappers.sharing import Hidden
from questionnaires.canonical import questionnaire_url
from questionnaires.catalogue import catalogue
from smartapp.access import table
from smartapp.pages.home import looked
from smartapp.pages.home.looked import accesses_of, line_of
from smartapp.records.sight import Sight
from tests.smartapp.helpers import Visitor, launched, make_app, text_of
from tests.smartapp.pages.plan.conftest import ANNA, HALFWAY, put
from tests.smartapp.pages.plan.pages import fill
from tests.smartapp.pages.plan.pdf_text import sheets_in
from tests.smartapp.pages.scores.people import measure


@pytest.fixture
def anna(app) -> Visitor:
    return launched(app)


@pytest.fixture
def clock() -> list[float]:
    return [1_800_000_000.0]


@pytest.fixture
def clocked(clock):
    return make_app(clock=lambda: clock[0])


def paper_text(visitor: Visitor) -> str:
    return " ".join(sheets_in(visitor.get("who-looked/who-looked.pdf").data))


ENTRY = AuditEntry(
    recorded=int(dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC).timestamp()),
    event="read",
    outcome="0",
    reason="",
    issuer="",
    user="Practitioner/jansen",
    user_name="SPV J. Jansen",
    role="clinician",
    subject="",
    patient="Patient/anna",
    address="",
    objects=("Goal/1",),
)
ZONE = ZoneInfo("Europe/Amsterdam")


def test_somebody_who_looked_ten_times_in_a_day_is_one_line_with_the_last_time():
    looks = accesses_of([replace(ENTRY, recorded=ENTRY.recorded + 60 * number) for number in range(10)], ZONE)
    assert [(look.name, look.last.strftime("%H:%M")) for look in looks] == [("SPV J. Jansen", "10:39")]


def test_two_people_with_one_name_are_two():
    looks = accesses_of([ENTRY, replace(ENTRY, user="Practitioner/2")], ZONE)
    assert len(looks) == 2


def test_what_a_row_of_before_tells_is_said_by_page_and_by_what_was_on_it():
    entries = [replace(ENTRY, objects=("overview.index", "Observation/1")), replace(ENTRY, objects=("plan.goal",))]
    [look] = accesses_of(entries, ZONE)
    assert line_of(look).said[1] == "Gezien: het overzicht, je plan en “Je scores”."


def test_parts_are_said_in_one_order_by_the_names_of_the_pages():
    """On paper all of them; on the page the first two, and all when they are unfolded."""
    parts = ("scores", "answers.hoop", "domain.housing", "form.staying-well", "form.story", "plan", "overview")
    [look] = accesses_of([replace(ENTRY, parts=parts[:4]), replace(ENTRY, parts=parts[3:])], ZONE)
    assert line_of(look, whole=True).said[1] == (
        "Gezien: het overzicht, je plan, “Mijn verhaal”, “Mijn plan voor goede en moeilijke dagen”, het gebied "
        "“Wonen”, je antwoorden op “Hoop (HOOP)” en “Je scores”."
    )
    assert line_of(look, whole=True).seen == ()
    line = line_of(look)
    assert line.said[1] == "Gezien: het overzicht, je plan, en nog 5 delen."
    assert (len(line.seen), line.seen[2], line.seen[-1]) == (7, "“Mijn verhaal”", "“Je scores”")


def test_as_many_parts_as_fit_a_sentence_are_all_named_there():
    [look] = accesses_of([replace(ENTRY, parts=("overview", "plan", "form.story", "scores"))], ZONE)
    line = line_of(look)
    assert line.said[1] == "Gezien: het overzicht, je plan, “Mijn verhaal” en “Je scores”."
    assert line.seen == ()


def test_a_part_that_is_no_part_any_more_is_not_named():
    [look] = accesses_of([replace(ENTRY, parts=("form.former", "x"))], ZONE)
    assert line_of(look).said == ("Heeft meegelezen.", "Waarom: voor je behandeling.")


@pytest.mark.parametrize(
    ("role", "called", "why"),
    [
        ("clinician", "behandelaar", "Waarom: voor je behandeling."),
        ("responsible", "regiebehandelaar", "Waarom: voor je behandeling."),
        ("case-manager", "casemanager", "Waarom: voor je behandeling."),
        ("peer-worker", "ervaringsdeskundige", "Waarom: voor je behandeling."),
        ("outside", "zorgverlener buiten het team", "Waarom: voor je behandeling."),
        ("loved-one", "naaste", "Waarom: je laat deze persoon meekijken."),
        ("representative", "wettelijk vertegenwoordiger", "Waarom: als je wettelijk vertegenwoordiger."),
        ("guest", "iemand met een andere rol", None),
    ],
)
def test_each_role_has_its_name_and_what_it_looked_for(role, called, why):
    [look] = accesses_of([replace(ENTRY, role=role)], ZONE)
    line = line_of(look)
    assert (line.role, line.said[-1] if why else None) == (called, why)


def test_somebody_with_two_roles_on_a_day_is_two():
    looks = accesses_of([ENTRY, replace(ENTRY, role="peer-worker")], ZONE)
    assert {look.role for look in looks} == {"clinician", "peer-worker"}


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("role", "Wilde iets bekijken, en mocht dat niet."),
        ("guest", "Wilde iets bekijken, en mocht dat niet."),
        ("ehr-forbids", "Wilde iets bekijken, en mocht dat niet."),
        ("no-such-record", "Vroeg om iets dat hier niet te vinden was."),
        ("NotFoundPage", "Vroeg om iets dat hier niet te vinden was."),
        ("form-token", "Stuurde iets dat hier niet hoorde. Er is niets bewaard."),
        ("other-person", "Stuurde iets dat hier niet hoorde. Er is niets bewaard."),
    ],
)
def test_who_was_turned_away_is_told_plainly_and_saw_nothing(reason, said):
    refused = replace(ENTRY, event="denied", outcome="4", reason=reason, objects=("plan.goal",), parts=("plan",))
    [look] = accesses_of([refused], ZONE)
    assert line_of(look).said == (said, "Het ging om: je plan.", "Waarom: voor je behandeling.")


def test_who_looked_and_was_turned_away_the_same_day_is_one_line_of_both():
    several = replace(ENTRY, event="denied", reason="7 more in a minute: role 7", objects=("several",))
    denied = replace(ENTRY, event="denied", reason="role", objects=("scores.note",))
    [look] = accesses_of([replace(ENTRY, parts=("overview",)), several, denied, denied], ZONE)
    assert line_of(look).said == (
        "Heeft meegelezen.",
        "Gezien: het overzicht.",
        "Wilde iets bekijken, en mocht dat niet.",
        "Probeerde het daarna nog vaker.",
        "Het ging om: “Je scores”.",
        "Waarom: voor je behandeling.",
    )


def test_a_copy_by_the_operator_is_a_line_without_a_name():
    row = replace(ENTRY, event="export", user="", user_name="", role="operator", objects=("audit log",))
    line = line_of(accesses_of([row], ZONE)[0])
    assert (line.who, line.role) == ("De beheerder van Verstel", "")
    assert line.said == (
        "Maakte een kopie van de lijst van wie meelas.",
        "Waarom: om Verstel te beheren, of om na te gaan wie keek.",
    )


def test_writing_is_said():
    looks = accesses_of([ENTRY, replace(ENTRY, event="create")], ZONE)
    assert [look.wrote for look in looks] == [True]


def test_the_client_sees_who_of_the_team_was_here(app, anna):
    measure(anna, "hoop", "2026-06-03", "4")
    launched(app, role="clinician").get("overview/")
    page = anna.get("who-looked/").text
    assert "SPV J. Jansen" in page
    assert "Heeft meegelezen." in page


def test_before_anybody_looked_the_page_says_so(anna):
    assert "Nog niemand" in anna.get("who-looked/").text


def test_a_clinician_is_seen_also_where_there_was_nothing_yet(app, anna):
    launched(app, role="clinician").get("overview/")
    said = text_of(anna.get("who-looked/"))
    assert "SPV J. Jansen (behandelaar) Heeft meegelezen. Gezien: het overzicht. Waarom: voor je behandeling." in said


def test_who_signed_in_and_opened_nothing_is_there_too(app, anna):
    guest = launched(app, role="guest", name="Karel Buur")
    anna.core.audit.record(guest.launch, "launch")
    assert "Karel Buur (iemand met een andere rol) Heeft ingelogd." in text_of(anna.get("who-looked/"))


def test_what_clients_do_themselves_pushes_nobody_out(app, anna):
    launched(app, role="clinician").get("overview/")
    for number in range(210):
        anna.core.audit.record(anna.launch, "update", [f"Goal/{number}"])
    assert "SPV J. Jansen" in anna.get("who-looked/").text


def test_of_rows_from_before_it_was_kept_whose_they_are_the_same_holds(app, anna):
    launched(app, role="clinician").get("overview/")
    for number in range(300):
        anna.core.audit.record(anna.launch, "read", [f"Goal/{number}"])
    with anna.core.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit SET own = 0")
    said = text_of(anna.get("who-looked/"))
    assert "SPV J. Jansen" in said
    assert said.count("Heeft meegelezen") == 1


def test_who_was_refused_did_not_look_and_is_there(app, anna):
    launched(app, role="guest", name="Karel Buur").get("overview/")
    said = text_of(anna.get("who-looked/"))
    assert "Karel Buur (iemand met een andere rol) Wilde iets bekijken, en mocht dat niet." in said
    assert "Het ging om: het overzicht." in said
    assert "Heeft meegelezen" not in said


def test_a_professional_who_opens_a_page_of_the_client_alone_is_there(app, anna):
    launched(app, role="clinician").get("plan/domains/housing/")
    said = text_of(anna.get("who-looked/"))
    assert "Wilde iets bekijken, en mocht dat niet. Het ging om: het gebied “Wonen”." in said


def test_a_guessed_id_is_told_without_the_id_and_the_guesser_is_told_no_more(app, anna):
    """What is somebody else's, or not shared, looks as what does not exist; only the person it is about hears of it."""
    clinician = launched(app, role="clinician")
    page = clinician.get("answers/somebody-elses-response/")
    assert page.status_code == 404
    entry = clinician.logged()
    assert (entry.event, entry.objects, entry.parts) == ("denied", ("answers.response",), ("answers",))
    assert "somebody-elses" not in str(entry)
    said = text_of(anna.get("who-looked/"))
    assert "Vroeg om iets dat hier niet te vinden was. Het ging om: je antwoorden." in said
    assert "Heeft meegelezen" not in said
    assert "lijst" not in text_of(page)


def test_of_many_refusals_in_a_minute_ten_are_rows_and_the_next_minute_one_has_their_number(clock, clocked):
    guest = launched(clocked, role="guest")
    for _ in range(40):
        guest.get("overview/")
    denied = guest.core.audit.of_person(guest.launch.issuer_key, "Patient/anna")
    assert len(denied) == 10
    clock[0] += 60
    other = launched(clocked, role="guest", name="Karel Buur")
    other.get("overview/")
    last, counted = guest.core.audit.of_person(guest.launch.issuer_key, "Patient/anna")[:2]
    assert (counted.objects, counted.reason) == (("several",), "30 more in a minute: guest 30")
    assert (counted.user_name, counted.address, last.user_name) == (guest.launch.user.display, "", "Karel Buur")


def test_rows_of_one_visit_belong_together_and_do_not_tell_which_it_was(app):
    first, second = launched(app, role="clinician"), launched(app, role="clinician")
    for visitor in (first, first, second):
        visitor.get("overview/")
    rows = first.core.audit.of_person(first.launch.issuer_key, "Patient/anna")
    visits = [one.visit for one in reversed(rows)]
    assert visits[0] == visits[1] != visits[2]
    assert first.launch.id not in str(rows)
    assert {(one.system, one.organisation) for one in rows} == {("http://localhost", "Test EHR")}


def test_a_page_of_several_parts_says_which_and_one_of_one_part_says_that_one(app, anna):
    measure(anna, "hoop", "2026-06-03", "4")
    put(anna.ehr)
    clinician = launched(app, role="clinician")
    clinician.get("overview/")
    parts = clinician.logged().parts
    assert parts[0] == "overview"
    assert set(parts) >= {"answers.hoop", "scores", "domain.housing", "domain.meaning"}
    clinician.get("living/story/")  # reads the whole plan to say what hangs on it, and shows one form
    assert clinician.logged().parts == ("form.story",)
    clinician.get("scores/")
    assert clinician.logged().parts == ("scores",)


def test_what_is_written_says_its_part(app, anna):
    fill(anna, "living/story/story/", **{"story-story": "Ik begon opnieuw."})
    assert [(one.event, one.parts) for one in anna.core.audit.entries() if one.event == "create"][-1] == (
        "create",
        ("form.story",),
    )


def test_of_a_form_that_is_hidden_only_what_is_apart_of_it_was_seen():
    """A loved one who may read the card for a crisis has not seen the rest of the plan for good and hard days."""
    known, apart = catalogue(), table().apart
    response = {"resourceType": "QuestionnaireResponse", "questionnaire": questionnaire_url("staying-well")}
    for hidden, seen in (
        (frozenset[str](), ("form.staying-well",)),
        (frozenset({"form.staying-well"}), ("crisis",)),
        (frozenset({"form.staying-well", "crisis"}), ()),
        (frozenset({"scores"}), ("form.staying-well",)),
    ):
        assert Sight(known, Hidden(hidden, apart=apart)).parts_of(response) == seen


def test_of_a_plan_the_areas_with_answers_were_seen_that_are_not_hidden():
    made = resources_of(HALFWAY, patient=ANNA, author=ANNA, known=catalogue())
    [plan] = [one for one in made if one["resourceType"] == "CarePlan"]
    assert Sight(catalogue()).parts_of(plan) == ("domain.housing", "domain.meaning")
    assert Sight(catalogue(), Hidden(frozenset({"domain.housing"}))).parts_of(plan) == ("domain.meaning",)


def test_the_list_is_a_pdf_too_and_taking_it_along_is_a_row(app, anna):
    launched(app, role="clinician").get("overview/")
    response = anna.get("who-looked/who-looked.pdf")
    assert (response.status_code, response.mimetype) == (200, "application/pdf")
    said = " ".join(sheets_in(response.data))
    assert "SPV J. Jansen (behandelaar)" in said
    assert "Gezien: het overzicht." in said
    entry = anna.logged()
    assert (entry.event, entry.role, entry.objects) == ("export", "client", ("home.who_looked_as_pdf",))
    assert anna.get("who-looked/").text.count("Maakte een kopie") == 0  # their own


def test_a_paper_of_nobody_says_so_and_one_that_is_cut_too(anna, monkeypatch, app):
    assert "Nog niemand" in paper_text(anna)
    for name in ("A", "B"):
        launched(app, role="clinician", name=f"Behandelaar {name}").get("overview/")
    assert "alleen de nieuwste" not in paper_text(anna)
    monkeypatch.setattr(looked, "MOST_ON_PAPER", 1)
    assert "alleen de nieuwste" in paper_text(anna)
    assert "Behandelaar A" not in paper_text(anna)


def test_the_paper_is_for_the_client_only(app):
    clinician = launched(app, role="clinician")
    assert clinician.get("who-looked/who-looked.pdf").status_code == 403
    assert clinician.logged().event == "denied"


def test_more_than_fits_on_a_page_goes_on_at_the_next(app, anna, monkeypatch):
    monkeypatch.setattr(looked, "LOOKS", 2)
    clinician = launched(app, role="clinician").launch
    for number in range(5):
        user = replace(clinician.user, reference=f"Practitioner/{number}", display=f"Behandelaar {number}")
        anna.core.audit.record(replace(clinician, user=user), "read", ["plan.index"])
    found, path = [], "who-looked/"
    while path:
        page = anna.get(path)
        found += re.findall(r"Behandelaar (\d)", page.text)
        link = re.search(r'href="([^"]*before=\d+)">Eerder', page.text)
        path = link[1] if link else ""
    assert found == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize("before", ["x", "-1", "0", "9" * 40])
def test_a_page_that_is_none_is_the_first(app, anna, before):
    launched(app, role="clinician").get("overview/")
    assert anna.get(f"who-looked/?before={before}").status_code == 200


def test_a_clinician_does_not_read_who_looked(app):
    clinician = launched(app, role="clinician")
    clinician.get("overview/")
    response = clinician.get("who-looked/")
    assert response.status_code == 403
    assert "Heeft meegelezen." not in response.text
    assert clinician.logged().event == "denied"
