"""Showing and taking the form of one section of the plan: what every page that changes something has in common."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.plan import Plan
from smartapp.i18n import message
from smartapp.pages.plan import whose
from smartapp.pages.plan.sections import Section
from smartapp.pages.plan.service import change, load
from smartapp.pages.plan.stored import StoredPlan
from smartapp.pages.plan.views import ClashPage, FormPage
from smartapp.web import current, typed, undoing
from smartapp.web.fields import Field, Link, both_versions, filled
from smartapp.web.forms import Saved, Sketch, Trouble, posted
from smartapp.web.language import gettext as _
from smartapp.web.typed import Accepted, Clash, Submitted, Wrong

TOO_LATE: Final = message("This can no longer be taken back here. Look among the earlier versions of your plan.")


@dataclass(frozen=True, slots=True)
class Form:
    """What a page asks: its fields, the words around them, and where the person goes after saving (`after`)."""

    title: str
    fields: tuple[Field, ...]
    back: Link
    after: str
    lead: str = ""
    kicker: str = ""
    words: str = ""
    save: str = ""
    stop: str = ""
    remove: str = ""
    key: str = ""
    reword: str = ""  # where the words of something new are changed, once it is made; else on this page
    proposed: Mapping[str, str] = field(default_factory=dict)  # a choice that follows from the page they came from

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the fields."""
        return tuple(one.name for one in self.fields)


def form_key() -> str:
    """Return the key of a form that makes something: the one it was shown with, or a fresh one."""
    try:
        return str(uuid.UUID(request.form.get("key", "")))
    except ValueError:
        return str(uuid.uuid4())


def edit(
    section_of: Callable[[StoredPlan], Section], form: Form, plan: StoredPlan | None = None
) -> ResponseReturnValue:
    """Show the form of one section of the plan, or take it: the heart of every page that changes something.

    `section_of` is asked again whenever someone else saved in between. `plan` spares loading it twice. What is typed
    and not (yet) saved in the plan is kept as a sketch, which only its writer sees (`smartapp.web.forms`).
    """
    sketch = Sketch(_sketch_of(plan), form.names, posted())
    if undoing.FIELD in sketch.form:
        words = undoing.taken(sketch.form[undoing.FIELD])
        if words is None:
            flash(_(TOO_LATE), "attention")
            return redirect(form.back.href, 303)
        return _take(section_of, form, plan, replace(sketch, form=words), undo=True)
    if (answer := sketch.answered()) is not None:
        return answer
    if request.method == "GET":
        plan = plan or load()
        return _opened(section_of(plan), form, plan, sketch)
    return _take(section_of, form, plan, sketch)


def _sketch_of(plan: StoredPlan | None) -> str:
    """Return which form of the plan this is, by its address.

    It goes by the ids that a goal and a step had first, so that the words are found again after the plan has moved.
    """
    here = (request.script_root + request.path).removeprefix(url_for("plan.start"))
    return here if plan is None else "/".join(plan.first_id(each) for each in here.split("/"))


def _take(
    section_of: Callable[[StoredPlan], Section],
    form: Form,
    plan: StoredPlan | None,
    sketch: Sketch,
    *,
    undo: bool = False,
) -> ResponseReturnValue:
    """Save what a form holds; `undo`: it takes back what was saved just now."""
    sent = typed.submitted_fields(form.names, sketch.form)
    before: Mapping[str, str] = {}
    after: Mapping[str, str] = {}

    def merge(now: StoredPlan) -> Accepted[Plan] | Wrong | Clash:
        nonlocal before, after
        section = section_of(now)
        outcome = typed.merge_form(section, now.plan, sent)
        if isinstance(outcome, Accepted):
            before, after = section.read(now.plan), section.read(outcome.document)
        return outcome

    def save() -> Saved | Wrong | Clash | Trouble:
        return change(merge, plan or load())

    # What is put back says nothing about words that were typed since and not saved: those stay with their writer.
    outcome = save() if undo or undoing.PUT_BACK in sketch.form else sketch.take(save)
    if isinstance(outcome, Saved):
        return redirect(_after(form, outcome, before, after, undone=undo), 303)
    return _refusal(outcome, form, sent)


def _after(form: Form, saved: Saved, before: Mapping[str, str], after: Mapping[str, str], *, undone: bool) -> str:
    """Return the address of the page after a save; where words went, it offers to take that back."""
    if not saved.arrived:
        return waiting(form.after)
    if undone:
        undoing.forget()
        return undoing.undone(form.after)
    here, address = request.script_root + request.path, form.after
    written = [one.name for one in form.fields if one.kind in ("area", "line") and one.name in before]
    said = {name: after.get(name, "") for name in written if name != "who"}  # a name is nobody's sentence
    if undoing.PUT_BACK not in request.form and whose.are_new(before, said):
        address = whose.ask(form.reword or here, address)
    if any(takes_words(before[name], after.get(name, "")) for name in written):
        changed = [name for name in before if before[name] != after.get(name, "")]
        seen = {f"seen-{name}": typed.digest(after.get(name, "")) for name in changed}
        return undoing.offer(here, {name: before[name] for name in changed} | seen, address)
    return address


def takes_words(before: str, after: str) -> bool:
    """Tell whether a text no longer has every word that it had, in its order: what is only added to lost nothing."""
    left = iter(after.split())
    return not all(word in left for word in before.split())


def waiting(address: str) -> str:
    """Return the address of the page after a save, for one that has to wait: that page may have to say otherwise."""
    parts = urlsplit(address)
    return parts._replace(query="&".join(filter(None, (parts.query, "waits=1")))).geturl()


def _refusal(outcome: Wrong | Clash | Trouble, form: Form, sent: Submitted) -> ResponseReturnValue:
    """Return the page that says why nothing was saved, with everything that was typed."""
    if isinstance(outcome, Wrong):
        return _form_page(form, outcome.values, sent.based_on, problems=outcome.problems), 422
    if isinstance(outcome, Trouble):
        return _form_page(form, sent.values, sent.based_on, trouble=outcome.sentence), outcome.status
    return _clash_page(outcome, form), 409


# --- pages ------------------------------------------------------------------------------------------------------


def _opened(section: Section, form: Form, plan: StoredPlan, sketch: Sketch) -> str:
    stored = section.read(plan.plan)
    opened = sketch.opened(stored, new=bool(form.key))
    if not opened.draft or (opened.key and plan.made(opened.key)):
        return _form_page(form, {**stored, **form.proposed}, typed.digests(section, plan.plan))
    if opened.key:
        # With a new key, saving these words now and the same words from another tab would make two goals.
        form = replace(form, key=opened.key)
    return _form_page(form, opened.values, opened.based_on, draft=True)


def _form_page(
    form: Form,
    values: Mapping[str, str],
    based_on: Mapping[str, str],
    *,
    problems: Mapping[str, str] | None = None,
    trouble: str = "",
    draft: bool = False,
) -> str:
    page = FormPage(
        title=form.title,
        fields=filled(form.fields, values, based_on, problems or {}),
        back=form.back,
        save=form.save or _("Save"),
        lead=form.lead,
        kicker=form.kicker,
        words=form.words,
        stop=form.stop,
        remove=form.remove,
        key=form.key,
        trouble=trouble,
        draft=draft,
        place=current.records().place_for("CarePlan"),
    )
    return render_template("plan/form.html", page=page)


def _clash_page(clash: Clash, form: Form) -> str:
    page = ClashPage(form.title, both_versions(clash, form.fields), form.key, form.back)
    return render_template("plan/clash.html", page=page)
