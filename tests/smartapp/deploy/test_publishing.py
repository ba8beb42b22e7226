"""Publishing: what is new is created, what is ours is brought up to date, what someone else changed is left alone."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from questionnaires.fhir import Resource
from smartapp.deploy import publishing
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Conflict, Query, Stored, Write
from smartapp.storage.database import open_database


def code_system(version: str = "1.0", title: str = "Scores") -> Resource:
    return {
        "resourceType": "CodeSystem",
        "id": "score",
        "url": "https://example.org/fhir/CodeSystem/score",
        "version": version,
        "title": title,
        "status": "active",
        "content": "complete",
        "concept": [{"code": "a", "display": "A"}],
    }


def profile(name: str, kind: str) -> Resource:
    return {
        "resourceType": "StructureDefinition",
        "id": name,
        "url": f"https://example.org/fhir/StructureDefinition/{name}",
        "version": "1.0",
        "name": name,
        "status": "active",
        "kind": "complex-type" if kind == "Extension" else "resource",
        "abstract": False,
        "type": kind,
    }


@pytest.fixture
def server() -> OwnStore:
    return OwnStore(open_database("sqlite://"), "http://127.0.0.1/fhir")


def publish(server: OwnStore, *resources: Resource, force: bool = False) -> list[publishing.PlannedArtefact]:
    planned = list(publishing.plan(resources, server, force=force))
    for artefact in planned:
        write = artefact.to_write()
        if write is not None:
            server.write(write)
    return planned


def on_server(server: OwnStore) -> list[Resource]:
    return [stored.resource for stored in server.search(Query("CodeSystem", (("url", code_system()["url"]),)))]


def test_new_artefact_is_created(server: OwnStore) -> None:
    (planned,) = publish(server, code_system())
    assert planned.action == "create"
    assert [resource["title"] for resource in on_server(server)] == ["Scores"]


def test_second_run_changes_nothing(server: OwnStore) -> None:
    publish(server, code_system())
    before = on_server(server)
    (planned,) = publish(server, code_system())
    assert planned.action == "unchanged"
    assert on_server(server) == before


def test_our_own_change_updates_and_is_shown(server: OwnStore) -> None:
    publish(server, code_system())
    (planned,) = publish(server, code_system(title="All scores"))
    assert (planned.action, planned.differences) == ("update", ('title: "Scores" -> "All scores"',))
    assert [resource["title"] for resource in on_server(server)] == ["All scores"]


def test_other_version_stands_beside_the_first(server: OwnStore) -> None:
    publish(server, code_system("1.0"))
    (planned,) = publish(server, code_system("2.0"))
    assert planned.action == "create"
    assert {resource["version"] for resource in on_server(server)} == {"1.0", "2.0"}


@pytest.mark.parametrize("ignored", [("url", "version"), ("version",)])
def test_a_server_that_ignores_search_parameters_gets_nothing_overwritten(
    server: OwnStore, monkeypatch: pytest.MonkeyPatch, ignored: tuple[str, ...]
) -> None:
    """FHIR lets a server ignore a parameter that it does not know: then it answers with other resources."""
    search = server.search

    def lenient(query: Query) -> list[Stored]:
        return search(Query(query.type, tuple(pair for pair in query.params if pair[0] not in ignored)))

    other = {**code_system("0.9", "Of the hospital"), "id": "own"}
    if "url" in ignored:
        other["url"] = "https://hospital.example/own"
    publish(server, other)
    monkeypatch.setattr(server, "search", lenient)
    assert [one.action for one in publish(server, code_system(), force=True)] == ["create"]
    assert [one.action for one in publish(server, code_system(), force=True)] == ["unchanged"]
    titles = {stored.resource["title"] for stored in search(Query("CodeSystem"))}
    assert titles == {"Of the hospital", "Scores"}


@pytest.mark.parametrize("touched_by", ["edited what we published", "made it themselves"])
def test_what_someone_else_changed_is_left_alone(server: OwnStore, touched_by: str) -> None:
    if touched_by == "edited what we published":
        publish(server, code_system())
        (stored,) = server.search(Query("CodeSystem"))
        server.write(Write("update", {**stored.resource, "title": "Hospital's own"}, if_match=stored.etag))
    else:
        server.write(Write("create", code_system(title="Hospital's own")))
    (planned,) = publish(server, code_system())
    assert planned.action == "changed-elsewhere"
    assert "--force" in planned.reason
    assert [resource["title"] for resource in on_server(server)] == ["Hospital's own"]


def test_force_replaces_what_someone_else_changed(server: OwnStore) -> None:
    server.write(Write("create", code_system(title="Hospital's own")))
    (planned,) = publish(server, code_system(), force=True)
    assert planned.action == "update"
    assert [resource["title"] for resource in on_server(server)] == ["Scores"]


def test_change_between_plan_and_write_is_not_overwritten(server: OwnStore) -> None:
    publish(server, code_system())
    (planned,) = publishing.plan([code_system(title="All scores")], server)
    (stored,) = server.search(Query("CodeSystem"))
    server.write(Write("update", {**stored.resource, "title": "Hospital's own"}, if_match=stored.etag))
    write = planned.to_write()
    assert write is not None
    with pytest.raises(Conflict):
        server.write(write)


def test_two_publishers_at_once_make_one_resource(server: OwnStore) -> None:
    first, second = (next(iter(publishing.plan([code_system()], server))).to_write() for _ in range(2))
    assert first is not None
    assert second is not None
    server.write(first)
    server.write(second)
    assert len(on_server(server)) == 1


def test_terminology_comes_before_extensions_before_profiles() -> None:
    order = publishing.in_dependency_order(
        [profile("recovery-goal", "Goal"), profile("life-story", "Extension"), code_system()]
    )
    assert [resource["id"] for resource in order] == ["score", "life-story", "recovery-goal"]


def test_type_without_a_place_in_the_order_is_an_error() -> None:
    with pytest.raises(ValueError, match="Library/x: not in the publishing order"):
        publishing.in_dependency_order([{"resourceType": "Library", "id": "x", "url": "u"}])


@pytest.mark.parametrize("rest", [None, "x", [5], [{"resource": [{"type": "CodeSystem", "interaction": [{}]}, {}, 5]}]])
def test_metadata_that_says_nothing_usable_offers_nothing(
    server: OwnStore, monkeypatch: pytest.MonkeyPatch, rest: Any
) -> None:
    monkeypatch.setattr(server, "capabilities", lambda: {"resourceType": "CapabilityStatement", "rest": rest})
    (planned,) = publish(server, code_system())
    assert planned.action == "not-accepted"


def test_type_the_server_does_not_take_is_named(server: OwnStore, monkeypatch: pytest.MonkeyPatch) -> None:
    capabilities = deepcopy(server.capabilities())
    for offered in capabilities["rest"][0]["resource"]:
        if offered["type"] == "CodeSystem":
            offered["interaction"] = [{"code": "read"}, {"code": "search-type"}]
    monkeypatch.setattr(server, "capabilities", lambda: capabilities)
    (planned,) = publish(server, code_system())
    assert planned.action == "not-accepted"
    assert "create, update on CodeSystem" in planned.reason
    assert on_server(server) == []
