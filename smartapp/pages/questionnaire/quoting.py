"""An answer as words: to copy into a goal or a step, and to say what it is that the client wants to talk about."""

from __future__ import annotations

from dataclasses import dataclass

from mappers.answers import Answers, answers_of
from mappers.errors import RefusedResponse
from mappers.said_in import SaidIn, answer_in
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import NotFound
from smartapp.pages.questionnaire.sending import own_response
from smartapp.pages.questionnaire.views import answer_text
from smartapp.records import Place
from smartapp.web import current
from smartapp.web.language import text_of


@dataclass(frozen=True, slots=True)
class Quote:
    """What was said. `words` can begin a goal: what the client typed, else the statement that they answered.

    `sentence` has the question and the answer.
    """

    words: str
    sentence: str


def quote_of(answers: Answers, link_id: str) -> Quote | None:
    """Return one answer as words; None for a question that this questionnaire does not have, or without an answer."""
    item = next((one for one in answers.instrument.items if one.link_id == link_id), None)
    given = answer_text(item, answers.values.get(link_id)) if item else ""
    if item is None or not given:
        return None
    question = text_of(item.text)
    return Quote(
        given if item.kind == "text" else question,
        f"{question} {given}" if question[-1] in "?." else f"{question}: {given}",
    )


def quoted(response_id: str, link_id: str, *, place: Place) -> tuple[SaidIn, Quote] | None:
    """Return one answer of this person's as words, and the way back to it for what is kept at `place`; else None."""
    try:
        record = own_response(current.records(), response_id)
        answers = answers_of(record.resource, catalogue())
    except (NotFound, RefusedResponse):
        return None
    said = quote_of(answers, link_id)
    return (answer_in(record.resource, link_id, same_place=record.place == place), said) if said else None
