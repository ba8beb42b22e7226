"""What an older version, another key or other search parameters left behind is found again, and no longer readable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from smartapp.fhir.own import renewing
from smartapp.fhir.own.indexing import Indexer
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.own.tables import resource_versions
from smartapp.fhir.store import Query, Write
from smartapp.storage import migrations
from smartapp.storage.database import metadata, open_database, reading, writing
from smartapp.storage.vault import Vault, open_vault
from tests.smartapp.storage.conftest import SORTS, empty_database

BASE = "http://127.0.0.1/fhir"
TENANT = "own|north"
GOALS = 7


@pytest.fixture(params=SORTS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database as the revision before ours left it, with goals of two versions and a Provenance."""
    with empty_database(request.param, tmp_path) as url:
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            migrations.upgrade(connection, metadata, to="0005")
            tables = sa.MetaData()
            tables.reflect(connection)
            for resource in [*map(goal, range(GOALS)), provenance()]:
                keep_as_before(connection, tables, resource)
        engine.dispose()
        yield url


def goal(number: int) -> dict:
    return {
        "resourceType": "Goal",
        "id": f"g{number}",
        "meta": {"versionId": "2", "lastUpdated": "2026-05-01T10:00:00.000Z"},
        "identifier": [{"system": "urn:goal", "value": f"{number}"}],
        "description": {"text": "Weer gitaar spelen"},
        "subject": {"reference": f"{BASE}/Patient/{number % 2}"},
        "startDate": f"2026-05-0{number + 1}",
    }


def provenance() -> dict:
    meta = {"versionId": "2", "lastUpdated": "2026-05-01T10:00:00.000Z"}
    return {"resourceType": "Provenance", "id": "p", "meta": meta, "target": [{"reference": "Goal/g1"}]}


def keep_as_before(connection: sa.Connection, tables: sa.MetaData, resource: dict) -> None:
    resources, versions, index = (tables.tables[f"resource{end}"] for end in ("s", "_versions", "_index"))
    first = {**resource, "meta": {**resource["meta"], "versionId": "1"}}
    moment = resource["meta"]["lastUpdated"]
    named = {"tenant": TENANT, "type": resource["resourceType"], "id": resource["id"]}
    kept = {"version": 2, "updated": moment, "content": json.dumps(resource, separators=(",", ":")).encode()}
    key = connection.execute(resources.insert().values(**named, **kept)).inserted_primary_key[0]
    connection.execute(versions.insert().values(resource=key, **kept))
    before = json.dumps(first, separators=(",", ":")).encode()
    connection.execute(versions.insert().values(resource=key, version=1, updated=moment, content=before))
    connection.execute(index.insert().values(resource=key, param="patient", value="Patient/1", system=""))


def store_at(url: str, key: str, tenant: str = TENANT) -> OwnStore:
    engine = open_database(url)
    return OwnStore(engine, BASE, tenant=tenant, vault=open_vault(engine, [key]))


def ids(store: OwnStore, **params: str) -> list[str]:
    return sorted(one.resource["id"] for one in store.search(Query.of("Goal", params)))


def contents(store: OwnStore) -> list[bytes]:
    with reading(store.engine) as connection:
        return list(connection.execute(sa.select(resource_versions.c.content)).scalars())


def assert_renewed(store: OwnStore) -> None:
    assert ids(store, patient="1") == ["g1", "g3", "g5"]
    assert ids(store, identifier="urn:goal|4") == ["g4"]
    assert ids(store, **{"start-date": "le2026-05-02"}) == ["g0", "g1"]
    assert [one.etag for one in store.history("Goal", "g3")] == ['W/"2"', 'W/"1"']
    assert store.belongs_to("Provenance", "p", "Patient/1")
    assert store.read("Goal", "g3").resource == goal(3)


def test_a_database_of_an_older_version_is_sealed_and_found_in_as_before(old, tmp_path):
    store = store_at(old, Fernet.generate_key().decode())
    assert store.renew() == GOALS + 1
    assert_renewed(store)
    assert [kept for kept in contents(store) if b"gitaar" in kept] == []
    assert store.write(Write("create", goal(1), if_none_exist="identifier=urn:goal|1")).created is False
    assert b"gitaar" not in left_of(store.engine, tmp_path)
    store.engine.dispose()


def left_of(engine: sa.Engine, folder: Path) -> bytes:
    """Return what the files of a database hold, also where it would not look itself any more."""
    if engine.dialect.name == "sqlite":
        return b"".join(file.read_bytes() for file in folder.iterdir())
    with engine.connect() as connection:
        connection.exec_driver_sql("CHECKPOINT")
        tables = ("resources", "resource_versions")
        files = (f"SELECT pg_read_binary_file(pg_relation_filepath('{table}'))" for table in tables)
        return b"".join(bytes(connection.exec_driver_sql(file).scalar_one()) for file in files)


def test_the_old_room_is_given_up_also_after_a_start_that_was_cut_off_before_that(old, tmp_path, monkeypatch):
    key = Fernet.generate_key().decode()
    store = store_at(old, key)
    with monkeypatch.context() as patch:
        patch.setattr(renewing, "_compact", lambda _engine: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.renew()
    assert b"gitaar" in left_of(store.engine, tmp_path)
    store.engine.dispose()
    again = store_at(old, key)
    assert again.renew() == 0
    assert b"gitaar" not in left_of(again.engine, tmp_path)
    again.engine.dispose()


def test_whoever_asks_first_finds_everything_also_where_nobody_renewed_it(old):
    store = store_at(old, Fernet.generate_key().decode())
    assert_renewed(store)
    store.engine.dispose()


def test_a_renewal_that_was_cut_off_goes_on_where_it_was(old, monkeypatch):
    monkeypatch.setattr(renewing, "BATCH", 2)
    key, indexed, index = Fernet.generate_key().decode(), [], Indexer.index

    def dies(self, written):
        if len(indexed) == 2:
            raise KeyboardInterrupt
        indexed.append(list(written))
        index(self, written)

    store = store_at(old, key)
    with monkeypatch.context() as patch:
        patch.setattr(Indexer, "index", dies)
        with pytest.raises(KeyboardInterrupt):
            store.renew()
    assert len([kept for kept in contents(store) if b"gitaar" in kept]) == 2 * (GOALS - 4)
    store.engine.dispose()
    again = store_at(old, key)
    assert again.renew() == GOALS + 1 - 4
    assert_renewed(again)
    again.engine.dispose()


def test_nothing_is_renewed_twice(old):
    key = Fernet.generate_key().decode()
    for expected in (GOALS + 1, 0):
        store = store_at(old, key)
        assert store.renew() == expected
        store.engine.dispose()


def test_after_a_change_of_the_digest_key_everything_is_found_by_the_new_one(old):
    key = Fernet.generate_key().decode()
    store = store_at(old, key)
    store.renew()
    changed = OwnStore(store.engine, BASE, tenant=TENANT, vault=Vault([key], b"another key of digests"))
    assert_renewed(changed)
    store.engine.dispose()


def test_after_a_change_of_what_can_be_searched_by_resources_are_indexed_anew(old, monkeypatch):
    key = Fernet.generate_key().decode()
    store = store_at(old, key)
    store.renew()
    with writing(store.engine) as connection:
        connection.exec_driver_sql("DELETE FROM resource_terms")  # what other parameters would have made
    store.engine.dispose()
    monkeypatch.setattr(renewing, "_form", lambda: "another form")
    again = store_at(old, key)
    assert_renewed(again)
    again.engine.dispose()


def test_the_records_of_others_are_left_as_they_are(old):
    store = store_at(old, Fernet.generate_key().decode(), tenant="own|south")
    assert store.renew() == 0
    assert len([kept for kept in contents(store) if b"gitaar" in kept]) == 2 * GOALS
    store.engine.dispose()
