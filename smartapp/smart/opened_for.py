"""What an EHR opened the app for, beside the person: `fhirContext` in the answer to the code.

SMART App Launch 2.2, "fhirContext" (experimental): objects with `reference`, `canonical` or `identifier`, and maybe a
`type` and a `role`. Before that it was a list of references, which are read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from mappers.tolerant import text_in
from smartapp.fhir.own.index import relative

MOST: Final = 10
"""How many entries are looked at: the page behind them opens at once, so nobody waits for a list."""
_REFERENCE = re.compile(r"(Task|Questionnaire)/([A-Za-z0-9\-.]{1,64})")


@dataclass(frozen=True, slots=True)
class OpenedFor:
    """One thing that the app was opened for: the `name` of a Task is its id at the EHR.

    That of a Questionnaire is its canonical address without a version, or its id at the EHR.
    """

    type: Literal["Task", "Questionnaire"]
    name: str


def opened_for(context: Mapping[str, Any], *bases: str) -> tuple[OpenedFor, ...]:
    """Return the Tasks and Questionnaires in the context of a launch, at the EHR with these bases, and nothing else.

    Those in whose context the app was opened (no role, or `launch`) come first; a role of somebody's own says no more
    to us than that it is there.
    """
    said = context.get("fhirContext")
    entries = said[:MOST] if isinstance(said, list) else [said]
    first = [one for one in entries if text_in(one, "role") in ("", "launch")]
    rest = [one for one in entries if text_in(one, "role") not in ("", "launch")]
    return tuple(dict.fromkeys(found for one in [*first, *rest] for found in _named(one, *bases)))


def _named(entry: Any, *bases: str) -> Iterator[OpenedFor]:
    canonical = text_in(entry, "canonical").partition("|")[0]
    # A canonical can be of any definition: one without a type is a questionnaire if it is called so.
    if canonical and text_in(entry, "type") in ("", "Questionnaire"):
        yield OpenedFor("Questionnaire", canonical)
    reference = entry if isinstance(entry, str) else text_in(entry, "reference")
    if found := _REFERENCE.fullmatch(relative(reference, *bases)):
        yield OpenedFor("Task" if found[1] == "Task" else "Questionnaire", found[2])
