"""The made-up team of the sandbox, filled once with what its clients and staff find on its page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources as package_data
from pathlib import Path
from typing import Any, Final

from mappers.answers import IDENTIFIER_SYSTEM as RESPONSES
from mappers.team import (
    Action,
    ActionState,
    Figure,
    Round,
    Team,
    ToldBack,
    communication_of,
    score_report,
    task_of,
    team_response,
)
from mappers.team.audit import FORM as ROPI
from mappers.team.marks import FORM as MARKS
from mappers.team.panel import FORM as PANEL
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument
from questionnaires.reading import Strict, read
from smartapp.fhir.store import RecordStore, Write
from smartapp.storage.team_marks import Given, TeamMarks

TABLE: Final = Path(str(package_data.files("smartapp.sandbox") / "team.toml"))


class _Gave(Strict, frozen=True):
    marks: tuple[int, ...]
    about: int = 1
    why: str = ""
    more: str = ""


class _Round(Strict, frozen=True):
    name: str
    first_day_ago: int
    last_day_ago: int
    given: tuple[_Gave, ...]


class _Told(Strict, frozen=True):
    day_ago: int
    by: str
    words: str


class _Action(Strict, frozen=True):
    what: str
    who: str
    by_when_days: int
    state: ActionState
    day_ago: int
    outcome: str = ""


class _Panel(Strict, frozen=True):
    day_ago: int
    answers: dict[str, str]


class _Ropi(Strict, frozen=True):
    setting: str
    information: str
    first: tuple[int, ...]
    second: tuple[int, ...]
    agreed: tuple[int, ...]


class _Figure(Strict, frozen=True):
    people: int
    mean: float
    spread: float


class _Scores(Strict, frozen=True):
    code: str
    years: tuple[_Figure, ...]


class MadeUpTeam(Strict, frozen=True):
    """What the file holds."""

    id: str
    name: str
    reference: str
    rounds: tuple[_Round, ...]
    told: tuple[_Told, ...]
    actions: tuple[_Action, ...]
    panels: tuple[_Panel, ...]
    ropi: _Ropi
    scores: tuple[_Scores, ...]


@cache
def made_up_team() -> MadeUpTeam:
    """Read the team."""
    return read(TABLE, MadeUpTeam)


def seed_team(store: RecordStore, marks: TeamMarks, issuer: str, now: dt.datetime) -> None:
    """Fill our own store and the marks of a sandbox with the team, once; `issuer` is the key of the sandbox."""
    there = made_up_team()
    team, name = Team(there.reference, there.name), marks.team(issuer, there.id)
    if marks.rounds([name]):
        return
    today = now.date()
    for one in there.rounds:
        _seed_round(marks, name, one, issuer, today)
    marks.loosen(today)
    for identifier, system, resource in _resources(there, team, now):
        store.write(Write.once(resource, identifier=f"{system}|{identifier}"))


def _seed_round(marks: TeamMarks, team: str, entry: _Round, issuer: str, today: dt.date) -> None:
    first, last = (today - dt.timedelta(days=days) for days in (entry.first_day_ago, entry.last_day_ago))
    kept = marks.plan([team], Round(entry.name, first, last))
    form = catalogue().instruments[MARKS]
    for number, gave in enumerate(entry.given):
        giver = (issuer, f"made-up/{number}")
        marks.give(kept.id, giver, Given(form.canonical, _answers(form, gave)), first)


def _answers(form: Instrument, gave: _Gave) -> dict[str, str]:
    """Return marks per theme, and words with the theme that they are about."""
    values: dict[str, str] = {}
    for group, mark in zip(form.groups, gave.marks, strict=True):
        values |= {item.link_id: str(mark) for item in group.items if item.scale is not None and mark}
    theme = form.groups[gave.about - 1]
    for ending, text in (("-why", gave.why), ("-more", gave.more)):
        values |= {item.link_id: text for item in theme.items if item.link_id.endswith(ending) and text}
    return values


def _resources(there: MadeUpTeam, team: Team, now: dt.datetime) -> Iterator[tuple[str, str, Resource]]:
    yield from _written(there, team, now)
    yield from _audit(there, team, now)
    rules = {rule.code: rule for form in catalogue().scored.values() for rule in form.scores}
    for one in there.scores:
        for back, figure in enumerate(reversed(one.years), start=1):
            year = now.year - back
            report = score_report(
                rules[one.code],
                team,
                year,
                Figure(figure.people, figure.mean, figure.spread),
                made=now.isoformat(timespec="seconds"),
            )
            yield _named(report)


def _written(there: MadeUpTeam, team: Team, now: dt.datetime) -> Iterator[tuple[str, str, Resource]]:
    today = now.date()
    for number, told in enumerate(there.told):
        day = today - dt.timedelta(days=told.day_ago)
        said = ToldBack(day, told.words.strip(), told.by)
        yield _named(communication_of(said, team, identifier=f"told/made-up-{number}"))
    for number, one in enumerate(there.actions):
        action = Action(one.what, one.who, today + dt.timedelta(days=one.by_when_days), one.state, one.outcome)
        written = (now - dt.timedelta(days=one.day_ago)).isoformat(timespec="seconds")
        yield _named(task_of(action, team, identifier=f"action/made-up-{number}", written=written))
    for number, panel in enumerate(there.panels):
        day = today - dt.timedelta(days=panel.day_ago)
        yield _response(PANEL, panel.answers, team, day.isoformat(), f"panel/made-up-{number}")


def _audit(there: MadeUpTeam, team: Team, now: dt.datetime) -> Iterator[tuple[str, str, Resource]]:
    """Yield the ROPI of last year, so that this year's can be begun."""
    form, year = catalogue().instruments[ROPI], now.year - 1
    items = [name for rule in form.scores for name in rule.items]
    about = {"setting": there.ropi.setting, "information": there.ropi.information}
    for code, place, scores in (
        ("1", "1", there.ropi.first),
        ("2", "2", there.ropi.second),
        ("3", "agreed", there.ropi.agreed),
    ):
        values = {name.removeprefix(f"{ROPI}-"): str(score) for name, score in zip(items, scores, strict=True)}
        answers = {**about, **values, "scorer": code}
        yield _response(ROPI, answers, team, f"{year}-10-12", f"{ROPI}/{there.id}/{year}/{place}")


def _response(
    form: str, answers: Mapping[str, str], team: Team, day: str, identifier: str
) -> tuple[str, str, Resource]:
    values = {f"{form}-{name}": value for name, value in answers.items()}
    made = team_response(values, catalogue().instruments[form], team, authored=day, identifier=identifier)
    return identifier, RESPONSES, made


def _named(resource: Resource) -> tuple[str, str, Resource]:
    names: Sequence[Any] = resource["identifier"]
    return names[0]["value"], names[0]["system"], resource
