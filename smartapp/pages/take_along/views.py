"""What the page shows of the file: how many of what, and what is not in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mappers.portable import Unreadable, Why
from mappers.sharing.parts import COURSE
from smartapp.pages.take_along.bringing_in import REUSE, Brought, Part, kind_of
from smartapp.pages.take_along.gathering import Gathered
from smartapp.pages.take_along.paper import not_in_it
from smartapp.records import Record
from smartapp.web.language import format_date, format_datetime, ngettext
from smartapp.web.language import gettext as _


@dataclass(frozen=True, slots=True)
class TakeAlongPage:
    """`inside`: how many of what is in the file; `missing`: sentences about what is not."""

    inside: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to take along."""
        return not self.inside


@dataclass(frozen=True, slots=True)
class PartView:
    """Something that is here and in the file: both versions, and what may be chosen."""

    part: Part
    options: tuple[dict[str, str], ...]
    chosen: str


@dataclass(frozen=True, slots=True)
class BroughtPage:
    """What is in a file: whose, from where, how many of what is new, how much is here, what clashes, what stays out."""

    name: str
    born: str
    made: str
    where: str
    new: tuple[str, ...]
    here: int
    parts: tuple[PartView, ...]
    left_out: tuple[str, ...]
    mark: str
    anything: bool


def refusal(why: Unreadable | Literal["empty", "other-person"]) -> str:
    """Return what the page says of a file that it does not take."""
    said = {
        "empty": _("Choose a file first."),
        "other-person": _("This file is of somebody else, or we cannot tell whose it is. Nothing was taken over."),
        "large": _("This file is larger than we can take. Nothing was taken over."),
        "nothing-inside": _("This PDF has no file of Verstel inside. Nothing was taken over."),
        "other": _("This is no file of Verstel, or it is damaged. Nothing was taken over."),
    }
    return said[why]


def brought_page(brought: Brought, mark: str, chosen: Mapping[str, str] | None = None) -> BroughtPage:
    """Return what the page shows of a file that was handed in."""
    file = brought.file
    return BroughtPage(
        name=file.owner.name,
        born=format_date(file.owner.birth_date),
        made=format_datetime(file.made.when),
        where=file.made.installation,
        new=counted(brought.counts),
        here=brought.here,
        parts=tuple(_part_view(part, (chosen or {}).get(part.id, "mine")) for part in brought.parts),
        left_out=tuple(_left_out(brought.left_out)),
        mark=mark,
        anything=brought.changes_something,
    )


def _part_view(part: Part, chosen: str) -> PartView:
    options = [
        {"value": "mine", "label": _("Keep what is here")},
        {"value": "theirs", "label": _("Take what is in the file")},
        *([{"value": "both", "label": _("Keep both, below each other")}] if part.joins else []),
    ]
    return PartView(part, tuple(options), chosen)


def _left_out(counts: Counter[Why]) -> Iterator[str]:
    """Yield a sentence for each reason why something of a file is left out."""
    said: dict[Why, Callable[[int], str]] = {
        "type": lambda n: ngettext(
            "%(num)s part is of a kind that Verstel does not keep.",
            "%(num)s parts are of a kind that Verstel does not keep.",
            n,
        ),
        "other-person": lambda n: ngettext(
            "%(num)s part is about somebody else.", "%(num)s parts are about somebody else.", n
        ),
        "shape": lambda n: ngettext(
            "%(num)s part is not made as it should be.", "%(num)s parts are not made as they should be.", n
        ),
        "twice": lambda n: ngettext("%(num)s part is in it twice.", "%(num)s parts are in it twice.", n),
        "people": lambda n: ngettext(
            "%(num)s part says who may see what. That you decide here.",
            "%(num)s parts say who may see what. That you decide here.",
            n,
        ),
    }
    for why, sentence in said.items():
        if counts.get(why):
            yield sentence(counts[why])


def page_of(gathered: Gathered) -> TakeAlongPage:
    """Return what the page shows of what was read."""
    # A plan of before there were living forms has the words of some of them itself.
    written = sum(1 for one in gathered.plan.forms.values() if one.content)
    counts = counts_of(gathered.records) | {"form": written}
    return TakeAlongPage(counted(counts), tuple(not_in_it(gathered)))


def counts_of(records: Iterable[Record]) -> dict[str, int]:
    """Return how many records there are of what, as pages name them."""
    return dict(Counter(kind_of(one.resource) for one in records))


def counted(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Return how many there are of what, as people say it; what there is none of is left out."""
    said: dict[str, Callable[[int], str]] = {
        "CarePlan": lambda n: ngettext("%(num)s plan", "%(num)s plans", n),
        COURSE: lambda n: ngettext("%(num)s programme", "%(num)s programmes", n),
        "Goal": lambda n: ngettext("%(num)s goal", "%(num)s goals", n),
        "Task": lambda n: ngettext("%(num)s step, agreement or request", "%(num)s steps, agreements and requests", n),
        "form": lambda n: ngettext("%(num)s form in your own words", "%(num)s forms in your own words", n),
        "QuestionnaireResponse": lambda n: ngettext(
            "%(num)s time that you sent in answers", "%(num)s times that you sent in answers", n
        ),
        "Observation": lambda n: ngettext("%(num)s score or note", "%(num)s scores and notes", n),
        "CareTeam": lambda n: ngettext("%(num)s circle of people", "%(num)s circles of people", n),
        "Consent": lambda n: ngettext("%(num)s choice of who reads what", "%(num)s choices of who reads what", n),
        REUSE: lambda n: ngettext(
            "%(num)s choice whether answers may help with research",
            "%(num)s choices whether answers may help with research",
            n,
        ),
    }
    return tuple(words(counts[name]) for name, words in said.items() if counts.get(name))
