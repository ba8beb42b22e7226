"""The judge at the end of a history: of every word that was promised to be kept, where is it now?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from mappers.answers import Answers, ResponseRef
from mappers.identity import identity
from mappers.submission import submission_of
from questionnaires.catalogue import catalogue
from tests.faults.ledger import Ledger, Slot, Word
from tests.faults.people import HOOP, Client, Person
from tests.faults.stores import PLAN, There, contents, everything, living
from tests.faults.world import World

KINDS = ("lost", "doubled", "false", "unseen", "left", "stuck", "misplaced", "crashed")
"""What must not happen. Lost: nowhere. Doubled: twice. False: called stored, and was not. Unseen: refused, or set aside,
and no page shows its writer so. Left: on its way for ever. Stuck: with all faults over, what is new does not get
through. Misplaced: lower on the ladder than the EHR gave reason for. Crashed: an unforeseen error."""


def judge(world: World, ledger: Ledger, people: Sequence[Person]) -> None:
    """Find in the ledger what became of each word, once everything is quiet."""
    there = living(everything(world))
    for slot, words in ledger.slots():
        _judge_slot(world, ledger, people, slot, words, there)
    _judge_doubles(ledger, there)
    _judge_places(world, ledger, there)
    _judge_scores(world, ledger, there)


def _judge_slot(
    world: World, ledger: Ledger, people: Sequence[Person], slot: Slot, words: Sequence[Word], there: Sequence[There]
) -> None:
    said = contents(slot, [one.resource for one in there])
    final = next((word for word in reversed(words) if word.content in said), None)
    for word in _due(words):
        if final is not None and _covers(final, word, words):
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


def _covers(final: Word, word: Word, words: Sequence[Word]) -> bool:
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
    pages = _pages(writer, word) if writer is not None else []
    for text in pages:
        if _shows(text, word):
            return ("left", "; a page says that it is on its way") if "on its way" in text else ("seen", "")
    sealed = _sealed(world, word)
    return ("unseen", f"; sealed in {', '.join(sealed)}") if sealed else ("lost", "")


def _shows(text: str, word: Word) -> bool:
    if word.slot[0] == "response":
        return text.startswith(f"answers to {word.slot[1]}")
    return str(word.content) in text


def _pages(writer: Person, word: Word) -> list[str]:
    """Return the texts of the pages on which a writer would look for a word."""
    writer.there()
    if word.slot[0] == "response":
        return _pages_of_response(writer, word)
    keys = {"goal": word.slot[1], "note": word.slot[1]}
    paths = {
        "story": ["plan/", "plan/story"],
        "goal": ["plan/", f"plan/goals/by-key/{keys.get('goal')}", "plan/goals/new"],
        "note": ["plan/", f"plan/goals/by-key/{keys.get('note')}"],
        "step": ["plan/"],
        "task": ["assignments/", "assignments/new"],
        "taken back": ["assignments/"],
    }[word.slot[0]]
    found = []
    for path in ["", *paths]:
        page = writer.get(path)
        page = writer.follow(page) if page is not None else None
        if page is not None:
            found.append(page.text)
            found += _forms_of_goal(writer, page.source, word)
    return found


def _forms_of_goal(writer: Person, source: str, word: Word) -> list[str]:
    """Return the texts of the forms behind the goals on a page: an unsaved text stands in its form."""
    import re  # noqa: PLC0415

    forms = {"goal": "words", "note": "progress", "step": "steps/new"}
    if word.slot[0] not in forms:
        return []
    found = []
    for goal in dict.fromkeys(re.findall(r"/plan/goals/([^/\"?]+)/?\"", source)):
        if goal in ("new", "by-key"):
            continue
        page = writer.get(f"plan/goals/{goal}/{forms[word.slot[0]]}")
        if page is not None:
            found.append(page.text)
    return found


def _pages_of_response(writer: Person, word: Word) -> list[str]:
    identifier, instrument = word.slot[1:]
    found = []
    page = writer.get(f"questionnaires/responses/{identifier}")
    if page is not None and page.status == 200:
        found.append(f"answers to {identifier}: {page.text}")
    review = writer.get(f"questionnaires/{instrument}/review")
    if review is not None and review.fields.get("identifier") == identifier:
        found.append(f"answers to {identifier}: {review.text}")
    return found


def _sealed(world: World, word: Word) -> list[str]:
    """Return the tables of ours in which a word is sealed."""
    return _is_sealed(world, str(word.content) if word.slot[0] != "response" else word.slot[1])


def _is_sealed(world: World, needle: str) -> list[str]:
    process = next(one for one in world.processes if one.alive)
    found = []
    with process.services.engine.connect() as connection:
        for table in sa.inspect(process.services.engine).get_table_names():
            columns = {column["name"] for column in sa.inspect(process.services.engine).get_columns(table)}
            if "sealed" not in columns:
                continue
            for (sealed,) in connection.exec_driver_sql(f"select sealed from {table}").all():
                if needle in str(process.services.vault.open(sealed)):
                    found.append(table)
                    break
    return found


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
        if one.place != "ehr" and all(world.kind.takes(each) and each not in world.refused for each in together):
            ledger.finds("misplaced", f"{one.place} {one.reference}, which the EHR takes and never refused")
            return


def _judge_scores(world: World, ledger: Ledger, there: Sequence[There]) -> None:
    """Compare the scores that are stored with those of the answers that are stored."""
    scores = {name: one.resource for one in there if (name := identity(one.resource)) and name[0] == "Observation"}
    for slot, _words in ledger.slots():
        if slot[0] != "response" or slot[2] != HOOP:
            continue
        for answers in contents(slot, [one.resource for one in there])[:1]:
            about = ResponseRef(
                status="completed",
                identifier=slot[1],
                authored="2026-01-01T00:00:00Z",
                subject={"reference": "Patient/anna", "display": "-"},
                author={"reference": "Patient/anna", "display": "-"},
                source={"reference": "Patient/anna", "display": "-"},
                language="en",
            )
            expected = submission_of(Answers(catalogue().instruments[HOOP], dict(answers), about))[1:]
            for entry in expected:
                stored = scores.get(identity(entry.resource))  # type: ignore[arg-type]
                if stored is None:
                    kind = "left" if _is_sealed(world, slot[1]) else "lost"
                    ledger.finds(kind, f"a score of response {slot[1]}")
                    break
                if _value(stored) != _value(entry.resource):
                    ledger.finds("lost", f"a score of response {slot[1]} is that of other answers")
                    break


def _value(observation: dict[str, Any]) -> Any:
    return observation.get("valueQuantity", {}).get("value")


def _short(content: Any) -> str:
    return content if isinstance(content, str) else " ".join(f"{key[-2:]}:{value}" for key, value in sorted(content))


def drafts_are_kept(ledger: Ledger, people: Sequence[Person]) -> None:
    """Check that the answers that people were told are kept, and have not sent in, are in their drafts."""
    for person in people:
        if isinstance(person, Client) and person.there():
            for instrument in person.drafts:
                page = person.get(f"questionnaires/{instrument}/review")
                if page is not None and page.status == 200 and "seen" in page.fields:
                    person._agrees(instrument, page)
