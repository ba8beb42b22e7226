"""The conversations that the record tells of: each with what was written down in it, for its sheet.

A conversation goes from the first word that is typed to its being closed; one that is begun after that is another,
with a sheet of its own, also on the same day. One that nobody closes has a sheet for each day. What was written down
before conversations had a name is one sheet a day. Pure: the record and the day of a moment come in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from mappers.agreements import Agreement, Remark
from mappers.conversation import Conversation
from mappers.medicines import Experience
from mappers.tolerant import object_in, text_in
from smartapp.pages.together.found import Found, KeptAgreement, KeptDecision

DayOf = Callable[[str], str]
"""Gives the day, where the organisation is, of a FHIR dateTime; "" where it has none."""
_SHORT: Final = 8  # of a key in an address: enough for the conversations of one person on one day
_NEVER: Final = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Visit:
    """One conversation on one day: `day` is a FHIR date, `key` its identifier, "" where it has none.

    `begun` is when it began that day (a FHIR dateTime), `by` the reference of who typed. `remarks` say how earlier
    agreements went, `went` are those agreements. What the client says of an agreement alone is no conversation: it
    stands with the agreement, and on no sheet.
    """

    day: str
    key: str = ""
    begun: str = ""
    by: str = ""
    decisions: tuple[KeptDecision, ...] = ()
    agreements: tuple[KeptAgreement, ...] = ()
    remarks: tuple[tuple[Agreement, Remark], ...] = ()
    went: tuple[Agreement, ...] = ()
    experiences: tuple[Experience, ...] = ()

    @property
    def empty(self) -> bool:
        """Tell whether nothing was written down, not even how something went."""
        return not (self.decisions or self.agreements or self.remarks or self.went or self.experiences)


def visits_in(found: Found, day_of: DayOf, going_on: Visit | None = None) -> list[Visit]:
    """Return all conversations, the newest first; `going_on` is the one at hand, which may have nothing yet."""
    visits = {(one.day, one.key): one for one in [going_on] if one is not None}
    for decision in reversed(found.decisions):  # in the order in which they were talked about
        visit = _of(visits, decision.conversation, decision.authored, day_of, _author(decision))
        agreement = found.agreement(decision.key)
        visits[visit.day, visit.key] = replace(
            visit,
            decisions=(*visit.decisions, decision),
            agreements=(*visit.agreements, agreement) if agreement else visit.agreements,
        )
    for said in found.experiences:
        visit = _of(visits, found.said_in.get(said.key), said.authored, day_of)
        visits[visit.day, visit.key] = replace(visit, experiences=(*visit.experiences, said))
    for kept in reversed(found.agreements):
        if found.decision(kept.agreement.key) is None:
            visit = _of(visits, None, kept.agreement.made, day_of)
            visits[visit.day, visit.key] = replace(visit, agreements=(*visit.agreements, kept))
    for kept in reversed(found.agreements):
        for moment in kept.agreement.talked_of:
            remarks = [one for one in kept.agreement.remarks if one.time == moment and not one.by_client]
            visit = _at(visits.values(), moment, day_of, remarks[0].by_reference if remarks else "")
            went = visit.went if kept.agreement in visit.went else (*visit.went, kept.agreement)
            said_then = tuple((kept.agreement, one) for one in remarks)
            visits[visit.day, visit.key] = replace(visit, went=went, remarks=(*visit.remarks, *said_then))
    real = (one for one in visits.values() if one.day and (not one.empty or one is going_on))
    return sorted(real, key=lambda one: (one.day, _instant(one.begun)), reverse=True)


def name_of(visit: Visit, visits: Iterable[Visit]) -> str:
    """Return what names a conversation in an address: its day, and more where that day has another."""
    alone = sum(1 for one in visits if one.day == visit.day) == 1
    return visit.day if alone or not visit.key else f"{visit.day}-{visit.key[:_SHORT]}"


def visit_called(name: str, visits: Iterable[Visit]) -> Visit | None:
    """Return the conversation of a name; that of a day alone is the first of that day, as when it was the only one."""
    that_day = [one for one in visits if one.day == name[:10]]
    if len(name) <= len("2026-01-01"):
        return next((one for one in that_day if not one.key), that_day[-1] if that_day else None)
    return next((one for one in that_day if one.key and name == f"{one.day}-{one.key[:_SHORT]}"), None)


def _of(
    visits: dict[tuple[str, str], Visit], conversation: Conversation | None, moment: str, day_of: DayOf, by: str = ""
) -> Visit:
    """Return the conversation in which something was written down at a moment; a new one where it is the first."""
    day, key = day_of(moment), conversation.key if conversation else ""
    begun = conversation.begun if conversation and day_of(conversation.begun) == day else moment
    known = visits.get((day, key), Visit(day, key, begun, by))
    return replace(known, begun=min(known.begun or begun, begun, key=_instant), by=known.by or by)


def _at(visits: Iterable[Visit], moment: str, day_of: DayOf, by: str) -> Visit:
    """Return the conversation in which was said how an agreement went: the last that had begun by then.

    The Task says when that was and not where. Where two people each have a conversation, theirs comes first.
    """
    day = day_of(moment)
    begun = [one for one in visits if one.day == day and one.key and _instant(one.begun) <= _instant(moment)]
    theirs = [one for one in begun if by and one.by == by] or begun
    if theirs:
        return max(theirs, key=lambda one: _instant(one.begun))
    return next((one for one in visits if one.day == day and not one.key), Visit(day, "", moment))


def _author(decision: KeptDecision) -> str:
    return text_in(object_in(decision.record.resource, "author"), "reference")


def _instant(text: str) -> dt.datetime:
    try:
        read = dt.datetime.fromisoformat(text)
    except ValueError:
        return _NEVER
    return read if read.tzinfo else read.replace(tzinfo=dt.UTC)
