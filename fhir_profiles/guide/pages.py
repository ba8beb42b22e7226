"""The pages of the guide, made of the FHIR package: one for each artefact and example, and three others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from fhir_profiles.guide.reading import Cell, Row, Section, code, english, link, sections, text
from fhir_profiles.guide.versions import Change, Digest, changes, digest
from questionnaires.fhir import Resource

_HERE: Final = Path(__file__).parent
_VARIANTS: Final = ("template", "plain", "structure")

_KINDS: Final = {
    "StructureDefinition": "Profiles and extensions",
    "CapabilityStatement": "What is asked of a server",
    "Questionnaire": "Questionnaires",
    "ActivityDefinition": "Activities: to fill in a questionnaire",
    "PlanDefinition": "Programmes",
    "ViewDefinition": "Views: tables by SQL on FHIR",
    "CodeSystem": "Code systems",
    "ValueSet": "Value sets",
}
"""What the list of artefacts calls each type, in its order."""

_VARIANT_WORDS: Final = {
    "": "with scores as FHIRPath, extracted by observationExtract",
    "template": "with scores as FHIRPath, extracted by a template",
    "plain": "without SDC: item types that every R4 renderer has",
    "structure": "places, codes and rules without any wording",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page: where it is, what it is of, and what it shows."""

    path: str
    title: str
    kind: str
    lead: str = ""
    facts: tuple[tuple[str, list[Cell]], ...] = ()
    sections: tuple[Section, ...] = ()
    json: str = ""


def pages(files: Mapping[str, bytes], kept: Mapping[str, Digest]) -> dict[str, bytes]:
    """Return the guide by path: pages, style, and each artefact's JSON. The same package gives the same bytes.

    `files` is what `tgz.files()` gives, `kept` the digests of versions that were handed out, the newest first.
    """
    resources = {name: json.loads(content) for name, content in files.items() if name.endswith(".json")}
    manifest = resources.pop("package.json")
    resources.pop(".index.json", None)
    made = [*_artefacts(resources), _mappings(resources), _versions(resources, kept)]
    known = {str(one["url"]): _path(one) for one in resources.values() if "url" in one}
    known |= {f"{one['resourceType']}/{one['id']}": _path(one) for one in resources.values()}
    made.append(_index(resources, manifest, made))
    shown = _Shown(known)
    found = {page.path: shown.page(page, manifest).encode() for page in made}
    found |= {f"{_path(one).removesuffix('.html')}.json": files[name] for name, one in resources.items()}
    return found | {"guide.css": (_HERE / "guide.css").read_bytes()}


# --- which pages there are --------------------------------------------------------------------------------------------


def _path(one: Resource) -> str:
    return f"{one['resourceType']}-{one['id']}.html"


def _artefacts(resources: Mapping[str, Resource]) -> Iterator[Page]:
    examples = {name: one for name, one in resources.items() if name.startswith("example/")}
    users = _users(resources.values())
    for name, one in resources.items():
        if name in examples:
            yield _example(one)
        elif _variant(one) == "":
            yield _artefact(one, resources, examples, users)
        else:
            yield Page(
                _path(one),
                english(one, "title"),
                "Questionnaire",
                english(one, "description"),
                _facts(one),
                (),
                _json(one),
            )


def _artefact(
    one: Resource,
    resources: Mapping[str, Resource],
    examples: Mapping[str, Resource],
    users: Mapping[str, list[Resource]],
) -> Page:
    address = str(one.get("url", ""))
    shown = [each for each in examples.values() if address and address in each.get("meta", {}).get("profile", ())]
    more: list[Section] = sections(one)
    if shown:
        rows: list[Row] = [[_to(each), text(each["resourceType"])] for each in shown]
        more.append(Section("Examples", ("example", "type"), rows))
    if one["resourceType"] == "Questionnaire":
        beside = [each for each in resources.values() if _base(each) == one["id"]]
        rows = [[_to(each), text(_VARIANT_WORDS[_variant(each)])] for each in beside]
        more.insert(0, Section("Variants", ("form", "what it is"), rows, "The same linkIds, codes and scores in each."))
    used = [each for each in users.get(address, ()) if each is not one]
    if used:
        more.append(
            Section("Used by", ("artefact", "type"), [[_to(each), text(each["resourceType"])] for each in used])
        )
    title = english(one, "title") or str(one.get("name", one["id"]))
    return Page(
        _path(one), title, str(one["resourceType"]), english(one, "description"), _facts(one), tuple(more), _json(one)
    )


def _users(resources: Iterable[Resource]) -> dict[str, list[Resource]]:
    """Return which artefacts name each address; a snapshot repeats what others say, and does not count."""
    found: dict[str, list[Resource]] = {}
    for one in resources:
        whole = json.dumps({key: value for key, value in one.items() if key not in {"snapshot", "text"}})
        for address in sorted(set(re.findall(r'"(https?://[^"|\s]+)', whole))):
            found.setdefault(address, []).append(one)
    return found


def _example(one: Resource) -> Page:
    facts = (("keeps to", [cell for each in one.get("meta", {}).get("profile", ()) for cell in link(each)]),)
    return Page(_path(one), f"Example: {one['id']}", str(one["resourceType"]), "Made-up people.", facts, (), _json(one))


def _facts(one: Resource) -> tuple[tuple[str, list[Cell]], ...]:
    found = {
        "address": code(one.get("url")),
        "version": text(one.get("version")),
        "status": text(one.get("status")),
        "on": text(one.get("type") if one["resourceType"] == "StructureDefinition" else one.get("resource")),
        "made from": link(str(one.get("baseDefinition", "")))
        + [cell for each in one.get("derivedFrom", ()) for cell in link(each)],
        "may be used": text(english(one, "copyright")),
    }
    return tuple((name, cells) for name, cells in found.items() if cells)


def _to(one: Resource) -> list[Cell]:
    return [Cell(str(one["id"]), code=True, target=str(one.get("url") or f"{one['resourceType']}/{one['id']}"))]


def _base(one: Resource) -> str:
    """Return the id of the questionnaire that this one is, or is a variant of; "" for another type."""
    if one["resourceType"] != "Questionnaire":
        return ""
    variant = _variant(one)
    return str(one["id"]).removesuffix(f"-{variant}") if variant else str(one["id"])


def _variant(one: Resource) -> str:
    """Return which variant of a questionnaire this is; "" for the form itself, and for all else."""
    base = [str(each).partition("|")[0].rpartition("/")[2] for each in one.get("derivedFrom", ())]
    return next((each for each in _VARIANTS if f"{one['id']}" in {f"{form}-{each}" for form in base}), "")


def _index(resources: Mapping[str, Resource], manifest: Mapping[str, object], made: list[Page]) -> Page:
    titles = {page.path: page for page in made}
    found = []
    for kind, words in _KINDS.items():
        chosen = [
            one for name, one in resources.items() if one["resourceType"] == kind and not name.startswith("example/")
        ]
        rows: list[Row] = [
            [_to(one), text(titles[_path(one)].title), text(_first(titles[_path(one)].lead))]
            for one in chosen
            if not _variant(one)
        ]
        found.append(Section(words, ("name", "title", "what it is"), rows))
    examples = [one for name, one in resources.items() if name.startswith("example/")]
    found.append(Section("Examples", ("name", "type"), [[_to(one), text(one["resourceType"])] for one in examples]))
    facts = (
        ("package", code(manifest["name"])),
        ("version", text(manifest["version"])),
        ("FHIR", text("4.0.1 (R4)")),
        ("licence", text(manifest["license"])),
        ("needs", [Cell(f"{name} {version}", code=True) for name, version in dict(manifest["dependencies"]).items()]),  # type: ignore[call-overload]
    )
    return Page(
        "index.html",
        str(manifest["title"]),
        "",
        str(manifest["description"]),
        facts,
        tuple(each for each in found if each.rows),
    )


def _first(words: str) -> str:
    """Return the first sentence."""
    return re.split(r"(?<=[.:])\s", words.strip(), maxsplit=1)[0].rstrip(":")


def _mappings(resources: Mapping[str, Resource]) -> Page:
    found = [
        Section(f"{english(one, 'title')}", each.columns, each.rows)
        for one in resources.values()
        for each in sections(one)
        if each.title == "Mappings"
    ]
    lead = (
        "What of ours is what of nl-core, the profiles of Dutch care (zib2020, R4), as each profile says it itself. "
        "No profile is derived from those, and none has a code of LOINC or SNOMED CT: none was read in a source, and a "
        "guessed code is worse than none."
    )
    return Page("mappings.html", "Mappings", "", lead, (), tuple(found))


def _versions(resources: Mapping[str, Resource], kept: Mapping[str, Digest]) -> Page:
    now = digest(resources)
    found = []
    for name, before in kept.items():
        told = changes(before, now)
        whole: list[Row] = [[_named(one), text("new" if one.after else "gone")] for one in told if not one.what]
        parts: list[Row] = [
            [_named(one), text(one.what), code(one.before), code(one.after)] for one in told if one.what
        ]
        found.append(Section(f"New and gone since {name}", ("artefact", "new or gone"), whole or [[text("Nothing.")]]))
        found.append(Section(f"Changed since {name}", ("artefact", "what", "was", "is"), parts or [[text("Nothing.")]]))
    lead = (
        "What others rely on and is not as it was: elements with how many they are, of what type and from which "
        "values, rules, codes, items and columns. Words that only explain are left out."
    )
    if not found:
        lead = "No version was handed out before this one."
    return Page("versions.html", "Differences between versions", "", lead, (), tuple(found))


def _named(one: Change) -> list[Cell]:
    return [Cell(one.artefact, code=True, target=one.artefact)]


def _json(one: Resource) -> str:
    return json.dumps(one, ensure_ascii=False, indent=2)


# --- how they look ----------------------------------------------------------------------------------------------------


class _Shown:
    """Writes pages with links to those that exist, and to no other."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self._templates = Environment(
            loader=FileSystemLoader(_HERE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"cell": self._cell, "paragraphs": paragraphs, "linked": self._linked}

    def page(self, page: Page, manifest: Mapping[str, object]) -> str:
        return self._templates.get_template("page.html").render(page=page, manifest=manifest)

    def _cell(self, one: Cell) -> Markup:
        words = Markup("<code>{}</code>").format(one.text) if one.code else html_of(one.text)
        if one.dutch:
            words = Markup('<span lang="nl">{}</span>').format(words)
        target = self._known.get(one.target)
        return Markup('<a href="{}">{}</a>').format(target, words) if target else words

    def _linked(self, words: str) -> Markup:
        """Return JSON with each address of an artefact as a link to its page."""
        return Markup("").join(self._part(part) for part in re.split(r'("[^"\s]+")', words))

    def _part(self, part: str) -> Markup:
        bare = part.strip('"')
        target = self._known.get(bare.partition("|")[0]) if part.startswith('"') else None
        return Markup('"<a href="{}">{}</a>"').format(target, bare) if target else escape(part)


def html_of(words: str) -> Markup:
    """Return words with what stands between backticks as code."""
    parts = re.split(r"`([^`]+)`", words)  # every second one stood between them
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def paragraphs(words: str) -> Markup:
    """Return words with blank lines as paragraphs, and lines that begin with `- ` as a list."""
    found = []
    for block in re.split(r"\n\s*\n", words.strip()):
        lines = block.splitlines()
        if all(line.startswith("- ") for line in lines):
            found.append(
                Markup("<ul>{}</ul>").format(
                    Markup("").join(Markup("<li>{}</li>").format(html_of(line[2:])) for line in lines)
                )
            )
        else:
            found.append(Markup("<p>{}</p>").format(html_of(" ".join(lines))))
    return Markup("\n").join(found)
