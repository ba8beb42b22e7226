"""Which parts of a record a page shows, for the log of access, and what people call them.

A part is named as it is shared (`form.story`, `domain.housing`, `answers.hoop`, `scores`, …); three pages show more
than one, and have a name for the whole: the overview, the plan, the answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from flask import request

from mappers.sharing import parts_in
from questionnaires.catalogue import Catalogue, catalogue
from smartapp.access import table
from smartapp.i18n import message
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of

OVERVIEW: Final = "overview"
PLAN: Final = "plan"
ANSWERS: Final = "answers"
CRISIS: Final = "crisis"

_OF_PAGES: Final = {
    "overview.plan": PLAN,
    "overview.plan_as_pdf": PLAN,
    "living.card": CRISIS,
    "living.card_as_pdf": CRISIS,
}
_OF_BLUEPRINTS: Final = {
    "overview": OVERVIEW,
    "plan": PLAN,
    "living": PLAN,
    "questionnaire": ANSWERS,
    "answers": ANSWERS,
    "scores": "scores",
    "phase": "phase",
    "together": "talks",
    "assignments": "asked",
}
_WHOLE: Final = {
    OVERVIEW: message("the overview"),
    PLAN: message("your plan"),
    ANSWERS: message("your answers"),
    CRISIS: message("your card for a crisis"),
    "scores": message("your scores"),
    "notes": message("your notes beside your scores"),
    "phase": message("where you are now"),
    "talks": message("your conversations"),
    "asked": message("what was asked of you"),
    "circle": message("your people"),
}
_OLDER: Final = {
    **dict.fromkeys(("CarePlan", "Goal", "DocumentReference"), PLAN),
    "QuestionnaireResponse": ANSWERS,
    "Observation": "scores",
    "Task": "asked",
}


def parts_here() -> tuple[str, ...]:
    """Return the parts that the page of this request is about; none for a page of no part, such as the help."""
    return parts_of_page(request.endpoint or "", request.view_args or {}, catalogue())


def parts_of_page(endpoint: str, args: Mapping[str, Any], known: Catalogue) -> tuple[str, ...]:
    """Return the parts that a page shows, by its endpoint and what its address names of our own definitions.

    Whatever else stands in an address is somebody's own text, and goes nowhere.
    """
    blueprint = endpoint.partition(".")[0]
    if endpoint in _OF_PAGES:
        return (_OF_PAGES[endpoint],)
    if blueprint == "living" and args.get("form_id") in known.living:
        return (f"form.{args['form_id']}",)
    if blueprint == "plan" and args.get("code") in {domain.code for domain in known.life_domains}:
        return (f"domain.{args['code']}",)
    if blueprint == "questionnaire" and args.get("instrument_id") in known.instruments:
        return (f"answers.{args['instrument_id']}",)
    if blueprint == "sharing" and args.get("part") in parts_in(known, table().apart):
        return (args["part"],)
    return (_OF_BLUEPRINTS[blueprint],) if blueprint in _OF_BLUEPRINTS else ()


def parts_of_objects(objects: Iterable[str]) -> tuple[str, ...]:
    """Return the parts that the objects of a row tell of, for a row that is older than its parts."""
    found = []
    for name in objects:
        blueprint = name.partition(".")[0] if "/" not in name else ""
        type_ = name.partition("/")[0]
        found += [part for part in (_OF_BLUEPRINTS.get(blueprint), _OLDER.get(type_)) if part]
    return tuple(dict.fromkeys(found))


def in_order(parts: Iterable[str]) -> tuple[str, ...]:
    """Return parts in the order in which people read them, each once."""
    known = catalogue()
    order = [OVERVIEW, PLAN, *(f"form.{id_}" for id_ in known.living), CRISIS]
    order += [f"domain.{domain.code}" for domain in known.life_domains]
    order += [ANSWERS, *(f"answers.{id_}" for id_ in known.instruments), *_WHOLE]
    places = {part: at for at, part in reversed(list(enumerate(order)))}
    return tuple(sorted(dict.fromkeys(parts), key=lambda part: places.get(part, len(order))))


def name_of(part: str) -> str:
    """Return what a part is called, within a sentence to the client; "" for one that is no part any more."""
    if part in _WHOLE:
        return _(_WHOLE[part])
    known = catalogue()
    kind, _dot, id_ = part.partition(".")
    if kind == "form" and id_ in known.living:
        return _("“%(title)s”", title=text_of(known.living[id_].title))
    if kind == "answers" and id_ in known.instruments:
        return _("your answers to “%(title)s”", title=text_of(known.instruments[id_].title))
    domain = next((one for one in known.life_domains if kind == "domain" and one.code == id_), None)
    return _("the area “%(title)s”", title=text_of(domain.name)) if domain else ""
