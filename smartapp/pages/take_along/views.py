"""What the page shows of the file: how many of what, and what is not in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from smartapp.pages.take_along.gathering import Gathered
from smartapp.pages.take_along.paper import not_in_it
from smartapp.web.language import ngettext


@dataclass(frozen=True, slots=True)
class TakeAlongPage:
    """`inside`: how many of what is in the file; `missing`: sentences about what is not."""

    inside: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to take along."""
        return not self.inside


def page_of(gathered: Gathered) -> TakeAlongPage:
    """Return what the page shows of what was read."""
    written = sum(1 for one in gathered.plan.forms.values() if one.content)
    counts = dict.fromkeys(("CarePlan", "Goal", "Task", "Observation", "CareTeam", "Consent"), 0)
    counts |= {name: len(gathered.of(name)) for name in counts}
    responses = len(gathered.of("QuestionnaireResponse"))
    living = sum(1 for one in gathered.plan.forms.values() if one.record is not None)
    counts |= {"form": written, "QuestionnaireResponse": max(0, responses - living)}
    return TakeAlongPage(counted(counts), tuple(not_in_it(gathered)))


def counted(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Return how many there are of what, as people say it; what there is none of is left out."""
    said: dict[str, Callable[[int], str]] = {
        "CarePlan": lambda n: ngettext("%(num)s plan", "%(num)s plans", n),
        "Goal": lambda n: ngettext("%(num)s goal", "%(num)s goals", n),
        "Task": lambda n: ngettext("%(num)s step, agreement or request", "%(num)s steps, agreements and requests", n),
        "form": lambda n: ngettext("%(num)s form in your own words", "%(num)s forms in your own words", n),
        "QuestionnaireResponse": lambda n: ngettext(
            "%(num)s time that you sent in answers", "%(num)s times that you sent in answers", n
        ),
        "Observation": lambda n: ngettext("%(num)s score or note", "%(num)s scores and notes", n),
        "CareTeam": lambda n: ngettext("%(num)s circle of people", "%(num)s circles of people", n),
        "Consent": lambda n: ngettext("%(num)s choice of who reads what", "%(num)s choices of who reads what", n),
    }
    return tuple(words(counts[name]) for name, words in said.items() if counts.get(name))
