"""The client's own plan: reading it, and changing one part of it per page."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from flask import Blueprint, abort, g, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from mappers.errors import PlanError, TooManyDomains
from mappers.plan import QUESTIONS, STEP_STATUSES, DomainAnswers, PersonRef, Plan
from questionnaires.catalogue import catalogue
from smartapp.core import core
from smartapp.i18n import gettext as _
from smartapp.i18n import language, message, place_zone
from smartapp.launches import role
from smartapp.plan import context as show
from smartapp.plan import editing, keeping, parts
from smartapp.plan.context import Field, FormPage, Link, Words
from smartapp.plan.editing import Accepted, Clash, Part, Submitted, Wrong
from smartapp.records import Place, Record
from smartapp.records.drafts import Drafts
from smartapp.records.store import Conflict, Forbidden, Query, RecordError, Refused, Unreachable

blueprint = Blueprint("plan", __name__, url_prefix="/plan", template_folder="templates")

Answer = str | Response | tuple[str, int]
ATTEMPTS: Final = 4  # how often a save looks again when somebody else saved at the same moment

SAVED: Final[Mapping[str, str]] = {
    "story": message("Your story is saved."),
    "strengths": message("What helps you is saved."),
    "stressors": message("What costs you energy is saved."),
    "domains": message("Your areas of life are saved."),
    "answers": message("Your answers are saved."),
    "goal": message("Your goal is saved."),
    "step": message("Your step is saved."),
    "progress": message("How it is going is saved."),
    "ended": message("Your goal now stands under earlier goals."),
    "resumed": message("You have taken up this goal again."),
}

REFUSED: Final = message(
    "The record did not take this text, so it is not saved. Your text still stands here. Please tell your care team."
)
UNREACHABLE: Final = message(
    "The record does not answer, so this is not saved yet. Your text still stands here. Please try again in a moment."
)
ON_ITS_WAY: Final = message(
    "What you saved before is still on its way to the record. Your text still stands here. "
    "Please save again in a moment."
)
MORE_THAN_FIVE: Final = message(
    "Your plan has more than five areas. Choose five of them first. Your text is kept until you come back."
)
NOT_WRITABLE: Final = message(
    "Your plan holds something that we cannot save again. Your text still stands here. Please tell your care team."
)
BUSY: Final = message("Somebody else is saving at the same moment. Your text still stands here. Please save again.")


# --- the plan of this launch ------------------------------------------------------------------------------------


def _now() -> dt.datetime:
    return dt.datetime.fromtimestamp(core().clock(), place_zone()).replace(microsecond=0)


def _today() -> str:
    return _now().date().isoformat()


def load() -> keeping.Kept:
    """Return the plan of the person this launch is about."""
    return _kept(g.records.search(*keeping.queries(g.launch.patient_id)))


def _kept(found: list[list[Record]]) -> keeping.Kept:
    return keeping.kept(
        found,
        issuer=g.launch.issuer,
        patient=g.launch.patient.reference,
        now=_now().isoformat(),
        outbox=g.records.waiting(),
    )


def standing(kept: keeping.Kept) -> show.Standing:
    """Return where the plan lives, or will live, and whether all of it has arrived there."""
    where: Place = kept.place or g.records.place_for("CarePlan")
    return show.Standing(where, kept.on_its_way, kept.refused)


def words() -> Words:
    """Return the life domains and questions in the reader's language."""
    return Words.of(catalogue())


def _saved() -> str:
    sentence = SAVED.get(request.args.get("saved", ""))
    return _(sentence) if sentence else ""


# --- saving -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trouble:
    """Nothing is wrong with what was typed, and still it is not saved: `sentence` says why."""

    sentence: str
    status: int


@dataclass(frozen=True, slots=True)
class Saved:
    """The plan is saved; `arrived` False: here, and on its way to the record."""

    arrived: bool


def change(
    edit: Callable[[keeping.Kept], Accepted | Wrong | Clash], first: keeping.Kept
) -> Saved | Wrong | Clash | Trouble:
    """Apply an edit to the plan as it is stored now (`first`), and save it as one unit.

    When somebody else saves in between, the edit is weighed again against what stands there then. So a save either
    is based on what is stored, or shows both versions; it never overwrites. Raises Unauthorized: sign in again.
    """
    now = first
    for _attempt in range(ATTEMPTS):
        outcome = edit(now)
        if not isinstance(outcome, Accepted):
            return outcome
        try:
            saved = _save(now, outcome.plan)
        except tuple(TROUBLES) as error:
            sentence, status = next(TROUBLES[kind] for kind in type(error).__mro__ if kind in TROUBLES)
            return Trouble(_(sentence), status)
        if saved is not None:
            return saved
        now = load()
    return Trouble(_(BUSY), 409)


TROUBLES: Final[Mapping[type[Exception], tuple[str, int]]] = {
    Unreachable: (UNREACHABLE, 503),
    Refused: (REFUSED, 422),
    Forbidden: (REFUSED, 422),
    TooManyDomains: (MORE_THAN_FIVE, 409),
    PlanError: (NOT_WRITABLE, 422),
}
"""What to say when a plan is not saved though nothing is wrong with what was typed."""


def _save(now: keeping.Kept, after: Plan) -> Saved | Trouble | None:
    """Write a changed plan as one unit; None where somebody else wrote in between."""
    person = PersonRef(g.launch.patient.reference, g.launch.patient.display)
    unit = keeping.writes(now, after, patient=person, author=person, language=language())
    if not unit:
        return Saved(arrived=not now.on_its_way)
    if now.on_its_way:
        return Trouble(_(ON_ITS_WAY), 409)
    try:
        records = g.records.save(unit)
    except Conflict:
        return None
    if not keeping.arrived(unit, records):
        return None
    return Saved(arrived=all(one.state == "stored" for one in records))


def _form() -> dict[str, str]:
    """Return the form with each field once; ticked boxes of one name become codes with a comma between."""
    return {name: ",".join(values) for name, values in request.form.lists()}


@dataclass(frozen=True, slots=True)
class Screen:
    """What a page shows around its fields, and where it goes after saving."""

    title: str
    fields: tuple[Field, ...]
    back: Link
    after: str
    lead: str = ""
    kicker: str = ""
    words: str = ""
    save: str = ""
    stop: str = ""
    key: str = ""
    proposed: Mapping[str, str] = field(default_factory=dict)  # a choice that follows from where you came from

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the fields."""
        return tuple(one.name for one in self.fields)

    def filled(
        self, values: Mapping[str, str], seen: Mapping[str, str], problems: Mapping[str, str]
    ) -> tuple[Field, ...]:
        """Return the fields with values, marks and problems in them."""
        return tuple(
            one.filled(
                values.get(one.name, ""),
                seen.get(one.name, ""),
                _(problems[one.name]) if one.name in problems else "",
            )
            for one in self.fields
        )


def edit_page(part_of: Callable[[keeping.Kept], Part], screen: Screen, kept: keeping.Kept | None = None) -> Answer:
    """Show or take the form of one part of the plan: the heart of every page that changes something.

    What is typed and not (yet) saved in the plan is kept as a sketch, which only its writer sees: by the autosave of
    `app.js` while typing, and here whenever a save does not get through.
    """
    if request.method == "GET":
        kept = kept or load()
        return _open_form(part_of(kept), screen, kept)
    form = _form()
    if form.get("sketch") == "discard":
        _sketches().delete(_sketch_name())
        return redirect(request.path, 303)
    if request.accept_mimetypes.best == "application/json":
        _keep_sketch(screen, form)
        return jsonify(saved=True)
    sent = editing.submitted_fields(screen.names, form)
    try:
        kept = kept or load()
        outcome = change(lambda now: editing.weigh(part_of(now), now.plan, sent), kept)
    except RecordError:  # the page of this error shows what was typed; here it is kept for the next visit
        _keep_sketch(screen, form)
        raise
    if isinstance(outcome, Saved) and outcome.arrived:
        _sketches().delete(_sketch_name())
    else:
        _keep_sketch(screen, form)
    if isinstance(outcome, Saved):
        return redirect(screen.after, 303)
    return _refusal(outcome, screen, sent)


def _refusal(outcome: Wrong | Clash | Trouble, screen: Screen, sent: Submitted) -> Answer:
    """Return the page that says why nothing was saved, with everything that was typed."""
    if isinstance(outcome, Wrong):
        return _form_page(screen, outcome.values, sent.seen, problems=outcome.problems), 422
    if isinstance(outcome, Trouble):
        return _form_page(screen, sent.values, sent.seen, trouble=outcome.sentence), outcome.status
    return _clash_page(outcome, screen), 409


def _sketches() -> Drafts:
    """Return where unsaved words of the plan are kept: apart from the unfinished questionnaires, and only mine."""
    app = core()
    return Drafts(
        app.engine,
        app.vault,
        app.clock,
        issuer=g.launch.issuer,
        patient=g.launch.patient.reference,
        author=f"{g.launch.user.key} plan",
    )


def _sketch_name() -> str:
    """Return the name of this page's sketch: the same in every launch, and saying nothing."""
    here = request.path.removeprefix(url_for("plan.start"))
    return hashlib.sha256(here.encode()).hexdigest()


def _keep_sketch(screen: Screen, form: Mapping[str, str]) -> None:
    fields = editing.sent_fields(screen.names, form)
    _sketches().change(_sketch_name(), lambda _before: dict(fields))


def _open_form(part: Part, screen: Screen, kept: keeping.Kept) -> str:
    stored, prints = part.read(kept.plan), editing.fingerprints(part, kept.plan)
    sketch = _sketches().get(_sketch_name())
    unsaved = editing.unsaved(sketch.resource, screen.names, stored, new=bool(screen.key)) if sketch else None
    if unsaved is None or (unsaved.key and kept.made(unsaved.key)):
        return _form_page(screen, {**stored, **screen.proposed}, prints)
    if unsaved.key:
        screen = replace(screen, key=unsaved.key)
    return _form_page(screen, {**stored, **unsaved.values}, {**prints, **unsaved.seen}, sketch=True)


def _form_page(
    screen: Screen,
    values: Mapping[str, str],
    seen: Mapping[str, str],
    *,
    problems: Mapping[str, str] | None = None,
    trouble: str = "",
    sketch: bool = False,
) -> str:
    page = FormPage(
        title=screen.title,
        fields=screen.filled(values, seen, problems or {}),
        back=screen.back,
        save=screen.save or _("Save"),
        lead=screen.lead,
        kicker=screen.kicker,
        words=screen.words,
        stop=screen.stop,
        key=screen.key,
        trouble=trouble,
        sketch=sketch,
        place=g.records.place_for("CarePlan"),
    )
    return render_template("plan/form.html", page=page)


def _clash_page(clash: Clash, screen: Screen) -> str:
    prints = {name: editing.fingerprint(text) for name, text in clash.stored.items()}
    fields = {one.name: one for one in screen.filled(clash.values, prints, {})}
    page = show.ClashPage(
        title=screen.title,
        fields=tuple(
            show.ClashField(fields[name], fields[name].shown(clash.stored.get(name, "")), fields[name].shown(typed))
            for name in clash.fields
            for typed in [clash.values[name]]
        ),
        kept=tuple(one for name, one in fields.items() if name not in clash.fields and name in clash.values),
        key=screen.key,
        unanswered=clash.unanswered,
        back=screen.back,
    )
    return render_template("plan/clash.html", page=page)


# --- start ------------------------------------------------------------------------------------------------------


@blueprint.get("/")
@role("client")
def start() -> Answer:
    """Show my plan."""
    kept = load()
    page = show.start_page(kept.plan, words(), standing=standing(kept), saved=_saved())
    return render_template("plan/start.html", page=page)


def _start_link() -> Link:
    return Link(_("Back to my plan"), url_for("plan.start"))


def _start_after(saved: str) -> str:
    return url_for("plan.start", saved=saved, _anchor=saved)


# --- story, what helps, what costs energy ------------------------------------------------------------------------


@blueprint.route("/story", methods=["GET", "POST"])
@role("client")
def story() -> Answer:
    """Write my story."""
    asked = Field(
        "story",
        _("My story"),
        help=_("Who you are, what you have been through, what matters to you. Begin where you like."),
        rows=12,
    )
    return edit_page(lambda _kept: parts.story(), Screen(_("My story"), (asked,), _start_link(), _start_after("story")))


@blueprint.route("/strengths", methods=["GET", "POST"])
@role("client")
def strengths() -> Answer:
    """Write what helps me."""
    asked = Field(
        "strengths",
        _("What helps me"),
        help=_("What you are good at, what you enjoy, who is there for you. Put each thing on its own line."),
        rows=8,
    )
    return edit_page(
        lambda _kept: parts.strengths(), Screen(_("What helps me"), (asked,), _start_link(), _start_after("strengths"))
    )


@blueprint.route("/stressors", methods=["GET", "POST"])
@role("client")
def stressors() -> Answer:
    """Write what costs me energy."""
    asked = Field(
        "stressors",
        _("What costs me energy"),
        help=_("What makes your days harder. Put each thing on its own line."),
        rows=8,
    )
    return edit_page(
        lambda _kept: parts.stressors(),
        Screen(_("What costs me energy"), (asked,), _start_link(), _start_after("stressors")),
    )


# --- life domains -----------------------------------------------------------------------------------------------


@blueprint.route("/domains", methods=["GET", "POST"])
@role("client")
def domains() -> Answer:
    """Choose up to five life domains."""
    spoken = words()
    part = parts.domains(list(spoken.domains))
    if request.method == "GET":
        found = g.records.search(*keeping.queries(g.launch.patient_id), _family_teams())
        plan = _kept(found[:3]).plan
        chosen = parts.codes(part.read(plan)["domains"])
        family = bool(found[3]) or "family" in request.args
        return _domains_page(spoken, chosen, editing.fingerprints(part, plan)["domains"], family=family)
    form = {"domains": "", **_form()}
    sent = editing.submitted(part, form)
    leaving: tuple[DomainAnswers, ...] = ()
    before = Plan(id="")

    def edit(kept: keeping.Kept) -> Accepted | Wrong | Clash:
        nonlocal leaving, before
        outcome = editing.weigh(part, kept.plan, sent)
        leaving, before = (), kept.plan
        if isinstance(outcome, Accepted) and "remove" not in form:
            leaving = parts.left_behind(kept.plan, outcome.plan)
            return Accepted(kept.plan) if leaving else outcome
        return outcome

    outcome = change(edit, load())
    chosen = parts.codes(sent.values["domains"])
    if leaving:
        page = show.LeavePage(
            leaving=tuple(show.domain_view(answers, before, spoken) for answers in leaving),
            chosen=tuple(chosen),
            seen=sent.seen["domains"],
        )
        return render_template("plan/leave.html", page=page)
    if isinstance(outcome, Saved):
        return redirect(_start_after("domains"), 303)
    family = "family" in form
    if isinstance(outcome, Clash):
        # Two choices at once: show what is stored as ticked too, and let the person decide what stays.
        stored = parts.codes(outcome.stored["domains"])
        both = list(dict.fromkeys([*stored, *chosen]))
        seen = editing.fingerprint(outcome.stored["domains"])
        return _domains_page(spoken, both, seen, family=family, elsewhere=stored), 409
    if isinstance(outcome, Trouble):
        page_text = _domains_page(spoken, chosen, sent.seen["domains"], family=family, trouble=outcome.sentence)
        return page_text, outcome.status
    refusal = outcome.problems["domains"]
    return _domains_page(spoken, chosen, sent.seen["domains"], family=family, problem=_(refusal)), 422


def _family_teams() -> Query:
    return Query.of("CareTeam", patient=g.launch.patient_id, category=parts.FAMILY_TEAM)


def _domains_page(
    spoken: Words,
    chosen: list[str],
    seen: str,
    *,
    family: bool,
    problem: str = "",
    trouble: str = "",
    elsewhere: list[str] | None = None,
) -> str:
    all_options = [show.Option(code, title, spoken.domain_help.get(code, "")) for code, title in spoken.domains.items()]
    with_family = family or bool(spoken.family & set(chosen))
    page = show.DomainsPage(
        domains=tuple(option for option in all_options if option.value not in spoken.family),
        family=tuple(option for option in all_options if option.value in spoken.family and with_family),
        chosen=tuple(chosen),
        seen=seen,
        problem=problem,
        trouble=trouble,
        show_family=with_family,
        elsewhere=tuple(spoken.domains[code] for code in elsewhere or () if code in spoken.domains),
    )
    return render_template("plan/domains.html", page=page)


@blueprint.get("/domains/<code>/")
@role("client")
def domain(code: str) -> Answer:
    """Show one life domain with its four answers and its goals."""
    spoken = words()
    if code not in spoken.domains:
        abort(404)
    kept = load()
    answers = next((found for found in kept.plan.domains if found.domain == code), None)
    page = show.DomainPage(
        domain=show.domain_view(answers or DomainAnswers(domain=code), kept.plan, spoken),
        in_plan=answers is not None,
        standing=standing(kept),
        saved=_saved(),
    )
    return render_template("plan/domain.html", page=page)


ALL: Final = "all"


@blueprint.route("/domains/<code>/<question>", methods=["GET", "POST"])
@role("client")
def question(code: str, question: str) -> Answer:
    """Answer one of the four questions about a life domain, or all four on one page."""
    spoken = words()
    if code not in spoken.domains or question not in (*QUESTIONS, ALL):
        abort(404)
    asked = QUESTIONS if question == ALL else (question,)
    kept = load() if request.method == "GET" else None
    if kept is not None and code not in {answers.domain for answers in kept.plan.domains}:
        return redirect(url_for("plan.domain", code=code), 303)
    place_in_row = QUESTIONS.index(question) if question in QUESTIONS else len(QUESTIONS) - 1
    last = place_in_row == len(QUESTIONS) - 1
    here = url_for("plan.domain", code=code)
    stop = "stop" in request.form  # "save and stop here" instead of "save and on to the next"
    if last or stop:
        after = url_for("plan.domain", code=code, saved="answers")
    else:
        after = url_for("plan.question", code=code, question=QUESTIONS[place_in_row + 1])
    count = _("Question %(number)s of %(total)s", number=place_in_row + 1, total=len(QUESTIONS))
    title = spoken.domains[code]
    fields = [Field(name, spoken.questions[name], help=spoken.question_help.get(name, ""), rows=6) for name in asked]
    return edit_page(
        lambda _kept: parts.domain(code, asked),
        Screen(
            title if question == ALL else spoken.questions[question],
            tuple(fields),
            Link(_("Back to %(area)s", area=title), here),
            after,
            kicker="" if question == ALL else f"{title} · {count}",
            save=_("Save") if last else _("Save and continue"),
            stop="" if last else _("Save and stop here"),
        ),
        kept,
    )


# --- goals ------------------------------------------------------------------------------------------------------


def _goal_fields(plan: Plan, spoken: Words) -> tuple[Field, ...]:
    there = [answers.domain for answers in plan.domains] + [goal.domain for goal in plan.goals]
    areas = tuple(show.Option(code, spoken.domains.get(code, code)) for code in dict.fromkeys(there))
    return (
        Field("text", _("What do you want to reach?"), help=_("In your own words. Big or small."), rows=4),
        Field("domain", _("Which area of life does it belong to?"), kind="choices", options=areas),
        Field("due", _("By when? (you may leave this empty)"), kind="date"),
    )


@blueprint.route("/goals/new", methods=["GET", "POST"])
@role("client")
def new_goal() -> Answer:
    """Write a new goal."""
    spoken = words()
    kept = load()
    if request.method == "GET" and not kept.plan.domains:
        return redirect(url_for("plan.domains"), 303)
    key = _key()
    wish = request.args.get("domain", "")

    def part_of(now: keeping.Kept) -> Part:
        return parts.goal(now.id_of(key), _today())

    screen = Screen(
        _("A new goal"),
        _goal_fields(kept.plan, spoken),
        _start_link(),
        url_for("plan.goal_by_key", key=key, saved="goal"),
        key=key,
        proposed={"domain": wish if wish in {answers.domain for answers in kept.plan.domains} else ""},
    )
    return edit_page(part_of, screen, kept)


def _key() -> str:
    """Return the key of a form that makes something: the one it was shown with, or a fresh one."""
    try:
        return str(uuid.UUID(request.form.get("key", "")))
    except ValueError:
        return str(uuid.uuid4())


@blueprint.get("/goals/by-key/<key>")
@role("client")
def goal_by_key(key: str) -> Answer:
    """Go to the goal that a form made, now that the record has given it an id."""
    kept = load()
    if parts.goal_of(kept.plan, kept.id_of(key)) is None:
        return redirect(_start_after("goal"), 303)
    return redirect(url_for("plan.goal", goal_id=kept.id_of(key), saved=request.args.get("saved")), 303)


def _goal_or_404(kept: keeping.Kept, goal_id: str) -> show.GoalView:
    found = parts.goal_of(kept.plan, goal_id)
    if found is None:
        abort(404)
    return show.goal_view(found, words())


def _goal_link(goal_id: str) -> Link:
    return Link(_("Back to this goal"), url_for("plan.goal", goal_id=goal_id))


@blueprint.get("/goals/<goal_id>/")
@role("client")
def goal(goal_id: str) -> Answer:
    """Show one goal."""
    kept = load()
    page = show.GoalPage(_goal_or_404(kept, goal_id), standing(kept), _saved())
    return render_template("plan/goal.html", page=page)


@blueprint.route("/goals/<goal_id>/words", methods=["GET", "POST"])
@role("client")
def goal_words(goal_id: str) -> Answer:
    """Change the words, the life domain or the date of a goal."""
    kept = load()
    _goal_or_404(kept, goal_id)
    screen = Screen(
        _("Change my goal"),
        _goal_fields(kept.plan, words()),
        _goal_link(goal_id),
        url_for("plan.goal", goal_id=goal_id, saved="goal"),
    )
    return edit_page(lambda _kept: parts.goal(goal_id, _today()), screen, kept)


@blueprint.route("/goals/<goal_id>/progress", methods=["GET", "POST"])
@role("client")
def progress(goal_id: str) -> Answer:
    """Say how it goes with a goal."""
    kept = load()
    view = _goal_or_404(kept, goal_id)
    screen = Screen(
        _("How is it going with this goal?"),
        (
            Field(
                "progress",
                _("What fits best?"),
                kind="choices",
                options=show.options(show.GOING_TEXTS, parts.GOING),
            ),
            Field("note", _("Do you want to say more about it? (you may leave this empty)"), rows=4),
        ),
        _goal_link(goal_id),
        url_for("plan.goal", goal_id=goal_id, saved="progress"),
        words=view.goal.text,
    )
    return edit_page(lambda _kept: parts.progress(goal_id, _today()), screen, kept)


@blueprint.route("/goals/<goal_id>/end", methods=["GET", "POST"])
@role("client")
def end(goal_id: str) -> Answer:
    """End a goal: reached, changed or let go."""
    kept = load()
    view = _goal_or_404(kept, goal_id)
    after = _start_after("ended")
    if request.form.get("ending") == "changed":
        after = url_for("plan.new_goal", domain=view.goal.domain)
    screen = Screen(
        _("Close this goal"),
        (
            Field(
                "ending",
                _("What fits best?"),
                kind="choices",
                options=show.options(show.ENDING_TEXTS, parts.ENDINGS),
            ),
            Field("note", _("Do you want to say more about it? (you may leave this empty)"), rows=4),
        ),
        _goal_link(goal_id),
        after,
        lead=_("The goal stays in your plan, under earlier goals. You can take it up again."),
        words=view.goal.text,
    )
    return edit_page(lambda _kept: parts.ending(goal_id, _today()), screen, kept)


@blueprint.post("/goals/<goal_id>/resume")
@role("client")
def resume(goal_id: str) -> Answer:
    """Take up an ended goal again."""
    kept = load()
    _goal_or_404(kept, goal_id)
    outcome = change(lambda now: Accepted(parts.taken_up_again(now.plan, goal_id, _today())), kept)
    if isinstance(outcome, Trouble):
        page = show.GoalPage(_goal_or_404(kept, goal_id), standing(kept), "", trouble=outcome.sentence)
        return render_template("plan/goal.html", page=page), outcome.status
    return redirect(url_for("plan.goal", goal_id=goal_id, saved="resumed"), 303)


# --- steps ------------------------------------------------------------------------------------------------------


@blueprint.route("/goals/<goal_id>/steps/new", methods=["GET", "POST"])
@role("client")
def new_step(goal_id: str) -> Answer:
    """Add a step to a goal."""
    kept = load()
    view = _goal_or_404(kept, goal_id)
    key = _key()
    screen = _step_screen(goal_id, _("A step towards your goal"), view, key=key, with_status=False)
    return edit_page(lambda now: parts.step(goal_id, now.id_of(key)), screen, kept)


@blueprint.route("/goals/<goal_id>/steps/<step_id>", methods=["GET", "POST"])
@role("client")
def step(goal_id: str, step_id: str) -> Answer:
    """Change a step, or say how far it is."""
    kept = load()
    view = _goal_or_404(kept, goal_id)
    if parts.step_of(kept.plan, goal_id, step_id) is None:
        abort(404)
    screen = _step_screen(goal_id, _("Change this step"), view)
    return edit_page(lambda _kept: parts.step(goal_id, step_id), screen, kept)


def _step_screen(goal_id: str, title: str, view: show.GoalView, *, key: str = "", with_status: bool = True) -> Screen:
    status = Field(
        "status",
        _("How far is it?"),
        kind="choices",
        options=show.options(show.STATUS_TEXTS, STEP_STATUSES),
    )
    return Screen(
        title,
        (
            Field("text", _("What is the step?"), kind="line"),
            Field("who", _("Who does it? (you may leave this empty)"), kind="line"),
            Field("due", _("By when? (you may leave this empty)"), kind="date"),
            *([status] if with_status else []),
        ),
        _goal_link(goal_id),
        url_for("plan.goal", goal_id=goal_id, saved="step"),
        key=key,
        words=view.goal.text,
    )
