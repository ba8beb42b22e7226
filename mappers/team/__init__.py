"""What is said about a team, as a page can show it to clients and staff alike, and as FHIR.

Clients give marks per theme (`marks`), a panel of clients has its report (`panel`), two auditors score the ROPI
(`audit`), and the scores of a team's clients have a mean per year (`figures`). What came of it is told back, with
actions that are followed (`told`). `mirror` puts all of one team together; `reports` writes figures as MeasureReports,
and `bundle` all of it for another program.

Three rules hold everywhere. Nothing is said of fewer than `mappers.small_cells.FEWEST` people, and what is left out
does not follow from what is shown. Nobody is named: no client, and no worker. And nothing here ranks: each function is
about one team, or gives the teams in the order of their names.
"""

from __future__ import annotations

from mappers.team.audit import AuditRound, Dimension, ItemScores, Scorer, audits_of
from mappers.team.bundle import bundle_of
from mappers.team.figures import Figure, Measured, YearFigures, latest_per_year, yearly
from mappers.team.marks import RoundMarks, ThemeMarks, marks_of
from mappers.team.mirror import Mirror, mirror_of
from mappers.team.model import Round, Team
from mappers.team.panel import PanelReport, Said, panels_of
from mappers.team.reports import TeamScore, audit_report, group_of, marks_report, score_report, scores_in
from mappers.team.responses import about_team, team_response
from mappers.team.told import Action, ActionState, ToldBack, action_in, communication_of, task_of, told_back_in

__all__ = [
    "Action",
    "ActionState",
    "AuditRound",
    "Dimension",
    "Figure",
    "ItemScores",
    "Measured",
    "Mirror",
    "PanelReport",
    "Round",
    "RoundMarks",
    "Said",
    "Scorer",
    "Team",
    "TeamScore",
    "ThemeMarks",
    "ToldBack",
    "YearFigures",
    "about_team",
    "action_in",
    "audit_report",
    "audits_of",
    "bundle_of",
    "communication_of",
    "group_of",
    "latest_per_year",
    "marks_of",
    "marks_report",
    "mirror_of",
    "panels_of",
    "score_report",
    "scores_in",
    "task_of",
    "team_response",
    "told_back_in",
    "yearly",
]
