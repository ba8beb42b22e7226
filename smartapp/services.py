"""The parts of one running app, made once by the factory and reached by `smartapp.web.current.services()`."""

from __future__ import annotations

import datetime as dt
import logging
import zoneinfo
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Literal, TypeVar

from sqlalchemy.engine import Engine

from mappers.circle import IDENTIFIER_SYSTEM as CIRCLE_SYSTEM
from mappers.circle import LOVED_ONES, Circle, Member, circle_identifier, circle_of, is_circle
from mappers.identity import values_in
from mappers.koppeltaal.projection import task_named_in
from mappers.sharing import Reader, Sharing, is_sharing, sharing_of
from mappers.sharing.consent import IDENTIFIER_SYSTEM as CONSENT_SYSTEM
from mappers.sharing.consent import name_of as consent_name
from mappers.sharing.parts import SCORES, answers_part
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.access import table
from smartapp.fhir.capabilities import Capabilities
from smartapp.fhir.companion import CompanionStore
from smartapp.fhir.nowhere import Nowhere
from smartapp.fhir.own.renewing import rename, tenants
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.remote import Prover, RemoteStore, TokenSource
from smartapp.fhir.scopes import Scopes
from smartapp.fhir.store import Query, RecordError, Refused, Stored, Unauthorized
from smartapp.koppeltaal.domains import Domains
from smartapp.koppeltaal.telling import tell_next
from smartapp.records import Place, Record, Records, Touched
from smartapp.records.outbox import Outbox
from smartapp.records.passing_on import TYPE as AUDIT_EVENT
from smartapp.records.passing_on import pass_on
from smartapp.records.sight import Sight, sight_of, sight_to_add
from smartapp.settings import Issuer, Settings
from smartapp.smart.authorization import Authorizations
from smartapp.smart.callers import Callers
from smartapp.smart.discovery import Discovery
from smartapp.smart.identity import Identities
from smartapp.smart.keys import SigningKeys
from smartapp.smart.relation import Known, relation_of
from smartapp.smart.tokens import TokenEndpoint, TokenStore
from smartapp.storage.audit import Audit
from smartapp.storage.database import writing
from smartapp.storage.doors import LOGGED_AS as DOOR
from smartapp.storage.doors import Door, Doors, End
from smartapp.storage.drafts import Drafts, forget_untouched
from smartapp.storage.examining import prune
from smartapp.storage.handed_over import Waiting, forget_old
from smartapp.storage.health_links import HealthLinks
from smartapp.storage.kept_words import KeptWords
from smartapp.storage.koppeltaal import KoppeltaalWrites, ToTell
from smartapp.storage.launches import Launch, Launches, Person, User
from smartapp.storage.marks import Marks
from smartapp.storage.not_now import forget_not_now
from smartapp.storage.reminders import Reminders
from smartapp.storage.sessions import Session, Sessions
from smartapp.storage.team_audits import TeamAudits
from smartapp.storage.team_marks import TeamMarks
from smartapp.storage.vault import SealBroken, Vault

if TYPE_CHECKING:
    from smartapp.fhir.store import RecordStore

log = logging.getLogger(__name__)

_Kept = TypeVar("_Kept", Stored, Record)

KEY = "verstel"
MOST_PRUNED_BLOCKS = 20
_OWN = "own|"  # so the tenants of our own stores start, beside those of a sandbox


def log_of(
    settings: Settings,
    engine: Engine,
    vault: Vault,
    clock: Callable[[], float],
    address: Callable[[], str] = lambda: "",
) -> Audit:
    """Return the log of an installation. An issuer whose scopes let us create AuditEvents gets its rows too."""

    def passed_on(base: str) -> bool:
        issuer = settings.issuer(base)
        return issuer is not None and Scopes.parse(issuer.scopes).allows(AUDIT_EVENT, "c")

    return Audit(
        engine,
        vault,
        clock,
        address,
        system=settings.public_url,
        organisation=lambda base: issuer.name if (issuer := settings.issuer(base)) else "",
        passed_on=passed_on,
    )


@dataclass(slots=True)
class Services:
    """Everything the pages and the launch need; `clock` returns seconds since 1970 and is the only clock."""

    settings: Settings
    engine: Engine
    clock: Callable[[], float]
    vault: Vault
    marks: Marks
    sessions: Sessions
    launches: Launches
    keys: SigningKeys
    discovery: Discovery
    authorizations: Authorizations
    token_endpoint: TokenEndpoint
    tokens: TokenStore
    identities: Identities
    audit: Audit
    outbox: Outbox
    capabilities: Capabilities
    kept_words: KeptWords
    health_links: HealthLinks
    callers: Callers
    reminders: Reminders
    doors: Doors
    domains: Domains
    koppeltaal_writes: KoppeltaalWrites
    team_marks: TeamMarks
    team_audits: TeamAudits
    local_ehrs: dict[str, RecordStore] = field(default_factory=dict)
    """Issuers whose records are in this process: no HTTP between the app and them. For tests of pages."""

    def records(self, launch: Launch, touched: Touched | None = None) -> Records:
        """Return the records of one launch: the EHR, the companion server if there is one, and our own store.

        What comes from a device that somebody was handed goes as from who gave it: with their token, by their outbox.
        Raises Refused for a launch about nobody: `records_of` gives those of one client.
        """
        if launch.about_nobody:
            raise Refused("This is the list of a professional's own clients: it has no record of its own.")
        sender = launch.handed.giver if launch.handed else launch
        stores: dict[Place, RecordStore] = {"ehr": self.ehr(launch), "own": self.own_store(launch.issuer)}
        companion = self.companion(launch.issuer)
        if companion is not None:
            stores["companion"] = companion
        return Records(
            sender,
            stores,
            issuer_key=self.settings.issuer_key(launch.issuer),
            drafts=self.drafts(launch),
            outbox=self.outbox,
            capabilities=self.capabilities,
            touched=self._with_domain(launch, touched),
            sight=self.sight(launch),
            sight_now=lambda: self.sight(launch),
            zone=self.zone,
        )

    def _with_domain(self, launch: Launch, touched: Touched | None) -> Touched:
        """Return what is told of each look and write; a Koppeltaal domain hears that what its Task asked is done."""
        noted: Touched = touched or (lambda event, objects: self.audit.record(launch, event, objects))
        if not self._in_domain(launch.issuer):
            return noted

        def told(event: Literal["read", "search", "create", "update"], objects: Sequence[str]) -> None:
            noted(event, objects)
            if event == "update":
                self._tell_done(launch, objects)

        return told

    def _tell_done(self, launch: Launch, objects: Sequence[str]) -> None:
        for type_, _, id_ in (one.partition("/_history/")[0].partition("/") for one in objects):
            if type_ != "Task":
                continue
            try:
                task = self.own_store(launch.issuer).read(type_, id_).resource
            except RecordError:  # what was written stands; the next launch sees that the domain does not know
                continue
            if (named := task_named_in(task)) and task.get("status") == "completed":
                done = ToTell(launch.issuer_key, launch.trace, "", named, launch.patient.reference, "completed")
                self.koppeltaal_writes.put(done)

    def tell_domains(self) -> bool:
        """Tell a Koppeltaal domain one thing that waits for it; tell whether there was one."""
        return tell_next(self.settings, self.domains, self.koppeltaal_writes, self.clock())

    def _in_domain(self, issuer: str) -> bool:
        known = self.settings.issuer(issuer)
        return known is not None and known.koppeltaal is not None

    def records_of(self, launch: Launch, client: Person, touched: Touched | None = None) -> Records:
        """Return the records of one client in a launch about nobody: with its token, and what this client lets be seen.

        The user has the role there that they would have in a launch about this client, which asks their care teams.
        What is written waits, and is kept, as if it came from such a launch: whoever opens that record next goes on.
        """
        about = launch.about(client)
        teams = self._teams(about) if self._asks_teams(about) else None
        found = self.circle(about)
        people = circle_of(found.resource) if found else Circle()
        return self.records(self.towards(launch, client, teams, people), touched)

    def towards(self, launch: Launch, client: Person, teams: Sequence[Resource] | None, circle: Circle) -> Launch:
        """Return a launch about nobody as one about a client, with the role that its user has towards them.

        `teams` are the client's care teams, None where nothing is known of them; `circle` are their own people.
        """
        about, issuer = launch.about(client), self.settings.issuer(launch.issuer)
        if issuer is None:
            return replace(about, user=replace(about.user, role="guest"))
        known = Known(launch.reader.get("user"), launch.reader.get("roles"), teams, circle)
        relation = relation_of(launch.user.reference, about.patient_id, known, issuer, self.now())
        return replace(about, user=replace(about.user, role=relation.role), why=relation.why)

    def _asks_teams(self, launch: Launch) -> bool:
        return Scopes.parse(launch.scopes).allows("CareTeam", "s")

    def _teams(self, launch: Launch) -> list[Resource] | None:
        try:
            found = self.ehr(launch).search(Query.of("CareTeam", patient=launch.patient_id))
        except RecordError:  # as at a sign-in: what is not told is not known
            return None
        return [one.resource for one in found]

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """Return the place's own time zone."""
        return zoneinfo.ZoneInfo(self.settings.time_zone)

    def now(self) -> str:
        """Return the time in the place's own zone, in whole seconds, as a FHIR dateTime."""
        return dt.datetime.fromtimestamp(self.clock(), self.zone).replace(microsecond=0).isoformat()

    def today(self) -> dt.date:
        """Return the day in the place's own zone."""
        return dt.datetime.fromtimestamp(self.clock(), self.zone).date()

    def consent(self, issuer: str, issuer_key: str, patient: str) -> Stored | None:
        """Return the Consent in which a person (`Patient/<id>`) keeps what they share; None where there is none."""
        # By whom it is about, and not by its name alone: that is made of the issuer's key, which may be new since then.
        # Not to find it would show to others what is for nobody else.
        return consent_among(self.own_store(issuer).search(Query.of("Consent", patient=patient)), issuer_key, patient)

    def sharing(self, launch: Launch) -> Sharing:
        """Return what the person of a launch shares, as they chose until now."""
        found = self.consent(launch.issuer, launch.issuer_key, launch.patient.reference)
        return sharing_of(found.resource) if found else Sharing()

    def circle(self, launch: Launch) -> Stored | None:
        """Return the CareTeam in which the person of a launch keeps their circle; None where there is none."""
        # By whom it is about, as `consent` is: under a new key nobody loses their people, or gets a second circle.
        found = self.own_store(launch.issuer).search(Query.of("CareTeam", patient=launch.patient.reference))
        return circle_among(found, launch.issuer_key, launch.patient.reference)

    def _member(self, launch: Launch) -> Member | None:
        """Return who the user of a launch is in the circle of its person, None where they are not in it now."""
        found = self.circle(launch)
        return circle_of(found.resource).of(launch.user.reference, self.now()) if found else None

    def sight(self, launch: Launch) -> Sight:
        """Return what the user of a launch sees of the records, and what of them only our own store gets."""
        if launch.handed:
            parts = (answers_part(launch.handed.instrument), SCORES)
            return sight_to_add(parts, self.sharing(launch), catalogue(), table().apart)
        return sight_by(launch.user, self.sharing(launch), lambda: self._member(launch) is not None)

    def companion(self, issuer: str) -> RecordStore | None:
        """Return the companion server for what this issuer does not take, or None."""
        # An organisation may have one server for all its EHRs, and another for one of them.
        known = self.settings.issuer(issuer)
        if known is not None and known.koppeltaal is not None:  # what people write there is kept by us alone
            return None
        base = (known.companion if known else None) or self.settings.companion_url
        if base is None:
            return None
        token = self.settings.companion_token
        source = (lambda _refused: token) if token else None
        return CompanionStore(RemoteStore(base, source, search=known.search if known else "get"), issuer)

    def ehr(self, launch: Launch) -> RecordStore:
        """Return the EHR of a launch, asked with the token of this launch and no other; see `records` of a device."""
        issuer = self.settings.issuer(launch.issuer)
        if issuer is None:
            raise Unauthorized("This record system is no longer in the settings. Open the app from another one.")
        if issuer.koppeltaal is not None:  # nobody has a token there of their own, and ours sees everybody
            return Nowhere()
        sender = launch.handed.giver if launch.handed else launch
        return self.ehr_with(issuer, *self.tokens.source(sender.id, issuer))

    def ehr_with(self, issuer: Issuer, token: TokenSource, prover: Prover | None = None) -> RecordStore:
        """Return the EHR of an issuer, asked with the tokens of this source: for a sign-in that has no launch yet."""
        return self.local_ehrs.get(issuer.base) or RemoteStore(
            issuer.base, token, search=issuer.search, aliases=issuer.aliases, prover=prover
        )

    def pass_on_log(self) -> bool:
        """Send some rows of the log to the EHR that gets them; tell whether any were due."""
        waiting = self.audit.to_pass_on
        taken = waiting.take()
        if taken is None:
            return False
        launch = self.launches.get(taken.launch_id)
        if not taken.rows:  # none that our keys open
            return True
        if launch is None or self.settings.issuer(launch.issuer) is None:
            waiting.hold(*taken.rows)
        else:
            # Of a launch about nobody too: what it may send there depends on no person.
            about = launch.about(Person(taken.rows[0].entry.patient, "")) if launch.about_nobody else launch
            records = self.records(about)
            pass_on(taken, waiting, self.ehr(launch), records.capability(), records.not_taken)
        return True

    def end_session(self, session_id: str) -> None:
        """Wipe a session and all that belongs to it, and revoke its tokens at the EHRs."""
        # Read before they are wiped. Wiped before they are revoked: an EHR that does not answer must not prevent that.
        held = [(launch.issuer, self.tokens.find(launch.id)) for launch in self.launches.of_session(session_id)]
        self.sessions.end(session_id)
        to_revoke = [
            (issuer, tokens)
            for base, tokens in held
            if tokens is not None and (issuer := self.settings.issuer(base)) is not None
        ]
        if to_revoke:
            # At once, because each EHR may take as long as it is allowed to.
            with ThreadPoolExecutor(max_workers=min(8, len(to_revoke))) as pool:
                list(pool.map(lambda pair: self.token_endpoint.revoke(*pair), to_revoke))

    def end_sessions_that_are_over(self) -> int:
        """Wipe every session whose time is over, as `end_session` does; return how many there were."""
        over = self.sessions.over()
        for session_id in over:
            self.end_session(session_id)
        return len(over)

    def open_door(self, door: Door) -> tuple[Launch, Session] | None:
        """Open a door on the device that asks, which gets a session of its own; None where another one got in first."""
        with writing(self.engine, on=door.id):
            if not self.doors.open(door):
                return None
            session = self.sessions.start()
            launch = self.launches.add(replace(door.device, session_id=session.id))
            self.doors.entered(door, launch)
            self.audit.record(launch, "launch", [DOOR], parts=[answers_part(door.instrument)])
        return launch, session

    def end_door(self, door: Door, how: End, *, response: str = "") -> bool:
        """End a door and wipe the session of its device; False where it had ended before."""
        ended = self.doors.end(door, how, response=response)
        if door.session:
            self.end_session(door.session)
        if ended:
            self.audit.record(door.device, "logout", [DOOR], reason=f"door-{how}")
        return ended

    def end_doors_that_are_over(self) -> None:
        """End the doors of which the time is over; what was answered is kept for the client."""
        for door in self.doors.over():
            self.end_door(door, "over")

    def door_drafts(self, door: Door) -> Drafts:
        """Return what was answered behind a door and is not sent: it is the client's, and nobody else reads it."""
        return self._door_drafts(door.id, door.giver)

    def _door_drafts(self, door_id: str, giver: Launch) -> Drafts:
        return self.drafts_of(giver.issuer_key, giver.patient.reference, f"door {door_id}")

    def end_sessions(self, *, person: str | None = None, issuer: str | None = None) -> int:
        """End every session, or those in which this person (`Practitioner/7`) signed in, at this issuer (its base).

        Each is a row in the log. Return how many there were.
        """
        chosen = [session_id for session_id in self.sessions.all() if self._end_if(session_id, person, issuer)]
        return len(chosen)

    def _end_if(self, session_id: str, person: str | None, issuer: str | None) -> bool:
        # Not those of a key that is gone: nobody can say whose they are.
        launches = self.launches.of_session(session_id)
        fits = [one for one in launches if person in (None, one.user.reference) and issuer in (None, one.issuer)]
        if not fits and (person or issuer):
            return False
        self.end_session(session_id)
        for launch in launches:
            self.audit.record(launch, "logout", reason="ended-by-operator")
        return True

    def forget_untouched_drafts(self) -> int:
        """Delete the drafts that nobody touched for longer than the settings keep them; return how many."""
        days = self.settings.draft_days
        return forget_untouched(self.engine, int(self.clock()) - days * 86_400) if days else 0

    def forget_old_log(self) -> int:
        """Remove the rows of the log that are older than the settings keep them, which is a row; return how many.

        No more at once than takes some seconds: the next time goes on, and people write meanwhile.
        """
        days, now = self.settings.audit_keep_days, self.clock()
        if not days:
            return 0
        limit = int(now) - days * 86_400
        try:
            removed = sum(islice(prune(self.engine, self.vault, limit), MOST_PRUNED_BLOCKS))
        except SealBroken:
            log.error("the log is not pruned: run verstel audit verify")  # noqa: TRY400  (says all there is)
            return 0
        if removed:
            rule = f"recorded before {dt.datetime.fromtimestamp(limit, dt.UTC):%Y-%m-%dT%H:%M}Z"
            self.audit.pruned(f"{removed} rows", f"{rule}, by VERSTEL_AUDIT_KEEP_DAYS")
        return removed

    def forget_old_handed_over(self) -> None:
        """Wipe words that waited for a person's yes as long as they may; see `smartapp.storage.handed_over`."""
        forget_old(self.engine, self.vault, self.clock())

    def forget_old_not_now(self) -> None:
        """Delete what people did not want to be asked for a while, once that is over."""
        forget_not_now(self.engine, self.clock())

    def own_store(self, issuer: str) -> OwnStore:
        """Return our own store for the people of one issuer; two issuers never share one."""
        return self._kept_as(f"{_OWN}{self.settings.issuer_key(issuer)}")

    def renew_own_stores(self) -> int:
        """Bring our own stores of all issuers, also of former ones, to this version and key; see `OwnStore.renew`.

        One that stands under the address of an issuer that got a key is named by the key from now on.
        """
        for issuer in self.settings.issuers:
            rename(self.engine, f"{_OWN}{issuer.base}", f"{_OWN}{issuer.key}")
        return sum(self._kept_as(name).renew() for name in tenants(self.engine) if name.startswith(_OWN))

    def _kept_as(self, tenant: str) -> OwnStore:
        return OwnStore(
            self.engine,
            f"{self.settings.public_url}/own",
            tenant=tenant,
            vault=self.vault,
            clock=lambda: dt.datetime.fromtimestamp(self.clock(), dt.UTC),
        )

    def drafts(self, launch: Launch) -> Drafts:
        """Return the unfinished questionnaires of this user about this person; of a device, what was answered on it."""
        if launch.handed:
            return self._door_drafts(launch.handed.door, launch.handed.giver)
        return self.drafts_of(launch.issuer_key, launch.patient.reference, launch.user.reference)

    def sketches(self, launch: Launch) -> Drafts:
        """Return this user's unsaved words of the plan of this person, apart from the unfinished questionnaires."""
        return self.sketches_of(launch.user, launch.patient.reference)

    def sketches_of(self, user: User, patient: str) -> Drafts:
        """Return a user's unsaved words of the plan of a person (`Patient/<id>`)."""
        return self.drafts_of(user.issuer, patient, f"{user.key} plan")

    def brought_in(self, user: User, patient: str) -> Drafts:
        """Return the file that a user handed in about a person (`Patient/<id>`), until they say what to do with it."""
        return self.drafts_of(user.issuer, patient, f"{user.key} brought in")

    def conversations_about(self, issuer: str, patient: str) -> Drafts:
        """Return who is in conversation about a person (`Patient/<id>`): it belongs to nobody, and has no words."""
        return self.drafts_of(issuer, patient, "together")

    def handed_over(self, launch: Launch) -> Waiting:
        """Return the words of the person of a launch that others typed, and that wait for their yes."""
        return Waiting(self.handed_over_to(launch.issuer_key, launch.patient.reference), self.clock)

    def handed_over_to(self, issuer: str, patient: str) -> Drafts:
        """Return where those of a person (`Patient/<id>`) are kept: they belong to them and to no author."""
        return self.drafts_of(issuer, patient, "handed over")

    def drafts_of(self, issuer: str, patient: str, author: str) -> Drafts:
        """Return what an author has not finished about a person at an issuer, which its key names."""
        return Drafts(self.engine, self.vault, self.clock, issuer=issuer, patient=patient, author=author)

    def adopt_named_by_address(self, launch: Launch) -> None:
        """Bring what stands under the address of the issuer under its key, for this user and this person.

        So it was named until now, and so it is named until an issuer gets a key. Then the address may change.
        """
        former, patient = launch.by_address, launch.patient.reference
        owner = self.outbox.owner(launch.issuer_key, patient, launch.user.key)
        # A waiting unit named the person by the key and the user by the address.
        for issuer in {former.issuer_key, launch.issuer_key}:
            self.outbox.adopt(self.outbox.owner(issuer, patient, former.user.key), owner)
        if former != launch:
            self.drafts(launch).adopt(self.drafts(former))
            self.sketches(launch).adopt(self.sketches(former))
            self.handed_over_to(launch.issuer_key, patient).adopt(self.handed_over_to(former.issuer_key, patient))
            self.audit.adopt(former.issuer_key, launch.issuer_key, patient)
            self.team_marks.adopt((former.issuer_key, patient), (launch.issuer_key, patient))
            links = self.health_links
            links.adopt(links.person(former.issuer_key, patient), links.person(launch.issuer_key, patient))
            reminders = self.reminders
            reminders.adopt(reminders.person(former.issuer_key, patient), reminders.person(launch.issuer_key, patient))
            self._adopt_doors(former.issuer_key, launch.issuer_key, patient)

    def _adopt_doors(self, former: str, issuer: str, patient: str) -> None:
        for door in self.doors.of(former, patient):
            author = f"door {door.id}"
            self.drafts_of(issuer, patient, author).adopt(self.drafts_of(former, patient, author))
        self.doors.adopt(former, issuer, patient)


def consent_among(found: Iterable[_Kept], issuer_key: str, patient: str) -> _Kept | None:
    """Return the Consent in which a person keeps what they share, among those that are about them."""
    name, ours = consent_name(issuer_key, patient), [one for one in found if is_sharing(one.resource)]
    return next((one for one in ours if name in values_in(one.resource, CONSENT_SYSTEM)), next(iter(ours), None))


def circle_among(found: Iterable[_Kept], issuer_key: str, patient: str) -> _Kept | None:
    """Return the CareTeam in which a person keeps their circle, among those that are about them."""
    name, ours = circle_identifier(issuer_key, patient), [one for one in found if is_circle(one.resource)]
    return next((one for one in ours if name in values_in(one.resource, CIRCLE_SYSTEM)), next(iter(ours), None))


def sight_by(user: User, sharing: Sharing, is_in_circle: Callable[[], bool]) -> Sight:
    """Return what somebody sees of what a person shares; `is_in_circle` tells whether they are one of their people."""
    reader, access = Reader(user.role, user.reference), table()
    if reader.role in LOVED_ONES and not is_in_circle():
        # Whoever left the circle, or never was in it, reads nothing from that moment, whatever was shared before.
        reader = Reader("guest")
    elif reader.role != "client" and sharing.names(reader.reference) and not is_in_circle():
        # A professional reads on what their role does, and nothing that was chosen for them by name.
        reader = Reader(reader.role)
    return sight_of(reader, sharing, access.rule, catalogue(), access.apart)
