"""Medicines one by one: the record's list where it shows one, and what is said about each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.medicines import KINDS, Experience, Medicine, MedicineRow, medicine_in, rows_of
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, RecordError, Unauthorized
from smartapp.i18n import message
from smartapp.pages.together import keeping, screens, session, views
from smartapp.pages.together.found import Found
from smartapp.pages.together.session import Session
from smartapp.web import current
from smartapp.web.forms import Trouble, is_autosave, posted
from smartapp.web.language import gettext as _

MOST_MEDICINES: Final = 100
NO_NAME: Final = message("Write down what the medicine is called.")
ALREADY_SAID: Final = message("Something is already written about this medicine today. Read it here, and save again.")
NOTHING_SAID: Final = message("Nothing is written about this medicine yet.")


def _medicines() -> tuple[list[Medicine], bool, bool]:
    """Return the record's medicines, whether it shows them at all, and whether it failed to answer."""
    records, patient = current.records(), current.launch().patient.reference
    if not any(records.capability().can(kind, "search-type") for kind in KINDS):
        return [], False, False
    dates = dict(zip(KINDS, ("authoredon", "effective"), strict=True))
    asked = [Query.newest(MOST_MEDICINES, kind, dates[kind], patient=patient) for kind in KINDS]
    try:
        found = records.search(*asked)
    except Unauthorized:
        raise
    except RecordError:  # what the client says about medicines needs no list of the record's
        return [], True, True
    read = (medicine_in(one.resource) for results in found for one in results)
    return [one for one in read if one is not None], True, False


def _medicine_key(medicine: Medicine) -> str:
    """Return what names a medicine in an address: a keyed digest, since its name is nobody else's business."""
    return current.services().vault.digest(f"medicine|{medicine.identity}")[:32]


def _said_key(talk: Session, medicine: str) -> str:
    return talk.key_of(f"medicine-{medicine}")


def _typed(talk: Session) -> Medicine:
    """Return the medicine that is typed because the record does not name it."""
    return Medicine(talk.text("medicine-new-name").strip())


def _said_key_of(talk: Session, key: str) -> str:
    """Return the identifier of what this conversation says of the medicine at an address; a new one has it by name."""
    return _said_key(talk, _medicine_key(_typed(talk)) if key == "new" else key)


def _kept(talk: Session, key: str, found: Found) -> Experience | None:
    said_key = _said_key_of(talk, key)
    return next((one for one in found.experiences if one.key == said_key), None)


def _with_kept(talk: Session, key: str, found: Found) -> Session:
    """Return the session with what the record has of a medicine, where nothing newer is typed."""
    said = _kept(talk, key, found)
    if said is None:
        return talk
    kept = {"use": said.use, "benefit": said.benefit, "burden": said.burden}
    fields = {f"medicine-{key}-{name}": text for name, text in kept.items()}
    return session.with_fields(talk, {**fields, **talk.fields})


def medicines() -> str:
    """Show all medicines, with what was said about each over the conversations."""
    found, talk = screens.found(), screens.sessions().get()
    listed, readable, away = _medicines()
    lines = tuple(
        views.MedicineLine(
            row,
            url_for("together.medicine", key=_medicine_key(row.medicine)),
            today=any(one.key == _said_key(talk, _medicine_key(row.medicine)) for one in row.said),
        )
        for row in rows_of(listed, found.experiences)
    )
    page = views.MedicinesPage(lines, readable, away)
    return render_template("together/medicines.html", page=page, screen=screens.screen("medicines"))


def medicine(key: str) -> ResponseReturnValue:
    """Say how it goes with one medicine; `new` is one that the record does not name."""
    sessions, names = screens.sessions(), session.medicine_fields(key)
    if request.method == "POST" and is_autosave():
        return screens.kept_answer(sessions.keep(posted(), names), names)
    found = screens.found()
    rows = rows_of(_medicines()[0], found.experiences)
    keys = [_medicine_key(one.medicine) for one in rows]
    if key != "new" and key not in keys:
        abort(404)
    row = rows[keys.index(key)] if key != "new" else None
    after = url_for("together.medicines")
    if row is not None and keys.index(key) + 1 < len(keys):
        after = url_for("together.medicine", key=keys[keys.index(key) + 1])
    if request.method == "GET":
        return _medicine_page(key, row, found, sessions.get(), after)
    talk = sessions.keep(posted(), names)
    whole = _with_kept(talk, key, found)
    problems = _medicine_problems(key, whole)
    if problems:
        return _medicine_page(key, row, found, talk, after, problems=problems, status=422)
    named = row.medicine if row else _typed(talk)
    said = Experience(
        named,
        whole.text(f"medicine-{key}-use"),
        whole.text(f"medicine-{key}-benefit"),
        whole.text(f"medicine-{key}-burden"),
        key=_said_key_of(talk, key),
    )
    try:
        outcome = screens.save(
            lambda: keeping.keep_experience(
                current.records(),
                said,
                version=request.form.get("version", ""),
                who=screens.typist(talk),
                known=catalogue(),
            )
        )
    except keeping.ChangedMeanwhile:
        clash = screens.CHANGED if row else ALREADY_SAID
        return _medicine_page(key, row, screens.found(), talk, after, trouble=_(clash), status=409)
    if isinstance(outcome, Trouble):
        return _medicine_page(key, row, found, talk, after, trouble=outcome.sentence, status=outcome.status)
    if outcome.arrived:
        sessions.change(lambda now: session.without_fields(now, names))
    return redirect(f"{after}?saved={screens.mark(outcome, 'medicine')}", 303)


def _medicine_problems(key: str, talk: Session) -> dict[str, str]:
    if long := screens.too_long(talk, session.medicine_fields(key)):
        return long
    if key == "new" and not talk.text("medicine-new-name").strip():
        return {"medicine-new-name": NO_NAME}
    if not any(talk.text(f"medicine-{key}-{part}").strip() for part in ("use", "benefit", "burden")):
        return {f"medicine-{key}-use": NOTHING_SAID}
    return {}


def _medicine_page(
    key: str,
    row: MedicineRow | None,
    found: Found,
    talk: Session,
    after: str,
    *,
    problems: Mapping[str, str] | None = None,
    trouble: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    said_key, said, talk = _said_key_of(talk, key), _kept(talk, key, found), _with_kept(talk, key, found)
    # Of a medicine that is named again, what stands there already is seen before it is changed.
    earlier = tuple(one for one in row.said if one.key != said_key) if row else (said,) if said else ()
    page = views.MedicinePage(
        row=row,
        fields={
            name.rpartition("-")[2]: one
            for name, one in screens.fields(talk, session.medicine_fields(key), problems).items()
        },
        before=earlier,
        version=found.versions.get(said_key, ""),
        place=current.records().place_for("QuestionnaireResponse"),
    )
    screen = screens.screen(
        "medicines", back=url_for("together.medicines"), onward=after, trouble=trouble, problems=problems
    )
    return render_template("together/medicine.html", page=page, screen=screen), status
