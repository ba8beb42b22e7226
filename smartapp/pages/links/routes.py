"""The client's links: what I share by a QR code, making one, and ending it in one press."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from questionnaires.catalogue import catalogue
from smartapp.i18n import message
from smartapp.pages.links import qr
from smartapp.pages.links.content import Shareable, parts_in_it, shareable
from smartapp.pages.links.opening import site_blueprint
from smartapp.pages.links.paper import paper
from smartapp.pages.links.service import (
    LASTING,
    LONGEST_PASSCODE,
    SHORTEST_PASSCODE,
    NewLink,
    end,
    links_here,
    make,
    normal,
    of_mine,
)
from smartapp.pages.links.views import LinkForm, link_view
from smartapp.pages.plan.service import load
from smartapp.pages.plan.stored import StoredPlan
from smartapp.storage.health_links import MOST_LINKS, TooManyLinks
from smartapp.web import current
from smartapp.web.language import gettext as _
from smartapp.web.pdf import download
from smartapp.web.reading import title_of

__all__ = ["blueprint", "site_blueprint"]

blueprint = Blueprint("links", __name__, url_prefix="/links", template_folder="templates")

MADE_BEFORE: Final = message(
    "This link was made already. Its QR code is shown only once; make a new one if you need it."
)
IS_OVER: Final = message("This link could not be opened any more.")
ENDED: Final = message("The link is stopped. Nobody can open it any more.")
TOO_MANY: Final = message("You have %(most)s links that can be opened. Stop one of them first.")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show my links; the record is not asked, so that one can be ended whatever happens there."""
    found = [link_view(one, current.services().clock()) for one in links_here()]
    return render_template("links/index.html", links=found, most=MOST_LINKS)


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """Ask what a link is for, how long, and with which code."""
    plan = load()
    options = shareable(plan, catalogue())
    chosen = request.args.get("what", "")
    form = LinkForm(
        options,
        what=chosen if any(one.what == chosen for one in options) else "",
        days="7",
        passcode=f"{secrets.randbelow(10**SHORTEST_PASSCODE):0{SHORTEST_PASSCODE}}",
        without=False,
        key=secrets.token_urlsafe(16),
        only_mine=_only_mine(options, plan),
    )
    return _asked(form)


@blueprint.post("/new")
def make_one() -> ResponseReturnValue:
    """Make a link and show it, this once: its key is kept nowhere, so no page can show it again.

    In another language it is shown from what its page sends along.
    """
    if request.form.get("link"):
        passcode = request.form.get("passcode", "")
        return _shown(replace(of_mine(request.form["link"]) or abort(404), passcode=passcode))
    plan = load()
    options = shareable(plan, catalogue())
    form = LinkForm(
        options,
        what=request.form.get("what", ""),
        days=request.form.get("choice-days", ""),
        passcode=request.form.get("passcode", "").strip(),
        without=bool(request.form.get("choice-without")),
        key=request.form.get("key", ""),
        only_mine=_only_mine(options, plan),
    )
    what = next((one for one in options if one.what == form.what), None)
    if "look" in request.form:
        return _asked(form)
    if errors := _errors(form, what):
        return _asked(replace(form, errors=errors)), 422
    try:
        made = make(
            what or abort(404),
            plan,
            days=int(form.days),
            passcode="" if form.without else form.passcode,
            asked=form.key,
        )
    except TooManyLinks:
        flash(_(TOO_MANY, most=MOST_LINKS), "attention")
        return redirect(url_for("links.index"), 303)
    if made is None:
        flash(_(MADE_BEFORE), "attention")
        return redirect(url_for("links.index"), 303)
    return _shown(made)


@blueprint.post("/paper.pdf")
def as_pdf() -> ResponseReturnValue:
    """Give a link that was made just now as a PDF; its page sends it along, and it is not kept here either."""
    made = of_mine(request.form.get("link", "")) or abort(404)
    return download(paper(made, client=current.launch().patient, made=current.now()), _("qr-code"))


@blueprint.post("/<id>/end")
def end_one(id: str) -> ResponseReturnValue:
    """End a link: from now on nobody can open it. The record is not asked."""
    flash(_(ENDED) if end(id) else _(IS_OVER))
    return redirect(url_for("links.index"), 303)


def _only_mine(options: Sequence[Shareable], plan: StoredPlan) -> dict[str, list[str]]:
    """Return for what can be shared what its parts are called that nobody but the client reads: said before it is."""
    sharing = current.services().sharing(current.launch())
    mine = {one.what: [part for part in parts_in_it(one, plan) if sharing.of(part).only_me] for one in options}
    return {what: [title_of(part) for part in parts] for what, parts in mine.items()}


def _asked(form: LinkForm) -> str:
    return render_template("links/new.html", form=form, shortest=SHORTEST_PASSCODE, longest=LONGEST_PASSCODE)


def _shown(made: NewLink) -> str:
    code = qr.on_page(made.address, _("QR code: %(title)s", title=made.title))
    return render_template("links/made.html", made=made, code=code)


def _errors(form: LinkForm, what: Shareable | None) -> list[dict[str, str]]:
    found = []
    if what is None:
        found.append({"field": "what", "text": _("Choose what you want to share.")})
    if form.days not in LASTING:
        found.append({"field": "choice-days", "text": _("Choose how long it can be opened.")})
    if form.without and what is not None and not what.for_strangers:
        found.append({"field": "passcode", "text": _("Only the card can be shared without a code.")})
    elif not form.without and not SHORTEST_PASSCODE <= len(normal(form.passcode)) <= LONGEST_PASSCODE:
        found.append({"field": "passcode", "text": _("A code has at least %(least)s signs.", least=SHORTEST_PASSCODE)})
    return found
