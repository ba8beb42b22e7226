"""What the screens of a conversation show: a dataclass per screen, its fields in the order in which they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from mappers.agreements import Agreement
from mappers.decisions import Decision, Option
from mappers.medicines import Experience, MedicineRow
from mappers.plan import StepStatus
from mappers.visit import VisitReport
from questionnaires.model import Text
from questionnaires.reading import Strict, read
from smartapp.i18n import message
from smartapp.pages.phase.views import Said
from smartapp.pages.scores.panels import Row
from smartapp.pages.together.by_visit import Visit
from smartapp.pages.together.found import KeptAgreement, KeptDecision
from smartapp.web.fields import Link
from smartapp.web.handing_over import HandedView
from smartapp.web.living_views import FormView, WrittenForm
from smartapp.web.plan_views import GoalView

THEMES: Final[Mapping[str, str]] = {
    "start": message("What we agreed last time"),
    "now": message("How is it now?"),
    "medicines": message("Medicines"),
    "discuss": message("What must be discussed"),
    "options": message("What is possible?"),
    "agree": message("What do we agree?"),
    "report": message("Our sheet"),
}
"""The themes of a conversation in their order, by the name of their page."""

OUTCOME_TEXTS: Final[Mapping[str, str]] = {
    "agreed": message("We agree"),
    "differ": message("We see it differently"),
    "later": message("We come back to this"),
}
WENT_TEXTS: Final[Mapping[str, str]] = {
    "done": message("It is done"),
    "doing": message("It is still going on"),
    "stopped": message("We are stopping this"),
}


MOST_SETTLED: Final = 20
"""Agreements that are done or stopped, of which a page offers the way back; the sheets have all of them."""
WENT: Final[tuple[StepStatus, ...]] = ("done", "doing", "stopped")


class _Hints(Strict, frozen=True):
    hints: tuple[Text, ...]


@cache
def hints() -> tuple[Text, ...]:
    """Return what may help to put a decision into words."""
    return read(Path(__file__).with_name("hints.toml"), _Hints).hints


@dataclass(frozen=True, slots=True)
class Screen:
    """What every screen has around its theme."""

    title: str
    count: str  # "Theme 2 of 7"
    back: Link | None
    next: Link | None
    saved: str = ""  # what was saved just now, or ""
    trouble: str = ""  # why it was not, or ""
    problems: Mapping[str, str] | None = None  # what is to be mended, by the name of the field
    others: tuple[str, ...] = ()  # who else has a conversation about this person going on

    @property
    def summary(self) -> tuple[dict[str, str], ...]:
        """Return what is to be mended for the list on top of the page."""
        return tuple({"field": name, "text": text} for name, text in (self.problems or {}).items())


@dataclass(frozen=True, slots=True)
class Typed:
    """A field with what is in it, the digest of that, and what is to be mended in it."""

    name: str
    text: str
    based_on: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class AgreementView:
    """An agreement that goes on, with the fields in which is said how it goes."""

    agreement: Agreement
    went: Typed
    note: Typed
    place: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class OwnAgreement:
    """An agreement that goes on, as the client sees it; `mine`: it is theirs to say how it went, `note` with words."""

    agreement: Agreement
    note: Typed
    mine: bool
    place: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SettledAgreement:
    """An agreement that is done or stopped; who reads it may say that this was a mistake where `mine`."""

    agreement: Agreement
    mine: bool = True


@dataclass(frozen=True, slots=True)
class StartPage:
    """What was agreed before, and what was left open."""

    open: tuple[AgreementView, ...]
    alone: tuple[Agreement, ...]  # of which the client said, since the last conversation, that they are done or stopped
    today: tuple[Agreement, ...]  # of which that was said in a conversation today
    before: tuple[Agreement, ...]  # all others that are done or stopped
    unsettled: tuple[KeptDecision, ...]
    first: bool  # nothing was ever agreed here
    offer: Offer | None = None  # what there is to begin with, where the plan is empty too
    client: str = ""  # the first name of the client
    handed: tuple[HandedView, ...] = ()  # what was handed over to them, and what became of it


@dataclass(frozen=True, slots=True)
class FilledIn:
    """A response that can be opened, to read its answers together."""

    response_id: str
    title: str
    authored: str


@dataclass(frozen=True, slots=True)
class Offered:
    """What can go on the list with one press: its words, the area that they are about, and the client's mark if any."""

    words: str
    area: str = ""
    id: str = ""  # of the point that the client marked


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that two people can write: what a press sends, its title, and what is said of it."""

    what: str
    title: str
    says: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What two people can write together in the client's plan. `client` is what the client is called."""

    client: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class NowPage:
    """How it is now, in short."""

    goals: tuple[GoalView, ...]
    prepared: VisitReport | None
    scores: tuple[Row, ...]
    filled_in: tuple[FilledIn, ...]
    forms: tuple[WrittenForm, ...]  # the living forms to look at together, the unwritten ones too
    phase: Said | None  # where the client says to be now
    cut: str  # the sentence that says that there are more scores than were asked for, else ""
    offer: Offer | None = None  # what there is to begin with, where the plan is empty

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to show."""
        words = self.goals or self.written
        return not (words or self.prepared or self.scores or self.filled_in or self.phase)

    @property
    def written(self) -> tuple[WrittenForm, ...]:
        """Return the living forms in which something is written."""
        return tuple(one for one in self.forms if one.view.written)

    @property
    def to_open(self) -> tuple[FormView, ...]:
        """Return the living forms that two people can open: what is written, and cards to talk about."""
        views = (one.view for one in self.forms)
        return tuple(one for one in views if one.written or (one.form.living and one.form.living.cards))


@dataclass(frozen=True, slots=True)
class Topic:
    """Something to talk about; `decided` where the record has what came of it."""

    number: int
    text: str
    decided: KeptDecision | None
    href: str


@dataclass(frozen=True, slots=True)
class DiscussPage:
    """What the client prepared and marked, and the list that the two make of it."""

    prepared: VisitReport | None
    points: tuple[Offered, ...]
    unsettled: tuple[Offered, ...]
    wishes: tuple[Offered, ...]
    topics: tuple[Topic, ...]
    fields: tuple[Typed, ...]  # the places on the list that can still be changed
    full: bool


@dataclass(frozen=True, slots=True)
class OptionFields:
    """One option with its three fields."""

    number: int
    what: Typed
    brings: Typed
    costs: Typed

    @property
    def empty(self) -> bool:
        """Tell whether nothing is written about it."""
        return not (self.what.text or self.brings.text or self.costs.text)


@dataclass(frozen=True, slots=True)
class OptionsPage:
    """One topic with what is possible."""

    topic: str
    open: tuple[OptionFields, ...]
    more: tuple[OptionFields, ...]  # behind "another option"


@dataclass(frozen=True, slots=True)
class AgreePage:
    """One topic with what comes of it. `fields` are by name without the number of the topic."""

    topic: str
    options: tuple[Option, ...]
    fields: Mapping[str, Typed]
    client: str
    professional: str
    version: str
    kept: KeptDecision | None  # shown to read, unless it is being changed
    agreement: Agreement | None
    place: str
    clash: Decision | None = None  # what somebody else saved meanwhile


@dataclass(frozen=True, slots=True)
class MedicineLine:
    """A medicine with its link, and what was said about it over the conversations."""

    row: MedicineRow
    href: str
    today: bool


@dataclass(frozen=True, slots=True)
class MedicinesPage:
    """All medicines."""

    lines: tuple[MedicineLine, ...]
    readable: bool  # the record shows medicines at all
    away: bool  # it should, and did not answer


@dataclass(frozen=True, slots=True)
class MedicinePage:
    """One medicine, with the fields and what was said before. `fields` are by name: name, use, benefit, burden."""

    row: MedicineRow | None  # None for a new one
    fields: Mapping[str, Typed]
    before: tuple[Experience, ...]
    version: str
    place: str


@dataclass(frozen=True, slots=True)
class ReportPage:
    """The sheet of one conversation, for both. `unrecorded` are its topics that nothing came of yet."""

    name: str
    visit: Visit
    when: str  # its day as people say it, with the time where that day has another conversation
    called: str  # its name in an address
    kept: Sequence[KeptAgreement]
    unrecorded: tuple[Topic, ...]
    unsaved: tuple[str, ...]  # words that were typed and are not in the record
    earlier: tuple[Link, ...]
    going_on: bool
    own: bool  # the client reads it
    waiting: bool  # part of it has not arrived in the record

    @property
    def empty(self) -> bool:
        """Tell whether nothing was written down, not even how something went."""
        return self.visit.empty


@dataclass(frozen=True, slots=True)
class VisitsPage:
    """The conversations of the client, and what was agreed in them."""

    days: tuple[Link, ...]
    open: tuple[OwnAgreement, ...]
    settled: tuple[SettledAgreement, ...]  # the last said first
    going_on: tuple[str, ...]  # who of the care team has a conversation going on today
