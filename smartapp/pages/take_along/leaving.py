"""Leaving: first the file, then what stays elsewhere, and then all that is kept here about a person is deleted."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smartapp.erasing import erase
from smartapp.pages.sign_in.routes import signed_out
from smartapp.pages.take_along.gathering import Gathered, gather
from smartapp.pages.take_along.views import counted, counts_of
from smartapp.web import current
from smartapp.web.typed import digest


@dataclass(frozen=True, slots=True)
class LeavePage:
    """How many of what is deleted here, and how many of what stay at the EHR and on the companion server.

    `waiting`: so many things that were saved have not arrived in the record; they are deleted too. `mark` stands for
    all of it.
    """

    here: tuple[str, ...]
    ehr: tuple[str, ...]
    companion: tuple[str, ...]
    waiting: int

    @property
    def mark(self) -> str:
        """Return what stands for what this page says, and for nothing else."""
        return digest("\n".join([*self.here, "", *self.ehr, "", *self.companion, str(self.waiting)]))


def leave() -> str:
    """Offer the file first, and say what leaving is."""
    return render_template("take_along/leave.html")


def sure() -> str:
    """Say what would be deleted and what stays, and ask for a yes."""
    return render_template("take_along/sure.html", page=_page(gather()))


def erase_all() -> ResponseReturnValue:
    """Delete all that is kept here about the person of this launch, and sign them out everywhere."""
    page = _page(gather())
    if request.form.get("seen") != page.mark:
        # Something came or went meanwhile: the yes was to another page.
        return redirect(url_for(".sure"), 303)
    launch, services = current.launch(), current.services()
    issuer = services.settings.issuer(launch.issuer)
    if issuer is None:
        return redirect(url_for(".leave"), 303)
    answer = signed_out("left")
    erase(services, issuer, launch.patient_id)
    return answer


def _page(gathered: Gathered) -> LeavePage:
    stored = [one for one in gathered.records if one.state == "stored"]
    waiting = len(gathered.records) - len(stored)
    here, ehr, companion = (
        counted(counts_of(one for one in stored if one.place == place)) for place in ("own", "ehr", "companion")
    )
    return LeavePage(here, ehr, companion, waiting)
