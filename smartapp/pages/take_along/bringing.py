"""The pages on which a person brings in a file of their own: hand it in, see what is in it, say yes or no."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.errors import PlanError
from mappers.portable import NotAFile, PersonFile, file_inside, is_pdf, read
from smartapp.fhir.store import Conflict, Forbidden, Refused, Unreachable
from smartapp.pages.take_along.bringing_in import CHOICES, Brought, Choice, prepare
from smartapp.pages.take_along.gathering import gather
from smartapp.pages.take_along.views import brought_page, refusal
from smartapp.pages.take_along.whose import is_theirs
from smartapp.storage.drafts import Drafts
from smartapp.web import current
from smartapp.web.components.frame import record_address
from smartapp.web.forms import BUSY, REFUSED, UNREACHABLE
from smartapp.web.language import gettext as _
from smartapp.web.typed import digest

FILE = "file"
_WHICH = "brought-in"


def bring_in() -> ResponseReturnValue:
    """Ask for a file, and keep it for this person alone until they have seen what is in it."""
    if request.method == "GET":
        return render_template("take_along/bring_in.html", refusal=None)
    given = request.files.get(FILE)
    content = b""
    if given is not None:
        content = given.read()
        given.close()
    if not content:
        return _refused(refusal("empty"))
    try:
        content = file_inside(content) if is_pdf(content) else content
        if (why := _not_theirs(read(content))) is not None:
            return _refused(why)
    except NotAFile as error:
        return _refused(refusal(error.why))
    kept = base64.b64encode(content).decode()
    _kept().change(_WHICH, lambda _before: {"content": kept})
    return redirect(url_for(".look"), 303)


def look() -> ResponseReturnValue:
    """Show what is in the file, and what would be done with it."""
    brought = _brought()
    if not isinstance(brought, Brought):
        return brought
    return render_template("take_along/look.html", page=brought_page(brought, _mark(brought)), trouble="")


def take_over() -> ResponseReturnValue:
    """Write what was shown, as the person chose; show it again where that changed meanwhile."""
    brought = _brought()
    if not isinstance(brought, Brought):
        return brought
    if request.form.get("seen") != _mark(brought):
        return _again(brought, _("Something changed meanwhile. Look at it once more."), 409)
    try:
        writes = brought.writes(chosen(request.form))
        records = current.records().save(writes)
    except Conflict:
        return _again(_brought(), _(BUSY), 409)
    except Unreachable:
        return _again(brought, _(UNREACHABLE), 503)
    except (Refused, Forbidden, PlanError):
        return _again(brought, _(REFUSED), 422)
    _kept().delete(_WHICH)
    if all(one.state == "stored" for one in records):
        flash(_("Taken over. You find it in your own place."))
    else:
        flash(_("Taken over. Part of it is on its way to your record."))
    return redirect(record_address("plan/"), 303)


def put_away() -> ResponseReturnValue:
    """Forget the file; nothing of it was written."""
    _kept().delete(_WHICH)
    flash(_("The file is put away. Nothing was taken over."))
    return redirect(url_for(".index"), 303)


def chosen(form: Mapping[str, str]) -> dict[str, Choice]:
    """Return what a form says of each part; what it does not say, or says wrongly, stays as it is here."""
    known = {name.removeprefix("choice-"): value for name, value in form.items() if name.startswith("choice-")}
    return {part: choice for part, value in known.items() for choice in CHOICES if choice == value}


def _again(brought: Brought | ResponseReturnValue, trouble: str, status: int) -> ResponseReturnValue:
    if not isinstance(brought, Brought):
        return brought
    page = brought_page(brought, _mark(brought), chosen(request.form))
    return render_template("take_along/look.html", page=page, trouble=trouble), status


def _brought() -> Brought | ResponseReturnValue:
    """Return the file that was handed in beside what is here; where there is none, the way to hand one in."""
    draft = _kept().get(_WHICH)
    if draft is None:
        return redirect(url_for(".bring_in"), 303)
    file = read(base64.b64decode(draft.resource["content"]))
    if (why := _not_theirs(file)) is not None:
        return _refused(why)
    try:
        return prepare(file, gather())
    except PlanError:
        return _refused(refusal("other"))


def _kept() -> Drafts:
    launch = current.launch()
    return current.services().brought_in(launch.user, launch.patient.reference)


def _not_theirs(file: PersonFile) -> str | None:
    return None if is_theirs(file) else refusal("other-person")


def _refused(why: str) -> ResponseReturnValue:
    return render_template("take_along/bring_in.html", refusal=why), 422


def _mark(brought: Brought) -> str:
    """Return what stands for all that the page shows, and for nothing else."""
    shown = [part for one in brought.parts for part in (one.id, one.mine, one.theirs)]
    shown += sorted(brought.new)
    return digest(hashlib.sha256("\n".join(shown).encode("utf-8", "replace")).hexdigest())
