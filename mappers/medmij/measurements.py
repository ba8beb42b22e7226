"""Scores → zib-GeneralMeasurement: one for each score, and a panel for those that one response gives.

The zib has one profile for both: a panel is a measurement without a value that has members. Its code may be any where
SNOMED CT has none, so it is ours. STU3 has no `hasMember` (it is `related`), and no place for the response that a score
was computed from; its date is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from mappers.identity import Identifier
from mappers.medmij.shapes import LANGUAGE, ZIB, date_time, filled, readable_id, start
from mappers.observations import IDENTIFIER_SYSTEM, RULE_SYSTEM, SCORE_SYSTEM, UNIT, ScorePoint
from mappers.plan import PersonRef
from mappers.read_scores import read_scores
from mappers.scoring import reason_of
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import UCUM, Resource, coding
from questionnaires.model import Instrument, ScoreRule

PROFILE: Final = f"{ZIB}/zib-GeneralMeasurement"
CODE_SPECIFICATION: Final = f"{ZIB}/code-specification"
_STATUSES: Final = "urn:oid:2.16.840.1.113883.2.4.3.11.60.40.4.15.1"
# By the ConceptMap ResultStatusCodelist-to-ObservationStatus of the package nictiz.fhir.nl.stu3.zib2017.
_STATUS_OF: Final = {
    "registered": ("pending", "Pending"),
    "preliminary": ("preliminary", "Preliminary"),
    "final": ("final", "Final"),
    "amended": ("appended", "Appended"),
    "corrected": ("corrected", "Corrected"),
}
_SURVEY: Final = {"coding": [coding("http://hl7.org/fhir/observation-category", "survey", "survey")]}
_UNIT: Final = "punten"  # what a person reads behind the number; the code says it to computers
_DECIMALS: Final = 2  # as on our own pages: the state's PGO shows every digit that it gets

# As our own page says it.
_OUTSIDE: Final = "Het bewaarde getal valt buiten de schaal."

_Known = Mapping[tuple[str, str], tuple[Instrument, ScoreRule]]
"""Every rule, also the former ones, by its code and version, with the instrument as it is today."""


def measurements_of(
    observations: Iterable[Any], responses: Iterable[Any], catalogue: Catalogue, *, client: PersonRef
) -> list[Resource]:
    """Return the scores, each panel before its members, the oldest first.

    Also those that only answers give. A score by a rule that we do not know, or by a version of it that we do not know,
    is left out: nobody could say of what.
    """
    rules = _known(catalogue)
    subject = client.as_reference(LANGUAGE)
    groups: dict[tuple[str, str], dict[str, ScorePoint]] = {}
    # Ours first: what we stored says more than what another program, or these answers, say of the same score.
    found = read_scores(observations, responses, catalogue)
    for read in sorted(found, key=lambda one: one.origin != "stored"):
        point = read.point
        if (made_by := rules.get((point.code, point.rule_version))) is not None:
            group = groups.setdefault((_key(point), made_by[0].panel_code), {})
            group.setdefault(point.code, point)
    made = [_group(key, panel, group, rules, subject) for (key, panel), group in groups.items()]
    return [one for group in sorted(made, key=lambda one: (_date(one), one[0]["id"])) for one in group]


def _known(catalogue: Catalogue) -> _Known:
    # The newest definition last, so that it wins where two versions of an instrument share a version of a rule.
    return {
        (rule.code, rule.version): (one, rule)
        for one in catalogue.scored.values()
        for version in (*reversed(catalogue.versions(one.id)), one)
        for rule in version.scores
    }


def _key(point: ScorePoint) -> str:
    """Return what the identifiers of one response's scores begin with (`mappers.observations`)."""
    ours = (one.removeprefix("identifier ") for one in point.sources if one.startswith("identifier "))
    return next(ours, "") or next(iter(point.sources), "") or f"Observation/{point.id}"


def _date(group: list[Resource]) -> str:
    return str(group[0].get("effectiveDateTime", ""))


def _group(key: str, panel: str, group: Mapping[str, ScorePoint], rules: _Known, subject: Resource) -> list[Resource]:
    order = [code for code, _version in rules]
    points = sorted(group.values(), key=lambda one: order.index(one.code))
    members = [_score(key, one, rules[one.code, one.rule_version][1], subject) for one in points]
    instrument = rules[points[0].code, points[0].rule_version][0]
    status = "corrected" if any(one.status == "corrected" for one in points) else points[0].status
    about = _common(
        key, panel, instrument.title.nl, status=status, date=points[0].date, subject=subject, words=instrument.id
    )
    related = [
        {
            "type": "has-member",
            "target": {"reference": f"Observation/{one['id']}", "display": one["code"]["coding"][0]["display"]},
        }
        for one in members
    ]
    return [{**about, "related": related}, *members]


def _score(key: str, point: ScorePoint, rule: ScoreRule, subject: Resource) -> Resource:
    made = _common(key, point.code, rule.title.nl, status=point.status, date=point.date, subject=subject)
    reason = _why_none(point, rule)
    if point.value is None or reason:
        # A PGO shows no reason for an absent value, but it does show a comment.
        made = {**made, "dataAbsentReason": {"text": reason}, "comment": reason}
    else:
        made["valueQuantity"] = {"value": round(point.value, _DECIMALS), "unit": _UNIT, "system": UCUM, "code": UNIT}
    made["method"] = {"coding": [coding(RULE_SYSTEM, f"{rule.code}@{rule.version}", rule.method.nl)]}
    return made


def _why_none(point: ScorePoint, rule: ScoreRule) -> str:
    """Return in Dutch why a score has no number to show, "" where it has one."""
    if point.value is None:
        # The record has it in the language of who sent the answers in.
        known = reason_of(point.reason)
        return known.nl if known else point.reason or "Er is geen score."
    return "" if rule.low <= point.value <= rule.high else _OUTSIDE


def _common(key: str, code: str, title: str, *, status: str, date: str, subject: Resource, words: str = "") -> Resource:
    identifier = Identifier(IDENTIFIER_SYSTEM, f"{key}/{code}")
    made = {
        **start("Observation", PROFILE, readable_id(f"{words or code}-{date[:10]}", identifier)),
        "identifier": [identifier.as_fhir()],
        "status": status if status in _STATUS_OF else "unknown",
        "category": [_SURVEY],
        "code": {"coding": [coding(SCORE_SYSTEM, code, title)]},
        "subject": subject,
        "effectiveDateTime": date_time(date),
    }
    if status in _STATUS_OF:
        said = {"coding": [coding(_STATUSES, *_STATUS_OF[status])]}
        made["_status"] = {"extension": [{"url": CODE_SPECIFICATION, "valueCodeableConcept": said}]}
    return filled(made)
