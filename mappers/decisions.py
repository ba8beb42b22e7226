"""A decision of a conversation ↔ the answers to the form `decision`: the options, the outcome, the words, both views.

Two views that differ stay two: nothing here puts them together, counts them or chooses between them. Pure, and without
a life domain: a decision is about whatever the two people name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from mappers.answers import Answers
from mappers.fhir_text import typed

DECISION: Final = "decision"
MOST_OPTIONS: Final = 4
Outcome = Literal["agreed", "differ", "later"]

_CODES: Final[dict[Outcome, str]] = {"agreed": "1", "differ": "2", "later": "3"}
_OUTCOMES: Final[dict[str, Outcome]] = {code: outcome for outcome, code in _CODES.items()}


@dataclass(frozen=True, slots=True)
class Option:
    """Something that is possible, with what it brings and what it costs the client, each in their words or ""."""

    what: str = ""
    brings: str = ""
    costs: str = ""

    @property
    def empty(self) -> bool:
        """Tell whether nothing is written about it."""
        return not (self.what or self.brings or self.costs)


@dataclass(frozen=True, slots=True)
class Decision:
    """What came of one topic; `outcome` is "" while that is not said.

    `words` are what was agreed, in the client's words. `client_view` and `professional_view` belong to an outcome that
    differs. Options keep their place: the second stays the second when the first is taken away.
    """

    topic: str
    options: tuple[Option, ...] = ()
    outcome: Outcome | Literal[""] = ""
    words: str = ""
    client_view: str = ""
    professional_view: str = ""

    @property
    def weighed(self) -> tuple[Option, ...]:
        """Return the options that something is written about."""
        return tuple(option for option in self.options if not option.empty)


def values_of(decision: Decision) -> dict[str, str | bool]:
    """Return the decision as answers: linkId → text, or the code of the outcome; what is empty is left out.

    Words are left out where the outcome is another than that they agree: what no longer holds would stand there as if
    it did. Both views may be told whatever came of it.
    """
    values = {"topic": decision.topic}
    if decision.outcome not in ("differ", "later"):
        values["words"] = decision.words
    for number, option in enumerate(decision.options[:MOST_OPTIONS], start=1):
        parts = {"what": option.what, "brings": option.brings, "costs": option.costs}
        values |= {f"option-{number}-{name}": text for name, text in parts.items()}
    if decision.outcome:
        values["outcome"] = _CODES[decision.outcome]
    values |= {"client-view": decision.client_view, "professional-view": decision.professional_view}
    return {f"{DECISION}-{name}": kept for name, text in values.items() if (kept := typed(text))}


def decision_of(answers: Answers) -> Decision:
    """Read a decision from the answers of a response to the form `decision`."""
    texts: Mapping[str, str] = {name: value for name, value in answers.values.items() if isinstance(value, str)}

    def said(name: str) -> str:
        return texts.get(f"{DECISION}-{name}", "")

    options = tuple(
        Option(*(said(f"option-{number}-{part}") for part in ("what", "brings", "costs")))
        for number in range(1, MOST_OPTIONS + 1)
    )
    return Decision(
        topic=said("topic"),
        options=options,
        outcome=_OUTCOMES.get(said("outcome"), ""),
        words=said("words"),
        client_view=said("client-view"),
        professional_view=said("professional-view"),
    )
