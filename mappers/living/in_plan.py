"""What a plan shows of living forms: the words that were in it before there were living forms.

A plan of before has them in extensions of its CarePlan. From the moment that a form has a response, the words are
there; the plan is told so (`elsewhere`), shows them from there, and writes them no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from mappers.living.content import Content
from mappers.plan.model import Plan
from questionnaires.living import PlanPart


def with_forms(plan: Plan, parts: Iterable[PlanPart], contents: Mapping[str, Content], stored: Collection[str]) -> Plan:
    """Return the plan with the words of these forms, by their id, in place of those that it had itself.

    `stored` are the forms whose words have arrived: only then the plan need not keep what it had of them.
    """
    taken = {part.code: texts_of(contents[part.code], part) for part in parts if part.code in contents}
    return replace(plan, texts={**plan.texts, **taken}, elsewhere=frozenset(taken.keys() & set(stored)))


def texts_of(content: Content, part: PlanPart) -> tuple[str, ...]:
    """Return the words of a form that a plan shows: its rows, or its text; if that is empty, what is written first."""
    link_id = part.item.link_id
    if part.group.many:
        return tuple(row.of(link_id) for row in content.rows_of(part.group.link_id) if row.of(link_id))
    if content.answers.get(link_id):
        return content.answers[link_id]
    typed = (item.link_id for item in part.form.items if item.kind == "text" and content.answers.get(item.link_id))
    return content.answers[first] if (first := next(typed, None)) else ()
