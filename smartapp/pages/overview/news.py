"""What is new in a record since its reader last looked, and when that was. Pure: the log and the record come in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mappers.agreements import Agreement, Remark
from mappers.answers import kind_of
from mappers.appointment import MomentOf
from mappers.audit import AuditEntry
from mappers.identity import former
from mappers.own_notes import OwnNote
from mappers.plan import Goal, Plan, Step
from mappers.tolerant import object_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from smartapp.web.living import StoredForm

Kind = Literal["answers", "conversation", "agreement", "note", "form", "goal", "progress", "reworded", "step", "plan"]
NOT_OF_PLAN: Final = frozenset({"answers", "conversation", "agreement", "note"})


@dataclass(frozen=True, slots=True)
class LastLook:
    """When the reader looked before: seconds since 1970, None where no earlier look was found.

    `sure`: the whole log was looked through, so that none found means that there was none.
    """

    at: int | None
    sure: bool = True


def last_look(entries: Iterable[AuditEntry], *, reader: str, page: str, before: int, most: int) -> LastLook:
    """Return when someone last opened a page before a moment; `reader` is their reference, `before` in seconds.

    `entries` are what was done with one record, newest first; no more than `most` are looked through.
    """
    for number, entry in enumerate(entries):
        if number == most:
            return LastLook(None, sure=False)
        if entry.user == reader and page in entry.objects and entry.recorded < before:
            return LastLook(entry.recorded)
    return LastLook(None)


@dataclass(frozen=True, slots=True)
class New:
    """One thing that is new: `when` is a FHIR date or instant; of the rest only what belongs to its kind is there."""

    kind: Kind
    when: str
    response: Resource | None = None
    goal: Goal | None = None
    step: Step | None = None
    note: OwnNote | None = None
    agreement: Agreement | None = None
    remark: Remark | None = None
    form: StoredForm | None = None


def news(
    *,
    responses: Iterable[Resource],
    notes: Iterable[OwnNote] = (),
    conversations: Iterable[str] = (),
    agreements: Iterable[Agreement] = (),
    forms: Iterable[StoredForm] = (),
    plan: Plan,
    changed: Mapping[str, str],
    since: dt.datetime | None,
    moment_of: MomentOf,
) -> Sequence[New]:
    """Return what is new since a zoned moment, the newest first; all that has a date of its own where it is None.

    `responses` are the finished ones that the client sent in. What two people wrote down in a conversation is none of
    these: `conversations` says when each was. Of `agreements` is told what the client said of them, and of `forms`, the
    living ones, that they were changed. `changed` says when each goal, step and the plan (by id) was last written: that
    tells of a change that carries no date itself, and nothing to who looks for the first time.
    """
    found = [New("answers", text_in(one, "authored"), response=one) for one in responses]
    found += [New("note", one.written_on, note=one) for one in notes]
    found += [New("conversation", when) for when in conversations]
    found += [
        New("agreement", remark.time, agreement=one, remark=remark)
        for one in agreements
        for remark in one.remarks
        if remark.by_client
    ]
    found += [New("form", one.changed, form=one) for one in forms if one.changed]
    for goal in plan.goals:
        found += [_of_goal(goal, changed.get(goal.id, ""), since, moment_of)]
        if since is not None:
            found += [New("step", changed.get(step.id, ""), goal=goal, step=step) for step in goal.steps]
    new = [one for one in found if _is_new(one.when, since, moment_of)]
    written = changed.get(plan.id, "")
    about_plan = [one for one in new if one.kind not in NOT_OF_PLAN]
    if since is not None and not about_plan and _is_new(written, since, moment_of):
        new.append(New("plan", written))  # a text or an answer about a life domain: neither carries a date
    return sorted(new, key=lambda one: _order(one.when, moment_of), reverse=True)


def sent_in(responses: Iterable[Resource], known: Catalogue) -> list[Resource]:
    """Return the responses that a client sent in, those of forms that we do not know among them.

    What two people wrote down together is none of these, and a living form is never sent in: it is part of the plan.
    """
    return [one for one in responses if kind_of(one, known) in (None, "questionnaire")]


def conversations(responses: Iterable[Resource], known: Catalogue, *, reader: str, moment_of: MomentOf) -> list[str]:
    """Return when others than the reader (a reference) wrote something down in a conversation, once a day."""
    days: dict[dt.date, str] = {}
    for one in responses:
        when = text_in(one, "authored")
        if kind_of(one, known) != "record" or text_in(object_in(one, "author"), "reference") == reader:
            continue
        if (moment := moment_of(when)) is not None:
            day = moment.date() if isinstance(moment, dt.datetime) else moment
            days[day] = max(days.get(day, ""), when, key=lambda each: _order(each, moment_of))
    return list(days.values())


def changed_by_others(forms: Iterable[StoredForm], reader: str) -> list[StoredForm]:
    """Return the living forms that somebody else than the reader (a reference) changed last."""
    return [
        one for one in forms if one.record and text_in(object_in(one.record.resource, "author"), "reference") != reader
    ]


def written_at(resources: Iterable[Resource]) -> dict[str, str]:
    """Return by id when each resource was last written, as its server says; "" where it does not.

    What came from another place and was not changed since was not written then: it only moved.
    """
    return {
        text_in(one, "id"): "" if _only_moved(one) else text_in(object_in(one, "meta"), "lastUpdated")
        for one in resources
    }


def _only_moved(resource: Resource) -> bool:
    return text_in(object_in(resource, "meta"), "versionId") == "1" and any(former(resource))


def _of_goal(goal: Goal, written: str, since: dt.datetime | None, moment_of: MomentOf) -> New:
    """Return the newest that there is to say of a goal."""
    begun, said = New("goal", goal.start, goal=goal), New("progress", goal.progress_date, goal=goal)
    if (goal.progress or goal.later) and _order(goal.progress_date, moment_of) > _order(goal.start, moment_of):
        begun, said = said, begun
    if since is None or _is_new(begun.when, since, moment_of):
        return begun
    return New("reworded", written, goal=goal)


def _is_new(when: str, since: dt.datetime | None, moment_of: MomentOf) -> bool:
    moment = moment_of(when)
    if moment is None or since is None:
        return moment is not None
    if isinstance(moment, dt.datetime):
        return moment.tzinfo is not None and moment > since
    # Of a day we do not know whether it was before or after the look: better shown once more than never.
    return moment >= since.date()


def _order(when: str, moment_of: MomentOf) -> tuple[dt.date, dt.time]:
    moment = moment_of(when)
    if isinstance(moment, dt.datetime):
        return moment.date(), moment.time()
    return moment or dt.date.min, dt.time.min
