"""Who said that their answers may be used again, of all the people of one place; and the log of what left it.

Off by default: whoever said nothing is not in it. What somebody keeps to themselves never is either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from mappers.reuse import CATEGORY_TOKEN, Purpose, is_reuse, patient_of, reuse_of, without_words
from mappers.sharing import Sharing, is_sharing, part_of, sharing_of
from mappers.sharing.parts import answers_part
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.bases import behind
from smartapp.fhir.own.search import understand
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Query
from smartapp.settings import Issuer
from smartapp.storage.audit import Audit

DONE = ("completed", "amended")
TOLD_AT_ONCE = 500
_PERSON: Final = re.compile(r"(?P<person>Patient/[A-Za-z0-9\-.]{1,64})(/_history/[^/]+)?")


@dataclass(frozen=True, slots=True)
class ReuseRegister:
    """The people of one issuer who allow one purpose; what somebody said is read once, when it is first asked.

    So one register is for one export: a later one asks anew. `store` is our own store of that issuer: the same id of a
    person elsewhere is somebody else.
    """

    issuer: Issuer
    purpose: Purpose
    store: OwnStore
    audit: Audit
    _said: dict[str, _Said] = field(default_factory=dict, init=False, repr=False, compare=False)

    def person(self, reference: str) -> str:
        """Return `Patient/<id>` for a reference to somebody here, relative or by an address of this issuer; else ""."""
        here = behind(reference, *self.issuer.bases) if "://" in reference else reference
        found = _PERSON.fullmatch(here or "")
        return found["person"] if found else ""

    def full(self, patient: str) -> str:
        """Return the address of somebody at this issuer, which is nobody else's; `person` knows it too."""
        return f"{self.issuer.base.rstrip('/')}/{patient}"

    def may(self, patient_reference: str, instrument: str = "") -> bool:
        """Tell whether a person's answers may be used: those to an instrument, or ("") any at all.

        The person by any reference that `person` knows.
        """
        said = self._of(self.person(patient_reference))
        return said.allows and (not instrument or said.shares(answers_part(instrument)))

    def people(self) -> Iterator[str]:
        """Yield everybody who allows it (`Patient/<id>`), each once, in the order in which they first said so."""
        for found in self.store.each(understand(Query.of("Consent", category=CATEGORY_TOKEN, status="active"))):
            patient = patient_of(found.resource)
            if is_reuse(found.resource) and self.may(patient):
                yield patient

    def responses(self) -> Iterator[Resource]:
        """Yield the finished QuestionnaireResponses in our own store of those who allow it, without free text."""
        for patient in self.people():
            said = self._of(patient)
            query = Query.of("QuestionnaireResponse", patient=patient)
            for found in self.store.each(understand(query)):
                part = part_of(found.resource, catalogue())
                asked = part.startswith(answers_part("")) and found.resource.get("status") in DONE
                if asked and said.shares(part):
                    yield without_words(found.resource)

    def tell(self, *, by: str, what: str, patients: Iterable[str]) -> None:
        """Write in the log that answers are handed out: one row for each person, and one of how many.

        Call it before anything is handed out: what fails here is not in a file yet. `by` is who does it, by name, and
        `what` in a few words: for what, and in which form. Both are sealed, and read by those whom it is about.
        """
        count = 0
        names = iter(dict.fromkeys(self.person(one) for one in patients))
        while some := list(islice(names, TOLD_AT_ONCE)):
            self.audit.handed_out(self.issuer.key, self.issuer.base, some, by=by, what=what)
            count += len(some)
        self.audit.handed_out(self.issuer.key, self.issuer.base, [""], by=by, what=f"{what}, {count} people")

    def _of(self, patient: str) -> _Said:
        """Return what a person said; it is kept, for there are many responses of one person."""
        if not patient:
            return _NOTHING
        if patient not in self._said:
            found = [one.resource for one in self.store.search(Query.of("Consent", patient=patient))]
            # Every Consent about reuse has to allow it, and there has to be one: of two that differ, none was meant.
            reuse = [one for one in found if is_reuse(one)]
            permits = (reuse_of(one).allows(self.purpose) and patient_of(one) == patient for one in reuse)
            allows = bool(reuse) and all(permits)
            sharing = tuple(sharing_of(one) for one in found if is_sharing(one))
            self._said[patient] = _Said(allows, sharing) if allows else _NOTHING
        return self._said[patient]


@dataclass(frozen=True, slots=True)
class _Said:
    """What somebody said: whether it is allowed, and what they keep to themselves."""

    allows: bool = False
    sharing: tuple[Sharing, ...] = ()

    def shares(self, part: str) -> bool:
        return all(one.of(part).record for one in self.sharing)


_NOTHING: Final = _Said()
