"""What can be shared by a link, and the document that somebody reads who has it.

What can be: each card, the form that it is of, and the whole plan. A document says what was written at one moment, in
the language of who made it, and holds nothing that is not shown in it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from mappers.fhir_text import heading
from mappers.health_link import Section
from mappers.identity import URN
from mappers.living import Content, Written, response_of
from mappers.plan import Goal, PersonRef, Plan, resources_of
from mappers.sharing.parts import domain_part, form_part
from mappers.tolerant import object_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from smartapp.access import table
from smartapp.pages.living.card import CardPart, card_of, on_card
from smartapp.pages.living.service import Opened
from smartapp.pages.living.telephones import calls
from smartapp.pages.plan.stored import StoredPlan
from smartapp.web.language import format_date, text_of
from smartapp.web.language import gettext as _
from smartapp.web.living import StoredForm
from smartapp.web.living_views import shown_in
from smartapp.web.looked_at import CRISIS, PLAN
from smartapp.web.plan_views import DomainView, GoalView, Words, domain_view, goal_view
from smartapp.web.written import AnswerView, RowView, WrittenGroup, written_groups

Kind = Literal["card", "form", "plan"]
WHOLE_PLAN: Final = "plan"


@dataclass(frozen=True, slots=True)
class Shareable:
    """Something that can be shared: `what` names it in addresses and in the log (`card.staying-well`, `plan`).

    `for_strangers`: it is made for who has to help without being asked, and may open without a passcode.
    """

    what: str
    title: str
    kind: Kind
    form: str = ""

    @property
    def part(self) -> str:
        """Return which part of the record that is, as the log of access has it."""
        return {"card": CRISIS, "form": f"form.{self.form}", "plan": PLAN}[self.kind]

    @property
    def for_strangers(self) -> bool:
        """Tell whether it may be opened without a passcode."""
        return self.kind == "card"


def shareable(plan: StoredPlan, known: Catalogue) -> tuple[Shareable, ...]:
    """Return what this person can share: only that in which something is written."""
    found: list[Shareable] = []
    for form in known.living.values():
        if form.living is None or not form.living.card or not plan.forms[form.id].content:
            continue
        opened = Opened(plan.forms[form.id], plan)
        title = text_of(form.title)
        if card_of(opened, known).parts:
            found.append(Shareable(f"card.{form.id}", _("Card: %(form)s", form=title), "card", form.id))
        found.append(Shareable(f"form.{form.id}", title, "form", form.id))
    if plan.begun:
        found.append(Shareable(WHOLE_PLAN, _("My whole recovery plan"), "plan"))
    return tuple(found)


def parts_in_it(what: Shareable, plan: StoredPlan) -> tuple[str, ...]:
    """Return the parts of the record that somebody reads who opens it."""
    if what.kind == "plan":
        forms = (part for one in shown_in(plan.forms, "plan") if one.content for part in _parts_of(one.form.id))
        answered = (domain_part(one.domain) for one in plan.plan.domains)
        goals = (domain_part(one.domain) for one in plan.plan.goals)
        return tuple(dict.fromkeys((*forms, *answered, *goals)))
    of_form = _parts_of(what.form)
    return of_form[1:] or of_form if what.kind == "card" else of_form


def may_hold(of_link: str, part: str, known: Catalogue) -> bool:
    """Tell whether words of a part can be in a link that is of `of_link` (`Shareable.part`).

    What was written when it was made is in the link alone: of the whole plan any part may have been.
    """
    if of_link == PLAN:
        forms = (one.id for one in known.living.values() if one.living and "plan" in one.living.shown_in)
        return part.startswith(domain_part("")) or any(part in _parts_of(form) for form in forms)
    return part == of_link or part in _parts_of(of_link.removeprefix(form_part("")))


def _parts_of(form: str) -> tuple[str, ...]:
    return form_part(form), *(one.part for one in table().apart if one.form == form)


@dataclass(frozen=True, slots=True)
class Writing:
    """Who shares, when (a FHIR dateTime) and in which language."""

    client: PersonRef
    when: str
    language: str


def sections_of(what: Shareable, plan: StoredPlan, known: Catalogue, writing: Writing) -> list[Section]:
    """Return the sections of the document about this part of the plan."""
    if what.kind == "card":
        return [_card(Opened(plan.forms[what.form], plan), known, writing)]
    if what.kind == "form":
        return [_form(Opened(plan.forms[what.form], plan), known, writing)]
    return list(_plan(plan, known, writing))


# --- living forms -----------------------------------------------------------------------------------------------


def _card(opened: Opened, known: Catalogue, writing: Writing) -> Section:
    title = _("Card: %(form)s", form=text_of(opened.stored.form.title))
    content = on_card(opened.content)
    name = str(uuid.uuid5(uuid.UUID(opened.stored.identifier), "card"))
    parts = tuple(_card_parts(card_of(opened, known).parts))
    return Section(title, parts, (_response(opened.stored, content, writing, name),))


def _card_parts(parts: Sequence[CardPart]) -> Iterator[str]:
    group = ""
    for part in parts:
        if part.group != group:
            group = part.group
            yield heading(group)
        if part.label:
            yield heading(part.label, 4)
        if part.head:
            yield _paragraph(f"{part.head}: {' '.join(part.texts)}" if any(part.texts) else part.head)
        else:
            yield _texts(part.texts)


def _form(opened: Opened, known: Catalogue, writing: Writing) -> Section:
    title = text_of(opened.stored.form.title)
    parts = tuple(one for group in written_groups(opened.content, known) for one in _group(group, title))
    response = _response(opened.stored, opened.content, writing, opened.stored.identifier)
    return Section(title, parts, (response,))


def _response(stored: StoredForm, content: Content, writing: Writing, identifier: str) -> Resource:
    """Return what is written as a response of its own: nothing that another program added to the stored one."""
    author = object_in(stored.record.resource, "author") if stored.record else {}
    typist = PersonRef(text_in(author, "reference"), text_in(author, "display")) if author else writing.client
    written = Written(writing.client, typist, stored.changed or writing.when, writing.language)
    return response_of(content, written, identifier=identifier)


def _group(group: WrittenGroup, form: str) -> Iterator[str]:
    """Yield a group; where it is called as its form is, that is said once, and what is below stands one step higher."""
    named = group.title != form
    if named:
        yield heading(group.title)
    level = 4 if named else 3
    for answer in group.answers:
        yield heading(_asked(answer), level)
        yield _texts(answer.texts)
    for row in group.rows:
        yield from _row(row, level)


def _row(row: RowView, level: int) -> Iterator[str]:
    title = f"{row.title} ({format_date(row.day)})" if row.day else row.title
    if not row.answers:
        yield _paragraph(title)
        return
    yield heading(title, level)
    for answer in row.answers:
        yield f"<p><em>{calls(_asked(answer))}</em></p>"
        yield _texts(answer.texts)


def _asked(answer: AnswerView) -> str:
    return f"{answer.question} ({answer.whose})" if answer.whose else answer.question


# --- the plan ---------------------------------------------------------------------------------------------------


def _plan(stored: StoredPlan, known: Catalogue, writing: Writing) -> Iterator[Section]:
    words = Words.of(known)
    plan = _named(stored)
    goals, rest = _resources(plan, stored, known, writing)
    for form in shown_in(stored.forms, "plan"):
        if form.content:
            yield _form(Opened(form, stored), known, writing)
    if plan.goals:
        views = [goal_view(goal, words) for goal in sorted(plan.goals, key=lambda goal: not goal.active)]
        yield Section(_("My goals"), tuple(one for view in views for one in _goal(view)), tuple(goals))
    areas = [one for answers in plan.domains for one in _area(domain_view(answers, plan, words))]
    yield Section(_("What I am working on"), tuple(areas), tuple(rest))


def _named(stored: StoredPlan) -> Plan:
    """Return the plan with our own names for its parts: what a server calls them means nothing to who reads it."""

    def goal(one: Goal) -> Goal:
        name = stored.name_of(one) or str(uuid.uuid5(uuid.NAMESPACE_URL, f"Goal/{one.id}"))
        steps = tuple(
            replace(step, id=f"{URN}{uuid.uuid5(uuid.NAMESPACE_URL, f'Task/{step.id}')}") for step in one.steps
        )
        return replace(one, id=f"{URN}{name}", steps=steps)

    name = uuid.uuid5(uuid.NAMESPACE_URL, f"CarePlan/{stored.plan.id}")
    return replace(stored.plan, id=f"{URN}{name}", goals=tuple(goal(one) for one in stored.plan.goals))


def _resources(
    plan: Plan, stored: StoredPlan, known: Catalogue, writing: Writing
) -> tuple[list[Resource], list[Resource]]:
    """Return the goals with their steps, and the CarePlan, as new ones: nothing of others that the record has there."""
    language = stored.language or writing.language
    made = resources_of(plan, patient=writing.client, author=writing.client, known=known, language=language)
    return made[:-1], made[-1:]


def _goal(view: GoalView) -> Iterator[str]:
    goal = view.goal
    yield heading(goal.text)
    said = f"{view.progress}, {format_date(goal.progress_date)}" if goal.progress_date else view.progress
    due = _("By %(date)s", date=format_date(goal.due)) if goal.due and goal.active else ""
    facts = [fact for fact in (view.domain, said if view.progress else "", due) if fact]
    if facts:
        yield _paragraph(" · ".join(facts))
    if goal.note:
        yield _paragraph(goal.note)
    steps = [one for one in view.steps if one.step.status != "stopped"]
    if steps:
        yield _texts([" · ".join(filter(None, (one.step.text, one.status, one.step.who))) for one in steps], many=True)


def _area(view: DomainView) -> Iterator[str]:
    yield heading(view.title)
    for answer in view.answered:
        yield heading(answer.question, 4)
        yield _paragraph(answer.text)


# --- XHTML ------------------------------------------------------------------------------------------------------


def _texts(texts: Sequence[str], *, many: bool = False) -> str:
    if len(texts) == 1 and not many:
        return _paragraph(texts[0])
    return f"<ul>{''.join(f'<li>{_lines(text)}</li>' for text in texts)}</ul>"


def _paragraph(text: str) -> str:
    return f"<p>{_lines(text)}</p>"


def _lines(text: str) -> str:
    """Return a text as XHTML in which telephone numbers can be called."""
    return "<br/>".join(_numbers(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")))


def _numbers(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield str(calls(line.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")))
