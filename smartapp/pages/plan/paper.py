"""The plan on paper: what its page shows, in the order of that page, as a PDF."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from mappers.plan import Plan
from questionnaires.catalogue import Catalogue
from smartapp.storage.launches import Person
from smartapp.web.language import format_date, text_of
from smartapp.web.language import gettext as _
from smartapp.web.living import StoredForm
from smartapp.web.living_views import shown_in
from smartapp.web.pdf import heading_lines, lines, pdf
from smartapp.web.plan_views import DomainView, GoalView, PartView, Words, domain_view, goal_view, part_views

TEMPLATE = Path(__file__).with_name("templates") / "plan" / "document.typ"


def paper(
    plan: Plan, known: Catalogue, *, client: Person, made: dt.datetime, forms: Mapping[str, StoredForm] | None = None
) -> bytes:
    """Return the plan as a PDF; the same bytes for the same plan, forms, client, moment and language.

    `forms` are those of the plan: what is written in them and not on this paper is named, as it has its own.

    The words around the client's own are in the language of the reader, or of the block it is called in (`kept_in`).
    Raises NotTypeset.
    """
    data = contents(plan, known, client.display, forms or {})
    return pdf(_("My recovery plan"), TEMPLATE, data, person=client, made=made)


def contents(plan: Plan, known: Catalogue, client: str, forms: Mapping[str, StoredForm]) -> dict[str, Any]:
    """Return what the template puts on paper: first the client's own texts, then goals, areas and earlier goals."""
    words = Words.of(known)
    goals = [goal_view(goal, words) for goal in plan.goals]
    groups = (
        (_("My goals"), [goal_data(view) for view in goals if view.goal.active]),
        (_("Earlier goals"), [goal_data(view) for view in goals if not view.goal.active]),
    )
    return {
        "about": _("The words in this plan are those of %(name)s.", name=client),
        "parts": _rows([view for view in part_views(plan, known) if view.texts]),
        "goals": [{"title": title, "goals": found} for title, found in groups if found],
        "areas-title": _("What I am working on"),
        "areas": [_area(domain_view(answers, plan, words)) for answers in plan.domains],
        "nothing-here": _("Nothing written here yet."),
        "also": _also(forms, {part.form.id for part in known.plan_parts}),
        "also-title": _("Also part of my plan"),
        "also-help": _("Each of these has a sheet of its own."),
    }


def _also(forms: Mapping[str, StoredForm], here: Collection[str]) -> list[str]:
    """Return the titles of the forms of the plan in which something is written, and that are not `here`."""
    others = (one for one in shown_in(forms, "plan") if one.form.id not in here and one.content)
    return [text_of(one.form.title) for one in others]


def _rows(parts: list[PartView]) -> list[list[dict[str, Any]]]:
    """Return the parts that stand side by side: lists that follow each other; a single text has the whole width."""
    rows: list[list[dict[str, Any]]] = []
    for many, group in groupby(parts, key=lambda view: view.part.many):
        shown = [
            {"title": text_of(view.part.title), "many": many, "texts": [lines(text) for text in view.texts]}
            for view in group
        ]
        rows += [shown] if many else [[one] for one in shown]
    return rows


def goal_data(view: GoalView) -> dict[str, Any]:
    """Return what `aim` in `sheet.typ` shows of a goal."""
    goal = view.goal
    said = f"{view.progress}, {format_date(goal.progress_date)}" if goal.progress_date else view.progress
    due = _("By %(date)s", date=format_date(goal.due)) if goal.due and goal.active else ""
    return {
        "text": heading_lines(goal.text),
        "facts": [fact for fact in (view.domain, said if view.progress else "", due) if fact],
        "note": lines(goal.note) if goal.note else None,
        "steps": [
            {"text": lines(one.step.text), "status": one.status, "who": lines(one.step.who) if one.step.who else None}
            for one in view.steps
            if one.step.status != "stopped"
        ],
    }


def _area(view: DomainView) -> dict[str, Any]:
    answers = [{"question": answer.question, "text": lines(answer.text)} for answer in view.answered]
    return {"title": heading_lines(view.title), "answers": answers}
