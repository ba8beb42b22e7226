"""A place with two teams, and another place beside it; a clock that only a test moves, and people who sign in."""

from __future__ import annotations

import datetime as dt
import logging
import zlib
import zoneinfo
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from smartapp.services import KEY, Services
from smartapp.settings import Issuer, TeamHere
from smartapp.storage.database import metadata
from smartapp.storage.launches import Role
from tests.smartapp.helpers import EHR, Clock, Visitor, launched, make_app, text_of

ELSEWHERE = "https://elsewhere.example/fhir"
FACT = TeamHere(id="fact", name="FACT Noord", references=("Organization/fact", "CareTeam/fact"))
WARD = TeamHere(id="ward", name="Afdeling Zuid", references=("Organization/ward",))
MARKS, TEAM = "team/fact/marks/", "team/fact/"
MARK, WHY, MORE = (f"team-marks-atmosphere-{name}" for name in ("mark", "why", "more"))
MONDAY = dt.date(2026, 11, 30)
ZONE = zoneinfo.ZoneInfo("Europe/Amsterdam")
AUTOSAVE = {"Accept": "application/json"}


def noon(day: dt.date, hour: int = 12, minute: int = 0) -> float:
    """Return a moment of a day at the place, in seconds since 1970."""
    return dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).timestamp()


@dataclass
class Place:
    """An app of this place, on Monday 30 November 2026 at noon until a test says otherwise."""

    teams: tuple[TeamHere, ...] = (FACT, WARD)
    clock: Clock = field(default_factory=lambda: Clock(noon(MONDAY)))
    settings: Mapping[str, Any] = field(default_factory=dict)
    app: Flask = field(init=False)

    def __post_init__(self) -> None:
        there = (TeamHere(id="there", name="Team Daar", references=("Organization/there",)),)
        self.app = make_app(
            clock=self.clock,
            **self.settings,
            issuers=(
                Issuer(base=EHR, name="Hier", client_id="v", teams=self.teams),
                Issuer(base=ELSEWHERE, name="Daar", client_id="v", teams=there),
            ),
        )

    @property
    def core(self) -> Services:
        return self.app.extensions[KEY]

    def client(self, number: int | str = 1, *, issuer: str = EHR) -> Visitor:
        """Return a client who signs in; their id and name are in nothing else of a test."""
        return launched(self.app, patient=f"zonnebloem-{number}", name=f"Roos Wilgenblad-{number}", issuer=issuer)

    def staff(self, who: str = "joost", role: Role = "clinician", *, about_nobody: bool = False) -> Visitor:
        """Return one of the staff who signs in, in the chart of a client or about nobody."""
        return launched(
            self.app,
            patient="zonnebloem-1",
            name="Roos Wilgenblad-1",
            role=role,
            reference=f"Practitioner/{who}",
            about_nobody=about_nobody,
        )

    def move(self, day: dt.date, hour: int = 12, minute: int = 0) -> None:
        self.clock.now = noon(day, hour, minute)

    def after(self, days: int) -> None:
        """Let it be noon, so many days after Monday."""
        self.move(MONDAY + dt.timedelta(days=days))

    def plan(self, first: int = 0, last: int = 0, *, name: str = "Winter", team: str = "fact") -> str:
        """Let staff plan a round from so many days after Monday; return its id."""
        start, end = ((MONDAY + dt.timedelta(days=days)).isoformat() for days in (first, last))
        done = self.staff().post(f"team/{team}/rounds/", {"name": name, "start": start, "end": end})
        assert done.status_code == 303, text_of(done)
        marks = self.core.team_marks
        return next(one.id for one in marks.rounds([marks.team(EHR, team)]) if one.round.start.isoformat() == start)

    def give(self, number: int | str, mark: str = "", why: str = "", more: str = "", **also: str) -> TestResponse:
        """Let a client give marks, by signing in and pressing the button."""
        return self.client(number).post(MARKS, {MARK: mark, WHY: why, MORE: more, **also})

    def given(self, id_: str) -> list[Mapping[str, str]]:
        """Return what stands in a round."""
        return [one.answers for one in self.core.team_marks.given_in(id_)]

    def whole_database(self) -> str:
        """Return all that stands in the database, with each seal opened; where keys can't open it, as it is."""
        return "\n".join(self._rows())

    def _rows(self) -> list[str]:
        with self.core.engine.connect() as connection:
            return [
                " ".join([table.name, *map(self._opened, row)])
                for table in metadata.sorted_tables
                for row in connection.execute(sa.select(table))
            ]

    def rows_with(self, words: str) -> set[str]:
        """Return the tables that have a row in which these words stand, sealed or not."""
        return {row.partition(" ")[0] for row in self._rows() if words in row}

    def _opened(self, value: object) -> str:
        if not isinstance(value, bytes):
            return str(value)
        try:
            opened = self.core.vault.open_bytes(value)
        except ValueError:
            return repr(value)
        with suppress(zlib.error):
            opened = zlib.decompress(opened)  # so what is in our own store is kept
        return opened.decode("utf-8", "replace")


def all_of(records: Iterable[logging.LogRecord]) -> str:
    """Return all that stands in lines of the log, also beside their text."""
    return "\n".join(str(vars(one)) for one in records)


def is_kept(answer: TestResponse) -> bool:
    """Tell whether a form was taken."""
    return answer.status_code == 303
