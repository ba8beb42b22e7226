"""A part of a questionnaire on one page: another view of the same draft, for who prefers to see more at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from questionnaires.catalogue import catalogue
from questionnaires.model import Group, Instrument
from smartapp.pages.questionnaire.drafting import ChangedElsewhere, Given, about, keep_answer
from smartapp.pages.questionnaire.filling import AnswerError, Filling, filling_of
from smartapp.pages.questionnaire.views import explained, options_of
from smartapp.web import current
from smartapp.web.language import gettext as _
from smartapp.web.language import language, text_of
from smartapp.web.typed import digest


@dataclass(frozen=True, slots=True)
class PartQuestion:
    """One question of the part. `problem` says why its answer was not kept; `other` is what another tab has there."""

    link_id: str
    number: int
    kind: str
    text: str
    help: str
    options: Sequence[dict[str, str]]
    chosen: str
    based_on: str
    problem: str = ""
    other: str | None = None


@dataclass(frozen=True, slots=True)
class PartPage:
    """All questions of one group that are asked, given the answers so far."""

    instrument: Instrument
    group: Group
    here: int
    total: int
    questions: Sequence[PartQuestion]
    previous: str | None
    first: str


def part(instrument_id: str, group_id: str) -> ResponseReturnValue:
    """Show the questions of one group with their answers so far."""
    instrument, group = _found(instrument_id, group_id)
    filling = _filling(instrument)
    if not _asked(filling, group):
        return redirect(url_for(".intro", instrument_id=instrument.id), 303)
    return render_template("questionnaire/part.html", page=_page(filling, group))


def keep_part(instrument_id: str, group_id: str) -> ResponseReturnValue:
    """Keep what was answered on the page; then go on, or say to a script that it is kept."""
    instrument, group = _found(instrument_id, group_id)
    problems, others = _keep(instrument, group)
    filling = _filling(instrument)
    script = request.accept_mimetypes.best == "application/json"
    if problems or others:
        if script:
            sentence = next(iter(problems.values()), _("Another tab has another text here. Press Next to see both."))
            return jsonify(stop=sentence), 409
        page = _page(filling, group, problems, others)
        return render_template("questionnaire/part.html", page=page), 422 if problems else 409
    if script:
        fields = {f"was-{item.link_id}": digest(filling.text(item)) for item in group.items if item.kind == "text"}
        return jsonify(saved=True, fields=fields)
    return redirect(_after(filling, group), 303)


def _keep(instrument: Instrument, group: Group) -> tuple[dict[str, str], dict[str, str]]:
    """Keep each answer that the form has; return what could not be kept, and what another tab has in its place."""
    problems, others = {}, {}
    for item in group.items:
        answer = request.form.get(f"answer-{item.link_id}")
        if answer is None:
            continue
        given = Given(answer, based_on=request.form.get(f"was-{item.link_id}"))
        try:
            keep_answer(
                current.records().drafts,
                instrument,
                item,
                given,
                about=about(current.launch(), current.now(), language()),
                catalogue=catalogue(),
            )
        except ChangedElsewhere as changed:
            others[item.link_id] = changed.filling.text(item)
        except AnswerError as error:
            problems[item.link_id] = explained(error)
    return problems, others


def _after(filling: Filling, group: Group) -> str:
    here, instrument = url_for(".part", instrument_id=filling.instrument.id, group_id=group.link_id), filling.instrument
    if "pause" in request.form:
        return url_for(".pause", instrument_id=instrument.id)
    shown = set(request.form.get("seen-questions", "").split(","))
    if any(item.link_id not in shown for item in group.items if filling.asks(item)):
        return here  # an answer opened another question on this page
    groups = [one for one in instrument.groups if _asked(filling, one)]
    at = groups.index(group) + (-1 if "previous" in request.form else 1)
    if at < 0:
        return url_for(".intro", instrument_id=instrument.id)
    if at >= len(groups):
        return url_for(".review", instrument_id=instrument.id)
    return url_for(".part", instrument_id=instrument.id, group_id=groups[at].link_id)


def _page(
    filling: Filling, group: Group, problems: dict[str, str] | None = None, others: dict[str, str] | None = None
) -> PartPage:
    problems, others = problems or {}, others or {}
    groups = [one for one in filling.instrument.groups if _asked(filling, one)]
    at = groups.index(group)
    questions = []
    for item in group.items:
        if not filling.asks(item):
            continue
        typed = request.form.get(f"answer-{item.link_id}") if item.link_id in {*problems, *others} else None
        questions.append(
            PartQuestion(
                link_id=item.link_id,
                number=filling.number(item),
                kind=item.kind,
                text=text_of(item.text),
                help=text_of(item.help),
                options=options_of(item),
                chosen=filling.text(item) if typed is None else typed,
                based_on=digest(filling.text(item)),
                problem=problems.get(item.link_id, ""),
                other=others.get(item.link_id),
            )
        )
    return PartPage(
        instrument=filling.instrument,
        group=group,
        here=at + 1,
        total=len(groups),
        questions=questions,
        previous=groups[at - 1].link_id if at else None,
        first=questions[0].link_id,
    )


def _asked(filling: Filling, group: Group) -> bool:
    return any(filling.asks(item) for item in group.items)


def _found(instrument_id: str, group_id: str) -> tuple[Instrument, Group]:
    instrument = catalogue().asked.get(instrument_id) or abort(404)
    group = next((one for one in instrument.groups if one.link_id == group_id), None) or abort(404)
    return instrument, group


def _filling(instrument: Instrument) -> Filling:
    draft = current.records().drafts.get(instrument.id)
    return filling_of(instrument, draft.resource if draft else None, catalogue())
