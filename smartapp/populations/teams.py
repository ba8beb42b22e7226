"""Who belongs to which team, and the scores of their clients: files in, what `mappers.team.figures` counts out.

Both stream. Of each response only the person's reference, the day and one number are kept, and of each person only the
newest of a year, so memory grows with people and not with lines.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from mappers.bulk import TOO_LONG, BulkScorer, Refusal, batches_of, numbered
from mappers.observations import RULE_SYSTEM, SCORE_SYSTEM
from mappers.team import Measured, Team
from mappers.team.model import local
from mappers.tolerant import code_in, object_in, objects_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.model import ScoreRule
from smartapp.populations.reading import Damaged, Source, blocks_of

Refuse = Callable[[Source, Refusal], None]
"""Told of each line that was refused, and of which file."""


@dataclass(slots=True)
class Teams:
    """Which team each person (`Patient/1`) belongs to, one at most, and what the teams are called."""

    members: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def team(self, reference: str) -> Team:
        """Return a team by its reference, called by it where no file says another name."""
        return Team(reference, self.names.get(reference) or reference)

    def add(self, resource: Any) -> str:
        """Take in a Patient, Group, CareTeam or Organization; return why not, "" where all is well.

        A Patient's team is its managingOrganization; a Group's and a CareTeam's too, of all who are in it. A CareTeam
        without one is itself the team, unless it is about one person: then it is their own circle, and of no team.
        """
        kind, own = text_in(resource, "resourceType"), f"{text_in(resource, 'resourceType')}/{text_in(resource, 'id')}"
        if kind == "Organization":
            self._named(own, text_in(resource, "name"))
            return ""
        if kind == "Patient":
            return self._belong([own], object_in(resource, "managingOrganization"))
        if kind == "Group":
            now = [one for one in objects_in(resource, "member") if one.get("inactive") is not True]
            manager = object_in(resource, "managingEntity")
            if not local(manager).startswith("Organization/"):
                return "a Group without an Organization as managingEntity is of no team"
            return self._belong([local(object_in(one, "entity")) for one in now], manager)
        if kind == "CareTeam":
            about = object_in(resource, "subject")
            there = [object_in(one, "member") for one in objects_in(resource, "participant")]
            itself = {} if about else {"reference": own, "display": text_in(resource, "name")}
            manager = next(iter(objects_in(resource, "managingOrganization")), itself)
            return self._belong(map(local, (about, *there)), manager)
        return "no Patient, Group, CareTeam or Organization"

    def _named(self, reference: str, name: str) -> None:
        if name:
            self.names[reference] = name

    def _belong(self, people: Iterable[str], team: Any) -> str:
        reference = local(team)
        try:
            Team(reference, "")
        except ValueError:
            return "" if not reference else "the team is neither an Organization nor a CareTeam"
        if reference not in self.names:
            self._named(reference, text_in(team, "display"))
        # In two teams, the figures of these would overlap: one could be taken away from the other.
        elsewhere = 0
        for one in people:
            if one.startswith("Patient/"):
                elsewhere += self.members.setdefault(one, reference) != reference
        return f"{elsewhere} of its people are in another team already, where they stay" if elsewhere else ""


def read_teams(sources: Iterable[Source], refuse: Refuse) -> Teams:
    """Return who belongs to which team by these files: NDJSON (plain or .gz), a resource, or a Bundle."""
    teams = Teams()
    for source in sources:
        for number, resource in resources_of(source, refuse):
            if problem := teams.add(resource):
                refuse(source, Refusal(number, None, problem))
    return teams


def resources_of(source: Source, refuse: Refuse) -> Iterator[tuple[int, Any]]:
    """Yield each resource of a file with the number of its line; what cannot be read is refused."""
    number = 0
    try:
        for batch in batches_of(blocks_of(source, lambda _taken: None)):
            for line in batch:
                number += 1
                if line is None:
                    refuse(source, Refusal(number, None, TOO_LONG))
                elif line and not line.isspace():
                    yield from _in_line(line, number, source, refuse)
    except Damaged as damaged:
        refuse(source, Refusal(number + 1, None, str(damaged)))


def _in_line(line: bytes, number: int, source: Source, refuse: Refuse) -> Iterator[tuple[int, Any]]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        refuse(source, Refusal(number, None, f"not readable as JSON: {error}"))
        return
    if text_in(value, "resourceType") == "Bundle":
        yield from ((number, one.get("resource")) for one in objects_in(value, "entry"))
    else:
        yield number, value


@dataclass(slots=True)
class Scores:
    """The scores by one rule of the people of some teams, as they are read; `outside`: of people of no team."""

    rule: ScoreRule
    teams: Teams
    outside: set[str] = field(default_factory=set)

    def read(
        self, sources: Iterable[Source], catalogue: Catalogue, refuse: Refuse, taken: Callable[[int], None]
    ) -> Iterator[Measured]:
        """Yield what was measured in these files; each line is scored as `verstel score` does.

        `taken` is told the bytes of a file that each block took.
        """
        score, code = BulkScorer(catalogue, nameless=True).score, self.rule.code.encode()
        for source in sources:
            line = 0
            try:
                for made in numbered(score(batch) for batch in batches_of(blocks_of(source, taken))):
                    for refusal in made.refusals:
                        refuse(source, refusal)
                    for observation in made.observations.splitlines():
                        if code in observation and (found := self._measured(orjson.loads(observation))):
                            yield found
                    line += made.lines
            except Damaged as damaged:
                refuse(source, Refusal(line + 1, None, str(damaged)))

    def _measured(self, observation: Any) -> Measured | None:
        value: Any = object_in(observation, "valueQuantity").get("value")
        is_by_rule = (
            code_in(observation, "code", SCORE_SYSTEM) == self.rule.code
            and code_in(observation, "method", RULE_SYSTEM) == f"{self.rule.code}@{self.rule.version}"
            and text_in(observation, "status") != "entered-in-error"
        )
        if not is_by_rule or type(value) not in (int, float):
            return None
        person, day = local(object_in(observation, "subject")), _day(text_in(observation, "effectiveDateTime"))
        if person not in self.teams.members or day is None:
            self.outside.add(person)
            return None
        return Measured(person, self.teams.members[person], day, value)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return None
