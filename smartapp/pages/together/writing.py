"""Writing together: what there is to write, how it is begun, and that it is over."""

from __future__ import annotations

from collections.abc import Mapping

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from questionnaires.catalogue import catalogue
from smartapp.errors import BadRequest
from smartapp.pages.plan.service import load
from smartapp.pages.plan.stored import StoredPlan
from smartapp.pages.together import screens
from smartapp.pages.together.views import Offer, Piece
from smartapp.web import current, handing_over, kept, with_client
from smartapp.web.fields import Link
from smartapp.web.language import format_datetime, text_of
from smartapp.web.language import gettext as _
from smartapp.web.living_views import FormView, forms_in
from smartapp.web.written import short


def offer(plan: StoredPlan) -> Offer:
    """Return what can be written together in this plan, written already or not.

    What is about goals comes once there are goals: nobody begins with it.
    """
    forms = forms_in(plan.forms, "together", current.now().date())
    if not plan.plan.goals:
        forms = tuple(one for one in forms if any(group.per != "goal" for group in one.form.groups))
    pieces = [_piece(one) for one in forms]
    pieces.append(Piece("domains", _("An area of life"), _("Choose up to five areas that matter to you now.")))
    pieces.append(Piece("phase", _("Where am I now?"), _("One of four descriptions that fits now, or none.")))
    if plan.begun:
        pieces.append(Piece("plan", _("The whole plan"), _("With the goals, the steps and the areas of life.")))
    return Offer(with_client.client_called(), tuple(pieces))


def _piece(form: FormView) -> Piece:
    living = form.form.living
    says = text_of(living.invitation) if living else ""
    if form.written:
        changed = format_datetime(form.changed)
        says = _("Last changed on %(when)s", when=changed) if changed else _("Something is written here.")
    return Piece(form.form.id, text_of(form.form.title), says)


def write() -> ResponseReturnValue:
    """Show what there is to write together; a press begins it, and goes there."""
    if request.method == "POST":
        return redirect(_begun(request.form.get("what", ""), request.form.get("card", "")), 303)
    back = Link(_("Back to the conversation"), url_for("together.now"))
    shown = {"offer": offer(load()), "screen": screens.around(back=back), "handed_words": handing_over.by_me()}
    return render_template("together/write.html", typed_before=bool(kept.waiting(current.launch())), **shown)


def _begun(what: str, card: str) -> str:
    """Begin, and return the address of what is chosen, or of a `card` of it. Raises BadRequest for what is neither."""
    places = _places()
    if what not in places:
        raise BadRequest(code="what")
    form = catalogue().living.get(what)
    if card and (form is None or card not in (short(form, group.link_id) for group in form.groups)):
        raise BadRequest(code="card")
    with_client.begin()
    return url_for("living.step", form_id=what, step=card) if card else places[what]


def _places() -> Mapping[str, str]:
    forms = {form: url_for("living.form", form_id=form) for form in catalogue().living}
    return {**forms, "domains": url_for("plan.domains"), "phase": url_for("phase.start"), "plan": url_for("plan.start")}


def take_back() -> ResponseReturnValue:
    """Let words that wait for the client wait no longer; they stay with who typed them, as a sketch."""
    handing_over.take_back(request.form.get("what", ""))
    return redirect(url_for("together.write"), 303)


def done() -> ResponseReturnValue:
    """Let writing together be over."""
    with_client.end()
    return redirect(url_for("together.write"), 303)
