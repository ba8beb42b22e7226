"""A sign-in from a Koppeltaal domain: who arrived, what the domain hears of it, and the page that its Task opens."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from mappers.assignment import assignment_of, is_assignment
from mappers.human_name import reference_to
from mappers.koppeltaal.activities import PLAN
from mappers.koppeltaal.audit import EXPECTED, UNEXPECTED, Chain, Teller, launch_failed, launched
from mappers.koppeltaal.projection import IDENTIFIER_SYSTEM, aligned, assignment_for, task_named_in
from mappers.koppeltaal.work import Work, work_of
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.access import table
from smartapp.errors import AppError, BadRequest, LaunchRefused
from smartapp.fhir.store import Gone, NotFound, Query, RecordError, Stored, Write
from smartapp.koppeltaal.arriving import Arrival, TaskRefused, arrive
from smartapp.koppeltaal.context import names_at, read_context
from smartapp.pages.sign_in.names import known_as
from smartapp.pages.sign_in.opening import Opening, opening
from smartapp.records.parallel import in_parallel
from smartapp.services import Services
from smartapp.settings import KOPPELTAAL_LAUNCH, Issuer
from smartapp.smart.authorization import Pending
from smartapp.smart.identity import Identity
from smartapp.smart.tracing import Tracing
from smartapp.storage.koppeltaal import ToTell
from smartapp.storage.launches import Launch

MOST_OTHERS: Final = 10
"""How many other Tasks are looked at: each is a question to the domain before the first page, all at once."""
STOPPED_THERE: Final = "Gestopt in het portaal"


def arrived(
    services: Services, issuer: Issuer, answer: Mapping[str, Any], identity: Identity, pending: Pending
) -> Arrival:
    """Return who came back with the answer to a code. Raises LaunchRefused or EhrTrouble."""
    context = read_context(answer, identity.reference, issuer)
    if pending.scopes != KOPPELTAAL_LAUNCH:  # they came by themselves, without a task
        context = replace(context, task="")
    elif not context.task:
        raise LaunchRefused(code="koppeltaal-no-task")
    return arrive(services.domains, issuer, context, Tracing(pending.trace), services.now())


def tell_arrival(services: Services, launch: Launch, arrival: Arrival) -> None:
    """Let the domain hear that a launch succeeded, and that the person's own Task has begun."""
    work, tracing = arrival.work, arrival.tracing
    issuer = services.settings.issuer(launch.issuer)
    if work is None or issuer is None or issuer.koppeltaal is None:
        return  # who came without a Task was let in by the domain, which tells that itself
    key = launch.issuer_key
    event = launched(_teller(services, issuer.koppeltaal.device), _chain(tracing), work.versioned, _instant(services))
    things = [ToTell(key, tracing.trace, tracing.last, event=event)]
    if _is_own(launch, arrival) and work.phase == "to-begin":
        things.append(ToTell(key, tracing.trace, tracing.last, work.reference, work.patient, "in-progress"))
    services.koppeltaal_writes.put(*things)


def tell_failure(services: Services, pending: Pending | None, error: AppError) -> None:
    """Let the domain hear that a launch failed (TOP-KT-012c); of another issuer's, or a stranger's, nobody does."""
    issuer = services.settings.issuer(pending.issuer) if pending is not None else None
    if pending is None or issuer is None or issuer.koppeltaal is None:
        return
    event = launch_failed(
        _teller(services, issuer.koppeltaal.device),
        Chain(pending.trace),
        error.versioned if isinstance(error, TaskRefused) else "",
        _instant(services),
        outcome=EXPECTED if isinstance(error, BadRequest) else UNEXPECTED,
        said=f"De launch van Verstel is niet gelukt ({error.code}).",
    )
    services.koppeltaal_writes.put(ToTell(issuer.key, pending.trace, event=event))


def opening_of(services: Services, launch: Launch, arrival: Arrival) -> Opening:
    """Return the page that a launch of a domain ends on: what its Task asks, where that is for this reader now.

    What the domain asked of a client before is looked at too: who stopped it there expects it to be stopped here.
    """
    if launch.user.role == "client":
        _look_at_others(services, launch, arrival)
    return opening(services, launch, _asked(services, launch, arrival)) if arrival.activity != PLAN else _plan(launch)


def _plan(launch: Launch) -> Opening:
    own = "plan.start"
    return Opening(own if table().may(launch.user.role, own) else table().roles[launch.user.role].home, {})


def _asked(services: Services, launch: Launch, arrival: Arrival) -> Mapping[str, Any]:
    """Return what is opened, in the way in which an EHR says it: our own assignment for the Task, if there is one."""
    work = arrival.work
    if work is None or work.phase == "paused":
        return {}
    ours = None
    with contextlib.suppress(RecordError):  # then the first page comes, and what it asks can be found from there
        ours = _assignment(services, launch, arrival)
    return {"fhirContext": [{"reference": ours.reference}]} if ours else {}


def _is_own(launch: Launch, arrival: Arrival) -> bool:
    """Tell whether it is the person's own work, and they came themselves: only that is moved."""
    work = arrival.work
    return launch.user.role == "client" and work is not None and work.of_the_patient and not work.is_view


def _assignment(services: Services, launch: Launch, arrival: Arrival) -> Stored | None:
    """Return our assignment for the Task of a launch, made or brought up to date where it is the person's own."""
    work = arrival.work
    if work is None:
        return None
    named = work.part_of if work.is_view else work.reference
    store, records = services.own_store(launch.issuer), services.records(launch)
    query = Query.of("Task", patient=launch.patient_id, identifier=f"{IDENTIFIER_SYSTEM}|{named}")
    found = next(iter(store.search(query)), None)
    if not _is_own(launch, arrival):
        return found
    if found is None:
        if work.phase not in ("to-begin", "begun"):
            return None
        made = _made(services, launch, arrival)
        records.write_now(Write.once(made, identifier=f"{IDENTIFIER_SYSTEM}|{named}", living=True), "own")
    elif changed := aligned(found.resource, work, STOPPED_THERE):
        records.write_now(Write("update", changed, if_match=found.etag), "own")
    elif found.resource.get("status") == "completed" and work.phase in ("to-begin", "begun"):
        # Answered, and the domain did not hear of it, or forgot: told once more.
        done = ToTell(launch.issuer_key, launch.trace, "", work.reference, work.patient, "completed")
        services.koppeltaal_writes.put(done)
    return next(iter(store.search(query)), None)


def _look_at_others(services: Services, launch: Launch, arrival: Arrival) -> None:
    """Bring what waits here of other Tasks up to date with the domain; what gives no answer stays as it is."""
    issuer = services.settings.issuer(launch.issuer)
    here = arrival.work.reference if arrival.work else ""
    found = services.own_store(launch.issuer).search(Query.of("Task", patient=launch.patient_id))
    named = [(one, task_named_in(one.resource)) for one in found if is_assignment(one.resource)]
    waiting = [(one, name) for one, name in named if name not in ("", here) and assignment_of(one.resource).waiting][
        :MOST_OTHERS
    ]
    if issuer is None or not waiting:
        return

    def read(name: str) -> Work | None:
        try:
            found = services.domains.store(issuer, Tracing(launch.trace)).read("Task", name.removeprefix("Task/"))
        except (NotFound, Gone):
            return work_of({"status": "entered-in-error"}, names_at(issuer))  # there is none, so nobody asks it
        except RecordError:
            return None
        return work_of(found.resource, names_at(issuer))

    records = services.records(launch)
    for (ours, _name), work in zip(waiting, in_parallel([partial(read, name) for _, name in waiting]), strict=True):
        if work is None or work.patient not in ("", launch.patient.reference):
            continue  # of another person's Task nothing is said here, not even how it is with it
        if changed := aligned(ours.resource, work, STOPPED_THERE):
            with contextlib.suppress(RecordError):  # it is looked at again the next time
                records.write_now(Write("update", changed, if_match=ours.etag), "own")


def _made(services: Services, launch: Launch, arrival: Arrival) -> Resource:
    issuer = services.settings.issuer(launch.issuer)
    assert arrival.work is not None  # noqa: S101  (whoever calls this looked)
    assert issuer is not None  # noqa: S101  (the launch is at it)
    asked_by = known_as(arrival.work.requester, arrival.requester, services.today()).display
    # Who asked need not be said in a domain; then it is the place itself.
    requester = reference_to(arrival.work.requester, asked_by, "nl") if asked_by else {"display": issuer.name}
    return assignment_for(
        arrival.work,
        catalogue().asked[arrival.activity],
        domain=issuer.key,
        patient=reference_to(launch.patient.reference, launch.patient.display, "nl"),
        requester=requester,
        now=services.now(),
    )


def _teller(services: Services, device: str) -> Teller:
    return Teller(device, services.settings.public_url)


def _chain(tracing: Tracing) -> Chain:
    return Chain(tracing.trace, tracing.last, tracing.correlation)


def _instant(services: Services) -> str:
    return dt.datetime.fromtimestamp(services.clock(), dt.UTC).isoformat(timespec="seconds")
