"""Living forms in the record: how they are found there, and which resources a change of one has to write."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

from mappers.answers import IDENTIFIER_SYSTEM, asked_in
from mappers.identity import URN, values_in
from mappers.living import Content, Written, content_of, form_identifier, from_plan, response_of
from mappers.living.content import Answer
from mappers.living.linking import names_in
from mappers.tolerant import object_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument
from smartapp.fhir.store import Query, Unreachable, Write
from smartapp.records import Place, Record

if TYPE_CHECKING:
    from smartapp.storage.launches import Launch

_NAME: Final = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class StoredForm:
    """What is written in a form, and the record that it was read from; None where nothing was written in it yet."""

    content: Content
    identifier: str
    record: Record | None = None

    @property
    def form(self) -> Instrument:
        """Return the form."""
        return self.content.form

    @property
    def on_its_way(self) -> bool:
        """Tell whether what was saved has not arrived in the record: it can be read, not changed."""
        return self.record is not None and self.record.state != "stored"

    @property
    def place(self) -> Place | None:
        """Return where it is kept, None while nothing is written."""
        return self.record.place if self.record else None

    @property
    def typist(self) -> str:
        """Return who typed it last, "" where that was whose words it are, or nobody says."""
        resource = self.record.resource if self.record else {}
        who, whose = object_in(resource, "author"), object_in(resource, "source") or object_in(resource, "subject")
        return "" if text_in(who, "reference") == text_in(whose, "reference") else text_in(who, "display")

    @property
    def changed(self) -> str:
        """Return when it was changed last, a FHIR dateTime; "" where nothing is written or nobody says."""
        return text_in(self.record.resource, "authored") if self.record else ""


def queries(launch: Launch, known: Catalogue) -> tuple[Query, ...]:
    """Return the search for all that the person of a launch wrote in living forms; none where there are no forms."""
    return _query(launch, (name for form in known.living.values() for name in _names(launch, form)))


def _query(launch: Launch, names: Iterable[str]) -> tuple[Query, ...]:
    # Without their system, to keep the address short. What is of another system is left out when it is read.
    sought = ",".join(names)
    return (Query.of("QuestionnaireResponse", patient=launch.patient.reference, identifier=sought),) if sought else ()


def _names(launch: Launch, form: Instrument, number: int = 1) -> tuple[str, ...]:
    """Return the names under which a form of this person may be kept; the first is the one that it gets now.

    It is named by the key of the issuer, as its address may change. Until an issuer gets a key, that is its address.
    """
    issuers = dict.fromkeys((launch.issuer_key, launch.issuer))
    return tuple(form_identifier(issuer, launch.patient.reference, form, number) for issuer in issuers)


def with_new_names(
    found: list[Record], search: Callable[[Query], list[Record]], *, known: Catalogue, launch: Launch
) -> list[Record]:
    """Return the records in which a form can be read: with those that are there in place of one that was a mistake.

    What is marked as entered in error keeps its name, and would be what a create that happens once meets.
    """
    asked: set[str] = set()
    while True:
        gone, there = _sorted(found)
        numbers = {form.id: _number(launch, form, gone, there) for form in known.living.values()}
        again = [form for form in known.living.values() if numbers[form.id] > 1]
        names = [name for form in again for name in _names(launch, form, numbers[form.id]) if name not in asked]
        if not names:
            return found
        asked.update(names)
        found = [*found, *(one for query in _query(launch, names) for one in search(query))]


def with_former_names(
    found: list[Record],
    search: Callable[[Query], list[Record]],
    *,
    care_plan: Resource | None,
    known: Catalogue,
    launch: Launch,
) -> list[Record]:
    """Return the records in which a form can be read: with those that the plan names and that no name of today finds.

    What was written while the issuer had no key is named by the address of then, which may be another one by now.
    """
    there = {name for one in found for name in values_in(one.resource, IDENTIFIER_SYSTEM)}
    # What was asked for by its name of today and not found is not there, or is not for this reader.
    there |= {name for form in known.living.values() for name in _names(launch, form)}
    names = [name for name in names_in(care_plan) if name not in there and _NAME.fullmatch(name)]
    return [*found, *(one for query in _query(launch, names) for one in search(query))]


def _number(launch: Launch, form: Instrument, gone: Collection[str], there: Collection[str]) -> int:
    """Return the number of the names that a form has: the next one where all that had the others was a mistake."""
    for number in count(1):
        names = _names(launch, form, number)
        if any(name in there for name in names) or not any(name in gone for name in names):
            break
    return number


def _sorted(found: Iterable[Record]) -> tuple[set[str], dict[str, Record]]:
    """Return the names of what was a mistake, and the other records by their name."""
    gone: set[str] = set()
    there: dict[str, Record] = {}
    for one in found:
        names = values_in(one.resource, IDENTIFIER_SYSTEM)
        if text_in(one.resource, "status") in ("entered-in-error", "stopped"):
            gone.update(names)
        elif one.state != "refused":
            there.update({name: _newest(there.get(name), one) for name in names})
    return gone, there


def read_forms(
    found: Iterable[Record], care_plan: Resource | None, *, known: Catalogue, launch: Launch
) -> dict[str, StoredForm]:
    """Return each living form by its id; `care_plan` has what was written before there were living forms.

    From the moment that a form has a response that is where its words are, whatever a CarePlan still says.
    """
    gone, there = _sorted(found)
    forms = {}
    for form in known.living.values():
        names = _names(launch, form, _number(launch, form, gone, there))
        former = (one for one in names_in(care_plan) if one in there and _is_of(there[one].resource, form, known))
        name = next((one for one in names if one in there), None) or next(former, names[0])
        record = there.get(name)
        content = content_of(record.resource, form) if record else from_plan(care_plan, form)
        forms[form.id] = StoredForm(content, name, record)
    return forms


def _is_of(resource: Resource, form: Instrument, known: Catalogue) -> bool:
    asked = asked_in(resource, known)
    return asked is not None and asked.id == form.id


def _newest(one: Record | None, other: Record) -> Record:
    # Made twice, at a server that did not look: what was changed last is what its owner saw last.
    if one is None or one.state != "stored":
        return one or other
    return max(one, other, key=lambda each: text_in(object_in(each.resource, "meta"), "lastUpdated"))


def write_of(before: StoredForm, after: Content, written: Written) -> Write | None:
    """Return what has to be written so that the record says `after`; None where it does already.

    Raises Unreachable while what was saved before is still on its way.
    """
    if after == before.content:
        return None
    if before.record is None:
        made = response_of(after, written, identifier=before.identifier)
        token = f"{IDENTIFIER_SYSTEM}|{before.identifier}"
        return Write.once(made, identifier=token, full_url=f"{URN}{before.identifier}", living=True)
    if before.record.state != "stored":
        raise Unreachable("What was saved before has not arrived yet. Try again in a moment.")
    made = response_of(after, written, identifier=before.identifier, existing=before.record.resource)
    return Write("update", made, if_match=before.record.etag, living=True)


def says(record: Record, after: Content) -> bool:
    """Tell whether a record has these words: a create that happens once may meet what another tab made before.

    What its rows are called is the server's: it may have dropped that.
    """
    found = content_of(record.resource, after.form)
    return (found.answers, _rows(found)) == (after.answers, _rows(after))


def _rows(content: Content) -> dict[str, list[Mapping[str, Answer]]]:
    return {group: [row.answers for row in rows] for group, rows in content.rows.items()}


def names(forms: Mapping[str, StoredForm]) -> frozenset[str]:
    """Return the identifiers of the forms that have a response."""
    return frozenset(one.identifier for one in forms.values() if one.record is not None)
