"""The ROPI of a team: how far it is, the scores of one auditor, and what both agree on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.answers import answers_of
from mappers.team.audit import FORM as ROPI
from mappers.tolerant import text_in
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument
from smartapp.i18n import message
from smartapp.pages.ropi.scoring import AGREED, SCORER, Audit, as_agreed, is_agreed, scores_in
from smartapp.pages.team import asking
from smartapp.pages.team.asking import Section
from smartapp.pages.team.drafting import Unfinished
from smartapp.pages.team.found import form_of, team_or_404
from smartapp.pages.team.keeping import Kind, Values
from smartapp.pages.team.kinds import DAY, response_kind
from smartapp.pages.team.screens import NEW, FormScreen, Screen
from smartapp.settings import TeamHere
from smartapp.storage.team_audits import PLACES, NoPlace
from smartapp.web import current
from smartapp.web.fields import Field
from smartapp.web.language import gettext as _

blueprint = Blueprint("ropi", __name__, url_prefix="/team/<team_id>/ropi", template_folder="templates")

NEEDS_AGREEMENT: Final = message("Choose at least one score that you agree on.")
NEEDS_SCORES: Final = message("Choose at least one score before you send it.")
SENT_BEFORE: Final = message("You sent your scores before. What you typed now is kept: change yours to go on with it.")


@blueprint.get("/")
def index(team_id: str) -> ResponseReturnValue:
    """Show how far the ROPI of this year is, and that of the last one where it was begun and not sent by both."""
    team, this = team_or_404(team_id), current.now().year
    now, last = (_progress(Audit(team, year)) for year in (this, this - 1))
    unfinished = last["sent"] != len(PLACES) and (last["sent"] or last["begun"])
    return render_template(
        "ropi/index.html",
        team=team,
        form=form_of(ROPI),
        audits=[now, last] if unfinished else [now],
        before=_years_to_agree(team),
    )


def _progress(audit: Audit) -> dict[str, int]:
    """Return how far an audit is; all but `year` and `sent` are 0 or 1."""
    audit.settle()
    return {
        "year": audit.year,
        "sent": audit.sent(),
        "mine": audit.mine() is not None,
        "begun": Unfinished(audit.team, _name(audit.year)).kept() is not None,
        "agreed": audit.stored(AGREED) is not None,
    }


def _years_to_agree(team: TeamHere) -> list[int]:
    """Return the two years before this one of which both auditors sent theirs."""
    this = current.now().year
    return [year for year in (this - 1, this - 2) if Audit(team, year).stored(1) is not None]


@blueprint.route("/<int:year>/mine/", methods=["GET", "POST"])
def mine(team_id: str, year: int) -> ResponseReturnValue:
    """Let an auditor score by themselves, and send it once they are done; of the year before this one too."""
    team, form = team_or_404(team_id), form_of(ROPI)
    audit, draft = Audit(team, _open_year(year)), Unfinished(team, _name(year))
    asked = asking.sections(form, without={SCORER})
    sent = audit.mine()
    if (answer := draft.answered(asked, sent.answers if sent else {})) is not None:
        return answer
    audit.settle()
    back = redirect(url_for("ropi.index", team_id=team.id), 303)
    if sent is not None:
        if request.method == "POST" and (again := asking.posted(asked)) != sent.answers:  # from another tab
            draft.keep(again)
            flash(_(SENT_BEFORE), "attention")
        return back
    typed = draft.kept()
    values: Mapping[str, str] = typed.values if typed else {}
    problems: dict[str, str] = {}
    if request.method == "POST":
        values = asking.posted(asked)
        draft.keep(values)
        problems = asking.problems(asked, values, {})
        if not problems and "send" not in request.form:
            flash(_("It is kept. You can go on later."))
            return back
        if not problems and not scores_in(form, values):
            problems = {form.scores[0].items[0]: NEEDS_SCORES}
        if not problems and _sent(audit, values):
            draft.forget()
            return back
    page = render_template(
        "ropi/mine.html",
        screen=Screen(team, asking.filled(asked, values, problems)),
        form=form,
        year=year,
        full=audit.sent() == 2,
    )
    return page, 422 if problems else 409 if request.method == "POST" else 200


def _sent(audit: Audit, values: Values) -> bool:
    try:
        audit.send(values)
    except NoPlace:
        return audit.has(values)
    return True


@blueprint.post("/<int:year>/back")
def take_back(team_id: str, year: int) -> ResponseReturnValue:
    """Let an auditor go on with what they sent, as long as the other has not sent theirs."""
    team = team_or_404(team_id)
    sent = Audit(team, year).take_back()
    if sent is None:
        flash(_("Both have sent their scores, so they stand as they are."), "attention")
        return redirect(url_for("ropi.index", team_id=team.id), 303)
    draft = Unfinished(team, _name(year))
    if draft.kept() is None:  # what was typed since goes before
        draft.keep(sent.answers)
    return redirect(url_for("ropi.mine", team_id=team.id, year=year), 303)


@blueprint.route("/<int:year>/agreed/", methods=["GET", "POST"])
def agree(team_id: str, year: int) -> ResponseReturnValue:
    """Write down what both agree on, with what each scored beside it; once both have sent theirs, and not sooner."""
    team, form = team_or_404(team_id), form_of(ROPI)
    audit = Audit(team, year)
    audit.settle()
    both = [one.resource for one in (audit.stored(1), audit.stored(2)) if one is not None]
    if len(both) < 2:
        abort(404)
    there = audit.stored(AGREED)
    first, second = (answers_of(one, catalogue()).values for one in both)
    same = {name: str(value) for name, value in first.items() if second.get(name) == value and name != SCORER}
    page = FormScreen(
        team=team,
        kind=_agreed_kind(team, form, max(text_in(one, "authored") for one in both)),
        id=there.resource["id"] if there else NEW,
        name=f"ropi-{year}",
        identifier=audit.identifier(AGREED),
        address=lambda _id: url_for("ropi.agree", team_id=team.id, year=year),
        title=_("What both agree on, %(year)s", year=year),
        lead=_(
            "Where both gave the same score, it stands there already. Talk about the others, and choose one together."
        ),
        asked=_beside(asking.sections(form, without={SCORER}), first, second),
        wrong=_agreement_problems,
        opens=same,
    )
    return page.answered()


def _agreement_problems(asked: tuple[Section, ...], values: Values) -> dict[str, str]:
    """Return what is wrong with an agreement, by the name of a field, as English keys: one without scores is none."""
    form = form_of(ROPI)
    needed = {} if scores_in(form, values) else {form.scores[0].items[0]: NEEDS_AGREEMENT}
    return needed | asking.problems(asked, values, {})


def _agreed_kind(team: TeamHere, form: Instrument, measured: str) -> Kind:
    """Return how the agreement is written: as of when the second auditor sent theirs, whenever they talk."""
    whole = response_kind(team, form)

    def values_in(resource: Resource) -> Values | None:
        values = whole.values_in(resource)
        if values is None or not is_agreed(values):
            return None
        return {name: value for name, value in values.items() if name not in (SCORER, DAY)}

    def make(values: Values, identifier: str, there: Resource | None) -> Resource:
        return whole.make({**as_agreed(values), DAY: measured}, identifier, there)

    return Kind(whole.type, values_in, make, whole.system)


def _beside(
    asked: tuple[Section, ...], first: Mapping[str, str | bool], second: Mapping[str, str | bool]
) -> tuple[Section, ...]:
    """Return fields that each say what both auditors chose or wrote there."""

    def said(one: Field) -> Field:
        each = [one.shown(str(values[one.name])) if one.name in values else "" for values in (first, second)]
        if not any(each):
            return one
        a, b = (text or "–" for text in each)
        chose = _("First auditor: %(first)s. Second auditor: %(second)s.", first=a, second=b)
        return replace(one, help=" ".join(filter(None, (one.help, chose))))

    return tuple(Section(one.title, tuple(map(said, one.fields))) for one in asked)


def _open_year(year: int) -> int:
    # Who scored in December is waited for in January, and so is the other.
    return year if current.now().year - year in (0, 1) else abort(404)


def _name(year: int) -> str:
    return f"ropi/{year}"
