"""Who looked: the rows of the log about a person, told to them in plain words, a line per somebody and day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from flask import render_template, request
from werkzeug.wrappers import Response

from mappers.audit import BY_DOOR, BY_ITSELF, BY_LINK, OPERATOR, REUSED, AuditEntry, purpose_of
from smartapp.access import table
from smartapp.i18n import message
from smartapp.storage.doors import CLOSED, LOGGED_AS
from smartapp.storage.launches import Person
from smartapp.storage.strangers import SEVERAL
from smartapp.web import current
from smartapp.web.language import format_datetime, format_list, place_zone, text_of
from smartapp.web.language import gettext as _
from smartapp.web.looked_at import in_order, name_of, parts_of_objects
from smartapp.web.pdf import download, lines, pdf

MOST_NUMBER: Final = 2**63
LOOKS = 200
"""Rows of the log that a page tells of: a day of somebody's is one line, of as many rows as they opened pages."""
MOST_ON_PAPER: Final = 5_000
MOST_NAMED: Final = 4
"""So many parts are read in one sentence; of more it names the first two, and the others can be unfolded."""
NAMED: Final = 2
PAPER: Final = Path(__file__).with_name("templates") / "home" / "who_looked.typ"

_SOMEONE: Final = message("Someone on your care team")
_UNNAMED: Final = {
    OPERATOR: message("The manager of Verstel"),
    **dict.fromkeys((BY_LINK, BY_DOOR), message("Someone")),
    BY_ITSELF: "Verstel",
}
"""Who somebody is that gives no name, by role."""
_WHY: Final = {
    "TREAT": message("Why: for your treatment."),
    "SUPNWK": message("Why: you let them look along."),
    "representative": message("Why: as your legal representative."),
    "HSYSADMIN": message("Why: to manage Verstel, or to check who looked."),
    BY_LINK: message("Why: you shared it with a QR code."),
    BY_DOOR: message("Why: to fill in a questionnaire without signing in."),
}
_WANTED: Final = message("Wanted to look at something, and was not allowed to.")
_SOUGHT: Final = message("Asked for something that could not be found here.")
_REMINDED: Final = {
    "reminders.sent": message("Sent you a message that something was ready, as you chose."),
    "reminders.stopped": message("Stopped the messages: somebody pressed the button in one."),
}
_SENT: Final = message("Sent something that did not belong here. Nothing was saved.")
_OFTEN: Final = message("Tried it more often after that.")
_REFUSED: Final = {
    "no-such-record": _SOUGHT,
    "NotFoundPage": _SOUGHT,
    "other-person": _SENT,
    "form-token": _SENT,
    "foreign-origin": _SENT,
    "wrong-passcode": message("Typed a code that is not right."),
    "no-passcode": message("Did not type the code."),
    **dict.fromkeys(
        ("ended", "time-over", "no-tries-left", "file-over", "door-used", "door-over", "door-withdrawn"),
        message("It could not be opened any more."),
    ),
}
"""What a refusal is called, by its code; all others are of a page that is not theirs."""


@dataclass(frozen=True, slots=True)
class Access:
    """A day on which somebody else used this record, or wanted to; `last` is the last time that day, with its zone."""

    name: str
    role: str
    last: dt.datetime
    purpose: str = ""
    parts: tuple[str, ...] = ()
    """What they saw; none where they signed in and opened nothing."""
    looked: bool = False
    wrote: bool = False
    took: bool = False
    """A copy was made of what is kept about this person."""
    reused: tuple[str, ...] = ()
    """What answers were handed out for, in the words of who did so."""
    reminded: tuple[str, ...] = ()
    """What was done with messages that something is ready, as message ids."""
    gave: bool = False
    """Somebody was given a device to fill in a questionnaire without signing in."""
    through: str = ""
    """Who gave the device, where this was done on one."""
    refused: tuple[str, ...] = ()
    """What they were turned away with, as message ids."""
    asked: tuple[str, ...] = ()
    """The parts that they were turned away from."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the page, or of the paper: when, who with which role, and sentences: what they did and why."""

    when: dt.datetime
    who: str
    role: str
    said: tuple[str, ...]
    seen: tuple[str, ...] = ()
    """All parts that were seen, where those are too many for a sentence."""


def who_looked() -> str:
    """Show who else opened this record through Verstel, newest first; `before` goes on where a page ended."""
    before = request.args.get("before", type=int)
    rows = list(islice(_looks(before if before and before < MOST_NUMBER else None), LOOKS + 1))
    older = rows[LOOKS - 1][0] if len(rows) > LOOKS else None
    told = [line_of(one) for one in accesses_of((entry for _number, entry in rows[:LOOKS]), place_zone())]
    return render_template("home/who_looked.html", lines=told, older=older)


def who_looked_as_pdf() -> Response:
    """Give the whole list as a PDF, and write in the log that its owner took it along."""
    launch = current.launch()
    rows = [entry for _number, entry in islice(_looks(None), MOST_ON_PAPER + 1)]
    told = [line_of(one, whole=True) for one in accesses_of(rows[:MOST_ON_PAPER], place_zone())]
    content = paper_of(told, cut=len(rows) > MOST_ON_PAPER, client=launch.patient, made=current.now())
    current.services().audit.record(launch, "export", [request.endpoint or ""])
    return download(content, "who-looked")


def _looks(before: int | None) -> Iterator[tuple[int, AuditEntry]]:
    launch = current.launch()
    audit = current.services().audit
    return audit.looks(launch.issuer_key, launch.patient.reference, before=before, denied=True)


def accesses_of(entries: Iterable[AuditEntry], zone: dt.tzinfo) -> list[Access]:
    """Return one for each person, role and day, newest first."""
    found: dict[tuple[str, str, str, str, dt.date], Access] = {}
    for entry in entries:
        moment = dt.datetime.fromtimestamp(entry.recorded, zone)
        key = (entry.user, entry.user_name, entry.role, entry.through, moment.date())
        purpose = entry.purpose or purpose_of(entry.role)
        before = found.get(key, Access(entry.user_name, entry.role, moment, purpose, through=entry.through))
        found[key] = _with(replace(before, last=max(moment, before.last)), entry)
    return sorted(found.values(), key=lambda access: access.last, reverse=True)


def _with(before: Access, entry: AuditEntry) -> Access:
    if entry.reason == CLOSED:  # such as Back on a device that was wiped: nothing to frighten anybody with
        return before
    parts = entry.parts or parts_of_objects(entry.objects)
    if entry.event == "denied":
        kind = _OFTEN if SEVERAL in entry.objects else _REFUSED.get(entry.reason, _WANTED)
        return replace(before, refused=_once(before.refused, [kind]), asked=_once(before.asked, parts))
    if entry.event == "reminder":
        said = [_REMINDED[one] for one in entry.objects if one in _REMINDED]
        return replace(before, reminded=_once(before.reminded, said))
    if entry.role == BY_DOOR:  # nothing of the record is seen on a device: it was about this, and was filled in or not
        wrote = before.wrote or entry.event in {"create", "update"}
        return replace(before, wrote=wrote, asked=_once(before.asked, parts))
    if LOGGED_AS in entry.objects:
        return replace(before, gave=True, asked=_once(before.asked, parts))
    return replace(
        before,
        parts=_once(before.parts, parts),
        looked=before.looked or entry.event in {"read", "search"},
        wrote=before.wrote or entry.event in {"create", "update"},
        took=before.took or (entry.event == "export" and REUSED not in entry.objects),
        reused=_once(before.reused, entry.objects[1:] if REUSED in entry.objects else ()),
    )


def _once(before: Sequence[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*before, *more]))


def line_of(access: Access, *, whole: bool = False) -> Line:
    """Say one of them in the reader's language; `whole` names all parts in the sentences, as paper can't unfold."""
    seen = _names(access.parts)
    return Line(
        when=access.last,
        who=access.name or _(_UNNAMED.get(access.role, _SOMEONE)),
        role=_("on a device that %(name)s gave", name=access.through) if access.through else role_title(access.role),
        said=tuple(_sentences(access, seen, whole=whole)),
        seen=() if whole or len(seen) <= MOST_NAMED else tuple(seen),
    )


def role_title(role: str) -> str:
    """Return what somebody's role is called; "" for one that a log of long ago names otherwise."""
    if role == BY_LINK:
        return _("with your QR code")
    return next((text_of(rights.title) for name, rights in table().roles.items() if name == role), "")


def _sentences(access: Access, seen: list[str], *, whole: bool) -> Iterator[str]:
    yield from map(_, access.reminded)
    for what in access.reused:
        yield _("Handed out your answers, with a number in place of your name, for: %(what)s.", what=what)
    yield from _on_device(access) if access.role == BY_DOOR else _did(access)
    if seen:
        yield _seen(seen, whole=whole)
    if access.took:
        yield _("Made a copy of the list of who looked.")
    for kind in dict.fromkeys((_WANTED, _SOUGHT, _SENT, *_REFUSED.values(), _OFTEN)):
        if kind in access.refused:
            yield _(kind)
    if asked := _names(access.asked):
        yield _("It was about: %(parts)s.", parts=format_list(asked))
    if why := _WHY.get(access.purpose or access.role):
        yield _(why)


def _did(access: Access) -> Iterator[str]:
    if access.wrote:
        yield _("Viewed this and added something.")
    elif access.looked or access.parts:
        yield _("Viewed this.")
    elif not (access.took or access.refused or access.gave or access.reminded or access.reused):
        yield _("Signed in.")
    if access.gave:
        yield _("Gave a device to fill in a questionnaire on, without signing in.")


def _on_device(access: Access) -> Iterator[str]:
    if access.wrote:
        yield _("Filled in a questionnaire and sent it in.")
    elif not access.refused:
        yield _("Opened a questionnaire, and did not send it in.")


def _seen(names: list[str], *, whole: bool) -> str:
    if whole or len(names) <= MOST_NAMED:
        return _("Seen: %(parts)s.", parts=format_list(names))
    named, more = ", ".join(names[:NAMED]), len(names) - NAMED
    return _("Seen: %(parts)s, and %(number)s more parts.", parts=named, number=more)


def _names(parts: Iterable[str]) -> list[str]:
    return [name for part in in_order(parts) if (name := name_of(part))]


def paper_of(told: Sequence[Line], *, cut: bool, client: Person, made: dt.datetime) -> bytes:
    """Return the lines as a PDF. Raises NotTypeset."""
    about = [
        _("Here you can see who else has been in your place in Verstel."),
        _("Your care provider keeps a list of its own of who opened your record there. You can ask for it."),
    ]
    if cut:
        about.append(_("Only the newest are on this paper. For all of them, ask your care team."))
    rows = [
        {
            "when": format_datetime(line.when),
            "who": lines(f"{line.who} ({line.role})" if line.role else line.who),
            "said": " ".join(line.said),
        }
        for line in told
    ]
    columns = [_("When"), _("Who"), _("What and why")]
    data = {"about": about, "columns": columns, "rows": rows, "nobody": _("Nobody so far")}
    return pdf(_("Who has viewed this"), PAPER, data, person=client, made=made)
