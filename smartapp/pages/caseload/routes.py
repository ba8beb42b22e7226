"""The list of a professional's own clients: who sent something in, what waits, and which talk is near.

It is the only page of a launch about nobody. Each client who is shown sees in their own log that they were: a row for
each client and each part, once in such a launch, however often the list is opened.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from questionnaires.catalogue import catalogue
from smartapp.pages.caseload.reading import caseload
from smartapp.pages.caseload.telling import tell
from smartapp.pages.caseload.views import CaseloadPage, Wish, page_of
from smartapp.web import current

blueprint = Blueprint("caseload", __name__, url_prefix="/caseload", template_folder="templates")

EVERY_SECONDS: Final = 300
"""How often a page that is looked at asks whether something is new."""


@blueprint.get("/")
def index() -> str:
    """Show the list."""
    return _drawn(_page(Wish.of(request.args.get("show", ""), request.args.get("order", ""))))


@blueprint.post("/find")
def find() -> str:
    """Show who has a name: sent in a form, since no address may hold one."""
    return _drawn(_page(Wish.of(*(request.form.get(name, "") for name in ("show", "order", "find")))))


@blueprint.get("/fresh")
def fresh() -> str | Response:
    """Give the list where it says something else than when its reader saw it, and else nothing (204)."""
    page = _page(
        Wish.of(request.args.get("show", ""), request.args.get("order", "")), seen=request.args.get("seen", "")
    )
    return Response(status=204) if page is None else _drawn(page)


def _page(wish: Wish, *, seen: str = "") -> CaseloadPage | None:
    services, launch = current.services(), current.launch()
    issuer = services.settings.issuer(launch.issuer)
    found = caseload(services, launch)
    page = page_of(
        found,
        wish,
        today=current.now().date(),
        known=catalogue(),
        chart_of=issuer.chart_of if issuer else lambda _id: "",
        mark_of=lambda text: services.settings.signatures(f"caseload|{launch.id}|{text}")[0].hex()[:32],
    )
    if page.stamp == seen:
        return None
    tell({one.line.id: (one.launch, one.parts) for one in found.shown})
    return page


def _drawn(page: CaseloadPage | None) -> str:
    return render_template("caseload/index.html", page=page, every=EVERY_SECONDS)
