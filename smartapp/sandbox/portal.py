"""The sandbox's own pages: who there is, and the two ways into the app (chart and portal). Made-up people only."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from babel.dates import format_date
from flask import Blueprint, make_response, redirect, render_template, request, send_file
from werkzeug.wrappers import Response as BaseResponse

from mappers.human_name import name_of as called_by
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource
from questionnaires.model import Language
from smartapp.fhir.store import NotFound, Query, RecordError, Refused
from smartapp.i18n import COOKIE as LANGUAGE_COOKIE
from smartapp.sandbox.identities import COOKIE, SandboxUser, name_of, users, with_session
from smartapp.sandbox.seeding import about
from smartapp.sandbox.seeding import people as known_people
from smartapp.sandbox.server import PREFIX, Sandbox, current_sandbox
from smartapp.sandbox.texts import TEXTS

blueprint = Blueprint("portal", __name__)

_WHO = {"client": "Patient/", "clinician": "Practitioner/", "loved-one": "RelatedPerson/"}
"""Who opens the app, as a launch asks for it, and what they are here."""
_ME = "me"
"""Whoever is signed in at this browser, as `user` of a launch: an address of a chart is for nobody in particular."""
_ID = re.compile(r"^[A-Za-z0-9\-.]{1,64}$")
_CONTEXT = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}|https?://\S{1,500}")


@dataclass(frozen=True, slots=True)
class PatientCard:
    """What the page of people says about one person; `clinician` opens the chart, `others` can open it too."""

    id: str
    name: str
    called: str
    age: int | None
    about: str
    clinician: SandboxUser | None
    others: tuple[Other, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else who opens a record: `role` is what the launch is asked for, `outside` that no team has them."""

    user: SandboxUser
    role: str
    outside: bool


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """The page of people: the cards, what kind of EHR this plays, and which day it is here."""

    people: tuple[PatientCard, ...]
    professionals: tuple[SandboxUser, ...]
    kind: str
    base: str
    today: str
    days_ahead: int

    @property
    def further(self) -> int:
        """Return a number of days to go ahead next: another month."""
        return self.days_ahead + 30


@blueprint.before_request
def one_name() -> BaseResponse | None:
    """Bring browsers to the one address this server goes by: a cookie of `localhost` is not seen at `127.0.0.1`."""
    sandbox = current_sandbox()
    if request.host != urlsplit(sandbox.public_url).netloc:
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        return redirect(f"{sandbox.public_url}{PREFIX}{request.path}{query}")
    return None


@blueprint.get("/", strict_slashes=False)
def people() -> str:
    """Show the people, with the ways into the app."""
    sandbox = current_sandbox()
    order = list(known_people())
    found = [one.resource for one in sandbox.store.search(Query.of("Patient", _sort="_id"))]
    # In the order of their files; anyone else comes last.
    found.sort(key=lambda one: order.index(one["id"]) if one["id"] in order else len(order))
    cards = tuple(_card(sandbox, one) for one in found)
    title = sandbox.kind.title if language() == "en" else sandbox.kind.title_nl
    page = PeoplePage(
        cards,
        _professionals(sandbox),
        title,
        sandbox.base,
        today=format_date(sandbox.today(), "long", language()),
        days_ahead=sandbox.days_ahead,
    )
    return render_template("people.html", page=page)


@blueprint.get("/launch")
def launch() -> BaseResponse:
    """Sign a person in and start a real SMART launch: from the chart (clinician), or from the portal (others)."""
    sandbox = current_sandbox()
    person, user = _asked(sandbox)
    return with_session(redirect(_address(sandbox, person, user)), sandbox, user)


@blueprint.get("/caseload")
def own_clients() -> BaseResponse:
    """Sign a professional in and open the list of their own clients: a launch of this record system without a chart.

    With `alone` it is opened from outside, as from a bookmark.
    """
    sandbox = current_sandbox()
    user = request.args.get("user", "")
    if user not in {one.reference for one in _professionals(sandbox)}:
        raise NotFound(TEXTS[language()]["no_person"])
    launched = {} if "alone" in request.args else {"launch": sandbox.tickets.launch(user, "")}
    query = urlencode({"iss": sandbox.base, **launched})
    return with_session(redirect(f"{sandbox.app_url}/caseload?{query}"), sandbox, user)


@blueprint.get("/frame")
def framed() -> BaseResponse:
    """Show the app inside this record's own page, as an EHR does: the same launch, in a frame."""
    sandbox = current_sandbox()
    person, user = _asked(sandbox)
    # What the app has to show when it says that its user is done; see `static/chart.js`.
    handle = secrets.token_urlsafe(24)
    said = {"smart_web_messaging_handle": handle, "smart_web_messaging_origin": sandbox.public_url}
    professional = user.startswith("Practitioner/")
    src = _address(sandbox, person, user, **(said if professional else {}))
    shown = render_template(
        "chart.html", name=name_of(person), src=src, app=sandbox.app_url, handle=handle if professional else ""
    )
    response = with_session(make_response(shown), sandbox, user)
    # The sign-in of this record is in that frame too, on its way to the app and back.
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
        f"frame-src 'self' {sandbox.app_url}; base-uri 'none'; frame-ancestors 'none'"
    )
    return response


@blueprint.get("/chart.js")
def chart_script() -> BaseResponse:
    """Give the script of the page with the frame: it takes the messages of the app."""
    return send_file(Path(__file__).with_name("static") / "chart.js", mimetype="text/javascript")


def _asked(sandbox: Sandbox) -> tuple[Resource, str]:
    """Return the person that is asked for, and the reference of who opens the app. Raises Refused or NotFound."""
    role, patient = request.args.get("role", ""), request.args.get("patient", "")
    if role not in _WHO:
        raise Refused(TEXTS[language()]["no_role"], status=400)
    if not _ID.match(patient):
        raise Refused(TEXTS[language()]["no_person"], status=400)
    try:
        resource = sandbox.store.read("Patient", patient).resource
    except NotFound:
        raise NotFound(TEXTS[language()]["no_person"]) from None
    if role == "client":
        return resource, f"Patient/{patient}"
    user = request.args.get("user") or ("" if role == "loved-one" else _clinician(sandbox, resource).reference)
    if user == _ME:
        user = sandbox.tickets.signed_in(request.cookies.get(COOKIE)) or ""
    known = users(sandbox) if role == "clinician" else _close(sandbox, resource)
    if user not in {one.reference for one in known} or not user.startswith(_WHO[role]):
        raise NotFound(TEXTS[language()]["no_person"])
    return resource, user


def _address(sandbox: Sandbox, person: Resource, user: str, **said: str) -> str:
    """Return where the app is opened: by the client or somebody close from outside, else with the chart at hand.

    `app` in the address names another registered app; that one is always opened with a chart, and so is any app that
    is opened for something (`context`). `said` is what the app is told besides. Raises NotFound or Refused.
    """
    other, context = _other_app(sandbox, request.args.get("app")), _context()
    if other is None and not context and not user.startswith("Practitioner/"):
        return f"{sandbox.app_url}/start?{urlencode({'iss': sandbox.base})}"
    query = urlencode({"iss": sandbox.base, "launch": sandbox.tickets.launch(user, person["id"], {**context, **said})})
    app = other or f"{sandbox.app_url}/launch"
    return f"{app}{'&' if '?' in app else '?'}{query}"


def _context() -> dict[str, Any]:
    """Return what the app is opened for: each `context` is a reference (`Task/1`) or a questionnaire's canonical.

    Whose it is does not matter here: an app has to bear also what is wrong. Raises Refused for what is neither.
    """
    asked = request.args.getlist("context")
    if any(not _CONTEXT.fullmatch(one) for one in asked):
        raise Refused(TEXTS[language()]["no_context"], status=400)
    named = [
        {"canonical": one, "type": "Questionnaire"} if "://" in one else {"reference": one, "type": one.split("/")[0]}
        for one in asked
    ]
    return {"fhirContext": named} if named else {}


def _other_app(sandbox: Sandbox, id_: str | None) -> str | None:
    """Return where another app is launched, None where no other was asked for. Raises NotFound."""
    if id_ is None:
        return None
    client = sandbox.clients.get(id_)
    if client is None or client.launch_uri is None:
        raise NotFound(TEXTS[language()]["no_app"])
    return client.launch_uri


def _card(sandbox: Sandbox, resource: Resource) -> PatientCard:
    born = resource.get("birthDate")
    return PatientCard(
        id=resource["id"],
        name=name_of(resource),
        called=called_by(resource, sandbox.today()).address or name_of(resource),
        age=_age(date.fromisoformat(born), sandbox.today()) if born and len(born) == 10 else None,
        about=about(resource["id"], language()),
        clinician=_clinician(sandbox, resource),
        others=tuple(_others(sandbox, resource)),
    )


def _others(sandbox: Sandbox, patient: Resource) -> Iterator[Other]:
    """Yield who else opens this record: the team, somebody who is not in it, and who is close to the person."""
    teams = sandbox.store.search(Query.of("CareTeam", patient=patient["id"]))
    members = {
        text_in(object_in(one, "member"), "reference")
        for team in teams
        for one in objects_in(team.resource, "participant")
    }
    own = _clinician(sandbox, patient)
    professionals = [one for one in _professionals(sandbox) if one != own]
    yield from (Other(one, "clinician", outside=False) for one in professionals if one.reference in members)
    yield from [Other(one, "clinician", outside=True) for one in professionals if one.reference not in members][-1:]
    yield from (Other(one, "loved-one", outside=False) for one in _close(sandbox, patient))


def _professionals(sandbox: Sandbox) -> tuple[SandboxUser, ...]:
    """Return the professionals who can sign in."""
    return tuple(one for one in users(sandbox) if one.reference.startswith("Practitioner/"))


def _close(sandbox: Sandbox, patient: Resource) -> list[SandboxUser]:
    """Return who is close to a person and can sign in."""
    found = sandbox.store.search(Query.of("RelatedPerson", patient=patient["id"]))
    theirs = {stored.reference for stored in found}
    return [one for one in users(sandbox) if one.reference in theirs]


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _clinician(sandbox: Sandbox, patient: Resource) -> SandboxUser:
    """Return who opens this person's chart: the professional in charge, else any one. Raises NotFound."""
    references = [one.get("reference", "") for one in patient.get("generalPractitioner", [])]
    for user in users(sandbox):
        if user.reference in references:
            return user
    for user in _professionals(sandbox):
        return user
    raise NotFound("No professional is known here, so no chart can be opened.")


# ---- language, frame and errors of these pages


def language() -> Language:
    """Return the language of this reader: the app's own switch and cookie count here too."""
    wish = request.args.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    return "en" if wish == "en" else "nl"


@blueprint.app_context_processor
def frame() -> dict[str, Any]:
    """Give every template its texts."""
    chosen = language()
    return {"t": TEXTS[chosen], "language": chosen, "prefix": PREFIX}


@blueprint.app_errorhandler(RecordError)
def problem(error: RecordError) -> tuple[str, int]:
    """Show a page for what went wrong on a page of ours (the API answers for itself)."""
    return render_template("problem.html", text=error.message), error.status
