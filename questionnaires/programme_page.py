"""A page about a programme: its moments, who is there, and what a source says of it or a place chose.

Markdown, in English with the Dutch texts, generated from the data. `verstel programmes show` prints it and
`docs/programmes.md` has those that ship; pages of the app are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from questionnaires.page import CERTAINTY, table
from questionnaires.programmes import Moment, Programme


def programme_page(programme: Programme) -> str:
    """Return the page about one programme."""
    return "\n".join(_lines(programme, "#"))


def programmes_page(programmes: Iterable[Programme]) -> str:
    """Return one page about several programmes."""
    head = (
        "# Programmes",
        "",
        "When to measure, to talk and to look back, counted from a start. `verstel programmes show ID` prints one, "
        "also one of a place's own; [questionnaires/](../questionnaires/README.md#a-programme-of-your-own) says how to "
        "write one. This page is generated (`make generate`).",
        "",
    )
    return "\n".join([*head, *(line for one in programmes for line in _lines(one, "##"))])


def _lines(programme: Programme, head: str) -> Iterator[str]:
    yield from (f"{head} {programme.title.nl} ({programme.title.en})", "")
    yield from (f"{programme.about.nl} ({programme.about.en})", "")
    yield from table(
        ("", ""),
        [
            ("id, version", f"`{programme.id}`, {programme.version}"),
            ("canonical", f"`{programme.canonical}`"),
            ("counted from", f"{programme.counted_from.nl} ({programme.counted_from.en})"),
            ("who may begin it", ", ".join(programme.started_by)),
            ("longest", programme.longest or "no end is set"),
            *((f"there is: {one.role}", f"{one.text.nl} ({one.text.en})") for one in programme.available),
        ],
    )
    yield from (f"{head}# Moments", "")
    yield from table(
        ("moment", "kind", "opens", "about", "closes", "told", "what is asked", "minutes"),
        (
            (
                f"`{one.id}`, {one.title.nl} ({one.title.en})",
                one.kind,
                _opens(one),
                one.about or "–",
                one.closes,
                "on the day" if one.tell.startswith("0 ") else f"{one.tell} before",
                ", ".join(f"`{asked}`" for asked in one.questionnaires) or "–",
                str(one.minutes or "–"),
            )
            for one in programme.moments
        ),
    )
    for one in programme.moments:
        measured = f" Measures: {one.outcome.nl} ({one.outcome.en})" if one.outcome else ""
        yield f"- `{one.id}`: {one.purpose.nl} ({one.purpose.en}){measured}"
    yield from ("", f"{head}# What is known, and what is chosen", "")
    yield from table(
        ("about", "fact", "sources", "how we know", "verified"),
        (
            (
                fact.about,
                fact.statement,
                ", ".join(fact.sources) or "–",
                CERTAINTY[fact.certainty],
                "yes" if fact.verified else "no",
            )
            for fact in programme.facts
        ),
    )
    if programme.sources:
        yield from (f"{head}# Sources", "")
        rows = ((key, source.citation, source.read) for key, source in programme.sources.items())
        yield from table(("key", "source", "what was read of it"), rows)


def _opens(one: Moment) -> str:
    return one.opens if one.every is None else f"{one.opens}, and every {one.every} after"
