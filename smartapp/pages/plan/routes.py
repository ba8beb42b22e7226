"""The client's own plan: reading it, and changing one part of it per page."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for

from mappers.plan import QUESTIONS, STEP_STATUSES, DomainAnswers, Plan
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query
from smartapp.i18n import message
from smartapp.pages.plan import sections, stored
from smartapp.pages.plan import views as show
from smartapp.pages.plan.forms import Answer, Screen, edit_page, sent_form
from smartapp.pages.plan.service import Saved, Trouble, change, kept_from, load, standing
from smartapp.pages.plan.views import Field, Link, Words
from smartapp.web import current, typed
from smartapp.web.language import gettext as _
from smartapp.web.roles import role
from smartapp.web.typed import Accepted, Clash, Wrong

blueprint = Blueprint("plan", __name__, url_prefix="/plan", template_folder="templates")

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


def words() -> Words:
    """Return the life domains and questions in the reader's language."""
    return Words.of(catalogue())


def _saved() -> str:
    sentence = SAVED.get(request.args.get("saved", ""))
    return _(sentence) if sentence else ""


# --- start ------------------------------------------------------------------------------------------------------


@blueprint.get("/")
@role("client")
def start() -> Answer:
    """Show my plan."""
    kept = load()
    page = show.start_page(
        kept.plan,
        words(),
        standing=standing(kept),
        saved=_saved(),
        saved_at=request.args.get("saved", ""),
        others=kept.others,
    )
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
    return edit_page(
        lambda _kept: sections.story(), Screen(_("My story"), (asked,), _start_link(), _start_after("story"))
    )


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
        lambda _kept: sections.strengths(),
        Screen(_("What helps me"), (asked,), _start_link(), _start_after("strengths")),
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
        lambda _kept: sections.stressors(),
        Screen(_("What costs me energy"), (asked,), _start_link(), _start_after("stressors")),
    )


# --- life domains -----------------------------------------------------------------------------------------------


@blueprint.route("/domains", methods=["GET", "POST"])
@role("client")
def domains() -> Answer:
    """Choose up to five life domains."""
    spoken = words()
    part = sections.domains(list(spoken.domains))
    if request.method == "GET":
        found = current.records().search(*stored.queries(current.launch().patient_id), _family_teams())
        plan = kept_from(found[:3]).plan
        chosen = sections.codes(part.read(plan)["domains"])
        family = bool(found[3]) or "family" in request.args
        return _domains_page(spoken, chosen, typed.digests(part, plan)["domains"], family=family)
    form = {"domains": "", **sent_form()}
    sent = typed.submitted(part, form)
    leaving: tuple[DomainAnswers, ...] = ()
    before = Plan(id="")

    def edit(kept: stored.Kept) -> Accepted[Plan] | Wrong | Clash:
        nonlocal leaving, before
        outcome = typed.merge_form(part, kept.plan, sent)
        leaving, before = (), kept.plan
        if isinstance(outcome, Accepted) and "remove" not in form:
            leaving = sections.left_behind(kept.plan, outcome.document)
            return Accepted(kept.plan) if leaving else outcome
        return outcome

    outcome = change(edit, load())
    chosen = sections.codes(sent.values["domains"])
    if leaving:
        page = show.LeavePage(
            leaving=tuple(show.domain_view(answers, before, spoken) for answers in leaving),
            chosen=tuple(chosen),
            seen=sent.based_on["domains"],
        )
        return render_template("plan/leave.html", page=page)
    if isinstance(outcome, Saved):
        return redirect(_start_after("domains"), 303)
    family = "family" in form
    if isinstance(outcome, Clash):
        # Two choices at once: show what is stored as ticked too, and let the person decide what stays.
        elsewhere = sections.codes(outcome.stored["domains"])
        both = list(dict.fromkeys([*elsewhere, *chosen]))
        seen = typed.digest(outcome.stored["domains"])
        return _domains_page(spoken, both, seen, family=family, elsewhere=elsewhere), 409
    if isinstance(outcome, Trouble):
        page_text = _domains_page(spoken, chosen, sent.based_on["domains"], family=family, trouble=outcome.sentence)
        return page_text, outcome.status
    refusal = outcome.problems["domains"]
    return _domains_page(spoken, chosen, sent.based_on["domains"], family=family, problem=_(refusal)), 422


def _family_teams() -> Query:
    return Query.of("CareTeam", patient=current.launch().patient_id, category=sections.FAMILY_TEAM)


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
        lambda _kept: sections.domain(code, asked),
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

    def part_of(now: stored.Kept) -> sections.Part:
        return sections.goal(now.id_of(key), current.today())

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
    if sections.goal_of(kept.plan, kept.id_of(key)) is None:
        return redirect(_start_after("goal"), 303)
    return redirect(url_for("plan.goal", goal_id=kept.id_of(key), saved=request.args.get("saved")), 303)


def _goal_or_404(kept: stored.Kept, goal_id: str) -> show.GoalView:
    found = sections.goal_of(kept.plan, goal_id)
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
    return edit_page(lambda _kept: sections.goal(goal_id, current.today()), screen, kept)


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
                options=show.options(show.GOING_TEXTS, sections.GOING),
            ),
            Field("note", _("Do you want to say more about it? (you may leave this empty)"), rows=4),
        ),
        _goal_link(goal_id),
        url_for("plan.goal", goal_id=goal_id, saved="progress"),
        words=view.goal.text,
    )
    return edit_page(lambda _kept: sections.progress(goal_id, current.today()), screen, kept)


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
                options=show.options(show.ENDING_TEXTS, sections.ENDINGS),
            ),
            Field("note", _("Do you want to say more about it? (you may leave this empty)"), rows=4),
        ),
        _goal_link(goal_id),
        after,
        lead=_("The goal stays in your plan, under earlier goals. You can take it up again."),
        words=view.goal.text,
    )
    return edit_page(lambda _kept: sections.ending(goal_id, current.today()), screen, kept)


@blueprint.post("/goals/<goal_id>/resume")
@role("client")
def resume(goal_id: str) -> Answer:
    """Take up an ended goal again."""
    kept = load()
    _goal_or_404(kept, goal_id)
    outcome = change(lambda now: Accepted(sections.taken_up_again(now.plan, goal_id, current.today())), kept)
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
    return edit_page(lambda now: sections.step(goal_id, now.id_of(key)), screen, kept)


@blueprint.route("/goals/<goal_id>/steps/<step_id>", methods=["GET", "POST"])
@role("client")
def step(goal_id: str, step_id: str) -> Answer:
    """Change a step, or say how far it is."""
    kept = load()
    view = _goal_or_404(kept, goal_id)
    if sections.step_of(kept.plan, goal_id, step_id) is None:
        abort(404)
    screen = _step_screen(goal_id, _("Change this step"), view)
    return edit_page(lambda _kept: sections.step(goal_id, step_id), screen, kept)


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
