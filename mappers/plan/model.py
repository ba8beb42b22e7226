"""The plan as the client sees it: story, strengths, stressors, life domains, goals and steps, in their own words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from mappers.fhir_text import typed
from questionnaires.fhir import Resource

StepStatus = Literal["planned", "doing", "done", "stopped"]
Progress = Literal[
    "",
    "in-progress",
    "improving",
    "no-change",
    "worsening",
    "achieved",
    "sustaining",
    "no-progress",
    "not-achieved",
    "not-attainable",
]

MOST_DOMAINS: Final = 5
STEP_STATUSES: Final[tuple[StepStatus, ...]] = get_args(StepStatus)
PROGRESS: Final[tuple[Progress, ...]] = get_args(Progress)
QUESTIONS: Final = ("now", "change", "how", "support")


@dataclass(frozen=True, slots=True)
class PersonRef:
    """A person in the record: `Patient/1`, `Practitioner/2`, `RelatedPerson/3`, and the name to show."""

    reference: str
    display: str

    def as_reference(self) -> Resource:
        """Return the FHIR Reference."""
        return {"reference": self.reference, "display": self.display}


@dataclass(frozen=True, slots=True)
class Step:
    """Something somebody does for a goal. `who` is free text; `due` is a FHIR date (`2026-05`, `2026-05-01`) or ""."""

    id: str
    text: str
    status: StepStatus = "planned"
    who: str = ""
    due: str = ""

    def __post_init__(self) -> None:
        _tidy(self, "text", "who")


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal in the client's own words, in one life domain.

    `start`, `due`, `progress_date` are FHIR dates or "" (`due` may also be None). `progress` "" is: nothing said yet;
    any other needs its `progress_date`.
    `active` False with progress `achieved` is a goal reached; with any other progress a goal let go.
    """

    id: str
    text: str
    domain: str
    start: str = ""
    due: str | None = None
    progress: Progress = ""
    progress_date: str = ""
    note: str = ""
    active: bool = True
    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        _tidy(self, "text", "note")
        object.__setattr__(self, "due", self.due or None)
        object.__setattr__(self, "steps", tuple(self.steps))


@dataclass(frozen=True, slots=True)
class OtherGoal:
    """A goal in the record that no life domain of ours names, as another program writes it. It is read, never changed.

    `own`: the record says that the client said it. `said_by` is who else it says did, "" where it says nobody.
    """

    text: str
    own: bool
    said_by: str


@dataclass(frozen=True, slots=True)
class DomainAnswers:
    """The client's answers to the four questions about one life domain; "" is not answered (yet)."""

    domain: str
    now: str = ""
    change: str = ""
    how: str = ""
    support: str = ""

    def __post_init__(self) -> None:
        _tidy(self, *QUESTIONS)


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan. `created` is a FHIR dateTime or ""; `updated` is what the record says, and is never written."""

    id: str
    story: str = ""
    strengths: tuple[str, ...] = ()
    stressors: tuple[str, ...] = ()
    domains: tuple[DomainAnswers, ...] = ()
    goals: tuple[Goal, ...] = ()
    created: str = ""
    updated: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        _tidy(self, "story")
        for name in ("strengths", "stressors"):
            texts = (typed(text) for text in getattr(self, name))
            object.__setattr__(self, name, tuple(text for text in texts if text))
        for name in ("domains", "goals"):
            object.__setattr__(self, name, tuple(getattr(self, name)))


def _tidy(part: object, *names: str) -> None:
    """Make the texts of a frozen dataclass fit for FHIR at the moment it is made."""
    for name in names:
        object.__setattr__(part, name, typed(getattr(part, name)))
