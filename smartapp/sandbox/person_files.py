"""What the files about made-up people hold: `practitioners.toml`, and one `people/<id>.toml` per person.

In a person's file:

- `answers` is one sign per item, in the order of the questions, spaces ignored: the option's code, `x` not applicable,
  `.` left open, `y` and `n` for yes and no. A questionnaire with texts has `texts` (linkId → answer) instead.
- `days_ago`, `due_in_days` and `in_days` count from the day the sandbox is filled.
- `team` are the people around the plan; the client and `related` are added. `family_team` makes it a family's team.
  `roles` is what a professional is in this team, where that is something else than what they are in general.
- `reuse` is what the person said on the app's own page that their answers may be used again for.
- `[[course]]` is a programme of ours that the person follows, begun by a professional `by`; `[[course.decision]]` what
  was decided about it since, by the person, or by the professional `by`. What was answered in its days counts for it.
- `[draft]` is a questionnaire half way; `[plan]`, `[[plan.domain]]`, `[[plan.goal]]`, `[[plan.goal.step]]` the plan.
  `[plan.texts]` has what a plan of before had of story, strengths and stressors: one text, or a list of lines.
- `[living.<form>]` is a living form, as it was `days_ago`, typed by the person, or by the professional `typed_by`, in
  whose words the professionals' parts are: each item (without the form's id) with a text, a list where
  it takes several answers, true or false, the option's code, `{ days_ago = 3 }` or `{ in_days = 3 }` for a day, or the
  words that a goal of the plan begins with. `[[living.<form>.rows.<group>]]` is one row of a group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from mappers.plan import Progress, StepStatus
from mappers.reuse import Purpose
from questionnaires.model import Text
from questionnaires.phases import phases
from questionnaires.programmes import PROGRAMMES, Programme, read_programmes
from questionnaires.reading import FilePlace, Name, OneLine, Strict, convert, read, read_toml

_MOST_DAYS = 40_000  # more than anyone lives; infinity and not-a-number are outside too
DaysAgo = Annotated[
    float,
    Meta(ge=0, le=_MOST_DAYS, description=f"is {{value!r}}; it must be a number of days from 0 to {_MOST_DAYS}"),
]
DaysAhead = Annotated[
    float,
    Meta(
        ge=-_MOST_DAYS,
        le=_MOST_DAYS,
        description=f"is {{value!r}}; it must be a number of days from -{_MOST_DAYS} to {_MOST_DAYS}",
    ),
]


@cache
def our_programmes() -> Mapping[str, Programme]:
    """Return the programmes that ship: a place may have others, but the made-up people follow these."""
    return read_programmes([PROGRAMMES])


class SeedError(ValueError):
    """A file about a made-up person says something impossible; the message says where."""


class Named(Strict, frozen=True, kw_only=True):
    """Anyone with an id and a name; `prefix` stands before the family name, `partner` is the name of their partner.

    All of them go by the family name that is their own.
    """

    id: Name
    given: tuple[OneLine, ...]
    family: OneLine
    prefix: OneLine = ""
    partner: OneLine = ""

    @property
    def whole_family(self) -> str:
        """Return the family name with what stands before it."""
        return " ".join(filter(None, (self.prefix, self.family)))


TeamRole = Literal["clinician", "responsible", "case-manager", "peer-worker"]


class Practitioner(Named, frozen=True):
    """A professional; `role` is from the code system care-team-role."""

    occupation: OneLine
    role: TeamRole


CircleRole = Literal[
    "loved-one", "representative", "clinician", "responsible", "case-manager", "peer-worker", "outside"
]


class Related(Named, frozen=True):
    """Someone close to the person; `role` is from the code system care-team-role."""

    relationship: OneLine
    role: Literal["loved-one", "representative"] = "loved-one"


class InCircle(Strict, frozen=True):
    """One of the people in the person's own circle; `who` is the id of one of `related` or of the team, "" for nobody.

    `reads` are the parts that the person shares with them, such as `form.story`.
    """

    relation: OneLine
    role: CircleRole
    days_ago: DaysAgo
    name: OneLine = ""
    who: Name | None = None
    phone: OneLine = ""
    supports: bool = False
    until_days_ago: DaysAgo | None = None
    reads: tuple[OneLine, ...] = ()


class FilledIn(Strict, frozen=True):
    """A questionnaire that was filled in, or half way; either `answers` or `texts`.

    `marked` are the linkIds that the person wants to talk about, `discussed` those that were talked about; `note` is
    what they wrote beside the scores.
    """

    questionnaire: Name
    days_ago: DaysAgo
    answers: str = ""
    texts: dict[str, str | bool] = field(default_factory=dict)
    marked: tuple[Name, ...] = ()
    discussed: tuple[Name, ...] = ()
    note: OneLine = ""


class Asked(Strict, frozen=True):
    """A questionnaire that a professional asked the person to fill in."""

    questionnaire: Name
    days_ago: DaysAgo
    due_in_days: DaysAhead
    by: Name
    message: OneLine = ""


class Planned(Strict, frozen=True):
    """An appointment to come, with a professional."""

    in_days: DaysAhead
    by: Name


Decided = Literal["paused", "resumed", "declined", "stopped"]


class DecisionEntry(Strict, frozen=True):
    """What was decided about a programme on the way; `moment` is which one was declined, by its id in the course."""

    kind: Decided
    days_ago: DaysAgo
    moment: OneLine = ""
    by: Name | None = None


class CourseEntry(Strict, frozen=True):
    """A programme that the person follows since `days_ago`."""

    programme: Name
    days_ago: DaysAgo
    by: Name
    decision: tuple[DecisionEntry, ...] = ()


class Medication(Strict, frozen=True):
    """A medicine that the record has: a made-up name and no code, so that nobody takes it for a real prescription."""

    name: OneLine
    days_ago: DaysAgo
    dosage: OneLine = ""


class Agreed(Strict, frozen=True):
    """What the person and a professional (`by`) decided about one topic; `remark` is how it went, by the person.

    What is `done` was looked back on in a later conversation; the next one opens with the rest.
    """

    topic: OneLine
    words: OneLine
    days_ago: DaysAgo
    by: Name
    due_in_days: DaysAhead | None = None
    remark: OneLine = ""
    remark_days_ago: DaysAgo = 0
    done: bool = False


class DomainEntry(Strict, frozen=True):
    """A life domain of the plan, with the answers to the four questions."""

    code: Name
    now: str = ""
    change: str = ""
    how: str = ""
    support: str = ""


class StepEntry(Strict, frozen=True):
    """A step towards a goal."""

    text: OneLine
    status: StepStatus = "planned"
    who: OneLine = ""


class MarkedPhase(Strict, frozen=True):
    """Where the person said to be, by the code of a phase in `phases.toml`, and what they wrote about it."""

    code: Name
    days_ago: DaysAgo
    words: OneLine = ""


class RemarkEntry(Strict, frozen=True):
    """What the person said about how it goes with a goal."""

    text: OneLine
    days_ago: DaysAgo


class GoalEntry(Strict, frozen=True):
    """A goal of the plan, in the person's own words."""

    text: OneLine
    domain: Name
    start_days_ago: DaysAgo
    due_in_days: DaysAhead | None = None
    progress: Progress = ""
    progress_days_ago: DaysAgo | None = None
    remark: tuple[RemarkEntry, ...] = ()
    active: bool = True
    step: tuple[StepEntry, ...] = ()


class PlanEntry(Strict, frozen=True):
    """The recovery plan."""

    days_ago: DaysAgo
    texts: dict[Name, str | tuple[OneLine, ...]] = field(default_factory=dict)
    domain: tuple[DomainEntry, ...] = ()
    goal: tuple[GoalEntry, ...] = ()


class Day(Strict, frozen=True):
    """A day that is an answer: so many days ago, or from now; one of the two."""

    days_ago: DaysAgo | None = None
    in_days: DaysAhead | None = None


LivingAnswer = str | bool | tuple[OneLine, ...] | Day


@dataclass(frozen=True, slots=True)
class LivingEntry:
    """What the person wrote in a living form: answers by item, and rows by group.

    `typed_by` is the professional who typed it at the table, "" where the person did.
    """

    days_ago: float
    typed_by: str
    answers: Mapping[str, LivingAnswer]
    rows: Mapping[str, Sequence[Mapping[str, LivingAnswer]]]


class PersonFile(Named, frozen=True):
    """A whole file in `people/`: one made-up person with a history. `living` is by living form."""

    order: int
    gender: Literal["male", "female", "other", "unknown"]
    birth_date: OneLine
    clinician: Name
    team: tuple[Name, ...]
    about: Text
    family_team: bool = False
    reuse: frozenset[Purpose] = frozenset()
    roles: dict[Name, TeamRole] = field(default_factory=dict)
    related: tuple[Related, ...] = ()
    circle: tuple[InCircle, ...] = ()
    response: tuple[FilledIn, ...] = ()
    assignment: tuple[Asked, ...] = ()
    appointment: tuple[Planned, ...] = ()
    course: tuple[CourseEntry, ...] = ()
    medication: tuple[Medication, ...] = ()
    agreement: tuple[Agreed, ...] = ()
    phase: tuple[MarkedPhase, ...] = ()
    draft: FilledIn | None = None
    plan: PlanEntry | None = None
    living: dict[Name, LivingEntry] = field(default_factory=dict)


class _Practitioners(Strict, frozen=True):
    practitioner: tuple[Practitioner, ...]


def read_people(folder: Path) -> Mapping[str, PersonFile]:
    """Return the people in a folder's files, by id, in their own `order`; DefinitionError names file and key."""
    found = [_person(path) for path in folder.glob("*.toml")]
    return {person.id: person for person in sorted(found, key=lambda person: person.order)}


def _person(path: Path) -> PersonFile:
    data, top = read_toml(path), FilePlace(path.name)
    # Taken out first: its keys are those of the form, which only the catalogue knows.
    living = convert(data.pop("living", {}), dict[Name, dict[str, Any]], top.at("living"))
    person = convert(data, PersonFile, top)
    # Progress without a date could not be drawn, and a date says nothing by itself.
    for place, goal in FilePlace(path.name, "plan").each("goal", person.plan.goal if person.plan else ()):
        if bool(goal.progress) != (goal.progress_days_ago is not None):
            raise place.error("progress", "goes with progress_days_ago: write both, or neither")
    for who in person.roles:
        if who not in person.team:
            raise FilePlace(path.name).at("roles").error(who, "is not in the team of this person")
    _check_circle(person, FilePlace(path.name))
    for place, course in FilePlace(path.name).each("course", person.course):
        _check_course(course, person, place)
    for place, marked in FilePlace(path.name).each("phase", person.phase):
        if phases().phase(marked.code) is None:
            raise place.error("code", f"is {marked.code!r}; phases.toml has {', '.join(phases().codes)}")
    return replace(person, living={form: _living(table, top.at("living").at(form)) for form, table in living.items()})


def _check_circle(person: PersonFile, top: FilePlace) -> None:
    known = {*person.team, *(one.id for one in person.related)}
    for place, one in top.each("circle", person.circle):
        if (one.who is None) == (not one.name):
            raise place.error("name", "and who: one of the people has one of the two")
        if one.who is not None and one.who not in known:
            raise place.error("who", f"is {one.who!r}, who is not in the team and not among the related of this person")
        if one.reads and one.who is None:
            raise place.error("reads", "is of somebody who signs in; write who that is")


def _check_course(course: CourseEntry, person: PersonFile, top: FilePlace) -> None:
    if course.programme not in our_programmes():
        raise top.error("programme", f"is {course.programme!r}; ours are {', '.join(our_programmes())}")
    if course.by not in person.team:
        raise top.error("by", f"is {course.by!r}, who is not in the team of this person")
    since = course.days_ago
    for place, decision in top.each("decision", course.decision):
        if decision.days_ago > since:
            raise place.error("days_ago", f"is {decision.days_ago}, which is before what stands above it")
        since = decision.days_ago
        if (decision.kind == "declined") != bool(decision.moment):
            raise place.error("moment", "goes with declined: write it there, and nowhere else")
        if decision.by is not None and decision.by not in person.team:
            raise place.error("by", f"is {decision.by!r}, who is not in the team of this person")


class _When(Strict, frozen=True):
    days_ago: DaysAgo
    typed_by: Name | None = None


def _living(table: Mapping[str, Any], place: FilePlace) -> LivingEntry:
    # What is no item of the form stands between those that are; no item has an underscore, or is called rows.
    ours = {name: value for name, value in table.items() if name in ("days_ago", "typed_by")}
    answers = {name: value for name, value in table.items() if name not in (*ours, "rows")}
    when = convert(ours, _When, place)
    rows = convert(table.get("rows", {}), dict[Name, tuple[dict[Name, LivingAnswer], ...]], place.at("rows"))
    entry = LivingEntry(when.days_ago, when.typed_by or "", convert(answers, dict[Name, LivingAnswer], place), rows)
    for where, answer in _each_answer(entry, place):
        if isinstance(answer, Day) and (answer.days_ago is None) == (answer.in_days is None):
            raise where.error("", "is no day; write { days_ago = 3 }, or { in_days = 3 }")
    return entry


def _each_answer(entry: LivingEntry, place: FilePlace) -> Iterator[tuple[FilePlace, LivingAnswer]]:
    tables = [(place, entry.answers)]
    for group, rows in entry.rows.items():
        tables += place.at("rows").each(group, rows)
    for where, answers in tables:
        yield from ((where.at(name), answer) for name, answer in answers.items())


def read_practitioners(path: Path) -> Mapping[str, Practitioner]:
    """Return the professionals in a file, by id; DefinitionError names file and key."""
    return {one.id: one for one in read(path, _Practitioners).practitioner}
