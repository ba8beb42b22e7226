"""The reports of a team's client panels: who was found and how, what was said per topic, and what is done with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from mappers.answers import Answers
from mappers.team.model import Team
from mappers.team.responses import about_team, day_of, text_of
from questionnaires.catalogue import Catalogue
from questionnaires.model import Text

FORM: Final = "client-panel"
_SAID: Final = "-said"


@dataclass(frozen=True, slots=True)
class Said:
    """What a panel said about one topic."""

    topic: Text
    words: str


@dataclass(frozen=True, slots=True)
class PanelReport:
    """One report; what was left open is None or "". `clients` (at most six) and `peer_workers` are how many came."""

    day: dt.date
    clients: int | None
    peer_workers: int | None
    recruited: Text | None
    recruited_how: str
    representative: Text | None
    absent: str
    said: tuple[Said, ...]
    done_with_it: str
    told_back: str
    id: str = ""


def panels_of(responses: Iterable[Any], team: Team, catalogue: Catalogue) -> tuple[PanelReport, ...]:
    """Return the reports of a team's panels, the oldest first."""
    found = about_team(responses, team, FORM, catalogue)
    return tuple(_report(one, day) for one in found if (day := day_of(one)) is not None)


def _report(answers: Answers, day: dt.date) -> PanelReport:
    return PanelReport(
        day=day,
        clients=_number(answers, "clients"),
        peer_workers=_number(answers, "peer-workers"),
        recruited=_chosen(answers, "recruited"),
        recruited_how=text_of(answers, "recruited-how"),
        representative=_chosen(answers, "representative"),
        absent=text_of(answers, "absent"),
        said=tuple(_said(answers)),
        done_with_it=text_of(answers, "done-with-it"),
        told_back=text_of(answers, "told-back"),
        id=answers.response.reference.rpartition("/")[2],
    )


def _said(answers: Answers) -> Iterable[Said]:
    for group in answers.instrument.groups:
        for item in group.items:
            words = answers.values.get(item.link_id)
            if item.link_id.endswith(_SAID) and isinstance(words, str) and words.strip():
                yield Said(group.title, words.strip())


def _number(answers: Answers, name: str) -> int | None:
    number = text_of(answers, name)
    return int(number) if number.isdecimal() else None


def _chosen(answers: Answers, name: str) -> Text | None:
    link_id = f"{answers.instrument.id}-{name}"
    item = next((one for one in answers.instrument.items if one.link_id == link_id), None)
    option = item.scale.option(text_of(answers, name)) if item and item.scale else None
    return option.text if option else None
