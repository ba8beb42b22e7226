"""The authorization endpoint: who is at this browser, which patient is meant, and a code to send them back with."""

from __future__ import annotations

import re
import uuid
from urllib.parse import parse_qs, urlencode

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from mappers.tolerant import object_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.own.search import understand
from smartapp.fhir.store import NotFound, Query
from smartapp.sandbox.identities import COOKIE, name_of, users, with_session
from smartapp.sandbox.oauth import OAuthError
from smartapp.sandbox.scopes import grant, registered
from smartapp.sandbox.server import Client, Sandbox, current_sandbox
from smartapp.sandbox.tickets import Grant

blueprint = Blueprint("authorization", __name__)

_CHALLENGE = re.compile(r"^[A-Za-z0-9\-_]{43}$")


@blueprint.route("/authorize", methods=["GET", "POST"])
def authorize() -> BaseResponse | tuple[str, int]:
    """Take an authorization request: sign in if need be, then send the browser back with a code."""
    sandbox = current_sandbox()
    asked = {name: values[0] for name, values in _asked().items()}
    client = sandbox.clients.get(asked.get("client_id", ""))
    uri = asked.get("redirect_uri", "")
    if client is None:
        return _page_error("This app is not registered here (unknown client_id). Register it before launching it.")
    if uri not in client.redirect_uris:
        return _page_error("The redirect_uri is not registered for this app. It must be equal letter for letter.")
    try:
        _check_request(sandbox, asked)
        user = sandbox.tickets.signed_in(request.cookies.get(COOKIE))
        launched = _launched(sandbox, asked)
        # A launch from a chart names its user: another one who is signed in here does not get that chart.
        if user is None or (launched is not None and launched[0] != user):
            return _choose_person(sandbox, asked, launched[0] if launched else None)
        return _authorized(sandbox, client, asked, user, launched[1] if launched else None)
    except OAuthError as error:
        back = {"error": error.code, "error_description": error.description}
        return _back(sandbox, uri, back, asked.get("state"))


def _asked() -> dict[str, list[str]]:
    source = request.form if request.method == "POST" else request.args
    return dict(source.lists())


def _check_request(sandbox: Sandbox, asked: dict[str, str]) -> None:
    # Readers differ in which of two equal parameters counts (RFC 6749 3.1: not more than once).
    for name, values in _asked().items():
        if len(values) > 1:
            raise OAuthError("invalid_request", f"{name} is given more than once")
    if asked.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be 'code'")
    if not asked.get("state"):
        raise OAuthError("invalid_request", "state is missing: send an unguessable one")
    if asked.get("aud") != sandbox.base:
        raise OAuthError("invalid_request", f"aud must be the FHIR base, letter for letter: {sandbox.base}")
    if asked.get("code_challenge_method") != "S256" or not _CHALLENGE.match(asked.get("code_challenge", "")):
        raise OAuthError("invalid_request", "PKCE is required: code_challenge_method=S256 and a code_challenge")
    if not asked.get("scope", "").split():
        raise OAuthError("invalid_scope", "scope is missing")


def _launched(sandbox: Sandbox, asked: dict[str, str]) -> tuple[str, str] | None:
    if "launch" not in asked:
        return None
    found = sandbox.tickets.launched(asked["launch"])
    if found is None:
        raise OAuthError("invalid_request", "the launch is not known, too old or used; launch again from the chart")
    return found


def _choose_person(sandbox: Sandbox, asked: dict[str, str], only: str | None) -> tuple[str, int]:
    """Show who could sign in; after a launch from a chart only the one who launched."""
    choices = [person for person in users(sandbox) if only is None or person.reference == only]
    return render_template("sign_in.html", people=choices, query=urlencode(asked)), 200


def _authorized(
    sandbox: Sandbox, client: Client, asked: dict[str, str], user: str, launched: str | None
) -> BaseResponse | tuple[str, int]:
    persona, _, user_id = user.partition("/")
    patient = launched or _patient_in_context(sandbox, asked, user)
    if patient is None and persona == "Practitioner" and "launch/patient" in asked["scope"].split():
        return _choose_patient(sandbox, asked)
    if persona == "Patient" and patient != user_id:
        raise OAuthError("access_denied", "a person can only open their own record")
    scope = grant(registered(asked["scope"], client.scope), sandbox.kind, persona)
    if not scope:
        raise OAuthError("invalid_scope", "nothing of what was asked can be granted to this user here")
    code = sandbox.tickets.code(
        Grant(
            client=client.id,
            scope=scope,
            user=user,
            patient=patient,
            family=str(uuid.uuid4()),
            redirect_uri=asked["redirect_uri"],
            challenge=asked["code_challenge"],
            nonce=asked.get("nonce"),
        ),
        asked.get("launch"),
    )
    if code is None:
        raise OAuthError("invalid_request", "the launch has been used; launch again from the chart")
    return _back(sandbox, asked["redirect_uri"], {"code": code}, asked["state"])


def _patient_in_context(sandbox: Sandbox, asked: dict[str, str], user: str) -> str | None:
    """Return whose record is meant if no chart was open: their own, their loved one's, or the one they chose."""
    persona, _, user_id = user.partition("/")
    if persona == "Patient":
        return user_id
    if persona == "RelatedPerson":
        loved_one = _read(sandbox, persona, user_id)
        return text_in(object_in(loved_one, "patient"), "reference").removeprefix("Patient/") or None
    if "launch/patient" not in asked["scope"].split() or "chosen_patient" not in asked:
        return None
    _read(sandbox, "Patient", asked["chosen_patient"])
    return asked["chosen_patient"]


def _choose_patient(sandbox: Sandbox, asked: dict[str, str]) -> tuple[str, int]:
    page = sandbox.store.find(understand(Query.of("Patient", _sort="family")), count=200)
    patients = [(one.resource["id"], name_of(one.resource)) for one in page.matches]
    return render_template("choose_patient.html", patients=patients, asked=asked), 200


def _read(sandbox: Sandbox, type_: str, id_: str) -> Resource:
    try:
        return sandbox.store.read(type_, id_).resource
    except NotFound:
        raise OAuthError("access_denied", f"there is no such {type_} here") from None


def _back(sandbox: Sandbox, uri: str, values: dict[str, str], state: str | None) -> BaseResponse:
    # `iss` (RFC 9207) lets the app see which server answers; it is the issuer, not the FHIR base.
    values = {**values, **({"state": state} if state else {}), "iss": sandbox.issuer}
    response = redirect(
        f"{uri}{'&' if '?' in uri else '?'}{urlencode(values)}", 303 if request.method == "POST" else 302
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _page_error(text: str) -> tuple[str, int]:
    # Never back to an address that is not registered: that would be an open redirector.
    return render_template("problem.html", text=text), 400


@blueprint.post("/sign-in")
def sign_in() -> BaseResponse | tuple[str, int]:
    """Take the choice of who is at this browser, and go on with the authorization request."""
    sandbox = current_sandbox()
    person = request.form.get("person", "")
    if person not in {one.reference for one in users(sandbox)}:
        return _page_error("This person is not known here. Go back and choose someone from the list.")
    # Made anew from its parts, so that what is posted can only be parameters.
    query = urlencode({name: values[0] for name, values in parse_qs(request.form.get("query", "")).items()})
    return with_session(redirect(f"{sandbox.endpoints['authorize_endpoint']}?{query}", 303), sandbox, person)
