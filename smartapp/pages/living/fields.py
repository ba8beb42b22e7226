"""The fields of a living form, with its questions in the reader's language."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from mappers.living import Content
from mappers.living.content import tick
from questionnaires.catalogue import Catalogue
from questionnaires.living import LIFE_DOMAIN
from questionnaires.model import Item
from smartapp.offer import Offered, offered_as, offered_at, question
from smartapp.web.fields import Field, FieldKind, FieldOption, offer_views
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of
from smartapp.web.written import chosen_name

_KINDS: dict[str, FieldKind] = {"text": "area", "line": "line", "date": "date"}


def fields_of(
    items: Iterable[Item],
    content: Content,
    known: Catalogue,
    domains: Collection[str],
    offer: Sequence[Offered] = (),
) -> tuple[Field, ...]:
    """Return a field for each item; `domains` are the life domains of the plan, which are offered whatever they are.

    `offer` is what the place has, which stands beside the answers that it belongs to, and is chosen from. A goal is not
    asked for where the plan has none.
    """
    return tuple(
        field_of(item, content, known, domains, offer)
        for item in items
        if item.kind != "goal" or goals_for(item, content)
    )


def field_of(
    item: Item, content: Content, known: Catalogue, domains: Collection[str], offer: Sequence[Offered] = ()
) -> Field:
    """Return the field of one item."""
    help_ = text_of(item.help) if item.help else ""
    if item.many and item.kind in ("text", "line") and not item.from_offer:
        each = _("Put each thing on its own line.")
        help_ = f"{help_} {each}".strip()
    kind: FieldKind = "area" if item.many else _KINDS.get(item.kind, "choices")
    options = options_of(item, content, known, domains, offer)
    if item.kind == "choice" or item.from_offer:
        kind = "checks" if item.many else "choices"
    if item.kind == "goal" or (item.scale is not None and item.scale.id == LIFE_DOMAIN and not item.many):
        kind = "select"
    if kind in ("choices", "select"):
        options = (*options, FieldOption("", _("I leave this open")))
    return Field(
        item.link_id,
        text_of(item.text),
        kind,
        help=help_,
        options=options,
        prompts=tuple(text_of(prompt) for prompt in item.prompts),
        rows=item.rows,
    )


def options_of(
    item: Item, content: Content, known: Catalogue, domains: Collection[str], offer: Sequence[Offered] = ()
) -> tuple[FieldOption, ...]:
    """Return the answers that an item offers."""
    if item.kind == "goal":
        return tuple(FieldOption(name, words) for name, words in goals_for(item, content).items())
    if item.kind == "boolean":
        return (FieldOption("true", _("Yes")), FieldOption("false", _("No")))
    if item.from_offer:
        return tuple(_chosen_from(item, content, offer))
    if item.scale is None:
        return ()
    if item.scale.id == LIFE_DOMAIN:
        offered = [one for one in known.life_domains if not one.family or one.code in domains]
        return tuple(FieldOption(one.code, text_of(one.name)) for one in offered)
    return tuple(
        FieldOption(option.code, text_of(option.text), offered=offer_views(offered_at(item, option.code, offer)))
        for option in item.scale.options
    )


def _chosen_from(item: Item, content: Content, offer: Sequence[Offered]) -> Iterator[FieldOption]:
    """Yield what the place has, then what was chosen when it had that: it can be left as it is, or be let go of."""
    chosen = content.answers.get(item.link_id, ())
    named = {entry.name.nl: name for name in chosen if (entry := offered_as(name, offer))}
    asked = question()
    for name in dict.fromkeys(entry.name.nl for entry in offer):
        # What belongs to two answers is one thing to choose.
        same = [entry for entry in offer if entry.name.nl == name]
        options = [asked.scale.option(entry.choice) for entry in same] if asked and asked.scale else []
        about = [text_of(option.text) for option in options if option]
        about += [text_of(entry.help) for entry in same if entry.help][:1]
        # It is kept under the name by which it was chosen, in whatever language that was.
        yield FieldOption(tick(named.get(name, name)), text_of(same[0].name), " · ".join(about))
    for name in chosen:
        if offered_as(name, offer) is None:
            yield FieldOption(tick(name), chosen_name(name, offer))


def goals_for(item: Item, content: Content) -> dict[str, str]:
    """Return the goals that an answer can name: those of the plan, and what is written there already."""
    there = [answer for row in content.all_rows for answer in row.answers.get(item.link_id, ())]
    return {**content.goals, **{text: content.goals.get(text, text) for text in there}}
