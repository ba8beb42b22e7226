"""`verstel erase` deletes all that is kept about one person and nothing about anyone else."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from mappers.team import Round
from smartapp.commands.erase import command
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Unreachable, Write
from smartapp.services import KEY
from smartapp.settings import Issuer
from smartapp.storage.database import open_database
from smartapp.storage.health_links import About, new_secret
from smartapp.storage.reminders import Choice
from smartapp.storage.team_marks import Given
from tests.smartapp.helpers import Visitor, launched, make_app, settings
from tests.smartapp.pages.plan.pages import fields_of

BASE = "https://ehr.example/fhir"
HOLD_PEOPLE = (
    *("doors", "health_links", "reminders", "ready_things", "drafts", "kept_words", "outbox"),
    *("launches", "tokens", "resources", "resource_versions", "team_marks"),
)


@pytest.fixture
def environment(tmp_path):
    (tmp_path / "issuers.toml").write_text(
        f'[[issuer]]\nbase = "{BASE}"\nname = "EHR"\nclient_id = "verstel"\nkey = "north"\n'
    )
    return {
        "VERSTEL_PUBLIC_URL": "http://localhost",
        "VERSTEL_SECRET_KEY": "a secret that only tests know 32 characters",
        "VERSTEL_ENCRYPTION_KEYS": settings().encryption_keys[0],
        "VERSTEL_ISSUERS_FILE": str(tmp_path / "issuers.toml"),
        "VERSTEL_DATABASE_URL": f"sqlite:///{tmp_path / 'verstel.db'}",
    }


@pytest.fixture
def app(environment):
    app = make_app(
        database_url=environment["VERSTEL_DATABASE_URL"],
        encryption_keys=(environment["VERSTEL_ENCRYPTION_KEYS"],),
        issuers=(Issuer(base=BASE, name="EHR", client_id="verstel", key="north"),),
    )
    app.extensions[KEY].local_ehrs[BASE] = OwnStore(open_database("sqlite://"), BASE)
    yield app
    app.extensions[KEY].engine.dispose()


def leave(person: Visitor) -> None:
    """Leave something of a person in every table that holds people."""
    core, patient = person.core, person.launch.patient.reference
    subject = {"reference": patient, "display": "x"}
    person.records.drafts.change("hoop", lambda _none: {"hoop-01": "3"})
    typed = {**fields_of(person.get("living/story/story/")), "story-story": "Half een zin"}
    assert person.post("living/story/story/", typed, headers={"Accept": "application/json"}).json == {"saved": True}
    person.post("look-again/story/not-now")
    words = core.kept_words
    words.keep(
        words.owner("north", person.launch.patient_id, person.launch.user.subject), "living/story/story/", [("a", "b")]
    )
    own = core.own_store(BASE)
    goal = own.write(Write("create", {"resourceType": "Goal", "description": {"text": "x"}, "subject": subject}))
    own.write(Write("update", {**goal.resource, "description": {"text": "y"}}, if_match=goal.etag))
    links = core.health_links
    about = About("plan", "Mijn plan", BASE, patient)
    links.make(links.person("north", patient), about, asked=patient, secret=new_secret(), content="eyJ", until=2**31)
    mail = Choice(address="anna@example.org", issuer=BASE, patient=patient)
    core.reminders.choose("north", mail)
    core.reminders.ready("north", patient, "assignment|hoop", 0)
    core.doors.make(person.launch, "hoop", asked=patient)
    (door,) = core.doors.of("north", patient)
    core.door_drafts(door).change("hoop", lambda _none: {"hoop-01": "3"})
    marks, today = core.team_marks, core.today()
    if not (rounds := marks.rounds([marks.team("north", "fact")])):
        rounds = [marks.plan([marks.team("north", "fact")], Round("Nu", today, today + dt.timedelta(days=2)))]
    marks.give(rounds[0].id, ("north", patient), Given("x|1", {"mark": "7"}), today)
    core.audit.record(person.launch, "launch")
    flaky = person.make_flaky()
    flaky.error = Unreachable("down")
    person.records.save(
        [Write("create", {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": subject})]
    )
    core.local_ehrs[BASE] = flaky.store


def rows(engine: sa.Engine) -> dict[str, set[tuple]]:
    with engine.connect() as connection:
        return {name: {*map(tuple, connection.exec_driver_sql(f"SELECT * FROM {name}"))} for name in HOLD_PEOPLE}


def erase(environment, patient: str, *options: str, issuer: str = "north") -> Result:
    return CliRunner(env=environment).invoke(command, ["--issuer", issuer, "--patient", patient, *options])


def test_all_of_one_person_is_gone_and_all_of_another_is_untouched(app, environment):
    leave(launched(app, "bram", issuer=BASE))
    of_bram = rows(app.extensions[KEY].engine)
    assert set(map(bool, (of_bram[name] for name in HOLD_PEOPLE if name != "tokens"))) == {True}
    leave(launched(app, "anna", issuer=BASE))
    result = erase(environment, "anna", "--yes")
    assert result.exit_code == 0, result.output
    assert rows(app.extensions[KEY].engine) == of_bram
    said = result.output.splitlines()
    expected = {"1 drafts", "2 sketches of the plan", "1 forms that were kept", "1 units that waited"}
    expected |= {
        "1 links to what they shared",
        "2 reminders",
        "1 questionnaires on another device",
        "0 notes of who is in conversation",
        "0 files that were handed in",
        "0 words that waited for their yes",
        "0 steps that a Koppeltaal domain had to hear",
        "1 marks for a team, of rounds that are open",
    }
    assert expected | {"1 open launches", "1 resources in our own store"} == {
        line.removesuffix(" deleted") for line in said[:-1]
    }


def test_what_a_professional_wrote_and_did_not_send_is_deleted_too_after_they_left(app, environment):
    clinician = launched(app, "anna", role="clinician", issuer=BASE)
    clinician.core.audit.record(clinician.launch, "launch")
    clinician.core.sketches(clinician.launch).change("x", lambda _none: {"note": "y"})
    about = clinician.core.conversations_about(clinician.launch.issuer_key, clinician.launch.patient.reference)
    about.change("begun", lambda _none: {"who": "z"})
    clinician.core.sessions.end(clinician.launch.session_id)
    assert "1 sketches of the plan deleted" in erase(environment, "anna", "--yes").output
    assert clinician.core.sketches(clinician.launch).all() == about.all() == []


def test_the_log_stays_and_says_how_much_of_it(app, environment):
    leave(launched(app, "anna", issuer=BASE))
    before = list(app.extensions[KEY].audit.entries())
    result = erase(environment, "anna", "--yes")
    assert f"{len(before)} rows of the log stay" in result.output
    assert list(app.extensions[KEY].audit.entries()) == before


def test_nothing_is_deleted_without_a_yes_or_at_an_issuer_that_is_not_there(app, environment):
    leave(launched(app, "anna", issuer=BASE))
    before = rows(app.extensions[KEY].engine)
    assert erase(environment, "anna").exit_code == 1
    unknown = erase(environment, "anna", "--yes", issuer="south")
    assert unknown.exit_code == 2
    assert "No issuer has the key 'south'. In VERSTEL_ISSUERS_FILE: north." in unknown.output
    assert rows(app.extensions[KEY].engine) == before
