"""What a client sent in: for the client to read back and mark, and for the care team to read."""

from __future__ import annotations

import contextlib

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.comparing import earlier_of
from mappers.human_name import reference_to
from mappers.identity import URN
from mappers.plan import Goal, Step
from mappers.said_in import answer_in
from mappers.sharing import part_of
from mappers.talking import IDENTIFIER_SYSTEM, TalkingPoint, marked, points_about, taken_back, talking_point_of, task_of
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.fhir.store import Conflict, Write
from smartapp.pages.answers import finding, views
from smartapp.pages.answers.finding import Sent
from smartapp.pages.answers.paper import paper
from smartapp.pages.answers.views import AnswerPage, ResponsePage, SentList, SentRow
from smartapp.pages.plan.service import load
from smartapp.pages.questionnaire.quoting import quote_of
from smartapp.pages.questionnaire.sending import correctable
from smartapp.pages.scores import asking
from smartapp.records import Record
from smartapp.web import current
from smartapp.web.language import gettext as _
from smartapp.web.language import language
from smartapp.web.pdf import download

blueprint = Blueprint("answers", __name__, url_prefix="/answers", template_folder="templates")


@blueprint.get("/")
def index() -> str:
    """Show everything that was sent in, newest first."""
    sent, tasks = finding.find()
    own, read = _is_own(), finding.readings()
    rows = [
        SentRow(
            title=views.title_of(one),
            response_id=one.record.resource["id"],
            authored=one.authored,
            place=one.record.place if one.record.state == "stored" else one.record.state,
            marked=sum(1 for point in _points(tasks, one.record.resource).values() if point.waiting),
            readings=read.get(one.record.reference, ()),
        )
        for one in sent
    ]
    cut = {one for one in current.records().cut if one.type == "QuestionnaireResponse"}
    parts = dict.fromkeys(part_of(one.record.resource, catalogue()) for one in sent)
    page = SentList(rows, own, asking.cut_sentence(cut), [*parts])
    return render_template("answers/index.html", page=page, together=_together())


@blueprint.get("/<response_id>/")
def response(response_id: str) -> ResponseReturnValue:
    """Show one response beside the one before; `?beside=` chooses another one of before."""
    sent, tasks = finding.find()
    one = finding.one_of(sent, response_id) or abort(404)
    if one.record.resource["id"] != response_id:
        # It arrived meanwhile, under the id that the record gave it.
        here = one.record.resource["id"]
        return redirect(url_for(".response", response_id=here, together=_together()), 303)
    return render_template("answers/response.html", page=_shown(one, sent, tasks), together=_together())


@blueprint.get("/<response_id>/answers.pdf")
def as_pdf(response_id: str) -> ResponseReturnValue:
    """Give one response as a PDF, beside the same one of before as on its page."""
    sent, tasks = finding.find()
    one = finding.one_of(sent, response_id) or abort(404)
    content = paper(_shown(one, sent, tasks), client=current.launch().patient, made=current.now())
    return download(content, _("answers"))


def _shown(one: Sent, sent: list[Sent], tasks: list[Record]) -> ResponsePage:
    """Return what a page shows of a response, and write down that it was read."""
    current.shows(one.record.reference)
    own = _is_own()
    earlier = _earlier(one, sent)
    wanted = request.args.get("beside", "")
    beside = next((each for each in earlier if each.record.resource["id"] == wanted), next(iter(earlier), None))
    stopped = current.records().is_stopped(["QuestionnaireResponse"], one.record.resource["id"])
    return views.response_page(
        one,
        own=own,
        earlier=earlier,
        beside=beside,
        points=_points(tasks, one.record.resource),
        readings=finding.readings().get(one.record.reference, ()) if own else (),
        correctable=own and one.answers is not None and correctable(current.records(), one.record, one.answers),
        state="refused" if stopped else one.record.state,
    )


@blueprint.post("/<response_id>/talk")
def talk(response_id: str) -> ResponseReturnValue:
    """Mark an answer to talk about (`mark`), or take the mark back (`unmark`); the value is its linkId."""
    sent, tasks = finding.find()
    one = finding.one_of(sent, response_id) or abort(404)
    wanted = "mark" in request.form
    link_id = request.form.get("mark" if wanted else "unmark", "")
    said = quote_of(one.answers, link_id) if one.answers else None
    if said is None or one.record.state != "stored":
        abort(404)
    task = next((each for each in tasks if _is_about(each, one, link_id)), None)
    write = _mark(one, link_id, said.sentence, task) if wanted else _unmark(task)
    if write is not None:
        # Someone else changed it at this moment, such as by talking about it: the page shows what is there.
        with contextlib.suppress(Conflict):
            current.records().save([write])
    if "stay" in request.args:
        return redirect(url_for(".answer", response_id=response_id, link_id=link_id), 303)
    return redirect(url_for(".response", response_id=response_id, _anchor=f"q-{link_id}"), 303)


@blueprint.get("/<response_id>/<link_id>")
def answer(response_id: str, link_id: str) -> str:
    """Show one answer with what the client can do with it: talk about it, or make it into a goal or a step."""
    sent, tasks = finding.find()
    one = finding.one_of(sent, response_id) or abort(404)
    said = quote_of(one.answers, link_id) if one.answers else None
    if said is None or one.answers is None:
        abort(404)
    earlier = next(iter(_earlier(one, sent)), None)
    groups = views.lines_of(one.answers, earlier.answers if earlier else None, _points(tasks, one.record.resource))
    line = next(line for group in groups for line in group.lines if line.link_id == link_id)
    plan = load().plan
    goals = [(goal.id, goal.text) for goal in plan.goals if goal.active]
    made = [(goal.id, each.text) for goal in plan.goals for each in _pieces(goal) if _came_from(each, one, link_id)]
    page = AnswerPage(views.title_of(one), response_id, one.authored, line, said.words, goals, made)
    return render_template("answers/answer.html", page=page)


def _together() -> str | None:
    """Return "1" where two people read the answers in a conversation: then they are large, and lead back to it."""
    return "1" if "together" in request.args and not _is_own() else None


def _pieces(goal: Goal) -> list[Goal | Step]:
    return [goal, *goal.steps]


def _came_from(made: Goal | Step, one: Sent, link_id: str) -> bool:
    said = made.said_in
    return said is not None and said.link_id == link_id and said.is_of(one.record.resource)


def _is_own() -> bool:
    return current.launch().user.role == "client"


def _points(tasks: list[Record], response: Resource) -> dict[str, TalkingPoint]:
    return points_about([task.resource for task in tasks if task.state != "refused"], response)


def _is_about(task: Record, one: Sent, link_id: str) -> bool:
    return link_id in points_about([task.resource], one.record.resource)


def _earlier(one: Sent, sent: list[Sent]) -> list[Sent]:
    """Return what was sent in before by the same questionnaire, newest first."""
    if one.answers is None:
        return []
    of = {id(each.answers): each for each in sent if each.answers is not None}
    others = [each.answers for each in sent if each.answers is not None and each is not one]
    return [of[id(answers)] for answers in earlier_of(one.answers, others)]


def _mark(one: Sent, link_id: str, words: str, task: Record | None) -> Write | None:
    now = current.now().isoformat()
    if task is not None:
        if task.resource.get("status") == "requested":
            return None
        return Write("update", marked(task.resource, now), if_match=task.etag)
    patient, user = current.launch().patient, current.launch().user
    same_place = current.records().place_for("Task") == one.record.place
    made = task_of(
        answer_in(one.record.resource, link_id, same_place=same_place),
        words=words,
        patient=reference_to(patient.reference, patient.display, language()),
        requester=reference_to(user.reference, user.display, language()),
        marked_on=now,
        language=language(),
    )
    value = made["identifier"][0]["value"]
    return Write.once(made, identifier=f"{IDENTIFIER_SYSTEM}|{value}", full_url=f"{URN}{value}")


def _unmark(task: Record | None) -> Write | None:
    # What was talked about meanwhile stays so.
    if task is None or not any(point.waiting for point in [talking_point_of(task.resource)] if point):
        return None
    return Write("update", taken_back(task.resource), if_match=task.etag)
