"""The pages of a team: what is known of it, marks by clients, and what staff tell back and do.

What they show and keep is about a team and nobody's record: it is read from our own store alone, and no client's log
has a row of it. Clients and staff see the same page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import orjson
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from mappers.team import Round, action_in, bundle_of
from mappers.team.marks import FORM as MARKS
from mappers.team.panel import FORM as PANEL
from mappers.tolerant import text_in
from smartapp.i18n import message
from smartapp.pages.team import asking, keeping, kinds, views
from smartapp.pages.team.asking import Section
from smartapp.pages.team.drafting import Unfinished
from smartapp.pages.team.found import (
    form_of,
    given_of,
    giver,
    known_of,
    names_of,
    open_round,
    rounds_of,
    team_or_404,
    teams_here,
)
from smartapp.pages.team.screens import NEW, FormScreen, Screen
from smartapp.settings import TeamHere
from smartapp.storage.team_marks import Given, KeptRound, RoundOver, RoundTaken
from smartapp.web import current
from smartapp.web.dates import as_date
from smartapp.web.fields import Field
from smartapp.web.language import format_datetime, language, text_of
from smartapp.web.language import gettext as _

blueprint = Blueprint("team", __name__, url_prefix="/team", template_folder="templates")

FHIR_JSON: Final = "application/fhir+json"
LONGEST_ROUND: Final = dt.timedelta(days=366)

NEEDS_START: Final = message("Choose the first day.")
NEEDS_END: Final = message("Choose the last day.")
NOT_BEFORE_TODAY: Final = message("A round begins today or later.")
END_FIRST: Final = message("The last day comes before the first.")
TOO_LONG: Final = message("A round takes a year at most.")
TAKEN: Final = message("Another round has days of this one. Choose other days.")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the teams of this place; where there is one, its page."""
    teams = teams_here()
    if len(teams) == 1:
        return redirect(url_for("team.mirror", team_id=teams[0].id), 303)
    return render_template("team/index.html", lines=views.lines())


@blueprint.get("/<team_id>/")
def mirror(team_id: str) -> ResponseReturnValue:
    """Show all that is known of a team, the same to clients and staff."""
    team = team_or_404(team_id)
    page = views.page_of(team, known_of(team))
    return render_template("team/team.html", page=page, mine=views.line(team), said=_said())


@blueprint.get("/<team_id>/team.json")
def as_json(team_id: str) -> Response:
    """Give what the page shows as FHIR, for another program: a Bundle for each thing that the team is in the record."""
    known, made = known_of(team_or_404(team_id)), current.now().isoformat()
    bundles = [bundle_of(one, known.resources, made=made) for one in known.mirrors]
    whole = {**bundles[0], "entry": [entry for one in bundles for entry in one["entry"]]}
    answer = Response(orjson.dumps({name: value for name, value in whole.items() if value}), mimetype=FHIR_JSON)
    answer.headers.set("Content-Disposition", "attachment", filename="team.json")
    return answer


# ---- marks by clients ------------------------------------------------------------------------------------------------


@blueprint.route("/<team_id>/marks/", methods=["GET", "POST"])
def marks(team_id: str) -> ResponseReturnValue:
    """Let a client give marks, and change them as long as it is time."""
    team = team_or_404(team_id)
    now, form = open_round(team), form_of(MARKS)
    asked, draft = asking.sections(form), Unfinished(team, MARKS)
    given = given_of(now) if now else None
    values, problems, over = given.answers if given else {}, {}, False
    if (answer := draft.answered(asked, values)) is not None:
        return answer
    typed = draft.kept()
    if request.method == "POST":
        values = asking.posted(asked)
        problems = asking.problems(asked, values, {})
        if not values and not given and now:
            problems = {asking.fields_of(asked)[0].name: asking.NOTHING_TYPED}
        over = not problems and not _gave(now, values)
        if not problems and not over:
            draft.forget()
            return redirect(url_for("team.mirror", team_id=team.id, said="gave" if values else "back"), 303)
        draft.keep(values)
    elif typed and typed.values != values:
        values, over = typed.values, now is None
    page = render_template(
        "team/marks.html",
        screen=Screen(team, asking.filled(asked, values, problems)),
        round=now,
        form=form,
        mine=given is not None,
        draft=request.method == "GET" and typed is not None and typed.values == values,
        over=over,
    )
    return page, 422 if problems else 409 if over and request.method == "POST" else 200


def _gave(now: KeptRound | None, values: Mapping[str, str]) -> bool:
    """Keep what a client gives, nothing where they emptied it all; tell whether it was time for that."""
    if now is None:
        return False
    kept, today = current.services().team_marks, current.now().date()
    try:
        if values:
            kept.give(now.id, giver(), Given(form_of(MARKS).canonical, values, language()), today)
        else:
            kept.take_back(now.id, giver(), today)
    except RoundOver:
        return False
    return True


@blueprint.post("/<team_id>/marks/back")
def take_back(team_id: str) -> ResponseReturnValue:
    """Delete what a client gave in the round of today."""
    team = team_or_404(team_id)
    done = _gave(open_round(team), {})
    if not done:
        flash(_("The time for giving marks is over. What you gave can't be taken back any more."), "attention")
    return redirect(url_for("team.mirror", team_id=team.id, said="back" if done else None), 303)


# ---- rounds ----------------------------------------------------------------------------------------------------------


@blueprint.route("/<team_id>/rounds/", methods=["GET", "POST"])
def rounds(team_id: str) -> ResponseReturnValue:
    """Show when clients give marks, and plan a new time for it."""
    team = team_or_404(team_id)
    asked = _round_form()
    values: Mapping[str, str] = {}
    problems: dict[str, str] = {}
    if request.method == "POST":
        values = asking.posted(asked)
        problems = _round_problems(asked, values)
        if asking.LOOK not in request.form and not problems:
            problems = _planned(team, values)
            if not problems:
                return redirect(url_for("team.rounds", team_id=team.id, said="planned"), 303)
    screen = Screen(team, asking.filled(asked, values, problems))
    today = current.now().date()
    lines = [
        {
            "id": one.id,
            "name": views.round_name(one.round.start, one.round.end, one.round.name),
            "stops": not one.round.is_over(today) and one.round.end > today,
            "begun": one.round.start <= today,
            "over": one.round.is_over(today),
        }
        for one in reversed(rounds_of(team))
    ]
    page = render_template("team/rounds.html", screen=screen, lines=lines, said=_said())
    return page, 422 if problems else 200


def _round_form() -> tuple[Section, ...]:
    return (
        Section(
            "",
            (
                Field("name", _("What is this round called?"), "line", help=_("Such as spring 2027. May stay open.")),
                Field("start", _("First day"), "date"),
                Field("end", _("Last day"), "date"),
            ),
        ),
    )


def _round_problems(asked: tuple[Section, ...], values: Mapping[str, str]) -> dict[str, str]:
    found = asking.problems(asked, values, {"start": NEEDS_START, "end": NEEDS_END})
    if found:
        return found
    start, end = (asking.day_in(values[name]) for name in ("start", "end"))
    if start is None or end is None:
        return found
    if start < current.now().date():
        return {"start": NOT_BEFORE_TODAY}
    if end < start:
        return {"end": END_FIRST}
    return {"end": TOO_LONG} if end - start > LONGEST_ROUND else {}


def _planned(team: TeamHere, values: Mapping[str, str]) -> dict[str, str]:
    start, end = (dt.date.fromisoformat(as_date(values[name])) for name in ("start", "end"))
    planned = Round(values.get("name", ""), start, end)
    # Sent twice it is one.
    if any(one.round == planned for one in rounds_of(team)):
        return {}
    try:
        current.services().team_marks.plan(names_of(team), planned)
    except RoundTaken:
        return {"start": TAKEN}
    keeping.note("create", "team.rounds")
    return {}


@blueprint.post("/<team_id>/rounds/stop")
def stop_round(team_id: str) -> ResponseReturnValue:
    """Let a round end today, or take one away that has not begun."""
    team = team_or_404(team_id)
    id_ = request.form.get("round", "")
    theirs = any(one.id == id_ for one in rounds_of(team))
    begun = any(one.id == id_ and one.round.start <= current.now().date() for one in rounds_of(team))
    done = theirs and current.services().team_marks.stop(id_, current.now().date())
    if done:
        keeping.note("update", "team.stop_round")
    else:
        flash(_("This round is over already, or was taken away."), "attention")
    said = ("ends" if begun else "away") if done else None
    return redirect(url_for("team.rounds", team_id=team.id, said=said), 303)


# ---- what staff write ------------------------------------------------------------------------------------------------


@blueprint.route("/<team_id>/told/<told_id>/", methods=["GET", "POST"])
def tell(team_id: str, told_id: str) -> ResponseReturnValue:
    """Tell back to clients and staff what came out, or change what was told."""
    team = team_or_404(team_id)
    new = told_id == NEW
    page = FormScreen(
        team=team,
        kind=kinds.told_kind(team),
        id=told_id,
        address=lambda id_: url_for("team.tell", team_id=team.id, told_id=id_),
        name="told",
        removable=True,
        title=_("Tell what came out") if new else _("Change what is told"),
        lead=_("Clients and staff read the same."),
        asked=kinds.told_form(),
        wrong=kinds.told_problems,
        opens={"day": current.today()},
    )
    return page.answered()


@blueprint.route("/<team_id>/actions/<action_id>/", methods=["GET", "POST"])
def act(team_id: str, action_id: str) -> ResponseReturnValue:
    """Write down what the team does, and follow it."""
    team = team_or_404(team_id)
    new = action_id == NEW
    page = FormScreen(
        team=team,
        kind=kinds.action_kind(team),
        id=action_id,
        address=lambda id_: url_for("team.act", team_id=team.id, action_id=id_),
        name="action",
        removable=True,
        title=_("Write down an action") if new else _("Follow this action"),
        lead=_("Clients and staff read the same."),
        asked=kinds.action_form(),
        needed=kinds.ACTION_NEEDED,
        opens={"state": "planned"},
        earlier=lambda id_: _states(team, id_),
    )
    return page.answered()


def _states(team: TeamHere, id_: str) -> tuple[tuple[str, str], ...]:
    """Return how far an action was, and since when, the newest first."""
    found = [(one, action_in(one, team.team)) for one in keeping.history(kinds.action_kind(team), id_)]
    known = [(text_in(one, "lastModified"), action.state) for one, action in found if action]
    changed = [
        (when, state)
        for (when, state), (_when, before) in zip(known, [*known[1:], ("", "")], strict=True)
        if state != before
    ]
    return tuple((format_datetime(when), _(kinds.STATES[state])) for when, state in changed)


@blueprint.route("/<team_id>/panels/<panel_id>/", methods=["GET", "POST"])
def panel(team_id: str, panel_id: str) -> ResponseReturnValue:
    """Write the report of a client panel, or change it."""
    team, form = team_or_404(team_id), form_of(PANEL)
    page = FormScreen(
        team=team,
        kind=kinds.response_kind(team, form),
        id=panel_id,
        address=lambda id_: url_for("team.panel", team_id=team.id, panel_id=id_),
        name="panel",
        removable=True,
        title=text_of(form.title),
        lead=text_of(form.intro),
        asked=kinds.panel_form(),
        wrong=kinds.panel_problems,
        opens={"day": current.today()},
    )
    return page.answered()


_SAID: Final[Mapping[str, str]] = {
    "gave": message("Thank you. What you gave is kept. You can change it until the last day."),
    "back": message("What you gave is deleted."),
    "planned": message("The round is planned."),
    "ends": message("Today is the last day. From tomorrow nobody can give marks."),
    "away": message("The round is taken away."),
    "removed": message("It is taken away. Clients and staff no longer read it."),
    "saved": message("Saved. Clients and staff read this now."),
}


def _said() -> str:
    mark = request.args.get("said", "")
    return _(_SAID[mark]) if mark in _SAID else ""
