"""The list of a professional's own clients: whose it is, what it says of each, and that each sees that it was said."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask

from mappers.circle import ROLE_SYSTEM, Member
from mappers.course import paused, stopped
from mappers.sharing import Choice, Sharing, consent_of
from mappers.sharing.consent import name_of
from mappers.sharing.parts import ASKED, COURSE, answers_part
from smartapp.fhir.store import Forbidden, Query, RecordError, Refused, Unreachable, Write
from smartapp.pages.caseload import reading
from smartapp.services import KEY
from smartapp.storage.audit import AUDIT
from tests.smartapp.helpers import EHR, Visitor, launched, make_app, put_circle, share_with, text_of
from tests.smartapp.pages.caseload.people import (
    ME,
    answered,
    asked,
    follows,
    joost,
    keep_from_the_team,
    person,
    put,
    talk,
    team,
)


def shown(visitor: Visitor, query: str = "") -> dict[str, str]:
    """Return by name what the list says of each client."""
    page = visitor.get(f"caseload/{query}")
    assert page.status_code == 200
    return lines_in(page.text)


def lines_in(text: str) -> dict[str, str]:
    rows = re.findall(r"<li data-line.*?</li>", text, re.DOTALL)
    plain = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<p [^>]*hidden.*?</p>", "", row))) for row in rows]
    return {re.search(r"<h3>(?:<a[^>]*>)?([^<]+)", row)[1]: said for row, said in zip(rows, plain, strict=True)}


def test_a_line_says_what_was_sent_in_what_waits_and_when_the_talk_is(app):
    put(app, person("noor", "Noor"), team("noor"), asked("noor"), answered("noor"))
    put(app, talk("noor", "2026-06-02T08:30:00Z"))
    [said] = shown(joost(app)).values()
    assert "geboren 14 maart 1992" in said
    assert "Hoop (HOOP), op 28 mei 2026" in said
    assert "Hoop (HOOP), gevraagd door SPV J. Jansen, tot en met 20 juni 2026" in said
    assert "Morgen om 10:30" in said


def test_nobody_is_a_client_for_what_does_not_hold_now(app):
    left = {"member": ME, "period": {"end": "2026-05-01"}}
    put(app, person("noor", "Noor"), person("sem", "Sem"), person("kees", "Kees"), person("yara", "Yara"))
    put(app, person("iwan", "Iwan", active=False, generalPractitioner=[ME]))
    put(app, person("bo", "Bo", deceasedDateTime="2026-01-01", generalPractitioner=[ME]))
    put(
        app,
        team("noor", left),
        team("sem", status="inactive"),
        team("kees", {"member": {"reference": "Practitioner/x"}}),
    )
    put(app, talk("yara", "2026-06-02T08:30:00Z", mine="declined"))
    assert shown(joost(app)) == {}
    assert "Hier staat nog niemand" in joost(app).get("caseload/").text


def test_each_of_three_ties_makes_somebody_a_client_once(app):
    put(app, person("noor", "Noor", generalPractitioner=[ME]), team("noor"), talk("noor", "2026-06-02T08:30:00Z"))
    put(app, person("sem", "Sem", generalPractitioner=[ME]), person("kees", "Kees"))
    put(app, talk("kees", "2026-06-20T08:30:00Z"))
    put(app, person("yara", "Yara"), team("yara"))
    assert sorted(shown(joost(app))) == ["Kees", "Noor", "Sem", "Yara"]


def test_who_is_in_a_team_by_their_role_there_is_found_by_it(app):
    role = {"resourceType": "PractitionerRole", "id": "spv-7", "practitioner": ME}
    put(app, person("noor", "Noor"), team("noor", {"member": {"reference": "PractitionerRole/spv-7"}}))
    assert shown(joost(app)) == {}
    assert list(shown(joost(app, reader={"user": None, "roles": [role]}))) == ["Noor"]


def test_an_appointment_of_several_clients_is_no_talk_of_one_of_them(app):
    group = talk("noor", "2026-06-02T08:30:00Z")
    group["participant"].append({"actor": {"reference": "Patient/sem"}, "status": "accepted"})
    put(app, person("noor", "Noor"), person("sem", "Sem"), group)
    assert shown(joost(app)) == {}


def test_what_our_own_store_has_is_on_the_line_too(app):
    put(app, person("noor", "Noor"), team("noor"))
    own = app.extensions[KEY].own_store(EHR)
    own.write(Write("update", answered("noor", "nel")))
    own.write(Write("update", asked("noor", "mhcs", None)))
    [said] = shown(joost(app)).values()
    assert "Je eigen kracht (NEL), op 28 mei 2026" in said
    assert "Vertrouwen in jezelf (MHCS), gevraagd door SPV J. Jansen" in said


def test_what_is_about_somebody_else_stands_on_nobodys_line(app):
    put(app, person("noor", "Noor"), team("noor"), person("sem", "Sem"), answered("sem"), asked("sem"))
    [said] = shown(joost(app)).values()
    assert "Hoop" not in said


def test_what_is_about_two_people_stands_on_nobodys_line(app):
    """As in a chart: nobody can say of which of the two it is."""
    put(app, person("noor", "Noor"), team("noor"), person("sem", "Sem"), team("sem"))
    put(app, answered("noor", source={"reference": "Patient/sem"}))
    assert not any("Hoop" in said for said in shown(joost(app)).values())


@pytest.mark.parametrize("on", ["2026-04-19T10:00:00+02:00", "2025-01-01", "", "not a date"])
def test_what_was_sent_in_long_ago_or_at_no_day_is_not_said(app, on):
    put(app, person("noor", "Noor"), team("noor"))
    app.extensions[KEY].own_store(EHR).write(Write("update", answered("noor", on=on)))
    [said] = shown(joost(app)).values()
    assert "Ingestuurd" not in said


def test_a_draft_a_plan_and_a_withdrawn_request_are_not_said(app):
    put(app, person("noor", "Noor"), team("noor"), {**asked("noor"), "status": "cancelled"})
    put(app, answered("noor", status="in-progress"), answered("noor", "story"))
    put(app, {"resourceType": "Task", "id": "t", "status": "requested", "for": {"reference": "Patient/noor"}})
    [said] = shown(joost(app)).values()
    assert re.fullmatch(r"\s*Noor \(opent in een nieuw tabblad\) geboren 14 maart 1992\s*", said)


def test_no_score_and_no_answer_is_on_the_page(app):
    observation = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "Hoop, totaal"},
        "subject": {"reference": "Patient/noor"},
        "valueQuantity": {"value": 4711},
    }
    items = [{"linkId": "hoop-01", "answer": [{"valueString": "Ik zie licht"}]}]
    put(app, person("noor", "Noor"), team("noor"), answered("noor", item=items), observation)
    page = text_of(joost(app).get("caseload/"))
    assert "4711" not in page
    assert "Ik zie licht" not in page


# ---- what a client lets be seen --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "there"),
    [
        ((answers_part("hoop"),), (answered("noor"),)),
        ((ASKED,), (asked("noor"), asked("noor", "nel"))),
        ((ASKED, answers_part("hoop")), (answered("noor"), asked("noor"))),
    ],
)
@pytest.mark.parametrize("query", ["", "?order=near", "?show=sent", "?show=waiting", "?show=week"])
def test_with_a_hidden_part_the_page_is_that_of_a_client_without_it(app, parts, there, query):
    put(
        app,
        person("noor", "Noor"),
        team("noor"),
        person("sem", "Sem"),
        team("sem"),
        asked("sem"),
        answered("sem", "nel"),
    )
    without = joost(app).get(f"caseload/{query}")
    put(app, *there)
    open_to_all = joost(app).get(f"caseload/{query}")
    keep_from_the_team(app, "noor", *parts)
    hidden = joost(app).get(f"caseload/{query}")
    assert lines_in(hidden.text) == lines_in(without.text)
    assert list(lines_in(hidden.text)) == list(lines_in(without.text))
    if query in ("", "?order=near"):
        assert lines_in(open_to_all.text) != lines_in(without.text)


def test_nor_does_the_log_or_a_fresh_look_tell_that_there_is_something_hidden(app):
    put(app, person("noor", "Noor"), team("noor"))
    keep_from_the_team(app, "noor", answers_part("hoop"))
    visitor = joost(app)
    fresh = fresh_of(visitor)
    put(app, answered("noor"))
    assert visitor.get(fresh).status_code == 204
    assert rows(app, "Patient/noor") == [("Practitioner/jansen", ("caseload",))]


def test_a_role_of_one_client_holds_for_that_client_alone(app):
    """A peer worker in one team reads there what peer workers read; and in another team they are a clinician."""
    peer = {"member": ME, "role": [{"coding": [{"system": ROLE_SYSTEM, "code": "peer-worker"}]}]}
    put(app, person("noor", "Noor"), team("noor", peer), answered("noor"), asked("noor"))
    put(app, person("sem", "Sem"), team("sem"), answered("sem"), asked("sem"))
    said = shown(joost(app))
    assert "Hoop" not in said["Noor"]
    assert said["Sem"].count("Hoop") == 2
    by_role = {entry.patient: entry.role for entry in app.extensions[KEY].audit.entries() if entry.patient}
    assert by_role == {"Patient/noor": "peer-worker", "Patient/sem": "clinician"}


def test_who_is_outside_the_team_of_a_client_does_not_see_their_line(app):
    """In a chart they would read what to do in a crisis and nothing else; a talk alone changes nothing about that."""
    put(app, person("noor", "Noor"), talk("noor", "2026-06-02T08:30:00Z"), answered("noor"))
    put(app, team("noor", {"member": {"reference": "Practitioner/other"}}))
    assert shown(joost(app)) == {}
    assert rows(app, "Patient/noor") == []


def test_whom_a_client_chose_by_name_reads_it_while_they_are_in_the_circle(app):
    put(app, person("noor", "Noor"), team("noor"), answered("noor"))
    member = Member("m1", "J. Jansen", "", "clinician", reference="Practitioner/jansen", since="2026-01-01")
    put_circle(app, member, patient="noor")
    keep_from_the_team(app, "noor", answers_part("hoop"))
    assert "Hoop" not in shown(joost(app))["Noor"]
    share_with(app, "Practitioner/jansen", answers_part("hoop"), patient="noor")
    assert "Hoop" in shown(joost(app))["Noor"]
    put_circle(app, patient="noor")
    keep_apart = Sharing({answers_part("hoop"): Choice(record=False, readers=frozenset({"Practitioner/jansen"}))})
    replace_consent(app, "noor", keep_apart)
    assert "Hoop" not in shown(joost(app))["Noor"]


def replace_consent(app: Flask, patient: str, sharing: Sharing) -> None:
    core = app.extensions[KEY]
    found = core.consent(EHR, core.settings.issuer_key(EHR), f"Patient/{patient}")
    who = {"reference": f"Patient/{patient}", "display": "Iemand"}
    name = name_of(core.settings.issuer_key(EHR), who["reference"])
    made = consent_of(sharing, name=name, patient=who, titles={}, displays={})
    core.own_store(EHR).write(Write("update", {**made, "id": found.resource["id"]}))


# ---- programmes ------------------------------------------------------------------------------------------------------

TODAY = dt.date(2026, 6, 1)


def test_of_a_programme_the_moment_of_now_is_said_and_what_it_asks_later_does_not_wait(app):
    put(app, person("noor", "Noor"), team("noor"), *follows("noor", dt.date(2026, 5, 25), TODAY))
    put(app, person("sem", "Sem"), team("sem"), *follows("sem", dt.date(2025, 6, 1), TODAY))
    said = shown(joost(app))
    # Begun a week ago, the first moment is open; what is asked in a year and a half stands nowhere.
    assert re.search(r"Programma Meten op drie momenten: [\w ]+, tot en met", said["Noor"])
    assert said["Noor"].count("gevraagd door") == 4
    assert re.search(r"Programma Meten op drie momenten: [\w ]+, vanaf", said["Sem"])
    # The first one was a year ago: it was missed, and nobody waits for it.
    assert "gevraagd door" not in said["Sem"]


def test_a_programme_that_is_paused_says_so_and_one_that_is_over_is_not_said(app):
    paused_ = follows("noor", dt.date(2026, 5, 25), TODAY, lambda one: paused(one, TODAY, ME))
    ended = follows("sem", dt.date(2026, 5, 25), TODAY, lambda one: stopped(one, TODAY, ME))
    put(app, person("noor", "Noor"), team("noor"), *paused_, person("sem", "Sem"), team("sem"), *ended)
    said = shown(joost(app))
    assert "Programma Meten op drie momenten: op pauze" in said["Noor"]
    assert "gevraagd door" not in said["Noor"]
    assert "Programma" not in said["Sem"]


def test_a_moment_that_is_done_makes_place_for_the_next_whoever_reads_the_answers(app):
    """A peer worker reads the programme and not the answers: that they came, the Tasks of the programme say."""
    plan, *tasks = follows("noor", dt.date(2026, 5, 25), TODAY)
    done = [{**one, "status": "completed"} for one in tasks[:4]]
    put(app, person("noor", "Noor"), team("noor"), plan, *done, *tasks[4:])
    for role in ("clinician", "peer-worker"):
        peer = {"member": ME, "role": [{"coding": [{"system": ROLE_SYSTEM, "code": role}]}]}
        put(app, team("noor", peer))
        assert re.search(r"Programma Meten op drie momenten: [\w ]+, vanaf", shown(joost(app))["Noor"])


def test_a_programme_that_a_client_keeps_to_themselves_is_as_one_that_is_not_there(app):
    put(app, person("noor", "Noor"), team("noor"))
    without = shown(joost(app))
    put(app, *follows("noor", dt.date(2026, 5, 25), TODAY))
    assert shown(joost(app)) != without
    keep_from_the_team(app, "noor", COURSE)
    assert shown(joost(app)) == without


# ---- the log ---------------------------------------------------------------------------------------------------------


def rows(app: Flask, patient: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return who read what of a person, by the log, the oldest first."""
    return [
        (entry.user, entry.parts)
        for entry in app.extensions[KEY].audit.entries()
        if entry.patient == patient and entry.event == "read"
    ]


def test_each_client_who_is_shown_gets_one_row_however_often_it_is_opened(app, clock):
    put(app, person("noor", "Noor"), team("noor"), asked("noor"), person("sem", "Sem"), team("sem"))
    visitor = joost(app)
    for path in ("caseload/", "caseload/", "caseload/?show=waiting", "caseload/fresh"):
        assert visitor.get(path).status_code == 200
    visitor.post("caseload/find", {"find": "noor"})
    assert rows(app, "Patient/noor") == [("Practitioner/jansen", ("caseload", "asked"))]
    assert rows(app, "Patient/sem") == [("Practitioner/jansen", ("caseload",))]
    # Who opened the list stands there too, about nobody.
    assert len(rows(app, "")) == 4


def test_what_comes_to_be_shown_later_is_a_row_of_that_client_alone(app):
    put(app, person("noor", "Noor"), team("noor"), person("sem", "Sem"), team("sem"))
    visitor = joost(app)
    visitor.get("caseload/")
    put(app, asked("noor"))
    visitor.get("caseload/")
    assert [parts for _user, parts in rows(app, "Patient/noor")] == [("caseload",), ("caseload", "asked")]
    assert len(rows(app, "Patient/sem")) == 1


def test_another_time_is_another_row(app):
    put(app, person("noor", "Noor"), team("noor"))
    for _ in range(2):
        joost(app).get("caseload/")
    assert len(rows(app, "Patient/noor")) == 2


def test_a_client_reads_in_plain_words_that_they_stood_on_the_list(app):
    put(app, person("noor", "Noor"), team("noor"), asked("noor"))
    joost(app).get("caseload/")
    page = text_of(launched(app, patient="noor", name="Noor").get("who-looked/"))
    assert "SPV J. Jansen" in page
    assert "jouw regel in de lijst van hun cliënten" in page


def test_nobody_sees_a_list_that_could_not_be_logged(app, monkeypatch):
    put(app, person("noor", "Noor"), team("noor"), person("sem", "Sem"), team("sem"))
    visitor, core = joost(app), app.extensions[KEY]
    record = core.audit.record

    def full(launch, *more, **rest):
        if launch.patient.reference == "Patient/sem":
            raise OSError
        record(launch, *more, **rest)

    monkeypatch.setattr(core.audit, "record", full)
    assert visitor.get("caseload/").status_code == 500
    # In one transaction: where one row cannot be written, none is.
    assert rows(app, "Patient/noor") == []


def test_a_row_about_nobody_is_found_under_nobody(app):
    """By the digest of no person, all rows about nobody would look like those of one."""
    joost(app).get("caseload/")
    with app.extensions[KEY].engine.connect() as connection:
        assert set(connection.execute(AUDIT.select()).scalars().all())
        assert {row.person for row in connection.execute(AUDIT.select())} == {""}


# ---- filters, names, freshness ---------------------------------------------------------------------------------------


@pytest.fixture
def three(app) -> Flask:
    put(app, person("noor", "Noor"), team("noor"), answered("noor"))
    put(app, person("sem", "Sém"), team("sem"), asked("sem", due="2026-06-03"))
    put(app, person("kees", "Kees"), team("kees"), talk("kees", "2026-06-05T08:30:00Z"))
    put(app, person("yara", "Yara"), team("yara"), talk("yara", "2026-06-09T08:30:00Z"))
    return app


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Kees", "Noor", "Sém", "Yara"]),
        ("?show=sent", ["Noor"]),
        ("?show=waiting", ["Sém"]),
        ("?show=week", ["Kees"]),
        ("?order=near", ["Sém", "Kees", "Yara", "Noor"]),
        ("?show=nonsense&order=risk", ["Kees", "Noor", "Sém", "Yara"]),
    ],
)
def test_the_list_is_narrowed_and_ordered_by_name_or_day_and_nothing_else(three, query, names):
    assert list(shown(joost(three), query)) == names


def test_a_name_is_looked_for_in_a_form_and_stands_in_no_address(three):
    visitor = joost(three)
    page = visitor.post("caseload/find", {"find": " SEM ", "show": "", "order": ""})
    assert page.status_code == 200
    assert list(lines_in(page.text)) == ["Sém"]
    for address in re.findall(r'(?:href|action|data-fresh)="([^"]+)"', visitor.get("caseload/").text):
        assert not re.search(r"Noor|S.m\b|Kees|Yara", address)


def test_a_name_that_could_not_be_looked_for_is_kept_nowhere(three):
    visitor = joost(three)
    page = visitor.client.post(visitor.url("caseload/find"), data={**visitor.hidden(), "_csrf": "x", "find": "Sem"})
    assert page.status_code == 403
    assert "Dit is wat je typte" not in page.text
    assert visitor.core.kept_words.of(visitor.core.kept_words.owner(EHR, "", "jansen")) == []


def fresh_of(visitor: Visitor) -> str:
    found = re.search(r'data-fresh="[^"]*/(caseload/fresh[^"]*)"', visitor.get("caseload/").text)
    assert found
    return found[1].replace("&amp;", "&")


def test_a_fresh_look_gives_the_list_only_where_a_line_says_something_else(three):
    visitor = joost(three)
    fresh = fresh_of(visitor)
    assert visitor.get(fresh).status_code == 204
    put(three, asked("noor"))
    page = visitor.get(fresh)
    assert page.status_code == 200
    assert "gevraagd door" in lines_in(page.text)["Noor"]


def test_a_fresh_look_that_finds_nothing_is_no_row_and_keeps_no_session_alive(three, clock):
    visitor = joost(three)
    fresh, before = fresh_of(visitor), list(three.extensions[KEY].audit.entries())
    for _ in range(5):
        clock.now += 300
        assert visitor.get(fresh).status_code == 204
    assert list(three.extensions[KEY].audit.entries()) == before
    clock.now += 300
    assert visitor.get(fresh).status_code == 404  # half an hour in which nobody did anything


def test_who_does_something_stays_signed_in(three, clock):
    visitor = joost(three)
    for _ in range(6):
        clock.now += 600
        assert visitor.get("caseload/").status_code == 200


def test_a_chart_is_opened_where_the_record_system_opens_it(three):
    page = joost(three).get("caseload/").text
    assert 'href="http://localhost/chart?patient=noor"' in page
    assert "Open het dossier van die cliënt in het dossiersysteem." not in page


def test_without_such_an_address_the_page_says_how(clock):
    app = make_app(clock)
    put(app, person("noor", "Noor"), team("noor"))
    page = joost(app).get("caseload/").text
    assert "Open het dossier van die cliënt in het dossiersysteem." in page
    assert list(lines_in(page)) == ["Noor"]
    app.extensions[KEY].engine.dispose()


def test_a_record_that_gives_no_answer_is_said_and_is_no_empty_list(three):
    visitor = joost(three)
    visitor.make_flaky().silence = Unreachable("away")
    page = visitor.get("caseload/")
    assert page.status_code == 502
    assert "Hier staat nog niemand" not in page.text


def test_a_record_that_does_not_tell_whose_clients_they_are_says_so(app):
    visitor = launched(app, role="clinician", about_nobody=True, scopes="openid fhirUser user/Task.rs")
    assert "Het dossiersysteem zegt ons niet wie je cliënten zijn." in visitor.get("caseload/").text


class Picky:
    """An EHR that says it can be searched for these types, and then refuses it."""

    def __init__(self, store, types: set[str], error: RecordError) -> None:
        self._store, self._types, self._error = store, types, error

    def search(self, query: Query):
        if query.type in self._types:
            raise self._error
        return self._store.search(query)

    def __getattr__(self, name: str):
        return getattr(self._store, name)


LACKS = {
    "CareTeam": ("Het noemde niet al je cliënten.",),
    "Patient": ("Het noemde niet al je cliënten.",),
    "Appointment": ("Het noemde niet al je cliënten.", "Het noemde niet al je gesprekken."),
    "QuestionnaireResponse": ("Het noemde niet alles wat is ingestuurd.",),
    "Task": ("Het noemde niet alles wat wacht.",),
    "CarePlan": ("Het noemde niet alle programma's.",),
}


@pytest.mark.parametrize("error", [Forbidden("no"), Refused("more than 2000 results")])
@pytest.mark.parametrize("type_", LACKS)
def test_half_a_list_says_that_it_is_half(three, type_, error):
    put(three, person("iwan", "Iwan", generalPractitioner=[ME]))
    ehrs = three.extensions[KEY].local_ehrs
    whole = joost(three)
    fresh = fresh_of(whole)
    said = [one for all_ in LACKS.values() for one in all_]
    assert not any(one in text_of(whole.get("caseload/")) for one in said)
    ehrs[EHR] = Picky(ehrs[EHR], {type_}, error)
    visitor = joost(three)
    page = visitor.get("caseload/")
    assert page.status_code == 200
    assert {one for one in said if one in text_of(page)} == set(LACKS[type_])
    # A page that stays open learns it too, in the part that it takes over.
    again = whole.get(fresh)
    assert again.status_code == 200
    assert LACKS[type_][0] in text_of(again).partition("cliënten")[2]


def test_an_empty_list_that_may_be_half_says_so_too(app):
    ehrs = app.extensions[KEY].local_ehrs
    ehrs[EHR] = Picky(ehrs[EHR], {"CareTeam"}, Forbidden("no"))
    page = text_of(joost(app).get("caseload/"))
    assert "Hier staat nog niemand" in page
    assert "Het noemde niet al je cliënten." in page


def test_what_was_not_granted_is_said_where_the_record_has_it(three):
    visitor = launched(
        three,
        role="clinician",
        about_nobody=True,
        reference="Practitioner/jansen",
        scopes="openid fhirUser user/CareTeam.rs user/Patient.rs user/Task.rs",
    )
    page = text_of(visitor.get("caseload/"))
    # Any tie is enough: by which of them clients are found is the place's own choice.
    assert "Het noemde niet al je cliënten." not in page
    assert "Het noemde niet alles wat is ingestuurd." in page
    assert "Het noemde niet alles wat wacht." not in page


def test_more_clients_than_a_page_holds_are_said_and_nobody_else_is_logged(three, monkeypatch):
    monkeypatch.setattr(reading, "MOST", 2)
    page = joost(three).get("caseload/").text
    assert "Er zijn meer cliënten dan hier passen." in page
    assert len(lines_in(page)) == 2
    people = {one.patient for one in three.extensions[KEY].audit.entries() if one.patient}
    assert len(people) == 2
