"""Earlier versions of what the client wrote: what there was, who changed it and when, and putting it back.

Versions are those that the record keeps. Who made one is what our own log knows of it: nobody is guessed. Putting one
back is saving the form that the words belong to, with the earlier words in it: so it becomes a new version, and it
meets what someone else changed meanwhile like any other save.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import request, url_for

from mappers.errors import PlanError
from mappers.plan import QUESTIONS, Goal, Plan, Remark, goal_of, plan_of
from mappers.plan.history import Earlier, Version, earlier, gone
from mappers.plan.model import newest_first
from mappers.plan.removing import former, is_removed
from mappers.tolerant import object_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from smartapp.fhir.store import versioned
from smartapp.pages.plan import sections
from smartapp.pages.plan.sections import Section
from smartapp.pages.plan.stored import StoredPlan
from smartapp.records import Record
from smartapp.web import current, typed
from smartapp.web.language import format_date, format_datetime, text_of
from smartapp.web.language import gettext as _
from smartapp.web.plan_views import GoalView, RemarkView, Words, goal_view, remark_view

MOST_VERSIONS: Final = 100
"""Of one resource on one page; what is older is on the next."""
OLDER: Final = "older"
"""The mark in the address of a page of older versions: how many pages back it is."""


@dataclass(frozen=True, slots=True)
class EarlierView:
    """An earlier version: its text in pieces (with what is gone), other facts, who and when, and how to put it back."""

    pieces: tuple[tuple[str, bool], ...]
    facts: tuple[str, ...]
    written: str
    replaced: str
    until: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Thread:
    """One text of the plan through the years; `action` is the address of its own form."""

    title: str
    action: str
    versions: tuple[EarlierView, ...]


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
    words, made_by = Words.of(known), writers()
    here = _here()
    versions = _versions([one for one in plan.records if one.resource["resourceType"] == "CarePlan"])
    forms = [
        _Form(text_of(part.title), url_for("plan.part", code=part.code), sections.texts(part))
        for part in known.plan_parts
    ]
    forms += [
        _Form(
            f"{title}: {words.questions[name]}",
            url_for("plan.question", code=code, question=name),
            sections.domain(code, (name,)),
        )
        for code, title in words.domains.items()
        for name in QUESTIONS
    ]
    plans = _plans(_of_page(versions, here), known)
    threads = (
        _thread(form, plan.plan, [(one, form.section.read(then)) for one, then in plans], made_by) for form in forms
    )
    return HistoryPage(
        readable=bool(versions) or not plan.records,
        threads=tuple(thread for thread in threads if thread.versions),
        goals=tuple(goal_view(goal, words) for goal in plan.plan.goals),
        removed_goals=tuple(goal_view(goal, words) for goal in plan.goals_removed() if goal.text),
        removed_steps=tuple(goal_view(goal, words) for goal in plan.steps_removed()),
        here=here,
        older=_has_older(versions, here),
    )


def goal_page(plan: StoredPlan, goal: Goal, known: Catalogue) -> HistoryPage:
    """Return the earlier versions of the words of one goal and of its steps."""
    words, made_by, here = Words.of(known), writers(), _here()
    wanted = {f"Goal/{goal.id}", *(f"Task/{step.id}" for step in goal.steps)}
    records = [one for one in plan.records if one.state == "stored" and one.reference in wanted]
    histories = dict(zip((one.reference for one in records), current.records().histories(records), strict=True))

    def about_goal(texts: Mapping[str, str]) -> tuple[str, ...]:
        due = [_("By %(date)s", date=format_date(texts["due"]))] if texts["due"] else []
        return (words.domains.get(texts["domain"], texts["domain"]), *due)

    action = url_for("plan.goal_words", goal_id=goal.id)
    form = _Form(_("The goal"), action, sections.goal(goal.id, current.today()), about_goal)
    versions_of_goal = _readable(histories.get(f"Goal/{goal.id}"))
    read = [(one, _of_goal(one)) for one in _of_page(versions_of_goal, here)]
    threads = [_thread(form, plan.plan, read, made_by)]
    for step in goal.steps:
        action = url_for("plan.step", goal_id=goal.id, step_id=step.id)
        title = _("The step: %(words)s", words=step.text)
        form = _Form(title, action, sections.step(goal.id, step.id), lambda texts: tuple(filter(None, [texts["who"]])))
        versions = _of_page(_readable(histories.get(f"Task/{step.id}")), here)
        threads.append(_thread(form, plan.plan, [(one, _of_step(one)) for one in versions], made_by))
    return HistoryPage(
        readable=any(histories.values()) or not records,
        threads=tuple(thread for thread in threads if thread.versions),
        remarks=tuple(remark_view(one, own=True) for one in _gone(versions_of_goal, goal)),
        goal_id=goal.id,
        here=here,
        older=any(_has_older(versions or (), here) for versions in histories.values()),
    )


def before_removal(plan: StoredPlan, names: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return what taking these goals and steps (`Goal/1`) out of the plan took from them, as their versions tell it.

    It costs a look at the versions; what a record without versions cannot tell is left out.
    """
    taken = [one for one in plan.removed if one.reference in names]
    found = {}
    for one, versions in zip(taken, current.records().histories(taken), strict=True):
        before = next((version for version in _readable(versions) if not is_removed(version)), None)
        if before is not None:
            found[one.reference] = former(before)
    return found


def remarks_gone(plan: StoredPlan, goal: Goal) -> tuple[Remark, ...]:
    """Return what the client said about a goal and took out, the newest first; it costs a look at the versions."""
    return _gone(_versions([one for one in plan.records if one.reference == f"Goal/{goal.id}"]), goal)


def _gone(versions: Iterable[Resource], goal: Goal) -> tuple[Remark, ...]:
    said = (remark for one in versions for remark in goal_of(one).remarks)
    return newest_first(dict.fromkeys(one for one in said if one not in goal.remarks))


def _versions(records: Sequence[Record]) -> list[Resource]:
    found = [one for one in records if one.state == "stored"]
    return [version for versions in current.records().histories(found) for version in _readable(versions)]


def _readable(versions: Iterable[Record] | None) -> list[Resource]:
    return [one.resource for one in versions or ()]


def _here() -> int:
    """Return how many pages back this page is; what is no such number is the newest page."""
    return max(0, request.args.get(OLDER, 0, type=int))


def _of_page(versions: Sequence[Resource], here: int) -> Sequence[Resource]:
    """Return the versions of a page; one of older versions begins with the one that ended the page before."""
    return versions[max(0, here * MOST_VERSIONS - 1) : (here + 1) * MOST_VERSIONS]


def _has_older(versions: Sequence[object], here: int) -> bool:
    return len(versions) > (here + 1) * MOST_VERSIONS


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


def _thread(
    form: _Form, plan: Plan, read: Iterable[tuple[Resource, Mapping[str, str]]], writers: Mapping[str, str]
) -> Thread:
    """Return one text of the plan with its earlier versions; `read` has the newest first."""
    made = [Version(texts, text_in(object_in(one, "meta"), "lastUpdated"), versioned(one)) for one, texts in read]
    # Servers number from one. Where the oldest that we have is another, there may have been more before it.
    whole = bool(made) and made[-1].name.endswith("/_history/1")
    now, main = form.section.read(plan), form.section.fields[0]

    def view(one: Earlier) -> EarlierView:
        seen = {f"seen-{name}": typed.digest(now[name]) for name in one.texts}
        return EarlierView(
            pieces=gone(one.texts[main], now[main]),
            facts=form.facts(one.texts),
            written=_said(_written, one.written, writers),
            replaced=_said(_changed, one.replaced, writers),
            until=format_datetime(one.replaced.changed) if one.replaced.changed else "",
            fields={**one.texts, **seen},
        )

    told = earlier(made, whole=whole, now=now if _here() else None)
    return Thread(form.title, form.action, tuple(view(one) for one in told))


# --- who ----------------------------------------------------------------------------------------------------------


def _written(when: str, who: str) -> str:
    if not who:
        return _("Written on %(when)s. This app does not know by whom.", when=when)
    return _("Written on %(when)s by %(who)s.", when=when, who=who)


def _changed(when: str, who: str) -> str:
    if not who:
        return _("Changed on %(when)s. This app does not know by whom.", when=when)
    return _("Changed on %(when)s by %(who)s.", when=when, who=who)


def _said(sentence: Callable[[str, str], str], version: Version | None, writers: Mapping[str, str]) -> str:
    if version is None or not version.changed:
        return ""
    return sentence(format_datetime(version.changed), writers.get(version.name, ""))


def writers() -> dict[str, str]:
    """Return who made each version with this app, as the reader calls them, by the version's reference."""
    launch = current.launch()
    made = current.services().audit.writers(launch.issuer_key, launch.patient.reference)
    return {
        name: _("yourself") if entry.user == launch.user.reference else entry.user_name for name, entry in made.items()
    }
