"""Who reads a part of the record, said to its owner in one line, wherever the part is: `reading("form.story")`.

Only the client is told. To anybody else the line would tell that there is something that they do not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from flask import request, url_for

from mappers.circle import Circle, circle_of
from mappers.roles import ROLES
from mappers.sharing import Apart, Choice, Reader, Sharing, parts_in, sharing_of
from mappers.sharing.consent import displays_in
from mappers.sharing.parts import CIRCLE, NOTES
from questionnaires.catalogue import Catalogue, catalogue
from questionnaires.fhir import Resource
from smartapp.access import table
from smartapp.web import current
from smartapp.web.language import format_list, text_of
from smartapp.web.language import gettext as _
from smartapp.web.looked_at import parts_of_page

HERE_ALONE: Final = CIRCLE
"""The part that is in no record, whatever its owner chooses."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Who reads one part: in a line, and where that is changed."""

    part: str
    title: str
    says: str
    href: str


def reading(part: str) -> Reading | None:
    """Return who reads a part; None for every reader but the client, and for what is no part."""
    here = current.launch_or_none()
    if here is None or here.user.role != "client" or part not in parts():
        return None
    sharing, names = _kept()
    return Reading(part, title_of(part), says_who(part, sharing.of(part), names), url_for("sharing.part", part=part))


def reading_of_all(parts_shown: Iterable[str], title: str, anchor: str = "") -> Reading | None:
    """Return who reads some parts that one page shows together; None for every reader but the client, and for none.

    Where they are not all read alike it says that alone. `anchor` is where they stand in the list of all parts.
    """
    here = current.launch_or_none()
    there = [part for part in parts_shown if part in parts()]
    if here is None or here.user.role != "client" or not there:
        return None
    sharing, names = _kept()
    first, *others = {says_who(part, sharing.of(part), names): None for part in there}
    says = _("Who reads this differs from part to part.") if others else first
    return Reading("", title, says, url_for("sharing.index", _anchor=anchor or None))


def read_by(reference: str, role: str) -> tuple[Reading, ...]:
    """Return the parts that somebody of the circle reads, each with where that is changed; nothing to other readers."""
    here = current.launch_or_none()
    if here is None or here.user.role != "client" or not reference:
        return ()
    sharing, names = _kept()
    reader, access = Reader(role, reference), table()
    return tuple(
        Reading(part, title_of(part), says_who(part, sharing.of(part), names), url_for("sharing.part", part=part))
        for part in parts()
        if sharing.may_read(part, reader, access.rule(part))
    )


def readings_here() -> list[Reading]:
    """Return who reads the parts that this page is of, as its address says; none for every reader but the client."""
    return [one for one in map(reading, parts_here()) if one is not None]


def says_reads(*named: str) -> str:
    """Return who reads what is typed on this page, or `named` parts; to who types with the client, who decides that."""
    here = current.launch_or_none()
    if here is None or here.user.role != "client":
        return _("The client decides who reads this.")
    found = [one.says for part in named or parts_here() if (one := reading(part))]
    return " ".join(found) or _("You choose who reads this.")


def says_after_sending(instrument: str) -> str:
    """Return who reads the answers to a questionnaire after they are sent in, and what is not told of them."""
    here = current.launch_or_none()
    if here and here.handed:  # who reads what is told to the client, and not to whoever holds a device
        return _("Whoever you let read them. You choose that in Verstel, when you sign in yourself.")
    part = f"answers.{instrument}"
    says = says_reads(part)
    if _kept()[0].of(part).record:
        return says
    stays = _("Did somebody ask you for it? For them it stays open, also after you fill it in.")
    return f"{says} {stays}"


def parts_here() -> tuple[str, ...]:
    """Return the parts that this page is of, as its address says."""
    endpoint, args = request.endpoint or "", request.view_args or {}
    if endpoint == "scores.note":
        return (NOTES,)
    found = [one for one in parts_of_page(endpoint, args, catalogue()) if one in parts()]
    step, form = str(args.get("step") or args.get("group_id") or ""), str(args.get("form_id", ""))
    for one in table().apart:
        if f"form.{one.form}" in found:
            of_it = _is_in(one, form, step)
            found = [one.part] if of_it else [*found, one.part] if not step else found
    return tuple(found)


def _is_in(apart: Apart, form: str, step: str) -> bool:
    """Tell whether a step of a form, a question or a group of it, is of the groups that are a part of their own."""
    groups = (one for one in catalogue().living[form].groups if one.link_id in apart.groups)
    names = {name for group in groups for name in (group.link_id, *(item.link_id for item in group.items))}
    return f"{form}-{step}" in names


def parts() -> tuple[str, ...]:
    """Return every part there is."""
    return parts_in(catalogue(), table().apart)


def title_of(part: str) -> str:
    """Return what a part is called."""
    return _title(part, catalogue())


def _title(part: str, known: Catalogue) -> str:
    kind, _dot, id_ = part.partition(".")
    if kind in ("form", "answers") and id_ in known.instruments:
        return text_of(known.instruments[id_].title)
    domain = next((one for one in known.life_domains if kind == "domain" and one.code == id_), None)
    return text_of(domain.name if domain else table().part(part).title)


def says_who(part: str, choice: Choice, names: Mapping[str, str]) -> str:
    """Return in a sentence or two who reads a part, as it was chosen; `names` are what readers are called."""
    if choice.only_me:
        return _("You alone read this in Verstel.")
    roles = table().rule(part).readers if choice.record else frozenset[str]()
    line = _("This is read by: %(who)s.", who=format_list(called((*roles, *choice.readers), names)))
    if not choice.record or part == HERE_ALONE:
        return line
    there = _("As far as it stands in your record: also by whoever may open that.")
    return f"{line} {there}"


def called(readers: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """Return what readers are called, each once: the roles first, in their order, then people."""
    wanted = set(readers)
    roles = [text_of(table().roles[role].title) for role in ROLES if role in wanted]
    people = sorted(names.get(one, _("somebody of the record")) for one in wanted if "/" in one)
    return [*roles, *people]


def people() -> Circle:
    """Return the circle of the person of this launch, which is in our own store; it asks no record."""
    found = current.services().circle(current.launch())
    return circle_of(found.resource if found else None)


def names_in(consent: Resource | None, people: Circle) -> dict[str, str]:
    """Return what people are called: as the circle has them now, else as they were chosen."""
    return {**displays_in(consent), **{one.reference: one.name for one in people.people if one.reference}}


@current.once_a_request
def _kept() -> tuple[Sharing, dict[str, str]]:
    launch = current.launch()
    found = current.services().consent(launch.issuer, launch.issuer_key, launch.patient.reference)
    return sharing_of(found.resource if found else None), names_in(found.resource if found else None, people())
