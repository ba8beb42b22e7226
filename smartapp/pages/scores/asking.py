"""What the pages with scores ask of the record: enough for years, and no more the longer someone is with us."""

from __future__ import annotations

from collections.abc import Iterable

from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument
from smartapp.fhir.store import Query
from smartapp.web.language import gettext as _

# Seven years of four instruments, twice a year, are some 290 scores.
MOST_SCORES = 300
MOST_RESPONSES = 80
_SURVEY = "survey"


def scores_of(patient: str, instruments: Iterable[Instrument] | None = None) -> Query:
    """Return the query for the newest scores of a person, by these instruments or by all that we know.

    Only our own codes: others keep surveys in the same category, and a panel says nothing that its scores do not.
    """
    chosen = catalogue().instruments.values() if instruments is None else instruments
    codes = sorted({rule.code for one in chosen for rule in one.scores})
    # Without their system, to keep the address short. What is of another system is left out when it is read.
    return Query.newest(MOST_SCORES, "Observation", "date", patient=patient, category=_SURVEY, code=",".join(codes))


def responses_of(patient: str) -> Query:
    """Return the query for the newest responses of a person."""
    return Query.newest(MOST_RESPONSES, "QuestionnaireResponse", "authored", patient=patient)


def cut_sentence(cut: Iterable[Query]) -> str:
    """Return what a page says when there are more scores or responses than it asked for, "" when that is all.

    `cut` are the queries of which there is more, those for other things among them.
    """
    if not any(one.type == "QuestionnaireResponse" or ("category", _SURVEY) in one.params for one in cut):
        return ""
    return _(
        "Here are the newest %(scores)s scores, with the answers to the newest %(responses)s questionnaires. "
        "What is older stays in the record.",
        scores=MOST_SCORES,
        responses=MOST_RESPONSES,
    )
