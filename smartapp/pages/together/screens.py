"""What the screens of a conversation share: what was typed, what the record has, and what stands around a theme."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

from flask import request, url_for
from flask.typing import ResponseReturnValue

from mappers.plan import PersonRef
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Forbidden, Refused, Unreachable
from smartapp.i18n import message
from smartapp.pages.together import session
from smartapp.pages.together.found import Found, found_in, queries
from smartapp.pages.together.keeping import Kept, Typist
from smartapp.pages.together.session import Begins, Session, Sessions
from smartapp.pages.together.views import THEMES, Screen, Typed
from smartapp.records import Record
from smartapp.web import current, forms, typed
from smartapp.web.fields import Link
from smartapp.web.forms import Trouble
from smartapp.web.language import day_of, language, moment_of
from smartapp.web.language import gettext as _

SAVED: Final[Mapping[str, str]] = {
    "decision": message("This is in the record now."),
    "whose": message(
        "This is in the record now. Whose words are these? Professionals often say it like this. "
        "Read it together once more. It may also stay as it is."
    ),
    "waits": message("This is kept safe here. The record does not answer right now; it goes there by itself."),
    "progress": message("How this agreement went is in the record now."),
    "medicine": message("What you said about this medicine is in the record now."),
    "decision-elsewhere": message("This is saved."),
    "whose-elsewhere": message(
        "This is saved. Whose words are these? Professionals often say it like this. "
        "Read it together once more. It may also stay as it is."
    ),
    "progress-elsewhere": message("How this agreement went is saved."),
    "medicine-elsewhere": message("What you said about this medicine is saved."),
    "topics": message("Your list is kept."),
    "ended": message("The conversation is closed. The sheet stays here, and the client can read it too."),
}
_UNREACHABLE: Final = message(
    "The record does not answer, so this is not saved yet. What you typed is kept here. Try again in a moment."
)
_REFUSED: Final = message(
    "The record did not take this, so it is not saved. What you typed is kept here. Tell the people who manage it."
)
TROUBLES: Final[forms.Troubles] = {
    Unreachable: (_UNREACHABLE, 503),
    Refused: (_REFUSED, 422),
    Forbidden: (_REFUSED, 422),
}
CHANGED: Final = message(
    "Somebody else changed this in the meantime. Nothing is lost and nothing is overwritten. Read both, and save again."
)

TYPED_ELSEWHERE: Final = message(
    "Something about this was typed in another tab. It stands here now. Read it, and then choose again."
)
OTHER_TAB: Final = message("This was changed in another tab. Read it once more, and save again.")


_Done = TypeVar("_Done")


def sessions(name: str = "together") -> Sessions:
    """Return where words of this user about this person are kept while they talk, or elsewhere under a name.

    Others are told of a conversation, and of nothing else.
    """
    return Sessions(forms.sketches(), forms.sketch_name(name), current.now(), begins() if name == "together" else None)


def begins() -> Begins:
    """Return who has begun a conversation about this person today."""
    services, here = current.services(), current.launch()
    drafts = services.conversations_about(here.issuer_key, here.patient.reference)
    return Begins(drafts, services.vault.digest(f"together|{here.user.key}"), here.user.display, current.now())


def others() -> tuple[str, ...]:
    """Return who else has a conversation about this person going on today, a sentence for each."""
    said: list[str] = []
    for one in begins().others():
        time = moment_of(one.at)
        values = {"name": one.name or _("Somebody of the care team"), "time": f"{time:%H:%M}" if time else ""}
        said.append(_("%(name)s began a conversation today at %(time)s.", **values))
    return tuple(said)


def found() -> Found:
    """Return what the record holds of conversations."""
    return found_in(current.records().search(*queries(current.launch().patient.reference, catalogue())), catalogue())


def typist(talk: Session | None = None) -> Typist:
    """Return who types, and whose words it are, in this request; `talk` is the conversation that they type in."""
    here = current.launch()
    return Typist(
        PersonRef(here.patient.reference, here.patient.display),
        PersonRef(here.user.reference, here.user.display),
        current.now().isoformat(),
        language(),
        talk.conversation if talk is not None else None,
    )


def day(moment: str) -> str:
    """Return the day, where the organisation is, of a FHIR dateTime; "" where it has none."""
    read = day_of(moment)
    return read.isoformat() if read else ""


def saved() -> str:
    """Return the sentence about what was saved just now, "" where nothing was."""
    mark = request.args.get("saved", "")
    # What had to wait may have been stopped before this page was asked for: then the banner on top says so.
    if mark == "waits" and current.records().stopped():
        return ""
    return _(SAVED[mark]) if mark in SAVED else ""


def screen(
    theme: str,
    *,
    back: str = "",
    onward: str = "",
    trouble: str = "",
    problems: Mapping[str, str] | None = None,
) -> Screen:
    """Return what is around a theme; `back` and `onward` are addresses, "" for the theme before and after it."""
    names = list(THEMES)
    here = names.index(theme)
    before, after = names[here - 1] if here else "", names[here + 1] if here + 1 < len(names) else ""
    if not back and before:
        back = url_for(f"together.{before}") if before not in ("options", "agree") else url_for("together.discuss")
    if not onward and after:
        onward = url_for(f"together.{after}")
    return Screen(
        title=_(THEMES[theme]),
        count=_("Theme %(number)s of %(all)s", number=here + 1, all=len(names)),
        back=Link(_("Back"), back) if back else None,
        next=Link(_("Next"), onward) if onward else None,
        saved=saved(),
        trouble=trouble,
        problems={name: _(text) for name, text in (problems or {}).items()},
        others=others(),
    )


def around(title: str = "", *, back: Link | None = None, trouble: str = "") -> Screen:
    """Return what is around a page that is none of the themes."""
    return Screen(title=title, count="", back=back, next=None, saved=saved(), trouble=trouble)


def field(talk: Session, name: str, problems: Mapping[str, str] | None = None) -> Typed:
    """Return a field with what is typed in it, and what is to be mended there."""
    text = talk.text(name)
    return Typed(name, text, typed.digest(text), _(problems[name]) if problems and name in problems else "")


def fields(talk: Session, names: Iterable[str], problems: Mapping[str, str] | None = None) -> dict[str, Typed]:
    """Return these fields by name."""
    return {name: field(talk, name, problems) for name in names}


def too_long(talk: Session, names: Iterable[str]) -> dict[str, str]:
    """Return which of these fields have more text than the record can be trusted with, with the sentence for each."""
    return {name: typed.TOO_LONG for name in names if len(talk.text(name)) > typed.LONGEST}


def shows_otherwise(talk: Session, names: Iterable[str]) -> bool:
    """Tell whether the form showed other words than are kept by now: another tab changed what this one left alone."""
    form = forms.posted()
    shown = [name for name in names if name in talk.fields and (name in form or f"seen-{name}" in form)]
    return any(typed.clean(form.get(name, "")) != talk.text(name) for name in shown)


def talk_of(sessions: Sessions, found: Found) -> Session:
    """Return what is typed and not in the record. Words that waited for a silent record go once it has them."""
    talk, me = sessions.get(), current.launch().user.reference
    arrived: list[str] = []
    for one in found.agreements:
        note, sent = session.progress_fields(one.agreement.id)[1], session.sent_field(one.agreement.id)
        mine = [remark.text for remark in one.agreement.remarks if remark.by_reference == me]
        if talk.text(sent) and one.record.state == "stored" and talk.text(sent) in mine[-1:]:
            arrived += [sent, *([note] if talk.text(note) == talk.text(sent) else [])]
    return sessions.forget(arrived) if arrived else talk


def kept_answer(talk: Session, names: Iterable[str]) -> ResponseReturnValue:
    """Answer autosave: kept, and what the form is based on from now on."""
    names = tuple(names)
    texts = {name: talk.text(name) for name in names}
    return forms.kept(names, texts, fields={f"seen-{name}": typed.digest(text) for name, text in texts.items()})


def save(do: Callable[[], _Done]) -> _Done | Trouble:
    """Save, or return the sentence that says why not, with its status. Raises ChangedMeanwhile and Unauthorized."""
    return forms.tried(do, TROUBLES)


def mark(kept: Kept, said: str) -> str:
    """Return the mark for the address of the next page: `said` of what has arrived, else that it waits.

    Where the EHR does not take it, it is saved elsewhere; then nobody is told that it is in the record.
    """
    if not kept.arrived:
        return "waits"
    return said if all(one.place == "ehr" for one in kept.records) else f"{said}-elsewhere"


def place(record: Record | None, type_: str) -> str:
    """Return where something is kept, or will be; "waiting" or "refused" while it has not arrived."""
    if record is None:
        return current.records().place_for(type_)
    return record.place if record.state == "stored" else record.state
