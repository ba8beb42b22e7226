"""What the pages show: all parts in groups, and for one part what can be chosen and what follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mappers.roles import ROLES
from mappers.sharing import ME, Choice
from questionnaires.catalogue import catalogue
from smartapp.access import table
from smartapp.pages.links.service import may_open
from smartapp.pages.sharing.keeping import Kept, digest_of
from smartapp.web import current, reading
from smartapp.web.language import format_list
from smartapp.web.language import gettext as _

_TYPED_TOGETHER: Final = ("form", "domain", "crisis", "phase", "talks", "circle")
"""The kinds of parts in which somebody can type with the client."""
_SENT: Final = ("answers", "scores", "talks", "asked")
"""What was sent stays where it was sent: see `smartapp.records.taking_out`."""


@dataclass(frozen=True, slots=True)
class PartView:
    """A part in the list: who reads it, in a few words, and what one press chooses ("me" or "team")."""

    part: str
    title: str
    who: str
    press: str
    seen: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """Parts under one heading; `folded` are those that nothing is written in yet. `follows` is what "only me" does.

    `team` is who "your team" is in these parts, as a list.
    """

    id: str
    title: str
    team: str
    follows: tuple[str, ...]
    parts: tuple[PartView, ...]
    folded: tuple[PartView, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """Somebody who can be chosen: a role, or a person by their reference. `can_type`: also to type with the client."""

    name: str
    label: str
    reads: bool
    types: bool
    can_type: bool


@dataclass(frozen=True, slots=True)
class PartPage:
    """What can be chosen for one part. `who`: "team", "chosen" or "me"; `default` is how it is without a choice.

    `left` is what became of words in the record, and `linked` whether a link that was made before can still open it.
    """

    part: str
    title: str
    now: str
    kept: str
    who: str
    team: str
    default: str
    follows: tuple[str, ...]
    again: str
    roles: tuple[Option, ...]
    people: tuple[Option, ...]
    seen: str
    left: str
    linked: bool
    error: str = ""


def groups(kept: Kept, written: Iterable[str]) -> tuple[GroupView, ...]:
    """Return all parts; of the areas of life those that are not among `written` are folded."""
    known, begun = catalogue(), frozenset(written)
    apart = {one.form: one.part for one in table().apart}
    forms = [part for id_ in known.living for part in (f"form.{id_}", apart.get(id_)) if part]
    domains = [f"domain.{one.code}" for one in known.life_domains]
    there = [one for one in domains if one in begun or one in kept.sharing.choices]

    def group(id_: str, title: str, parts: Sequence[str], folded: Sequence[str] = ()) -> GroupView:
        team = _team_of((*parts, *folded))
        shown, later = (tuple(_part(one, kept, team) for one in some) for some in (parts, folded))
        return GroupView(id_, title, text_list(team), follows((*parts, *folded)[0]), shown, later)

    return (
        group("forms", _("What you write"), forms),
        group("areas", _("Areas of life"), there, [one for one in domains if one not in there]),
        group("answers", _("Questionnaires"), [f"answers.{one}" for one in known.asked]),
        group("scores", _("What follows from them"), ("scores", "asked", "course", "talks")),
        group("more", _("And more"), ("notes", "phase", "circle")),
    )


def _team_of(parts: Iterable[str]) -> frozenset[str]:
    """Return the roles that read most of some parts, as long as the client leaves those in the record."""
    return Counter(table().rule(part).readers for part in parts).most_common(1)[0][0]


def _part(part: str, kept: Kept, team: frozenset[str]) -> PartView:
    choice = kept.sharing.of(part)
    return PartView(
        part,
        reading.title_of(part),
        _in_short(part, choice, team, kept.names),
        "me" if not choice.only_me else "team",
        digest_of(choice),
    )


def _in_short(part: str, choice: Choice, team: frozenset[str], names: Mapping[str, str]) -> str:
    """Return in a few words who reads a part; those whom its group calls the team are not named again."""
    if choice.only_me:
        return _("You alone.")
    if not choice.record:
        return _("Only whom you chose: %(who)s.", who=format_list(reading.called(choice.readers, names)))
    readers = table().rule(part).readers
    if readers != team:
        line = _("This is read by: %(who)s.", who=format_list(reading.called((*readers, *choice.readers), names)))
    else:
        more = reading.called(choice.readers - team, names)
        line = _("Your team and %(who)s.", who=format_list(more)) if more else _("Your team.")
    if part != reading.HERE_ALONE:
        return line
    kept = _("Kept in Verstel alone.")
    return f"{line} {kept}"


def kept_where(part: str, choice: Choice) -> str:
    """Return in a sentence where a part is kept."""
    if part == reading.HERE_ALONE or not choice.record:
        return _("New words are kept in Verstel alone.")
    return _("Kept in your record, where that takes it; else in Verstel.")


def follows(part: str) -> tuple[str, ...]:
    """Return what happens with what is there already when a part is no longer shared with the place."""
    kind = part.partition(".")[0]
    if kind == reading.HERE_ALONE:
        return (_("Your people are kept in Verstel alone, whatever you choose."),)
    if kind in _SENT:
        lines = [_("What you sent before stays in your record."), _("What is new stays in Verstel.")]
        if kind == "answers":
            lines.append(_("Did somebody ask you for it? For them it stays open, also after you fill it in."))
        return tuple(lines)
    lines = [
        _("Verstel takes what is there out of your record, and keeps it."),
        _("Earlier versions stay with your care provider, who can still see them."),
        _("Does your record not allow it? Then this page says so."),
    ]
    if kind in ("domain", "form", "crisis"):
        lines.append(_("No document of your plan goes to your record any more. One that is there stays there."))
    if kind == "domain":
        lines += [
            _("Your plan is kept as one, so all areas leave your record."),
            _("In Verstel your team goes on reading the others."),
        ]
    if kind == "crisis":
        lines.append(_("It is kept with the form that it is a part of, so all of that leaves your record."))
    return tuple(lines)


def page_of(part: str, kept: Kept, choice: Choice, *, left: str, error: str = "", who: str = "") -> PartPage:
    """Return the page of one part with a choice that is kept, or was not taken (`error`)."""
    now, rule = kept.sharing.of(part), table().rule(part)
    typed = part.partition(".")[0] in _TYPED_TOGETHER
    team = text_list(rule.readers)
    return PartPage(
        part=part,
        title=reading.title_of(part),
        now=reading.says_who(part, now, kept.names),
        kept=kept_where(part, now),
        who=who or ("me" if choice.only_me else "team" if choice.record else "chosen"),
        team=team,
        default=_("Your team: %(who)s.", who=team) if team else _("You alone."),
        follows=follows(part),
        again=""
        if now.record or part == reading.HERE_ALONE or part.partition(".")[0] in _SENT
        else _("What Verstel keeps stays in Verstel, also when you share it again. Your team then reads it here."),
        roles=_options([(one, reading.called([one], {})[0]) for one in ROLES if _is_professional(one)], choice, typed),
        people=_options(_people(kept, choice), choice, typed, kept),
        seen=digest_of(now),
        left=left,
        linked=linked(part, now),
        error=error,
    )


def linked(part: str, choice: Choice) -> bool:
    """Tell whether a link that was made before can open a part that is no longer shared with the team."""
    return not choice.record and may_open(part)


def text_list(readers: Iterable[str]) -> str:
    """Return what roles are called, in a list."""
    return format_list(reading.called(readers, {}))


def _is_professional(role: str) -> bool:
    return any(name == role and one.professional for name, one in table().roles.items())


def _people(kept: Kept, choice: Choice) -> Sequence[tuple[str, str]]:
    """Return who can be chosen by name: who is in the circle and signs in, and who was chosen before."""
    now, there = current.now().isoformat(), dict[str, str]()
    for one in kept.people.people:
        if one.reference and one.is_in(now):
            there[one.reference] = f"{one.name} ({one.relation})" if one.relation else one.name
    for reference in sorted(choice.readers):
        if "/" in reference and reference not in there:
            there[reference] = reading.called([reference], kept.names)[0]
    return [*there.items()]


def _options(
    found: Iterable[tuple[str, str]], choice: Choice, typed: bool, kept: Kept | None = None
) -> tuple[Option, ...]:
    by_reference = {one.reference: one.role for one in kept.people.people} if kept else {}
    return tuple(
        Option(
            name,
            label,
            reads=name in choice.readers,
            types=name in choice.typists,
            can_type=typed and _writes_together(by_reference.get(name, name)),
        )
        for name, label in found
    )


def _writes_together(role: str) -> bool:
    return any(name == role and table().writes_together(name) for name in table().roles)


def chosen(part: str, kept: Kept, who: str, reads: Iterable[str], types: Iterable[str]) -> Choice | None:
    """Return the choice that a form holds; None where it holds none. What is not offered is left out."""
    if who not in ("team", "chosen", "me"):
        return None
    if who == "me":
        return ME
    page = page_of(part, kept, kept.sharing.of(part), left="")
    offered = {one.name: one for one in (*page.roles, *page.people)}
    readers = frozenset(reads) & offered.keys()
    typists = frozenset(types) & readers & {name for name, one in offered.items() if one.can_type}
    choice = Choice(who == "team", readers, typists)
    return None if choice == ME else choice
