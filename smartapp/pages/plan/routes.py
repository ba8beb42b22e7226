"""The client's own plan: reading it, and changing one part of it per page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.plan import QUESTIONS, STEP_STATUSES, DomainAnswers, Plan, Step
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument
from smartapp.errors import BadRequest
from smartapp.i18n import message
from smartapp.pages.plan import (
    choosing,
    fields,
    gone,
    history,
    looked_back,
    pressing,
    remarks,
    removing,
    sections,
    stored,
    ticking,
    views,
)
from smartapp.pages.plan.forms import edit
from smartapp.pages.plan.from_answers import goal_from_answer, step_from_answer
from smartapp.pages.plan.paper import paper
from smartapp.pages.plan.service import change, living_queries, load, plan_in, where_stored
from smartapp.pages.plan.stored import StoredPlan
from smartapp.records.placement import TOGETHER
from smartapp.web import confirming, current, undoing, whose
from smartapp.web.about import Subject, about
from smartapp.web.confirming import pressed
from smartapp.web.editing import Form, form_key, waiting
from smartapp.web.fields import Link
from smartapp.web.forms import Saved, Trouble
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of
from smartapp.web.living_views import forms_in
from smartapp.web.pdf import download
from smartapp.web.plan_views import GoalView, Words, domain_view, goal_view
from smartapp.web.typed import Accepted

blueprint = Blueprint("plan", __name__, url_prefix="/plan", template_folder="templates")

blueprint.context_processor(undoing.said)
blueprint.context_processor(whose.said)

SAVED: Final[Mapping[str, str]] = {
    "domains": message("Your areas of life are saved."),
    "answers": message("Your answers are saved."),
    "goal": message("Your goal is saved."),
    "step": message("Your step is saved."),
    "progress": message("How it is going is saved."),
    "ended": message("Your goal is now under earlier goals."),
    "resumed": message("You have taken up this goal again."),
    "later": message("This goal is for later. It stays in your plan."),
    "remark-removed": message("The remark is gone from this goal."),
    "goal-removed": message("The goal is out of your plan."),
    "step-removed": message("The step is out of your plan."),
}
"""What is said after saving, by the mark in `?saved=`; a living form brings its own sentence, by its id."""


def _words() -> Words:
    return Words.of(catalogue())


def _saved(plan: StoredPlan) -> str:
    """Return the sentence about what was saved just now, "" where nothing was.

    What had to wait (`?waits=1`) may have been stopped before this page was asked for: then the page says that on top,
    and nothing else.
    """
    mark = request.args.get("saved", "")
    form = plan.forms.get(mark)
    if request.args.get("waits") and current.records().is_stopped({"QuestionnaireResponse"} if form else TOGETHER):
        return ""
    if request.args.get(undoing.DONE):
        return _("It is as it was before.")
    if form and form.on_its_way:
        return _("What you saved is safe here. It is on its way to the record, which we cannot reach right now.")
    if form and form.form.living:
        return text_of(form.form.living.saved)
    return _(SAVED[mark]) if mark in SAVED else ""


def _marks() -> dict[str, Any]:
    """Return what the address of this page says about what was saved just now, to be passed on."""
    names = ("saved", "waits", undoing.FIELD, undoing.DONE, whose.FIELD, confirming.SHOW)
    return {name: request.args.get(name) for name in names}


# --- start ------------------------------------------------------------------------------------------------------


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """Show my plan."""
    stored_plan = load()
    page = views.start_page(
        stored_plan.plan,
        catalogue(),
        where=where_stored(stored_plan),
        saved=_saved(stored_plan),
        saved_at=request.args.get("saved", ""),
        others=stored_plan.others,
        forms=forms_in(stored_plan.forms, "plan", current.now().date()),
    )
    return render_template("plan/start.html", page=page, ticked=ticking.ticked(on_its_way=page.where.on_its_way))


@blueprint.get("/plan.pdf")
def as_pdf() -> ResponseReturnValue:
    """Give my plan as a PDF, to keep or to take along."""
    found = current.records().search(*stored.queries(current.launch().patient_id), *living_queries())
    there = plan_in(found[:3], found[3:])
    content = paper(there.plan, catalogue(), client=current.launch().patient, made=current.now(), forms=there.forms)
    return download(content, _("recovery-plan"))


def _start_link() -> Link:
    return Link(_("Back to my plan"), url_for("plan.start"))


def _start_after(saved: str) -> str:
    return url_for("plan.start", saved=saved, _anchor=saved)


# --- where words moved to ----------------------------------------------------------------------------------------


@blueprint.get("/<code>")
def part(code: str) -> ResponseReturnValue:
    """Go on to the living form that has these words, from an address of before there were living forms."""
    if not any(one.code == code for one in catalogue().plan_parts):
        abort(404)
    return redirect(url_for("living.form", form_id=code), 303)


# --- life domains -----------------------------------------------------------------------------------------------


blueprint.add_url_rule("/domains", view_func=choosing.domains, methods=["GET", "POST"])


@blueprint.get("/domains/<code>/")
def domain(code: str) -> ResponseReturnValue:
    """Show one life domain with its four answers and its goals."""
    words = _words()
    if code not in words.domains:
        abort(404)
    stored_plan = load()
    answers = next((found for found in stored_plan.plan.domains if found.domain == code), None)
    page = views.DomainPage(
        domain=domain_view(answers or DomainAnswers(domain=code), stored_plan.plan, words),
        in_plan=answers is not None,
        where=where_stored(stored_plan),
        saved=_saved(stored_plan),
        about=about(
            Subject("domain", (code,)),
            map(stored_plan.content_of, stored_plan.forms),
            catalogue(),
            writes=answers is not None,
        ),
    )
    return render_template("plan/domain.html", page=page)


ALL: Final = "all"


@blueprint.route("/domains/<code>/<question>", methods=["GET", "POST"])
def question(code: str, question: str) -> ResponseReturnValue:
    """Answer one of the four questions about a life domain, or all four on one page."""
    words = _words()
    if code not in words.domains or question not in (*QUESTIONS, ALL):
        abort(404)
    stored_plan = load() if request.method == "GET" else None
    if stored_plan is not None and code not in {answers.domain for answers in stored_plan.plan.domains}:
        return redirect(url_for("plan.domain", code=code), 303)
    asked = QUESTIONS if question == ALL else (question,)
    number, total = QUESTIONS.index(asked[-1]) + 1, len(QUESTIONS)
    last = number == total
    after = url_for("plan.domain", code=code, saved="answers")
    if not last and undoing.STOP not in request.form:  # the other button says "save and stop here"
        after = url_for("plan.question", code=code, question=QUESTIONS[number])
    title = words.domains[code]
    count = _("Question %(number)s of %(total)s", number=number, total=total)
    form = Form(
        title if question == ALL else words.questions[question],
        fields.questions(asked, words),
        Link(_("Back to %(area)s", area=title), url_for("plan.domain", code=code)),
        after,
        kicker="" if question == ALL else f"{title} · {count}",
        save=_("Save") if last else _("Save and continue"),
        stop="" if last else _("Save and stop here"),
    )
    return edit(lambda _plan: sections.domain(code, asked), form, stored_plan)


# --- goals ------------------------------------------------------------------------------------------------------


@blueprint.route("/goals/new", methods=["GET", "POST"])
def new_goal() -> ResponseReturnValue:
    """Write a new goal."""
    stored_plan = load()
    if request.method == "GET" and not stored_plan.plan.domains:
        return redirect(url_for("plan.domains"), 303)
    key = form_key()
    wish = request.args.get("domain", "")
    form = Form(
        _("A new goal"),
        fields.goal(stored_plan.plan, _words()),
        _start_link(),
        url_for("plan.goal_by_key", key=key, saved="goal"),
        key=key,
        reword=url_for("plan.words_by_key", key=key),
        proposed={"domain": wish if wish in {answers.domain for answers in stored_plan.plan.domains} else ""},
    )
    return edit(lambda now: sections.goal(now.id_of(key), current.today()), form, stored_plan)


@blueprint.get("/goals/by-key/<key>/words")
def words_by_key(key: str) -> ResponseReturnValue:
    """Go to where the words of the goal that a form made are changed."""
    return redirect(url_for("plan.goal_words", goal_id=load().id_of(key)), 303)


@blueprint.get("/goals/by-key/<key>")
def goal_by_key(key: str) -> ResponseReturnValue:
    """Go to the goal that a form made, now that the record has given it an id."""
    stored_plan = load()
    goal_id = stored_plan.id_of(key)
    if sections.goal_of(stored_plan.plan, goal_id) is None:
        return redirect(url_for("plan.start", **{**_marks(), "saved": "goal"}, _anchor="goal"), 303)
    return redirect(url_for("plan.goal", goal_id=goal_id, **_marks()), 303)


def _goal_or_404(stored_plan: StoredPlan, goal_id: str) -> GoalView:
    found = sections.goal_of(stored_plan.plan, goal_id)
    if found is None:
        _follow(stored_plan)
        gone.stop(stored_plan, goal_id, (request.view_args or {}).get("step_id", ""))
    return goal_view(found, _words(), stored_plan.began_at(found))


def _goal_page(view: GoalView, stored_plan: StoredPlan, outcome: Trouble) -> views.GoalPage:
    """Return the page of a goal that says why what was pressed there is not saved."""
    where = where_stored(stored_plan)
    return views.goal_page(view, stored_plan, where, catalogue(), trouble=outcome.sentence)


def _step_or_404(stored_plan: StoredPlan, goal_id: str, step_id: str) -> Step:
    found = sections.step_of(stored_plan.plan, goal_id, step_id)
    if found is None:
        _follow(stored_plan)
        gone.stop(stored_plan, goal_id, step_id)
    return found


def _follow(stored_plan: StoredPlan) -> None:
    """Send this request on, as it is, if its goal or step got another id because the plan moved."""
    here = request.view_args or {}
    there: dict[str, Any] = {name: stored_plan.current_id(id_) for name, id_ in here.items()}
    if there != here:
        # 307, so that a form that was open during the move arrives with what was typed in it.
        abort(redirect(url_for(str(request.endpoint), **_marks(), **there), 307))


def _goal_link(goal_id: str) -> Link:
    return Link(_("Back to this goal"), url_for("plan.goal", goal_id=goal_id))


@blueprint.get("/goals/<goal_id>/")
def goal(goal_id: str) -> ResponseReturnValue:
    """Show one goal."""
    stored_plan = load()
    view, where = _goal_or_404(stored_plan, goal_id), where_stored(stored_plan)
    page = views.goal_page(view, stored_plan, where, catalogue(), saved=_saved(stored_plan))
    return render_template("plan/goal.html", page=page)


@blueprint.route("/goals/<goal_id>/words", methods=["GET", "POST"])
@blueprint.route("/goals/<goal_id>/words/<form_id>/<key>", methods=["GET", "POST"])
def goal_words(goal_id: str, form_id: str = "", key: str = "") -> ResponseReturnValue:
    """Change the words, the life domain or the date of a goal, also beside what was said of it in a living form."""
    looked_in = _form_or_404(form_id) if form_id else None
    stored_plan = load()
    _goal_or_404(stored_plan, goal_id)
    form = Form(
        _("Change my goal"),
        fields.goal(stored_plan.plan, _words()),
        looked_back.back_to(looked_in) if looked_in else _goal_link(goal_id),
        looked_back.address(looked_in, goal="changed")
        if looked_in
        else url_for("plan.goal", goal_id=goal_id, saved="goal"),
        more={"looked_back": looked_back.said_in(stored_plan, looked_in, key, catalogue())} if looked_in else {},
    )
    return edit(lambda now: sections.goal(now.current_id(goal_id), current.today()), form, stored_plan)


def _form_or_404(form_id: str) -> Instrument:
    return catalogue().living.get(form_id) or abort(404)


@blueprint.post("/goals/<goal_id>/let-go/<form_id>")
@pressed(pressing.of_goal(message("This goal stops. It stays in your plan, under earlier goals.")))
def let_go(goal_id: str, form_id: str) -> ResponseReturnValue:
    """End a goal in one press, where the client said in a living form that they stop with it."""
    form, stored_plan = _form_or_404(form_id), load()
    return looked_back.let_go(stored_plan, _goal_or_404(stored_plan, goal_id).goal, form)


@blueprint.post("/goals/<goal_id>/let-go/<form_id>/back")
@pressed(pressing.of_goal(message("You take up this goal again.")))
def go_on(goal_id: str, form_id: str) -> ResponseReturnValue:
    """Take back that a goal was let go just now."""
    form, stored_plan = _form_or_404(form_id), load()
    return looked_back.go_on(stored_plan, _goal_or_404(stored_plan, goal_id).goal, form)


@blueprint.route("/goals/<goal_id>/progress", methods=["GET", "POST"])
def progress(goal_id: str) -> ResponseReturnValue:
    """Say how it goes with a goal."""
    stored_plan = load()
    form = Form(
        _("How is it going with this goal?"),
        fields.progress(),
        _goal_link(goal_id),
        url_for("plan.goal", goal_id=goal_id, saved="progress"),
        words=_goal_or_404(stored_plan, goal_id).goal.text,
    )
    return edit(lambda now: sections.progress(now.current_id(goal_id), current.now()), form, stored_plan)


@blueprint.route("/goals/<goal_id>/end", methods=["GET", "POST"])
def end(goal_id: str) -> ResponseReturnValue:
    """End a goal: reached, changed or let go."""
    stored_plan = load()
    ending = _goal_or_404(stored_plan, goal_id).goal
    after = _start_after("ended")
    if request.form.get("ending") == "changed":
        after = url_for("plan.new_goal", domain=ending.domain)
    form = Form(
        _("Close this goal"),
        fields.ending(),
        _goal_link(goal_id),
        after,
        lead=_("The goal stays in your plan, under earlier goals. You can take it up again."),
        words=ending.text,
    )
    return edit(lambda now: sections.ending(now.current_id(goal_id), current.now()), form, stored_plan)


@blueprint.post("/goals/<goal_id>/resume")
@pressed(pressing.of_goal(message("You take up this goal again.")))
def resume(goal_id: str) -> ResponseReturnValue:
    """Take up an ended goal again."""
    stored_plan = load()
    view = _goal_or_404(stored_plan, goal_id)
    outcome = change(lambda now: Accepted(sections.with_goal_resumed(now.plan, goal_id, current.today())), stored_plan)
    if isinstance(outcome, Trouble):
        page = _goal_page(view, stored_plan, outcome)
        return render_template("plan/goal.html", page=page), outcome.status
    after = url_for("plan.goal", goal_id=goal_id, saved="resumed")
    return redirect(after if isinstance(outcome, Saved) and outcome.arrived else waiting(after), 303)


@blueprint.post("/goals/<goal_id>/later")
@pressed(pressing.of_goal(message("This goal is for later. It stays in your plan.")))
def later(goal_id: str) -> ResponseReturnValue:
    """Let a goal rest for now."""
    stored_plan = load()
    view = _goal_or_404(stored_plan, goal_id)
    at = current.today()
    outcome = change(
        lambda now: Accepted(sections.with_goal_for_later(now.plan, now.current_id(goal_id), at)), stored_plan
    )
    if isinstance(outcome, Trouble):
        page = _goal_page(view, stored_plan, outcome)
        return render_template("plan/goal.html", page=page), outcome.status
    after = url_for("plan.goal", goal_id=goal_id, saved="later")
    return redirect(after if isinstance(outcome, Saved) and outcome.arrived else waiting(after), 303)


@blueprint.route("/goals/<goal_id>/now", methods=["GET", "POST"])
def begin(goal_id: str) -> ResponseReturnValue:
    """Take up a goal that was for later; where five areas go on, the client chooses which one rests."""
    stored_plan = load()
    found = _goal_or_404(stored_plan, goal_id).goal
    form = Form(
        _("Work on this goal now"),
        fields.rest(stored_plan.plan, found, _words()),
        _goal_link(goal_id),
        url_for("plan.goal", goal_id=goal_id, saved="resumed"),
        lead=_("You work on at most five areas at once. Nothing goes away: what rests stays in your plan."),
        words=found.text,
    )
    return edit(lambda now: sections.beginning(now.current_id(goal_id), current.today()), form, stored_plan)


# --- steps ------------------------------------------------------------------------------------------------------


@blueprint.route("/goals/<goal_id>/steps/new", methods=["GET", "POST"])
def new_step(goal_id: str) -> ResponseReturnValue:
    """Add a step to a goal."""
    stored_plan = load()
    aim = _goal_or_404(stored_plan, goal_id).goal
    key = form_key()
    form = Form(
        _("A step towards your goal"),
        fields.step(with_status=False),
        _goal_link(goal_id),
        url_for("plan.goal", goal_id=goal_id, saved="step"),
        key=key,
        reword=url_for("plan.step_by_key", goal_id=goal_id, key=key),
        words=aim.text,
    )
    return edit(lambda now: sections.step(now.current_id(goal_id), now.id_of(key)), form, stored_plan)


@blueprint.get("/goals/<goal_id>/steps/by-key/<key>")
def step_by_key(goal_id: str, key: str) -> ResponseReturnValue:
    """Go to where the step that a form made is changed."""
    return redirect(url_for("plan.step", goal_id=goal_id, step_id=load().id_of(key)), 303)


@blueprint.route("/goals/<goal_id>/steps/<step_id>", methods=["GET", "POST"])
def step(goal_id: str, step_id: str) -> ResponseReturnValue:
    """Change a step, or say how far it is."""
    stored_plan = load()
    aim = _goal_or_404(stored_plan, goal_id).goal
    _step_or_404(stored_plan, goal_id, step_id)
    form = Form(
        _("Change this step"),
        fields.step(with_status=True),
        _goal_link(goal_id),
        url_for("plan.goal", goal_id=goal_id, saved="step"),
        words=aim.text,
        remove=url_for("plan.remove_step", goal_id=goal_id, step_id=step_id),
    )
    return edit(lambda now: sections.step(now.current_id(goal_id), now.current_id(step_id)), form, stored_plan)


# --- earlier versions ---------------------------------------------------------------------------------------------


@blueprint.get("/history")
def earlier_versions() -> ResponseReturnValue:
    """Show what the client wrote before, and what was taken out of the plan."""
    page = history.plan_page(load(), catalogue())
    title = _("Earlier versions of my plan")
    return render_template("plan/history.html", page=page, title=title, back_to=_start_link())


@blueprint.get("/goals/<goal_id>/history")
def goal_history(goal_id: str) -> ResponseReturnValue:
    """Show what the words of a goal and its steps were before."""
    stored_plan = load()
    found = _goal_or_404(stored_plan, goal_id).goal
    page = history.goal_page(stored_plan, found, catalogue())
    title = _("Earlier versions of this goal")
    return render_template("plan/history.html", page=page, title=title, back_to=_goal_link(goal_id))


# --- mistakes ---------------------------------------------------------------------------------------------------


@blueprint.post("/goals/<goal_id>/remove")
@pressed(pressing.of_goal(message("This goal goes out of your plan.")))
def remove_goal(goal_id: str) -> ResponseReturnValue:
    """Take a goal that was made by mistake out of the plan; the next page offers to take that back."""
    stored_plan = load()
    _goal_or_404(stored_plan, goal_id)
    return removing.taken_out(
        stored_plan,
        removing.of_goal(stored_plan, goal_id),
        after=url_for("plan.start", saved="goal-removed", _anchor="goal"),
        back=url_for("plan.put_back_goal", goal_id=goal_id),
        refused=url_for("plan.goal", goal_id=goal_id),
    )


@blueprint.post("/goals/<goal_id>/put-back")
@pressed(pressing.of_removed(message("This goal is in your plan again.")))
def put_back_goal(goal_id: str) -> ResponseReturnValue:
    """Put back a goal that was taken out of the plan."""
    after = url_for("plan.goal", goal_id=goal_id)
    return removing.put_back(load(), goal_id, "", after=after, refused=url_for("plan.start"))


@blueprint.post("/goals/<goal_id>/steps/<step_id>/remove")
@pressed(pressing.of_step(message("This step goes out of your plan.")))
def remove_step(goal_id: str, step_id: str) -> ResponseReturnValue:
    """Take a step that was made by mistake out of the plan; the next page offers to take that back."""
    stored_plan = load()
    _goal_or_404(stored_plan, goal_id)
    _step_or_404(stored_plan, goal_id, step_id)
    return removing.taken_out(
        stored_plan,
        removing.of_step(stored_plan, goal_id, step_id),
        after=url_for("plan.goal", goal_id=goal_id, saved="step-removed"),
        back=url_for("plan.put_back_step", goal_id=goal_id, step_id=step_id),
        refused=url_for("plan.goal", goal_id=goal_id),
    )


@blueprint.post("/goals/<goal_id>/steps/<step_id>/put-back")
@pressed(pressing.of_removed(message("This step is in your plan again.")))
def put_back_step(goal_id: str, step_id: str) -> ResponseReturnValue:
    """Put back a step that was taken out of the plan."""
    after = url_for("plan.goal", goal_id=goal_id)
    return removing.put_back(load(), goal_id, step_id, after=after, refused=after)


@blueprint.post("/goals/<goal_id>/remarks/remove")
@pressed(pressing.of_remark(message("What you said about this goal goes out of your plan.")))
def remove_remark(goal_id: str) -> ResponseReturnValue:
    """Take out something that the client said about a goal by mistake; the next page offers to take that back."""
    stored_plan = load()
    return remarks.taken_out(
        stored_plan,
        _goal_or_404(stored_plan, goal_id).goal,
        after=url_for("plan.goal", goal_id=goal_id, saved="remark-removed"),
        back=url_for("plan.put_back_remark", goal_id=goal_id),
        refused=url_for("plan.goal", goal_id=goal_id),
    )


@blueprint.post("/goals/<goal_id>/remarks/put-back")
@pressed(pressing.of_remark(message("What you said about this goal is in your plan again.")))
def put_back_remark(goal_id: str) -> ResponseReturnValue:
    """Put back something that the client said about a goal."""
    stored_plan = load()
    found = _goal_or_404(stored_plan, goal_id).goal
    return remarks.put_back(stored_plan, found, after=url_for("plan.goal", goal_id=goal_id))


@blueprint.post("/goals/<goal_id>/steps/<step_id>/tick")
@pressed(pressing.of_tick)
def tick(goal_id: str, step_id: str) -> ResponseReturnValue:
    """Tick a step off in one press, or take that back: the button says how far the step is then (`tick`).

    It says so rather than turning things round, so that pressing twice on a slow line does no harm.
    """
    status, page = request.form.get("tick"), request.form.get("from", "")
    if status not in STEP_STATUSES or page not in ticking.PAGES:
        raise BadRequest(code="tick")
    stored_plan = load()
    before = _step_or_404(stored_plan, goal_id, step_id)

    def press(now: StoredPlan) -> Accepted[Plan]:
        at = now.current_id(goal_id), now.current_id(step_id)
        return Accepted(sections.with_step_status(now.plan, *at, status))

    outcome = change(press, stored_plan)
    if not isinstance(outcome, Saved):
        flash(_("This is not saved. Please try again in a moment."), "attention")
        return redirect(ticking.address_after(page, step_id), 303)
    after = ticking.address_after(page, step_id, before.status)
    return redirect(after if outcome.arrived else waiting(after), 303)


# --- from an answer ---------------------------------------------------------------------------------------------

_FROM: Final = "from/<response_id>/<link_id>"
blueprint.add_url_rule(f"/goals/new/{_FROM}", view_func=goal_from_answer, methods=["GET", "POST"])
blueprint.add_url_rule(f"/goals/<goal_id>/steps/new/{_FROM}", view_func=step_from_answer, methods=["GET", "POST"])
