"""Sending one unit: in what order, together or one by one, and what each answer means for each of its parcels.

What the states are and which event leads where is in `states`. In one transaction where the server has those, else in
waves: those first that others refer to, and all of a wave at once. What was sent without an answer is looked for before
it is sent again, and what is found is compared: it arrived only if it says what was sent. What a place refuses to
create moves down the ladder to the next one, and a part of a plan takes its whole plan along (`moving`). A parcel that
stops holds up no other one.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from mappers.identity import own_identifier
from mappers.sameness import as_amendment, has_all_answers, says_all_of, says_the_same
from mappers.tolerant import objects_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.capabilities import DEMOTING_STATUSES, Interaction, Offered
from smartapp.fhir.own.index import patients_of, relative
from smartapp.fhir.references import references
from smartapp.fhir.store import (
    Conflict,
    Forbidden,
    Gone,
    NotFound,
    Query,
    RecordError,
    RecordStore,
    Refused,
    Stored,
    Unreachable,
    Write,
)
from smartapp.records.adding import on_top_of
from smartapp.records.moving import continued_alone, differ, left_behind, moved
from smartapp.records.parallel import in_parallel
from smartapp.records.parcels import Parcel, Unit, resolved
from smartapp.records.placement import TOGETHER, Place
from smartapp.records.reading_back import person_of, standing
from smartapp.records.states import Event
from smartapp.records.succession import may_succeed, succeeded

log = logging.getLogger(__name__)

_REFUSALS = (Forbidden, Refused, NotFound, Gone)
_CONTENT = frozenset({"structure", "required", "value", "invariant", "code-invalid"})
"""Codes of FHIR's issue types that are about the content of a resource."""
_MOST_UNSEEN = 3
"""How often a place may refuse to let us look, before we take it for one that does not keep this."""
_LONGER_UNKNOWN = 4
"""How many times as often we look where it is not known what a server does."""
_MOST_TIMES_ON_TOP = 3
"""How often what a plan names is put on top of what someone else made of it meanwhile, before its author is asked."""
_NO_SUCH_REQUEST = frozenset({400, 404, 405})
_NOTHING_WAS_DONE = frozenset({401, 429})
"""Answers after which there is no doubt: the server did not do what was asked."""


@dataclass(slots=True)
class Delivery:
    """Sends units of one launch at the EHR whose address is `base`.

    `offered` is what the servers at the places say that they do. `progress` persists what was reached, `demote`
    remembers that the EHR refused to create or change a type, with the status of its answer. `private` tells of what
    only our own store may get: it is asked just before anything is sent, so also of what waited. `whole` keeps a
    transaction that someone else overtook in one piece, for an author who is there and decides about all of it; without
    it, one by one shows which part was overtaken, and the others go on. `errors` has afterwards what stopped each
    parcel.
    """

    stores: Mapping[Place, RecordStore]
    offered: Mapping[Place, Offered]
    base: str
    progress: Callable[[Unit], None]
    demote: Callable[[str, Interaction, int], None]
    private: Callable[[Resource], bool] = lambda _resource: False
    whole: bool = False
    errors: dict[int, RecordError] = field(default_factory=dict)
    _one_by_one: set[Place] = field(default_factory=set)
    _away: dict[Place, RecordError] = field(default_factory=dict)
    _without_own_ids: set[Place] = field(default_factory=set)
    _unchanging: set[tuple[Place, str]] = field(default_factory=set)
    _noted: list[int] = field(default_factory=list)
    _times_on_top: int = 0

    def begin(self, unit: Unit) -> Unit:
        """Return a unit with its first wave noted as being sent, to be persisted so before `send`."""
        if any(parcel.state == "sent" for parcel in unit.parcels):
            return unit
        unit = self._considered(unit)
        self._noted = self._wave(unit)
        return _sending(unit, self._noted)

    def send(self, unit: Unit) -> Unit:
        """Do what can be done now, and return the unit as far as it came; `errors` says what stopped the rest."""
        unit = self._considered(self._send(unit, self._noted) if self._noted else self._look(unit))
        while wave := self._wave(unit):
            # Before it is sent, as a process that dies while it waits for the answer can note nothing any more. What
            # has arrived since is noted with it; where that is lost, looking back finds it.
            unit = _sending(unit, wave)
            self.progress(unit)
            unit = self._considered(self._send(unit, wave))
        for number in unit.open:
            if error := self._away.get(unit.parcels[number].place):
                self.errors.setdefault(number, error)
        return unit

    # ---- choosing

    def _wave(self, unit: Unit) -> list[int]:
        """Return the positions of what is sent next, all of it to one place; empty when there is nothing to do now."""
        ready = self._ready(unit)
        if not ready:
            return []
        free = [number for number in ready if not self._refers_to(unit, number, ready)]
        first = unit.parcels[(free or ready)[0]]
        here = [number for number in ready if unit.parcels[number].place == first.place]
        if self._go_together(first, here):
            return here
        # In a circle of references nothing is free: then just the first.
        return [number for number in here if number in free] or ready[:1]

    def _considered(self, unit: Unit) -> Unit:
        """Return the unit as it can go on from here, before anything more of it is chosen."""
        return self._with_their_response(self._amendable(self._kept_here(unit)))

    def _kept_here(self, unit: Unit) -> Unit:
        """Keep with us what its author shares with nobody who would read it where it was to go."""
        for parcel in unit.parcels:
            private = parcel.state == "ready" and not parcel.closing and parcel.place != "own"
            if private and self.private(parcel.write.resource):
                # What is given up leaves, and a plan takes its parts along.
                for number in _where(unit, parcel):
                    unit = self._stays(unit, number)
        return unit

    def _stays(self, unit: Unit, number: int) -> Unit:
        parcel = unit.parcels[number]
        if parcel.is_copy:
            return self._given_up(unit, number)
        if number in unit.plan_at(parcel.place):
            return self._plan_stays(unit, number)
        if parcel.write.method == "create":
            return unit.changed({number: parcel.kept_here()})
        if parcel.type in TOGETHER and parcel.type != "Task":  # a goal moves with its plan, and with nothing less
            return unit
        stays = replace(parcel, write=continued_alone(parcel, base=self.base)).kept_here()
        unit = unit.changed({number: stays})
        return replace(unit, parcels=(*unit.parcels, left_behind(parcel)))

    def _plan_stays(self, unit: Unit, number: int) -> Unit:
        parcel = unit.parcels[number]
        only = _each(unit, unit.plan_at(parcel.place), lambda one: replace(one, ladder=("own",)))
        try:
            return moved(only, parcel.place, self._plans_at(parcel), base=self.base, bare=True)
        except Conflict as error:
            return self._stop(unit, number, parcel.after("overtaken", reason=error.message), error)
        except RecordError as error:
            self._away[parcel.place] = error
            self.errors[number] = error
            return unit

    def _with_their_response(self, unit: Unit) -> Unit:
        """Stop the scores of a response that stopped: it may say something else than they do."""
        stopped = [number for number in unit.stopped if unit.parcels[number].type == "QuestionnaireResponse"]
        scores = [
            number
            for number in unit.open
            if unit.parcels[number].state == "ready" and self._refers_to(unit, number, stopped)
        ]
        return _each(unit, scores, lambda one: one.after("overtaken", reason=unit.parcels[stopped[0]].reason))

    def _amendable(self, unit: Unit) -> Unit:
        """Return the unit with what it amends; as a response of its own where something of that is never changed.

        Answers and their scores go together: a response that says something else than its scores helps nobody.
        """
        answers = [unit.parcels[number] for number in unit.open if unit.parcels[number].is_restated]
        amends = any(parcel.state == "ready" and parcel.known is not None for parcel in answers)
        if amends and not all(map(self._may_change, answers)) and may_succeed(unit):
            return succeeded(unit)
        return unit

    def _may_change(self, parcel: Parcel) -> bool:
        here = (parcel.place, parcel.type)
        return here not in self._unchanging and self.offered[parcel.place].offers(parcel.type, "update")

    def _ready(self, unit: Unit) -> list[int]:
        """Return the positions of all that can be sent now and whose turn it is."""
        turn = min((_turn(unit.parcels[number]) for number in unit.open), default=0)
        held_up = self._held_up(unit)
        sendable = [number for number in unit.open if unit.parcels[number].state == "ready" and number not in held_up]
        return [number for number in sendable if _turn(unit.parcels[number]) == turn]

    def _go_together(self, first: Parcel, numbers: Sequence[int]) -> bool:
        return len(numbers) > 1 and not first.closing and self._has_transactions(first.place)

    def _held_up(self, unit: Unit) -> set[int]:
        """Return what cannot be sent now: what met an error or goes to a place that is away, and what refers to it."""
        held_up = {n for n in unit.open if n in self.errors or unit.parcels[n].place in self._away}
        while more := {n for n in unit.open if n not in held_up and self._refers_to(unit, n, held_up)}:
            held_up |= more
        return held_up

    def _refers_to(self, unit: Unit, number: int, others: Collection[int]) -> bool:
        names = {unit.parcels[other].write.full_url for other in others if other != number}
        return bool(names & set(references(unit.parcels[number].write.resource)))

    def _has_transactions(self, place: Place) -> bool:
        return place not in self._one_by_one and self.offered[place].transaction

    # ---- sending

    def _send(self, unit: Unit, wave: Sequence[int]) -> Unit:
        first = unit.parcels[wave[0]]
        if self._go_together(first, wave):
            return self._send_together(unit, first.place, wave)
        return self._send_each(unit, wave)

    def _send_together(self, unit: Unit, place: Place, numbers: Sequence[int]) -> Unit:
        inside = {unit.parcels[number].write.full_url for number in numbers}
        writes = [self._prepared(unit, number, inside) for number in numbers]
        try:
            # One transaction because half of a unit is worse than none: scores without their answers, a goal that no
            # plan names. It also spares the chart's reader the moments in between.
            stored = self.stores[place].write_all(writes)
        except Conflict as error:
            return self._overtaken_together(unit, place, numbers, error, is_guarded=any(one.if_match for one in writes))
        except _REFUSALS:
            # All or nothing: nothing is there. One by one shows which of them is not welcome.
            self._one_by_one.add(place)
            return _each(unit, numbers, lambda parcel: parcel.after("absent"))
        except RecordError as error:
            return self._unanswered(unit, numbers, error)
        return self._answered(unit, dict(zip(numbers, stored, strict=True)))

    def _overtaken_together(
        self, unit: Unit, place: Place, numbers: Sequence[int], error: Conflict, *, is_guarded: bool
    ) -> Unit:
        if error.status == 409 and not is_guarded:  # nobody can have overtaken it: the server is busy with the same
            self.errors.update(dict.fromkeys(numbers, _busy(error)))
        elif self.whole:
            if (again := self._over_what_stands(unit, numbers)) is not None:
                return again
            self.errors.update(dict.fromkeys(numbers, error))
            return _each(unit, numbers, lambda parcel: parcel.after("overtaken", reason=error.message))
        else:
            self._one_by_one.add(place)
        return _each(unit, numbers, lambda parcel: parcel.after("absent"))

    def _over_what_stands(self, unit: Unit, numbers: Sequence[int]) -> Unit | None:
        """Return answers as they amend what stands there by now: an EHR may add to a response at any moment.

        None where that is not to be seen or was taken back, and for what is not its author's to say anew.
        """
        parcels = {number: unit.parcels[number] for number in numbers}
        amending = [number for number, parcel in parcels.items() if parcel.known is not None]
        if self._times_on_top >= _MOST_TIMES_ON_TOP or not all(parcel.is_restated for parcel in parcels.values()):
            return None
        self._times_on_top += 1
        found = dict(zip(amending, in_parallel([partial(self._standing, unit, n) for n in amending]), strict=True))
        there = {number: one for number, one in found.items() if isinstance(one, Stored) and not _is_taken_back(one)}
        if not there or len(there) < len(found):
            return None
        older = {n: replace(parcels[n].after("older"), known=one, amends=False) for n, one in there.items()}
        return unit.changed({n: older[n] if n in older else parcel.after("absent") for n, parcel in parcels.items()})

    def _send_each(self, unit: Unit, numbers: Sequence[int]) -> Unit:
        jobs = [partial(self._written, self._prepared(unit, number, set()), unit, number) for number in numbers]
        answers = dict(zip(numbers, in_parallel(jobs), strict=True))
        unit = self._answered(unit, {n: one for n, one in answers.items() if isinstance(one, Stored)})
        # The last first, as one that is given up leaves; and a plan that moved took the rest of the wave along.
        sent = {number: unit.parcels[number] for number in numbers}
        for number, error in sorted(answers.items(), reverse=True):
            if isinstance(error, RecordError) and unit.parcels[number] is sent[number]:
                unit = self._failed(unit, number, error)
        return unit

    def _written(self, write: Write, unit: Unit, number: int) -> Stored | RecordError:
        try:
            return self.stores[unit.parcels[number].place].write(write)
        except RecordError as error:
            return error

    # ---- what an answer means

    def _answered(self, unit: Unit, stored: Mapping[int, Stored]) -> Unit:
        """Take in what servers proved to have; a create that found something there is compared with it."""
        others = {
            number
            for number, one in stored.items()
            if one.created is False
            and not unit.parcels[number].changes
            and not self._is_ours(unit, number, one, was_there=True)
        }
        unit = unit.changed({n: unit.parcels[n].arrived(one) for n, one in stored.items() if n not in others})
        for number in others:
            unit = self._other_than_sent(unit, number, stored[number])
        return unit

    def _other_than_sent(self, unit: Unit, number: int, found: Stored) -> Unit:
        """Amend what the same author said before; of anything else another tab or person was first."""
        parcel = unit.parcels[number]
        if parcel.is_restated:
            return unit.changed({number: replace(parcel.after("older"), known=found, amends=False)})
        conflict = Conflict("Someone else made this in the meantime.", found)
        return self._stop(unit, number, parcel.after("overtaken", reason=conflict.message), conflict)

    def _failed(self, unit: Unit, number: int, error: RecordError) -> Unit:
        parcel = unit.parcels[number]
        if isinstance(error, Conflict):
            return self._in_the_way(unit, number, error)
        if not isinstance(error, _REFUSALS):
            return self._unanswered(unit, [number], error)
        if parcel.closing:
            return self._given_up(unit, number)
        if self._goes_otherwise(unit, parcel, error):
            return unit.changed({number: parcel.after("absent")})
        if not parcel.changes and parcel.place == "ehr" and _is_about_type(error):
            # Remembered before anything else can go wrong: the next thing of this type should not go there first.
            self.demote(parcel.type, "create", error.status)
        return self._not_welcome(unit, number, error)

    def _goes_otherwise(self, unit: Unit, parcel: Parcel, error: RecordError) -> bool:
        """Remember what a place does not do, against what it says; tell whether this can go there in another way."""
        if not parcel.changes and self._new_id(parcel) is not None and error.status in _NO_SUCH_REQUEST:
            # It said that a client may choose ids, and does not know such a request: then as without that.
            self._without_own_ids.add(parcel.place)
            return True
        # A response that may not be amended; its scores follow it (see `_amendable`).
        is_amended = parcel.known is not None and parcel.is_restated
        if is_amended and parcel.type == "QuestionnaireResponse" and _is_about_type(error):
            self._unchanging.add((parcel.place, parcel.type))
            return may_succeed(unit)
        return False

    def _unanswered(self, unit: Unit, numbers: Sequence[int], error: RecordError) -> Unit:
        """Leave what was sent as it is, as it may have arrived, and send nothing more to that place for now."""
        self._away[unit.parcels[numbers[0]].place] = error
        self.errors.update(dict.fromkeys(numbers, error))
        event: Event = "absent" if error.status in _NOTHING_WAS_DONE else "unanswered"
        return _each(unit, numbers, lambda parcel: parcel.after(event, reason=error.message))

    def _in_the_way(self, unit: Unit, number: int, error: Conflict) -> Unit:
        """Decide what a conflict means (409, 412): look what is there; what closes a plan that was left gives way."""
        parcel = unit.parcels[number]
        if not parcel.closing:
            found = error.current or self._standing(unit, number)
            return self._found(unit, number, found, conflict=error)
        if parcel.type != "CarePlan" or unit.is_safe:
            return self._given_up(unit, number)
        # The CarePlan's version is the lock of the move (see `moving`): someone changed it, so nothing moves.
        self.errors.update(dict.fromkeys(unit.open, error))
        return _each(unit, unit.open, lambda one: one.after("overtaken", reason=error.message))

    def _stop(self, unit: Unit, number: int, parcel: Parcel, error: RecordError) -> Unit:
        self.errors[number] = error
        return unit.changed({number: parcel})

    def _given_up(self, unit: Unit, number: int) -> Unit:
        """Forget what no words depend on: the closing of what a plan has left behind, a copy for the chart."""
        self.errors = {n - (n > number): error for n, error in self.errors.items() if n != number}
        return unit.without([number])

    def _not_welcome(self, unit: Unit, number: int, error: RecordError) -> Unit:
        """Go down the ladder with what a place does not keep; stop where that is not possible.

        A refused change is about this one resource as it is now. Its author has to see that, and decide. A living form
        is nothing but changes: where those are refused, it goes on elsewhere.
        """
        parcel = unit.parcels[number]
        if parcel.is_copy:
            log.warning("A copy for the chart was refused with %d, and is given up.", error.status)
            return self._given_up(unit, number)
        if parcel.write.living and parcel.write.method == "update" and parcel.ladder and _is_about_type(error):
            if parcel.place == "ehr":
                self.demote(parcel.type, "update", error.status)
            lower = replace(parcel, write=continued_alone(parcel, base=self.base)).lower()
            return unit.changed({number: lower})
        if parcel.changes or not parcel.ladder:
            return self._stop(unit, number, parcel.after("not taken", reason=error.message), error)
        return self._lower(unit, number)

    def _lower(self, unit: Unit, number: int) -> Unit:
        """Return the unit with a create that was refused, or its whole plan, one rung lower."""
        parcel = unit.parcels[number]
        if number not in unit.plan_at(parcel.place):
            return unit.changed({number: parcel.lower()})
        try:
            return moved(unit, parcel.place, self._plans_at(parcel), base=self.base)
        except Conflict as error:
            return self._stop(unit, number, parcel.after("overtaken", reason=error.message), error)
        except RecordError as error:
            # What is stored of the plan here could not be read: it moves when that can be seen.
            self._away[parcel.place] = error
            event: Event = "unanswered" if parcel.unseen else "absent"  # not refused, but never seen: it may be there
            return self._stop(unit, number, parcel.after(event, reason=error.message), error)

    def _plans_at(self, parcel: Parcel) -> list[Stored]:
        """Return the CarePlans, Goals and Tasks at the place of a parcel, of the person it is about."""
        store, person = self.stores[parcel.place], patients_of(parcel.write.resource, self.base)
        found: list[Stored] = []
        for type_ in sorted(TOGETHER):
            try:
                found += store.search(Query.of(type_, patient=person_of(parcel.write.resource)))
            except Forbidden:  # then no page could show what is there, and no move can take it along
                continue
        return [one for one in found if patients_of(one.resource, self.base) == person]

    # ---- looking back

    def _look(self, unit: Unit) -> Unit:
        """Look for all that was sent without an answer: first what others refer to, which then has a name."""
        for method in ("create", "update"):
            doubtful = [
                n for n in unit.open if unit.parcels[n].state == "sent" and unit.parcels[n].write.method == method
            ]
            found = in_parallel([partial(self._standing, unit, number) for number in doubtful])
            for parcel, one in zip([unit.parcels[number] for number in doubtful], found, strict=True):
                # What is given up leaves, and what comes after it moves up; a plan that moves takes its parts along.
                for number in _where(unit, parcel):
                    unit = self._found(unit, number, one)
        return unit

    def _standing(self, unit: Unit, number: int) -> Stored | RecordError | None:
        """Return what is there now of a parcel, None for nothing, or why that cannot be said."""
        parcel = unit.parcels[number]
        try:
            found = standing(parcel, self.stores[parcel.place], self.offered[parcel.place], new_id=self._new_id(parcel))
        except (NotFound, Gone) as error:
            return error if parcel.write.method == "update" else None
        except RecordError as error:
            return error
        if found is not None and self._is_of_another(parcel, found):
            return Unreachable("The server answered with something about somebody else.")
        return found

    def _is_of_another(self, parcel: Parcel, found: Stored) -> bool:
        """Tell whether what a server gives is about other people: then it is no answer to what we asked."""
        ours, theirs = (relative(person_of(one), self.base) for one in (parcel.write.resource, found.resource))
        return ours != theirs and all(one.startswith("Patient/") for one in (ours, theirs))

    def _found(
        self, unit: Unit, number: int, found: Stored | RecordError | None, *, conflict: Conflict | None = None
    ) -> Unit:
        """Decide by what is there whether a parcel arrived, is to be sent (again), or was overtaken."""
        parcel = unit.parcels[number]
        if isinstance(found, RecordError):
            return self._not_seen(unit, number, found)
        if found is None:  # nor is anything that it would change
            return self._not_there(unit.changed({number: replace(parcel, known=None)}), number, conflict)
        if self._is_ours(unit, number, found, was_there=conflict is not None):
            return unit.changed({number: parcel.arrived(found)})
        # What it was to amend may have become what the same author said after that, and we heard no answer to.
        if parcel.write.method == "create" and (parcel.amends or not (parcel.changes and parcel.is_restated)):
            return self._other_than_sent(unit, number, found)
        is_unchanged = not differ(found.etag, parcel.guard)
        if is_unchanged and (conflict is None or conflict.status == 409):
            return self._not_there(unit, number, conflict)
        return self._changed_meanwhile(unit, number, found, conflict)

    def _changed_meanwhile(self, unit: Unit, number: int, found: Stored, conflict: Conflict | None) -> Unit:
        """Put what a plan newly names on top of what someone else made of it; anything else waits for its author."""
        parcel = unit.parcels[number]
        top = on_top_of(found.resource, parcel.write.resource, unit.names) if parcel.adds else None
        if top is found.resource:  # it got there before them, and they left it
            return unit.changed({number: parcel.arrived(found)})
        if top is not None and self._times_on_top < _MOST_TIMES_ON_TOP:
            self._times_on_top += 1
            write = replace(parcel.write, resource=top, if_match=found.etag)
            return unit.changed({number: replace(parcel, write=write).after("absent")})
        overtaken = conflict or Conflict("Someone else changed this in the meantime.", found)
        return self._stop(unit, number, parcel.after("overtaken", reason=overtaken.message), overtaken)

    def _not_seen(self, unit: Unit, number: int, error: RecordError) -> Unit:
        """Take in that we could not look: an answer that says no is final, anything else may be different later."""
        parcel = unit.parcels[number]
        if parcel.closing and isinstance(error, _REFUSALS):
            return self._given_up(unit, number)
        if isinstance(error, NotFound | Gone):
            return self._stop(unit, number, parcel.after("not taken", reason=error.message), error)
        if isinstance(error, _REFUSALS):
            parcel = replace(parcel, unseen=parcel.unseen + 1)
            # Until a server has said what it does we may ask what it does not know: its no is then about the question.
            if parcel.unseen >= _MOST_UNSEEN * (1 if self.offered[parcel.place].known else _LONGER_UNKNOWN):
                return self._not_welcome(unit.changed({number: parcel}), number, error)
        self._away[parcel.place] = error
        return self._stop(unit, number, parcel.after("unanswered", reason=error.message), error)

    def _not_there(self, unit: Unit, number: int, conflict: Conflict | None) -> Unit:
        """Take in that it has not arrived. After a conflict the server was busy with the same: then later, not now."""
        back = unit.parcels[number].after("absent")
        return unit.changed({number: back}) if conflict is None else self._stop(unit, number, back, _busy(conflict))

    def _is_ours(self, unit: Unit, number: int, found: Stored, *, was_there: bool) -> bool:
        """Tell whether what is there is what this parcel says, as far as that server keeps it."""
        parcel, sent = unit.parcels[number], self._content(unit, number)
        if parcel.is_copy:  # its name is made of the words that are in it
            return True
        if parcel.changes:
            return says_all_of(found.resource, sent)
        if parcel.write.living:  # its name is the same wherever it is begun, so another tab may have made what is there
            return says_the_same(found.resource, sent) or has_all_answers(found.resource, sent)
        # Where only one content was ever sent under this name, it is ours, whatever a server made of it.
        is_the_only_one = not (was_there or parcel.amends)
        return is_the_only_one or says_the_same(found.resource, sent)

    # ---- what is sent

    def _prepared(self, unit: Unit, number: int, inside: set[str | None]) -> Write:
        """Return the write as this place can take it: references resolved as far as they can be, and guarded."""
        parcel = unit.parcels[number]
        resource = resolved(parcel, unit, inside)
        if parcel.write.method == "update":
            return replace(parcel.write, resource=resource)
        if parcel.known is not None:
            amended = as_amendment(resource, parcel.known.resource)
            return Write("update", amended, if_match=parcel.known.etag, full_url=parcel.write.full_url)
        new_id = self._new_id(parcel)
        condition = parcel.write.if_none_exist if new_id is None and self._creates_once(parcel) else None
        if new_id is not None:
            resource = {**resource, "id": new_id}
        return replace(parcel.write, resource=resource, if_none_exist=condition, new_id=new_id)

    def _content(self, unit: Unit, number: int) -> Resource:
        return self._prepared(unit, number, set()).resource

    def _creates_once(self, parcel: Parcel) -> bool:
        """Tell whether the server itself sees to it that a create happens once (If-None-Exist)."""
        return parcel.type in self.offered[parcel.place].conditional_create

    def _new_id(self, parcel: Parcel) -> str | None:
        """Return the id to create a parcel under, where the place lets us choose: the same for the same thing."""
        ours = own_identifier(parcel.write.resource)
        may_choose = (
            parcel.place not in self._without_own_ids and parcel.type in self.offered[parcel.place].update_create
        )
        if ours is None or not may_choose:
            return None
        return str(uuid.uuid5(uuid.NAMESPACE_URL, ours.token))


_OF_ITS_AUTHOR = 1


def _is_about_type(error: RecordError) -> bool:
    """Tell whether a refusal is about what may be done with a type, and not, by the server's own word, this content."""
    is_about_content = any(text_in(issue, "code") in _CONTENT for issue in objects_in(error.outcome, "issue"))
    return error.status in DEMOTING_STATUSES and not is_about_content


def _is_taken_back(stored: Stored) -> bool:
    return text_in(stored.resource, "status") == "entered-in-error"


def _turn(parcel: Parcel) -> int:
    """Return when a parcel is sent: the CarePlan that locks a move first, what else is closed last."""
    if not parcel.closing:
        return _OF_ITS_AUTHOR
    return 0 if parcel.type == "CarePlan" else 2


def _where(unit: Unit, parcel: Parcel) -> list[int]:
    """Return the position of a parcel in a unit as it is now; none where it left, or became another one."""
    return [number for number, one in enumerate(unit.parcels) if one is parcel]


def _each(unit: Unit, numbers: Collection[int], change: Callable[[Parcel], Parcel]) -> Unit:
    return unit.changed({number: change(unit.parcels[number]) for number in numbers})


def _sending(unit: Unit, numbers: Collection[int]) -> Unit:
    return _each(unit, numbers, lambda parcel: parcel.after("sending"))


def _busy(error: Conflict) -> Unreachable:
    """Return a conflict about something new as what it is: the server was busy with the same; later it may be there."""
    return Unreachable(error.message, status=error.status, outcome=error.outcome, retry_after=error.retry_after)
