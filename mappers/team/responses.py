"""Responses about a team: how they are written, and which of many are about one.

Nobody stands in them: neither who typed nor whose answers they are. What keeps one client's marks apart from another's
is an identifier that only a keyed digest can make, which the caller gives; of the same person in another round it is
another one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mappers.answers import Answers, ResponseRef, answers_of, is_finished, response_from
from mappers.errors import RefusedResponse
from mappers.team.model import Team, local
from questionnaires.canonical import structure_url
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument

PROFILE: Final = structure_url("team-response")


def team_response(
    values: Mapping[str, str | bool],
    instrument: Instrument,
    team: Team,
    *,
    authored: str,
    identifier: str,
    status: str = "completed",
    language: str = "nl",
) -> Resource:
    """Write answers about a team (linkId → code, boolean or text) as a QuestionnaireResponse without any person.

    `authored` is a FHIR dateTime, or a date alone where the moment could tell who it was. `identifier` is the value of
    our business identifier: of a client's marks a keyed digest of person, team and round.

    Raises ValueError for an instrument that is not about a team, RefusedItem and RefusedAnswer as `response_of` does.
    """
    if instrument.subject != "team":
        raise ValueError(f"{instrument.canonical} is about a person; answers about a team need a form about one")
    about = ResponseRef(
        status=status, identifier=identifier, authored=authored, subject=team.as_fhir(), language=language
    )
    return response_from(Answers(instrument, values, about)) | {"meta": {"profile": [PROFILE]}}


def about_team(responses: Iterable[Any], team: Team, instrument: str, catalogue: Catalogue) -> list[Answers]:
    """Return the finished answers to one form (by its id, in any version) that are about a team, the oldest first.

    Of the same identifier only the newest counts: it is the same person, or the same auditor, once more. What cannot be
    read, or has no day, is left out.
    """
    found: dict[str, Answers] = {}
    for number, response in enumerate(responses):
        if not is_finished(response) or local(response.get("subject")) != team.reference:
            continue
        try:
            answers = answers_of(response, catalogue)
        except RefusedResponse:
            continue
        if answers.instrument.id != instrument or answers.instrument.subject != "team" or day_of(answers) is None:
            continue
        key = answers.response.identifier or f"{answers.response.reference} {number}"
        if key not in found or answers.response.authored >= found[key].response.authored:
            found[key] = answers
    return sorted(found.values(), key=lambda one: (one.response.authored, one.response.identifier))


def day_of(answers: Answers) -> dt.date | None:
    """Return the day on which answers were given, as the response writes it; None where it names no whole day."""
    try:
        return dt.date.fromisoformat(answers.response.authored[:10])
    except ValueError:
        return None


def text_of(answers: Answers, name: str) -> str:
    """Return the text of an item by its name without the form's id, stripped; "" where there is none."""
    value = answers.values.get(f"{answers.instrument.id}-{name}")
    return value.strip() if isinstance(value, str) else ""
