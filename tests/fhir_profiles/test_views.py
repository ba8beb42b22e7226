"""The views are what any engine of SQL on FHIR takes, and speak of nothing that is not there.

Engines of others run them over what the app writes in `tests.conformance.views`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

import pytest

from fhir_profiles.compile import PACKAGE, made, package_files
from fhir_profiles.views import DEEPEST, FOLDER, Column, Select, View, definitions, views
from mappers.agreements import IDENTIFIER_SYSTEM as AGREEMENT_SYSTEM
from mappers.answers import IDENTIFIER_SYSTEM as RESPONSE_SYSTEM
from mappers.observations import IDENTIFIER_SYSTEM as SCORE_SYSTEM
from mappers.plan.shapes import IDENTIFIER_SYSTEMS
from questionnaires.canonical import BASE
from questionnaires.catalogue import Catalogue
from questionnaires.publish import published
from tests.conformance.validate import judged

ALL = {one["name"]: one for one in definitions()}
# What HL7 asks of every engine: https://sql-on-fhir.org/ig/StructureDefinition-ShareableViewDefinition.html
# `extension(url)` is required as well, but Medplum's engine stops at the first.
FUNCTIONS: Final = {"where", "exists", "empty", "ofType", "first", "getResourceKey", "getReferenceKey"}
TYPES: Final = {
    *("boolean", "integer", "decimal", "string", "code", "id", "uri", "canonical", "date", "dateTime"),
}
# Reserved in the SQL standard or in a database that places use: such a column must be quoted each time.
RESERVED: Final = {
    *("date", "value", "language", "end", "start", "order", "group", "user", "key", "text", "type", "change", "now"),
    *("timestamp", "time", "interval", "comment", "level", "by", "for", "from", "to", "when", "where", "support"),
}
NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
LITERAL: Final = re.compile(r"'[^']*'")


def selects(view: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each select of a view, those within others included."""
    for one in [*view.get("select", ()), *view.get("unionAll", ())]:
        yield one
        yield from selects(one)


def columns_of(select: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return name and type of the columns of a select, in order, those of the first branch of a union."""
    own = [(one["name"], one["type"]) for one in select.get("column", ())]
    return own + [
        one for part in [*select.get("select", ()), *select.get("unionAll", ())[:1]] for one in columns_of(part)
    ]


def paths(view: Mapping[str, Any]) -> Iterator[str]:
    """Yield every path of a view."""
    yield from (one["path"] for one in view.get("where", ()))
    for select in selects(view):
        yield from (select[name] for name in ("forEach", "forEachOrNull") if name in select)
        yield from (one["path"] for one in select.get("column", ()))


def complaints(view: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an engine that knows only what is required could refuse or read otherwise."""
    needed = ("url", "name", "fhirVersion", "status", "resource", "select")
    yield from (f"has no {element}" for element in needed if not view.get(element))
    if "constant" in view or any("repeat" in one for one in selects(view)):
        yield "has constants or repeats"
    names = [name for name, _type in columns_of(view)]
    yield from (f"{one} stands twice" for one in {one for one in names if names.count(one) > 1})
    yield from _complaints_of_columns(view)
    if any(len({tuple(columns_of(one)) for one in select.get("unionAll", ())}) > 1 for select in selects(view)):
        yield "parts of a union have other columns"
    yield from _complaints_of_paths(view)


def _complaints_of_columns(view: Mapping[str, Any]) -> Iterator[str]:
    for one in (column for select in selects(view) for column in select.get("column", ())):
        if not NAME.fullmatch(one["name"]) or one["name"].lower() in RESERVED:
            yield f"{one['name']} is no free name in SQL"
        if one.get("type") not in TYPES:
            yield f"{one['name']} has no type that every engine knows"
        if "collection" in one:
            yield f"{one['name']} holds several values"


def _complaints_of_paths(view: Mapping[str, Any]) -> Iterator[str]:
    for path in paths(view):
        plain = LITERAL.sub("''", path)
        used = set(re.findall(r"(\w+)\(", plain))
        if used - FUNCTIONS or re.search(r"[|&%$]", plain):
            yield f"{path} needs more than every engine has"
    for one in view.get("where", ()):
        if not re.search(r"\.(exists|empty)\(\)$", one["path"]):
            yield f"{one['path']} is not always true or false"


Change = Callable[[dict[str, Any], dict[str, Any]], object]
"""Makes one thing wrong in a view, or in a column of it."""
WRONG: Final[Mapping[str, tuple[Change, str]]] = {
    "a function": (lambda _view, column: column.update(path="item.count()"), "needs more than every engine has"),
    "an operator": (lambda _view, column: column.update(path="id | language"), "needs more than every engine has"),
    "a name twice": (lambda _view, column: column.update(name="response_key"), "stands twice"),
    "a reserved name": (lambda _view, column: column.update(name="value"), "is no free name in SQL"),
    "no type": (lambda _view, column: column.update(type=""), "has no type"),
    "several values": (lambda _view, column: column.update(collection=True), "holds several values"),
    "an empty condition": (lambda view, _: view.update(where=[{"path": "status = 'final'"}]), "is not always true"),
    "no version": (lambda view, _: view.pop("fhirVersion"), "has no fhirVersion"),
    "a constant": (lambda view, _: view.update(constant=[{"name": "a", "valueString": "b"}]), "has constants"),
    "another union": (lambda view, _: view["select"][1]["unionAll"][0]["column"].pop(), "other columns"),
}


@pytest.mark.parametrize("name", ALL)
def test_a_view_needs_only_what_every_engine_has(name):
    assert list(complaints(ALL[name])) == []


@pytest.mark.parametrize("wrong", WRONG)
def test_a_view_with_something_wrong_is_noticed(wrong):
    change, said = WRONG[wrong]
    view = deepcopy(ALL["verstel_answers"])
    change(view, view["select"][0]["column"][-1])
    assert said in "\n".join(complaints(view))


def test_there_is_a_view_of_each_thing_that_is_asked():
    assert list(ALL) == [
        *("verstel_answers", "verstel_scores", "verstel_goals", "verstel_steps", "verstel_plans"),
        "verstel_plan_goals",
    ]


# ---- what the paths speak of -----------------------------------------------------------------------------------------


def sub_extensions(name: str) -> set[str]:
    """Return the names that an extension of ours has within it."""
    known = json.loads((PACKAGE / f"StructureDefinition-{name}.json").read_bytes())
    return {one["fixedUri"] for one in known["snapshot"]["element"] if one["path"] == "Extension.extension.url"}


def test_every_address_of_ours_in_a_path_is_one_that_is_used():
    systems = {one["url"] for one in published().values() if one["resourceType"] == "CodeSystem"}
    identifiers = {RESPONSE_SYSTEM, SCORE_SYSTEM, AGREEMENT_SYSTEM, *IDENTIFIER_SYSTEMS}
    extensions = {json.loads(path.read_bytes())["url"] for path in PACKAGE.glob("StructureDefinition-*.json")}
    used = {text.strip("'") for view in ALL.values() for path in paths(view) for text in LITERAL.findall(path)}
    ours = {one for one in used if one.startswith(BASE)}
    assert ours <= systems | identifiers | extensions
    assert ours & systems
    assert ours & identifiers
    assert ours & extensions


def test_every_code_of_ours_in_a_path_is_in_its_code_system():
    known = {one["code"] for one in published()["CodeSystem-plan.json"]["concept"]}
    used = {code for view in ALL.values() for path in paths(view) for code in re.findall(r"code = '([^']*)'", path)}
    assert used == {"recovery-plan", "recovery-step", "agreed-step"}
    assert used <= known


def test_every_part_of_an_extension_in_a_path_is_part_of_it():
    used = {
        part
        for view in ALL.values()
        for path in paths(view)
        for part in re.findall(r"url = '([^']*)'", path)
        if not part.startswith(BASE)
    }
    assert used == sub_extensions("said-in") | sub_extensions("life-domain-answers")


def depth(items: list[dict[str, Any]]) -> int:
    """Return how many levels of items there are."""
    return max((1 + depth(one.get("item", [])) for one in items), default=0)


def test_no_form_is_deeper_than_the_rows_of_answers_reach():
    """An answer that stands deeper would be missing from the table without a word."""
    deepest = {name: depth(one["item"]) for name, one in published().items() if one["resourceType"] == "Questionnaire"}
    assert set(deepest.values()) == {2}
    branches = next(one["unionAll"] for one in selects(ALL["verstel_answers"]) if "unionAll" in one)
    assert len(branches) == DEEPEST >= 2


def test_each_answer_of_a_published_form_has_a_column():
    kinds = {
        item["type"]
        for one in published().values()
        if one["resourceType"] == "Questionnaire"
        for group in one["item"]
        for item in group["item"]
    }
    columns = {"choice": "code", "boolean": "boolean", "date": "date", "text": "string", "string": "string"}
    columns |= {"decimal": "decimal"}
    assert kinds - {"display"} == columns.keys()
    assert {f"value_{one}" for one in columns.values()} <= {name for name, _ in columns_of(ALL["verstel_answers"])}
    assert Catalogue().instruments


# ---- in the package --------------------------------------------------------------------------------------------------


def test_views_lie_apart_from_the_definitions_that_software_for_r4_reads():
    names = {f"{FOLDER}/ViewDefinition-{one['id']}.json" for one in ALL.values()}
    assert {name for name in package_files(made()) if "ViewDefinition" in name} == names
    assert {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("ViewDefinition-*")} == names
    assert PACKAGE / FOLDER not in judged()
    assert {PACKAGE / "example", PACKAGE / "StructureDefinition-recovery-goal.json"} <= set(judged())


def test_each_view_has_an_address_of_its_own():
    assert {one["url"] for one in ALL.values()} == {f"{BASE}/ViewDefinition/{one['id']}" for one in ALL.values()}
    assert len(ALL) == len(views())


# ---- free words ------------------------------------------------------------------------------------------------------


def test_free_words_are_said_to_be_so():
    free = {(view.id, column.name) for view in views() for column in view.columns if column.own_words}
    assert free == {
        ("answers", "value_string"),
        ("goals", "goal_text"),
        ("steps", "step_text"),
        ("steps", "owner_display"),
        *(("plans", f"answer_{part}") for part in ("now", "change", "how", "support")),
    }
    for view in views():
        told = {
            one["name"]: one["description"] for one in (c for s in selects(view.as_fhir()) for c in s.get("column", ()))
        }
        assert {name for name, words in told.items() if words.endswith("Free words.")} == {
            name for ident, name in free if ident == view.id
        }


def test_the_columns_of_a_view_are_in_the_order_of_its_rows():
    one, two, three = (Column(name, name, "string", name) for name in ("one", "two", "three"))
    part = Select((two,), each="item", selects=(Select((three,)),))
    view = View("made-up", "Goal", "t", "d", (Select((one,)), Select(union=(part, part))))
    assert view.columns == (one, two, three)
    assert view.name == "verstel_made_up"
    assert columns_of(view.as_fhir()) == [(column.name, column.type) for column in view.columns]
