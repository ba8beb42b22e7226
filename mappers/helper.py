"""Who helped to fill in a questionnaire, as the client says: the answers stay the client's, whoever sat beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from mappers.fhir_text import typed
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.canonical import code_system_url, structure_url
from questionnaires.fhir import Resource
from questionnaires.model import Text

URL: Final = structure_url("filled-in-with")
ROLE_SYSTEM: Final = code_system_url("care-team-role")
ROLES: Final = {
    "loved-one": Text("naaste", "loved one"),
    "peer-worker": Text("ervaringsdeskundige", "peer worker"),
    "professional": Text("begeleider of behandelaar", "professional"),
}
"""The codes of care-team-role that a helper can have; the displays of the codes are English, these are for people."""
_DISPLAY: Final = {"loved-one": "Loved one", "peer-worker": "Peer worker", "professional": "Professional"}


@dataclass(frozen=True, slots=True)
class Helper:
    """Who helped: a name as typed, a code of ROLES, or both; "" for what was not said."""

    name: str = ""
    role: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", typed(self.name).strip())

    def __bool__(self) -> bool:
        return bool(self.name or self.role)


def helper_in(response: Any) -> Helper | None:
    """Read who helped; None where the response does not say."""
    for each in objects_in(response, "extension"):
        if each.get("url") == URL:
            parts = {text_in(part, "url"): part for part in objects_in(each, "extension")}
            coding = object_in(parts.get("role"), "valueCoding")
            role = text_in(coding, "code") if coding.get("system") == ROLE_SYSTEM else ""
            return Helper(text_in(parts.get("name"), "valueString"), role if role in ROLES else "") or None
    return None


def as_extension(helper: Helper) -> Resource:
    """Write who helped as FHIR's extension."""
    parts: list[Resource] = []
    if helper.name:
        parts.append({"url": "name", "valueString": helper.name})
    if helper.role:
        coding = {"system": ROLE_SYSTEM, "code": helper.role, "display": _DISPLAY[helper.role]}
        parts.append({"url": "role", "valueCoding": coding})
    return {"url": URL, "extension": parts}
