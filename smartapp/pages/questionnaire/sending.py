"""Sending in: the response, its scores and the answered assignments as one unit of writes. Pure functions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from mappers.answers import IDENTIFIER_SYSTEM, answers_of
from mappers.assignment import answered, assignment_of, is_assignment
from mappers.errors import RefusedResponse
from mappers.observations import IDENTIFIER_SYSTEM as SCORE_SYSTEM
from mappers.observations import full_url, observations_of
from mappers.scoring import score
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from smartapp.fhir.store import Write
from smartapp.records import Record


def writes_of(response: Resource, tasks: Sequence[Record], catalogue: Catalogue) -> list[Write]:
    """Return the unit that sends in a completed response: itself, its scores, and its assignments as answered.

    Each create happens once, whatever is repeated: its identifier comes from the response's own.
    """
    answers = answers_of(response, catalogue)
    identifier = response["identifier"]["value"]
    name = f"urn:uuid:{name_of(identifier)}"
    scores = score(answers.instrument, answers.values)
    observations = observations_of(answers, scores, response_reference=name)
    title = answers.instrument.title.get(answers.response.language)
    return [
        _once(response, name, IDENTIFIER_SYSTEM, identifier),
        *(
            _once(one, full_url(one), SCORE_SYSTEM, one["identifier"][0]["value"])
            for one in reversed(observations)  # the panel after its members, for servers that write one by one
        ),
        *(Write("update", answered(task.resource, name, title), if_match=task.etag) for task in tasks),
    ]


def name_of(identifier: str) -> str:
    """Return the UUID by which a response is known until a server gave it an id: its identifier, where that is one."""
    try:
        return str(uuid.UUID(identifier))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{IDENTIFIER_SYSTEM}|{identifier}"))


def says_otherwise(stored: Resource, made: Resource, catalogue: Catalogue) -> bool:
    """Tell whether a stored response holds other answers than the one just made.

    A server may write the same answer in another form, or give nothing back: only answers that we can read count.
    """
    try:
        there = answers_of(stored, catalogue).values
    except RefusedResponse:
        return False
    return bool(there) and there != answers_of(made, catalogue).values


def amendment(made: Resource, saved: Sequence[Record], catalogue: Catalogue) -> list[Write]:
    """Return the unit that corrects a response which was stored before, and its scores.

    `saved` is what the store gave back for `writes_of(made, …)`: the stored response and Observations, in that order.
    The moment of the measurement stays what it was.
    """
    stored, *others = saved
    authored = stored.resource.get("authored", made["authored"])
    response = {**made, "id": stored.resource["id"], "status": "amended", "authored": authored}
    answers = answers_of(response, catalogue)
    scores = score(answers.instrument, answers.values)
    observations = observations_of(answers, scores, response_reference=stored.reference)
    earlier = {one.resource["identifier"][0]["value"]: one for one in others if one.resource.get("identifier")}
    writes = [Write("update", response, if_match=stored.etag)]
    for one in reversed(observations):
        before = earlier[one["identifier"][0]["value"]]
        writes.append(
            Write("update", {**one, "id": before.resource["id"]}, if_match=before.etag, full_url=full_url(one))
        )
    return writes


def waiting_for(tasks: Sequence[Record], instrument: str) -> list[Record]:
    """Return the assignments that still ask for this instrument."""
    found = []
    for task in tasks:
        if is_assignment(task.resource):
            assignment = assignment_of(task.resource)
            if assignment.waiting and assignment.instrument == instrument:
                found.append(task)
    return found


def _once(resource: Resource, name: str, system: str, value: str) -> Write:
    return Write("create", resource, if_none_exist=f"identifier={system}|{value}", full_url=name)
