"""The bytes of a file → what is in it that can be taken over, and what is left where it is, with the reason.

Whoever hands in a file may have made it themselves, so nothing in it is believed. It is bounded in size, number and
depth; of a person there is one; what is about anybody else, or is of no type that a file holds, is left out; and who
wrote something is a name in words that refers to nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Final, Literal

import orjson

from mappers.errors import MapperError
from mappers.identity import own_identifier, values_in
from mappers.portable.shapes import (
    DEEPEST,
    INSTALLATION_SYSTEM,
    MOST_BYTES,
    MOST_ENTRIES,
    PATIENT,
    SUBJECTS,
    Made,
    Owner,
    name_of,
    references,
)
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.canonical import BASE
from questionnaires.fhir import Resource

Why = Literal["type", "other-person", "shape", "twice", "people"]
"""Why something is left out: its type is none of a file's; it is (also) about somebody else, or about nobody; it is not
made as this app makes it; the file has it twice; it says who may do what, which is decided where the person is now."""

_PEOPLE: Final = frozenset({"CareTeam", "Consent"})
_NEVER: Final = frozenset({"contained", "modifierExtension", "implicitRules", "id"})
_TAGS: Final = frozenset(
    {"b", "br", "caption", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p", "small", "span"}
    | {"strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"}
)
_ATTRIBUTES: Final = frozenset({"xmlns", "lang", "xml:lang", "dir"})


Unreadable = Literal["large", "nothing-inside", "other"]


class NotAFile(MapperError):
    """No file of a person that can be read: no JSON, no such Bundle, too large, or without one person.

    `why` is what a page tells of it.
    """

    def __init__(self, reason: str, *, why: Unreadable = "other", where: str = "", advice: str = "") -> None:
        super().__init__(reason, where=where, advice=advice)
        self.why: Unreadable = why


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something of a file that is not taken over: its type ("" where it has none that FHIR knows) and why."""

    type: str
    why: Why


@dataclass(frozen=True, slots=True)
class PersonFile:
    """A file as it was read: whose, from where, what can be taken over by its name in the file, and the rest.

    `person` is what the person is called in it.
    """

    person: str
    owner: Owner
    made: Made
    parts: dict[str, Resource]
    left_out: tuple[LeftOut, ...]

    def counted(self) -> Counter[str]:
        """Return how many there are of each type."""
        return Counter(one["resourceType"] for one in self.parts.values())


def read(content: bytes) -> PersonFile:
    """Read a file. Raises NotAFile, whose message says what is wrong and repeats nothing of it."""
    bundle = _bundle(content)
    entries = objects_in(bundle, "entry")
    if len(entries) > MOST_ENTRIES:
        raise NotAFile(f"it has more than {MOST_ENTRIES:,} parts", why="large")
    people = [one for one in entries if text_in(object_in(one, "resource"), "resourceType") == PATIENT]
    if len(people) != 1:
        raise NotAFile(f"it is about {len(people)} people where it has to be about one")
    url = text_in(people[0], "fullUrl")
    owner = _owner(object_in(people[0], "resource"))
    if not url.startswith("urn:uuid:"):
        raise NotAFile("the person in it has no name by which the rest can be told to be theirs")
    left_out: list[LeftOut] = []
    found: dict[str, Resource] = {}
    for resource in (object_in(one, "resource") for one in entries):
        type_ = text_in(resource, "resourceType")
        if type_ in (PATIENT, "Provenance"):
            continue
        why = _why_not(resource, url)
        name = name_of(type_, own) if why is None and (own := own_identifier(resource)) else ""
        if why is None and name in found:
            why = "twice"
        if why is None:
            found[name] = _tidied(resource, url)
        else:
            left_out.append(LeftOut(type_ if type_.isalpha() else "", why))
    return PersonFile(url, owner, _made(bundle, entries), found, tuple(left_out))


def _bundle(content: bytes) -> Resource:
    if len(content) > MOST_BYTES:
        raise NotAFile(f"it is larger than {MOST_BYTES // 1_000_000} MB", why="large")
    try:
        bundle = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise NotAFile("it is not JSON") from None
    if _is_deep(bundle):
        raise NotAFile("what is in it lies too deep within each other")
    if text_in(bundle, "resourceType") != "Bundle" or bundle.get("type") != "collection":
        raise NotAFile("it is not a FHIR Bundle of type collection")
    found: Resource = bundle
    return found


def _is_deep(bundle: Any) -> bool:
    """Tell whether objects and lists lie too deep within each other; without going as deep to see that."""
    level = [bundle]
    for _depth in range(DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return False
    return True


def _inside(node: Any) -> list[Any]:
    return list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []


def _owner(patient: Resource) -> Owner:
    named = (text_in(one, "text").strip() for one in objects_in(patient, "name"))
    known = [(text_in(one, "system"), text_in(one, "value")) for one in objects_in(patient, "identifier")]
    system, value = next(((system, value) for system, value in known if system and value), ("", ""))
    issuer = system.removesuffix(f"/{PATIENT}")
    return Owner(issuer, value, next(filter(None, named), ""), text_in(patient, "birthDate"))


def _made(bundle: Resource, entries: Sequence[Resource]) -> Made:
    sources = [object_in(one, "resource") for one in entries]
    agents = [one for each in sources if each.get("resourceType") == "Provenance" for one in objects_in(each, "agent")]
    who = [object_in(one, "who") for one in agents]
    program = next((one for one in who if values_in(one, INSTALLATION_SYSTEM)), {})
    return Made(
        version=text_in(program, "display"),
        installation=next(iter(values_in(program, INSTALLATION_SYSTEM)), ""),
        when=text_in(bundle, "timestamp"),
        language=text_in(bundle, "language"),
    )


def _why_not(resource: Resource, person: str) -> Why | None:
    """Return why a resource is not taken over; None where it can be."""
    type_ = text_in(resource, "resourceType")
    if type_ not in SUBJECTS:
        return "type"
    if text_in(object_in(resource, SUBJECTS[type_]), "reference") != person:
        return "other-person"
    if any(_is_of_another(one, person) for one in references(resource)):
        return "other-person"
    if type_ in _PEOPLE:
        return "people"
    if _NEVER & resource.keys() or own_identifier(resource) is None:
        return "shape"
    return None


def _is_of_another(reference: Resource, person: str) -> bool:
    target = text_in(reference, "reference")
    is_person = text_in(reference, "type") == PATIENT or f"{PATIENT}/" in target
    return is_person and target != person


def _tidied(resource: Resource, person: str) -> Resource:
    """Return a resource with what a file may say: profiles of ours, a narrative that is only text, and names."""
    made: Resource = {name: value for name, value in resource.items() if name not in ("meta", "text", "_text")}
    profiles = object_in(resource, "meta").get("profile")
    ours = (
        [one for one in profiles if isinstance(one, str) and one.startswith(BASE)] if isinstance(profiles, list) else []
    )
    if ours:
        made["meta"] = {"profile": ours}
    if "text" in resource and _is_plain(text_in(object_in(resource, "text"), "div")):
        made["text"] = resource["text"]
    tidied: Resource = _to_nobody(made, person)
    return tidied


def _to_nobody(node: Any, person: str) -> Any:
    """Return a copy in which references lead to the person, or to something in the file, or are words."""
    if isinstance(node, list):
        return [_to_nobody(one, person) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: _to_nobody(value, person) for name, value in node.items()}
    if isinstance(made.get("reference"), str) and not made["reference"].startswith("urn:uuid:"):
        del made["reference"]
    return made


class _Plain(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.is_plain = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS or any(name not in _ATTRIBUTES for name, _value in attrs):
            self.is_plain = False

    def handle_decl(self, _decl: str) -> None:
        self.is_plain = False

    def handle_pi(self, _data: str) -> None:
        self.is_plain = False

    def unknown_decl(self, _data: str) -> None:
        self.is_plain = False


def _is_plain(div: str) -> bool:
    """Tell whether a narrative is words and their layout: no scripts, pictures, links or styles."""
    parser = _Plain()
    parser.feed(div)
    parser.close()
    return bool(div) and parser.is_plain


def kept_away(left_out: Iterable[LeftOut]) -> Counter[Why]:
    """Return how many things are left out for each reason."""
    return Counter(one.why for one in left_out)
