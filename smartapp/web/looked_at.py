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
from smartapp.web import current
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of

OVERVIEW: Final = "overview"
PLAN: Final = "plan"
ANSWERS: Final = "answers"
CRISIS: Final = "crisis"
IN_LIST: Final = "caseload"
"""That somebody stands in the list of a professional's own clients."""

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
    "people": "circle",
    "course": "course",
}
_PAGES: Final = {
    OVERVIEW: message("the overview"),
    PLAN: message("your plan"),
    ANSWERS: message("your answers"),
    IN_LIST: message("your line in the list of their clients"),
}
_OF_MORE: Final = frozenset({*_PAGES, "talks"})
"""Pages that show something of other parts: of which, what was read says."""
_OLDER: Final = {
    **dict.fromkeys(("CarePlan", "Goal", "DocumentReference"), PLAN),
    "QuestionnaireResponse": ANSWERS,
    "Observation": "scores",
    "Task": "asked",
}


def parts_here() -> tuple[str, ...]:
    """Return the parts that the page of this request is about; none for a page of no part, such as the help."""
    return parts_of_page(request.endpoint or "", request.view_args or {}, catalogue())


def parts_seen(shown: Iterable[str]) -> tuple[str, ...]:
    """Return the parts that the page of this request is about, with those that `shown` (references) are of.

    Only where the page is about more than one part: a page of one reads more than it shows.
    """
    here = parts_here()
    return (*here, *current.records().parts_of(shown)) if _OF_MORE & set(here) else here


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
    order = [*_PAGES, *parts_in(known, table().apart)]
    places = {part: at for at, part in enumerate(order)}
    return tuple(sorted(dict.fromkeys(parts), key=lambda part: places.get(part, len(order))))


def name_of(part: str) -> str:
    """Return what a part is called, within a sentence to the client; "" for one that is no part any more."""
    known, access = catalogue(), table()
    if part in _PAGES:
        return _(_PAGES[part])
    if part not in parts_in(known, access.apart):
        return ""
    title, kind = text_of(access.part_title(part, known)), part.partition(".")[0]
    if kind == "domain":
        return _("the area “%(title)s”", title=title)
    return _("your answers to “%(title)s”", title=title) if kind == "answers" else _("“%(title)s”", title=title)
