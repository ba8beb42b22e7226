"""What a stolen database file tells of our own store, and that what is changed in it is not believed."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.own.tables import resource_terms, resource_versions
from smartapp.fhir.store import Query, Write
from smartapp.services import KEY
from smartapp.storage.database import open_database, reading, writing
from smartapp.storage.vault import SealBroken, open_vault
from tests.smartapp.helpers import make_app

BASE = "http://127.0.0.1/fhir"
PERSON = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:person", "value": "number-31415"}],
    "name": [{"family": "Voorbeeld", "given": ["Anna"]}],
    "birthDate": "1991-03-04",
    "gender": "female",
}
GOAL = {
    "resourceType": "Goal",
    "identifier": [{"system": "urn:goal", "value": "goal-27182"}],
    "lifecycleStatus": "active",
    "description": {"text": "Weer gitaar spelen"},
    "subject": {"reference": "Patient/anna-voorbeeld", "display": "Anna Voorbeeld"},
    "startDate": "2026-05-01",
}
# Long enough never to turn up in what is sealed by chance.
SECRETS = ("voorbeeld", "31415", "female", "gitaar", "27182", "urn:goal", "description", "lifecycle")


def told(folder: Path) -> str:
    """Return all that the files of a database say, in small letters."""
    return "".join(file.read_bytes().decode("latin-1") for file in sorted(folder.iterdir())).lower()


def sealed_store(folder: Path) -> OwnStore:
    engine = open_database(f"sqlite:///{folder / 'own.db'}")
    return OwnStore(engine, BASE, vault=open_vault(engine, [Fernet.generate_key().decode()]))


def test_a_stolen_file_says_no_name_no_number_and_no_word_of_a_plan(tmp_path):
    store = sealed_store(tmp_path)
    first = store.write_all([Write("create", PERSON), Write("create", GOAL)])[1]
    store.write(Write("update", {**first.resource, "description": {"text": "Elke week gitaar"}}))
    assert store.search(Query.of("Goal", patient="anna-voorbeeld", identifier="urn:goal|goal-27182")) != []
    assert store.search(Query.of("Patient", name="voor")) != []
    found = told(tmp_path)
    assert [secret for secret in SECRETS if secret in found] == []
    assert "goal" in found  # what kinds of resources there are does show: see the README
    store.engine.dispose()


def test_without_a_vault_the_same_file_can_be_searched_for_a_guess(tmp_path):
    engines = [open_database(f"sqlite:///{tmp_path / name}") for name in ("one.db", "two.db")]
    for engine in engines:
        OwnStore(engine, BASE).write(Write("update", {**GOAL, "id": "g"}))
    one, two = map(terms_in, engines)
    assert one == two
    for engine in engines:
        engine.dispose()


def test_two_databases_hold_other_digests_of_the_same(tmp_path):
    stores = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        stores.append(sealed_store(tmp_path / name))
        stores[-1].write(Write("update", {**GOAL, "id": "g"}))
    one, two = (terms_in(store.engine) for store in stores)
    assert len(one) == len(two) > 0
    assert not one & two
    for store in stores:
        store.engine.dispose()


def terms_in(engine: sa.Engine) -> set[int]:
    with reading(engine) as connection:
        return set(connection.execute(sa.select(resource_terms.c.term)).scalars())


def test_content_that_someone_put_in_unsealed_is_not_believed(tmp_path):
    store = sealed_store(tmp_path)
    kept = store.write(Write("create", GOAL))
    with writing(store.engine) as connection:
        connection.execute(sa.update(resource_versions).values(content=b'{"resourceType":"Goal"}'))
    with pytest.raises(SealBroken, match="VERSTEL_ENCRYPTION_KEYS"):
        store.read("Goal", kept.resource["id"])
    store.engine.dispose()


def test_the_app_seals_what_it_keeps_itself(tmp_path):
    app = make_app(database_url=f"sqlite:///{tmp_path / 'app.db'}")
    core = app.extensions[KEY]
    core.own_store("https://ehr.example/fhir").write(Write("create", GOAL))
    found = told(tmp_path)
    assert [secret for secret in SECRETS if secret in found] == []
    core.engine.dispose()
