"""Earlier versions of what the client wrote in the plan, to be put back; `smartapp.web.versions` says how."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any

from flask import url_for

from mappers.errors import PlanError
from mappers.living import content_of
from mappers.living.in_plan import texts_of
from mappers.plan import QUESTIONS, Goal, Plan, Remark, goal_of, plan_of
from mappers.plan.model import newest_first
from mappers.plan.removing import former, is_removed
from mappers.tolerant import object_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.living import PlanPart
from smartapp.pages.plan import sections
from smartapp.pages.plan.sections import Section
from smartapp.pages.plan.stored import StoredPlan
from smartapp.records import Record
from smartapp.web import current, versions
from smartapp.web.language import format_date, text_of
from smartapp.web.language import gettext as _
from smartapp.web.plan_views import GoalView, RemarkView, Words, goal_view, remark_view
from smartapp.web.versions import TextForm, Thread


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """The earlier versions of the plan, or of one goal. `readable`: the record lets us read them."""

    readable: bool
    threads: tuple[Thread, ...]
    goals: tuple[GoalView, ...] = ()  # those that have earlier versions of their own, perhaps
    removed_goals: tuple[GoalView, ...] = ()
    removed_steps: tuple[GoalView, ...] = ()  # goals of the plan with the steps alone that were taken out
    remarks: tuple[RemarkView, ...] = ()  # what the client said about the goal and took out
    here: int = 0  # how many pages back
    older: bool = False  # there is a page after this one
    goal_id: str = ""


def plan_page(plan: StoredPlan, known: Catalogue) -> HistoryPage:
    """Return the earlier versions of the client's texts and answers, and what was taken out of the plan."""
    words, made_by = Words.of(known), versions.writers()
    of_plan = [one for one in plan.records if one.resource["resourceType"] == "CarePlan" and one.state == "stored"]
    of_forms = [one for part in known.plan_parts if (one := _response_of(part, plan)) is not None]
    read_at_once = current.records().histories([*of_plan, *of_forms])
    found = [version for each in read_at_once[: len(of_plan)] for version in versions.readable(each)]
    responses = dict(zip((one.reference for one in of_forms), read_at_once[len(of_plan) :], strict=True))
    plans = _plans(found, known)
    told = [_told_of(part, plan, plans, responses) for part in known.plan_parts]
    threads = [_thread(form, plan.plan, versions.of_page(read), made_by) for form, read in told]
    forms = (
        _Form(
            f"{title}: {words.questions[name]}",
            url_for("plan.question", code=code, question=name),
            sections.domain(code, (name,)),
        )
        for code, title in words.domains.items()
        for name in QUESTIONS
    )
    shown = versions.of_page(plans)
    threads += [
        _thread(form, plan.plan, [(one, form.section.read(then)) for one, then in shown], made_by) for form in forms
    ]
    return HistoryPage(
        readable=bool(found) or any(read for _form, read in told) or not plan.records,
        threads=tuple(thread for thread in threads if thread.versions),
        goals=tuple(goal_view(goal, words) for goal in plan.plan.goals),
        removed_goals=tuple(goal_view(goal, words) for goal in plan.goals_removed() if goal.text),
        removed_steps=tuple(goal_view(goal, words) for goal in plan.steps_removed()),
        here=versions.here(),
        older=versions.has_older(plans) or any(versions.has_older(read) for _form, read in told),
    )


def _response_of(part: PlanPart, plan: StoredPlan) -> Record | None:
    """Return the response that has these words, None while there is none, or it is on its way."""
    form = plan.forms.get(part.code)
    return form.record if form is not None and form.record is not None and not form.on_its_way else None


def _told_of(
    part: PlanPart,
    plan: StoredPlan,
    plans: Iterable[tuple[Resource, Plan]],
    responses: Mapping[str, list[Record] | None],
) -> tuple[_Form, list[tuple[Resource, Mapping[str, str]]]]:
    """Return words that are in a living form now, with all their versions there, and in the plan before that."""
    name = part.item.link_id
    section = Section((name,), lambda then: {name: "\n".join(then.texts.get(part.code, ()))}, lambda then, _texts: then)
    stored = _response_of(part, plan)
    there = versions.readable(responses[stored.reference]) if stored else []
    read = [(one, {name: "\n".join(texts_of(content_of(one, part.form), part))}) for one in there]
    # Once the words had arrived in the form they went out of the plan: that they are not there is no version of them.
    before = dropwhile(lambda each: not each[1][name], ((one, section.read(then)) for one, then in plans))
    address = url_for("living.step", form_id=part.code, step=part.step)
    return _Form(text_of(part.title), address, section, adds=part.group.many), [*read, *before]


def goal_page(plan: StoredPlan, goal: Goal, known: Catalogue) -> HistoryPage:
    """Return the earlier versions of the words of one goal and of its steps."""
    words, made_by = Words.of(known), versions.writers()
    wanted = {f"Goal/{goal.id}", *(f"Task/{step.id}" for step in goal.steps)}
    records = [one for one in plan.records if one.state == "stored" and one.reference in wanted]
    histories = dict(zip((one.reference for one in records), current.records().histories(records), strict=True))

    def about_goal(texts: Mapping[str, str]) -> tuple[str, ...]:
        due = [_("By %(date)s", date=format_date(texts["due"]))] if texts["due"] else []
        return (words.domains.get(texts["domain"], texts["domain"]), *due)

    action = url_for("plan.goal_words", goal_id=goal.id)
    form = _Form(_("The goal"), action, sections.goal(goal.id, current.today()), about_goal)
    of_goal = versions.readable(histories.get(f"Goal/{goal.id}"))
    read = [(one, _of_goal(one)) for one in versions.of_page(of_goal)]
    threads = [_thread(form, plan.plan, read, made_by)]
    for step in goal.steps:
        action = url_for("plan.step", goal_id=goal.id, step_id=step.id)
        title = _("The step: %(words)s", words=step.text)
        form = _Form(title, action, sections.step(goal.id, step.id), lambda texts: tuple(filter(None, [texts["who"]])))
        of_step = versions.of_page(versions.readable(histories.get(f"Task/{step.id}")))
        threads.append(_thread(form, plan.plan, [(one, _of_step(one)) for one in of_step], made_by))
    return HistoryPage(
        readable=any(histories.values()) or not records,
        threads=tuple(thread for thread in threads if thread.versions),
        remarks=tuple(remark_view(one, own=True) for one in _gone(of_goal, goal)),
        goal_id=goal.id,
        here=versions.here(),
        older=any(versions.has_older(one or ()) for one in histories.values()),
    )


def before_removal(plan: StoredPlan, names: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return what taking these goals and steps (`Goal/1`) out of the plan took from them, as their versions tell it.

    It costs a look at the versions; what a record without versions cannot tell is left out.
    """
    taken = [one for one in plan.removed if one.reference in names]
    found = {}
    for one, there in zip(taken, current.records().histories(taken), strict=True):
        before = next((version for version in versions.readable(there) if not is_removed(version)), None)
        if before is not None:
            found[one.reference] = former(before)
    return found


def remarks_gone(plan: StoredPlan, goal: Goal) -> tuple[Remark, ...]:
    """Return what the client said about a goal and took out, the newest first; it costs a look at the versions."""
    return _gone(versions.versions_of([one for one in plan.records if one.reference == f"Goal/{goal.id}"]), goal)


def _gone(versions: Iterable[Resource], goal: Goal) -> tuple[Remark, ...]:
    said = (remark for one in versions for remark in goal_of(one).remarks)
    return newest_first(dict.fromkeys(one for one in said if one not in goal.remarks))


def _plans(versions: Iterable[Resource], known: Catalogue) -> list[tuple[Resource, Plan]]:
    """Return each version of the CarePlan with the plan that it is; one that is none, as another program may write."""
    found = []
    for one in versions:
        with contextlib.suppress(PlanError):
            found.append((one, plan_of(one, known=known)))
    return found


def _of_goal(resource: Resource) -> Mapping[str, str]:
    found = goal_of(resource)
    return {"text": found.text, "domain": found.domain, "due": found.due or ""}


def _of_step(resource: Resource) -> Mapping[str, str]:
    return {"text": text_in(resource, "description"), "who": text_in(object_in(resource, "owner"), "display")}


@dataclass(frozen=True, slots=True)
class _Form:
    """The form that a text of the plan belongs to: the first field of its section is the text, `facts` are the rest."""

    title: str
    action: str
    section: Section
    facts: Callable[[Mapping[str, str]], tuple[str, ...]] = lambda _texts: ()
    adds: bool = False  # it adds to what is there, and shows none of it


def _thread(
    form: _Form, plan: Plan, read: Iterable[tuple[Resource, Mapping[str, str]]], writers: Mapping[str, str]
) -> Thread:
    """Return one text of the plan with its earlier versions; `read` has the newest first."""
    now = form.section.read(plan)
    return versions.thread(TextForm(form.title, form.action, now, form.facts, adds=form.adds), read, writers)
