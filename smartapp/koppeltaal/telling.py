"""Telling a domain what happened: steps of Tasks, with the version that was read, and events for its log."""

from __future__ import annotations

import datetime as dt
from typing import Final, cast

from mappers.koppeltaal.work import Step, moved, work_of
from smartapp.fhir.store import Conflict, RecordError, RecordStore, Refused, Unauthorized, Unreachable, Write
from smartapp.koppeltaal.context import names_at
from smartapp.koppeltaal.domains import Domains
from smartapp.settings import Issuer, Settings
from smartapp.smart.tracing import Tracing
from smartapp.storage.koppeltaal import KoppeltaalWrites, Taken, ToTell

MOST_TRIES: Final = 3
"""How often a Task that somebody else changes meanwhile is read anew at once."""


def tell_next(settings: Settings, domains: Domains, waiting: KoppeltaalWrites, now: float) -> bool:
    """Tell a domain the first thing that is due; tell whether there was one. `now` is in seconds since 1970."""
    taken = waiting.take()
    if taken is None:
        return False
    issuer = next((one for one in settings.issuers if one.key == taken.what.issuer), None)
    if issuer is None or issuer.koppeltaal is None:
        waiting.stop(taken, "no-such-domain")
        return True
    _tell(issuer, domains, waiting, taken, now)
    return True


def _tell(issuer: Issuer, domains: Domains, waiting: KoppeltaalWrites, taken: Taken, now: float) -> None:
    tracing = Tracing(taken.what.trace, taken.what.correlation)
    store = domains.store(issuer, tracing)
    try:
        if taken.what.event is not None:
            store.write(Write("create", taken.what.event))
        else:
            _step(issuer, store, tracing, taken.what, now)
    except (Unreachable, Unauthorized, Conflict) as error:
        # A token that is refused may be a key that the domain has not read yet; and who changes a Task is soon done.
        waiting.later(taken, str(error.status))
    except RecordError as error:
        waiting.stop(taken, str(error.status))
    else:
        waiting.done(taken)


def _step(issuer: Issuer, store: RecordStore, tracing: Tracing, what: ToTell, now: float) -> None:
    """Let a Task take a step, unless it took it already or goes no such way any more. Raises RecordError.

    Our key reaches the Task of everybody, and what names one here may be older than it, or come out of a file: so only
    one that is this person's own is moved.
    """
    for again in range(MOST_TRIES):
        found = store.read("Task", what.task.removeprefix("Task/"))
        work = work_of(found.resource, names_at(issuer))
        if not work.of_the_patient or work.patient != what.patient:
            return
        recorded = dt.datetime.fromtimestamp(now, dt.UTC).isoformat(timespec="seconds")
        changed = moved(found.resource, cast(Step, what.step), recorded)
        if changed is None:
            return
        if found.etag is None:  # nothing is changed without saying which version was read (TOP-KT-002)
            raise Refused("The domain gave a Task without a version.")
        tracing.correlation = tracing.last
        try:
            store.write(Write("update", changed, if_match=found.etag))
        except Conflict:
            if again == MOST_TRIES - 1:
                raise
        else:
            return
