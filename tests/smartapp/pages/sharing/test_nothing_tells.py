"""Nothing tells that something is hidden: with a hidden part, each page is to the byte what it is without that part.

Two records come about by the same deeds at the same moments; in one a part is there and hidden, in the other it was
never written. Who reads walks every page that a link leads to, and reads each
sheet (PDF). Only what is random is masked: ids and tokens.
"""

import datetime as dt
import html
import re

import pytest

from mappers.course import applied, care_plan_of, tasks_of
from mappers.sharing import ME
from questionnaires.canonical import questionnaire_url
from questionnaires.catalogue import catalogue
from questionnaires.programmes import programmes
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Write
from smartapp.services import KEY, Services
from tests.smartapp.helpers import EHR, launched, make_app
from tests.smartapp.pages.overview.people import filled_in, talk_about
from tests.smartapp.pages.plan.pages import fields_of, fill
from tests.smartapp.pages.plan.pdf_text import text_in
from tests.smartapp.records.test_sight import NOTE, share

DAY = 26 * 3600
READERS = ("clinician", "case-manager", "responsible", "peer-worker", "outside", "loved-one")
RANDOM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[\w-]{24,}={0,2}")
NOT_WALKED = ("logout", "assets/", "?lang", "accessibility")


class Clock:
    def __init__(self):
        self.now = 1_780_400_000.0

    def __call__(self):
        return self.now


BY = {"reference": "Practitioner/jansen", "display": "SPV J. Jansen"}
WHOLE = {"type": "CarePlan", "display": "Meten op drie momenten"}


def goal_with_step(domain):
    def do(app, anna, number):
        fill(anna, "plan/goals/new", text=f"Doel in {domain}", domain=domain)
        goal = re.search(r"plan/goals/([^/?\"]+)/", anna.get(f"plan/domains/{domain}/").text)[1]
        fill(anna, f"plan/goals/{goal}/steps/new", **{"step-text": f"Stap in {domain}", "text": f"Stap in {domain}"})

    return do


def note(app, anna, number):
    anna.records.save([Write("create", {**NOTE, "effectiveDateTime": moment(app), "identifier": named(number)})])


def look(app, _anna, _number):
    """Let everybody look at the overview, from when on things are new to them."""
    for role in READERS:
        launched(app, role=role).get("overview/")


def named(number):
    return [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:00000000-0000-4000-8000-{number:012}"}]


def day_of(services):
    return dt.datetime.fromtimestamp(services.clock(), dt.UTC)


def moment(app):
    return day_of(app.extensions[KEY]).isoformat()


def sends(instrument, answer="3"):
    def do(app, anna, number):
        store = anna.core.own_store(anna.launch.issuer) if anna.records.is_private(response(instrument)) else anna.ehr
        filled_in(store, instrument, {f"{instrument}-01": answer, f"{instrument}-02": answer}, moment(app))

    return do


def response(instrument):
    return {"resourceType": "QuestionnaireResponse", "questionnaire": questionnaire_url(instrument)}


def writes(path, **form):
    return lambda _app, anna, _number: fill(anna, path, **form)


def programme(app, anna, _number):
    """Begin a programme, as the one who may does; what is private is begun by nobody, and is the same to who reads."""
    core = app.extensions[KEY]
    day = day_of(core).date()
    course = applied(programmes()["three-moments"], day, known=catalogue(), patient="Patient/anna", today=day, by=BY)
    about = {"patient": {"reference": "Patient/anna", "display": "Anna Voorbeeld"}}
    plan = care_plan_of(course, **about, author=BY, created=moment(app), today=day)
    asked = tasks_of(course, care_plan=WHOLE, **about, requester=BY, asked_on=moment(app), known=catalogue())
    names = {id(one): f"urn:uuid:{one['identifier'][0]['value']}" for one in (plan, *asked)}
    anna.records.save([Write("create", one, full_url=names[id(one)]) for one in (plan, *asked)])


def area(domain):
    """Choose one more area of life."""

    def do(_app, anna, _number):
        chosen = re.findall(r'value="([a-z-]+)"[^>]* checked', anna.get("plan/domains").text)
        anna.post("plan/domains", {**fields_of(anna.get("plan/domains")), "domains": [*chosen, domain]})

    return do


DEEDS = (
    ("domain.finances", area("finances")),
    ("domain.housing", area("housing")),
    ("form.story", writes("living/story/story/", **{"story-story": "Mijn verhaal begint hier."})),
    ("form.wishes", writes("living/wishes/list/new", **{"wishes-wish": "Een tuin."})),
    ("domain.housing", writes("plan/domains/housing/change", change="Een eigen voordeur.")),
    ("domain.finances", writes("plan/domains/finances/now", now="Schulden van vroeger.")),
    ("domain.finances", goal_with_step("finances")),
    ("domain.housing", goal_with_step("housing")),
    ("answers.mansa-short", sends("mansa-short", "2")),
    ("notes", note),
    ("phase", writes("phase/", phase="living-with", words="Het gaat.")),
    ("answers.nel", lambda _app, anna, _number: talk_about(anna.ehr, "Dat gaat wel")),
    ("course", programme),
    ("", look),
    ("form.story", writes("living/story/story/", **{"story-story": "Mijn verhaal gaat verder."})),
    ("domain.finances", writes("plan/domains/finances/change", change="Rust op de bank.")),
)
PARTS = tuple(dict.fromkeys(part for part, _do in DEEDS if part))


def record_of(hidden, mode):
    """Return the app of a record: in which a part is hidden from the start or afterwards, or was never there."""
    clock = Clock()
    app = make_app(clock)
    core = app.extensions[KEY]
    core.local_ehrs[EHR] = OwnStore(core.engine, EHR, clock=lambda: day_of(core))
    launched(app)
    if mode == "from the start":
        share(app, **{hidden.replace(".", "__"): ME})
    for number, (part, do) in enumerate(DEEDS):
        clock.now += DAY
        if mode != "never there" or part != hidden:
            do(app, launched(app), number)
    clock.now += DAY
    if mode == "afterwards":
        anna = launched(app)
        seen = re.search(r'name="seen" value="([^"]*)"', anna.get(f"sharing/{hidden}").text)[1]
        assert anna.post(f"sharing/{hidden}", {"who": "me", "seen": seen}).status_code == 303
    return app


def walked(app, role):
    """Return every page that somebody finds by following links, masked, in the order in which they come to it."""
    other = launched(app, role=role)
    pages, to_come, been = [], [""], set()
    while to_come and len(pages) < 150:
        path = to_come.pop(0)
        if path in been:
            continue
        been.add(path)
        page = other.get(path, follow_redirects=True)
        sheet = page.mimetype == "application/pdf"  # its words come without spaces, and with nothing random
        said = text_in(page.data) if sheet else page.text
        text = said if sheet else RANDOM.sub("ID", said.replace(other.launch.id, "LAUNCH"))
        pages.append((RANDOM.sub("ID", path), page.status_code, text))
        links = re.findall(r'href="([^"#]*)', said)
        mine = [html.unescape(one).partition(f"/l/{other.launch.id}/")[2] for one in links]
        to_come += [one for one in dict.fromkeys(mine) if one and not any(part in one for part in NOT_WALKED)]
    return pages


@pytest.fixture(scope="module")
def there():
    """Return the pages of a record by part, mode and reader, each record made once."""
    apps, pages, kept_as = {}, {}, Services._kept_as

    def at_their_time(services, tenant):
        store = kept_as(services, tenant)
        store._clock = lambda: day_of(services)
        return store

    def get(part, mode, role):
        if (part, mode) not in apps:
            apps[part, mode] = record_of(part, mode)
        if (part, mode, role) not in pages:
            pages[part, mode, role] = walked(apps[part, mode], role)
        return pages[part, mode, role]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Services, "_kept_as", at_their_time)
        yield get
    for app in apps.values():
        app.extensions[KEY].engine.dispose()


QUICK = (
    ("course", "afterwards", "clinician"),
    ("course", "from the start", "peer-worker"),
    ("domain.finances", "afterwards", "clinician"),
    ("form.story", "from the start", "peer-worker"),
    ("phase", "afterwards", "outside"),
)
ALL = [(part, mode, role) for part in PARTS for mode in ("from the start", "afterwards") for role in READERS]


@pytest.mark.parametrize(
    ("part", "mode", "role"),
    [*QUICK, *(pytest.param(*one, marks=pytest.mark.thorough) for one in ALL if one not in QUICK)],
)
def test_each_page_is_the_same_as_without_it(there, part, mode, role):
    hidden, never = there(part, mode, role), there(part, "never there", role)
    assert [one[:2] for one in hidden] == [one[:2] for one in never]
    for one, other in zip(hidden, never, strict=True):
        assert one[2].splitlines() == other[2].splitlines(), one[0]


def test_sheets_are_read_too(there):
    seen = there("form.story", "never there", "clinician")
    sheets = "".join(text for path, status, text in seen if path.endswith(".pdf") and status == 200)
    assert "Eentuin." in sheets
    assert "Doelinhousing" in sheets


def test_there_is_something_to_hide(there):
    seen = there("form.story", "never there", "clinician")
    shown = "".join(page for _path, _status, page in seen)
    for words in (
        "Een tuin.",
        "Een eigen voordeur.",
        "Schulden van vroeger.",
        "Doel in housing",
        "Het gaat.",
        "Meten op drie momenten",
    ):
        assert words in shown
    assert len(seen) > 10
