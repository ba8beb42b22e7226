"""Attack 35: a record whose resources were changed at random. Every page is a page, or an error that was foreseen.

150 pages here; `MUTATED_PAGES=2500 MUTATED_SEED=23` in the environment for more, as `make conformance-whole` does. A
page that fails is named with its number: `MUTATED_ONLY=17` opens that one alone.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import orjson
import pytest
from sqlalchemy.engine import Engine

from mappers.circle import Member
from mappers.living import Content, content_of
from mappers.sharing import parts_in
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.access import table
from smartapp.fhir.companion import CompanionStore
from smartapp.fhir.own.search import definitions
from smartapp.fhir.store import Query, RecordStore
from smartapp.sandbox import make_sandbox
from smartapp.sandbox.seeding import seed
from smartapp.services import Services
from smartapp.web.written import short
from tests.smartapp.helpers import EHR, Visitor, launched, put_circle, share_with
from tests.smartapp.pages.living.forms import pages_of as pages_of_form
from tests.smartapp.pages.mutants import Mutating, mutated

PAGES = int(os.environ.get("MUTATED_PAGES", "150"))
SEED = int(os.environ.get("MUTATED_SEED", "23"))
ONLY = os.environ.get("MUTATED_ONLY", "")
FORESEEN = {200, 303, 403, 404, 409, 422, 502, 503}

PERSON = "noor"
KEY_OF_FORM = "3f7d8a0e-0000-4000-8000-000000000001"
DRAFTED = "hoop"


def resources(engine: Engine) -> list[Resource]:
    """Return everything that the sandbox holds about one person, with the same ids in every run."""
    sandbox = make_sandbox(engine, "http://127.0.0.1:1", clients=(), name="people")
    seed(sandbox, datetime(2026, 11, 22, 15, 0, tzinfo=UTC), only=[PERSON], issuer=EHR)
    found = [
        stored.resource
        for type_, kind in definitions().items()
        if "patient" in kind.params
        for stored in sandbox.store.search(Query.of(type_, patient=PERSON))
    ]
    texts = sorted((orjson.dumps(one).decode() for one in found), key=lambda text: UUID.sub("", text))
    numbers: dict[str, str] = {}
    steady = [UUID.sub(lambda uuid: numbers.setdefault(uuid[0], _uuid(len(numbers))), text) for text in texts]
    return [orjson.loads(text) for text in steady]


def everything(store: RecordStore) -> list[Resource]:
    types = ("Goal", "Observation", "QuestionnaireResponse", "Task")
    return [one.resource for type_ in types for one in store.search(Query.of(type_))]


# Those that were drawn; others follow from names, and are the same in every run.
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def _uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def ids(found: list[Resource], type_: str) -> list[str]:
    return [one["id"] for one in found if one["resourceType"] == type_]


def pages_of(found: list[Resource]) -> list[tuple[str, str, dict[str, str]]]:
    """Return what may be opened or sent: the role, the address, and the form ({}: opened)."""
    client = [
        "",
        "scores/",
        "plan/",
        "plan/story",
        "living/intake/to-plan",
        "living/story/story/",
        "plan/story",
        "plan/domains",
        "plan/goals/new",
        "questionnaires/",
        "who-looked/",
        "who-looked/who-looked.pdf",
        "appointments/x.ics",
    ]
    client += ["course/", "course/x/moments/start"]
    client += ["kept/", "unsent/", "unsent/x/discard", f"plan/goals/by-key/{KEY_OF_FORM}"]
    client += [f"plan/goals/by-key/{KEY_OF_FORM}/words", "visits/agreements/x"]
    client += ["plan/domains/meaning/", "plan/domains/meaning/now"]
    client += [f"scores/{one}/" for one in catalogue().instruments]
    client += [
        "help/",
        "take-along/",
        "take-along/all.json",
        "take-along/all.pdf",
        "take-along/bring-in",
        "take-along/bring-in/look",
        "take-along/leave",
        "take-along/leave/sure",
        "phase/",
        "links/",
        "links/new",
        "reminders/",
        "sharing/",
        "sharing/form.story",
        "sharing/domain.meaning",
        "sharing/reuse/",
        "team/",
        "team/x/",
        "team/x/marks/",
        "team/x/team.json",
        "scores/nel/note",
        "scores/scores.pdf",
        "scores/nel/scores.pdf",
        "plan/plan.pdf",
        "plan/history",
        "questionnaires/hoop/parts/hoop-statements",
    ]
    client += [f"questionnaires/{one}/" for one in catalogue().asked]
    client += [f"questionnaires/{DRAFTED}/{page}" for page in ("again", "review", "pause", "questions/hoop-01")]
    client += [
        "people/",
        *(f"people/{page}" for page in ("new/", "new/loved-one/", "new/supporter/x/", "x/", "x/change")),
    ]
    client += ["people/new/RelatedPerson/mila/", "people/new/Practitioner/joost-terpstra/"]
    living, written = list(catalogue().living.values()), living_in(found)
    client += ["living/", *(page for content in written for _endpoint, page in pages_of_form(content))]
    client += ["plan/story", *(f"living/{form.id}/to-plan" for form in living)]
    client += ["living/wishes/list/x/professional/"]  # no form of ours has a part of a professional in rows
    carried = [f"living/{one.id}" for one in catalogue().living.values() if one.living and one.living.card]
    taken_along = [f"{one}/{page}" for one in carried for page in ("paper.pdf", "card", "card.pdf")]
    client += [*taken_along, *(f"{one}/{page}" for one in carried for page in ("copy", "copy.html"))]
    responses = ids(found, "QuestionnaireResponse")
    client += ["answers/", *(f"answers/{id_}/" for id_ in responses)]
    client += [f"questionnaires/responses/{id_}" for id_ in responses[:1]]
    client += [f"answers/{id_}/answers.pdf" for id_ in responses[:2]]
    client += [f"{page}{responses[0]}/nel-01" for page in ("answers/", "plan/goals/new/from/")]
    client += [f"plan/goals/{ids(found, 'Goal')[0]}/steps/new/from/{responses[0]}/nel-01"]
    for id_ in ids(found, "Goal"):
        client += [
            f"plan/goals/{id_}{rest}" for rest in ("/", "/words", "/progress", "/end", "/steps/new", "/history", "/now")
        ]
        client += [f"plan/goals/{id_}/steps/by-key/{KEY_OF_FORM}"]
    for step in (one for one in found if one["resourceType"] == "Task"):
        goal = re.search(r"Goal/([\w-]+)", orjson.dumps(step).decode())
        client += [f"plan/goals/{goal[1]}/steps/{step['id']}"] if goal else []
    # The days of conversations: an agreement says when it was made.
    talked = [one["authoredOn"][:10] for one in found if one["resourceType"] == "Task" and "reasonReference" in one]
    client += [f"plan/goals/{page}" for page in ("by-key/x/words", "x/steps/by-key/x")]
    client += ["visits/agreements/x", "visits/", f"visits/{talked[0]}", f"visits/{talked[0]}/conversation.pdf"]
    clinician = [
        "overview/",
        "overview/plan",
        "scores/",
        "assignments/",
        "assignments/new",
        "course/",
        "course/begin",
        "door/",
        "answers/",
        *(f"overview/together/{page}" for page in ("", "now", "medicines", "medicines/new", "discuss", "report")),
        *(f"overview/together/{page}" for page in ("options/1", "agree/1", "agreements/x", f"report/{talked[0]}")),
    ] * 4
    # About a team nothing is read of a record.
    clinician += [f"team/x/{page}" for page in ("rounds/", "told/new/", "actions/new/", "panels/new/", "ropi/")]
    clinician += ["team/x/ropi/2026/mine/", "team/x/ropi/2026/agreed/"]
    clinician += [f"answers/{id_}/" for id_ in responses]
    clinician += [f"living/{one.id}/?together=1" for one in living]
    clinician += [f"living/{one.id}/theme/{short(one, group.link_id)}" for one in living for group in one.groups]
    clinician += ["overview/together/write"]
    clinician += ["overview/overview.pdf", "overview/plan.pdf", *taken_along]
    clinician += [f"overview/together/report/{talked[0]}/conversation.pdf"]
    shared = [
        "form.story",
        "crisis",
        "domain.meaning",
        "phase",
        "scores",
        "notes",
        "answers",
        "talks",
        "course",
        "circle",
    ]
    loved_one = ["loved-one/", *(f"loved-one/shared/{part}/" for part in shared), "help/"] * 3
    marked = [one["id"] for one in found if "valueCodeableConcept" in one][:2]
    forms = {
        "living/story/story/": {"story-story": "Ik zing weer.", "seen-story-story": "x"},
        "living/wishes/list/new": {"wishes-wish": "Een tuin", "key": KEY_OF_FORM},
        **{f"living/{press}": {"seen": "x"} for press in wish_presses(written)},
        "plan/domains": {"domains": "meaning", "seen-domains": "x"},
        "look-again/story/not-now": {"not-now": "1"},
        "phase/": {"phase": "struggling", "words": "Vandaag.", "key": KEY_OF_FORM},
        **{f"phase/{id_}/remove": {"seen": "x"} for id_ in marked},
        "people/new/RelatedPerson/mila/": {"name": "Mila", "role": "loved-one", "key": KEY_OF_FORM},
        "plan/goals/new": {"text": "Weer werken", "domain": "meaning", "key": KEY_OF_FORM},
        f"questionnaires/{DRAFTED}/submit": {"identifier": "x"},
        f"questionnaires/{DRAFTED}/questions/hoop-01": {"answer": "2", "next": "1"},
    }
    asked = {"questionnaire": "nel", "message": "Samen bekijken?", "key": "k"}
    return [
        *(("client", page, {}) for page in client),
        *(("clinician", page, {}) for page in clinician),
        *(("loved-one", page, {}) for page in loved_one),
        *(("own-clients", page, {}) for page in ("caseload/", "caseload/fresh", "group/") * 4),
        ("own-clients", "group/", {"programme": "three-moments", "start": "2026-11-22", "clients": PERSON}),
        *(("client", page, form) for page, form in forms.items()),
        ("clinician", "assignments/new", asked),
    ]


def living_in(found: list[Resource]) -> list[Content]:
    """Return what is written in living forms."""
    forms = {form.canonical: form for form in catalogue().living.values()}
    return [content_of(one, forms[one["questionnaire"]]) for one in found if one.get("questionnaire") in forms]


def wish_presses(living: list[Content]) -> list[str]:
    """Return the buttons of one row."""
    wishes = next(content for content in living if content.form.id == "wishes")
    key = wishes.rows_of("wishes-list")[1].key
    return [f"wishes/list/{key}/{press}" for press in ("", "up", "down", "remove")]


def test_every_page_of_a_launch_is_among_them(people):
    """A page that is added later is added here."""
    client = people["client"]
    urls = client.app.url_map.bind("localhost")
    found = everything(client.ehr)
    opened = {urls.match(client.url(page).partition("?")[0])[0] for _role, page, form in pages_of(found) if not form}
    below = {rule.endpoint for rule in client.app.url_map.iter_rules() if "launch_id" in rule.arguments}
    with_page = {rule.endpoint for rule in client.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    on_device = {"door.begin", "door.stop"}  # who has a device reads nothing of the record
    assert sorted((below & with_page) - opened - on_device) == []


@pytest.fixture
def people(app) -> dict[str, Visitor]:
    found = resources(app.extensions["verstel"].engine)
    client = launched(app, PERSON, name="Noor", resources=found)
    clinician = launched(app, PERSON, "clinician", name="Noor")
    clinician.post("assignments/new", {"questionnaire": "mhcs", "message": "Voor dinsdag.", "key": "k1"})
    mila = launched(app, PERSON, "loved-one", name="Noor")
    put_circle(app, Member("1", "Mila", role="loved-one", reference=mila.launch.user.reference), patient=PERSON)
    share_with(app, "loved-one", *parts_in(catalogue(), table().apart), patient=PERSON)
    about = {"about_nobody": True, "reference": "Practitioner/joost-terpstra", "scopes": "openid fhirUser user/*.cruds"}
    own_clients = launched(app, PERSON, "clinician", **about)
    return {"client": client, "clinician": clinician, "loved-one": mila, "own-clients": own_clients}


def opened(people, caplog, numbers: Iterable[int], hold: Callable[[RecordStore], None]) -> int:
    """Open pages of a record that is another mutant each time, which `hold` puts in its place; return how many.

    Fails where one is neither a page nor an error that was foreseen.
    """
    client = people["client"]
    store = client.ehr
    drafts = client.records.drafts
    found = everything(store)
    responses = [one for one in found if one["resourceType"] == "QuestionnaireResponse"]
    begun = next(one for one in responses if f"/{DRAFTED}" in one["questionnaire"].casefold())
    pages = pages_of(found)
    wrong: list[str] = []
    drawn = 0
    for number in numbers:
        rng = random.Random(f"{SEED}-{number}")
        role, page, form = rng.choice(pages)
        visitor = people[role]
        # A draft is our own, and may be of an older version of the app.
        drafts.change(DRAFTED, lambda _before, rng=rng: mutated({**begun, "status": "in-progress"}, rng))
        hold(Mutating(store, rng))
        caplog.clear()
        answer = visitor.post(page, form) if form else visitor.get(page)
        drawn += answer.status_code == 200
        if answer.status_code not in FORESEEN or "unforeseen" in caplog.text or "itself" in caplog.text:
            wrong.append(f"{number}: {role} {page} {answer.status}\n{caplog.text[-1500:]}")
    assert not wrong, "\n".join(wrong)
    return drawn


def test_attack_35_every_page_of_a_mutated_record_is_a_page_or_a_foreseen_error(people, caplog):
    core = people["client"].core
    drawn = opened(
        people, caplog, [int(ONLY)] if ONLY else range(PAGES), lambda mutant: core.local_ehrs.update({EHR: mutant})
    )
    assert ONLY or drawn > PAGES / 2, f"only {drawn} of {PAGES} pages were drawn: most were refused as a whole"


def test_attack_35_a_companion_server_may_say_anything_too(people, caplog, monkeypatch):
    """Beside an EHR that is sound, and with the same things about the same person."""
    number = max(1, PAGES // 5)

    def hold(mutant: RecordStore) -> None:
        monkeypatch.setattr(Services, "companion", lambda _services, issuer: CompanionStore(mutant, issuer))

    assert opened(people, caplog, range(PAGES, PAGES + number), hold) > number / 2
