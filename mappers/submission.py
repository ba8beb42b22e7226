"""Answers → everything that is written when they are sent in: the response and its scores.

Once and in one direction: answers → scores → Observations → entries. An `Entry` is what a transaction needs to know of
each resource, without saying how or where it is written: `mappers` has no store.

Everything that is created has an identifier made from the response's own, so that sending the same answers in again,
after an answer from the server was lost, writes nothing twice.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from mappers.answers import IDENTIFIER_SYSTEM as RESPONSE_SYSTEM
from mappers.answers import Answers, response_from
from mappers.errors import NotAResponse
from mappers.observations import IDENTIFIER_SYSTEM as SCORE_SYSTEM
from mappers.observations import full_url, observations_of
from mappers.scoring import score
from questionnaires.fhir import Resource


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of a unit, as an entry of a FHIR transaction.

    `full_url` (`urn:uuid:…`) is the name by which the others of the unit refer to it, "" where none does. `identifier`
    (`system|value`) makes its create happen once.
    """

    resource: Resource
    full_url: str = ""
    identifier: str = ""


def submission_of(answers: Answers) -> list[Entry]:
    """Return the completed response, its scores, and their panel.

    The panel follows its members, to which it refers, for servers that write one by one.

    Raises NotAResponse if the response has no identifier of ours, NotScorable if it is not finished.
    """
    name = urn_of(answers)
    response = Entry(response_from(answers), name, f"{RESPONSE_SYSTEM}|{answers.response.identifier}")
    return [response, *scores_of(answers, name)]


def scores_of(answers: Answers, reference: str = "") -> list[Entry]:
    """Return the scores of a response, and their panel; `reference` names it where it has no id yet.

    Raises NotScorable as `observations_of` does.
    """
    # `observations_of` has the panel first; here it comes last (see `submission_of`).
    scores = score(answers.instrument, answers.values)
    observations = observations_of(answers, scores, response_reference=reference)
    return [Entry(one, full_url(one), f"{SCORE_SYSTEM}|{_score_identifier(one)}") for one in reversed(observations)]


def urn_of(answers: Answers) -> str:
    """Return the `urn:uuid:` by which a response is known until a server gives it an id; the same each time.

    Raises NotAResponse if it has no identifier of ours to make that from.
    """
    identifier = answers.response.identifier
    if not identifier:
        raise NotAResponse(
            "the response has no identifier of its own",
            where="identifier",
            advice="Give it one, so that sending it in twice writes it once",
        )
    # Ours are UUIDs already; one that another version or system chose becomes one.
    try:
        return uuid.UUID(identifier).urn
    except ValueError:
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{RESPONSE_SYSTEM}|{identifier}").urn


def _score_identifier(observation: Resource) -> str:
    return str(observation["identifier"][0]["value"])
