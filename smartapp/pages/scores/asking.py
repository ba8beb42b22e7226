"""What the pages with scores ask of the record, and what was measured by what they find.

It is enough for years, and no more the longer someone is with us.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mappers.observations import moment_of
from mappers.sharing.parts import SCORES
from mappers.tolerant import text_in
from mappers.trends import Measurements, measured
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument
from smartapp.fhir.store import Query
from smartapp.records import Record
from smartapp.web import current
from smartapp.web.language import day_of
from smartapp.web.language import gettext as _

# Seven years of four instruments, twice a year, are some 290 scores.
MOST_SCORES = 300
MOST_RESPONSES = 80
_SURVEY = "survey"


def scores_of(patient: str, instruments: Iterable[Instrument] | None = None) -> Query:
    """Return the query for the newest scores of a person, by these instruments or by all that we know.

    Only our own codes: others keep surveys in the same category, and a panel says nothing that its scores do not.
    """
    chosen = catalogue().scored.values() if instruments is None else instruments
    codes = sorted({rule.code for one in chosen for rule in one.scores})
    # Without their system, to keep the address short. What is of another system is left out when it is read.
    return Query.newest(MOST_SCORES, "Observation", "date", patient=patient, category=_SURVEY, code=",".join(codes))


def responses_of(patient: str) -> Query:
    """Return the query for the newest responses of a person."""
    return Query.newest(MOST_RESPONSES, "QuestionnaireResponse", "authored", patient=patient)


def measured_here(scores: Iterable[Record], responses: Iterable[Record]) -> list[Measurements]:
    """Return what was measured by what `scores_of` and `responses_of` found, the most recently measured first.

    Answers that have no scores are scored as they are read, but not for whoever may see answers and not scores.
    """
    found, given = ([one.resource for one in records] for records in (scores, responses))
    computes = current.records().shows(SCORES)
    return measured(found, in_reach(found, given, cut=is_cut()), catalogue(), day_of, computes=computes)


def is_cut() -> bool:
    """Tell whether the record has more scores of this person than were asked for."""
    return any(_is_of_scores(one) for one in current.records().cut)


def in_reach(scores: Iterable[Resource], responses: Sequence[Resource], *, cut: bool) -> Sequence[Resource]:
    """Return the responses whose scores, where there are any, are among these; `cut` if the record has older scores.

    The scores of an older response may be in the record: they must not look as if they were not.
    """
    if not cut:
        return responses
    oldest = min((moment_of(text_in(one, "effectiveDateTime")) for one in scores), default=None)
    if oldest is None:
        return ()
    return [one for one in responses if moment_of(text_in(one, "authored")) > oldest]


def _is_of_scores(query: Query) -> bool:
    return ("category", _SURVEY) in query.params


def cut_sentence(cut: Iterable[Query]) -> str:
    """Return what a page says when there are more scores or responses than it asked for, "" when that is all.

    `cut` are the queries of which there is more, those for other things among them.
    """
    if not any(one.type == "QuestionnaireResponse" or _is_of_scores(one) for one in cut):
        return ""
    return _(
        "Here are the newest %(scores)s scores, with the answers to the newest %(responses)s questionnaires. "
        "What is older stays in the record.",
        scores=MOST_SCORES,
        responses=MOST_RESPONSES,
    )
