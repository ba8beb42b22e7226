"""Two versions of one thing that a person wrote, one here and one in a file: the words of both, where that can be."""

from __future__ import annotations

from dataclasses import replace

from mappers.living.content import Answer, Content, Row
from mappers.plan.model import QUESTIONS, DomainAnswers
from questionnaires.model import Item


def both(mine: Content, theirs: Content) -> Content:
    """Return what is written in a form here with what a file adds to it; of a choice, that of here."""
    asked = {item.link_id: item for item in mine.form.items}
    answers = dict(mine.answers)
    for link_id, answer in theirs.answers.items():
        answers[link_id] = _joined(asked[link_id], answers.get(link_id, ()), answer)
    rows = dict(mine.rows)
    for group, there in theirs.rows.items():
        here = rows.get(group, ())
        known = [row.answers for row in here]
        keys = {row.key for row in here}
        new = [row for row in there if row.answers not in known]
        rows[group] = (*here, *(Row(_free(row.key, keys), row.answers) for row in new))
    return replace(mine, answers=answers, rows=rows, goals={**theirs.goals, **mine.goals})


def _free(key: str, taken: set[str]) -> str:
    """Return a key for a row that no other has, and take it."""
    while key in taken:
        key = f"{key}-2"
    taken.add(key)
    return key


def _joined(item: Item, mine: Answer, theirs: Answer) -> Answer:
    if not mine or mine == theirs:
        return theirs
    if item.many:
        return (*mine, *(one for one in theirs if one not in mine))
    if item.kind in ("text", "line"):
        return (_texts(mine[0], theirs[0]),)
    return mine


def both_answers(mine: DomainAnswers, theirs: DomainAnswers) -> DomainAnswers:
    """Return the answers about an area of life of here, each with what a file says beside it."""
    return replace(mine, **{name: _texts(getattr(mine, name), getattr(theirs, name)) for name in QUESTIONS})


def _texts(mine: str, theirs: str) -> str:
    if not mine or not theirs or theirs in mine:
        return mine or theirs
    return theirs if mine in theirs else f"{mine}\n\n{theirs}"


def is_one_thing(content: Content, other: Content) -> bool:
    """Tell whether two say the same, whatever their rows are called."""
    return content.answers == other.answers and _rows(content) == _rows(other)


def _rows(content: Content) -> dict[str, list[dict[str, Answer]]]:
    return {group: [dict(row.answers) for row in rows] for group, rows in content.rows.items()}
