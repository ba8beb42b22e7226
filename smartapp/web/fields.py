"""What a form shows: its fields, and both versions of those that two people changed at once.

`components/fields.html` draws them; `smartapp.web.forms` keeps what is typed in them and saves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from smartapp.offer import Offered
from smartapp.web import typed
from smartapp.web.dates import iso_date
from smartapp.web.language import format_date, text_of
from smartapp.web.language import gettext as _

FieldKind = Literal["area", "line", "date", "choices", "checks", "select"]


@dataclass(frozen=True, slots=True)
class Link:
    """Somewhere else to go."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class OfferView:
    """Something that the place has, in the reader's language; `href` is its page, "" without one."""

    name: str
    help: str = ""
    href: str = ""


def offer_views(entries: Iterable[Offered]) -> tuple[OfferView, ...]:
    """Return what the place has, to read."""
    return tuple(OfferView(text_of(one.name), text_of(one.help) if one.help else "", one.url) for one in entries)


@dataclass(frozen=True, slots=True)
class FieldOption:
    """One of the choices of a field."""

    value: str
    label: str
    help: str = ""
    also: str = ""  # another name for the same thing, shown small
    offered: tuple[OfferView, ...] = ()  # what the place has of it


def options(texts: Mapping[str, str], offered: Iterable[str]) -> tuple[FieldOption, ...]:
    """Return choices with their sentences in the reader's language."""
    return tuple(FieldOption(value, _(texts[value])) for value in offered)


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in. `text` is what is in it: what is stored, or what was typed and not yet saved.

    Of `checks`, where several may be ticked, it has the codes between commas.
    """

    name: str
    label: str
    kind: FieldKind = "area"
    help: str = ""
    options: tuple[FieldOption, ...] = ()
    prompts: tuple[str, ...] = ()  # ideas beside the field, which nobody has to use
    rows: int = 5
    text: str = ""
    based_on: str = ""
    problem: str = ""

    def filled(self, text: str, based_on: str, problem: str) -> Field:
        """Return the field with a text in it, the digest of what that was based on, and what is wrong with it."""
        return replace(self, text=text, based_on=based_on, problem=problem)

    @property
    def takes_day(self) -> bool:
        """Tell whether a browser's calendar can hold what is in it: it shows a month or a year as nothing."""
        return self.kind == "date" and not self.problem and self.text in ("", iso_date(self.text))

    def shown(self, text: str) -> str:
        """Return a value of this field as a person reads it: the label of a choice, a date in words."""
        if self.kind in ("choices", "select"):
            return self._label(text)
        if self.kind == "checks":
            return ", ".join(self._label(code) for code in text.split(",") if code)
        if self.kind == "date":
            try:
                return format_date(text)
            except ValueError:
                return text
        return text

    def _label(self, value: str) -> str:
        return next((option.label for option in self.options if option.value == value), value)


def filled(
    fields: Iterable[Field], values: Mapping[str, str], based_on: Mapping[str, str], problems: Mapping[str, str]
) -> tuple[Field, ...]:
    """Return the fields with values, digests of what those were based on, and problems (English keys) in them."""
    return tuple(
        one.filled(
            values.get(one.name, ""),
            based_on.get(one.name, ""),
            _(problems[one.name]) if one.name in problems else "",
        )
        for one in fields
    )


def problems_in(fields: Iterable[Field]) -> tuple[dict[str, str], ...]:
    """Return what has to be put right, for the summary at the top of a page."""
    return tuple(
        {"field": f"{one.name}-{one.options[0].value}" if one.options else one.name, "text": one.problem}
        for one in fields
        if one.problem
    )


@dataclass(frozen=True, slots=True)
class ClashField:
    """A field of which two tabs, or two people, made two texts: the stored one and the one just typed."""

    field: Field
    stored: str
    typed: str

    @property
    def editable(self) -> bool:
        """Tell whether the typed version is a text, so that the two can be made into one."""
        return self.field.kind in ("area", "line")


@dataclass(frozen=True, slots=True)
class BothVersions:
    """Both versions side by side. `agreed` are the other fields of the form, which are sent along as typed."""

    fields: tuple[ClashField, ...]
    agreed: tuple[Field, ...]
    unanswered: bool  # we asked to choose before, and no choice was made


def both_versions(clash: typed.Clash, fields: Iterable[Field]) -> BothVersions:
    """Return both versions of the fields that clash, to choose between."""
    # What is stored now has been seen once this page is: the choice that it asks for is based on that.
    based_on = {name: typed.digest(text) for name, text in clash.stored.items()}
    named = {one.name: one for one in filled(fields, clash.values, based_on, {})}
    return BothVersions(
        fields=tuple(
            ClashField(
                named[name],
                stored=named[name].shown(clash.stored.get(name, "")),
                typed=named[name].shown(clash.values[name]),
            )
            for name in clash.fields
        ),
        agreed=tuple(one for name, one in named.items() if name not in clash.fields and name in clash.values),
        unanswered=clash.unanswered,
    )
