"""What the frame of a page shows, on screen and on each sheet of paper.

Whose record it is, the main menu, the emergency line, and addresses of assets.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from flask import request, url_for

from mappers.birth import age_on
from smartapp.access import CASELOAD
from smartapp.i18n import message
from smartapp.storage.launches import Person
from smartapp.web import current
from smartapp.web.language import _, format_date, language
from smartapp.web.roles import may
from smartapp.web.sheet import SheetHead, sheet_head

STATIC = Path(__file__).with_name("static")


@dataclass(frozen=True, slots=True)
class WhoseRecord:
    """Whose record the page is about; `own` if the reader is that person. `born`: the birth date and the age, or ""."""

    name: str
    own: bool
    born: str = ""


@dataclass(frozen=True, slots=True)
class MainPath:
    """One entry of the main menu; `current` is aria-current: "page", "true" (for a page below it) or ""."""

    name: str
    href: str
    current: str


TEAMS = "team.index"
"""The teams of a place; only where it has any."""

_OF_THE_CLIENT = (
    ("home.index", message("Start")),
    ("plan.start", message("My plan")),
    ("questionnaire.index", message("Questionnaires")),
    ("scores.index", message("My scores")),
    ("together.visits", message("My conversations")),
)
_OF_PROFESSIONALS = (
    (CASELOAD, message("My clients")),
    ("overview.index", message("Overview")),
    ("scores.index", message("Scores")),
    ("assignments.index", message("Questionnaires")),
    (TEAMS, message("Team")),
)


def record_address(path: str = "") -> str:
    """Return the address of a page in this record, given as `plan/`; outside a record that of the front page.

    In a launch about nobody the first page is the list of the reader's own clients.
    """
    here = current.launch_or_none()
    if here is not None and here.about_nobody and not path:
        return url_for(CASELOAD)
    if here and here.handed and not path:
        path = "door/begin"
    return f"{request.script_root}/l/{here.id}/{path}" if here else url_for("sign_in.index")


def stopped_here() -> int:
    """Return how many things this user saved about this person did not get through; 0 outside a record."""
    here = current.launch_or_none()
    # What somebody could not send who gave a device to others is not told on that device.
    return len(current.records().stopped()) if current.has_records() and not (here and here.handed) else 0


def whose_record() -> WhoseRecord | None:
    """Return whose record this is; None outside a record, or if the EHR shows the name around our page itself."""
    here = current.launch_or_none()
    # A device that is handed on shows no name to who looks over a shoulder.
    if here is None or here.handed:
        return None
    own = here.user.role == "client"
    if current.is_about_team() and not own:
        return None
    # SMART's need_patient_banner: false means that our banner would repeat the EHR's. Clients see no EHR around us.
    if not own and not here.need_patient_banner:
        return None
    # Who works with others must see that this is the right person; who is near them, or they themselves, know.
    if here.user.professional:
        name, day = _name_and_called(here.patient), born()
        return WhoseRecord(name or _("Name not known"), own, day) if name or day else None
    return WhoseRecord(here.patient.display, own) if here.patient.display else None


def _name_and_called(person: Person) -> str:
    """Return the name, with what the person is called behind it where the name does not have it; "" for no name.

    A team knows somebody as Jo, and the record has Johanna Petronella Maria.
    """
    words = person.display.casefold().split()
    known = all(word in words for word in person.called.casefold().split())
    return person.display if known else f"{person.display} ({person.called})"


def chart_around() -> tuple[str, str] | None:
    """Return where the EHR around this page takes messages (an origin), and what they show; None where it does not."""
    here = current.launch_or_none()
    return (here.chart_origin, here.chart_handle) if here is not None and here.chart_handle else None


def born() -> str:
    """Return when the person of this page was born, and how old they are where that is sure; "" if it is not known."""
    birth_date = current.launch().patient.birth_date
    age = age_on(birth_date, current.now().date())
    day = format_date(birth_date)
    return day if age is None else _("%(day)s (aged %(age)s)", day=day, age=age)


def person_in_title() -> str:
    """Return whose record a page is about, for the tab of who has several charts open; "" for the person themself."""
    here = current.launch_or_none()
    if here is None or here.handed or here.user.role == "client" or current.is_about_team():
        return ""
    if here.user.professional:
        return ", ".join(filter(None, (_name_and_called(here.patient), born())))
    return here.patient.display


def head_of_sheets() -> SheetHead | None:
    """Return what each sheet of this page says when it is printed; None outside a record.

    Other than on screen it is there whatever the EHR shows: a sheet leaves the EHR's frame.
    """
    here = current.launch_or_none()
    if here is None or here.about_nobody or here.handed or current.is_about_team():
        return None
    near = not here.user.professional and here.user.role != "client"
    who = replace(here.patient, birth_date="") if near else here.patient
    return sheet_head(who, current.now().date())


def main_paths() -> list[MainPath]:
    """Return the main menu for the reader's role, with the current page marked; empty outside a record."""
    here = current.launch_or_none()
    if here is None:
        return []
    entries = _OF_THE_CLIENT if here.user.role == "client" else _OF_PROFESSIONALS if here.user.professional else ()
    paths = []
    for page, name in entries:
        if not may(page) or (page == TEAMS and not has_teams()):
            continue
        href = url_for(page)
        on_it = request.script_root + request.path == href
        # The front page's path is a prefix of every other, so no page counts as below it.
        below = href != record_address() and (request.script_root + request.path).startswith(href)
        paths.append(MainPath(_(name), href, "page" if on_it else "true" if below else ""))
    return paths


def has_teams() -> bool:
    """Tell whether the place of this page has teams with a page of their own."""
    here = current.launch_or_none()
    issuer = current.services().settings.issuer(here.issuer) if here else None
    return issuer is not None and bool(issuer.teams)


def not_for_emergencies() -> str:
    """Return, in the reader's language, that nobody reads this right away, and whom to call instead.

    Whom to call is told to the client: a clinician is one of those who are called. It is said once on a page, where it
    is needed first: beside a field, else below the page. After that it is "".
    """
    settings = current.services().settings
    here = current.launch_or_none()
    line = settings.emergency_line(language(), settings.issuer(here.issuer) if here else None)
    not_here = _("Nobody is watching this page live.")
    said = not_here if here and here.user.professional else f"{not_here} {line}"
    return said if current.is_first(said) else ""


@functools.cache
def digest(name: str) -> str:
    """Return the fingerprint of a static file: another one as soon as its content changes."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """Return the address of a static file, with a digest in it so that browsers fetch a new version at once."""
    return url_for("components.static", filename=name, v=digest(name))
