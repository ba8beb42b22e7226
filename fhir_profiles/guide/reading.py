"""What a page of the guide shows of one artefact: sections with tables, read from the FHIR resource itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from questionnaires.canonical import BASE
from questionnaires.fhir import Resource

_TRANSLATION: Final = "http://hl7.org/fhir/StructureDefinition/translation"
_EXPECTATION: Final = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation"


@dataclass(frozen=True, slots=True)
class Cell:
    """A word in a table: as `code` or plain, and with an artefact's address in `target`, a link where that has a page.

    `dutch`: it is Dutch, and so is pronounced.
    """

    text: str
    code: bool = False
    target: str = ""
    dutch: bool = False


Row = Sequence[Sequence[Cell]]
"""The cells of one row; each may hold several things below each other."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: a heading, words above the table, the heads of its columns, and its rows."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Row] = ()
    words: str = ""


def text(words: Any, *, dutch: bool = False) -> list[Cell]:
    """Return plain words as a cell; nothing where there are none."""
    return [Cell(str(words), dutch=dutch)] if words not in (None, "") else []


def code(*words: Any) -> list[Cell]:
    """Return codes below each other."""
    return [Cell(str(one), code=True) for one in words if one not in (None, "")]


def link(canonical: str, words: str = "") -> list[Cell]:
    """Return an artefact by its address: ours by its name, another's by the end of the address."""
    bare = canonical.partition("|")[0]
    return [Cell(words or bare.rpartition("/")[2], code=not words, target=bare)] if canonical else []


def english(resource: Mapping[str, Any], name: str) -> str:
    """Return the English of an element that may be Dutch with a translation beside it."""
    for extension in resource.get(f"_{name}", {}).get("extension", ()):
        parts = {one["url"]: one.get("valueCode") or one.get("valueString") for one in extension.get("extension", ())}
        if extension.get("url") == _TRANSLATION and parts.get("lang") == "en":
            return str(parts["content"])
    return str(resource.get(name, ""))


def sections(resource: Resource) -> list[Section]:
    """Return the sections of an artefact's page; an artefact of a type without any has its JSON only."""
    read: Callable[[Resource], Iterable[Section]] | None = _READERS.get(str(resource["resourceType"]))
    return [one for one in read(resource) if one.rows] if read else []


# --- profiles and extensions ------------------------------------------------------------------------------------------


def _definition(one: Resource) -> Iterator[Section]:
    elements = one["differential"]["element"]
    yield Section(
        "Elements",
        ("element", "how many", "type", "values from", "what for"),
        [_element(each, {snap["id"]: snap for snap in one["snapshot"]["element"]}) for each in elements[1:]],
        "Only what differs from the type that it is made from. S: a receiver is expected to support it.",
    )
    yield Section(
        "Rules",
        ("rule", "in words", "as FHIRPath"),
        [
            [code(rule["key"]), text(rule["human"]), code(rule["expression"])]
            for each in elements
            for rule in each.get("constraint", ())
        ],
    )
    yield Section(
        "Dutch names",
        ("element", "name"),
        [
            [code(each["path"]), [Cell(name, dutch=True) for name in each["alias"]]]
            for each in elements
            if "alias" in each
        ],
    )
    own = {each["identity"]: each for each in one.get("mapping", ()) if each["identity"] not in _MAPPED_BY_HL7}
    yield Section(
        "Mappings",
        ("element", "to", "there"),
        [[[], text(each.get("name")), text(each.get("comment"))] for each in own.values()]
        + [
            [code(each["path"]), text(own[to["identity"]].get("name")), text(to["map"])]
            for each in elements
            for to in each.get("mapping", ())
            if to["identity"] in own
        ],
    )


_MAPPED_BY_HL7: Final = frozenset(
    {"v2", "rim", "w5", "workflow", "fivews", "loinc", "sct-concept", "sct-attr", "argonaut-dq-dstu2"}
)
"""Mappings that each type of HL7 has, and that say nothing of ours."""


def _element(one: Resource, whole: Mapping[str, Resource]) -> Row:
    full = whole.get(one["id"], one)
    many = f"{full.get('min', '')}..{full.get('max', '')}" + (" S" if one.get("mustSupport") else "")
    types = [
        cell
        for kind in one.get("type") or full.get("type") or ()
        for cell in (
            [found for profile in kind.get("profile", ()) for found in link(profile)]
            or code(str(kind["code"]).rpartition("/")[2])
        )
    ]
    binding = one.get("binding", {})
    values = link(binding.get("valueSet", "")) + text(binding.get("strength"))
    fixed = [Cell(_value(one[name]), code=True) for name in one if name.startswith(("fixed", "pattern"))]
    return [
        code(one["id"].partition(".")[2]),
        text(many),
        types,
        values + fixed,
        text(one.get("short") or full.get("short")),
    ]


def _value(value: Any) -> str:
    """Return a fixed value in one line: the code of a coding, a text as it is."""
    if isinstance(value, Mapping):
        inner = value.get("coding")
        return _value(inner[0]) if inner else str(value.get("code") or next(iter(value.values())))
    return str(value)


# --- terminology ------------------------------------------------------------------------------------------------------


def _code_system(one: Resource) -> Iterator[Section]:
    ours = "nl" if one.get("language") == "nl" else "en"
    yield Section(
        "Codes",
        ("code", "English", "Dutch", "what it means"),
        [
            [
                code(concept["code"]),
                text(_said(concept, "en", ours)),
                text(_said(concept, "nl", ours), dutch=True),
                text(concept.get("definition")),
            ]
            for concept in one.get("concept", ())
        ],
    )


def _said(concept: Mapping[str, Any], language: str, ours: str) -> str:
    """Return what a code is called: its display in the language of the code system, else the first designation."""
    if language == ours:
        return str(concept.get("display", ""))
    others = (each["value"] for each in concept.get("designation", ()) if each.get("language") == language)
    return next(others, "")


def _value_set(one: Resource) -> Iterator[Section]:
    yield Section(
        "What is in it",
        ("from", "codes"),
        [
            [
                link(part.get("system", "")) + [cell for each in part.get("valueSet", ()) for cell in link(each)],
                code(*(concept["code"] for concept in part.get("concept", ()))) or text(_chosen(part)),
            ]
            for part in one.get("compose", {}).get("include", ())
        ],
    )


def _chosen(part: Mapping[str, Any]) -> str:
    filters = [f"{each['property']} {each['op']} {each['value']}" for each in part.get("filter", ())]
    return f"all with {' and '.join(filters)}" if filters else "all"


# --- forms ------------------------------------------------------------------------------------------------------------


def _questionnaire(one: Resource) -> Iterator[Section]:
    yield Section(
        "Items",
        ("linkId", "type", "answers", "English", "Dutch"),
        [
            [
                code(item["linkId"]),
                text(
                    item["type"]
                    + (", required" if item.get("required") else "")
                    + (", repeats" if item.get("repeats") else "")
                ),
                link(item.get("answerValueSet", ""))
                or code(
                    *(each["valueCoding"]["code"] for each in item.get("answerOption", ()) if "valueCoding" in each)
                ),
                text(english(item, "text")),
                text(item.get("text"), dutch=True),
            ]
            for item in items(one)
        ],
    )


def items(one: Mapping[str, Any]) -> Iterator[Resource]:
    """Yield the items of a questionnaire, each before those inside it."""
    for item in one.get("item", ()):
        yield item
        yield from items(item)


# --- what is asked, and of whom ---------------------------------------------------------------------------------------


def _capabilities(one: Resource) -> Iterator[Section]:
    for rest in one.get("rest", ()):
        yield Section(
            "What is asked of a server",
            ("type", "asked", "interactions", "searched by", "profiles"),
            [
                [
                    code(each["type"]),
                    text(_expected(each)),
                    code(*(act["code"] for act in each.get("interaction", ()))),
                    code(*(by["name"] for by in each.get("searchParam", ()))),
                    [cell for profile in each.get("supportedProfile", ()) for cell in link(profile)],
                ]
                for each in rest.get("resource", ())
            ],
        )


def _expected(one: Mapping[str, Any]) -> str:
    found = (each.get("valueCode", "") for each in one.get("extension", ()) if each.get("url") == _EXPECTATION)
    return next(found, "")


def _plan_definition(one: Resource) -> Iterator[Section]:
    yield Section(
        "Moments",
        ("moment", "Dutch", "asks"),
        [
            [
                text(english(action, "title")),
                text(action.get("title"), dutch=True),
                [
                    cell
                    for each in (action, *action.get("action", ()))
                    for cell in link(each.get("definitionCanonical", ""))
                ],
            ]
            for action in one.get("action", ())
        ],
    )


def _view(one: Resource) -> Iterator[Section]:
    yield Section(
        "Columns",
        ("column", "type", "FHIRPath", "what it is"),
        [
            [code(each["name"]), text(each.get("type")), code(each["path"]), text(each.get("description"))]
            for each in columns(one["select"])
        ],
    )


def columns(selects: Iterable[Mapping[str, Any]]) -> Iterator[Resource]:
    """Yield the columns of a view, each once: those that several branches have are told by the first."""
    seen: set[str] = set()
    for select in selects:
        for found in (
            *select.get("column", ()),
            *columns(select.get("select", ())),
            *columns(select.get("unionAll", ())),
        ):
            if found["name"] not in seen:
                seen.add(found["name"])
                yield found


_READERS: Final[Mapping[str, Callable[[Resource], Iterable[Section]]]] = {
    "StructureDefinition": _definition,
    "CodeSystem": _code_system,
    "ValueSet": _value_set,
    "Questionnaire": _questionnaire,
    "CapabilityStatement": _capabilities,
    "PlanDefinition": _plan_definition,
    "ViewDefinition": _view,
}


def is_ours(address: str) -> bool:
    """Tell whether an address is of this package."""
    return address.startswith(f"{BASE}/")
