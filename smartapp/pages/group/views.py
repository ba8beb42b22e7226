"""What the page of several clients shows."""

from __future__ import annotations

from dataclasses import dataclass

from smartapp.pages.course.views import BeginPage
from smartapp.storage.launches import Person
from smartapp.web.language import format_date, format_list
from smartapp.web.language import gettext as _


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who can be chosen; two of one name are told apart by when they were born."""

    value: str
    label: str
    help: str


@dataclass(frozen=True, slots=True)
class GroupPage(BeginPage):
    """The form that begins a programme for several; `wanted` are the ids of who was chosen."""

    clients: tuple[Client, ...] = ()
    wanted: tuple[str, ...] = ()

    @property
    def names(self) -> str:
        """Return the names of who was chosen."""
        return format_list([one.label for one in self.clients if one.value in self.wanted])

    @property
    def summary(self) -> tuple[dict[str, str], ...]:
        """Return what needs correcting, with the id of the field, for the summary at the top of the page."""
        values = {"programme": [one.value for one in self.choices], "clients": [one.value for one in self.clients]}
        where = {name: f"{name}-{options[0]}" for name, options in values.items() if options}
        return tuple({"field": where.get(name, name), "text": text} for name, text in self.problems.items())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it for one client, in words."""

    name: str
    says: str


def client_of(id_: str, person: Person) -> Client:
    """Return somebody who can be chosen."""
    born = _("born %(date)s", date=format_date(person.birth_date)) if person.birth_date else ""
    return Client(id_, person.display or _("Name not known"), born)
