"""Choose clients, a programme and a day, read what comes, and begin it for each; then read what became of each.

It is a page of a launch about nobody. Of each client who stands on it their own log says so, and of each for whom a
programme begins what was looked at and written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from mappers.course import Course
from mappers.sharing.parts import COURSE
from questionnaires.programmes import Programme
from smartapp.fhir.store import Forbidden, Refused, Unreachable
from smartapp.i18n import message
from smartapp.pages.caseload.reading import caseload
from smartapp.pages.caseload.telling import tell
from smartapp.pages.course import choosing, service
from smartapp.pages.course.found import foreseen
from smartapp.pages.course.service import BegunBefore, GoesOn
from smartapp.pages.course.views import Coming, choices, coming
from smartapp.pages.group.views import GroupPage, Outcome, client_of
from smartapp.records import Records
from smartapp.storage.launches import Launch
from smartapp.web import current
from smartapp.web.language import gettext as _
from smartapp.web.looked_at import IN_LIST

blueprint = Blueprint("group", __name__, url_prefix="/group", template_folder="templates")

MOST: Final = 20
"""Clients for whom it begins at once: each takes a few questions to the record."""

NEEDS_CLIENTS: Final = message("Choose at least one client.")
TOO_MANY: Final = message("Choose twenty clients at most. The others can follow in a second time.")
BEGUN: Final = message("Begun")
WAITS: Final = message("On its way: we cannot reach the record right now, and send it as soon as we can")
FOLLOWS: Final = message("Follows this programme already")
FOLLOWED: Final = message("Began with it on this day before; choose another day")
NOT_ALLOWED: Final = message("This is not for you to begin for this client")
NOT_DONE: Final = message("Not begun: the record did not answer or did not take it; try again in a moment")


@blueprint.route("/", methods=["GET", "POST"])
def begin() -> ResponseReturnValue:
    """Begin a programme for several of one's own clients."""
    launch = current.launch()
    clients = {one.line.id: one.launch for one in caseload(current.services(), launch).shown}
    tell({id_: (about, (IN_LIST,)) for id_, about in clients.items()})
    if request.method == "GET":
        return _page(clients, {"programme": "", "start": current.today(), "group": ""}, ())
    form, wanted = choosing.posted(), [id_ for id_ in request.form.getlist("clients") if id_ in clients]
    looks, problems = "look" in request.form, choosing.problems(form) | _problems(wanted)
    if problems or (looks and not request.form.get("seen")):
        return _page(clients, form, wanted, problems={} if looks else problems)
    seen = choosing.seen(form, *wanted)
    # What is begun is what was read: a choice that was changed since is shown once more.
    if "begin" not in request.form or request.form.get("seen") != seen:
        return _page(clients, form, wanted, comes=_coming(form, seen))
    programme, _start = choosing.chosen(form)
    became = tuple(Outcome(clients[id_].patient.display, _begun(clients[id_], programme, form)) for id_ in wanted)
    return render_template("group/done.html", title=programme.title, became=became)


def _problems(wanted: Sequence[str]) -> dict[str, str]:
    if not wanted:
        return {"clients": _(NEEDS_CLIENTS)}
    return {"clients": _(TOO_MANY)} if len(wanted) > MOST else {}


def _coming(form: Mapping[str, str], seen: str) -> Coming:
    programme, start = choosing.chosen(form)
    course, today = service.planned("", programme, start, form["group"]), current.now().date()
    return coming(programme, course, foreseen(course, (), today), today, seen)


def _begun(about: Launch, programme: Programme, form: Mapping[str, str]) -> str:
    """Begin for one client, and say in words what became of it; sent twice it is one, and says the same."""
    records = _records(about)
    if records.launch.user.role not in programme.started_by:
        return _(NOT_ALLOWED)
    course = _planned(records, form)
    try:
        done = service.begin(records, course)
    except GoesOn:
        return _(FOLLOWS)
    except BegunBefore:
        return _(FOLLOWED)
    except Forbidden:
        return _(NOT_ALLOWED)
    except (Refused, Unreachable):
        return _(NOT_DONE)
    return _(BEGUN) if done.arrived else _(WAITS)


def _planned(records: Records, form: Mapping[str, str]) -> Course:
    programme, start = choosing.chosen(form)
    return service.planned(records.launch.patient.reference, programme, start, form["group"])


def _records(about: Launch) -> Records:
    """Return the records of one client, of whom the log tells what is looked at and written here.

    The reader has the role there that the list found: asked again it could be more, where the record does not answer.
    """
    services = current.services()
    return services.records(about, lambda event, objects: services.audit.record(about, event, objects, parts=(COURSE,)))


def _page(
    clients: Mapping[str, Launch],
    form: Mapping[str, str],
    wanted: Sequence[str],
    *,
    problems: Mapping[str, str] | None = None,
    comes: Coming | None = None,
) -> ResponseReturnValue:
    page = GroupPage(
        choices=choices(choosing.offered().values()),
        typed=form,
        problems=problems or {},
        coming=comes,
        clients=tuple(client_of(id_, about.patient) for id_, about in clients.items()),
        wanted=tuple(wanted),
    )
    return render_template("group/begin.html", page=page), 422 if problems else 200
