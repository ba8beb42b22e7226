"""Putting what two people said into the record: a decision with its agreement, a medicine, how an agreement went.

Each is written once, however often a button is pressed, because its identifier comes from the session. What somebody
else changed meanwhile is never overwritten unseen. Nothing here knows of a request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from mappers import medicines
from mappers.agreements import IDENTIFIER_SYSTEM as AGREEMENT_SYSTEM
from mappers.agreements import (
    SAID,
    Agreement,
    Progress,
    agreement_of,
    holding_again,
    remark_of,
    task_of_agreement,
    with_progress,
    with_words,
    withdrawn,
    without_progress,
)
from mappers.answers import IDENTIFIER_SYSTEM as RESPONSE_SYSTEM
from mappers.answers import Answers, ResponseRef, answers_of, response_from
from mappers.conversation import Conversation, as_encounter
from mappers.decisions import DECISION, Decision, values_of
from mappers.errors import RefusedResponse
from mappers.identity import URN
from mappers.medicines import MEDICINE, Experience
from mappers.plan import PersonRef, StepStatus
from mappers.talking import discussed, talking_point_of
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Text
from smartapp.errors import NotAllowed
from smartapp.fhir.store import Conflict, NotFound, Query, RecordError, Unreachable, Write
from smartapp.i18n import message
from smartapp.records import Record, Records

NO_LONGER: Final = Text(
    "Op deze afspraak is teruggekomen in een gesprek.", "This agreement was taken back in a conversation."
)


NOT_YOURS: Final = message("Somebody of the care team does this. How it goes comes up in the next conversation.")


@dataclass(frozen=True, slots=True)
class Typist:
    """Who types, when (a FHIR dateTime with a zone), in which language and in which conversation.

    The words are the client's.
    """

    client: PersonRef
    user: PersonRef
    now: str
    language: str
    conversation: Conversation | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What was saved: its records, and whether all of them have arrived."""

    records: tuple[Record, ...]

    @property
    def arrived(self) -> bool:
        """Tell whether the record has all of it."""
        return all(one.state == "stored" for one in self.records)


class ChangedMeanwhile(Exception):
    """The record has something else by now than what this person saw; `current` is that, None if nobody can say."""

    def __init__(self, current: Record | None) -> None:
        super().__init__("Somebody else changed this in the meantime.")
        self.current = current


# --- decisions ------------------------------------------------------------------------------------------------------


def keep_decision(
    records: Records,
    decision: Decision,
    agreement: Agreement,
    *,
    version: str,
    was: str = "",
    who: Typist,
    known: Catalogue,
    about: str = "",
) -> Kept:
    """Put a decision into the record, with the agreement that comes of it if its outcome is that people agree.

    Both have the key of `agreement`. `version` is the tag of the decision that the page showed, "" for a new one.
    `was` is when had been said how the agreement went, as the page showed it ("" for never): where more was said since,
    it is not taken back unseen.
    `about` is the id of the point to talk about that the topic came from: it counts as talked about from now on.

    Raises ChangedMeanwhile, or RecordError; then nothing was kept.
    """
    key = agreement.key
    [responses, tasks] = records.search(
        Query.of("QuestionnaireResponse", identifier=f"{RESPONSE_SYSTEM}|{key}"),
        Query.of("Task", identifier=f"{AGREEMENT_SYSTEM}|{key}"),
    )
    answers = Answers(known.instrument(DECISION), values_of(decision), _response(key, who))
    unit = [_response_write(answers, responses, version, known, who)]
    if task := _agreement_write(decision, agreement, tasks, was, who):
        unit.append(task)
    kept = _save(records, unit, known)
    if about:
        _talked_about(records, about)
    return kept


def _agreement_write(
    decision: Decision, agreement: Agreement, tasks: list[Record], was: str, who: Typist
) -> Write | None:
    stored = tasks[0] if tasks else None
    if stored is None:
        if decision.outcome != "agreed":
            return None
        made = task_of_agreement(
            replace(agreement, made=who.now),
            patient=who.client,
            author=who.user,
            topic=decision.topic,
            language=who.language,
        )
        return Write.once(made, identifier=f"{AGREEMENT_SYSTEM}|{agreement.key}")
    if decision.outcome == "agreed":
        again = holding_again(stored.resource, (NO_LONGER.nl, NO_LONGER.en))
        changed = with_words(again, agreement, who.language)
    else:
        changed = withdrawn(stored.resource, NO_LONGER.get(who.language))
        before = agreement_of(stored.resource)
        if changed != stored.resource and before is not None and before.changed != was:
            raise ChangedMeanwhile(stored)
    return _update(stored, changed) if changed != stored.resource else None


def _talked_about(records: Records, point: str) -> None:
    """Say that a point that the client marked was talked about. The decision is safe by now, so no trouble counts."""
    try:
        task = records.read("Task", point)
        read = talking_point_of(task.resource)
        if read is not None and read.waiting and task.state == "stored":
            records.save([_update(task, discussed(task.resource))])
    except RecordError:
        return


# --- medicines ------------------------------------------------------------------------------------------------------


def keep_experience(records: Records, said: Experience, *, version: str, who: Typist, known: Catalogue) -> Kept:
    """Put what was said about a medicine into the record, under its key. Raises ChangedMeanwhile or RecordError."""
    [responses] = records.search(Query.of("QuestionnaireResponse", identifier=f"{RESPONSE_SYSTEM}|{said.key}"))
    answers = Answers(known.instrument(MEDICINE), medicines.values_of(said), _response(said.key, who))
    return _save(records, [_response_write(answers, responses, version, known, who)], known)


# --- how an agreement went ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """What was said about an agreement, and how to take that back, None where it had been said already."""

    kept: Kept
    progress: Progress | None = None


def keep_progress(records: Records, id_: str, status: StepStatus, remark: str, *, was: str, who: Typist) -> Said:
    """Add how an agreement went; `was` is the status that the page showed.

    Remarks of others stay: this is added after them. A client who presses without a word says what the button says, so
    that it is known later who said so.

    Raises ChangedMeanwhile where somebody else gave it another status than both of these, or took the agreement back,
    NotAllowed where a client says it of what a professional does, NotFound where it is no agreement of this person, and
    RecordError.
    """
    own = who.user.reference == who.client.reference
    for _attempt in range(_ATTEMPTS):
        stored = records.read("Task", id_)
        agreement = _agreement(stored)
        if own and not agreement.is_of(who.client.reference):
            raise NotAllowed(NOT_YOURS, code="agreement")
        if agreement.status not in (was, status) or agreement.reason:
            raise ChangedMeanwhile(stored)
        if _is_said(agreement, status, remark, who):
            return Said(Kept((stored,)))
        words = remark or (SAID[status].get(who.language) if own else "")
        changed = with_progress(stored.resource, status, words, by=who.user, now=who.now, language=who.language)
        try:
            kept = Kept(tuple(records.save([_update(stored, changed)])))
        except Conflict:
            continue
        # As its server has it now: some write a moment in their own way, and what is taken back is found by it.
        after = agreement_of(kept.records[0].resource)
        time = after.changed if after else who.now
        return Said(kept, Progress(who.user.reference, time, agreement.status, status, agreement.changed))
    raise ChangedMeanwhile(None)


def take_back_progress(records: Records, id_: str, progress: Progress) -> tuple[Kept, str]:
    """Take back what was said of an agreement, and return the words of it too: they are nowhere else but in a version.

    Raises ChangedMeanwhile where somebody said something else since, NotFound, RecordError.
    """
    for _attempt in range(_ATTEMPTS):
        stored = records.read("Task", id_)
        agreement = _agreement(stored)
        if agreement.status != progress.status or agreement.changed != progress.time:
            raise ChangedMeanwhile(stored)
        try:
            kept = Kept(tuple(records.save([_update(stored, without_progress(stored.resource, progress))])))
        except Conflict:
            continue
        return kept, remark_of(stored.resource, progress)
    raise ChangedMeanwhile(None)


def _agreement(stored: Record) -> Agreement:
    agreement = agreement_of(stored.resource)
    if agreement is None:
        raise NotFound("This is no agreement of a conversation.")
    return agreement


_ATTEMPTS: Final = 3


def _is_said(agreement: Agreement, status: str, remark: str, who: Typist) -> bool:
    """Tell whether the last remark is this one: a button pressed twice says a thing once."""
    last = agreement.remarks[-1] if agreement.remarks else None
    same = not remark or (last is not None and (last.text, last.by) == (remark, who.user.display))
    return agreement.status == status and same


# --- parts ----------------------------------------------------------------------------------------------------------


def _response(key: str, who: Typist) -> ResponseRef:
    client = who.client.as_reference(who.language)
    return ResponseRef(
        status="completed",
        identifier=key,
        authored=who.now,
        subject=client,
        author=who.user.as_reference(who.language),
        source=client,
        language=who.language,
    )


def _response_write(answers: Answers, stored: list[Record], version: str, known: Catalogue, who: Typist) -> Write:
    made = response_from(answers)
    if who.conversation is not None:
        made["encounter"] = as_encounter(who.conversation, who.language)
    if not stored:
        key = answers.response.identifier
        return Write.once(made, identifier=f"{RESPONSE_SYSTEM}|{key}", full_url=f"{URN}{key}")
    [record, *_] = stored
    if _said(record.resource, known) != answers.values and record.state == "stored" and version != (record.etag or ""):
        raise ChangedMeanwhile(record)
    # The day of the conversation stays; that it was changed afterwards is what `amended` and the version say.
    kept = {name: value for name, value in record.resource.items() if name not in ("status", "item", "author")}
    return _update(record, {**made, **kept, "status": "amended"})


def _update(record: Record, resource: Resource) -> Write:
    if record.state != "stored":
        raise Unreachable("What was saved before has not arrived yet. Try again in a moment.")
    return Write("update", resource, if_match=record.etag)


def _save(records: Records, unit: list[Write], known: Catalogue) -> Kept:
    try:
        saved = records.save(unit)
    except Conflict as error:
        raise ChangedMeanwhile(None) from error
    for write, record in zip(unit, saved, strict=True):
        # A create that happens once is answered with what is there: from another tab, say, with other words.
        if write.method == "create" and record.state == "stored" and _differs(record.resource, write.resource, known):
            raise ChangedMeanwhile(record)
    return Kept(tuple(saved))


def _differs(stored: Resource, made: Resource, known: Catalogue) -> bool:
    return _said(stored, known) != _said(made, known)


def _said(resource: Resource, known: Catalogue) -> object:
    """Return what a response or a Task says. Servers write the form around it in their own way, which says nothing."""
    if resource["resourceType"] == "Task":
        return resource.get("description")
    try:
        return answers_of(resource, known).values
    except RefusedResponse:
        return resource.get("item")
