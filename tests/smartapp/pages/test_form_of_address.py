"""Each page speaks to its reader in one way, *je* or *u*; only quotations and what people wrote stand as they are."""

from __future__ import annotations

import datetime as dt
import html
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import pytest
from flask import Flask

from mappers.agreements import is_agreement
from mappers.plan import Goal, Plan
from mappers.sharing import parts_in
from questionnaires.catalogue import catalogue
from questionnaires.model import Group, Instrument, Item
from questionnaires.programmes import programmes
from smartapp.access import table
from smartapp.fhir.store import Query, Refused, Unreachable, Write
from smartapp.offer import EXAMPLE, read_offer
from smartapp.pages.door.opening import OVER
from smartapp.pages.living.earlier import typed_by_client
from smartapp.services import KEY
from smartapp.settings import Issuer, TeamHere
from smartapp.web.written import short
from tests.smartapp.helpers import EHR, Visitor, launched, make_app, share_with
from tests.smartapp.pages.overview.people import filled_in, hope, talk_about, visit
from tests.smartapp.pages.plan.conftest import HALFWAY, Clock, put
from tests.smartapp.pages.plan.pages import fields_of, fill

JE = re.compile(r"\b(je|jij|jou|jouw|jezelf|jullie)\b", re.IGNORECASE)
U = re.compile(r"\b(u|uw|uzelf)\b", re.IGNORECASE)
KNOWN = catalogue()
# What stands as its source has it, and what completes such a sentence.
QUOTED = sorted(
    {item.text.nl for one in KNOWN.instruments.values() for group in one.groups for item in group.items if item.quoted}
    | {
        text.nl.removesuffix(" …")
        for one in KNOWN.instruments.values()
        for group in one.groups
        if group.quoted and group.help
        for text in (group.help, *(item.text for item in group.items))
    },
    key=len,
    reverse=True,
)
ASKED = list(KNOWN.asked.values())
LIVING = list(KNOWN.living.values())
CARRIED = [one for one in KNOWN.living.values() if one.living and one.living.card and one.living.offline]
CLIENT = [
    "",
    "who-looked/",
    "take-along/",
    "questionnaires/",
    "answers/",
    "help/",
    "scores/",
    "plan/",
    "plan/domains",
    "plan/domains?family=1",
    "plan/domains/finances/",
    "plan/domains/finances/now",
    "plan/domains/finances/all",
    "plan/goals/new",
    "living/",
    *(f"living/{form}/" for form in KNOWN.living),
    *(f"questionnaires/{one.id}/" for one in ASKED),
    *(f"questionnaires/{one.id}/questions/{item.link_id}" for one in ASKED for item in (one.items[0], one.items[1])),
    *(f"questionnaires/{one.id}/review" for one in ASKED[:1]),
    *(f"questionnaires/{one.id}/pause" for one in ASKED[:1]),
    *(f"scores/{one.id}/" for one in ASKED if one.scores),
    "/offline/",
    "/view",
    "nowhere",
]
CLINICIAN = ["overview/", "overview/plan", "overview/scores", "assignments/", "assignments/new", "answers/", "help/"]


def read(visitor: Visitor, path: str, *statuses: int) -> str:
    """Return all that a page says, its title, labels and messages of scripts too, without quotations."""
    page = visitor.get(path)
    assert page.status_code in (statuses or (200, 404)), path
    # Of attributes only those that are sentences: form tokens are random, and any short word turns up in them one day.
    spoken = re.findall(r'(?:data-[a-z-]+|aria-label|title)="([^"]+ [^"]+)"', page.text)
    said = html.unescape(" ".join([re.sub(r"<[^>]+>", " ", page.text), *spoken]))
    for text in QUOTED:
        said = said.replace(text, "")
    return said


@pytest.fixture(scope="module", params=["je", "u"])
def place(request) -> Iterator[tuple[Flask, str]]:
    app = make_app(form_of_address=request.param)
    assert fill(launched(app), "plan/domains", domains="finances").status_code == 303
    yield app, request.param
    app.extensions[KEY].engine.dispose()


def others(said: str, form: str) -> list[str]:
    return [found[0] for found in (JE if form == "u" else U).finditer(said)]


@pytest.mark.parametrize("path", CLIENT)
def test_a_page_of_the_client_says_je_or_u_and_never_both(place, path):
    app, form = place
    assert others(read(launched(app), path), form) == []


@pytest.mark.parametrize("path", CLINICIAN)
def test_a_page_of_the_clinician_says_no_je_where_a_place_says_u(place, path):
    app, form = place
    assert others(read(launched(app, role="clinician"), path), form) == []


# --- pages of people who have everything ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Full:
    """Where somebody has a plan, answers, scores, conversations, a draft, and something that did not arrive."""

    app: Flask
    form: str
    hoop: str
    wishes: str
    goal: str
    later: str
    step: str
    days: tuple[str, ...]
    unit: str
    rows: tuple[str, ...]
    """The addresses of rows in living forms."""
    people: tuple[str, ...]
    """The addresses of the client's people."""
    shared: tuple[str, ...]
    """The addresses of what is shared with a loved one."""
    supporters: tuple[str, ...]
    """The addresses at which a supporter of the plan is put among them."""
    wish: str
    """The address at which words of a living form become a goal."""
    moments: tuple[str, ...]
    """The addresses of the moments of the programmes that are followed."""


def steps_of(form: Instrument) -> list[str]:
    """Return the names of all steps of a form, and of the page with all of its questions, where it has one."""
    singles = [item.link_id for group in form.groups if not group.many for item in group.items if item.who == "client"]
    return [*(short(form, link_id) for link_id in singles), *(["all"] if singles else []), *lists_of(form)]


def lists_of(form: Instrument) -> list[str]:
    """Return the groups of a form that are there more than once."""
    return [short(form, group.link_id) for group in form.groups if group.many]


def row_in(form: Instrument, group: Group) -> dict[str, str]:
    """Return what names a row of a group; where that is filled in beforehand, also the first thing that is asked."""

    def said(item: Item) -> str:
        offered = {"goal": GOAL_NAME, "choice": item.scale.options[0].code if item.scale else ""}
        return offered.get(item.kind, "Een stoel bij het raam.")

    asked = typed_by_client(group)[: 2 if group.per else 1]
    return {item.link_id: said(item) for item in asked}


MILA: Final = {
    "resourceType": "RelatedPerson",
    "id": "mila",
    "patient": {"reference": "Patient/anna", "display": "Anna Voorbeeld"},
    "name": [{"text": "Mila Voorbeeld"}],
}
GOAL_NAME: Final = HALFWAY.goals[0].id.removeprefix("urn:uuid:")
FULL_CLIENT: dict[str, Callable[[Full], list[str]]] = {
    "home.index": lambda _full: [""],
    "home.who_looked": lambda _full: ["who-looked/"],
    "help.index": lambda _full: ["help/"],
    "course.index": lambda _full: ["course/", "course/?news=paused"],
    "course.moment": lambda full: list(full.moments),
    "take_along.index": lambda _full: ["take-along/"],
    "take_along.leave": lambda _full: ["take-along/leave"],
    "take_along.sure": lambda _full: ["take-along/leave/sure"],
    "take_along.bring_in": lambda _full: ["take-along/bring-in"],
    "take_along.look": lambda full: [brought_in(full)],
    "kept.index": lambda _full: ["kept/"],
    "unsent.index": lambda _full: ["unsent/"],
    "unsent.ask": lambda full: [f"unsent/{full.unit}/discard"],
    "answers.index": lambda _full: ["answers/"],
    "answers.response": lambda full: [f"answers/{full.hoop}/", f"answers/{full.wishes}/"],
    "answers.answer": lambda full: [f"answers/{full.hoop}/hoop-01", f"answers/{full.wishes}/mansa-short-home-change"],
    "phase.start": lambda _full: ["phase/"],
    "sharing.index": lambda _full: ["sharing/", "sharing/?saved=saved", "sharing/?saved=waits", "sharing/?saved=stays"],
    "sharing.part": lambda _full: ["sharing/form.story", "sharing/crisis", "sharing/domain.housing", "sharing/notes"],
    "team.mirror": lambda _full: [
        f"team/fact-noord/{said}" for said in ("", "?said=gave", "?said=back", "?said=saved", "?said=planned")
    ],
    "team.index": lambda _full: ["team/"],
    "team.marks": lambda _full: ["team/fact-noord/marks/", "team/fact-zuid/marks/"],
    "sharing.reuse": lambda _full: ["sharing/reuse/", "sharing/reuse/?saved=saved"],
    "people.index": lambda _full: ["people/"],
    "people.whom": lambda _full: ["people/new/"],
    "people.new": lambda _full: ["people/new/loved-one/", "people/new/professional/"],
    "people.new_from_record": lambda _full: ["people/new/RelatedPerson/theo/"],
    "people.new_supporter": lambda full: list(full.supporters),
    "people.person": lambda full: list(full.people),
    "people.change_person": lambda full: [f"{one}change" for one in full.people],
    "plan.start": lambda _full: ["plan/"],
    "plan.part": lambda _full: [],  # it only leads on
    "plan.domains": lambda _full: ["plan/domains", "plan/domains?family=1"],
    "plan.domain": lambda _full: ["plan/domains/housing/"],
    "plan.question": lambda _full: [f"plan/domains/housing/{one.code}" for one in KNOWN.plan_questions],
    "plan.goal": lambda full: [f"plan/goals/{full.goal}/"],
    "plan.goal_words": lambda full: [f"plan/goals/{full.goal}/words"],
    "plan.goal_history": lambda full: [f"plan/goals/{full.goal}/history"],
    "plan.progress": lambda full: [f"plan/goals/{full.goal}/progress"],
    "plan.end": lambda full: [f"plan/goals/{full.goal}/end"],
    "plan.begin": lambda full: [f"plan/goals/{full.later}/now"],
    "plan.step": lambda full: [f"plan/goals/{full.goal}/steps/{full.step}"],
    "plan.new_step": lambda full: [f"plan/goals/{full.goal}/steps/new"],
    "plan.step_from_answer": lambda full: [f"plan/goals/{full.goal}/steps/new/from/{full.hoop}/hoop-01"],
    "plan.new_goal": lambda _full: ["plan/goals/new"],
    "plan.goal_from_answer": lambda full: [f"plan/goals/new/from/{full.wishes}/mansa-short-home-change"],
    "plan.earlier_versions": lambda _full: ["plan/history"],
    "questionnaire.index": lambda _full: ["questionnaires/"],
    "questionnaire.intro": lambda _full: ["questionnaires/hoop/", "questionnaires/sdm-visit/"],
    "questionnaire.part": lambda _full: [
        f"questionnaires/{one.id}/parts/{group.link_id}" for one in ASKED for group in one.groups[:2]
    ],
    "questionnaire.pause": lambda _full: ["questionnaires/hoop/pause"],
    "questionnaire.question": lambda _full: [
        f"questionnaires/{one.id}/questions/{item.link_id}" for one in ASKED for item in one.items[2:]
    ],
    "questionnaire.review": lambda _full: ["questionnaires/hoop/review", "questionnaires/sdm-visit/review"],
    "scores.index": lambda _full: ["scores/"],
    "scores.instrument": lambda _full: [f"scores/{one.id}/" for one in ASKED if one.scores],
    "scores.note": lambda _full: ["scores/hoop/note"],
    "links.index": lambda _full: ["links/"],
    "reminders.index": lambda _full: ["reminders/"],
    "links.new": lambda _full: ["links/new"],
    "living.index": lambda _full: ["living/"],
    "living.form": lambda _full: [f"living/{one.id}/" for one in LIVING],
    "living.step": lambda _full: [f"living/{one.id}/{step}/" for one in LIVING for step in steps_of(one)],
    "living.new_row": lambda _full: [f"living/{one.id}/{group}/new" for one in LIVING for group in lists_of(one)],
    "living.row": lambda full: list(full.rows),
    "living.earlier": lambda _full: [f"living/{one.id}/earlier" for one in LIVING],
    "living.goal_from_words": lambda full: [full.wish],
    "living.card": lambda _full: [f"living/{one.id}/card" for one in CARRIED],
    "living.copy": lambda _full: [f"living/{one.id}/copy" for one in CARRIED],
    "living.copy_as_file": lambda _full: [f"living/{one.id}/copy.html" for one in CARRIED],
    "living.take_along": lambda _full: [f"living/{one}/to-plan" for one in KNOWN.living],
    "together.visits": lambda _full: ["visits/"],
    "together.visit": lambda full: [f"visits/{day}" for day in full.days],
}
"""By the name of a page: the addresses at which a client who has everything reads it."""
FULL_CLINICIAN: dict[str, Callable[[Full], list[str]]] = {
    "overview.index": lambda _full: ["overview/"],
    "overview.plan": lambda _full: ["overview/plan"],
    "assignments.index": lambda _full: ["assignments/"],
    "assignments.new": lambda _full: ["assignments/new"],
    "course.begin": lambda _full: ["course/begin"],
    "door.index": lambda _full: ["door/"],
    "living.form": lambda _full: [f"living/{one.id}/?together=1" for one in LIVING],
    "living.theme": lambda _full: [
        f"living/{one.id}/theme/{short(one, group.link_id)}" for one in LIVING for group in one.groups if not group.many
    ],
    **{
        f"team.{page}": lambda _full, path=path: [f"team/fact-noord/{path}"]
        for page, path in {
            "rounds": "rounds/",
            "tell": "told/new/",
            "act": "actions/new/",
            "panel": "panels/new/",
        }.items()
    },
    "ropi.index": lambda _full: ["team/fact-noord/ropi/", "team/fact-zuid/ropi/"],
    "ropi.mine": lambda full: [f"team/fact-zuid/ropi/{current_day(full.app)[:4]}/mine/"],
    "ropi.agree": lambda full: [f"team/fact-noord/ropi/{current_day(full.app)[:4]}/agreed/"],
    "together.start": lambda _full: ["overview/together/"],
    "together.now": lambda _full: ["overview/together/now"],
    "together.write": lambda _full: ["overview/together/write"],
    "together.medicines": lambda _full: ["overview/together/medicines"],
    "together.medicine": lambda _full: ["overview/together/medicines/new"],
    "together.discuss": lambda _full: ["overview/together/discuss"],
    "together.options": lambda _full: ["overview/together/options/1"],
    "together.agree": lambda _full: ["overview/together/agree/1"],
    "together.report": lambda _full: ["overview/together/report"],
    "together.earlier_report": lambda full: [f"overview/together/report/{day}" for day in full.days],
}
"""The same of the pages that are the clinician's alone; in a conversation the client reads along."""
FULL_LOVED_ONE: dict[str, Callable[[Full], list[str]]] = {
    "loved_one.index": lambda _full: ["loved-one/"],
    "loved_one.part": lambda full: list(full.shared),
}
"""The same of a loved one with whom all is shared."""
FULL_ABOUT_NOBODY: dict[str, Callable[[Full], list[str]]] = {
    "caseload.index": lambda _full: ["caseload/", "caseload/?show=week"],
    "caseload.fresh": lambda _full: ["caseload/fresh"],
    "group.begin": lambda _full: ["group/"],
}
"""The same of a professional's own clients, in a launch without a patient."""
ON_DEVICE: Final = {
    "door.begin": "door/begin",
    "door.stop": "door/stop",
    "questionnaire.question": "questionnaires/hoop/questions/hoop-01",
    "questionnaire.review": "questionnaires/hoop/review",
}
"""Pages on a device that was handed to somebody who does not sign in."""
SAYS_NOTHING: Final = {
    *(
        "answers.as_pdf",
        "home.appointment",
        "home.who_looked_as_pdf",
        "overview.as_pdf",
        "overview.plan_as_pdf",
        "plan.as_pdf",
        "scores.as_pdf",
        "scores.instrument_as_pdf",
    ),
    # On paper is what the page says.
    *("together.report_as_pdf", "together.visit_as_pdf", "living.as_pdf", "living.card_as_pdf"),
    *("take_along.as_pdf", "take_along.as_json", "team.as_json"),
    *("plan.goal_by_key", "plan.words_by_key", "plan.step_by_key", "questionnaire.again", "questionnaire.response"),
    *("together.progress", "together.say", "living.take"),  # they lead on to a page
    "living.part_of_row",  # no form of ours has a part of a professional in rows
}


@pytest.fixture(scope="module")
def full(place, tmp_path_factory) -> Full:
    form = place[1]
    # It stands still: what is said a minute later is another conversation.
    app = make_app(
        form_of_address=form,
        offer=read_offer(EXAMPLE),
        clock=Clock(),
        mail_folder=tmp_path_factory.mktemp("mail"),
        issuers=(Issuer(base=EHR, name="Test EHR", client_id="verstel", teams=TEAMS),),
    )
    anna, joost = launched(app), launched(app, role="clinician")
    put(anna.ehr, with_a_goal_for_later())
    hope(anna.ehr)
    filled_in(anna.ehr, "mansa-short", {"mansa-short-01": "2", "mansa-short-home-change": "Een deur."}, WHEN)
    visit(anna.ehr)
    talk_about(anna.ehr, "Dat gaat wel")
    fill(anna, "scores/hoop/note", note="Het gaat weer.")
    for one in CARRIED:
        marked = next(item for group in one.groups if not group.many for item in group.items if item.card)
        step = marked.link_id.removeprefix(f"{one.id}-")
        fill(anna, f"living/{one.id}/{step}/", **{marked.link_id: "Een stoel bij het raam. " * 300})
    for one in LIVING:
        for group in (group for group in one.groups if group.many):
            fill(anna, f"living/{one.id}/{short(one, group.link_id)}/new", **row_in(one, group))
    shown = "".join(anna.get(f"living/{one.id}/").text for one in LIVING)
    fill(anna, "phase/", phase="living-with", words="Het gaat weer.")
    anna.post("reminders/", {"choice-often": "weekly", "choice-how": "mail", "address": "anna@example.org"})
    for one in (MILA, {**MILA, "id": "theo"}):
        anna.ehr.write(Write("update", one))
    for kind, name in (("loved-one", "Oma"), ("professional", "Bos")):
        fill(anna, f"people/new/{kind}/", name=name, role={"professional": "outside"}.get(kind, kind))
    people = tuple(dict.fromkeys(re.findall(r"href=\"[^\"]*/(people/[0-9a-f-]{36}/)\"", anna.get("people/").text)))
    anna.post(f"{people[1]}leave")
    fill(anna, "people/new/RelatedPerson/mila/", role="loved-one")
    share_with(app, "RelatedPerson/mila", *parts_in(KNOWN, table().apart))
    mila = launched(app, role="loved-one")
    anna.post("questionnaires/hoop/questions/hoop-01", {"hoop-01": "2"})
    for number, who in ((1, "client"), (2, "professional")):
        said = {f"outcome-{number}": "agreed", f"words-{number}": "Ik ga wandelen.", f"who-{number}": who}
        joost.post("overview/together/discuss", {f"topic-{number}": f"Slapen {number}"})
        joost.post(f"overview/together/agree/{number}", said)
    joost.post("overview/together/medicines/new", {"medicine-new-name": "Rustpil", "medicine-new-use": "Soms."})
    joost.post("overview/together/finish", {"let-go": "1"})
    joost.post("overview/together/discuss", {"topic-1": "Werk", "topic-2": "Wonen"})
    joost.post("overview/together/agree/2", {"outcome-2": "differ", "client-view-2": "Nee."})
    for programme in programmes():
        form_of = {"programme": programme, "start": current_day(app), "group": "Dinsdagochtend"}
        read_first = joost.post("course/begin", form_of)
        joost.post("course/begin", {**form_of, "seen": fields_of(read_first)["seen"], "begin": "1"})
    moments = dict.fromkeys(re.findall(r"href=\"[^\"]*/(course/[^\"]*/moments/[^\"]+)\"", anna.get("course/").text))
    kept = anna.core.kept_words
    kept.keep(kept.owner(anna.launch.issuer_key, "anna", "anna"), "living/story/story/", [["story", "Een verhaal."]])
    found = {type_: anna.ehr.search(Query.of(type_)) for type_ in ("QuestionnaireResponse", "Goal", "Task")}
    agreed = [one for one in found["Task"] if is_agreement(one.resource)]
    anna.post(f"visits/agreements/{agreed[0].resource['id']}", {"went": "done", "was": "planned"})
    of_team(app, anna, joost)
    yield Full(
        app,
        form,
        hoop=next(
            one.resource["id"] for one in found["QuestionnaireResponse"] if "hoop" in one.resource["questionnaire"]
        ),
        wishes=next(
            one.resource["id"]
            for one in found["QuestionnaireResponse"]
            if "mansa-short" in one.resource["questionnaire"]
        ),
        goal=next(
            one.resource["id"] for one in found["Goal"] if one.resource["description"]["text"].startswith("Weer")
        ),
        later=next(one.resource["id"] for one in found["Goal"] if one.resource["lifecycleStatus"] == "proposed"),
        step=next(one.resource["id"] for one in found["Task"] if one.resource.get("description") == "Een badpak kopen"),
        days=tuple(re.findall(r"/visits/(\d[^\"/]*)\"", anna.get("visits/").text)),
        unit=not_arrived(anna),
        rows=tuple(dict.fromkeys(re.findall(r"href=\"[^\"]*/(living/[^/\"]+/[^/\"]+/[0-9a-f-]{36}/)\"", shown))),
        people=people,
        shared=tuple(re.findall(r"href=\"[^\"]*/(loved-one/shared/[^\"]*)\"", mila.get("loved-one/").text)),
        supporters=tuple(re.findall(r"href=\"[^\"]*/(people/new/supporter/[^\"]*)\"", anna.get("people/new/").text)),
        moments=tuple(moments),
        wish=html.unescape(re.findall(r"href=\"[^\"]*/(living/[^/\"]+/goal/[^\"]+)\"", shown)[0]),
    )
    app.extensions[KEY].engine.dispose()


TEAMS: Final = tuple(
    TeamHere(id=id_, name=name, references=(f"Organization/{id_}",))
    for id_, name in (("fact-noord", "FACT Noord"), ("fact-zuid", "FACT Zuid"))
)


def of_team(app: Flask, anna: Visitor, joost: Visitor) -> None:
    """Let one team have all that a team can have, and clients give marks now."""
    day, page = current_day(app), "team/fact-noord"
    joost.post(f"{page}/rounds/", {"name": "Najaar", "start": day, "end": day})
    anna.post(f"{page}/marks/", {"team-marks-atmosphere-mark": "7", "team-marks-atmosphere-why": "Fijn."})
    joost.post(f"{page}/told/new/", {"day": day, "words": "Er komt een koffiehoek.", "by": "de teamleider"})
    joost.post(f"{page}/actions/new/", {"description": "Een koffiehoek maken", "state": "doing"})
    said = {"client-panel-clients": "5", "client-panel-activities-said": "Meer wandelen."}
    joost.post(f"{page}/panels/new/", {"day": day, **said})
    mia = launched(app, role="peer-worker")
    for auditor, score in ((joost, "3"), (mia, "4")):
        auditor.post(f"{page}/ropi/{day[:4]}/mine/", {"ropi-01": score, "send": "1"})


WHEN = "2026-06-03T10:00:00+02:00"


def current_day(app: Flask) -> str:
    """Return the day on which the clock of an app stands still."""
    return dt.datetime.fromtimestamp(app.extensions[KEY].clock(), dt.UTC).date().isoformat()


def with_a_goal_for_later() -> Plan:
    wish = Goal("urn:uuid:00000000-0000-4000-8000-000000000009", "Een tuin", "housing", later=True)
    return replace(HALFWAY, goals=(*HALFWAY.goals, wish))


def not_arrived(anna: Visitor) -> str:
    """Return the id of something that the client saved and the record refused."""
    flaky = anna.make_flaky()
    flaky.error = Unreachable("away")
    fill(anna, "living/story/story/", story_story="Een ander verhaal.")
    flaky.error = Refused("No plans are changed here.", status=422)
    anna.courier_comes()
    flaky.error = None
    [unit] = re.findall(r"/unsent/([^/\"]+)/discard", anna.get("unsent/").text)[:1]
    return unit


def brought_in(full: Full) -> str:
    """Hand in a file in which the plan says something else, and return the page that shows it."""
    anna = launched(full.app)
    content = anna.get("take-along/all.json").data.replace(b"Ik woon fijn.", b"Ik woonde daar fijn.")
    anna.post("take-along/bring-in", {"file": (io.BytesIO(content), "mine.json")}, content_type="multipart/form-data")
    return "take-along/bring-in/look"


def test_every_page_of_a_record_is_walked_in_both_forms(full):
    pages = {
        rule.endpoint
        for rule in full.app.url_map.iter_rules()
        if rule.methods and "GET" in rule.methods and rule.rule.startswith("/l/<launch_id>/")
    }
    walked = {*FULL_CLIENT, *FULL_CLINICIAN, *FULL_LOVED_ONE, *FULL_ABOUT_NOBODY, *ON_DEVICE}
    assert pages - walked == SAYS_NOTHING


def test_there_is_something_to_read_on_both_sheets_and_more(full):
    assert len(full.moments) > len(programmes())
    assert len(full.days) == 2
    assert len(full.rows) == sum(len(lists_of(one)) for one in LIVING)
    assert "Ik ga wandelen." in read(launched(full.app), f"visits/{full.days[-1]}")
    assert "Rustpil" in read(launched(full.app), f"visits/{full.days[-1]}")


@pytest.mark.parametrize("page", FULL_CLIENT)
def test_a_page_of_a_client_who_has_everything_says_je_or_u_and_never_both(full, page):
    anna = launched(full.app)
    # A question that is not asked, as it depends on another, leads on to one that is.
    statuses = (200, 303) if page == "questionnaire.question" else (200,)
    said = [(path, others(read(anna, path, *statuses), full.form)) for path in FULL_CLIENT[page](full)]
    assert [one for one in said if one[1]] == []


@pytest.mark.parametrize("page", FULL_CLINICIAN)
def test_a_page_that_two_people_read_says_no_je_where_a_place_says_u(full, page):
    joost = launched(full.app, role="clinician")
    said = [(path, others(read(joost, path, 200), full.form)) for path in FULL_CLINICIAN[page](full)]
    # To two people at once it says "jullie", also where each of them alone is "u".
    assert [(path, one) for path, found in said for one in found if one.lower() != "jullie"] == []


def test_a_page_on_a_device_says_je_or_u_and_never_both(full):
    joost, client = launched(full.app, role="clinician"), full.app.test_client()
    door = joost.core.doors.make(joost.launch, "hoop", asked="address")
    assert door is not None
    client.post("/door/", data={"link": door.secret})
    (launch,) = joost.core.launches.of_session(joost.core.doors.made_by(joost.launch)[0].session)
    device = Visitor(full.app, client, launch)
    before = [read(joost, path, 200) for path in ("/door/", *(f"/door/over?said={one}" for one in OVER))]
    inside = [read(device, path, 200) for path in ON_DEVICE.values()]
    over = device.post("door/stop", {"press": "keep"}), read(device, "door/begin", 404)
    assert [others(said, full.form) for said in (*before, *inside, over[1]) if others(said, full.form)] == []


@pytest.mark.parametrize("page", FULL_LOVED_ONE)
def test_a_page_of_a_loved_one_says_je_or_u_and_never_both(full, page):
    mila = launched(full.app, role="loved-one")
    pages = FULL_LOVED_ONE[page](full)
    assert pages
    said = [(path, others(read(mila, path, 200), full.form)) for path in pages]
    assert [one for one in said if one[1]] == []


def test_what_the_client_reads_before_it_is_saved_says_je_or_u_and_never_both(full):
    joost, anna = launched(full.app, role="clinician"), launched(full.app)
    joost.post("overview/together/write", {"what": "plan"})
    question = "plan/domains/housing/change"
    asked = fill(joost, question, change="De cliënt krijgt ziekte-inzicht.").location
    joost.post(question, {**fields_of(joost.get(asked)), "hand-over": "1"})
    waits = re.search(r'href="([^"]*confirm=[^"]+)"', anna.get("").text)[1]
    pages = [read(joost, path, 200) for path in (asked, question, "plan/", "overview/together/write")]
    pages += [read(anna, path, 200) for path in (waits, "", "plan/")]
    press = joost.post(f"plan/goals/{full.goal}/steps/{full.step}/tick", {"tick": "done", "from": "plan"})
    pages.append(html.unescape(re.sub(r"<[^>]+>", " ", press.text)))
    assert "ja zeg" in pages[0]
    assert "ja zeg" in pages[-1]
    assert [one for said in pages for one in others(said, full.form) if one.lower() != "jullie"] == []


def test_a_page_with_both_would_be_seen():
    assert "Hoeveel vertrouwen heeft u erin dat u" in QUOTED
    assert others("Vertel het uw behandelteam", "je") == ["uw"]
    assert others("Vertel het je behandelteam", "u") == ["je"]
