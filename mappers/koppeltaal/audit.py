"""What a domain's log gets of us: that a launch succeeded, or that it failed (KT2_AuditEvent, TOP-KT-012c).

No names, and no words of a person: a Device acts on a Task. That a launch which succeeded is told in the same way as
one that failed is assumed (TOP-KT-011 could not be read); see docs/koppeltaal.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mappers.koppeltaal.codes import DICOM, coding, extension_url, profile
from questionnaires.fhir import RESOURCE_TYPES, Resource

EXPECTED: Final = "4"
"""The outcome of a failure that belongs to ordinary use, such as a Task that is over."""
UNEXPECTED: Final = "8"
"""That of one that does not, such as a server without an answer."""
_WENT_WELL: Final = "0"


@dataclass(frozen=True, slots=True)
class Teller:
    """Who tells: our Device in the domain, and the public address of this installation."""

    device: str
    site: str


@dataclass(frozen=True, slots=True)
class Chain:
    """To what an event belongs: the trace, the request that is told of, and what that followed on; "" where none is."""

    trace: str
    request: str = ""
    correlation: str = ""


def launched(teller: Teller, chain: Chain, task: str, recorded: str) -> Resource:
    """Return the event of a launch that succeeded; `task` is the reference to its version, `recorded` an instant."""
    return _of_launch(teller, chain, task, recorded, outcome=_WENT_WELL)


def launch_failed(teller: Teller, chain: Chain, task: str, recorded: str, *, outcome: str, said: str) -> Resource:
    """Return the event of a launch that failed.

    `task` is "" where the launch did not get so far that we know one: then it is about our Device, since an event has
    to be about something. `said` is for people who manage the domain, and names nobody.
    """
    return {**_of_launch(teller, chain, task, recorded, outcome=outcome), "outcomeDesc": said}


def _of_launch(teller: Teller, chain: Chain, task: str, recorded: str, *, outcome: str) -> Resource:
    about = task or teller.device
    device = {"reference": teller.device, "type": "Device"}
    names = {"trace-id": chain.trace, "request-id": chain.request, "correlation-id": chain.correlation}
    return {
        "resourceType": "AuditEvent",
        "meta": profile("KT2AuditEvent"),
        "extension": [{"url": extension_url(name), "valueId": value} for name, value in names.items() if value],
        "type": coding(DICOM, "110100", "Application Activity"),
        "subtype": [coding(DICOM, "110120", "Application Start")],
        "action": "E",
        "recorded": recorded,
        "outcome": outcome,
        "agent": [{"type": {"coding": [coding(DICOM, "110150", "Application")]}, "who": device, "requestor": False}],
        "source": {"site": teller.site, "observer": device},
        "entity": [
            {
                "what": {"reference": about, "type": about.partition("/")[0]},
                "type": coding(RESOURCE_TYPES, about.partition("/")[0], about.partition("/")[0]),
            }
        ],
    }
