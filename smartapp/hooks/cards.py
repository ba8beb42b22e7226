"""The cards: that something is here to read, and the way to it. Pure.

A card has no content, no number and no advice: whoever reads it knows that there is something, as far as they may read
that, and opens the app to read it.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from mappers.answers import asked_in, is_finished, kind_of
from mappers.appointment import MomentOf
from mappers.human_name import name_of
from mappers.talking import talking_point_of
from mappers.tolerant import text_in
from mappers.visit import VISIT
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Language, Text

LONGEST_DAYS: Final = 30
"""How long a preparation is told of where nothing shows that the conversation was held."""
_LONGEST_SUMMARY: Final = 139
_SIGNS_OF_A_NAME: Final = " -.'’"

_PREPARED: Final = Text("{name} bereidde het gesprek voor", "{name} prepared the conversation")
_PREPARED_UNNAMED: Final = Text("De cliënt bereidde het gesprek voor", "The client prepared the conversation")
_TOGETHER: Final = Text("Er staat iets klaar om samen te bekijken", "Something is ready to look at together")
_DETAIL: Final = Text(
    "Deze kaart zegt alleen dat het er is. Wat er staat, is in Verstel te lezen.",
    "This card only says that it is there. What it says can be read in Verstel.",
)
_OPEN: Final = Text("Open Verstel", "Open Verstel")
_SOURCE: Final = "Verstel"


@dataclass(frozen=True, slots=True)
class Told:
    """What the cards tell of, by the resources themselves; empty where there is nothing to tell."""

    preparation: Resource | None = None
    points: tuple[Resource, ...] = ()

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Return all of them."""
        return (*([self.preparation] if self.preparation else []), *self.points)


def told_by(seen: Iterable[Resource], known: Catalogue, *, now: dt.datetime, moment_of: MomentOf) -> Told:
    """Return what there is to tell of what the reader sees of a record, at a zoned moment.

    A preparation counts until a conversation was held after it, or for a month where none shows; one that carries no
    readable time is not told of.
    """
    resources = list(seen)
    responses = [one for one in resources if one.get("resourceType") == "QuestionnaireResponse" and is_finished(one)]
    when = {id(one): moment for one in responses if (moment := _moment(one, moment_of, now)) is not None}
    held = [when[id(one)] for one in responses if id(one) in when and kind_of(one, known) == "record"]
    since = max([now - dt.timedelta(days=LONGEST_DAYS), *held])
    prepared = [one for one in responses if _is_visit(one, known) and id(one) in when and since < when[id(one)] <= now]
    points = [one for one in resources if (point := talking_point_of(one)) is not None and point.waiting]
    return Told(max(prepared, key=lambda one: when[id(one)], default=None), tuple(points))


def cards_of(
    told: Told, patient: Resource | None, *, launch: str, language: Language, today: dt.date
) -> list[dict[str, Any]]:
    """Return the cards; `patient` is the Patient where it is known, `launch` the address that opens the app."""
    name = name_of(patient, today).address
    name = name if all(map(_is_of_a_name, name)) else ""
    prepared = _PREPARED.get(language).format(name=name) if name else _PREPARED_UNNAMED.get(language)
    if len(prepared) > _LONGEST_SUMMARY:
        prepared = _PREPARED_UNNAMED.get(language)
    summaries = [*([prepared] if told.preparation else []), *([_TOGETHER.get(language)] if told.points else [])]
    return [
        {
            "summary": summary,
            "detail": _DETAIL.get(language),
            "indicator": "info",
            "source": {"label": _SOURCE},
            "links": [{"label": _OPEN.get(language), "url": launch, "type": "smart"}],
        }
        for summary in summaries
    ]


def _is_of_a_name(sign: str) -> bool:
    """Tell whether a sign can stand in a name: a screen may read others as markup, or turn the line round by them."""
    return sign in _SIGNS_OF_A_NAME or unicodedata.category(sign)[0] in "LM"


def _is_visit(response: Resource, known: Catalogue) -> bool:
    asked = asked_in(response, known)
    return asked is not None and asked.id == VISIT


def _moment(response: Resource, moment_of: MomentOf, now: dt.datetime) -> dt.datetime | None:
    """Return when a response was sent in, as a zoned moment; of a day its beginning, None where it cannot be read."""
    moment = moment_of(text_in(response, "authored"))
    if moment is None or isinstance(moment, dt.datetime):
        return moment
    return dt.datetime.combine(moment, dt.time(), now.tzinfo)
