"""The pages of the client's circle: who is in it, adding and changing somebody, inviting, ending, taking that back.

It is no living form: those hold words and decide nothing. Who is in the circle, and as what, decides who may read what
the client shares. So each person has an id that stays, a role of the table and an end; who they are in the record is
chosen from the record and never typed; and it is kept in our own store, where nobody else writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.circle import Circle, Member
from smartapp.fhir.store import RecordError
from smartapp.i18n import message
from smartapp.pages.people import sections, views
from smartapp.pages.people.service import NOBODY, change, load, load_proposed
from smartapp.web import current, editing, undoing, whose, with_client
from smartapp.web.circle import StoredCircle
from smartapp.web.confirming import Press, pressed
from smartapp.web.editing import Form, form_key, waiting
from smartapp.web.fields import Link
from smartapp.web.forms import Saved, Sketch, Trouble, posted
from smartapp.web.language import gettext as _
from smartapp.web.typed import Accepted

blueprint = Blueprint("people", __name__, url_prefix="/people", template_folder="templates")

blueprint.context_processor(undoing.said)
blueprint.context_processor(whose.said)

SAVED: Final[Mapping[str, str]] = {
    "added": message("This person is among your people now."),
    "changed": message("What you changed is saved."),
    "left": message("This person is no longer among your people."),
    "invited": message("It is noted that you invited this person."),
    "removed": message("This person is taken out of your list."),
}
"""What is said after saving, by the mark in `?saved=`."""
NOT_DONE: Final = message("This is not done. Please try again in a moment.")
TOO_LATE: Final = message("This can no longer be taken back. You can change it here.")
CHANGED: Final = message("This was changed somewhere else. Read it once more, and then choose again.")


def _now() -> str:
    return current.now().isoformat()


def _saved() -> str:
    if request.args.get(undoing.DONE):
        return _("It is as it was before.")
    mark = request.args.get("saved", "")
    return _(SAVED[mark]) if mark in SAVED else ""


# --- reading --------------------------------------------------------------------------------------------------------


@blueprint.get("/")
def index() -> str:
    """Show the circle."""
    page = views.people_page(load(), _now())
    return render_template("people/index.html", page=page, own=with_client.may_write(), saved=_saved())


@blueprint.get("/<member_id>/")
def person(member_id: str) -> str:
    """Show one of the people: what they are to the client, and how they come in."""
    shown = views.person(_member_or_404(load(), member_id), _now())
    return render_template("people/person.html", page=shown, own=with_client.may_write(), saved=_saved())


def _member_or_404(stored: StoredCircle, member_id: str) -> Member:
    return stored.circle.member(member_id) or abort(404)


# --- adding and changing --------------------------------------------------------------------------------------------


def _editing(load_again: Callable[[], StoredCircle] = load) -> editing.Editing[StoredCircle, Circle]:
    return editing.Editing(
        load=load_again,
        document=lambda stored: stored.circle,
        change=change,
        sketch_of=lambda _stored: (
            (request.script_root + request.path).removeprefix(url_for("people.index")) + " people"
        ),
        made=lambda stored, key: stored.circle.member(key) is not None,
        templates=("people/form.html", "people/clash.html"),
        place=lambda: "own",
    )


@blueprint.get("/new/")
def whom() -> str:
    """Ask whom the client wants to add: somebody whom the record or their own plan knows, or somebody else."""
    return render_template("people/whom.html", page=views.whom_page(load_proposed(), _now()))


@blueprint.route('/new/<any("loved-one", "professional"):kind>/', methods=["GET", "POST"])
def new(kind: str) -> ResponseReturnValue:
    """Add somebody whom neither the record nor the plan knows: they get no login here by that."""
    return _add(_loaded(), replace(NOBODY, role="loved-one") if kind == "loved-one" else NOBODY, kind)


@blueprint.route(
    '/new/<any("RelatedPerson", "Practitioner", "PractitionerRole", "Organization"):type_>/<id_>/',
    methods=["GET", "POST"],
)
def new_from_record(type_: str, id_: str) -> ResponseReturnValue:
    """Add somebody whom the record has: only so does the circle know who they are when they sign in."""
    stored = _loaded()
    known = stored.known(f"{type_}/{id_}") or abort(404)
    there = stored.circle.of(known.reference, _now())
    if request.method == "GET" and there is not None:
        return redirect(url_for("people.person", member_id=there.id), 303)
    is_of_table = bool(views.role_title(known.role))
    kind = "loved-one" if type_ == "RelatedPerson" else "professional"
    return _add(stored, known if is_of_table else replace(known, role=""), kind)


@blueprint.route("/new/supporter/<key>/", methods=["GET", "POST"])
def new_supporter(key: str) -> ResponseReturnValue:
    """Add a supporter of the plan for hard days, as they are called there."""
    found = load_proposed()
    known = next((one for one in found.supporters if one.id == key), None) or abort(404)
    return _add(found.stored, known, "loved-one")


def _loaded() -> StoredCircle:
    """Return the circle; where it can't be read, what was sent is kept for its writer before the page says so."""
    try:
        return load()
    except RecordError:
        if request.method == "POST":
            names = tuple(one.name for one in views.fields(""))
            Sketch(_editing().sketch_of(None), names, posted()).keep()
        raise


def _add(stored: StoredCircle, known: Member, kind: str) -> ResponseReturnValue:
    key, fields = form_key(), views.fields(kind)
    # Of a record's own team, what they are called there; everything else is the client's to say.
    begun = replace(NOBODY, id=key, reference=known.reference, since=current.today(), role=known.role)
    form = Form(
        views.kind_title(kind),
        fields,
        Link(_("Back to whom you can add"), url_for("people.whom")),
        url_for("people.index", saved="added"),
        kicker=_("My people"),
        key=key,
        made_once=True,
        proposed=sections.proposed(known, tuple(one.name for one in fields)),
        more={"signs_in": bool(known.reference)},
    )
    return _edit(begun, form, stored)


@blueprint.route("/<member_id>/change", methods=["GET", "POST"])
def change_person(member_id: str) -> ResponseReturnValue:
    """Change what is written about somebody."""
    stored = _loaded()
    member = _member_or_404(stored, member_id)
    here = url_for("people.person", member_id=member_id)
    form = Form(
        member.name or _("Somebody without a name"),
        views.fields(views.kind_of(member)),
        Link(_("Back to this person"), here),
        url_for("people.person", member_id=member_id, saved="changed"),
        kicker=_("My people"),
        more={"signs_in": bool(member.reference)},
    )
    return _edit(member, form, stored)


def _edit(member: Member, form: Form, stored: StoredCircle) -> ResponseReturnValue:
    section = sections.of_member(member, form.names, _now())
    return editing.edit(_editing(), lambda _now: section, form, stored)


# --- inviting, ending, and taking back ------------------------------------------------------------------------------


def _asks(sentence: str) -> Callable[..., Press | None]:
    """Return what the client is asked where a professional presses; nothing of somebody who is not there."""

    def asks(member_id: str) -> Press | None:
        member = load().circle.member(member_id)
        back = url_for("people.index")
        return Press(_(sentence), back, member.name) if member else None

    return asks


@blueprint.post("/<member_id>/invite")
@pressed(_asks(message("You invited this person.")))
def invite(member_id: str) -> ResponseReturnValue:
    """Note that the client invited somebody: Verstel sends no message."""
    today = current.today()
    return _press(
        member_id,
        lambda circle, member: circle.with_member(replace(member, invited_on=today)),
        url_for("people.person", member_id=member_id, saved="invited"),
    )


@blueprint.post("/<member_id>/leave")
@pressed(_asks(message("This person is no longer among your people.")))
def leave(member_id: str) -> ResponseReturnValue:
    """End somebody's place in the circle, at once; the next page offers to take that back."""
    now = _now()  # once: taking it back asks whether they left at this moment
    return _press(
        member_id, lambda circle, _member: circle.ended(member_id, now), url_for("people.index", saved="left")
    )


@blueprint.post("/<member_id>/remove")
@pressed(_asks(message("This person is taken out of your list.")))
def remove(member_id: str) -> ResponseReturnValue:
    """Take somebody out altogether who left before, or was put there by mistake."""
    return _press(
        member_id, lambda circle, _member: circle.without(member_id), url_for("people.index", saved="removed")
    )


def _asks_of_back(member_id: str) -> Press | None:
    """Return what the client is asked where a press about somebody is taken back, who may be in the list no more."""
    needs = undoing.taken(request.form.get(undoing.FIELD, ""))
    sentence, back = _("It is as it was before."), url_for("people.index")
    return Press(sentence, back, needs["before"]["name"]) if needs and needs["before"]["id"] == member_id else None


@blueprint.post("/<member_id>/back")
@pressed(_asks_of_back)
def put_back(member_id: str) -> ResponseReturnValue:
    """Take back what was pressed just now about somebody."""
    needs = undoing.taken(request.form.get(undoing.FIELD, ""))
    if needs is None or needs["before"]["id"] != member_id:
        flash(_(TOO_LATE), "attention")
        return redirect(url_for("people.index"), 303)
    before, then = Member(**needs["before"]), Member(**needs["then"]) if needs["then"] else None
    stored = load()
    if stored.circle.member(member_id) != then:  # somebody changed it since
        flash(_(CHANGED), "attention")
        return redirect(url_for("people.index"), 303)
    outcome = change(lambda now: Accepted(now.circle.with_member(before)), stored)
    if not isinstance(outcome, Saved):
        return _not_done(outcome)
    undoing.forget()
    return redirect(undoing.undone(url_for("people.index")), 303)


def _press(member_id: str, done: Callable[[Circle, Member], Circle], after: str) -> ResponseReturnValue:
    """Do something about somebody, and go to the page `after`, which offers to take it back."""
    stored = load()
    before = _member_or_404(stored, member_id)

    def edit(now: StoredCircle) -> Accepted[Circle]:
        member = now.circle.member(member_id)
        return Accepted(done(now.circle, member) if member else now.circle)

    outcome = change(edit, stored)
    if not isinstance(outcome, Saved):
        return _not_done(outcome)
    if not outcome.arrived:
        return redirect(waiting(after), 303)
    then = done(stored.circle, before).member(member_id)
    needs: dict[str, Any] = {"before": asdict(before), "then": asdict(then) if then else None}
    return redirect(undoing.offer(url_for("people.put_back", member_id=member_id), needs, after), 303)


def _not_done(outcome: object) -> ResponseReturnValue:
    flash(outcome.sentence if isinstance(outcome, Trouble) else _(NOT_DONE), "attention")
    return redirect(url_for("people.index"), 303)
