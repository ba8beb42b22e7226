"""Figures about a team as FHIR: a MeasureReport per team and period, about a Group that lists nobody.

R4 lets a MeasureReport be about a Group and not about an organisation or a care team; so its subject is the group of
the team's clients, contained in it, which says whose clients they are and never who they are. A number that may not be
shown is not there: in its place stands HL7's data-absent-reason `masked`. How many people there are is the count of the
population, which is masked with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from mappers.observations import RULE_SYSTEM, SCORE_SYSTEM, UNIT
from mappers.team.audit import AuditRound
from mappers.team.figures import Figure
from mappers.team.marks import RoundMarks
from mappers.team.model import Team, local
from mappers.team.told import IDENTIFIER_SYSTEM, PLAN_SYSTEM
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.canonical import BASE, structure_url
from questionnaires.fhir import STRUCTURES, UCUM, Resource, coding, concept
from questionnaires.model import ScoreRule

REPORT_PROFILE: Final = structure_url("team-report")
GROUP_PROFILE: Final = structure_url("team-group")
SCORE_MEASURE: Final = f"{BASE}/Measure/team-score"
MARKS_MEASURE: Final = f"{BASE}/Measure/team-marks"
ROPI_MEASURE: Final = f"{BASE}/Measure/team-ropi"
_STATISTICS: Final = "http://terminology.hl7.org/CodeSystem/observation-statistics"
_MEAN: Final = coding(_STATISTICS, "average", "Average")
_SPREAD: Final = coding(_STATISTICS, "std-dev", "Standard Deviation")
_POPULATION: Final = concept(
    "http://terminology.hl7.org/CodeSystem/measure-population", "measure-population", "Measure Population"
)
_OF_TEAM: Final = "clients-of-team"
_ABSENT: Final = f"{STRUCTURES}/data-absent-reason"


@dataclass(frozen=True, slots=True)
class TeamScore:
    """The figure of one score of a team's clients in one year; scores of other rule versions are another line."""

    year: int
    code: str
    rule_version: str
    figure: Figure


# ---- writing ---------------------------------------------------------------------------------------------------------


def group_of(team: Team) -> Resource:
    """Return the clients of a team as a Group without members."""
    made: Resource = {
        "resourceType": "Group",
        "id": "clients",
        "meta": {"profile": [GROUP_PROFILE]},
        "type": "person",
        "actual": True,
        "name": team.name,
    }
    if team.reference.startswith("Organization/"):
        return made | {"managingEntity": team.as_fhir()}
    # R4 lets no care team manage a group, so that it is theirs is said of its members.
    of = {"code": concept(PLAN_SYSTEM, _OF_TEAM, "Cliënten van een team"), "valueReference": team.as_fhir()}
    return made | {"characteristic": [of | {"exclude": False}]}


def score_report(rule: ScoreRule, team: Team | None, year: int, figure: Figure, *, made: str) -> Resource:
    """Return the mean and spread of a score in a year of a team's clients; without a team, of all teams together.

    `made` is the moment of making it, a FHIR dateTime. Made again it has the same identifier.
    """
    codes = [
        coding(SCORE_SYSTEM, rule.code, rule.title.nl),
        coding(RULE_SYSTEM, f"{rule.code}@{rule.version}", rule.method.nl),
    ]

    def part(name: str, statistic: Resource, value: float | None) -> Resource:
        code = {"coding": [*codes, statistic], "text": f"{rule.title.nl} ({statistic['display']})"}
        return {"id": name, "code": code, "population": [_people(figure.people)], "measureScore": _number(value)}

    return _report(
        SCORE_MEASURE,
        team,
        [part("mean", _MEAN, figure.mean), part("spread", _SPREAD, figure.spread)],
        name=f"{rule.code}@{rule.version}/{year}",
        period=_whole(year),
        made=made,
    )


def marks_report(marks: RoundMarks, team: Team, *, made: str) -> Resource | None:
    """Return the mean mark per theme of a round; None where no theme was asked."""
    groups = [
        {
            "id": one.id,
            "code": {"coding": [_MEAN], "text": one.theme.nl},
            "population": [_people(one.people)],
            "measureScore": _number(one.mean),
        }
        for one in marks.themes
    ]
    period = (marks.round.start, marks.round.end)
    name = f"{period[0]}/{period[1]}"
    return _report(MARKS_MEASURE, team, groups, name=name, period=period, made=made) if groups else None


def audit_report(audit: AuditRound, team: Team, *, made: str) -> Resource:
    """Return what two auditors agreed on per dimension of the ROPI; a dimension without agreement has no number."""
    groups = [
        {
            "id": one.rule.scale,
            "code": {"coding": [coding(SCORE_SYSTEM, one.rule.code, one.rule.title.nl)], "text": one.rule.title.nl},
            "measureScore": _number(one.agreed, absent="unknown"),
        }
        for one in audit.dimensions
    ]
    return _report(ROPI_MEASURE, team, groups, name=str(audit.year), period=_whole(audit.year), made=made)


def _whole(year: int) -> tuple[dt.date, dt.date]:
    return dt.date(year, 1, 1), dt.date(year, 12, 31)


def _report(
    measure: str,
    team: Team | None,
    groups: list[Resource],
    *,
    name: str,
    period: tuple[dt.date, dt.date],
    made: str,
) -> Resource:
    kind = measure.rpartition("/")[2]
    about: Resource = {}
    if team is not None:
        about = {"contained": [group_of(team)], "subject": {"reference": "#clients", "display": team.name}}
    return {
        "resourceType": "MeasureReport",
        "meta": {"profile": [REPORT_PROFILE]},
        "language": "nl",
        **({"contained": about["contained"]} if about else {}),
        "identifier": [
            {"system": IDENTIFIER_SYSTEM, "value": f"{kind}/{team.reference if team else 'all'}/{name}"},
        ],
        "status": "complete",
        "type": "summary",
        "measure": measure,
        **({"subject": about["subject"]} if about else {}),
        "date": made,
        "period": {"start": period[0].isoformat(), "end": period[1].isoformat()},
        "group": groups,
    }


def _people(number: int | None) -> Resource:
    return {"code": _POPULATION} | ({"_count": _absent("masked")} if number is None else {"count": number})


def _number(value: float | None, absent: str = "masked") -> Resource:
    if value is None:
        return _absent(absent)
    return {"value": value, "unit": "score", "system": UCUM, "code": UNIT}


def _absent(reason: str) -> Resource:
    return {"extension": [{"url": _ABSENT, "valueCode": reason}]}


# ---- reading ---------------------------------------------------------------------------------------------------------


def team_in(report: Any) -> str:
    """Return the reference of the team that a report is about; "" where it is about none."""
    subject = text_in(object_in(report, "subject"), "reference")
    group = next((one for one in objects_in(report, "contained") if f"#{text_in(one, 'id')}" == subject), {})
    stated = (object_in(one, "valueReference") for one in objects_in(group, "characteristic"))
    return next((found for one in (object_in(group, "managingEntity"), *stated) if (found := local(one))), "")


def scores_in(reports: Iterable[Any], team: Team) -> tuple[TeamScore, ...]:
    """Return the figures of scores of a team's clients, by year and then by score; other resources are left out.

    Of the same score, rule and year the newest report counts.
    """
    found: dict[tuple[int, str, str], tuple[str, TeamScore]] = {}
    for report in reports:
        is_ours = text_in(report, "resourceType") == "MeasureReport" and text_in(report, "measure") == SCORE_MEASURE
        if not is_ours or team_in(report) != team.reference or (one := _score(report)) is None:
            continue
        key, made = (one.year, one.code, one.rule_version), text_in(report, "date")
        if key not in found or made >= found[key][0]:
            found[key] = (made, one)
    return tuple(found[key][1] for key in sorted(found))


def _score(report: Any) -> TeamScore | None:
    parts = {text_in(one, "id"): one for one in objects_in(report, "group")}
    year = text_in(object_in(report, "period"), "start")[:4]
    codings = objects_in(object_in(parts.get("mean"), "code"), "coding")
    rule = next((text_in(one, "code") for one in codings if one.get("system") == RULE_SYSTEM), "")
    code, _, version = rule.partition("@")
    if not code or not version or not year.isdecimal():
        return None
    population = next(iter(objects_in(parts["mean"], "population")), {})
    people = population.get("count")
    figure = Figure(people if type(people) is int else None, _value(parts, "mean"), _value(parts, "spread"))
    return TeamScore(int(year), code, version, figure)


def _value(parts: dict[str, Resource], name: str) -> float | None:
    value = object_in(parts.get(name), "measureScore").get("value")
    return value if type(value) in (int, float) else None
