"""Answers → everything that is written when they are sent in: the response, its scores, and the assignments it answers.

Once and in one direction: answers → scores → Observations → entries. An `Entry` is what a transaction needs to know of
each resource, without saying how or where it is written: `mappers` has no store.

Everything that is created has an identifier made from the response's own, so that sending the same answers in again,
after an answer from the server was lost, writes nothing twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mappers.answers import IDENTIFIER_SYSTEM as RESPONSE_SYSTEM
from mappers.answers import Answers, answers_of, response_from
from mappers.assignment import answered, asks_for
from mappers.errors import NotAResponse, RefusedResponse
from mappers.observations import IDENTIFIER_SYSTEM as SCORE_SYSTEM
from mappers.observations import full_url, observations_of
from mappers.scoring import score
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of a unit, as an entry of a FHIR transaction.

    `full_url` (`urn:uuid:…`) is the name by which the others of the unit refer to it, "" where none does. `identifier`
    (`system|value`) makes its create happen once; it is "" for an update of a resource that is stored already.
    """

    resource: Resource
    full_url: str = ""
    identifier: str = ""


def submission_of(answers: Answers, tasks: Sequence[Resource] = ()) -> list[Entry]:
    """Return the completed response, its scores, their panel, and the Tasks that it answers, marked as answered.

    The panel follows its members, to which it refers, for servers that write one by one.

    Raises NotAResponse if the response has no identifier of ours, NotScorable if it is not finished.
    """
    name = urn_of(answers)
    response = Entry(response_from(answers), name, f"{RESPONSE_SYSTEM}|{answers.response.identifier}")
    title = answers.instrument.title.get(answers.response.language)
    return [
        response,
        *_scores(answers, name),
        *(Entry(answered(task, name, title)) for task in tasks if asks_for(task, answers.instrument.id)),
    ]


def amendment_of(answers: Answers, stored: Sequence[Resource]) -> list[Entry]:
    """Return the updates by which these answers replace those of a stored response, and its scores with them.

    `stored` holds that response first, and its Observations in any order. The moment of the measurement stays what it
    was: a typing error that is corrected in June was still about how things were in May.
    """
    before, *others = stored
    about = replace(
        answers.response,
        status="amended",
        reference=f"QuestionnaireResponse/{before['id']}",
        authored=before.get("authored", answers.response.authored),
    )
    amended = replace(answers, response=about)
    # Tasks may be among them: their identifiers match no score.
    ids = {_score_identifier(one): one["id"] for one in others if one.get("identifier")}
    scores = [
        Entry({**entry.resource, "id": ids[_score_identifier(entry.resource)]}, entry.full_url)
        for entry in _scores(amended, about.reference)
    ]
    return [Entry(response_from(amended)), *scores]


def says_otherwise(stored: Resource, answers: Answers, catalogue: Catalogue) -> bool:
    """Tell whether a stored response holds other answers than these.

    A server may write the same answer in another form, or give nothing back: only answers that we can read count.
    """
    # A copy that we can't read differs from these answers in no way that we know of: nothing to amend.
    try:
        there = answers_of(stored, catalogue).values
    except RefusedResponse:
        return False
    return bool(there) and there != answers.values


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


def _scores(answers: Answers, reference: str) -> list[Entry]:
    # `observations_of` has the panel first; here it comes last (see `submission_of`).
    scores = score(answers.instrument, answers.values)
    observations = observations_of(answers, scores, response_reference=reference)
    return [Entry(one, full_url(one), f"{SCORE_SYSTEM}|{_score_identifier(one)}") for one in reversed(observations)]


def _score_identifier(observation: Resource) -> str:
    return str(observation["identifier"][0]["value"])
