"""Who may what: `access.toml`, read strictly and once.

The table says it all: a page that it does not name is nobody's. Whoever asks is answered from it: where a request
enters (`smartapp/web/guard.py`), what the menu shows, and where somebody lands.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from mappers.roles import ROLES, Role
from mappers.sharing import Apart, Rule
from questionnaires.catalogue import Catalogue, catalogue
from questionnaires.model import Text
from questionnaires.reading import FilePlace, OneLine, Strict, read

TABLE: Final = Path(__file__).with_name("access.toml")
BEGINS_TOGETHER: Final = "together.write"
"""The page where a professional begins to write with the client: who may send it, may write together."""

CASELOAD: Final = "caseload.index"
"""The first page of a launch about nobody: the list of a professional's own clients."""

Method = Literal["GET", "POST"]
About = Literal["somebody", "nobody", "either"]
"""What launches a page is for: about a client, or about nobody, as where a professional opens their own clients."""


@dataclass(frozen=True, slots=True)
class RoleRights:
    """What a role is called, what it may in one sentence to the client, and the endpoint of its first page.

    `codes` (`system|code`) are what means this role in a record, `domain_codes` in a care team of a Koppeltaal domain.
    """

    title: Text
    may: Text
    professional: bool
    home: str
    codes: tuple[str, ...] = ()
    domain_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PageRights:
    """Which roles may open a page and which may send it; `together`: also who writes with the client.

    `about` says in which launches.
    """

    get: frozenset[Role] = frozenset()
    post: frozenset[Role] = frozenset()
    together: bool = False
    about: About = "somebody"

    def is_for(self, *, nobody: bool) -> bool:
        """Tell whether it is a page of launches about nobody, or of those about somebody."""
        return self.about in ("either", "nobody" if nobody else "somebody")


@dataclass(frozen=True, slots=True)
class PartRights:
    """Who reads a part that is in the record, and who of them types in it; what it is called where no form says so."""

    rule: Rule
    title: Text | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept beside the parts: in which `tables` of our database, how `sealed`, `how_long`, and who reads it."""

    what: str
    tables: tuple[str, ...]
    sealed: str
    how_long: str
    who: str
    setting: str = ""


@dataclass(frozen=True, slots=True)
class DevicePages:
    """The pages that a device may open and send on which one questionnaire was opened, by endpoint: nobody's role."""

    get: frozenset[str] = frozenset()
    post: frozenset[str] = frozenset()


NOBODY: Final = PageRights()
OF_NOBODY: Final = PartRights(Rule())


@dataclass(frozen=True, slots=True)
class Access:
    """The table. `pages` is by endpoint, or by all of a blueprint: `plan.*`; `parts` by name, or by kind: `form.*`.

    `apart` are the parts that are groups of a form, `kept` is what else is kept, `device` is for who did not sign in.
    """

    roles: Mapping[Role, RoleRights]
    pages: Mapping[str, PageRights]
    parts: Mapping[str, PartRights]
    apart: tuple[Apart, ...] = ()
    kept: Mapping[str, Kept] = field(default_factory=dict)
    device: DevicePages = DevicePages()

    def role_codes(self) -> dict[str, Role]:
        """Return what codes mean in a record where its issuer says nothing else, by `system|code`."""
        return {code: role for role, one in self.roles.items() for code in one.codes}

    def domain_role_codes(self) -> dict[str, Role]:
        """Return what codes mean in the care teams of a Koppeltaal domain, by `system|code`."""
        return {code: role for role, one in self.roles.items() for code in one.domain_codes}

    def part_title(self, name: str, known: Catalogue) -> Text:
        """Return what a part is called: as its form, its life domain or its questionnaire, or as the table says."""
        kind, _, id_ = name.partition(".")
        if kind == "form":
            return known.living[id_].title
        if kind == "domain":
            return next(domain.title for domain in known.life_domains if domain.code == id_)
        if kind == "answers":
            return known.instruments[id_].title
        return self.part(name).title or Text(name, name)

    def part(self, name: str) -> PartRights:
        """Return who may what with a part; nobody anything where the table does not name it."""
        kind = name.partition(".")[0]
        return self.parts.get(name) or self.parts.get(f"{kind}.*", OF_NOBODY)

    def rule(self, part: str) -> Rule:
        """Return what holds for a part as long as the client leaves it in the record."""
        return self.part(part).rule

    def page(self, endpoint: str) -> PageRights:
        """Return who may what with a page; nobody anything where the table does not name it."""
        blueprint = endpoint.rpartition(".")[0]
        return self.pages.get(endpoint) or self.pages.get(f"{blueprint}.*", NOBODY)

    def may(self, role: Role, endpoint: str, method: Method = "GET", *, nobody: bool = False) -> bool:
        """Tell whether a role may open a page, or send it, by itself; in a launch about a client, or about `nobody`."""
        page = self.page(endpoint)
        return page.is_for(nobody=nobody) and role in (page.get if method == "GET" else page.post)

    def may_device(self, endpoint: str, method: Method = "GET") -> bool:
        """Tell whether a device with one questionnaire may open a page, or send it."""
        return endpoint in (self.device.get if method == "GET" else self.device.post)

    def may_together(self, role: Role, endpoint: str) -> bool:
        """Tell whether a role may open and send a page while it writes with the client."""
        page = self.page(endpoint)
        return page.together and page.is_for(nobody=False) and self.writes_together(role)

    def writes_together(self, role: Role) -> bool:
        """Tell whether a role may write with the client."""
        return self.may(role, BEGINS_TOGETHER, "POST")

    def check_pages(self, endpoints: Iterable[str]) -> None:
        """Compare the table with the pages that there are. DefinitionError names one that is not there."""
        there = set(endpoints)
        known = there | {f"{one.rpartition('.')[0]}.*" for one in there}
        for name in self.pages:
            if name not in known:
                raise FilePlace(TABLE.name).error(f"pages.{name}", "is no page below the address of a record")
        for name in self.device.get | self.device.post:
            if name not in there:
                raise FilePlace(TABLE.name).error("device", f"has {name!r}, which is no page of a record")


class _RoleTable(Strict, frozen=True):
    title: Text
    may: Text
    professional: bool
    home: OneLine
    codes: tuple[OneLine, ...] = ()
    domain_codes: tuple[OneLine, ...] = ()


class _PageTable(Strict, frozen=True):
    get: tuple[OneLine, ...] = ()
    post: tuple[OneLine, ...] = ()
    together: bool = False
    about: About = "somebody"


class _PartTable(Strict, frozen=True):
    readers: tuple[OneLine, ...]
    typists: tuple[OneLine, ...] = ()
    title: Text | None = None
    form: OneLine | None = None
    groups: tuple[OneLine, ...] = ()


class _KeptTable(Strict, frozen=True):
    what: OneLine
    tables: tuple[OneLine, ...]
    sealed: OneLine
    how_long: OneLine
    who: OneLine
    setting: OneLine = ""


class _Table(Strict, frozen=True):
    roles: dict[str, _RoleTable]
    pages: dict[str, _PageTable]
    parts: dict[str, _PartTable]
    kept: dict[str, _KeptTable]
    device: _PageTable = _PageTable()


@functools.cache
def table() -> Access:
    """Return the table of this app. DefinitionError names file and key of what it can't say."""
    return read_access(TABLE)


def read_access(path: Path) -> Access:
    """Return who may what by a file; DefinitionError names file and key of what it can't say."""
    top, said = FilePlace(path.name), read(path, _Table)
    for name in said.roles:
        _role(top.at("roles"), name, name)
    for role in ROLES:
        if role not in said.roles:
            raise top.at("roles").error(role, "is missing; each role says what it may")
    pages = {name: _page(top.at("pages").at(name), page) for name, page in said.pages.items()}
    roles = {
        role: RoleRights(one.title, one.may, one.professional, one.home, one.codes, one.domain_codes)
        for role in ROLES
        for one in (said.roles[role],)
    }
    _check_codes(top.at("roles"), said)
    parts = {name: _part(top.at("parts").at(name), part) for name, part in said.parts.items()}
    apart = tuple(_apart(top.at("parts").at(name), name, part) for name, part in said.parts.items() if part.form)
    kept = {
        name: Kept(one.what, one.tables, one.sealed, one.how_long, one.who, one.setting)
        for name, one in said.kept.items()
    }
    device = DevicePages(frozenset(said.device.get), frozenset(said.device.post))
    access = Access(roles, pages, parts, apart, kept, device)
    for role, rights in roles.items():
        # A guest has no page: the first one says so.
        if role != "guest" and not access.may(role, rights.home):
            raise top.at(f"roles.{role}").error("home", f"is {rights.home!r}; it must be a page of this role")
        if access.writes_together(role) and not rights.professional:
            raise top.at(f"pages.{BEGINS_TOGETHER}").error("post", f"has {role!r}, who is no professional")
    return access


def _check_codes(place: FilePlace, said: _Table) -> None:
    for kind in ("codes", "domain_codes"):
        met: dict[str, str] = {}
        for role, one in said.roles.items():
            for code in getattr(one, kind):
                if not all(code.partition("|")):
                    raise place.at(role).error(kind, f"has {code!r}; write system|code")
                if code in met:
                    raise place.at(role).error(kind, f"has {code!r}, which means {met[code]} already")
                met[code] = role


def _page(place: FilePlace, said: _PageTable) -> PageRights:
    get, post = (
        frozenset(_role(place, key, name) for name in names) for key, names in (("get", said.get), ("post", said.post))
    )
    if not get and not post:
        raise place.error("", "names no role; leave the page out, and it is nobody's")
    if said.about != "somebody" and said.together:
        raise place.error("together", "needs a client, and this page is also of launches about nobody")
    return PageRights(get, post, said.together, said.about)


def _part(place: FilePlace, said: _PartTable) -> PartRights:
    readers, typists = (
        frozenset(_role(place, key, name) for name in names)
        for key, names in (("readers", said.readers), ("typists", said.typists))
    )
    if blind := sorted(typists - readers):
        raise place.error("typists", f"has {blind[0]!r}, who does not read it")
    return PartRights(Rule(frozenset(readers), frozenset(typists)), said.title)


def _apart(place: FilePlace, name: str, said: _PartTable) -> Apart:
    """Return the groups that a part is; DefinitionError where the form has no such group."""
    form = catalogue().living.get(said.form or "")
    if form is None:
        raise place.error("form", f"is {said.form!r}, which is no living form")
    there = {group.link_id for group in form.groups}
    for group in said.groups:
        if f"{form.id}-{group}" not in there:
            raise place.error("groups", f"has {group!r}, which is no group of {form.id}")
    return Apart(name, form.id, frozenset(f"{form.id}-{group}" for group in said.groups))


def _role(place: FilePlace, key: str, name: str) -> Role:
    for role in ROLES:
        if role == name:
            return role
    raise place.error(key, f"says {name!r}; the roles are {', '.join(ROLES)}")
