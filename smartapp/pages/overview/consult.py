"""What a clinician needs in the minutes before a conversation, on one screen; everything longer is one press away.

Nothing here weighs or judges: what comes first is what the client said must come first, and the rest is in its order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Final

from flask import url_for

from mappers.answers import asked_in
from mappers.talking import still_to_discuss
from mappers.tolerant import text_in
from mappers.trends import Measurement, Trend
from mappers.visit import ReportLine, VisitReport
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import ScoreRule
from smartapp.i18n import message
from smartapp.pages.overview.news import LastLook, New
from smartapp.pages.overview.views import FoldedText, InstrumentSummary, OverviewPage, first_lines
from smartapp.pages.scores.trends import origin_words
from smartapp.web import current
from smartapp.web.language import format_date, format_month, format_number, moment_of, text_of
from smartapp.web.language import gettext as _
from smartapp.web.living_views import WrittenForm
from smartapp.web.plan_views import FOR_LATER, PROGRESS_TEXTS, STATUS_TEXTS, GoalView
from smartapp.web.written import FirstWords

FIRST_LINE: Final = 95
"""Characters of the story on this page: one line of a wide screen, two of a narrow one."""
FEW: Final = 30
"""Characters of an agreement of which the client said something: what was said is in the same line."""
MOST_SHOWN: Final = 4
"""How many of anything stand open; the rest is behind one press."""
FIRST: Final = "sdm-visit-purpose-first"
"""What the client said must certainly be discussed."""
THEN: Final = ("sdm-visit-questions-ask", "sdm-visit-medication-bothers", "sdm-visit-limits")
"""What a conversation most often turns on; the other answers are one press away."""
MOST_WORDS: Final = 3
"""Of the visit and of what must be discussed together."""


@dataclass(frozen=True, slots=True)
class NewLine:
    """One thing that is new: what it is, the client's own words of it ("" where there are none), and the day."""

    text: str
    words: str
    day: str
    response_id: str = ""
    talked_on: str = ""
    """The day of a conversation, as its sheet is named."""
    href: str = ""
    """Where it is read, of what has a page of its own."""


@dataclass(frozen=True, slots=True)
class FormLine:
    """A living form in one line: what it begins with (None for nothing), and the day on which it was changed."""

    title: str
    href: str
    first: FirstWords | None
    day: str


@dataclass(frozen=True, slots=True)
class GoalLine:
    """A goal with how many of its steps are done; steps that are no longer needed do not count."""

    view: GoalView
    done: int
    steps: int


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """The first and the last number of one instrument, "" where there is none, and the months they are of."""

    summary: InstrumentSummary
    range: str
    first: str
    first_month: str
    last: str
    last_month: str
    parts: int
    """Of how many parts there is a score, where there is none for the whole."""
    origin: str
    """Where the last number comes from, in words; "" where it was filled in and stored here."""


@dataclass(frozen=True, slots=True)
class ConsultPage:
    """The whole page. `all` has everything that is one press away."""

    all: OverviewPage
    looked: str
    """When the reader last looked, as people say it; "" where that was never, or nobody knows."""
    first_look: bool
    story: FoldedText
    helps: tuple[str, ...]
    helps_title: str
    must: tuple[str, ...]
    """What must be discussed, in the client's words."""
    then: tuple[ReportLine, ...]
    visit_answers: int
    news: tuple[NewLine, ...]
    goals: tuple[GoalLine, ...]
    later: int
    """How many goals are for later."""
    scores: tuple[ScoreLine, ...]
    forms: tuple[FormLine, ...]
    """What else the client wrote in living forms."""


def consult_page(
    everything: OverviewPage, *, tasks: Sequence[Resource], news: Iterable[New], look: LastLook, known: Catalogue
) -> ConsultPage:
    """Put the page together from what the overview has, what is new, and when the reader last looked."""
    written = [one for one in everything.forms if one.view.written]
    # Who somebody is comes first: a text of their own, and then a list, such as of what helps; both with all they say.
    story = next((one for one in written if one.story), None)
    helps = next((one for one in written if one.listed and one.first and one.first.own), None)
    lines = [line for section in (everything.visit.sections if everything.visit else ()) for line in section.lines]
    must = [line.answer for line in lines if line.link_id == FIRST]
    points = still_to_discuss(list(tasks))
    said = (*must, *(point.words for point in points))
    marked = {point.answer.link_id for point in points}
    then = [line for line in _then(everything.visit) if line.link_id not in marked]
    return ConsultPage(
        all=everything,
        looked="" if look.at is None else look_said(look.at),
        first_look=look.at is None and look.sure,
        story=first_lines(story.story if story else "", FIRST_LINE),
        helps=helps.listed if helps else (),
        helps_title=helps.title if helps else "",
        must=said,
        then=tuple(then[: max(0, MOST_WORDS - len(said))]),
        visit_answers=len(lines),
        news=tuple(_new_line(one, known) for one in news),
        goals=tuple(goal_line(view) for view in everything.goals if not view.goal.later),
        later=sum(1 for view in everything.goals if view.goal.later),
        scores=tuple(score_line(one) for one in everything.measured),
        forms=tuple(form_line(one) for one in written if one not in (story, helps)),
    )


def form_line(form: WrittenForm) -> FormLine:
    """Return a living form in one line."""
    changed = form.view.changed
    return FormLine(form.title, form.view.href, form.first, format_date(changed, "medium") if changed else "")


def look_said(at: int) -> str:
    """Return when someone looked: the day, or the time of today; short, for it stands in a line beside buttons."""
    now = current.now()
    moment = dt.datetime.fromtimestamp(at, now.tzinfo)
    if moment.date() == now.date():
        return _("today, %(time)s", time=f"{moment:%H:%M}")
    return format_date(moment.date())


def goal_line(view: GoalView) -> GoalLine:
    """Count the steps of a goal."""
    steps = [item.step for item in view.steps if item.step.status != "stopped"]
    return GoalLine(view, sum(1 for step in steps if step.status == "done"), len(steps))


def score_line(summary: InstrumentSummary) -> ScoreLine:
    """Return the first and the last number of an instrument's leading score."""
    lead = summary.lead
    scored = lead.scored
    # One measurement is the last and not a first one: there is nothing to compare it with.
    first, first_month = _number(lead, scored[0]) if len(scored) > 1 else ("", "")
    last, last_month = _number(lead, scored[-1]) if scored else ("", "")
    limits = f"{format_number(lead.rule.low)}–{format_number(lead.rule.high)}"
    return ScoreLine(
        summary=summary,
        range=limits,
        first=first,
        first_month=first_month,
        last=last,
        last_month=last_month,
        parts=summary.measurements.parts_scored,
        origin=origin_words(scored[-1]) if scored else "",
    )


def _number(trend: Trend, one: Measurement) -> tuple[str, str]:
    return shown_number(one.value or 0, trend.rule), format_month(one.day)


def shown_number(value: float, rule: ScoreRule) -> str:
    """Return a score as it is shown: a mean with two decimals, so that two below each other compare."""
    return format_number(value, 2, fixed=rule.aggregate == "mean")


def _then(visit: VisitReport | None) -> tuple[ReportLine, ...]:
    words = {line.link_id: line for section in visit.sections for line in section.words} if visit else {}
    return tuple(words[link_id] for link_id in THEN if link_id in words)


NEWS_TEXTS: Final = {
    "goal": message("New goal:"),
    "reworded": message("Goal changed:"),
    "plan": message("Something in the plan was changed"),
}


def _new_line(one: New, known: Catalogue) -> NewLine:
    day = format_date(one.when, "medium")
    if one.response is not None:
        return NewLine(_filled_in(one.response, known), "", day, text_in(one.response, "id"))
    if one.kind == "conversation":
        moment = moment_of(one.when)
        return NewLine(_("A conversation"), "", day, talked_on=f"{moment:%Y-%m-%d}" if moment else "")
    if one.agreement is not None and one.remark is not None:
        about = shorten(one.agreement.text, FEW, placeholder=" …")
        return NewLine(
            _("About “%(agreement)s”:", agreement=about),
            one.remark.text,
            day,
        )
    if one.form is not None:
        form = one.form.form
        title = text_of(form.living.overview.title if form.living and form.living.overview else form.title)
        return NewLine(_("%(title)s: changed", title=title), "", day, href=url_for("living.form", form_id=form.id))
    if one.note is not None:
        return NewLine(_("About %(title)s:", title=_title(one.note.instrument, known)), one.note.text, day)
    return _of_plan(one, day)


def _of_plan(one: New, day: str) -> NewLine:
    if one.step is not None:
        return NewLine(f"{_(STATUS_TEXTS[one.step.status])}:", one.step.text, day)
    words = one.goal.text if one.goal else ""
    if one.kind == "progress" and one.goal is not None:
        progress = FOR_LATER if one.goal.later else PROGRESS_TEXTS.get(one.goal.progress, "")
        return NewLine(f"{_(progress)}:", words, day)
    return NewLine(_(NEWS_TEXTS[one.kind]), words, day)


def _filled_in(response: Resource, known: Catalogue) -> str:
    asked = asked_in(response, known)
    return _("%(title)s: filled in", title=text_of(asked.title) if asked else _("A questionnaire"))


def _title(instrument: str, known: Catalogue) -> str:
    return text_of(known.instruments[instrument].title) if instrument in known.instruments else _("A questionnaire")
