"""The judge at the end of a history: of every word that was promised to be kept, where is it now?"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from mappers.answers import Answers, ResponseRef
from mappers.assignment import asks_for
from mappers.identity import Identifier, identity, own_identifier
from mappers.plan.document import FHIR_JSON
from mappers.sameness import says_all_of
from mappers.submission import submission_of
from mappers.successors import number_of
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from tests.faults.ledger import STORED, Ledger, Word
from tests.faults.looking import on_its_way, shown
from tests.faults.people import HOOP, Client, Person
from tests.faults.stores import PLAN, There, contents, everything, in_plans, is_living, living, units
from tests.faults.world import PATIENTS, Event, World

KINDS = ("lost", "doubled", "false", "unseen", "left", "stuck", "alarmed", "misplaced", "crashed")
"""What must not happen. Lost: nowhere. Doubled: twice. False: called stored, and was not. Unseen: refused, or set
aside, and no page shows its writer so. Left: on its way for ever. Stuck: with all faults over, what is new does not get
through. Alarmed: told of a refusal, while all is stored. Misplaced: lower on the ladder than the EHR gave reason for.
Crashed: an unforeseen error."""

MOST_UNSEEN = 3


def judge(world: World, ledger: Ledger, people: Sequence[Person]) -> None:
    """Find in the ledger what became of each word, once everything is quiet."""
    there = living(everything(world))
    reachable = in_plans(there)
    for _slot, words in ledger.slots():
        _judge_slot(world, ledger, people, words, reachable)
    if not ledger.findings and _all_is_there(world, reachable) and not any(map(_leads_astray, world.history)):
        _judge_alarms(ledger, people, reachable)
    _judge_doubles(ledger, there)
    _judge_places(world, ledger, there)
    _judge_scores(world, ledger, people, there)
    _judge_documents(world, ledger, there)
    _judge_assignments(world, ledger, there)


def _judge_slot(
    world: World, ledger: Ledger, people: Sequence[Person], words: Sequence[Word], there: Sequence[There]
) -> None:
    slot = words[0].slot
    said = contents(slot, [one.resource for one in there])
    final = next((word for word in reversed(words) if word.content in said), None)
    for word in _due(words):
        if final is not None and covers(final, word, words):
            continue
        state, how = _elsewhere(world, people, word)
        if state != "seen":
            now = f"; stored is {final.content}" if final is not None else "; nothing is stored"
            ledger.finds(
                state, f"{word.writer} {' '.join(slot)} = {_short(word.content)} (told: {word.claim}){now}{how}"
            )


def _due(words: Sequence[Word]) -> list[Word]:
    """Return of each writer the last word that was promised to be kept."""
    last = {word.writer: word for word in words if word.committed}
    return list(last.values())


def covers(final: Word, word: Word, words: Sequence[Word]) -> bool:
    """Tell whether what is stored is a word itself, or rightly took its place: by its writer, or by one who saw it."""
    if final.content == word.content or (final.writer == word.writer and final.number > word.number):
        return True
    seen, before = set(final.seen), -1
    while len(seen) != before:
        before = len(seen)
        for other in words:
            if other.content in seen:
                seen |= other.seen
                seen |= {one.content for one in words if one.writer == other.writer and one.number < other.number}
    return word.content in seen


def _elsewhere(world: World, people: Sequence[Person], word: Word) -> tuple[str, str]:
    """Return what became of a word that is at no store: seen by its writer, left on its way, unseen, or lost."""
    writer = next((one for one in people if one.name == word.writer), None)
    page = shown(writer, word) if writer is not None else None
    if page is not None:
        return ("left", "; a page says that it is on its way") if on_its_way(page) else ("seen", "")
    sealed = _is_sealed(world, str(word.content) if word.slot[0] != "response" else word.slot[1])
    return ("unseen", f"; sealed in {', '.join(sealed)}") if sealed else ("lost", "")


def _is_sealed(world: World, needle: str) -> list[str]:
    process = next(one for one in world.processes if one.alive)
    found = []
    with process.services.engine.connect() as connection:
        inspector = sa.inspect(connection)
        for table in inspector.get_table_names():
            columns = {column["name"] for column in inspector.get_columns(table)}
            if "sealed" not in columns or table == "audit":  # that says who did what, and holds no words
                continue
            for (sealed,) in connection.exec_driver_sql(f"select sealed from {table}").all():
                if needle in str(process.services.vault.open(sealed)):
                    found.append(table)
                    break
    return found


def _all_is_there(world: World, there: Sequence[There]) -> bool:
    """Tell whether something is stopped, and each change that is says nothing but what is stored."""
    stored = {(one.place, one.reference): one.resource for one in there}
    stopped = [parcel for unit in units(world) for parcel in (unit.parcels[number] for number in unit.stopped)]
    changes = [parcel for parcel in stopped if parcel.write.method == "update"]
    found = [(stored.get((one.place, f"{one.type}/{one.write.resource['id']}")), one) for one in changes]
    return bool(stopped) and all(now is not None and says_all_of(now, one.write.resource) for now, one in found)


def _judge_alarms(ledger: Ledger, people: Sequence[Person], there: Sequence[There]) -> None:
    """Find people who read that words of theirs did not get through, though all of those are where they should be."""
    stored = [one.resource for one in there]
    for person in people:
        # A clinician who took an assignment back reads its message there: that is not what they wrote.
        page = person.get("unsent/") if isinstance(person, Client) and person.there() else None
        if page is None or page.status != 200:
            continue
        texts = [word for word in ledger.words if word.writer == person.name and word.slot[0] != "response"]
        told = [word for word in texts if word.content in page.text]
        if told and all(word.content in contents(word.slot, stored) for word in told):
            ledger.finds("alarmed", f"{person.name} reads of a refusal, and all is stored: {told[-1].content}")


# ---- what is stored, whoever wrote it


def _judge_doubles(ledger: Ledger, there: Sequence[There]) -> None:
    counted = Counter(name for one in there if (name := identity(one.resource)) is not None)
    for (type_, identifier), count in counted.items():
        if count > 1:
            where = [f"{one.place} {one.reference}" for one in there if identity(one.resource) == (type_, identifier)]
            ledger.finds("doubled", f"{type_} {identifier.value}: {', '.join(where)}")


def _judge_places(world: World, ledger: Ledger, there: Sequence[There]) -> None:
    if "*" in world.refused:
        return
    for one in there:
        type_ = one.resource["resourceType"]
        together = PLAN if type_ in PLAN else (type_,)
        changes = is_living(one.resource)
        if sum(_hides(event, type_) for event in world.history) >= MOST_UNSEEN:
            continue
        if one.place != "ehr" and all(
            world.kind.takes(each, living=changes) and each not in world.refused for each in together
        ):
            ledger.finds("misplaced", f"{one.place} {one.reference}, which the EHR takes and never refused")
            return


def _hides(event: Event, type_: str) -> bool:
    """Tell whether the EHR refused to let us look: where it does so three times it counts as one that keeps nothing."""
    is_refused = "(403)" in event.what or "(422)" in event.what
    return is_refused and event.what.startswith("GET ") and f":81/fhir/{type_}" in event.what


def _judge_scores(world: World, ledger: Ledger, people: Sequence[Person], there: Sequence[There]) -> None:
    """Compare the scores that are stored with those of the answers that are stored; of a response's line, the last."""
    scores = {name: one.resource for one in there if (name := identity(one.resource)) and name[0] == "Observation"}
    responses = [one.resource for one in there if one.resource["resourceType"] == "QuestionnaireResponse"]
    for slot, _words in ledger.slots():
        theirs = [one for one in responses if contents(slot, [one])] if slot[0] == "response" else []
        if theirs and slot[2] == HOOP:
            last = max(theirs, key=number_of)
            for entry in _scores_of(contents(slot, [last])[0], own_identifier(last)):
                name = identity(entry)
                stored = scores.get(name) if name else None
                is_right = stored is not None and _value(stored) == _value(entry)
                if not is_right and not (stored is not None and _is_told(world, people, entry)):
                    _judge_score(world, ledger, slot[1], stored)


def _is_told(world: World, people: Sequence[Person], score: Resource) -> bool:
    """Tell whether a score waits for its author to decide, as its change was refused, and a page of theirs says so."""
    name = own_identifier(score)
    if name is None or "outbox" not in _is_sealed(world, name.value):
        return False
    pages = [person.get("unsent/") for person in people if isinstance(person, Client) and person.there()]
    return any(page is not None and page.status == 200 for page in pages)


def _scores_of(answers: Any, identifier: Identifier | None) -> list[Resource]:
    """Return the scores that answers of this identifier have."""
    anna = {"reference": "Patient/anna", "display": "-"}
    about = ResponseRef(
        status="completed",
        identifier=identifier.value if identifier else "",
        authored="2026-01-01T00:00:00Z",
        subject=anna,
        author=anna,
        source=anna,
        language="en",
    )
    made = submission_of(Answers(catalogue().instruments[HOOP], dict(answers), about))
    return [entry.resource for entry in made[1:]]


def _judge_score(world: World, ledger: Ledger, key: str, stored: Resource | None) -> None:
    if stored is None:
        ledger.finds("left" if _is_sealed(world, key) else "lost", f"a score of response {key}")
    else:
        ledger.finds("lost", f"a score of response {key} is that of other answers")


def _judge_documents(world: World, ledger: Ledger, there: Sequence[There]) -> None:
    """Compare the plans that the EHR does not keep with the documents that it has of them."""
    documents = [one for one in there if one.resource["resourceType"] == "DocumentReference"]
    for one in documents:
        if one.place != "ehr":
            ledger.finds("misplaced", f"{one.place} {one.reference}: a document is for the chart, or for nowhere")
    gets_documents = world.kind.takes("DocumentReference") and not world.kind.takes("CarePlan")
    if gets_documents and not {"DocumentReference", "*"} & world.refused:
        for patient in PATIENTS:
            _judge_document(ledger, patient, [one.resource for one in documents if _about(one, patient)], there)


def _judge_document(ledger: Ledger, patient: str, documents: Sequence[Resource], there: Sequence[There]) -> None:
    """Find whether one document holds, and says what the plan says; the last only of what was written in quiet."""
    current = [one for one in documents if one["status"] == "current"]
    written = [word for word in ledger.words if word.committed and word.slot == ("story", patient)]
    if not written or ledger.quiet is None or written[-1].number < ledger.quiet:
        return
    kinds = (*PLAN, "QuestionnaireResponse")
    plan = [one.resource for one in there if one.resource["resourceType"] in kinds and _about(one, patient)]
    said = [text for slot, _words in ledger.slots() if slot[0] in ("story", "goal") for text in contents(slot, plan)]
    read = " ".join(_text_of(one) for one in current)
    if missing := [text for text in said if text not in read]:
        ledger.finds("left", f"the chart of {patient} has no document with {', '.join(missing)}")
    elif len(current) > 1:
        ledger.finds("doubled", f"the chart of {patient} has {len(current)} documents of one plan that hold")


def _about(one: There, patient: str) -> bool:
    whose = one.resource.get("subject") or one.resource.get("for") or {}
    return str(whose.get("reference", "")).endswith(f"Patient/{patient}")


def _text_of(document: Resource) -> str:
    """Return the FHIR that a document holds beside its PDF, as text."""
    found = [one["attachment"] for one in document["content"] if one["attachment"]["contentType"] == FHIR_JSON]
    return " ".join(base64.b64decode(one["data"]).decode() for one in found)


_ANY_DAY: Final = "2026-11-24"
"""No assignment of a history is planned for a day."""


def _judge_assignments(world: World, ledger: Ledger, there: Sequence[There]) -> None:
    """Find assignments that still wait though they were answered after they had been stored."""
    if {"Task", "*"} & world.refused or any(map(_misleads, world.history)):
        return
    resources = [one.resource for one in there]
    for word in ledger.words:
        if word.slot[0] == "task" and word.claim in STORED:
            for one in there:
                if word.content in contents(word.slot, [one.resource]) and _is_answered(one, word, ledger, resources):
                    ledger.finds("left", f"{one.place} {one.reference} ({word.content}) still waits, and was answered")


def _is_answered(task: There, asked: Word, ledger: Ledger, resources: Sequence[Resource]) -> bool:
    """Tell whether an assignment that waits was answered by what its client sent in after it, and that is stored."""
    return any(
        word.slot[0] == "response"
        and word.committed
        and word.number > asked.number
        and asks_for(task.resource, word.slot[2], _ANY_DAY)
        and _about(task, word.writer.partition("/")[2])
        and word.content in contents(word.slot, resources)
        for word in ledger.words
    )


def _misleads(event: Event) -> bool:
    """Tell whether a request for assignments got an answer that hides them: the app then has nothing to close."""
    hides = ("(403)", "(422)", "(other-id)", "(other-person)", "(wrong-resource)")
    return "/fhir/Task" in event.what and any(name in event.what for name in hides)


def _leads_astray(event: Event) -> bool:
    """Tell whether a plan was given under an id that is none: what its author changes of it then is rightly refused."""
    return "/fhir/CarePlan" in event.what and "(other-id)" in event.what


def _value(observation: dict[str, Any]) -> Any:
    return observation.get("valueQuantity", {}).get("value")


def _short(content: Any) -> str:
    return content if isinstance(content, str) else " ".join(f"{key[-2:]}:{value}" for key, value in sorted(content))


def drafts_are_kept(ledger: Ledger, people: Sequence[Person]) -> None:
    """Check that the answers that people were told are kept, and have not sent in, are in their drafts."""
    for person in people:
        if isinstance(person, Client):
            for instrument in person.open_drafts():
                person.looks_over(instrument)
