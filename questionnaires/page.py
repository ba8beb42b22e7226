"""A page about an instrument that a psychometrician could sign: what is asked, how it is scored, what is verified.

Markdown, in English with the Dutch texts, generated from the definition so that it can't differ from what is computed.
`verstel questionnaires show` prints it and `docs/instruments/` has it; pages of the app are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from questionnaires.living import GOAL
from questionnaires.model import (
    AnswerScale,
    Certainty,
    Fact,
    Group,
    Instrument,
    InstrumentKind,
    Item,
    Living,
    Review,
    ScoreRule,
    Source,
    WorkedExample,
)

KINDS: Final[Mapping[InstrumentKind, str]] = {
    "questionnaire": "questionnaire",
    "record": "record of a conversation",
    "living": "living form",
}
"""What each kind of definition is called."""

CERTAINTY: Final[Mapping[Certainty, str]] = {
    "sure": "read in the source",
    "triangulated": "forced by several sources together",
    "inferred": "inferred by us from the source",
    "recalled": "recalled, in no source that was read",
    "unknown": "looked for, not found",
    "own": "our own choice",
}
"""How we know a fact, in words."""
_AGGREGATE = {"sum": "sum", "mean": "mean of the answers that count"}


def _cell(text: str) -> str:
    # A bar or a line break would end the cell.
    return text.replace("|", "\\|").replace("\n", " ")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Return the lines of a table, and an empty one after it."""
    titles = list(head)
    return [
        "| " + " | ".join(titles) + " |",
        "|" + "---|" * len(titles),
        *("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows),
        "",
    ]


def _short(link_id: str, instrument: Instrument) -> str:
    return link_id.removeprefix(f"{instrument.id}-")


def _keys(sources: Iterable[Source]) -> str:
    return ", ".join(source.key for source in sources) or "–"


def _facts(facts: Iterable[Fact]) -> list[str]:
    rows = (
        (fact.about, fact.statement, _keys(fact.sources), CERTAINTY[fact.certainty], "yes" if fact.verified else "no")
        for fact in facts
    )
    return table(("about", "fact", "sources", "how we know", "verified"), rows)


_KINDS = {"boolean": "yes / no", "text": "open", "line": "one line", "date": "a date", "goal": "one of the goals"}
_WHOSE = {"client": "the client", "peer-worker": "the peer worker", "professional": "the professional"}


def _answers(item: Item) -> str:
    if item.scale is None:
        return _KINDS.get(item.kind, item.kind)
    if item.scale.codes:
        return f"one of `{item.scale.codes}`"
    scale = f"{item.scale.low}–{item.scale.high}"
    return f"{scale} or not applicable" if item.scale.has_not_applicable else scale


def _reversed(instrument: Instrument, item: Item) -> str:
    # Scores may disagree about an item's direction; then the page says which of them reverse it.
    in_some = [rule.scale for rule in instrument.scores if item.link_id in rule.reversed]
    scored = [rule.scale for rule in instrument.scores if item.link_id in rule.items]
    if not in_some:
        return ""
    return "reversed" if in_some == scored else f"reversed in {', '.join(in_some)}"


def _items(instrument: Instrument) -> Iterator[str]:
    yield "## Items"
    yield ""
    for group in instrument.groups:
        yield f"### {group.title.nl} ({group.title.en})"
        yield ""
        if group.help:
            yield f"{group.help.nl} ({group.help.en})" + (
                f", quoted: {group.source.key}" if group.quoted and group.source else ""
            )
            yield ""
        if instrument.living:
            yield from _living_group(instrument, group)
            continue
        yield from table(
            ("item", "Dutch", "English", "subject", "answers", "direction", "wording"),
            (
                (
                    f"`{item.link_id}`",
                    item.text.nl,
                    item.text.en,
                    item.subject,
                    _answers(item) + _condition(item),
                    _reversed(instrument, item),
                    f"quoted: {item.source.key}" if item.quoted and item.source else "",
                )
                for item in group.items
            ),
        )


def _living_group(instrument: Instrument, group: Group) -> Iterator[str]:
    """Yield what a group of a living form asks: whose part, how often, and what becomes of the words."""
    if group.many:
        yield _rows(group)
        yield ""
    yield from table(
        ("item", "Dutch", "English", "subject", "answers", "who", "what becomes of it", "wording"),
        (
            (
                f"`{item.link_id}`",
                item.text.nl,
                item.text.en,
                item.subject,
                _answers(item) + (", several" if item.many else "") + _condition(item),
                _WHOSE[item.who],
                "; ".join(_becomes(instrument, item)) or "–",
                f"quoted: {item.source.key}" if item.quoted and item.source else "",
            )
            for item in group.items
        ),
    )
    for item in group.items:
        if item.prompts:
            yield f"Ideas beside `{item.link_id}`, never filled in:"
            yield ""
            yield from (f"- {prompt.nl} ({prompt.en})" for prompt in item.prompts)
            yield ""


def _rows(group: Group) -> str:
    made = {
        "": "one for each thing that is written down",
        "domain": "one is offered for each life domain",
        "goal": "one is offered for each goal that the client works on",
    }[group.per]
    order = "; the client puts them in order" if group.ordered else ""
    order += "; the answers of each stand in columns" if group.columns else ""
    return f"Rows: {made}, named by `{group.items[0].link_id}`{order}."


def _becomes(instrument: Instrument, item: Item) -> Iterator[str]:
    if item.becomes:
        yield "can become a goal" if item.becomes == GOAL else f"can be taken to `{item.becomes}`"
    if item.card:
        yield "stands on the small card"
    if item.off_card and item.scale:
        option = item.scale.option(item.off_card)
        yield f"“{option.text.nl}” keeps its row off the small card" if option else ""
    if item.kind == "date":
        yield from _which_day(item)
    if item.link_id == _review_item(instrument):
        yield "is the day on which the form asks to be looked at again"
    if item.from_offer:
        yield "is chosen from what the place has to offer"
    elif item.offer:
        yield "stands beside what the place has to offer"
    if item.changes_goal or item.ends_goal:
        yield "offers to change the goal, or to end it, after the answer that says so"
    if item.was:
        yield f"was the extension `{item.was}` of the CarePlan"


def _which_day(item: Item) -> Iterator[str]:
    if item.today:
        yield "is the day on which the row was written"
    if item.day:
        yield "is today or a day before" if item.day == "been" else "is today or a day after"


def _review_item(instrument: Instrument) -> str:
    review = instrument.living.review if instrument.living else None
    return f"{instrument.id}-{review.item}" if review and review.item else ""


def _condition(item: Item) -> str:
    if item.enable_when is None:
        return ""
    return f", asked when `{item.enable_when.item}` is {_answer(item.enable_when.answer)}"


def _answer(answer: str | bool) -> str:
    return answer if isinstance(answer, str) else ("yes" if answer else "no")


def _scales(scales: Iterable[AnswerScale]) -> Iterator[str]:
    # A scale with and one without "not applicable" share an id: the wider one shows both.
    widest: dict[str, AnswerScale] = {}
    for scale in scales:
        # Codes of another CodeSystem are listed where that is.
        if not scale.codes and (scale.id not in widest or scale.has_not_applicable):
            widest[scale.id] = scale
    if widest:
        yield "## Answer scales"
        yield ""
    for scale in widest.values():
        yield f"`{scale.id}`"
        yield ""
        yield from table(
            ("code", "counts for", "Dutch", "English"),
            (
                (option.code, "–" if option.value is None else str(option.value), option.text.nl, option.text.en)
                for option in scale.options
            ),
        )


def _missing(instrument: Instrument, rule: ScoreRule) -> str:
    need = "every item answered" if rule.minimum_answered == len(rule.items) else ""
    need = need or f"at least {rule.minimum_answered} of {len(rule.items)} items answered"
    offered = any((scale := instrument.item(link_id).scale) and scale.has_not_applicable for link_id in rule.items)
    return f'{need}; "not applicable" is an answer that does not count' if offered else need


def _rounding(rule: ScoreRule) -> str:
    if rule.rounding is None:
        return "none, full precision"
    steps = []
    if rule.rounding.sum_decimals is not None:
        steps.append(f"mean × {len(rule.items)} to {rule.rounding.sum_decimals} decimals, then ÷ {len(rule.items)}")
    if rule.rounding.decimals is not None:
        steps.append(f"to {rule.rounding.decimals} decimals")
    return "half away from zero: " + ", then ".join(steps)


def _score(instrument: Instrument, rule: ScoreRule) -> Iterator[str]:
    yield f"### `{rule.code}` – {rule.title.en} ({rule.title.nl})"
    yield ""
    yield (
        "Verified: every fact that is not our own choice was read in its source."
        if rule.verified
        else ("**Provisional**: not every fact behind this score was verified; see the table.")
    )
    yield ""
    reversed_ = ", ".join(_short(link_id, instrument) for link_id in rule.items if link_id in rule.reversed)
    yield from table(
        ("", ""),
        (
            ("rule version", rule.version),
            ("items", ", ".join(_short(link_id, instrument) for link_id in rule.items)),
            ("reversed (lowest + highest − answer)", reversed_ or "none"),
            ("aggregate", _AGGREGATE.get(rule.aggregate, f"mean of the answers that count × {len(rule.items)}")),
            ("score is given when", _missing(instrument, rule)),
            ("rounding", _rounding(rule)),
            ("range", f"{rule.low:g}–{rule.high:g}"),
            ("shown in the app", "yes" if rule.default else "no, a named alternative"),
            ("in the published Questionnaire", "yes" if rule.published else "no"),
        ),
    )
    if rule.note:
        yield rule.note
        yield ""
    yield from _facts(rule.facts)


def _example(instrument: Instrument, example: WorkedExample) -> Iterator[str]:
    yield f"### {example.title}"
    yield ""
    given = ", ".join(f"{_short(link_id, instrument)} = {_answer(answer)}" for link_id, answer in example.answers)
    yield f"Answers: {given}."
    yield ""
    scores = ((f"`{instrument.id}-{scale}`", "no score" if v is None else f"{v!r}") for scale, v in example.scores)
    yield from table(("score", "value"), scores)
    yield f"Working: {example.working}." + (f" Source: {example.source.key}." if example.source else "")
    yield ""


def _unverified(instrument: Instrument) -> Iterator[str]:
    yield "## What is not verified"
    yield ""
    # What is open about several scores is one line; the code "" is the instrument as a whole.
    open_points: dict[tuple[str, str, str], list[str]] = {}
    for code, fact in instrument.all_facts():
        if not fact.verified:
            open_points.setdefault((fact.about, fact.statement, CERTAINTY[fact.certainty]), []).append(code)
    for (about, statement, certainty), codes in open_points.items():
        where = f"{about} of {', '.join(f'`{code}`' for code in codes)}" if codes[0] else about
        yield f"- {where}: {statement} ({certainty})"
    if not open_points:
        yield "Nothing: every fact was read in its source."
    yield ""


def _lines(instrument: Instrument) -> Iterator[str]:
    yield from _summary(instrument)
    yield from ("## Known facts", "")
    yield from _facts(instrument.facts)
    yield from _items(instrument)
    yield from _scales(instrument.scales)
    if instrument.scores:
        yield from ("## Scores", "")
    for rule in instrument.scores:
        yield from _score(instrument, rule)
    if instrument.examples:
        yield from ("## Worked examples", "")
    for example in instrument.examples:
        yield from _example(instrument, example)
    yield from _published_numbers(instrument)
    yield from _unverified(instrument)
    yield from ("## Sources", "")
    yield from table(
        ("key", "source", "what was read of it"),
        ((citation.key, citation.text, citation.read) for citation in instrument.citations),
    )
    yield from ("## Rights", "", instrument.copyright.en)


def _summary(instrument: Instrument) -> Iterator[str]:
    yield f"# {instrument.title.en} (`{instrument.id}`)"
    yield ""
    yield f"{instrument.subtitle.en}. {instrument.title.nl}: {instrument.subtitle.nl}."
    yield ""
    yield f"> {instrument.wording_note.en}"
    yield ""
    yield from table(
        ("", ""),
        (
            ("canonical", f"`{instrument.canonical}`"),
            ("kind", KINDS[instrument.kind]),
            *([("about", "a team, not a person")] if instrument.subject == "team" else []),
            ("items", str(len(instrument.items))),
            ("takes about", f"{instrument.minutes} minutes"),
            ("scores", ", ".join(f"`{rule.code}`" for rule in instrument.scores) or "none"),
            ("derived from", f"`{instrument.derived_from}`" if instrument.derived_from else "–"),
        ),
    )
    if instrument.note:
        yield instrument.note
        yield ""
    if instrument.living:
        yield from _how_it_lives(instrument.living)


def _how_it_lives(living: Living) -> Iterator[str]:
    """Yield how a living form is shown, and when it asks to be looked at again."""
    yield from ("## How it is shown", "")
    yield from table(
        ("", ""),
        (
            ("place among the living forms", str(living.order)),
            ("invitation", f"{living.invitation.nl} ({living.invitation.en})"),
            *([("its sheet is called", f"{living.summary.nl} ({living.summary.en})")] if living.summary else []),
            ("shown in", ", ".join(living.shown_in) or "its own pages only"),
            ("asks to be looked at again", _looked_at_again(living.review)),
            ("groups are cards to choose from", "yes" if living.cards else "no"),
            ("has a small card", "yes" if living.card else "no"),
            ("can be kept on an own device", "yes" if living.offline else "no"),
        ),
    )


def _looked_at_again(review: Review | None) -> str:
    if review is None:
        return "no"
    day = f", or on the day in `{review.item}`" if review.item else ""
    yes = f"; or its owner says: {review.yes.nl} ({review.yes.en})" if review.yes else ""
    return f"{review.months} months after it was last changed{day}: {review.question.nl} ({review.question.en}){yes}"


def _published_numbers(instrument: Instrument) -> Iterator[str]:
    if instrument.reference_numbers:
        yield from ("## Published numbers", "")
        yield from table(
            ("people", "n", "numbers", "source", "how we know"),
            (
                (number.population, number.n, number.statistic, number.source.key, CERTAINTY[number.source.certainty])
                for number in instrument.reference_numbers
            ),
        )


def instrument_page(instrument: Instrument) -> str:
    """Return the page about an instrument as Markdown."""
    return "\n".join(_lines(instrument)) + "\n"


def index_page(instruments: Iterable[Instrument]) -> str:
    """Return the page that lists the instruments and, apart, the living forms, with a link to the page of each."""
    known = tuple(instruments)
    measured = [
        (
            f"[{instrument.title.en}]({instrument.id}.md)",
            instrument.subtitle.en,
            str(len(instrument.items)),
            str(len(instrument.scores)) if instrument.scores else "none",
            ", ".join(f"`{rule.scale}`" for rule in instrument.scores if rule.verified) or "–",
        )
        for instrument in known
        if instrument.living is None
    ]
    living = [
        (f"[{form.title.en}]({form.id}.md)", form.subtitle.en, str(len(form.groups)), str(len(form.items)))
        for form in sorted(known, key=lambda form: form.living.order if form.living else 0)
        if form.living is not None
    ]
    lines = [
        "# The instruments",
        "",
        "What is asked, how it is scored, where each fact comes from, and what is not verified.",
        "Generated by `verstel questionnaires build` from `questionnaires/definitions/`.",
        "",
        *table(("instrument", "what", "items", "scores", "of which verified"), measured),
    ]
    if living:
        lines += [
            "## Living forms",
            "",
            "What is never finished: its owner comes back to it, and every version is kept. Nothing is measured.",
            "",
            *table(("form", "what", "groups", "items"), living),
        ]
    return "\n".join(lines)
