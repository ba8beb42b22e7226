"""What the client chose, in our own store: read, changed so that nothing is overwritten unseen, and done at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from mappers.circle import Circle
from mappers.human_name import reference_to
from mappers.identity import URN
from mappers.sharing import ME, RECORD, Choice, Sharing, consent_of, sharing_of
from mappers.sharing.consent import IDENTIFIER_SYSTEM, name_of
from smartapp.access import table
from smartapp.fhir.store import Conflict, Stored, Unreachable, Write
from smartapp.records.taking_out import takes_out
from smartapp.web import current, reading, typed
from smartapp.web.forms import ATTEMPTS
from smartapp.web.guard import note
from smartapp.web.language import language, text_of

Outcome = Literal["", "waits", "stays"]
"""What became of the words in the record: nothing is left to do, it is done when that answers, or it keeps them."""


class ChangedMeanwhile(Exception):
    """Another choice was made for this part than the one that this person saw."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is chosen, the Consent that it stands in (None while nothing is chosen), and the client's people."""

    sharing: Sharing
    consent: Stored | None
    people: Circle

    @property
    def names(self) -> dict[str, str]:
        """Return what people are called, by their reference."""
        return reading.names_in(self.consent.resource if self.consent else None, self.people)


def load() -> Kept:
    """Return what the person of this launch chose."""
    launch = current.launch()
    found = current.services().consent(launch.issuer, launch.issuer_key, launch.patient.reference)
    return Kept(sharing_of(found.resource if found else None), found, reading.people())


def choose(part: str, choice: Choice, seen: str) -> Outcome:
    """Keep what is chosen for a part of which this person saw `seen` (its `digest_of`), and do it.

    Raises ChangedMeanwhile, and what `Records.save` does. A choice that holds already is done again: that is how what
    could not be taken out of the record is tried once more.
    """
    for _attempt in range(ATTEMPTS):
        kept = load()
        before = kept.sharing.of(part)
        if digest_of(before) != seen and before != choice:
            raise ChangedMeanwhile
        after = kept.sharing.with_choice(part, choice, current.now().isoformat())
        try:
            if after.choices == kept.sharing.choices:
                return "" if choice.record else take_out()
            if not choice.record:
                return _kept_and_taken_out(_write(kept, after))
            current.records().save([_write(kept, after)])
        except Conflict:
            continue
        return ""
    raise ChangedMeanwhile


def _kept_and_taken_out(consent: Write) -> Outcome:
    """Keep a choice together with what has to be done for it, so that it is done also when this process dies here."""
    records = current.records()
    to_do = records.save_here([consent], follow_up=takes_out())
    outcome = take_out()  # where that has to wait, it leaves something of its own for the courier
    records.followed(to_do)
    return outcome


def write_without(reference: str) -> Write | None:
    """Return what has to be written so that nothing is chosen for somebody any more; None where nothing is."""
    kept = load()
    after = kept.sharing.without(reference, current.now().isoformat())
    return None if after == kept.sharing else _write(kept, after)


def _write(kept: Kept, after: Sharing) -> Write:
    launch = current.launch()
    name = name_of(launch.issuer_key, launch.patient.reference)
    roles = {role: text_of(one.title) for role, one in table().roles.items()}
    made = consent_of(
        after,
        name=name,
        patient=reference_to(launch.patient.reference, launch.patient.display, language()),
        titles={part: reading.title_of(part) for part in after.choices},
        displays=roles | kept.names,
        before=kept.consent.resource if kept.consent else None,
    )
    if kept.consent is None:
        token = f"{IDENTIFIER_SYSTEM}|{name}"
        return Write.once(made, identifier=token, full_url=f"{URN}{name}", only_here=True)
    return Write("update", made, if_match=kept.consent.etag, only_here=True)


def take_out() -> Outcome:
    """Take out of the record what is shared there no longer, with the sight of this moment."""
    services, launch = current.services(), current.launch()
    records = services.records(launch, lambda event, objects: note(services, launch, event, objects))
    current.open_launch(launch, records)
    try:
        return "stays" if records.take_out() else ""
    except Unreachable:
        records.later([], follow_up=takes_out())
        return "waits"


def still_there() -> Outcome:
    """Return whether words that are shared there no longer stand in the record now; "waits" where nobody can say."""
    records = current.records()
    if records.is_taking_out():
        return "waits"
    try:
        return "stays" if records.exposed() else ""
    except Unreachable:
        return "waits"


# ---- a choice, as pages carry it -------------------------------------------------------------------------------------


def packed(choice: Choice) -> dict[str, Any]:
    """Return a choice as JSON."""
    return {"record": choice.record, "readers": sorted(choice.readers), "typists": sorted(choice.typists)}


def unpacked(content: Mapping[str, Any]) -> Choice:
    """Return the choice that `packed` made into JSON."""
    return Choice(content["record"], frozenset(content["readers"]), frozenset(content["typists"]))


def digest_of(choice: Choice) -> str:
    """Return what stands in a page for a choice, to see later whether it is still the same."""
    return typed.digest(json.dumps(packed(choice)))


QUICK: Final[Mapping[str, Choice]] = {"me": ME, "team": RECORD}
"""What one press in the list chooses."""
