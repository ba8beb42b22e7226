"""SMART scopes as the server sees them: what was asked, what is granted, and what a call may do with it.

Both versions are read: v2 (`patient/Goal.cruds`, with a query part) and v1 (`patient/Goal.read`, `.write`, `.*`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from smartapp.fhir.own.search import definitions
from smartapp.sandbox.kinds import Kind

Level = Literal["patient", "user", "system"]

PLAIN = ("openid", "fhirUser", "profile", "launch", "launch/patient", "online_access", "offline_access", "messaging/ui")
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}
_SCOPE = re.compile(
    r"^(?P<level>patient|user|system)/(?P<type>[A-Z][A-Za-z]+|\*)"
    r"\.(?P<rights>read|write|\*|(?=[cruds])c?r?u?d?s?)(\?(?P<query>\S+))?$"
)
# A loved one whom a portal lets in reads who they are and whose record it is, the team, and what the client wrote.
# What of that they see is the client's to share, inside the app; they write nothing.
_WRITTEN = ("QuestionnaireResponse", "CarePlan", "Goal", "Task", "Observation")
_LOVED_ONE = {
    "Patient": frozenset("r"),
    "RelatedPerson": frozenset("r"),
    "CareTeam": frozenset("rs"),
    **dict.fromkeys(_WRITTEN, frozenset("rs")),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope on resources: `letters` of what may be done with `type` (`*`: all types) at a level."""

    text: str
    level: Level
    type: str
    letters: frozenset[str]
    query: tuple[tuple[str, str], ...]

    def covers(self, type_: str, letter: str) -> bool:
        """Tell whether this scope covers one interaction on one type."""
        return self.type in ("*", type_) and letter in self.letters


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a token: the user (None: a system), the patient in context, what was granted, and to which app."""

    user: str | None
    patient: str | None
    scopes: tuple[Scope, ...]
    plain: frozenset[str]
    client_id: str

    @property
    def persona(self) -> str:
        """Return the kind of user: `Patient`, `Practitioner`, `RelatedPerson` or `system`."""
        return self.user.partition("/")[0] if self.user else "system"


@dataclass(frozen=True, slots=True)
class Reach:
    """What a call may reach: one patient's record (None: all), and only what also fits `query`."""

    compartment: str | None
    query: tuple[tuple[str, str], ...] = ()


def parse(text: str) -> Scope | None:
    """Read one scope; None if it is not about resources, or not a scope at all."""
    match = _SCOPE.match(text)
    if match is None:
        return None
    rights = match["rights"]
    return Scope(
        text=text,
        level=match["level"],  # type: ignore[arg-type]
        type=match["type"],
        letters=frozenset(_V1.get(rights, rights)),
        query=tuple(parse_qsl(match["query"] or "", keep_blank_values=True)),
    )


def grant(asked: str, kind: Kind, persona: str) -> str:
    """Return what is granted of what was asked: less if this EHR or this user cannot have it, never more.

    `persona` is `Patient`, `Practitioner`, `RelatedPerson` or `system`.
    """
    granted: list[str] = []
    for text in asked.split():
        scope = parse(text)
        if scope is None:
            if text in PLAIN and persona != "system":
                granted.append(text)
        elif _level_fits(scope, persona):
            granted.extend(_narrowed(scope, kind, persona))
    return " ".join(dict.fromkeys(granted))


def registered(asked: str, most: str | None) -> str:
    """Return what of `asked` an app was registered for: `most` are its scopes, None for all."""
    if most is None:
        return asked
    known = [scope for scope in map(parse, most.split()) if scope is not None]
    kept: list[str] = []
    for text in asked.split():
        scope = parse(text)
        if scope is None:
            kept += [text] if text in most.split() else []
            continue
        covering = [one for one in known if one.level == scope.level and one.type in ("*", scope.type)]
        letters = scope.letters & frozenset().union(*(one.letters for one in covering))
        if rights := _rights(scope, letters):
            _, question, query = text.partition("?")
            kept.append(f"{scope.level}/{scope.type}.{rights}{question}{query}")
    return " ".join(kept)


def _level_fits(scope: Scope, persona: str) -> bool:
    if persona == "system":
        return scope.level == "system"
    return scope.level == "patient" or (scope.level == "user" and persona == "Practitioner")


def _narrowed(scope: Scope, kind: Kind, persona: str) -> Iterable[str]:
    offered = {type_: letters & _LOVED_ONE.get(type_, frozenset()) for type_, letters in kind.letters.items()}
    offered = offered if persona == "RelatedPerson" else dict(kind.letters)
    if scope.type == "*":
        # One scope on all types stays one if every type offers it, else it becomes one for each type.
        everywhere = frozenset.intersection(*offered.values())
        if set(offered) == set(definitions()) and everywhere >= scope.letters - {"d"}:
            types = {"*": everywhere}
        else:
            types = offered
    else:
        types = {scope.type: offered.get(scope.type, frozenset())}
    query = f"?{scope.text.partition('?')[2]}" if scope.query else ""
    for type_, letters in types.items():
        # A right to write cannot be limited to what fits a query without reading what was written: not granted.
        kept = scope.letters & letters & (frozenset("rs") if query else frozenset("cruds"))
        if rights := _rights(scope, kept):
            yield f"{scope.level}/{type_}.{rights}{query}"


def _rights(scope: Scope, kept: frozenset[str]) -> str:
    rights = scope.text.partition(".")[2].partition("?")[0]
    if not kept or rights not in _V1:
        return "".join(letter for letter in "cruds" if letter in kept)
    reads, writes = bool(kept & set("rs")), bool(kept & set("cu"))
    return "*" if reads and writes and rights == "*" else "write" if writes else "read"


def reach_of(caller: Caller, type_: str, letter: str) -> Reach | None:
    """Return what a caller may reach with one interaction on one type, or None if no scope covers it."""
    found: list[Reach] = []
    for scope in caller.scopes:
        if not scope.covers(type_, letter):
            continue
        if scope.level == "system" or (scope.level == "user" and caller.persona == "Practitioner"):
            found.append(Reach(None, scope.query))
        elif caller.patient is not None:
            found.append(Reach(f"Patient/{caller.patient}", scope.query))
    # Several scopes add up, so the one that reaches furthest decides.
    return min(found, key=lambda one: (bool(one.query), one.compartment is not None), default=None)
