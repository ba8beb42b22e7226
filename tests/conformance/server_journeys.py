"""The client's and the clinician's whole journeys in a browser, with the records on a FHIR server of strangers.

The sandbox signs people in; what the app reads and writes after that goes to the server under test. Nothing may stay
behind in the sandbox or in the app's own store, and what landed is written down for HL7's validator.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from fhir.resources.R4B import get_fhir_model_class
from playwright.sync_api import Error as PlaywrightError

from mappers.assignment import assignment_of, is_assignment
from mappers.observations import scores_from
from mappers.plan import PLAN_SYSTEM, plan_of
from mappers.scoring import score
from mappers.tolerant import code_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from scripts.tour import chromium
from smartapp.courier import Courier
from smartapp.fhir.remote import RemoteStore
from smartapp.fhir.store import Query, RecordStore, Write
from smartapp.sandbox.seeding import seed
from smartapp.services import KEY, Services
from tests.conformance.journeys import walk
from tests.conformance.starting import LONG_SECONDS
from tests.conformance.validate import WRITTEN
from tests.conftest import serve

# Each after those that it refers to, for servers that demand that what is referred to exists.
PEOPLE = ("Practitioner", "Patient", "RelatedPerson", "CareTeam")
RECORDS = ("QuestionnaireResponse", "Observation", "CarePlan", "Goal", "Task")
SENT = {
    "yara": ("hoop", "nel", "mhcs", "mansa", "mansa-short", "sdm-visit"),
    "iwan": ("hoop",),
}


def journeys_on(name: str, store: RemoteStore) -> list[str]:
    """Walk the journeys with the records on this server and return what is not as it must be, one line each."""
    with contextlib.contextmanager(serve)() as server, chromium() as browser:
        core: Services = server.app.extensions[KEY]
        seed(server.sandbox, datetime.now(UTC))
        for kind in PEOPLE:
            for person in server.sandbox.store.search(Query.of(kind)):
                store.write(Write("update", person.resource))
        core.local_ehrs[server.base] = store
        before = _census(server.sandbox.store)
        courier = Courier(core, pause=0.5)
        courier.start()
        try:
            walk(browser, server)
            _all_arrived(core)
        except PlaywrightError as error:
            pages = [page.url.removeprefix(server.url) for context in browser.contexts for page in context.pages]
            return [f"stopped at one of {', '.join(pages)}: {error.message}"]
        finally:
            courier.stop()
            courier.join()
        stayed = {"sandbox": _census(server.sandbox.store) - before, "own store": _census(core.own_store(server.base))}
    wrong = [f"{count} {kind} stayed in the {where}" for where, left in stayed.items() for kind, count in left.items()]
    for old in WRITTEN.glob(f"{name}-*.json"):
        old.unlink()
    for person in SENT:
        landed = {kind: _landed(store, kind, person) for kind in RECORDS}
        _write_down(name, landed)
        wrong += [f"{person}: {line}" for line in misses(person, landed)]
    return wrong


def misses(person: str, landed: Mapping[str, list[Resource]]) -> list[str]:
    """Return how what a server holds of a person differs from what the journeys did, one line each."""
    catalogue = Catalogue()
    instruments = [catalogue.instruments[id_] for id_ in SENT[person]]
    goal_words, step_words = "Ik wil voor de zomer in een eigen kamer met keuken wonen.", "De woningsite opzoeken"
    living = {one.canonical for one in catalogue.living.values()}
    records = (one for one in catalogue.instruments.values() if one.kind == "record")
    together = {one.canonical for one in records if one.subject == "person"}
    written = [one["questionnaire"] for one in landed["QuestionnaireResponse"]]
    responses = [one for one in written if one not in living]
    answered = sorted(one for one in responses if one not in together)
    talked = "sdm-visit" in SENT[person]
    scored = sorted(point.code for point in scores_from(landed["Observation"]))
    asked = [assignment_of(one) for one in landed["Task"] if is_assignment(one)]
    steps = [one for one in landed["Task"] if code_in(one, "code", PLAN_SYSTEM) == "recovery-step"]
    others = [
        code for one in landed["Task"] if (code := code_in(one, "code", PLAN_SYSTEM)) not in ("", "recovery-step")
    ]
    facts = {
        "responses": (answered, sorted(one.canonical for one in instruments)),
        "scores": (scored, sorted(one.rule.code for made in instruments for one in score(made, {}))),
        "assignments, and whether they wait": (
            [one.waiting for one in asked],
            [False] if talked else [],
        ),
        "living forms": (
            sorted(one for one in written if one in living),
            sorted(catalogue.living[form].canonical for form in ("story", "strengths", "stressors")),
        ),
        "decisions and medicines": (
            sorted(one for one in responses if one in together),
            sorted(together if talked else []),
        ),
        "marks and agreements": (sorted(others), ["agreed-step", "talking-point"] if talked else []),
        "own notes": (sum("valueString" in one for one in landed["Observation"]), 1 if talked else 0),
        "goals": ([one["description"]["text"] for one in landed["Goal"]], [goal_words]),
        "steps": ([one["description"] for one in steps], [step_words]),
        "plans": (len(landed["CarePlan"]), 1),
    }
    lines = [f"{what}: {found} instead of {wanted}" for what, (found, wanted) in facts.items() if found != wanted]
    if not lines:
        plan = plan_of(landed["CarePlan"][0], landed["Goal"], steps, known=catalogue)
        if "Ik wil een plek voor mijzelf." not in {domain.change for domain in plan.domains}:
            lines.append("the plan does not hold the client's words")
    return lines


def _all_arrived(core: Services) -> None:
    """Wait for what the courier still carries; what stays behind after that is counted."""
    until = time.monotonic() + LONG_SECONDS
    while core.outbox.backlog() and time.monotonic() < until:
        time.sleep(0.5)


def _landed(store: RecordStore, kind: str, patient: str) -> list[Resource]:
    return [one.resource for one in store.search(Query.of(kind, patient=f"Patient/{patient}"))]


def _census(store: RecordStore) -> Counter[str]:
    return Counter({kind: len(found) for kind in RECORDS if (found := store.search(Query.of(kind)))})


def _write_down(name: str, landed: Mapping[str, list[Resource]]) -> None:
    """Keep what landed for HL7's validator, after `fhir.resources`, which knows nothing of us, has read it."""
    WRITTEN.mkdir(parents=True, exist_ok=True)
    for kind, found in landed.items():
        for resource in found:
            get_fhir_model_class(kind).model_validate(resource)
            file = WRITTEN / f"{name}-{kind}-{resource['id']}.json"
            file.write_text(json.dumps(resource, ensure_ascii=False), encoding="utf-8")
