"""All that a page shows of one team, to clients and staff alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mappers.team.audit import AuditRound, audits_of
from mappers.team.marks import RoundMarks, marks_of
from mappers.team.model import Round, Team
from mappers.team.panel import PanelReport, panels_of
from mappers.team.reports import TeamScore, scores_in
from mappers.team.told import Action, ToldBack, action_in, told_back_in
from questionnaires.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Mirror:
    """What is known of one team over time; in each list the oldest come first, but actions by the day they are due."""

    team: Team
    marks: tuple[RoundMarks, ...]
    audits: tuple[AuditRound, ...]
    panels: tuple[PanelReport, ...]
    scores: tuple[TeamScore, ...]
    told: tuple[ToldBack, ...]
    actions: tuple[Action, ...]


def mirror_of(
    team: Team, resources: Iterable[Any], rounds: Iterable[Round], catalogue: Catalogue, *, today: dt.date
) -> Mirror:
    """Return a team's mirror from the resources about it, in any order: responses, MeasureReports, messages, Tasks.

    Resources about another team, or of another kind, are left out.
    """
    found = list(resources)
    responses = [one for one in found if isinstance(one, dict) and one.get("resourceType") == "QuestionnaireResponse"]
    told = [one for each in found if (one := told_back_in(each, team))]
    actions = [each for one in found if (each := action_in(one, team))]
    return Mirror(
        team=team,
        marks=marks_of(responses, team, rounds, catalogue, today=today),
        audits=audits_of(responses, team, catalogue),
        panels=panels_of(responses, team, catalogue),
        scores=scores_in(found, team),
        told=tuple(sorted(told, key=lambda one: (one.day, one.id))),
        actions=tuple(sorted(actions, key=lambda one: (one.by_when or dt.date.max, one.since, one.id))),
    )
