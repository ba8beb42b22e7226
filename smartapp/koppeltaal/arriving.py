"""Who arrives from a domain with a Task: everything that it hangs on is read anew, and has to fit, or nothing opens.

The domain proved who launched and what the launch named (TOP-KT-007). That the Task is about this person, asks for
something of ours, and may be opened now, is for us to see (TOP-KT-027, the notes of KT2_Task and KT2_CareTeam).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from mappers.koppeltaal.activities import activity_at
from mappers.koppeltaal.work import Work, may_view, work_of, works_in
from mappers.tolerant import text_in
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.errors import EhrTrouble, LaunchRefused
from smartapp.fhir.store import Query, RecordError, RecordStore, Unauthorized, Unreachable
from smartapp.i18n import message
from smartapp.koppeltaal.context import Context, names_at
from smartapp.koppeltaal.domains import Domains
from smartapp.records.parallel import in_parallel
from smartapp.settings import Issuer
from smartapp.smart.relation import Known
from smartapp.smart.tracing import Tracing

_NOT_HERE: Final = message("The task that your portal opened cannot be opened here.")


@dataclass(frozen=True, slots=True)
class Arrival:
    """Someone who arrived: what the launch said, what is known of the two people, and the Task with what it asks.

    `activity` is the id of a questionnaire or `mappers.koppeltaal.activities.PLAN`, "" without a Task.
    """

    context: Context
    person: Resource
    known: Known
    work: Work | None
    activity: str
    requester: Resource | None
    tracing: Tracing


class TaskRefused(LaunchRefused):
    """A Task that may not be opened here; `versioned` is the reference to what we read of it, "" for nothing."""

    def __init__(self, code: str, versioned: str) -> None:
        super().__init__(_NOT_HERE, code=code)
        self.versioned = versioned


def arrive(domains: Domains, issuer: Issuer, context: Context, tracing: Tracing, now: str) -> Arrival:
    """Read and judge what a launch named; `now` is a FHIR dateTime. Raises LaunchRefused or EhrTrouble."""
    work = main = None
    if context.task:
        work = work_of(_read(domains.store(issuer, tracing), context.task), names_at(issuer))
    versioned = work.versioned if work else ""
    behind = tracing.following() if work else tracing
    definition = "" if work is None else _definition(context, work, issuer)

    def one(reference: str) -> Resource | None:
        store = domains.store(issuer, Tracing(behind.trace, behind.correlation))
        return _read(store, reference, versioned) if reference else None

    patient = f"Patient/{context.patient_id}"
    user = context.user if context.user != patient else ""
    main_task = work.part_of if work and work.is_view else ""
    asks = work.requester if work and work.requester.startswith("Practitioner/") else ""
    asked = [patient, user, definition, main_task, asks]
    person, someone, activity, main, requester = in_parallel([partial(one, reference) for reference in asked])
    wanted = issuer.team == "follow" and context.user != patient
    if wanted or (work is not None and work.owner.startswith("CareTeam/")):
        teams = _teams(domains.store(issuer, Tracing(behind.trace, behind.correlation)), context)
    else:
        teams = []
    assert person is not None  # noqa: S101  (its reference is never empty)
    _check_people(person, someone)
    known = Known(someone or person, None, teams)
    if work is None:
        return Arrival(context, person, known, None, "", None, tracing)
    asks_for = activity_at(text_in(activity, "url"), catalogue())
    of_main = None if main is None else work_of(main, names_at(issuer))
    in_team = works_in(teams, work.owner, patient, names_at(issuer), now)
    why = _why_not(work, of_main, patient, in_team=in_team) or ("" if asks_for else "koppeltaal-definition-not-ours")
    if why:
        raise TaskRefused(why, work.versioned)
    return Arrival(context, person, known, work, asks_for, requester, tracing)


def _definition(context: Context, work: Work, issuer: Issuer) -> str:
    """Return the reference of the ActivityDefinition that was launched. Raises TaskRefused where it is not the Task's.

    A launch names it by reference (TOP-KT-007) or by its canonical address (HTI); where it has the address, or says
    nothing, the one definition of the Task is meant.
    """
    named = names_at(issuer)(context.definition)
    if named.startswith("ActivityDefinition/") and named in work.definitions:
        return named
    if named or len(work.definitions) != 1:
        raise TaskRefused("koppeltaal-definition-differs", work.versioned)
    return work.definitions[0]


def _why_not(work: Work, main: Work | None, patient: str, *, in_team: bool) -> str:
    """Return the code of why a Task may not be opened, "" where it may; `in_team`: its team may own it now."""
    if work.patient != patient:
        return "koppeltaal-task-of-another"
    if work.is_view and (main is None or not may_view(work, main)):
        return "koppeltaal-view"
    if work.owner.startswith("CareTeam/") and not in_team:
        return "koppeltaal-team"
    return ""


def _check_people(person: Resource, user: Resource | None) -> None:
    """Let nobody in who is no longer there (`active` is false); see TOP-KT-013."""
    if person.get("active") is False:
        raise LaunchRefused(_NOT_HERE, code="koppeltaal-patient-inactive")
    if user is not None and user.get("active") is False:
        raise LaunchRefused(_NOT_HERE, code="koppeltaal-user-inactive")


def _read(store: RecordStore, reference: str, versioned: str = "") -> Resource:
    type_, _, id_ = reference.partition("/")
    try:
        return store.read(type_, id_).resource
    except (Unreachable, Unauthorized) as error:
        raise EhrTrouble(code=f"koppeltaal-{type_.lower()}-{error.status}") from error
    except RecordError as error:
        raise TaskRefused(f"koppeltaal-{type_.lower()}-{error.status}", versioned) from error


def _teams(store: RecordStore, context: Context) -> list[Resource]:
    """Return the care teams of the person. Raises EhrTrouble: without them nobody can say who may open what."""
    try:
        found = store.search(Query.of("CareTeam", patient=context.patient_id))
    except RecordError as error:
        raise EhrTrouble(code=f"koppeltaal-careteam-{error.status}") from error
    return [one.resource for one in found]
