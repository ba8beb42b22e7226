"""The pages of living forms: reading one, and writing in it one question at a time, one row, or all on one page."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NoReturn

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.living import Content
from mappers.living.content import group_of
from questionnaires.catalogue import catalogue
from questionnaires.model import Group, Instrument, Item, Who
from smartapp.fhir.store import RecordError
from smartapp.i18n import message
from smartapp.pages.living import carrying, hanging, sections, taking, to_plan, views
from smartapp.pages.living.earlier import earlier_page, needs_for_row, row_back, typed_by, typed_by_client
from smartapp.pages.living.fields import fields_of
from smartapp.pages.living.goals import goal_from_words, goal_saved
from smartapp.pages.living.service import Opened, change, open_form
from smartapp.pages.living.steps import ALL, Step, following, step_of
from smartapp.pages.living.words import proposed_from
from smartapp.records import Place
from smartapp.web import copies, current, editing, handing_over, undoing, whose, with_client
from smartapp.web.confirming import Press, pressed
from smartapp.web.editing import Form, form_key, waiting
from smartapp.web.fields import Field, Link
from smartapp.web.forms import Saved, Sketch, Trouble, posted, sketch_name, sketches
from smartapp.web.kept import typed_text
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of
from smartapp.web.living_views import form_view
from smartapp.web.typed import Accepted, Part
from smartapp.web.written import RowView, is_dated, newest_first, row_view, short

blueprint = Blueprint("living", __name__, url_prefix="/living", template_folder="templates")

blueprint.context_processor(undoing.said)
blueprint.context_processor(whose.said)
carrying.add_to(blueprint)


def _form_or_404(form_id: str) -> Instrument:
    return catalogue().living.get(form_id) or abort(404)


def _place() -> Place:
    return current.records().place_for("QuestionnaireResponse", living=True)


# --- reading ----------------------------------------------------------------------------------------------------


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show all living forms."""
    plan = open_form(next(iter(catalogue().living.values()))).plan
    own = with_client.may_write()
    forms = [form_view(stored, current.now().date()) for stored in plan.forms.values()]
    return render_template("living/index.html", forms=forms if own else [one for one in forms if one.written], own=own)


@blueprint.get("/<form_id>/")
def form(form_id: str) -> ResponseReturnValue:
    """Show what is written in a form."""
    return _show(_open(_form_or_404(form_id)))


def _show(opened: Opened, *, trouble: str = "", status: int = 200) -> ResponseReturnValue:
    own = with_client.may_write()
    page = _page(opened, own=own)
    return render_template(
        "living/form.html", page=page, trouble=trouble, marks=copies.whose(), together=_together()
    ), status


def _together() -> str | None:
    """Return "1" where two people read in a conversation: then it is large, and leads back to it."""
    return "1" if "together" in request.args and not with_client.may_write() else None


@blueprint.get("/<form_id>/theme/<group_id>")
def theme(form_id: str, group_id: str) -> ResponseReturnValue:
    """Show one card of a form in a conversation: its questions, large, with what the client wrote before under them."""
    asked = _form_or_404(form_id)
    page = _page(open_form(asked), own=False)
    group = next((one for one in page.groups if one.id == group_id and not one.many), None) or abort(404)
    return render_template("living/theme.html", page=page, group=group)


def _page(opened: Opened, *, own: bool) -> views.LivingPage:
    return views.living_page(
        opened,
        catalogue(),
        current.now().date(),
        own=own,
        place=_place(),
        saved=_saved(opened.stored.content) or goal_saved(opened.plan),
        own_parts=with_client.own_parts(),
        offer=current.services().settings.offer,
        client=with_client.client_name(),
    )


def _saved(content: Content) -> str:
    """Return the sentence about what was saved just now, "" where nothing was; what was stopped is said above."""
    if request.args.get("waits") and current.records().is_stopped(["QuestionnaireResponse"]):
        return ""
    if request.args.get(undoing.DONE):
        return _("It is as it was before.")
    if to_plan.TAKEN_ALONG in request.args:
        return _("It is in your plan now, too.")
    living = content.form.living
    if "saved" not in request.args or living is None:
        return ""
    return text_of(living.emptied if not content and living.emptied else living.saved)


@blueprint.get("/<form_id>/earlier")
def earlier(form_id: str) -> ResponseReturnValue:
    """Show what the client wrote in a form before, to be put back."""
    asked = _form_or_404(form_id)
    page = earlier_page(open_form(asked), catalogue())
    return render_template("living/earlier.html", page=page, back_to=_back(asked))


# --- writing ----------------------------------------------------------------------------------------------------


def _sketch_of(_stored: Opened | None) -> str:
    return (request.script_root + request.path).removeprefix(url_for("living.index"))


_EDITING: Final = editing.Editing[Opened, Content](
    load=lambda: open_form(_form_or_404((request.view_args or {})["form_id"])),
    document=lambda opened: opened.content,
    change=change,
    sketch_of=lambda opened: f"living/{_sketch_of(opened)}",
    made=lambda opened, key: any(row.key == key for rows in opened.content.rows.values() for row in rows),
    templates=("plan/form.html", "plan/clash.html"),
    place=_place,
)


_ROWS: Final = replace(
    _EDITING,
    made=lambda opened, key: any(row.key == str(uuid.uuid5(uuid.UUID(key), "0")) for row in opened.content.all_rows),
    templates=("living/rows.html", "plan/clash.html"),
)


def _open(form: Instrument) -> Opened:
    """Return a form; where the record can't be read, what was sent is kept for its writer before the page says so."""
    try:
        return open_form(form)
    except RecordError:
        if request.method == "POST":
            names = tuple(item.link_id for item in form.items)
            Sketch(_EDITING.sketch_of(None), names, posted()).keep()
        raise


def _back(form: Instrument, group: str | None = None) -> Link:
    address = url_for("living.form", form_id=form.id, _anchor=group)
    return Link(_("Back to “%(form)s”", form=text_of(form.title)), address)


@blueprint.route("/<form_id>/<step>/", methods=["GET", "POST"])
def step(form_id: str, step: str) -> ResponseReturnValue:
    """Ask one step of a form: a question, a group of questions, all of them on one page; or show a group of rows."""
    asked, opened = _form_or_404(form_id), _open(_form_or_404(form_id))
    # A professional has a part of their own in some forms; the client reads it, and types in no part but their own.
    parts: tuple[Who, ...] = ("client", *with_client.own_parts())
    steps = ((who, step_of(asked, opened.content, step, who, offer=_has_offer())) for who in parts)
    who, here = next(((who, here) for who, here in steps if here is not None), None) or abort(404)
    _take_over(asked, here)
    if here.is_rows:
        return _rows(opened, here)
    return _ask(opened, here, who)


def _take_over(form: Instrument, here: Step) -> None:
    """Move words here that were typed, and not saved, on the page of the plan that asked for them before this one."""
    parts = (one for one in catalogue().plan_parts if one.form is form and one.step == here.name)
    if (part := next(parts, None)) is None or (typed_before := sketches().get(sketch_name(part.code))) is None:
        return
    words, name = typed_before.resource, part.item.link_id
    moved = {new: words[old] for new, old in ((name, part.code), (f"seen-{name}", f"seen-{part.code}")) if old in words}
    sketches().change(sketch_name(_EDITING.sketch_of(None)), lambda there: there or moved)
    sketches().delete(sketch_name(part.code))


def _fields(items: Iterable[Item], opened: Opened) -> tuple[Field, ...]:
    offer = current.services().settings.offer
    return fields_of(items, opened.content, catalogue(), views.domains_in(opened), offer)


def _has_offer() -> bool:
    """Tell whether the place has something to choose from."""
    return bool(current.services().settings.offer)


def _ask(opened: Opened, here: Step, who: Who) -> ResponseReturnValue:
    asked = opened.stored.form
    after = url_for("living.form", form_id=asked.id, saved="1")
    coming = following(asked, _as_it_becomes(opened.content, here), here, who, offer=_has_offer())
    one_by_one = here.name != ALL and len(here.items) == 1
    asks_on = one_by_one and coming is not None and undoing.STOP not in request.form  # else: "save and stop here"
    if coming and asks_on:
        after = url_for("living.step", form_id=asked.id, step=coming.name)
    title = text_of(asked.title) if here.name == ALL else text_of(here.group.title)
    if one_by_one:
        title = text_of(here.items[0].text)
    form = Form(
        title,
        _fields(here.items, opened),
        _back(asked),
        after,
        lead="" if one_by_one or not here.group.help or here.name == ALL else text_of(here.group.help),
        kicker=text_of(asked.title) if here.name != ALL else "",
        save=_("Save and continue") if one_by_one and coming else _("Save"),
        stop=_("Save and stop here") if one_by_one and coming else "",
        asks_on=asks_on,
        part=who,
        proposed=proposed_from(request.args.get("from", ""), opened, here.items),
    )
    today = "" if _puts_back() else current.today()
    return editing.edit(_EDITING, lambda _now: sections.answers(here.items, today), form, opened)


def _as_it_becomes(content: Content, here: Step) -> Content:
    """Return what is written with what this request says: the next question may depend on it."""
    names = [item.link_id for item in here.items if not here.is_rows]
    return content.with_fields({name: text for name, text in posted().items() if name in names})


def _rows(opened: Opened, here: Step) -> ResponseReturnValue:
    asked = opened.stored.form
    page = _page(opened, own=True)
    group = next(one for one in page.groups if one.id == here.name)
    coming = following(asked, opened.content, here, offer=_has_offer())
    after = Link(_("That is all for now"), page.view.href)
    if coming:
        after = Link(_("Continue"), url_for("living.step", form_id=asked.id, step=coming.name))
    shown = {"living": page, "group": group, "after": after}
    if not sections.takes_lines(here.group):
        return render_template("living/rows.html", page=None, **shown) if request.method == "GET" else abort(405)
    key = form_key()
    return editing.edit(
        _ROWS, lambda _now: sections.lines(here.group, key), _lines_form(opened, here, key, shown), opened
    )


def _lines_form(opened: Opened, here: Step, key: str, shown: Mapping[str, object]) -> Form:
    first = here.group.items[0]
    field = _fields([first], opened)[0]
    address = url_for("living.step", form_id=opened.stored.form.id, step=here.name)
    return Form(
        text_of(here.group.title),
        (replace(field, kind="area", help=_("Put each thing on its own line."), rows=4),),
        _back(opened.stored.form, here.name),
        f"{address}?saved=1",
        save=_("Add these"),
        key=key,
        reword=url_for("living.form", form_id=opened.stored.form.id, _anchor=here.name),
        more=shown,
    )


# --- rows -------------------------------------------------------------------------------------------------------


def _group_or_404(form: Instrument, group_id: str) -> Group:
    found = (one for one in form.groups if one.many and short(form, one.link_id) == group_id)
    return next(found, None) or abort(404)


@blueprint.route("/<form_id>/<group_id>/new", methods=["GET", "POST"])
def new_row(form_id: str, group_id: str) -> ResponseReturnValue:
    """Write one more row of a group."""
    asked = _form_or_404(form_id)
    group, key, opened = _group_or_404(asked, group_id), form_key(), _open(asked)
    about = request.args.get("about", "") if group.per else ""
    # What is written about it already is gone on with; where each row has its day, there is another one of another day.
    rows = () if is_dated(group) or request.method != "GET" else opened.content.rows_of(group.link_id)
    there = next((row for row in rows if about and row.of(group.items[0].link_id) == about), None)
    if there is not None:
        return redirect(url_for("living.row", form_id=form_id, group_id=group_id, key=there.key), 303)
    proposed = {group.items[0].link_id: about} if group.per else {}
    proposed |= proposed_from(request.args.get("from", ""), opened, group.items)
    first = group.items[0].link_id
    form = _row_form(opened, group, key=key, proposed=proposed, about=request.form.get(first, about))
    if hook := hanging.hook(request.args.get("about", ""), group, opened):
        form = hook.around(form)
    return editing.edit(_EDITING, lambda _now: _row_section(group, key), form, opened)


@blueprint.route("/<form_id>/<group_id>/<key>/", methods=["GET", "POST"])
def row(form_id: str, group_id: str, key: str) -> ResponseReturnValue:
    """Change one row of a group."""
    asked = _form_or_404(form_id)
    group, opened = _group_or_404(asked, group_id), _open(asked)
    if request.method == "GET" and opened.content.row(group.link_id, key) is None:
        _stop_at_what_is_gone(group)
    back = row_back(opened, group, key) if request.method == "POST" else None
    there = opened.content.row(group.link_id, key)
    form = _row_form(opened, group, row=key, about=there.of(group.items[0].link_id) if there else "")
    return editing.edit(_EDITING, lambda _now: _row_section(group, key, back), form, opened)


@blueprint.route('/<form_id>/<group_id>/<key>/<any("peer-worker", "professional"):part>/', methods=["GET", "POST"])
def part_of_row(form_id: str, group_id: str, key: str, part: Who) -> ResponseReturnValue:
    """Write the part of a professional in a row that the client made; the client reads it and types only their own."""
    asked = _form_or_404(form_id)
    group, opened = _group_or_404(asked, group_id), _open(asked)
    items = typed_by(group, part)
    if not items or part not in with_client.own_parts():
        abort(404)
    if request.method == "GET" and opened.content.row(group.link_id, key) is None:
        _stop_at_what_is_gone(group)
    form = _row_form(opened, group, row=key, part=part)
    return editing.edit(_EDITING, lambda _now: sections.row(group, key, items, current.today()), form, opened)


def _stop_at_what_is_gone(group: Group) -> NoReturn:
    """End this request with the page (404) of a row that is not there: a way on, and what was typed for it before."""
    if handing_over.of_what_is_gone() is not None:
        abort(404)  # the page of that says what waits for the client
    asked = _form_or_404((request.view_args or {})["form_id"])
    sketch = sketches().get(sketch_name(_EDITING.sketch_of(None)))
    names = [item.link_id for item in group.items]
    typed = typed_text((name, sketch.resource[name]) for name in names if name in sketch.resource) if sketch else []
    page = render_template(
        "living/gone.html", form=asked, back_to=_back(asked, short(asked, group.link_id)), typed=typed
    )
    abort(make_response(page, 404))


def _row_section(group: Group, key: str, back: sections.RowBack | None = None) -> Part[Content]:
    return sections.row(group, key, typed_by_client(group), current.today(), back, any_day=_puts_back())


def _puts_back() -> bool:
    """Tell whether this request puts back what was there before; the days that it names were good then."""
    return undoing.FIELD in request.form or undoing.PUT_BACK in request.form


def _row_form(
    opened: Opened,
    group: Group,
    *,
    key: str = "",
    row: str = "",
    proposed: dict[str, str] | None = None,
    part: Who = "client",
    about: str = "",
) -> Form:
    asked = opened.stored.form
    name = short(asked, group.link_id)
    where: dict[str, Any] = {"form_id": asked.id, "group_id": name, "key": row or key}
    removing = {"label": _("Take this out"), "help": _("You can put it back right after.")}
    return Form(
        text_of(group.title),
        _fields(typed_by(group, part), opened),
        _back(asked, name),
        url_for("living.form", form_id=asked.id, saved="1", _anchor=_anchor_after(group, name, row or key)),
        lead=text_of(group.help) if group.help and part == "client" else "",
        kicker=text_of(asked.title),
        remove=url_for("living.remove", **where) if row and part == "client" else "",
        key=key,
        part=part,
        reword=url_for("living.row", **where) if key else "",
        proposed=proposed or {},
        more={
            "removing": removing,
            "beside": _beside(opened, group, row, part) if row else None,
            "time_before": _time_before(opened, group, row, about),
        },
    )


def _time_before(opened: Opened, group: Group, key: str, about: str) -> RowView | None:
    """Return what was written about the same before the row `key`, or last where that is new; None where nothing was.

    Only where rows look back on a goal or an area: each of those has its day.
    """
    if not (group.per and is_dated(group) and about):
        return None
    rows = newest_first(group, opened.content.rows_of(group.link_id))
    same = [row for row in rows if row.of(group.items[0].link_id) == about]
    keys = [row.key for row in same]
    older = same[keys.index(key) + 1 :] if key in keys else same
    return row_view(group, older[0], opened.content, catalogue()) if older else None


def _beside(opened: Opened, group: Group, key: str, part: Who) -> RowView | None:
    """Return what others than who fills in this part wrote in a row, to read; None where that is nothing."""
    row = opened.content.row(group.link_id, key)
    if row is None:
        return None
    theirs = {item.link_id for item in group.items if item.who != part}
    said = replace(row, answers={name: given for name, given in row.answers.items() if name in theirs and given})
    view = row_view(group, said, opened.content, catalogue(), named=False)
    whose = with_client.client_name()
    answers = tuple(one if one.whose else replace(one, whose=whose) for one in view.answers)
    return replace(view, answers=answers) if answers else None


def _anchor_after(group: Group, name: str, key: str) -> str:
    """Return where the page opens after a row is saved: at the row, where what it says is followed by a press."""
    followed = any(item.changes_goal or item.ends_goal for item in group.items)
    return f"row-{key}" if followed else name


def _asks(sentence: str) -> Callable[..., Press | None]:
    """Return what the client is asked before a row is taken out or moved; `sentence` says what becomes of it."""

    def asks(form_id: str, group_id: str, key: str, way: str = "") -> Press | None:
        opened = open_form(_form_or_404(form_id))
        group = _group_or_404(opened.stored.form, group_id)
        row = opened.content.row(group.link_id, key)
        if row is None:  # gone meanwhile: there is nothing to ask
            return None
        about = row_view(group, row, opened.content, catalogue()).title
        return Press(_(_MOVES.get(way, sentence)), _back(opened.stored.form, group_id).href, about)

    return asks


_MOVES: Final = {
    "up": message("This goes one place up."),
    "down": message("This goes one place down."),
    "top": message("This goes to the top."),
}


@blueprint.post("/<form_id>/<group_id>/<key>/remove")
@pressed(_asks(message("This is taken out.")))
def remove(form_id: str, group_id: str, key: str) -> ResponseReturnValue:
    """Take a row out; the next page offers to put it back."""
    asked = _form_or_404(form_id)
    group, opened = _group_or_404(asked, group_id), _open(asked)
    needs = needs_for_row(opened.content, group, key)
    outcome = change(lambda now: Accepted(now.content.without_row(group.link_id, key)), opened)
    after = url_for("living.form", form_id=asked.id, saved="1", _anchor=short(asked, group.link_id))
    action = url_for("living.row", form_id=asked.id, group_id=group_id, key=key)
    return _gone_on(outcome, opened, undoing.offer(action, needs, after) if needs else after)


@blueprint.post("/<form_id>/<group_id>/<key>/<any(up, down, top):way>")
@pressed(_asks(""))
def move(form_id: str, group_id: str, key: str, way: str) -> ResponseReturnValue:
    """Put a row one place up or down, or on top of all."""
    asked = _form_or_404(form_id)
    group, opened = _group_or_404(asked, group_id), _open(asked)
    by = {"up": -1, "down": 1}.get(way, -len(opened.content.rows_of(group.link_id)))
    outcome = change(lambda now: Accepted(now.content.moved(group.link_id, key, by)), opened)
    return _gone_on(outcome, opened, url_for("living.form", form_id=asked.id, _anchor=f"row-{key}"))


def _gone_on(outcome: object, opened: Opened, after: str) -> ResponseReturnValue:
    if isinstance(outcome, Trouble):
        return _show(opened, trouble=outcome.sentence, status=outcome.status)
    return redirect(after if isinstance(outcome, Saved) and outcome.arrived else waiting(after), 303)


blueprint.add_url_rule("/<form_id>/goal/<name>", view_func=goal_from_words, methods=["GET", "POST"])


# --- words that go on elsewhere ---------------------------------------------------------------------------------


def _item_or_404(form: Instrument, link_id: str) -> Item:
    return next((one for one in form.items if one.link_id == link_id), None) or abort(404)


@blueprint.get("/<form_id>/take/<link_id>")
def take(form_id: str, link_id: str) -> ResponseReturnValue:
    """Go to where words of another form are put: the form opens with them, and its owner saves."""
    asked = _form_or_404(form_id)
    item = _item_or_404(asked, link_id)
    group = group_of(asked, item)
    source: dict[str, Any] = {"from": request.args.get("source", "")}
    if group.many:
        name = short(asked, group.link_id)
        return redirect(url_for("living.new_row", form_id=asked.id, group_id=name, **source), 303)
    name = short(asked, item.link_id)
    return redirect(url_for("living.step", form_id=asked.id, step=name, **source), 303)


@blueprint.post("/<form_id>/take/<link_id>")
@pressed(lambda form_id, link_id: taking.asks_of_all(asked := _form_or_404(form_id), _item_or_404(asked, link_id)))
def take_all(form_id: str, link_id: str) -> ResponseReturnValue:
    """Put all words of an item of another form on a list; the next page offers to take that back."""
    asked = _form_or_404(form_id)
    return taking.take_all(asked, _item_or_404(asked, link_id), _gone_on)


@blueprint.post("/<form_id>/take-back")
@pressed(lambda form_id: taking.asks_of_back(_form_or_404(form_id)))
def take_back(form_id: str) -> ResponseReturnValue:
    """Take rows off a list that were put there just now, all at once."""
    return taking.take_back(_form_or_404(form_id), _gone_on)


@blueprint.route("/<form_id>/to-plan", methods=["GET", "POST"])
@pressed(lambda form_id: to_plan.asks_of_going(_form_or_404(form_id)))
def take_along(form_id: str) -> ResponseReturnValue:
    """Copy words of a form to all the others that they can go to, at once; the next page offers to take that back."""
    return to_plan.to_plan(_form_or_404(form_id))


@blueprint.post("/<form_id>/to-plan/back")
@pressed(lambda form_id: to_plan.asks_of_back(_form_or_404(form_id)))
def out_of_plan(form_id: str) -> ResponseReturnValue:
    """Take what was copied just now out of the other forms, all at once."""
    return to_plan.out_of_plan(_form_or_404(form_id))
