"""FHIR servers that strangers wrote take everything that the app writes: HAPI FHIR JPA, sekmet-fhir, Medplum's router.

Run as `python -m tests.conformance.servers [hapi|sekmet|medplum]`. Each server is started on 127.0.0.1 with an empty
database, asked through the app's own `RemoteStore`, and ended with its standard input. Every check stands by itself and
says in one sentence what must be so; then a client and a clinician walk their whole journeys in a browser on it. What a
server can't do is in `LIMITS` with the reason; it counts as failed on docs/strangers.md, and must still fail like that.
Exit 0: all else holds on all servers, 1: something does not, 3: a server or Chromium can't be had here.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import fhirclient.client
import fhirclient.models.careplan
import fhirclient.models.questionnaireresponse
import fhirclient.models.task
from click.testing import CliRunner, Result
from fhir.resources.R4B import get_fhir_model_class

from mappers.answers import IDENTIFIER_SYSTEM, answers_of, response_of
from mappers.assignment import answered, assignment_identifier, assignment_of, task_of
from mappers.observations import IDENTIFIER_SYSTEM as SCORE_IDENTIFIERS
from mappers.observations import SCORE_SYSTEM, provenance_of, scores_from
from mappers.plan import DomainAnswers, Goal, PersonRef, Plan, Step
from mappers.sameness import as_amendment
from mappers.scoring import score
from mappers.verify import differences
from questionnaires.canonical import identifier_system, structure_url
from questionnaires.catalogue import Catalogue
from scripts.tour import CHROMIUM
from smartapp import cli
from smartapp.commands import publish
from smartapp.deploy.artefacts import artefacts
from smartapp.deploy.ehr_check import report
from smartapp.fhir.capabilities import read_offered
from smartapp.fhir.companion import CompanionStore
from smartapp.fhir.own import search
from smartapp.fhir.remote import RemoteStore
from smartapp.fhir.store import Conflict, NotFound, Query, RecordError, Stored, Write
from smartapp.pages.plan import stored
from smartapp.pages.questionnaire.sending import writes_of
from smartapp.records import Record
from smartapp.settings import DEFAULT_SCOPES
from tests.conformance import npm, strangers
from tests.conformance.java_tools import BuildError, NotHereError, version
from tests.conformance.server_journeys import journeys_on
from tests.conformance.sizes import size
from tests.conformance.starting import hapi, patience, running

ROOT = Path(__file__).parents[2]
SEARCH_PARAMETERS = Path(search.__file__).with_name("search_parameters.toml")
CACHE = ROOT / ".cache"
SEKMET = "sekmet-fhir==0.1.1"
MEDPLUM = Path(__file__).with_name("medplum")

NOW = "2026-03-03T14:02:00+01:00"
CATALOGUE = Catalogue()
# What people type: quotes, markup, other scripts, emoji, spaces and blank lines that must all come back.
WORDS = "  Ik wil »zelf« <b>kiezen</b> & 50% thuis.\n\n\tÜbermorgen, 'misschien' 🚲 مرحبا \\n {0}  "


@dataclass
class Site:
    """One server under test, with one made-up client on it."""

    name: str
    store: RemoteStore
    patient: Stored = field(init=False)
    clinician: Stored = field(init=False)

    def __post_init__(self) -> None:
        person = {"resourceType": "Patient", "active": True, "name": [{"text": "Noor Bakker (voorbeeld)"}]}
        self.patient = self.store.write(Write("create", person))
        self.clinician = self.store.write(
            Write("create", {"resourceType": "Practitioner", "name": [{"text": "Els Visser (voorbeeld)"}]})
        )

    def reference(self) -> dict[str, str]:
        """Return the client as a FHIR Reference."""
        return {"reference": self.patient.reference, "display": "Noor Bakker (voorbeeld)"}

    def person(self) -> PersonRef:
        """Return the client as the mappers name people."""
        return PersonRef(self.patient.reference, "Noor Bakker (voorbeeld)")

    def response(self, instrument: str = "hoop", authored: str = NOW, answer: str = "3") -> dict[str, Any]:
        """Return a finished response of the client with the same answer to every question that has it."""
        made = CATALOGUE.instruments[instrument]
        values = {item.link_id: answer for item in made.items if item.scale and item.scale.option(answer)}
        return response_of(
            values,
            made,
            status="completed",
            authored=authored,
            subject=self.reference(),
            author=self.reference(),
            source=self.reference(),
            identifier=str(uuid.uuid4()),
        )

    def count(self, kind: str, system: str, value: str) -> int:
        """Return how many resources have this identifier."""
        return len(self.store.search(Query.of(kind, identifier=f"{system}|{value}")))


def _unit(response: dict[str, Any]) -> list[Write]:
    """Return what the app writes when these answers are sent in."""
    return writes_of(answers_of(response, CATALOGUE))


def _amending(writes: Sequence[Write], saved: Sequence[Stored]) -> list[Write]:
    """Return what the app writes when the same author's newer answers replace those that are stored."""
    return [
        Write(
            "update",
            as_amendment(new.resource, before.resource),
            if_match=before.etag or _tag(before),
            full_url=new.full_url,
        )
        for new, before in zip(writes, saved, strict=True)
    ]


def check_metadata_is_r4(site: Site) -> None:
    """The server says that it speaks FHIR R4, and what it offers is read from that."""
    statement = site.store.capabilities()
    assert statement["fhirVersion"] == "4.0.1", statement["fhirVersion"]
    offered = read_offered(statement)
    for kind in ("QuestionnaireResponse", "Observation", "CarePlan", "Goal", "Task"):
        assert offered.offers(kind, "create"), f"{kind}: create is not seen in the CapabilityStatement"


def check_submit_is_one_unit(site: Site) -> None:
    """A response and its scores arrive in one transaction, and the scores refer to the stored response and members."""
    response, *scores = site.store.write_all(_unit(site.response()))
    *members, panel = scores
    for one in scores:
        derived = [ref["reference"] for ref in one.resource["derivedFrom"]]
        assert derived == [response.reference], derived
    told = {ref["reference"] for ref in panel.resource["hasMember"]}
    assert told == {one.reference for one in members}, told


def check_submit_twice_writes_once(site: Site) -> None:
    """The same unit sent again, as after a lost answer, writes nothing new and says where everything is."""
    made = site.response()
    writes = _unit(made)
    first, second = site.store.write_all(writes), site.store.write_all(writes)
    assert [one.reference for one in first] == [one.reference for one in second]
    assert site.count("QuestionnaireResponse", IDENTIFIER_SYSTEM, made["identifier"]["value"]) == 1
    value = writes[1].resource["identifier"][0]["value"]
    assert site.count("Observation", SCORE_IDENTIFIERS, value) == 1


def check_single_create_happens_once(site: Site) -> None:
    """A create with If-None-Exist, sent twice, gives the same resource, for servers without transactions."""
    write = _unit(site.response())[0]
    first, second = site.store.write(write), site.store.write(write)
    assert first.reference == second.reference


def check_scores_come_back_as_numbers(site: Site) -> None:
    """Scores that were read back are the same numbers as were computed, to the last digit."""
    made = site.response("nel", authored="2026-04-01T09:00:00+02:00", answer="4")
    made["item"][0]["item"].pop()  # one dimension without all its answers: no score, with a reason
    stored = site.store.write_all(_unit(made))
    read = scores_from(site.store.read("Observation", one.resource["id"]).resource for one in stored[1:])
    nel = CATALOGUE.instruments["nel"]
    values = {i["linkId"]: i["answer"][0]["valueCoding"]["code"] for g in made["item"] for i in g["item"]}
    expected = {one.rule.code: one.value for one in score(nel, values)}
    assert {point.code: point.value for point in read} == expected
    assert all(point.reason for point in read if point.value is None)
    assert any(point.value is None for point in read)


def check_trend_in_order_and_whole(site: Site) -> None:
    """More scores than a page holds come back all, for this person only, by code and newest first."""
    other = Site(site.name, site.store)
    dates = [f"2025-{month:02}-{day:02}T10:00:00+01:00" for month in range(1, 7) for day in (1, 8, 15, 22)]
    for date in reversed(dates):
        site.store.write_all(_unit(site.response("mhcs", authored=date)))
    found = site.store.search(
        Query.of(
            "Observation",
            {"_sort": "-date", "_count": "10"},
            patient=site.patient.resource["id"],
            code=f"{SCORE_SYSTEM}|mhcs-total",
        )
    )
    assert len(found) == len(dates), f"{len(found)} of {len(dates)}"
    assert [one.resource["effectiveDateTime"] for one in found] == sorted(dates, reverse=True)
    assert other.store.search(Query.of("Observation", patient=other.patient.resource["id"])) == []


def check_amended_response_corrects_scores(site: Site) -> None:
    """A corrected response replaces its scores, which say so; nothing is written beside them."""
    made = site.response()
    saved = site.store.write_all(_unit(made))
    made["item"][0]["item"][0]["answer"][0]["valueCoding"]["code"] = "1"
    # hoop-01 is not reversed: one answer from 3 to 1 takes 2 from the total of 34.
    response, *scores = site.store.write_all(_amending(_unit(made), saved))
    assert response.resource["status"] == "amended"
    assert {one.resource["status"] for one in scores} == {"corrected"}
    totals = [p.value for p in scores_from(one.resource for one in scores) if p.code == "hoop-total"]
    assert totals == [32], totals
    value = made["identifier"]["value"]
    assert site.count("Observation", SCORE_IDENTIFIERS, f"{value}/hoop-total") == 1


def check_stale_update_is_refused(site: Site) -> None:
    """An update of an older version is refused, and the app is told what is stored now."""
    stored = site.store.write(_unit(site.response())[0])
    newer = site.store.write(Write("update", {**stored.resource, "status": "amended"}, if_match=stored.etag))
    stale = {**stored.resource, "status": "entered-in-error"}
    with contextlib.suppress(Conflict):
        site.store.write(Write("update", stale, if_match=stored.etag))
        raise AssertionError("the stale update was taken")
    now = site.store.read("QuestionnaireResponse", stored.resource["id"])
    assert now.resource["status"] == "amended"
    assert now.etag == newer.etag


def check_half_a_unit_is_no_unit(site: Site) -> None:
    """When one part of a unit is refused, nothing of it is stored."""
    first = site.store.write(_unit(site.response())[0])
    site.store.write(Write("update", {**first.resource, "status": "amended"}, if_match=first.etag))
    made = site.response()
    stale = Write("update", {**first.resource, "status": "entered-in-error"}, if_match=first.etag)
    with contextlib.suppress(Conflict):
        site.store.write_all([*_unit(made), stale])
        raise AssertionError("a unit with a stale update in it was taken")
    value = made["identifier"]["value"]
    assert site.count("QuestionnaireResponse", IDENTIFIER_SYSTEM, value) == 0
    assert site.count("Observation", SCORE_IDENTIFIERS, f"{value}/hoop-total") == 0


def check_plan_comes_back_exactly(site: Site) -> None:
    """Every word of a plan comes back as typed, from the searches that the app does."""
    plan = _plan()
    before = _stored_plan(site)
    assert before.place is None
    writes = _writes(site, before, plan)
    site.store.write_all(writes)
    again = _stored_plan(site).plan
    assert again.story == plan.story
    assert again.domains == plan.domains
    assert [goal.text for goal in again.goals] == [goal.text for goal in plan.goals]
    assert [step.text for goal in again.goals for step in goal.steps] == ["Een keer gaan kijken"]
    assert again.strengths == plan.strengths


def check_two_people_change_one_plan(site: Site) -> None:
    """Who saves second on an older plan is refused as a whole; the first one's words stand."""
    made = _writes(site, _stored_plan(site), _plan())
    site.store.write_all(made)
    seen = _stored_plan(site)
    for text, taken in (("De eerste", True), ("De tweede", False)):
        goal = replace(seen.plan.goals[0], text=text)
        after = replace(seen.plan, goals=(goal, *seen.plan.goals[1:]))
        writes = _writes(site, seen, after)
        try:
            site.store.write_all(writes)
            assert taken, "the second save overwrote the first"
        except Conflict:
            assert not taken, "the first save was refused"
    assert _stored_plan(site).plan.goals[0].text == "De eerste"


def check_assignment_asked_and_answered(site: Site) -> None:
    """A questionnaire is asked for, found by the client, and done when the response has arrived."""
    hoop = CATALOGUE.instruments["hoop"]
    requester = {"reference": site.clinician.reference, "display": "Els Visser (voorbeeld)"}
    key = assignment_identifier(site.patient.reference, hoop.canonical, NOW)
    task = task_of(
        questionnaire=hoop.canonical,
        title=hoop.title.nl,
        patient=site.reference(),
        requester=requester,
        asked_on=NOW,
        identifier=key,
        due="2026-03-20",
        message=WORDS.strip(),
    )
    once = f"identifier={identifier_system('assignment')}|{key}"
    site.store.write(Write("create", task, if_none_exist=once))
    (waiting,) = site.store.search(Query.of("Task", patient=site.patient.reference))
    assert assignment_of(waiting.resource).waiting
    assert assignment_of(waiting.resource).message == WORDS.strip()
    response, *_scores = site.store.write_all(_unit(site.response()))
    closed = answered(waiting.resource, response.reference, hoop.title.nl)
    done = site.store.write(Write("update", closed, if_match=waiting.etag or _tag(waiting)))
    assert done.resource["status"] == "completed"
    assert assignment_of(done.resource).response == response.reference


def check_provenance_is_kept(site: Site) -> None:
    """Where scores come from can be stored beside them, with the software inside."""
    response, *scores = site.store.write_all(_unit(site.response()))
    made = provenance_of(
        [one.resource for one in scores],
        response_reference=response.reference,
        recorded="2026-03-03T14:02:01+01:00",
        software="Verstel",
        version="0.1.0",
    )
    stored = site.store.write(Write("create", made))
    read = site.store.read("Provenance", stored.resource["id"]).resource
    assert read["agent"][0]["who"]["display"] == "Verstel 0.1.0"
    assert [one["reference"] for one in read["target"]] == [one.reference for one in scores]


def check_nothing_there_is_not_found(site: Site) -> None:
    """A resource that is not there is said not to be there."""
    with contextlib.suppress(NotFound):
        site.store.read("Goal", "no-such-goal")
        raise AssertionError("a goal that was never written was read")


def check_published_twice_changes_nothing(site: Site) -> None:
    """`verstel publish` puts everything there; a second run changes nothing; what others changed is left alone."""
    count = len(artefacts())
    first = _publish(site)
    assert first.exit_code == 0, first.output
    assert first.output.endswith(f"{count} artefacts: {count} created.\n"), first.output[-300:]
    second = _publish(site)
    assert (second.exit_code, second.output) == (0, f"{count} artefacts: {count} unchanged.\n"), second.output
    (hoop,) = site.store.search(Query.of("Questionnaire", url=CATALOGUE.instruments["hoop"].url))
    site.store.write(Write("update", {**hoop.resource, "title": "Somebody else's title"}))
    third = _publish(site)
    assert third.exit_code == 1, third.output
    assert third.output.startswith("LEFT ALONE: Questionnaire/hoop"), third.output
    assert third.output.endswith(f"{count} artefacts: 1 LEFT ALONE, {count - 1} unchanged.\n"), third.output


def _publish(site: Site) -> Result:
    return CliRunner().invoke(publish.command, ["--to", site.store.base])


def check_scores_of_a_whole_server(site: Site) -> None:
    """`verstel score --from` stores what other form programs left out, each once; a second run has nothing to do."""
    made = [site.response(name) for name in ("hoop", "mansa", "nel")]
    left = [{name: value for name, value in one.items() if name != "identifier"} for one in made]
    stored = [site.store.write(Write("create", one)).resource for one in left]
    with_scores = site.store.write_all(_unit(site.response()))
    said = _score_from(site)
    assert int(said.partition(" responses read: ")[2].split()[0]) >= len(stored), said
    scores = {one.resource["id"]: one.resource for one in site.store.search(_scores_of(site))}
    found, looked_at = differences([*stored, with_scores[0].resource, *scores.values()], CATALOGUE)
    rules = [rule for name in ("hoop", "mansa", "nel", "hoop") for rule in CATALOGUE.instruments[name].scores]
    assert (found, looked_at) == ([], len(rules)), (found, looked_at)
    assert ": 0 scored, " in (again := _score_from(site)), again
    assert {one.resource["id"] for one in site.store.search(_scores_of(site))} == set(scores)


def _score_from(site: Site) -> str:
    """Fill in what the server misses; what the other checks left there may be refused, and is none of ours."""
    done = CliRunner().invoke(cli.main, ["score", "--from", site.store.base])
    assert done.exit_code in (0, 1), done.output
    assert "Stopped before the end" not in done.stderr, done.stderr
    return done.stdout


def _scores_of(site: Site) -> Query:
    return Query.of("Observation", patient=site.patient.resource["id"], _count="500")


def check_capability_check_places_everything_here(site: Site) -> None:
    """The capability check finds that this server takes all we write, in one transaction, and so keeps it here."""
    found = report(site.store.base, site.store.capabilities(), None, scopes=DEFAULT_SCOPES, companion=False)
    elsewhere = [artefact.name for artefact in found.artefacts if artefact.place != "ehr"]
    assert elsewhere == ["the plan as a document"], elsewhere  # needed only where an EHR keeps no plans
    assert found.transaction
    # Nobody can sign in on a bare FHIR server, and the check says so.
    assert not found.usable


def check_companion_of_an_ehr(site: Site) -> None:
    """As companion of an EHR the server keeps what is about the EHR's people, and finds it by them."""
    companion = CompanionStore(site.store, "https://ehr.example/fhir")
    person = {"reference": f"Patient/{uuid.uuid4()}", "display": "Noor Bakker (voorbeeld)"}
    made = {**site.response(), "subject": person, "author": person, "source": person}
    response, *scores = companion.write_all(_unit(made))
    assert response.resource["subject"]["reference"] == person["reference"]
    found = companion.search(Query.of("Observation", patient=person["reference"], category="survey"))
    assert len(found) == len(scores), f"{len(found)} of {len(scores)}"
    assert {one.reference for one in found} == {one.reference for one in scores}
    assert {one.resource["subject"]["reference"] for one in found} == {person["reference"]}


def check_others_read_what_we_wrote(site: Site) -> None:
    """`fhirclient` and `fhir.resources`, which know nothing of us, read a response, its scores and a plan."""
    written = site.store.write_all(_unit(site.response()))
    writes = _writes(site, _stored_plan(site), _plan())
    written += site.store.write_all(writes)
    for one in written:
        get_fhir_model_class(one.resource["resourceType"]).model_validate(one.resource)
    server = fhirclient.client.FHIRClient(settings={"app_id": "verstel", "api_base": site.store.base}).server
    response = fhirclient.models.questionnaireresponse.QuestionnaireResponse.read(written[0].resource["id"], server)
    assert response.authored.isostring == written[0].resource["authored"]
    plan = fhirclient.models.careplan.CarePlan.read(written[-1].resource["id"], server)
    step = plan.activity[0].reference.resolved(fhirclient.models.task.Task)
    assert step.description == "Een keer gaan kijken"
    assert plan.subject.reference == site.patient.reference


def check_profiles_travel(site: Site) -> None:
    """What the app wrote still says which of our profiles it follows after the server kept it."""
    response, *scores = site.store.write_all(_unit(site.response()))
    profiles = {url for one in (response, *scores) for url in one.resource["meta"]["profile"]}
    wanted = ("recovery-response", "recovery-score", "recovery-score-panel")
    assert profiles == {structure_url(name) for name in wanted}


CHECKS: tuple[Callable[[Site], None], ...] = tuple(
    value for name, value in sorted(globals().items()) if name.startswith("check_")
)


def _plan() -> Plan:
    def urn() -> str:
        return f"urn:uuid:{uuid.uuid4()}"

    goals = (
        Goal(
            id=urn(),
            text=WORDS,
            domain="daytime-activity",
            start="2026-03-02",
            due="2026-09-01",
            progress="improving",
            progress_date="2026-05-11",
            steps=(Step(id=urn(), text="Een keer gaan kijken", who="Ik, samen met Karim", due="2026-04-01"),),
        ),
        Goal(id=urn(), text="Beter slapen", domain="physical-health", start="2026-03-02"),
    )
    domain = DomainAnswers("daytime-activity", now=WORDS, change="Iets doen", how="Samen", support="Mijn zus")
    return Plan(
        id=urn(),
        texts={"story": (WORDS,), "strengths": ("Ik luister goed",), "stressors": (WORDS,)},
        domains=(domain,),
        goals=goals,
    )


def _writes(site: Site, before: stored.StoredPlan, after: Plan) -> list[Write]:
    return stored.writes(before, after, known=CATALOGUE, patient=site.person(), author=site.person(), language="nl")


def _stored_plan(site: Site) -> stored.StoredPlan:
    found = [
        [Record(one.resource, one.etag or _tag(one), "ehr") for one in site.store.search(query)]
        for query in stored.queries(site.patient.resource["id"])
    ]
    return stored.read_plan(found, known=CATALOGUE, issuer=site.store.base, patient=site.patient.reference, now=NOW)


def _tag(stored: Stored) -> str:
    return f'W/"{stored.resource["meta"]["versionId"]}"'


# ---- starting and ending --------------------------------------------------------------------------------------------


def sekmet() -> list[str]:
    """Return the command that starts sekmet-fhir, in a virtual environment of its own."""
    folder = CACHE / "sekmet"
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    if not stamp.is_file() or stamp.read_text() != SEKMET:
        commands = [
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", SEKMET],
        ]
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
            if done.returncode != 0:
                raise NotHereError(f"{SEKMET} can't be installed: {done.stderr.strip()[-300:]}")
        stamp.write_text(SEKMET)
    data = CACHE / "conformance" / "sekmet-data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    launcher = Path(__file__).with_name("sekmet_launcher.py")
    return [str(python), str(launcher), str(data), str(SEARCH_PARAMETERS)]


def medplum() -> list[str]:
    """Return the command that starts Medplum's FHIR router with its store in memory."""
    try:
        node, modules = npm.program("node"), npm.install(MEDPLUM, CACHE / "conformance" / "medplum").resolve()
    except npm.MissingToolError as error:
        raise NotHereError(str(error)) from error
    return [node, "--experimental-websocket", str(MEDPLUM / "server.mjs"), str(modules)]


SERVERS: dict[str, Callable[[], list[str]]] = {"hapi": hapi, "sekmet": sekmet, "medplum": medplum}
WALKED = [*SERVERS][: size("servers on which journeys are walked")]
"""Medplum is the last: its router looks through all that it has each time, and journeys take longest there."""
KNOWN_AS = {
    "hapi": ("HAPI FHIR JPA", version("server", "hapi.version")),
    "sekmet": ("sekmet-fhir", SEKMET.partition("==")[2]),
    "medplum": ("Medplum's FHIR router", npm.version(MEDPLUM, "@medplum/fhir-router")),
}
"""What docs/strangers.md calls each, and its version."""
NOTES = {
    "medplum": "its store in memory and its validator are Medplum's own, the way over HTTP and the CapabilityStatement"
    " are ours; sign-in, access policies and the database are in Medplum's server, which is in no package registry",
}
"""What else that page says of one."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a server can't do: `said` stands in what the check says of it then, `why` is the reason."""

    said: str
    why: str


LIMITS: Mapping[str, Mapping[str, Limit]] = {
    "medplum": {
        "check_half_a_unit_is_no_unit": Limit(
            "with status 412", "without the feature transaction-bundles a transaction is done part by part"
        ),
        "check_two_people_change_one_plan": Limit(
            "with status 412", "without that feature the second one hears it of a part only, and the app looks again"
        ),
        "check_trend_in_order_and_whole": Limit(
            "10 of 24", "its store in memory names no next page where a search asks for pages"
        ),
        "check_companion_of_an_ehr": Limit("0 of 7", "it finds nothing by a reference to another server's Patient"),
    },
}
"""What does not hold on a server, by check: known, and named on docs/strangers.md."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What did not hold on a server, one line each: as known, and otherwise."""

    known: tuple[str, ...]
    failed: tuple[str, ...]


def judged(name: str, said: Mapping[str, str | None], limits: Mapping[str, Limit]) -> Judged:
    """Judge what each check said of a server: None where it held. A limit that is none any more has failed too."""
    wrong = {check: words for check, words in said.items() if words is not None}
    known = [check for check, words in wrong.items() if check in limits and limits[check].said in words]
    gone = [check for check in limits if check in said and check not in wrong]
    return Judged(
        tuple(f"{name}: {check}: {limits[check].why}" for check in known),
        (
            *(f"{name}: {check}: {words}" for check, words in wrong.items() if check not in known),
            *(f"{name}: {check}: holds now: take it out of LIMITS" for check in gone),
        ),
    )


def run_checks(name: str, base: str) -> Judged:
    """Run every check on one server, print a line for each, and return what did not hold."""
    store, limits = RemoteStore(base), LIMITS.get(name, {})
    said: dict[str, str | None] = {}
    for check in CHECKS:
        sentence = (check.__doc__ or "").strip()
        try:
            check(Site(name, store))
        except (AssertionError, RecordError) as error:
            said[check.__name__] = words = str(error)[:800]
            known = judged(name, {check.__name__: words}, limits).known
            print(f"{name}: {'NOT' if known else 'FAILED'}: {sentence}\n    {check.__name__}: {words}", flush=True)
        else:
            said[check.__name__] = None
            print(f"{name}: {sentence}", flush=True)
    return judged(name, said, limits)


def run_journeys(name: str, base: str) -> list[str]:
    """Walk the client's and the clinician's journeys with their records on one server and return what failed."""
    began = time.monotonic()
    try:
        wrong = journeys_on(name, RemoteStore(base))
    except (AssertionError, RecordError, RuntimeError) as error:
        wrong = [f"{type(error).__name__}: {str(error)[:800]}"]
    for line in wrong:
        print(f"{name}: FAILED: journeys in a browser: {line}", flush=True)
    if not wrong:
        print(
            f"{name}: A client and a clinician do all they come to do in a browser, and all of it lands here"
            f" ({time.monotonic() - began:.0f} s).",
            flush=True,
        )
    return [f"{name}: journeys: {line}" for line in wrong]


def main(names: list[str]) -> int:
    """Run the checks and the journeys on the named servers (all by default) and return the exit code."""
    failed: list[str] = []
    known: list[str] = []
    missing: list[str] = []
    for name in names or SERVERS:
        began = time.monotonic()
        try:
            with running(SERVERS[name](), CACHE / "conformance" / f"{name}.log") as base, patience():
                print(f"{name}: ready after {time.monotonic() - began:.0f} s", flush=True)
                found, of = run_checks(name, base), len(CHECKS)
                wrong = [*found.failed]
                if name not in names and name not in WALKED:
                    print(f"{name}: the journeys are walked there in a whole run", flush=True)
                elif CHROMIUM is None:
                    missing.append(f"the journeys on {name}")
                    print(f"{name}: no Chromium here: the journeys were not walked", file=sys.stderr)
                else:
                    wrong += run_journeys(name, base)
                    of += 1
                system, release = KNOWN_AS[name]
                strangers.held(system, of, [*found.known, *wrong], version=release, note=NOTES.get(name, ""))
                known += found.known
                failed += wrong
        except NotHereError as error:
            missing.append(name)
            strangers.missing(KNOWN_AS[name][0], error)
            print(f"{name}: did not run: {error}", file=sys.stderr)
        except BuildError as error:
            failed.append(f"{name}: {error}")
            strangers.held(KNOWN_AS[name][0], len(CHECKS), [f"{name}: {error}"])
            print(f"{name}: {error}", file=sys.stderr)
    ran = [name for name in names or SERVERS if name not in missing]
    limits = f", {len(known)} cannot hold there" if known else ""
    print(f"FHIR servers: {len(CHECKS)} checks on {', '.join(ran) or 'none'}: {len(failed)} failed{limits}")
    return 1 if failed else 3 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
