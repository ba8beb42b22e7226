"""What happens between the two addresses of a sign-in: who came back, and the launch that is made for them.

These functions need the services only, so that they can be read and tested without a request.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from mappers.circle import LOVED_ONES, Circle, circle_of
from mappers.tolerant import text_in
from questionnaires.fhir import Resource
from smartapp.access import table
from smartapp.errors import LaunchRefused, UnknownIssuer
from smartapp.fhir.scopes import Scopes
from smartapp.fhir.store import Query, RecordError, RecordStore
from smartapp.i18n import message
from smartapp.koppeltaal.arriving import Arrival
from smartapp.pages.sign_in.from_domain import arrived, tell_arrival
from smartapp.pages.sign_in.names import known_as
from smartapp.records.parallel import in_parallel
from smartapp.services import Services
from smartapp.settings import Issuer, Settings, is_loopback, is_origin
from smartapp.smart.authorization import Begun, Pending
from smartapp.smart.identity import Identity
from smartapp.smart.relation import NOBODY as NO_CIRCLE
from smartapp.smart.relation import PROFESSIONALS, Known, Relation, relation_of
from smartapp.smart.tokens import Granted, Tokens
from smartapp.storage.database import writing
from smartapp.storage.launches import NOBODY, Launch, Person, User
from smartapp.storage.sessions import Session
from smartapp.web.circle import note_first_time

log = logging.getLogger(__name__)

LONGEST_HANDLE: Final = 2000
NOTHING: Final = Granted(Tokens(access="", refresh=None, expires=None, scope="", patient=None), None, {})
"""What is kept of the answer of a Koppeltaal domain: its access token is a word that opens nothing (`NOOP`)."""

_KNOWN_ERRORS = frozenset(
    {
        "access_denied",
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "login_required",
        "interaction_required",
        "consent_required",
    }
)


_NOT_TAKEN: Final = (
    "The authorization server of %s binds tokens to a key (DPoP), and its FHIR server refuses them: it seems to know "
    'bearer tokens only. Set dpop = "off" for this issuer in the issuers file.'
)

_WITH_A_TASK = message("From this portal Verstel opens with a task. Go to your portal and choose the task there.")
_NO_CASELOAD = message("This place does not use the list of your own clients. Open the record of a client instead.")
_OF_PROFESSIONALS = message("This address is for care professionals. Open the app from your own portal.")
_ONE_RECORD = message("The record system opened one record, and not your own clients. Open the list outside a record.")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Someone whom the EHR signed in: where, with which tokens, about which patient, and who they are.

    `patient_id` is "" where it is about nobody: a professional opens the list of their own clients.
    """

    issuer: Issuer
    granted: Granted
    patient_id: str
    identity: Identity
    arrival: Arrival | None = None
    """What a Koppeltaal domain launched, None at any other issuer."""


def begin(services: Services, iss: str, launch: str | None, *, caseload: bool = False) -> Begun:
    """Begin a sign-in at `iss`, from the EHR with its `launch` or standalone; with `caseload` it is about nobody.

    Raises UnknownIssuer, EhrTrouble, and LaunchRefused where the settings have no caseload at this issuer.
    """
    issuer = services.settings.launched_from(iss)
    if issuer is None:
        services.audit.refused("launch", "unknown-issuer")
        raise UnknownIssuer(code=_unknown(iss, services.settings))
    if caseload and not issuer.caseload_scopes:
        services.audit.refused("caseload", "caseload-off")
        raise LaunchRefused(_NO_CASELOAD, code="caseload-off")
    if launch is None and issuer.koppeltaal is not None and not issuer.koppeltaal.standalone:
        services.audit.refused("launch", "koppeltaal-without-task")
        raise LaunchRefused(_WITH_A_TASK, code="koppeltaal-without-task")
    return services.authorizations.begin(
        issuer,
        services.discovery.of(issuer),
        launch,
        push=partial(services.token_endpoint.push, issuer),
        caseload=caseload,
        aud=iss,
    )


def _unknown(iss: str, settings: Settings) -> str:
    """Return why an `iss` is refused, as a code for the operator; one that is nearly right has its own."""
    near = any(iss.rstrip("/") == base.rstrip("/") for issuer in settings.issuers for base in issuer.bases)
    return "issuer-differs-by-a-slash" if near else "unknown-issuer"


def signed_in(services: Services, answer: Mapping[str, str], pending: Pending) -> SignedIn:
    """Return who came back with this answer (the parameters of the callback). Raises LaunchRefused, EhrTrouble.

    The checks go from cheap to expensive: an answer that is refused anyway costs the EHR nothing, and the code is only
    shown to the server that it came from.
    """
    issuer = services.settings.issuer(pending.issuer)
    if issuer is None:
        raise UnknownIssuer(code="issuer-removed")
    if "error" in answer:
        # Anyone can write such an address: only a known code goes into the log, and nothing of it onto the page.
        raise LaunchRefused(_refusal(answer["error"]), code=_known_error(answer["error"]))
    configuration = services.discovery.of(issuer)
    named = answer.get("iss")
    if named is not None and named != configuration.issuer:
        raise LaunchRefused(code="callback-other-issuer")
    if named is None and configuration.names_itself:
        raise LaunchRefused(code="callback-issuer-missing")
    if not answer.get("code"):
        raise LaunchRefused(code="code-missing")
    # The keys are public, so they come while the code is traded. Whether they came, `verify` finds out.
    with _beside(lambda: services.identities.keys(configuration)):
        granted = services.token_endpoint.exchange(issuer, answer["code"], pending)
    identity = services.identities.verify(granted.id_token, issuer, configuration, pending.nonce)
    if issuer.koppeltaal is not None:
        arrival = arrived(services, issuer, granted.context, identity, pending)
        identity = replace(identity, reference=arrival.context.user, why="", elsewhere="")
        return SignedIn(issuer, NOTHING, arrival.context.patient_id, identity, arrival)
    if pending.caseload:
        _check_about_nobody(issuer, granted, identity)
        return SignedIn(issuer, granted, "", identity)
    if granted.tokens.patient is None:
        raise LaunchRefused(message("The record system did not say whose record this is."), code="patient-missing")
    return SignedIn(issuer, granted, granted.tokens.patient, identity)


def _check_about_nobody(issuer: Issuer, granted: Granted, identity: Identity) -> None:
    """Let a sign-in for the list of clients pass where a professional came back, and no patient. Raises LaunchRefused.

    A token for one patient may reach that one alone, and a list of one client would look like all of them. To make it a
    launch about that patient is no way out: it was asked with the rights of a list, and by somebody who wanted one.
    """
    if identity.reference.partition("/")[0] not in PROFESSIONALS:
        if identity.why:
            _warn_of_guest(issuer, identity, identity.why)
        raise LaunchRefused(_OF_PROFESSIONALS, code="caseload-not-yours")
    if granted.tokens.patient is not None:
        raise LaunchRefused(_ONE_RECORD, code="caseload-with-patient")


def enter(services: Services, who: SignedIn, present: Session | None) -> tuple[Launch, Session]:
    """Make the launch of someone who signed in, in a session under a new secret; `present` is this browser's session.

    The names are read here, with the token of this launch: every page shows them, and none should have to wait. Beside
    them is read what their role hangs on, and what the EHR can do, as the first page needs it. The role stays as it is
    now for all of this launch: no answer of later changes it. Raises LaunchRefused where the FHIR server does not take
    the kind of token that its own authorization server gives.
    """
    person, known = _met_at_ehr(services, who) if who.arrival is None else _met_in_domain(services, who, who.arrival)
    about = f"Patient/{who.patient_id}" if who.patient_id else ""
    relation = relation_of(who.identity.reference, who.patient_id, known, who.issuer, services.now())
    today = services.today()
    user = known_as(who.identity.reference, known.user, today)
    patient = known_as(about, person, today) if about else NOBODY
    if relation.role == "client":
        patient = user = replace(patient, display=patient.display or who.identity.name)
    user = replace(user, reference=who.identity.reference, display=user.display or who.identity.name)
    session = _session_for(services, who, present)
    # One transaction: no launch is ever without its token or its row in the log, and each waits for the disk.
    with writing(services.engine, on=session.id):
        made = _launch_of(who, session, relation, patient=patient, user=user)
        launch = services.launches.add(made if about else replace(made, reader=_reader(known)))
        if who.arrival is not None:
            tell_arrival(services, launch, who.arrival)
        else:
            services.tokens.keep(launch.id, replace(who.granted.tokens, subject=who.identity.subject))
        if about:
            services.adopt_named_by_address(launch)
            services.audit.pass_on_with(launch)
        services.audit.record(launch, "launch")
        if relation.role == "guest":
            services.audit.denied(launch, "sign_in.callback", launch.why)
    if relation.role == "guest":
        _warn_of_guest(who.issuer, who.identity, launch.why)
    if launch.about_nobody:
        return launch, session
    records = services.records(launch)
    records.bind_waiting()
    if launch.user.role == "client":
        services.reminders.opened(launch.issuer_key, launch.patient.reference)
        with contextlib.suppress(RecordError):  # it is looked at again the next time
            records.look_again()
    if launch.user.role in LOVED_ONES:
        with contextlib.suppress(RecordError):  # a day that is not noted keeps nobody out
            note_first_time(services, launch, services.now())
    return launch, session


def _launch_of(who: SignedIn, session: Session, relation: Relation, *, patient: Person, user: Person) -> Launch:
    """Return the launch of who signed in, without an id yet; `user` is what is known of them."""
    role = relation.role
    origin, handle = chart_of(who.granted.context, who.issuer) if table().roles[role].professional else ("", "")
    return Launch(
        id="",
        session_id=session.id,
        issuer=who.issuer.base,
        patient_id=who.patient_id,
        patient=patient,
        user=User(user.reference, user.display, role, who.issuer.key, who.identity.subject, user.called),
        scopes=who.granted.tokens.scope,
        language=who.identity.locale,
        encounter=text_in(who.granted.context, "encounter") or None,
        # Shown unless the EHR says that it shows the person itself: one name too many does less harm than none.
        need_patient_banner=who.granted.context.get("need_patient_banner") is not False,
        chart_origin=origin,
        chart_handle=handle,
        why=who.identity.why or relation.why,
        trace=who.arrival.tracing.trace if who.arrival else "",
    )


def _warn_of_guest(issuer: Issuer, identity: Identity, why: str) -> None:
    """Say in the log that somebody signed in for whom there is no page: why, and nothing of who it is."""
    advice = (
        f" Their fhirUser lies on {identity.elsewhere!r}: if that is this EHR, add its FHIR base to `aliases` of this "
        "issuer in the issuers file."
        if identity.elsewhere
        else ""
    )
    log.warning("A user of %s signed in as guest: guest-%s.%s", issuer.base, why, advice)


def chart_of(context: Mapping[str, Any], issuer: Issuer) -> tuple[str, str]:
    """Return where the EHR takes messages of ours in the browser, and what they have to show; "" twice for nowhere.

    The origin must be https, and one that may frame us or a host of this issuer: else others would get the handle. Only
    an EHR on this machine may do without https.
    """
    origin, handle = text_in(context, "smart_web_messaging_origin"), text_in(context, "smart_web_messaging_handle")
    if not handle or len(handle) > LONGEST_HANDLE or not is_origin(origin):
        return "", ""
    if not origin.startswith("https://") and not is_loopback(origin):
        return "", ""
    return (origin, handle) if origin in issuer.frame_ancestors or issuer.trusts(origin) else ("", "")


def _session_for(services: Services, who: SignedIn, present: Session | None) -> Session:
    """Return the session of this browser under a new secret; another user's session ends first."""
    # People who share a computer must not find each other's launches; and that of a device that was handed to somebody
    # is wiped when its questionnaire is over, which must wipe nothing of who signed in.
    if present is not None:
        key, several = f"{who.issuer.key}|{who.identity.subject}", services.settings.several_users_per_browser
        launches = services.launches.of_session(present.id)
        if any(launch.handed or (launch.user.key != key and not several) for launch in launches):
            services.end_session(present.id)
            present = None
    return services.sessions.renew(present) if present else services.sessions.start()


def _met_at_ehr(services: Services, who: SignedIn) -> tuple[Resource | None, Known]:
    """Return what `_met` does, with the token of this launch, and look beside it what the EHR can do."""
    token = who.granted.tokens.access
    prover = services.tokens.prover(who.issuer, who.granted.tokens)
    ehr = services.ehr_with(who.issuer, lambda _refused: token, prover)
    with _beside(lambda: services.capabilities.of(who.issuer.key, ehr, who.granted.tokens.scope)):
        met = _met(services, ehr, who)
    if prover is not None and prover.not_taken:
        log.warning(_NOT_TAKEN, who.issuer.base)
        # No session will hold them, so nobody else gives them back.
        services.token_endpoint.revoke(who.issuer, who.granted.tokens)
        raise LaunchRefused(code="dpop-not-taken")
    return met


def _met(services: Services, ehr: RecordStore, who: SignedIn) -> tuple[Resource | None, Known]:
    """Return the Patient, and what is known of the user towards them; all of it is read at once.

    Where it is about nobody there is no Patient, and no team of theirs.

    Only what was granted is searched for: a server that refuses it anyway need not be asked. The resource of the user
    is what `fhirUser` is granted for.
    """
    reference, patient = who.identity.reference, f"Patient/{who.patient_id}"
    about = bool(who.patient_id)
    if about and reference == patient:  # the client is both, so one call is enough
        found = _read(ehr, patient)
        return found, Known(user=found)
    granted, type_ = Scopes.parse(who.granted.tokens.scope), reference.partition("/")[0]
    professional = type_ in ("Practitioner", "PractitionerRole")
    roles = type_ == "Practitioner" and granted.allows("PractitionerRole", "s")
    teams = about and professional and granted.allows("CareTeam", "s")
    person, user, works_as, in_teams = in_parallel(
        [
            partial(_listed, ehr, patient if about else ""),
            partial(_listed, ehr, reference),
            partial(_search, ehr, Query.of("PractitionerRole", practitioner=reference) if roles else None),
            partial(_search, ehr, Query.of("CareTeam", patient=who.patient_id) if teams else None),
        ]
    )
    circle = _circle(services, who, patient) if about and professional else NO_CIRCLE
    return next(iter(person or ()), None), Known(next(iter(user or ()), None), works_as, in_teams, circle)


def _met_in_domain(services: Services, who: SignedIn, arrival: Arrival) -> tuple[Resource, Known]:
    """Return the Patient, and what is known of the user towards them, as they arrived from a Koppeltaal domain."""
    if who.identity.reference.partition("/")[0] not in PROFESSIONALS:
        return arrival.person, arrival.known
    return arrival.person, replace(arrival.known, circle=_circle(services, who, f"Patient/{who.patient_id}"))


def _reader(known: Known) -> dict[str, Any]:
    """Return what a launch about nobody keeps of its user, to say later what they are towards each of their clients."""
    return {"user": known.user, "roles": None if known.roles is None else list(known.roles)}


def _circle(services: Services, who: SignedIn, patient: str) -> Circle:
    """Return the person's own people, as our own store has them."""
    found = _search(services.own_store(who.issuer.base), Query.of("CareTeam", patient=patient))
    return Circle(tuple(member for team in found or () for member in circle_of(team).people))


def _read(ehr: RecordStore, reference: str) -> Resource | None:
    type_, _, id_ = reference.partition("/")
    try:
        return ehr.read(type_, id_).resource if id_ else None
    except RecordError:
        return None


def _listed(ehr: RecordStore, reference: str) -> list[Resource] | None:
    found = _read(ehr, reference)
    return None if found is None else [found]


def _search(store: RecordStore, query: Query | None) -> list[Resource] | None:
    """Return what a search finds; None where it was not to be asked, or got no answer."""
    try:
        return None if query is None else [stored.resource for stored in store.search(query)]
    except RecordError:
        return None


@contextmanager
def _beside(job: Callable[[], object]) -> Iterator[None]:
    """Do a job beside the block, which ends when both are done; how the job ended shows when its result is needed."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        # In the context of the request: what it may ask of servers is counted for all its threads together.
        pool.submit(contextvars.copy_context().run, job)
        yield


def _known_error(code: str) -> str:
    return f"callback-{code}" if code in _KNOWN_ERRORS else "callback-other"


def _refusal(code: str) -> str:
    if code == "access_denied":
        return message("You did not give permission, or the record system did not allow it.")
    return message("The record system did not complete the sign-in.")
