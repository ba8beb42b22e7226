"""What a domain says of a launch: who came, about whom, and with which Task. Read from the answer to the code.

The HTI token itself says the same, but only the domain can prove it (TOP-KT-007): it is never read for this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mappers.tolerant import text_in
from smartapp.errors import LaunchRefused
from smartapp.i18n import message
from smartapp.settings import Issuer
from smartapp.smart.identity import relative_user

_PEOPLE: Final = frozenset({"Patient", "Practitioner", "RelatedPerson"})
_UNCLEAR: Final = message("Your portal did not say clearly whose task this is.")


@dataclass(frozen=True, slots=True)
class Context:
    """A launch of a domain. `task` is "" for who came without one; `definition` as it was said, "" where it was not."""

    user: str
    patient_id: str
    task: str
    definition: str


def names_at(issuer: Issuer) -> Callable[[str], str]:
    """Return how a reference is read at a domain, whatever version it is of and by whichever of its addresses."""
    return lambda reference: relative_user(reference.partition("/_history/")[0], *issuer.bases)


def read_context(answer: Mapping[str, Any], user: str, issuer: Issuer) -> Context:
    """Read the answer to the code of `user` (`Practitioner/7`, as the id_token says; "" where it does not).

    What is said twice has to be the same. Raises LaunchRefused whose code says what is wrong.
    """
    launching = relative_user(text_in(answer, "sub"), *issuer.bases)
    if answer.get("sub") and not launching:
        raise _refused("koppeltaal-sub")
    if user and launching and user != launching:
        raise _refused("koppeltaal-other-user")
    who = user or launching
    if who.partition("/")[0] not in _PEOPLE:
        raise _refused("koppeltaal-no-user")
    task = names_at(issuer)(text_in(answer, "resource"))
    if answer.get("resource") and not task.startswith("Task/"):
        raise _refused("koppeltaal-resource")
    return Context(who, _patient(answer, who, issuer), task, text_in(answer, "definition"))


def _patient(answer: Mapping[str, Any], who: str, issuer: Issuer) -> str:
    """Return the id of whom it is about: the user, or whom the answer names beside them."""
    said = text_in(answer, "patient")
    named = relative_user(said if "/" in said else f"Patient/{said}", *issuer.bases)
    if answer.get("patient") and not named.startswith("Patient/"):
        raise _refused("koppeltaal-patient")
    if who.startswith("Patient/"):
        if named not in ("", who):
            raise _refused("koppeltaal-other-patient")
        named = who
    if not named:
        raise LaunchRefused(message("The record system did not say whose record this is."), code="patient-missing")
    return named.removeprefix("Patient/")


def _refused(code: str) -> LaunchRefused:
    return LaunchRefused(_UNCLEAR, code=code)
