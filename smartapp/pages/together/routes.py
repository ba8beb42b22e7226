"""Addresses of a conversation, one theme per screen, and of its sheet, which both can read afterwards.

`agreed`, `now`, `medication`, `topics` and `sheet` have a theme each; what they share is in `screens`. `writing` begins
and ends what two people write together in the client's plan. `pressing` is for the client alone: my conversations, and
how an agreement went.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint
from flask.typing import RouteCallable

from smartapp.pages.together import agreed, medication, now, pressing, sheet, topics, writing

blueprint = Blueprint("together", __name__, template_folder="templates")

READ: Final = ("GET",)
WRITE: Final = ("POST",)
TOGETHER: Final = "/overview/together"

ADDRESSES: Final[tuple[tuple[str, str, RouteCallable, tuple[str, ...]], ...]] = (
    (f"{TOGETHER}/", "start", agreed.start, READ),
    (f"{TOGETHER}/agreements/<agreement_id>", "progress", agreed.progress, (*READ, *WRITE)),
    (f"{TOGETHER}/agreements/<agreement_id>/back", "progress_back", agreed.progress_back, WRITE),
    (f"{TOGETHER}/now", "now", now.now, READ),
    (f"{TOGETHER}/medicines", "medicines", medication.medicines, READ),
    (f"{TOGETHER}/medicines/<key>", "medicine", medication.medicine, (*READ, *WRITE)),
    (f"{TOGETHER}/discuss", "discuss", topics.discuss, (*READ, *WRITE)),
    (f"{TOGETHER}/options/<int:number>", "options", topics.options, (*READ, *WRITE)),
    (f"{TOGETHER}/agree/<int:number>", "agree", topics.agree, (*READ, *WRITE)),
    (f"{TOGETHER}/report", "report", sheet.report, READ),
    (f"{TOGETHER}/report/<day>", "earlier_report", sheet.earlier_report, READ),
    (f"{TOGETHER}/report/<day>/conversation.pdf", "report_as_pdf", sheet.report_as_pdf, READ),
    (f"{TOGETHER}/finish", "finish", sheet.finish, WRITE),
    (f"{TOGETHER}/write", "write", writing.write, (*READ, *WRITE)),
    (f"{TOGETHER}/write/done", "done", writing.done, WRITE),
    (f"{TOGETHER}/write/back", "take_back", writing.take_back, WRITE),
    ("/visits/", "visits", pressing.visits, READ),
    ("/visits/agreements/<agreement_id>", "say", pressing.say, (*READ, *WRITE)),
    ("/visits/agreements/<agreement_id>/back", "say_back", pressing.say_back, WRITE),
    ("/visits/<day>", "visit", sheet.visit, READ),
    ("/visits/<day>/conversation.pdf", "visit_as_pdf", sheet.visit_as_pdf, READ),
)
"""Each page: its address below that of the launch, its name, what shows or takes it, and the methods it answers."""

for _address, _name, _view, _methods in ADDRESSES:
    blueprint.add_url_rule(_address, _name, _view, methods=list(_methods))
