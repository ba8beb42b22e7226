"""Ask a client to fill in a questionnaire, and take that back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from mappers.assignment import CANCELLED, asked_again, assignment_of, cancelled, former, is_assignment, task_of
from mappers.human_name import reference_to
from mappers.tolerant import objects_in, text_in
from questionnaires.canonical import identifier_system
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Conflict, Forbidden, Query, Refused, Unreachable, Write
from smartapp.i18n import message
from smartapp.pages.assignments import views
from smartapp.pages.assignments.views import AssignmentRow, NewPage, QuestionnaireChoice
from smartapp.pages.course import found as courses
from smartapp.records import Record
from smartapp.web import current, undoing
from smartapp.web.dates import NOT_A_DATE, iso_date
from smartapp.web.language import gettext as _
from smartapp.web.language import language, ngettext, text_of
from smartapp.web.typed import clean

blueprint = Blueprint("assignments", __name__, url_prefix="/assignments", template_folder="templates")

View = str | Response | tuple[str, int]
LONGEST_MESSAGE: Final = 1000

NEWS: Final[Mapping[str, str]] = {
    "asked": message("The questionnaire is ready for the client."),
    "on-its-way": message("We cannot reach the record right now. The questionnaire will be ready as soon as we can."),
    "taking-back": message("We cannot reach the record right now. The questionnaire is withdrawn as soon as we can."),
    "asked-again": message("The questionnaire is ready for the client again, as it was."),
    "taken-back": message("The questionnaire is withdrawn. What the client had begun stays theirs."),
}
NOT_RESTORED: Final = message("The record did not take this. Please try again in a moment.")
TOO_LATE: Final = message("This can no longer be taken back. You can ask for the questionnaire again.")
NEEDS_CHOICE: Final = message("Choose a questionnaire.")
IN_THE_PAST: Final = message("This day is over. Choose today or a later day, or leave it empty.")
MESSAGE_TOO_LONG: Final = message("This message is too long. Keep it under a thousand characters.")
NOT_SAVED: Final = message("We cannot reach the record, so nothing is asked yet. Please try again in a moment.")
NOT_TAKEN: Final = message("The record did not accept this, so nothing is asked. Please tell the people who manage it.")
ALREADY_OVER: Final = message("This questionnaire was filled in or withdrawn in the meantime.")
NOT_TAKEN_BACK: Final = message(
    "We cannot reach the record, so nothing is withdrawn yet. Please try again in a moment."
)


def _tasks() -> list[Record]:
    """Return what is asked of this client, as their programmes have it, whatever the record let follow."""
    patient = current.launch().patient.reference
    tasks, care_plans = current.records().search(Query.of("Task", patient=patient), courses.query(patient))
    return courses.tasks_as_decided(care_plans, tasks)


@blueprint.get("/")
def index() -> str:
    """Show everything that was asked of this client."""
    news = NEWS.get(request.args.get("news", ""))
    page = views.assignments_page(_tasks(), catalogue(), today=current.today(), news=_(news) if news else "")
    return render_template("assignments/index.html", page=page, undo=undoing.offered())


@blueprint.get("/new")
def new() -> View:
    """Show the form to ask for a questionnaire."""
    return _form_page(_waiting(_tasks()), {"questionnaire": request.args.get("questionnaire", "")})


@blueprint.post("/new")
def ask() -> View:
    """Ask for a questionnaire; answers 409 if the same one is already waiting."""
    tasks = _tasks()
    waiting = _waiting(tasks)
    typed = {name: clean(request.form.get(name, "")) for name in ("questionnaire", "due", "message", "key")}
    if "look" in request.form:  # in another language: nothing is asked yet, and nothing typed is lost
        return _form_page(waiting, typed, looking=True)
    problems = _problems(typed)
    if problems:
        return _form_page(waiting, typed, problems=problems), 422
    already = waiting.get(typed["questionnaire"])
    # A form sent twice, by a double click or a reload, is not a second request: it gets the page of the first.
    sent_twice = identifier(typed["key"]) in _identifiers(tasks)
    if already and not sent_twice:
        return _form_page(waiting, typed, already=already), 409
    try:
        saved = [] if sent_twice else current.records().save([_asking(typed)])
    except Unreachable:
        return _form_page(waiting, typed, trouble=_(NOT_SAVED)), 503
    except (Refused, Conflict, Forbidden):
        return _form_page(waiting, typed, trouble=_(NOT_TAKEN)), 422
    if not sent_twice:
        current.services().reminders.assigned(current.launch(), typed["questionnaire"])
    # Not stored means that the outbox has it: the EHR was away, and will get it later.
    news = "asked" if all(one.state == "stored" for one in saved) else "on-its-way"
    return redirect(url_for("assignments.index", news=news), 303)


def _waiting(tasks: list[Record]) -> dict[str, AssignmentRow]:
    asked = (row for row in views.rows(tasks, catalogue()) if row.assignment.is_open(current.today()))
    return {row.assignment.instrument: row for row in asked}


def _problems(typed: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    if typed["questionnaire"] not in catalogue().asked:
        found["questionnaire"] = _(NEEDS_CHOICE)
    if typed["due"]:
        due = iso_date(typed["due"])
        if due is None:
            found["due"] = _(NOT_A_DATE)
        elif due < current.today():  # ISO dates sort as text
            found["due"] = _(IN_THE_PAST)
    if len(typed["message"]) > LONGEST_MESSAGE:
        found["message"] = _(MESSAGE_TOO_LONG)
    return found


def _asking(typed: Mapping[str, str]) -> Write:
    instrument = catalogue().asked[typed["questionnaire"]]
    key = identifier(typed["key"])
    patient, user = current.launch().patient, current.launch().user
    task = task_of(
        questionnaire=instrument.canonical,
        title=text_of(instrument.title),
        patient=reference_to(patient.reference, patient.display, language()),
        requester=reference_to(user.reference, user.display, language()),
        asked_on=current.now().isoformat(),
        identifier=key,
        due=iso_date(typed["due"]),
        message=typed["message"],
    )
    task["language"] = language()
    # Conditional, so that an EHR which did store the first attempt, but whose answer was lost, does not store it twice.
    once = f"identifier={identifier_system('assignment')}|{key}"
    return Write("create", task, if_none_exist=once, full_url=f"urn:uuid:{key}")


def identifier(key: str) -> str:
    """Return the identifier for a form's hidden key: the key itself if it is a UUID, else a new one."""
    try:
        return str(uuid.UUID(key))
    except ValueError:
        return str(uuid.uuid4())


def _identifiers(tasks: list[Record]) -> set[str]:
    return {text_in(one, "value") for task in tasks for one in objects_in(task.resource, "identifier")}


def _form_page(
    waiting: Mapping[str, AssignmentRow],
    typed: Mapping[str, str],
    *,
    problems: dict[str, str] | None = None,
    trouble: str = "",
    already: AssignmentRow | None = None,
    looking: bool = False,
) -> str:
    choices = []
    for instrument in catalogue().asked.values():
        minutes = ngettext("about %(num)s minute", "about %(num)s minutes", instrument.minutes)
        state = _("already waiting for the client") if instrument.id in waiting else minutes
        about = f"{text_of(instrument.subtitle)} · {state}"
        choices.append(QuestionnaireChoice(instrument.id, text_of(instrument.title), about))
    page = NewPage(
        choices=tuple(choices),
        chosen=typed.get("questionnaire", ""),
        due=typed.get("due", ""),
        message=typed.get("message", ""),
        key=identifier(typed.get("key", "")),
        problems=problems or {},
        trouble=trouble,
        already=already,
        looking=looking,
    )
    return render_template("assignments/new.html", page=page)


@blueprint.post("/<assignment_id>/cancel")
def cancel(assignment_id: str) -> View:
    """Take an assignment back; whatever the client wrote for it stays with the client."""
    trouble, status = _(NOT_TAKEN_BACK), 503
    # Twice, for it may change in between, as by opening the questionnaire; then a last look at how it ended.
    for may_try in (True, True, False):
        tasks = _tasks()
        found = next((one for one in tasks if one.resource["id"] == assignment_id), None)
        if found is None or not is_assignment(found.resource):
            abort(404)
        if not assignment_of(found.resource).waiting:
            trouble, status = _(ALREADY_OVER), 409
            break
        if assignment_of(found.resource).of_course:  # taken out of it, its moment would go on asking for it
            return redirect(url_for("course.index"), 303)
        if not may_try:
            break
        reason = _("Withdrawn by the care team")
        try:
            [saved] = current.records().save([Write("update", cancelled(found.resource, reason), if_match=found.etag)])
        except Conflict:
            continue
        except (Unreachable, Refused, Forbidden):
            break
        current.services().reminders.assigned_no_longer(current.launch(), assignment_of(found.resource).instrument)
        if saved.state != "stored":
            return redirect(url_for("assignments.index", news="taking-back"), 303)
        back = url_for("assignments.restore", assignment_id=assignment_id)
        needs = {"was": former(found.resource)}
        return redirect(undoing.offer(back, needs, url_for("assignments.index", news="taken-back")), 303)
    return render_template(
        "assignments/index.html",
        page=views.assignments_page(tasks, catalogue(), today=current.today(), trouble=trouble),
    ), status


@blueprint.post("/<assignment_id>/restore")
def restore(assignment_id: str) -> View:
    """Take back that an assignment was taken back: the client finds it as it was, with the message."""
    known = undoing.taken(request.form.get(undoing.FIELD, ""))
    tasks = _tasks()
    found = next((one for one in tasks if one.resource["id"] == assignment_id), None)
    if found is None or not is_assignment(found.resource):
        abort(404)
    assignment = assignment_of(found.resource)
    trouble, status = _(TOO_LATE), 409
    # Asked for anew meanwhile, it would stand there twice.
    if known and assignment.status == CANCELLED and assignment.instrument not in _waiting(tasks):
        task = asked_again(found.resource, known["was"])
        try:
            [saved] = current.records().save([Write("update", task, if_match=found.etag)])
        except (Conflict, Unreachable, Refused, Forbidden):
            trouble, status = _(NOT_RESTORED), 503
        else:
            undoing.forget()
            current.services().reminders.assigned(current.launch(), assignment.instrument)
            news = "asked-again" if saved.state == "stored" else "on-its-way"
            return redirect(url_for("assignments.index", news=news), 303)
    page = views.assignments_page(_tasks(), catalogue(), today=current.today(), trouble=trouble)
    return render_template("assignments/index.html", page=page), status
