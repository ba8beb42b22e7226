"""A step that is ticked off with one press, on whichever page it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import request, url_for

from mappers.plan import Step, StepStatus
from smartapp.records.placement import TOGETHER
from smartapp.web import current
from smartapp.web.language import gettext as _

PAGES: Final = {"plan": "plan.start", "home": "home.index"}
"""The pages with steps to tick off, by the mark in `from`: who presses there stays there."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """What was pressed just now, "" where nothing was: the step, how far it was before, and what is said beside it."""

    step: str = ""
    was: str = ""
    said: str = ""

    def press(self, step: Step) -> StepStatus:
        """Return how far a step is after its button is pressed; pressed again, it is as it was before."""
        if step.status != "done":
            return "done"
        return "doing" if self.step == step.id and self.was == "doing" else "planned"


def ticked(*, on_its_way: bool) -> Ticked:
    """Read from the address of this page what was pressed before it; `on_its_way`: part of the plan waits."""
    if request.args.get("saved") != "tick":
        return Ticked()
    said = _("Your step is saved.")
    if request.args.get("waits") and current.records().is_stopped(TOGETHER):
        said = ""  # the page says on top what became of it
    elif on_its_way:
        said = _("What you saved is safe here. It is on its way to the record, which we cannot reach right now.")
    return Ticked(request.args.get("step", ""), request.args.get("was", ""), said)


def address_after(page: str, step_id: str, was: str = "") -> str:
    """Return the address of the step that was pressed on a page. `was`: how far it was; "" where nothing was saved."""
    said: dict[str, Any] = {"saved": "tick", "step": step_id, "was": was, "_anchor": f"step-{step_id}"} if was else {}
    return url_for(PAGES[page], **said)
