"""What is written about a team: a message that tells back, an action, the report of a panel; each with its form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

from mappers.answers import IDENTIFIER_SYSTEM as RESPONSES
from mappers.answers import answers_of, is_finished
from mappers.errors import RefusedResponse
from mappers.team import (
    Action,
    ActionState,
    ToldBack,
    action_in,
    communication_of,
    task_of,
    team_response,
    told_back_in,
)
from mappers.team.model import local
from mappers.team.panel import FORM as PANEL
from mappers.team.told import ACTION_STATES
from mappers.tolerant import object_in, text_in
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument
from smartapp.i18n import message
from smartapp.pages.team import asking
from smartapp.pages.team.asking import Section
from smartapp.pages.team.found import form_of
from smartapp.pages.team.keeping import Kind, Values
from smartapp.settings import TeamHere
from smartapp.web import current
from smartapp.web.dates import as_date
from smartapp.web.fields import Field, options
from smartapp.web.language import gettext as _
from smartapp.web.language import language

STATES: Final[Mapping[str, str]] = {
    "planned": message("Planned"),
    "doing": message("We are working on it"),
    "done": message("Done"),
    "dropped": message("Not going ahead"),
}

NEEDS_WORDS: Final = message("Write down what you tell.")
NEEDS_DAY: Final = message("Choose the day on which it is told.")
NOT_YET: Final = message("This day has not come yet. Choose today, or a day before.")
NEEDS_WHAT: Final = message("Write down what is done.")
NEEDS_STATE: Final = message("Choose how far it is.")
NEEDS_CLIENTS: Final = message("Write down how many clients were there.")
NOT_A_NUMBER: Final = message("Write a number, such as 5.")
NEEDS_SAID: Final = message("Write down what the panel said about at least one topic.")
MOST_CLIENTS: Final = message("A panel has six clients at most. With more, talk in two groups and write two reports.")
MOST_PEERS: Final = message("A panel has two peer workers at most: one leads, the other writes the report.")

DAY: Final = "day"


# ---- told back -------------------------------------------------------------------------------------------------------


def told_kind(team: TeamHere) -> Kind:
    """Return how messages to clients and staff of a team are written and read."""

    def values_in(resource: Resource) -> Values | None:
        told = told_back_in(resource, team.team)
        return None if told is None else _filled({DAY: told.day.isoformat(), "words": told.words, "by": told.by})

    def make(values: Values, identifier: str, there: Resource | None) -> Resource:
        told = ToldBack(dt.date.fromisoformat(values[DAY]), values["words"], values.get("by", ""))
        before = there.get("identifier", [{}])[0].get("value", "") if there else ""
        made = communication_of(told, team.team, identifier=identifier or before, language=language())
        # What others added to it stays.
        return {**{name: value for name, value in (there or {}).items() if name not in ("sender",)}, **made}

    return Kind("Communication", values_in, make)


def told_form() -> tuple[Section, ...]:
    """Return what is asked to tell something back."""
    return (
        Section(
            "",
            (
                Field(DAY, _("On which day?"), "date"),
                Field(
                    "words",
                    _("What do you tell clients and staff?"),
                    help=_("What came out, and what you do with it. Write no names."),
                    rows=8,
                ),
                Field("by", _("Who tells it?"), "line", help=_("A role, such as team manager. Write no names.")),
            ),
        ),
    )


def told_problems(asked: tuple[Section, ...], values: Values) -> dict[str, str]:
    """Return what is wrong with what is told back, by the name of a field, as English keys."""
    return _not_yet(values) | asking.problems(asked, values, {DAY: NEEDS_DAY, "words": NEEDS_WORDS})


def _not_yet(values: Values) -> dict[str, str]:
    """Return what is wrong with the day of something that was, where it has not come yet."""
    day = asking.day_in(values.get(DAY, ""))
    return {DAY: NOT_YET} if day is not None and day > current.now().date() else {}


# ---- actions ---------------------------------------------------------------------------------------------------------


def action_kind(team: TeamHere) -> Kind:
    """Return how actions of a team are written and read."""

    def values_in(resource: Resource) -> Values | None:
        found = action_in(resource, team.team)
        return None if found is None else action_values(found)

    def make(values: Values, identifier: str, there: Resource | None) -> Resource:
        action = Action(
            what=values["description"],
            who=values.get("who", ""),
            by_when=asking.day_in(values.get("by-when", "")),
            state=cast(ActionState, values["state"]),
            outcome=values.get("outcome", ""),
        )
        written = current.now().isoformat()
        return task_of(action, team.team, identifier=identifier, written=written, existing=there, language=language())

    return Kind("Task", values_in, make)


def action_values(action: Action) -> Values:
    """Return what a form shows of an action."""
    return _filled(
        {
            "description": action.what,
            "who": action.who,
            "by-when": action.by_when.isoformat() if action.by_when else "",
            "state": action.state,
            "outcome": action.outcome,
        }
    )


def action_form() -> tuple[Section, ...]:
    """Return what is asked of an action."""
    return (
        Section(
            "",
            (
                Field("description", _("What do you do?"), rows=3),
                Field(
                    "who",
                    _("Who does it?"),
                    "line",
                    help=_("A role or a group, such as the peer workers. Write no names."),
                ),
                Field("by-when", _("By when?"), "date", help=_("May stay open.")),
                Field("state", _("How far is it?"), "choices", options=options(STATES, ACTION_STATES)),
                Field("outcome", _("What came of it?"), help=_("May stay open."), rows=3),
            ),
        ),
    )


ACTION_NEEDED: Final[Mapping[str, str]] = {"description": NEEDS_WHAT, "state": NEEDS_STATE}


# ---- panels ----------------------------------------------------------------------------------------------------------

CLIENTS: Final = f"{PANEL}-clients"
PEERS: Final = f"{PANEL}-peer-workers"
LONGEST_NUMBER: Final = 3


def response_kind(team: TeamHere, form: Instrument) -> Kind:
    """Return how a form about a team is written and read; beside its answers there is the `day` that it is about."""

    def values_in(resource: Resource) -> Values | None:
        if not is_finished(resource) or local(object_in(resource, "subject")) != team.team.reference:
            return None
        try:
            answers = answers_of(resource, catalogue())
        except RefusedResponse:
            return None
        if answers.instrument.id != form.id:
            return None
        return _filled({DAY: answers.response.authored[:10], **{k: str(v) for k, v in answers.values.items()}})

    def make(values: Values, identifier: str, there: Resource | None) -> Resource:
        said = {name: value for name, value in values.items() if name != DAY}
        before = text_in(object_in(there, "identifier"), "value") if there else ""
        made = team_response(
            said, form, team.team, authored=values[DAY], identifier=identifier or before, language=language()
        )
        kept = {name: value for name, value in (there or {}).items() if name not in ("item", "questionnaire")}
        return {**kept, **made, **({"id": there["id"]} if there else {})}

    return Kind("QuestionnaireResponse", values_in, make, system=RESPONSES)


def panel_form() -> tuple[Section, ...]:
    """Return what the report of a panel asks; how many were there is typed, so that more than may be says why not."""
    day = Section("", (Field(DAY, _("On which day was the panel?"), "date"),))
    asked = asking.sections(form_of(PANEL))
    return (day, *(Section(one.title, tuple(map(_typed_number, one.fields))) for one in asked))


def _typed_number(one: Field) -> Field:
    return replace(one, kind="line", options=()) if one.name in (CLIENTS, PEERS) else one


def panel_problems(asked: tuple[Section, ...], values: Values) -> dict[str, str]:
    """Return what is wrong with the report of a panel, by the name of a field, as English keys."""
    found = _not_yet(values) | asking.problems(asked, values, {DAY: NEEDS_DAY, CLIENTS: NEEDS_CLIENTS})
    for name, least, most, says in ((CLIENTS, 1, 6, MOST_CLIENTS), (PEERS, 0, 2, MOST_PEERS)):
        number = values.get(name)
        if not number:
            continue
        if not _ascii_number(number) or int(number) < least:
            found[name] = NOT_A_NUMBER
        elif int(number) > most:
            found[name] = says
    topics = [one.name for one in asking.fields_of(asked) if one.name.endswith("-said")]
    if topics and not any(values.get(name) for name in topics):
        found[topics[0]] = NEEDS_SAID
    return found


def _filled(values: Mapping[str, str]) -> Values:
    return {name: value for name, value in values.items() if value}


def as_kept(asked: tuple[Section, ...], values: Values) -> Values:
    """Return typed values as they are kept: days as FHIR writes them, numbers without zeros before them."""
    days = {one.name for one in asking.fields_of(asked) if one.kind == "date"}
    kept = {name: as_date(value) if name in days else value for name, value in values.items()}
    numbers = {name: str(int(kept[name])) for name in (CLIENTS, PEERS) if _ascii_number(kept.get(name, ""))}
    return {**kept, **numbers}


def _ascii_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER
