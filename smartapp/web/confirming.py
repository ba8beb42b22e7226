"""The client reads what a professional typed, beside what was there before, and says whether it is right.

Nothing is saved before that. The page holds what it shows, and a mark of it: a *yes* is to these words and to no other.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, ParamSpec

from flask import render_template, request
from flask.typing import ResponseReturnValue

from smartapp.web import typed, with_client
from smartapp.web.fields import Field, Link
from smartapp.web.forms import posted
from smartapp.web.kept import OURS
from smartapp.web.language import gettext as _
from smartapp.web.typed import Submitted

_P = ParamSpec("_P")

CONFIRMED: Final = "confirmed"
"""The field that says yes: the mark of what was shown."""
SHOW: Final = "confirm"
"""In the address of a form: show what is typed in it to the client."""
_LOOK: Final = "look"  # the language is switched, or the page before is shown again: nothing was said
_BACK: Final = "back"


@dataclass(frozen=True, slots=True)
class Change:
    """A field whose answer changes, as a person reads it; "" for no answer. `plain`: a choice or a date, no words."""

    label: str
    before: str
    now: str
    plain: bool


@dataclass(frozen=True, slots=True)
class Button:
    """Another answer than yes: what it sends beside the fields, and what it says."""

    name: str
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class ConfirmPage:
    """What the client is asked. `about`: words of theirs that it is about. `fields`: what *yes* sends.

    `no` leads away; `others` are answers that are sent. `whose`: professionals often say it like this.
    """

    title: str
    lead: str
    yes: str
    no: Link | None
    action: str
    fields: tuple[tuple[str, str], ...]
    kicker: str = ""
    about: str = ""
    changes: tuple[Change, ...] = ()
    trouble: str = ""
    whose: bool = False
    others: tuple[Button, ...] = ()
    lines: tuple[str, ...] = ()


def mark(fields: Iterable[tuple[str, str]]) -> str:
    """Return what stands for these fields and texts, and for no others."""
    return typed.digest("\n".join(f"{name}\t{len(typed.clean(text))}\t{typed.clean(text)}" for name, text in fields))


def said_yes(form: Mapping[str, str], names: Sequence[str]) -> bool:
    """Tell whether the client said yes to what a form holds in these fields."""
    return form.get(CONFIRMED, "") == mark(_values(form, names))


def _values(form: Mapping[str, str], names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, form[name]) for name in names if name in form]


def chosen(sent: Submitted, stored: Mapping[str, str]) -> dict[str, str]:
    """Return what a form says, as it says it where two versions met: what the two chose, based on what they saw."""
    made: dict[str, str] = {}
    for name, text in sent.values.items():
        keeps = sent.choices.get(name) == "stored"
        made[name] = stored.get(name, "") if keeps else text
        made[f"seen-{name}"] = typed.digest(stored.get(name, "")) if keeps else sent.based_on.get(name, "")
    return made


def changes_in(fields: Iterable[Field], before: Mapping[str, str], now: Mapping[str, str]) -> tuple[Change, ...]:
    """Return what changes, in the order of the form; all of it where only a date or the like would be another."""
    asked = [one for one in fields if one.name in now]
    changed = [one for one in asked if typed.clean(now[one.name]) != typed.clean(before.get(one.name, ""))]
    return tuple(
        Change(one.label, _shown(one, before.get(one.name, "")), _shown(one, now[one.name]), is_plain(one))
        for one in changed or asked
    )


def _shown(one: Field, text: str) -> str:
    return one.shown(text) if text else ""


def is_plain(one: Field) -> bool:
    """Tell whether a field takes no words of a person's own."""
    return one.kind not in ("area", "line")


def page_of_words(
    changes: tuple[Change, ...],
    values: Iterable[tuple[str, str]],
    *,
    names: Sequence[str],
    action: str,
    lead: str,
    no: Link | None,
    others: tuple[Button, ...] = (),
    kicker: str = "",
    about: str = "",
    trouble: str = "",
    whose: bool = False,
) -> ConfirmPage:
    """Return the page on which the client reads their words. `values`: all that is sent with a *yes*, to `action`."""
    sent = tuple(values)
    words = any(not one.plain for one in changes)
    who = with_client.client_called()
    return ConfirmPage(
        title=_("%(name)s, are these words right?", name=who) if words else _("%(name)s, is this right?", name=who),
        lead=lead,
        yes=_("Yes, these are my words") if words else _("Yes, this is right"),
        no=no,
        others=others,
        action=action,
        fields=(*sent, (CONFIRMED, mark(_values(dict(sent), names)))),
        kicker=kicker,
        about=about,
        changes=changes,
        trouble=trouble,
        whose=whose,
    )


def shown(page: ConfirmPage) -> str:
    """Return the page."""
    return render_template("confirm.html", page=page)


# --- presses --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Press:
    """What a press does, in a sentence to the client, and the words of theirs that it is about.

    `back` is the address of the page before it; `keeps`: that page is shown again with what was chosen on it. `lines`
    say more, each a line.
    """

    sentence: str
    back: str
    about: str = ""
    lines: tuple[str, ...] = ()
    keeps: bool = False


def pressed(
    asks: Callable[_P, Press | None],
) -> Callable[[Callable[_P, ResponseReturnValue]], Callable[_P, ResponseReturnValue]]:
    """Have a view wait for the client's yes, where a professional presses; `asks` gives None for what needs none."""

    def decorate(view: Callable[_P, ResponseReturnValue]) -> Callable[_P, ResponseReturnValue]:
        @functools.wraps(view)
        def asked(*args: _P.args, **kwargs: _P.kwargs) -> ResponseReturnValue:
            if request.method != "POST" or not with_client.goes_on():
                return view(*args, **kwargs)
            fields = [one for one in posted().items() if one[0] not in {*OURS, CONFIRMED, _LOOK}]
            looks, says = request.form.get(_LOOK, ""), request.form.get(CONFIRMED, "")
            if looks == _BACK or (says == mark(fields) and not looks):
                return view(*args, **kwargs)
            press = asks(*args, **kwargs) if says or not looks else None
            return view(*args, **kwargs) if press is None else shown(_page_of_press(press, fields))

        return asked

    return decorate


def _page_of_press(press: Press, fields: list[tuple[str, str]]) -> ConfirmPage:
    who = with_client.client_called()
    return ConfirmPage(
        title=_("%(name)s, is this right?", name=who),
        lead=_("%(typist)s pressed this. It counts once you say yes.", typist=with_client.typist_name()),
        yes=_("Yes, this is right"),
        no=None if press.keeps else Link(_("No, leave it as it is"), press.back),
        others=(Button(_LOOK, _BACK, _("No, change it first")),) if press.keeps else (),
        action=request.script_root + request.path,
        fields=(*fields, (CONFIRMED, mark(fields))),
        about=press.about,
        changes=(Change("", "", press.sentence, plain=True),),
        lines=press.lines,
    )
