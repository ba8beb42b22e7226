"""Scores of answers that have none in the record are put there, when the person whose answers they are says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from mappers.answers import Answers
from mappers.errors import NotScorable
from mappers.read_scores import unstored
from mappers.submission import Entry, scores_of
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.fhir.references import with_references
from smartapp.fhir.store import Forbidden, Refused, Unreachable, Write
from smartapp.i18n import message
from smartapp.pages.scores import asking
from smartapp.records import Place, Record
from smartapp.web import current, typed

NEWS: Final = {
    "kept": message("These scores are in the record."),
    "on-its-way": message("We cannot reach the record right now. Your scores are kept here until we can."),
    "not-kept": message("The scores are not in the record. Try again in a moment."),
}


@dataclass(frozen=True, slots=True)
class Unkept:
    """A response of which no score is in the record, with its answers and the scores that they give."""

    record: Record
    answers: Answers
    scores: Sequence[Entry]

    @property
    def response_id(self) -> str:
        """Return the id of the response."""
        return str(self.record.resource["id"])


def unkept_in(scores: Iterable[Record], responses: Sequence[Record]) -> list[Unkept]:
    """Return the finished responses whose scores are not in the record; none where that cannot be told."""
    found = [one.resource for one in scores]
    there = {id(one.resource): one for one in responses if one.state == "stored"}
    reached = asking.in_reach(found, [one.resource for one in there.values()], cut=asking.is_cut())
    without = unstored(found, reached, catalogue())
    return [Unkept(there[id(one)], answers, entries) for one, answers in without if (entries := _scores(answers))]


def _scores(answers: Answers) -> Sequence[Entry]:
    """Return what can be stored of the scores that answers give: nothing if their response has no date, or nobody's."""
    try:
        return scores_of(answers)
    except NotScorable:
        return ()


def mark_of(unkept: Iterable[Unkept]) -> str:
    """Return what stands for these responses and for no others: whoever presses the button saw them."""
    said = (f"{one.record.reference} {sorted(one.answers.values.items())}" for one in unkept)
    return typed.digest(" ".join(sorted(said)))


def keep() -> ResponseReturnValue:
    """Put the scores that the page named into the record, as one unit, and lead back to the page."""
    patient = current.launch().patient.reference
    scores, responses = current.records().search(asking.scores_of(patient), asking.responses_of(patient))
    unkept = unkept_in(scores, responses)
    # A second press, or answers that came meanwhile: the page shows what there is by now.
    if not unkept or request.form.get("seen") != mark_of(unkept):
        return redirect(url_for(".index"), 303)
    try:
        saved = current.records().save([write for one in unkept for write in _writes(one)])
    except (Forbidden, Refused, Unreachable):
        return redirect(url_for(".index", news="not-kept"), 303)
    news = "kept" if all(one.state == "stored" for one in saved) else "on-its-way"
    return redirect(url_for(".index", news=news), 303)


def _writes(unkept: Unkept) -> list[Write]:
    """Return the scores of a response and their panel, each a create that happens once."""
    place, base = current.records().place_for("Observation"), current.launch().issuer
    named = ((entry, _named(entry.resource, unkept.record, place, base)) for entry in unkept.scores)
    return [Write.once(made, identifier=entry.identifier, full_url=entry.full_url) for entry, made in named]


def _named(observation: Resource, response: Record, place: Place, base: str) -> Resource:
    """Return an Observation that names its response as it can at a place; our own store knows every place.

    Elsewhere, what the EHR has is named in full. The EHR cannot know what others have: there the identifier says it.
    """
    if place in (response.place, "own"):
        return observation

    def named(reference: Mapping[str, Any]) -> dict[str, Any]:
        if reference["reference"] != response.reference:
            return dict(reference)
        full = {"reference": f"{base}/{response.reference}"} if response.place == "ehr" else {}
        return {**full, **{name: value for name, value in reference.items() if name != "reference"}}

    made: Resource = with_references(observation, named)
    return made
