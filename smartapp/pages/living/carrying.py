"""What can be taken along of a form: the sheet, the card, and the copy to read without a network (see `copying`)."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from mappers.sharing.parts import form_part
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument
from smartapp.access import table
from smartapp.errors import NotTypeset
from smartapp.pages.living.card import Card, card_of, card_pdf, left_out
from smartapp.pages.living.copying import copy, copy_as_file
from smartapp.pages.living.paper import file_name, paper
from smartapp.pages.living.service import open_form
from smartapp.pages.living.telephones import calls
from smartapp.web import current
from smartapp.web.language import gettext as _
from smartapp.web.pdf import download


def _form_or_404(form_id: str) -> Instrument:
    return catalogue().living.get(form_id) or abort(404)


def as_pdf(form_id: str) -> ResponseReturnValue:
    """Give what is written in a form as a PDF, to keep or to take along."""
    form = _form_or_404(form_id)
    made = paper(open_form(form), catalogue(), client=current.launch().patient, made=current.now())
    return download(made, file_name(form))


def card(form_id: str) -> ResponseReturnValue:
    """Show the card of a form, large."""
    form = _form_or_404(form_id)
    found, missing = _card_or_404(form), None
    if found.parts:
        try:
            missing = left_out(found, client=current.launch().patient, made=current.now())
        except NotTypeset:  # what no paper can show can be read here all the same
            missing = None
    return render_template("living/card.html", form=form, card=found, missing=missing, parts=_parts_on(form))


def card_as_pdf(form_id: str) -> ResponseReturnValue:
    """Give the card of a form as a PDF, to cut out and fold."""
    form = _form_or_404(form_id)
    found = _card_or_404(form)
    if not found.parts:
        abort(404)
    name = _("card")
    content = card_pdf(found, client=current.launch().patient, made=current.now())
    return download(content, f"{file_name(form)}-{name}")


def _parts_on(form: Instrument) -> list[str]:
    """Return the parts of the record that a card is of: what is apart in its form, such as a crisis, else the form."""
    return [one.part for one in table().apart if one.form == form.id] or [form_part(form.id)]


def _card_or_404(form: Instrument) -> Card:
    if form.living is None or not form.living.card:
        abort(404)
    return card_of(open_form(form), catalogue())


def add_to(blueprint: Blueprint) -> None:
    """Add these pages to those of living forms."""
    blueprint.add_app_template_filter(calls)
    for address, view in (
        ("paper.pdf", as_pdf),
        ("card", card),
        ("card.pdf", card_as_pdf),
        ("copy", copy),
        ("copy.html", copy_as_file),
    ):
        blueprint.add_url_rule(f"/<form_id>/{address}", view_func=view)
