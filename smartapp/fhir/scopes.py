"""Scopes, both spellings: v1 `patient/Goal.write`, v2 `patient/Goal.cu?category=…`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, cast

Letter = Literal["c", "r", "u", "d", "s"]

_V1: Mapping[str, str] = MappingProxyType({"read": "rs", "write": "cud", "*": "cruds"})
_SCOPE = re.compile(
    r"(?P<level>patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]{1,63})\.(?P<what>read|write|\*|c?r?u?d?s?)(?:\?.*)?"
)


@dataclass(frozen=True, slots=True)
class Scopes:
    """What a token response granted."""

    text: str
    granted: frozenset[tuple[str, str]]
    """Pairs of resource type (or `*`) and letter."""

    @classmethod
    def parse(cls, text: str) -> Scopes:
        """Read a scope string; what is not a resource scope (openid, launch, …) grants no resource.

        A query part (`?category=…`) narrows a scope in a way only the server can judge, so it counts as granted and
        the server's own answer decides.
        """
        granted: set[tuple[str, str]] = set()
        for scope in text.split():
            match = _SCOPE.fullmatch(scope)
            if match:
                letters = _V1.get(match["what"], match["what"])
                granted |= {(match["type"], letter) for letter in letters}
        return cls(text, frozenset(granted))

    def allows(self, type: str, letter: Letter) -> bool:
        """Tell whether c(reate), r(ead), u(pdate), d(elete) or s(earch) of a resource type was granted."""
        return (type, letter) in self.granted or ("*", letter) in self.granted

    def has(self, scope: str) -> bool:
        """Tell whether a scope was granted literally, such as `openid`."""
        return scope in self.text.split()


OPTIONAL: Final = (
    "patient/Appointment.rs",
    "patient/MedicationRequest.rs",
    "patient/MedicationStatement.rs",
    "patient/RelatedPerson.rs",
    "user/PractitionerRole.rs",
)
"""What every page, and every sign-in, can do without."""
MESSAGES: Final = "messaging/ui"
"""To say in the browser, to the EHR around us, that its user is done (SMART Web Messaging)."""


def asked(configured: str, *, standalone: bool, offered: str = "") -> str:
    """Return the scopes to ask for: `launch` belongs to a launch from the EHR, `launch/patient` to a standalone one.

    What is optional is asked too where the server says that it has it (`offered`, its scopes_supported): some servers
    refuse a whole sign-in for one scope that they do not know.
    """
    drop = "launch" if standalone else "launch/patient"
    wanted = [scope for scope in configured.split() if scope != drop]
    also = [scope for scope in OPTIONAL if scope not in wanted and _is_offered(scope, offered)]
    if not standalone and MESSAGES not in wanted and MESSAGES in offered.split():
        also.append(MESSAGES)
    return " ".join([*wanted, *also])


def _is_offered(scope: str, offered: str) -> bool:
    level = scope.partition("/")[0]
    there = Scopes.parse(" ".join(one for one in offered.split() if one.startswith(f"{level}/")))
    return all(there.allows(type_, cast(Letter, letter)) for type_, letter in Scopes.parse(scope).granted)
