"""What happens between the two addresses of a sign-in: who came back, and the launch that is made for them.

These functions need the services only, so that they can be read and tested without a request.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from mappers.roles import Role
from mappers.tolerant import text_in
from smartapp.errors import LaunchRefused, UnknownIssuer
from smartapp.fhir.store import RecordStore
from smartapp.i18n import message
from smartapp.pages.sign_in.names import person_of
from smartapp.records.parallel import in_parallel
from smartapp.services import Services
from smartapp.settings import Issuer, Settings
from smartapp.smart.authorization import Begun, Pending
from smartapp.smart.identity import Identity, role_of
from smartapp.smart.tokens import Granted
from smartapp.storage.database import writing
from smartapp.storage.launches import Launch, Person, User
from smartapp.storage.sessions import Session

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


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Someone whom the EHR signed in: where, with which tokens, about which patient, and who they are."""

    issuer: Issuer
    granted: Granted
    patient_id: str
    identity: Identity


def begin(services: Services, iss: str, launch: str | None) -> Begun:
    """Begin a sign-in at `iss`, from the EHR with its `launch` or standalone. Raises UnknownIssuer, EhrTrouble."""
    issuer = services.settings.issuer(iss)
    if issuer is None:
        services.audit.refused("launch", "unknown-issuer")
        raise UnknownIssuer(code=_unknown(iss, services.settings))
    return services.authorizations.begin(issuer, services.discovery.of(issuer), launch)


def _unknown(iss: str, settings: Settings) -> str:
    """Return why an `iss` is refused, as a code for the operator; one that is nearly right has its own."""
    near = any(iss.rstrip("/") == issuer.base.rstrip("/") for issuer in settings.issuers)
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
    if granted.tokens.patient is None:
        raise LaunchRefused(message("The record system did not say whose record this is."), code="patient-missing")
    return SignedIn(issuer, granted, granted.tokens.patient, identity)


def enter(services: Services, who: SignedIn, present: Session | None) -> tuple[Launch, Session]:
    """Make the launch of someone who signed in, in a session under a new secret; `present` is this browser's session.

    The names are read here, with the token of this launch: every page shows them, and none should have to wait. What
    the EHR can do is asked beside them, as the first page needs it.
    """
    role = role_of(who.identity.reference, who.patient_id)
    token = who.granted.tokens.access
    ehr = services.ehr_with(who.issuer, lambda _refused: token)
    with _beside(lambda: services.capabilities.of(who.issuer.key, ehr, who.granted.tokens.scope)):
        patient, user = _names(ehr, who, role)
    session = _session_for(services, who, present)
    # One transaction: no launch is ever without its token or its row in the log, and each waits for the disk.
    with writing(services.engine, on=session.id):
        launch = services.launches.add(_launch_of(who, session, role, patient=patient, user=user))
        services.tokens.keep(launch.id, who.granted.tokens)
        services.adopt_named_by_address(launch)
        services.audit.record(launch, "launch")
        services.audit.pass_on_with(launch)
    services.records(launch).bind_waiting()
    return launch, session


def _launch_of(who: SignedIn, session: Session, role: Role, *, patient: Person, user: str) -> Launch:
    """Return the launch of who signed in, without an id yet; `user` is their name."""
    return Launch(
        id="",
        session_id=session.id,
        issuer=who.issuer.base,
        patient_id=who.patient_id,
        patient=patient,
        user=User(who.identity.reference, user, role, who.issuer.key, who.identity.subject),
        scopes=who.granted.tokens.scope,
        language=who.identity.locale,
        encounter=text_in(who.granted.context, "encounter") or None,
        # Shown unless the EHR says that it shows the person itself: one name too many does less harm than none.
        need_patient_banner=who.granted.context.get("need_patient_banner") is not False,
    )


def _session_for(services: Services, who: SignedIn, present: Session | None) -> Session:
    """Return the session of this browser under a new secret; another user's session ends first."""
    # People who share a computer must not find each other's launches.
    if present is not None and not services.settings.several_users_per_browser:
        key = f"{who.issuer.key}|{who.identity.subject}"
        if any(launch.user.key != key for launch in services.launches.of_session(present.id)):
            services.end_session(present.id)
            present = None
    return services.sessions.renew(present) if present else services.sessions.start()


def _names(ehr: RecordStore, who: SignedIn, role: Role) -> tuple[Person, str]:
    """Return the person and the name of the user, "" where the EHR does not tell; both are read at once."""
    about = f"Patient/{who.patient_id}"
    # The client is both, so one call is enough.
    if role == "client":
        own = person_of(ehr, about) or Person(about, "")
        name = own.display or who.identity.name
        return replace(own, display=name), name
    people = [about, *([who.identity.reference] if who.identity.reference else [])]
    patient, *others = in_parallel([partial(person_of, ehr, one) for one in people])
    user = next(iter(others), None)
    return patient or Person(about, ""), (user.display if user else "") or who.identity.name


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
