"""Showing and taking the form of one part of the plan: what every page that changes something has in common."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from flask import jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from smartapp.fhir.store import RecordError
from smartapp.pages.plan import stored
from smartapp.pages.plan import views as show
from smartapp.pages.plan.sections import Part
from smartapp.pages.plan.service import Saved, Trouble, change, load
from smartapp.pages.plan.views import Field, FormPage, Link
from smartapp.storage.drafts import Drafts
from smartapp.web import current, typed
from smartapp.web.language import gettext as _
from smartapp.web.typed import Clash, Submitted, Wrong

Answer = str | Response | tuple[str, int]


def sent_form() -> dict[str, str]:
    """Return the form with each field once; ticked boxes of one name become codes with a comma between."""
    return {name: ",".join(values) for name, values in request.form.lists()}


@dataclass(frozen=True, slots=True)
class Screen:
    """What a page shows around its fields, and where it goes after saving."""

    title: str
    fields: tuple[Field, ...]
    back: Link
    after: str
    lead: str = ""
    kicker: str = ""
    words: str = ""
    save: str = ""
    stop: str = ""
    key: str = ""
    proposed: Mapping[str, str] = field(default_factory=dict)  # a choice that follows from where you came from

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the fields."""
        return tuple(one.name for one in self.fields)

    def filled(
        self, values: Mapping[str, str], seen: Mapping[str, str], problems: Mapping[str, str]
    ) -> tuple[Field, ...]:
        """Return the fields with values, marks and problems in them."""
        return tuple(
            one.filled(
                values.get(one.name, ""),
                seen.get(one.name, ""),
                _(problems[one.name]) if one.name in problems else "",
            )
            for one in self.fields
        )


def edit_page(part_of: Callable[[stored.Kept], Part], screen: Screen, kept: stored.Kept | None = None) -> Answer:
    """Show or take the form of one part of the plan: the heart of every page that changes something.

    What is typed and not (yet) saved in the plan is kept as a sketch, which only its writer sees: by the autosave of
    `app.js` while typing, and here whenever a save does not get through.
    """
    if request.method == "GET":
        kept = kept or load()
        return _open_form(part_of(kept), screen, kept)
    form = sent_form()
    if form.get("sketch") == "discard":
        _sketches().delete(_sketch_name())
        return redirect(request.script_root + request.path, 303)
    if request.accept_mimetypes.best == "application/json":
        _keep_sketch(screen, form)
        return jsonify(saved=True)
    sent = typed.submitted_fields(screen.names, form)
    try:
        kept = kept or load()
        outcome = change(lambda now: typed.merge_form(part_of(now), now.plan, sent), kept)
    except RecordError:  # the page of this error shows what was typed; here it is kept for the next visit
        _keep_sketch(screen, form)
        raise
    if isinstance(outcome, Saved) and outcome.arrived:
        _sketches().delete(_sketch_name())
    else:
        _keep_sketch(screen, form)
    if isinstance(outcome, Saved):
        return redirect(screen.after, 303)
    return _refusal(outcome, screen, sent)


def _refusal(outcome: Wrong | Clash | Trouble, screen: Screen, sent: Submitted) -> Answer:
    """Return the page that says why nothing was saved, with everything that was typed."""
    if isinstance(outcome, Wrong):
        return _form_page(screen, outcome.values, sent.based_on, problems=outcome.problems), 422
    if isinstance(outcome, Trouble):
        return _form_page(screen, sent.values, sent.based_on, trouble=outcome.sentence), outcome.status
    return _clash_page(outcome, screen), 409


def _sketches() -> Drafts:
    """Return where unsaved words of the plan are kept: apart from the unfinished questionnaires, and only mine."""
    app = current.services()
    return Drafts(
        app.engine,
        app.vault,
        app.clock,
        issuer=current.launch().issuer,
        patient=current.launch().patient.reference,
        author=f"{current.launch().user.key} plan",
    )


def _sketch_name() -> str:
    """Return the name of this page's sketch: the same in every launch, and saying nothing."""
    here = (request.script_root + request.path).removeprefix(url_for("plan.start"))
    return hashlib.sha256(here.encode()).hexdigest()


def _keep_sketch(screen: Screen, form: Mapping[str, str]) -> None:
    fields = typed.sent_fields(screen.names, form)
    _sketches().change(_sketch_name(), lambda _before: dict(fields))


def _open_form(part: Part, screen: Screen, kept: stored.Kept) -> str:
    stored, prints = part.read(kept.plan), typed.digests(part, kept.plan)
    sketch = _sketches().get(_sketch_name())
    unsaved = typed.unsaved(sketch.resource, screen.names, stored, new=bool(screen.key)) if sketch else None
    if unsaved is None or (unsaved.key and kept.made(unsaved.key)):
        return _form_page(screen, {**stored, **screen.proposed}, prints)
    if unsaved.key:
        screen = replace(screen, key=unsaved.key)
    return _form_page(screen, {**stored, **unsaved.values}, {**prints, **unsaved.based_on}, sketch=True)


def _form_page(
    screen: Screen,
    values: Mapping[str, str],
    seen: Mapping[str, str],
    *,
    problems: Mapping[str, str] | None = None,
    trouble: str = "",
    sketch: bool = False,
) -> str:
    page = FormPage(
        title=screen.title,
        fields=screen.filled(values, seen, problems or {}),
        back=screen.back,
        save=screen.save or _("Save"),
        lead=screen.lead,
        kicker=screen.kicker,
        words=screen.words,
        stop=screen.stop,
        key=screen.key,
        trouble=trouble,
        sketch=sketch,
        place=current.records().place_for("CarePlan"),
    )
    return render_template("plan/form.html", page=page)


def _clash_page(clash: Clash, screen: Screen) -> str:
    prints = {name: typed.digest(text) for name, text in clash.stored.items()}
    fields = {one.name: one for one in screen.filled(clash.values, prints, {})}
    page = show.ClashPage(
        title=screen.title,
        fields=tuple(
            show.ClashField(fields[name], fields[name].shown(clash.stored.get(name, "")), fields[name].shown(typed))
            for name in clash.fields
            for typed in [clash.values[name]]
        ),
        kept=tuple(one for name, one in fields.items() if name not in clash.fields and name in clash.values),
        key=screen.key,
        unanswered=clash.unanswered,
        back=screen.back,
    )
    return render_template("plan/clash.html", page=page)
