"""The circle of this launch: loading it, and saving a change of it so that nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from mappers.circle import Circle, Member, circle_of
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Conflict, Write
from smartapp.pages.people.supporters import supporters_in
from smartapp.pages.sharing.keeping import write_without
from smartapp.web import circle, current, forms, living, with_client
from smartapp.web.circle import StoredCircle
from smartapp.web.forms import Saved, Trouble
from smartapp.web.language import language
from smartapp.web.typed import Accepted, Clash, Wrong

Edit = Callable[[StoredCircle], Accepted[Circle] | Wrong | Clash]


@dataclass(frozen=True, slots=True)
class Proposed:
    """Whom a client can put into their circle without typing them again, and the circle as it is.

    `supporters` are those of their plan for hard days, by the key of their row.
    """

    stored: StoredCircle
    supporters: tuple[Member, ...]


def load() -> StoredCircle:
    """Return the circle of the person of this launch, and who the record has, in one round trip."""
    launch = current.launch()
    teams, related = current.records().search(*circle.queries(launch.patient.reference))
    today = current.now().date()
    return circle.read_circle(teams, related, launch, current.bases(), today=today)


def load_proposed() -> Proposed:
    """Return the circle with everybody who could be in it, in one round trip."""
    launch, known = current.launch(), catalogue()
    asked = living.queries(launch, known)
    teams, related, *found = current.records().search(*circle.queries(launch.patient.reference), *asked)
    written = living.read_forms([one for records in found for one in records], None, known=known, launch=launch)
    own = circle.read_circle(teams, related, launch, current.bases(), today=current.now().date())
    return Proposed(own, supporters_in(written))


def change(edit: Edit, first: StoredCircle) -> Saved | Wrong | Clash | Trouble:
    """Apply an edit to the circle as it is stored now (`first`), and save it; see `forms.merged`."""
    return forms.merged(edit, first, again=load, write=_save)


def _save(before: StoredCircle, after: Circle) -> Saved:
    """Write a circle. Raises Conflict where somebody made another one a moment before, and what `Records.save` does."""
    made = circle.write_of(before, after, current.launch(), author=with_client.author(), language=language())
    if made is None:
        return Saved(arrived=True)
    record = current.records().save([made, *_begin_anew(before, after)])[0]
    if made.method == "create" and circle_of(record.resource) != after:
        raise Conflict("The circle was made a moment before, with other people.", None)
    return Saved(arrived=record.state == "stored")


def _begin_anew(before: StoredCircle, after: Circle) -> Iterator[Write]:
    """Yield what has to be written so that who comes into the circle reads nothing that was chosen for them before.

    Whoever left and comes back may be trusted with less by now; what is shared with them is chosen again.
    """
    for one in after.people:
        comes = before.circle.member(one.id) is None and not one.until
        if comes and one.reference and (write := write_without(one.reference)) is not None:
            yield write


NOBODY: Final = Member("", "")
"""Whom a form for somebody new begins with."""
