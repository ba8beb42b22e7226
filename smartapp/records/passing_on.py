"""Rows of the log go to the EHR as AuditEvents, where it takes them: each once, and in nobody's way.

An AuditEvent has no identifier in R4, so no server can see that it has one already. Ours names its row among what it is
about. A row that was perhaps sent before is looked for by person and moment, where the EHR lets us search; where it
does not, it is sent again: a row that stands there twice can be recognised, one that is lost cannot.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from mappers.audit import audit_event, row_identifier
from mappers.tolerant import object_in, objects_in
from questionnaires.fhir import Resource
from smartapp.fhir.capabilities import Capability
from smartapp.fhir.store import Query, RecordError, RecordStore, Unauthorized, Unreachable, Write
from smartapp.storage.passing_on import PassingOn, Taken, Waiting

log = logging.getLogger(__name__)

TYPE: Final = "AuditEvent"
_NOT_AT_ALL: Final = frozenset({403, 404, 405})
"""Answers about what may be done, whatever the content; 422 is about one row."""


def pass_on(
    taken: Taken, waiting: PassingOn, ehr: RecordStore, capability: Capability, refused: Callable[[str, int], None]
) -> None:
    """Send the rows that were taken with the token of their launch; what cannot be sent waits on.

    Nothing of this is a row of the log itself. `refused` is told of what the EHR does not take at all (type, status).
    """
    rows = list(taken.rows)
    if not capability.can(TYPE, "create"):
        waiting.hold(*rows)
        return
    while rows:
        row = rows[0]
        try:
            _send(row, ehr, capability)
        except Unauthorized:
            waiting.hold(*rows)
            return
        except Unreachable:
            waiting.later(*rows)
            return
        except RecordError as error:
            log.info("an EHR does not take an AuditEvent: %s", error.status)
            if error.status in _NOT_AT_ALL:
                refused(TYPE, error.status)
                waiting.hold(*rows)
                return
            waiting.later(row)
        else:
            waiting.done(row)
        rows.pop(0)


def _send(row: Waiting, ehr: RecordStore, capability: Capability) -> None:
    if row.tried == 1 or not _is_there(row, ehr, capability):
        ehr.write(Write("create", audit_event(row.entry, row.number, literal=False)))


def _is_there(row: Waiting, ehr: RecordStore, capability: Capability) -> bool:
    """Tell whether the EHR has this very row; not where it does not let us look."""
    if not capability.can(TYPE, "search-type"):
        return False
    second = datetime.fromtimestamp(row.entry.recorded, UTC).isoformat(timespec="seconds")
    found = ehr.search(Query.of(TYPE, patient=row.entry.patient, date=second.replace("+00:00", "Z")))
    named = [object_in(entity, "what") for one in found for entity in objects_in(one.resource, "entity")]
    system, value = row_identifier(row.entry, row.number).values()
    return any((one.get("system"), one.get("value")) == (system, value) for one in map(_identifier_in, named))


def _identifier_in(reference: Resource) -> Resource:
    return object_in(reference, "identifier")
