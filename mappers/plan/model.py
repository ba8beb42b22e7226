"""The plan as the client sees it: their texts, life domains, goals and steps, in their own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Literal, get_args

from mappers.fhir_text import typed
from mappers.human_name import reference_to
from mappers.said_in import SaidIn
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
# The four questions are fixed here: records are full of answers to them. DomainAnswers has a field for each, the
# profile LifeDomainAnswers a slice, and `life_domains.toml` words them; a test holds all three to this line.
QUESTIONS: Final = ("now", "change", "how", "support")


@dataclass(frozen=True, slots=True)
class PersonRef:
    """A person in the record: `Patient/1`, `Practitioner/2`, `RelatedPerson/3`, and the name to show, or ""."""

    reference: str
    display: str

    def as_reference(self, language: str = "nl") -> Resource:
        """Return the FHIR Reference; without a name it says in `language` what the person is."""
        return reference_to(self.reference, self.display, language)


@dataclass(frozen=True, slots=True)
class Step:
    """Something someone does for a goal. `who` is free text; `due` is a FHIR date (`2026-05`, `2026-05-01`) or "".

    `said_in`: the answer that it came from, where it came from one.
    """

    id: str
    text: str
    status: StepStatus = "planned"
    who: str = ""
    due: str = ""
    said_in: SaidIn | None = None

    def __post_init__(self) -> None:
        _tidy(self, "text", "who")


@dataclass(frozen=True, slots=True)
class Remark:
    """Something said about a goal. `said` is a FHIR dateTime, "" where the record keeps none.

    `by` is the name of who said it, "" where the client did, or where the record does not say.
    """

    text: str
    said: str = ""
    by: str = ""

    def __post_init__(self) -> None:
        _tidy(self, "text")


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal in the client's own words, in one life domain.

    `start`, `due` and `progress_date` are FHIR dates or "" (`due` may also be None). `progress` is "" while nothing has
    been said; anything else needs its `progress_date`. A goal that is no longer `active` was reached if its progress is
    `achieved`, and let go otherwise. `said_in`: the answer that it came from, where it came from one.

    `later`: an active goal that the client does not work on now, because it is a wish, or because it rests.
    `remarks` are the client's own about how it goes, the newest first. A new one stands before those that there were,
    and takes the place of none. Those of others (`of_others`) are read, and never written.
    """

    id: str
    text: str
    domain: str
    start: str = ""
    due: str | None = None
    progress: Progress = ""
    progress_date: str = ""
    active: bool = True
    steps: tuple[Step, ...] = ()
    said_in: SaidIn | None = None
    remarks: tuple[Remark, ...] = ()
    later: bool = False
    of_others: tuple[Remark, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        _tidy(self, "text")
        for name in ("remarks", "of_others"):
            object.__setattr__(self, name, newest_first(getattr(self, name)))
        object.__setattr__(self, "due", self.due or None)
        object.__setattr__(self, "later", self.later and self.active)
        object.__setattr__(self, "steps", tuple(self.steps))

    @property
    def note(self) -> str:
        """Return what the client said last about how it goes, "" where nothing is said."""
        return self.remarks[0].text if self.remarks else ""

    def with_remark(self, text: str, said: str) -> Goal:
        """Return the goal with one more remark; not twice, where a form with the same words is sent twice."""
        remark = Remark(text, said)
        return self if not remark.text or remark.text == self.note else replace(self, remarks=(remark, *self.remarks))


def newest_first(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """Return the remarks that have words by when they were said; those that do not say when come last, as they were."""
    return tuple(sorted((one for one in remarks if one.text), key=lambda one: _moment(one.said), reverse=True))


def _moment(said: str) -> str:
    """Return a FHIR dateTime in a form that sorts, whatever its time zone."""
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return said
    return moment.astimezone(UTC).isoformat() if moment.tzinfo else said


@dataclass(frozen=True, slots=True)
class OtherGoal:
    """A goal that another program keeps in the record, in none of our life domains. We read it and never change it.

    `own`: the record says that these are the client's words. `said_by`: whose they are if not, "" if it names no one.
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
    """The whole plan.

    `texts` are the client's own texts by the code of their part (`Catalogue.plan_parts`): several where there are
    several, such as strengths, otherwise one; a part that nothing is written in is not there. `elsewhere` are the parts
    whose words are in a living form: they are read there, and not written here. `created` is a FHIR dateTime or "".
    `updated` is when the record last changed the CarePlan; it is never written.
    """

    id: str
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    domains: tuple[DomainAnswers, ...] = ()
    goals: tuple[Goal, ...] = ()
    created: str = ""
    updated: str = field(default="", compare=False)
    elsewhere: frozenset[str] = field(default=frozenset(), compare=False)

    def __post_init__(self) -> None:
        tidied = {code: tuple(filter(None, map(typed, texts))) for code, texts in self.texts.items()}
        object.__setattr__(self, "texts", {code: texts for code, texts in tidied.items() if texts})
        for name in ("domains", "goals"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def with_texts(self, code: str, texts: Iterable[str]) -> Plan:
        """Return the plan with the texts of one part replaced."""
        return replace(self, texts={**self.texts, code: tuple(texts)})

    # The parts that every plan has had from the start, for readers in code; whatever loops over parts uses `texts`.

    @property
    def story(self) -> str:
        """Return the client's story, "" where there is none."""
        return next(iter(self.texts.get("story", ())), "")

    @property
    def strengths(self) -> tuple[str, ...]:
        """Return what helps the client."""
        return self.texts.get("strengths", ())

    @property
    def stressors(self) -> tuple[str, ...]:
        """Return what costs the client energy."""
        return self.texts.get("stressors", ())


def _tidy(part: object, *names: str) -> None:
    """Make the texts of a frozen dataclass fit for FHIR at the moment it is made."""
    for name in names:
        object.__setattr__(part, name, typed(getattr(part, name)))
