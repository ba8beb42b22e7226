"""A database of version ab13e23, with something in every table, is opened by this version and nothing of it is lost."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from smartapp import create_app
from smartapp.fhir.own.store import OwnStore
from smartapp.services import KEY, Services
from smartapp.settings import Issuer, Settings
from smartapp.storage import migrations
from smartapp.storage.database import metadata, open_database
from smartapp.storage.examining import Examination
from smartapp.storage.launches import Launch
from smartapp.web.guard import cookie_name
from tests.smartapp.storage.conftest import SORTS, empty_database

OLD = Path("tests/data/database-ab13e23")
KEPT = json.loads((OLD / "kept.json").read_text(encoding="utf-8"))
SECONDS_LATER = 3  # before what waits is due, so that a page does not send it


def load(url: str) -> None:
    """Put the old database at an address; on PostgreSQL its rows go into the tables of the first revision."""
    with sqlite3.connect(sa.engine.make_url(url).database if url.startswith("sqlite") else ":memory:") as old:
        old.executescript((OLD / "dump.sql").read_text(encoding="utf-8"))
    if not url.startswith("sqlite"):
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            migrations.upgrade(connection, metadata, to="0001")
            tables = sa.MetaData()
            tables.reflect(connection)
            for table in tables.sorted_tables:
                if table.name != "alembic_version":
                    rows = old.execute(f'SELECT * FROM "{table.name}"')
                    names = [column[0] for column in rows.description]
                    connection.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in rows])
            for table, column in (("audit", "number"), ("resources", "key")):
                last = f"(SELECT max({column}) FROM {table})"
                connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), {last})")
            connection.exec_driver_sql("DROP TABLE alembic_version")
        engine.dispose()
    old.close()


@pytest.fixture(scope="module", params=SORTS)
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """This version's app over the old database, moments later."""
    issuers = tuple(Issuer(**issuer) for issuer in KEPT["issuers"])
    with empty_database(request.param, tmp_path_factory.mktemp("old")) as url:
        load(url)
        kept = dict(KEPT["settings"])
        settings = Settings(secret_keys=(kept.pop("secret_key"),), **kept, issuers=issuers, database_url=url)
        app = create_app(settings, clock=lambda: KEPT["now"] + SECONDS_LATER)
        for issuer in issuers:
            app.extensions[KEY].local_ehrs[issuer.base] = OwnStore(open_database("sqlite://"), issuer.base)
        yield app
        app.extensions[KEY].engine.dispose()


@pytest.fixture
def core(app: Flask) -> Services:
    return app.extensions[KEY]


@pytest.fixture(params=KEPT["people"], ids=["known-by-address", "known-by-key"])
def left(request: pytest.FixtureRequest) -> dict:
    """What one of the two people left."""
    return request.param


@pytest.fixture
def launch(core: Services, left: dict) -> Launch:
    launch = core.launches.get(left["launch"])
    assert launch is not None
    core.adopt_named_by_address(launch)  # as at the next sign-in
    return launch


def test_the_dump_has_a_row_in_every_table_of_its_version(tmp_path):
    load(f"sqlite:///{tmp_path / 'old.db'}")
    with sqlite3.connect(tmp_path / "old.db") as old:
        tables = [name for (name,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert [name for name in tables if not old.execute(f'SELECT 1 FROM "{name}"').fetchone()] == []
        assert set(tables) - {"sqlite_sequence"} == {*_tables_of_the_first_revision(tmp_path)}
    old.close()


def _tables_of_the_first_revision(folder: Path) -> set[str]:
    engine = sa.create_engine(f"sqlite:///{folder / 'first.db'}")
    with engine.begin() as connection:
        migrations.upgrade(connection, metadata, to="0001")
    names = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    return names - {"alembic_version"}


def test_who_was_signed_in_still_is(app, core, left, launch):
    assert core.sessions.find(left["cookie"]).id == launch.session_id
    assert core.tokens.find(launch.id).access == "access-1"
    browser = app.test_client()
    browser.set_cookie(cookie_name(core.settings), left["cookie"])
    assert "Anna" in browser.get(f"/l/{launch.id}/").text


def test_a_page_still_tells_the_next_what_it_said(core, left):
    assert core.vault.open(core.sessions.find(left["cookie"]).data) == {"said": "saved"}


def test_a_handoff_still_opens_its_page(core, left, launch):
    session, path = core.sessions.take_over(left["handoff"], None)
    assert (session.id, path) == (launch.session_id, f"/l/{launch.id}/plan/story")


def test_a_sign_in_under_way_comes_back(core, left):
    [state] = parse_qs(urlsplit(left["begun"]["url"]).query)["state"]
    assert core.authorizations.redeem(state, left["begun"]["secret"]).issuer == left["issuer"]


def test_a_draft_is_there(core, launch):
    draft = core.drafts(launch).get("hoop")
    assert (draft.resource, draft.version) == ({"hoop-01": "3", "hoop-02": "4"}, 2)


def test_a_sketch_stands_in_its_field(app, core, left, launch):
    browser = app.test_client()
    browser.set_cookie(cookie_name(core.settings), left["cookie"])
    page = browser.get(f"/l/{launch.id}/living/story/story/").text
    assert re.search(r"<textarea[^>]*>\s*Half een zin", page)


def test_what_waits_and_what_was_refused_is_there(core, left, launch):
    unsent = core.records(launch).waiting()
    now = {"waiting": "waiting", "refused": "stopped"}  # what the states are called today
    expected = {now[state]: resource for state, resource in left["unsent"].items()}
    assert {one.state: one.unit.parcels[0].write.resource for one in unsent} == expected
    assert launch.issuer_key in {one.issuer for one in core.outbox.backlog()}
    assert "This was refused." in {one.unit.reason for one in unsent}


def test_the_log_is_there(core, left, launch):
    about = core.audit.of_person(launch.issuer_key, launch.patient.reference)
    assert [entry.event for entry in about][-len(left["log"]) :] == left["log"]
    assert {entry.user_name for entry in about} == {"Anna Voorbeeld"}


def test_the_chain_of_the_log_begins_behind_what_was_there(core, launch):
    core.audit.record(launch, "launch")
    names = {name for issuer in core.settings.issuers for name in (issuer.key, issuer.base)}
    examination = Examination(core.engine, core.vault, names)
    assert list(examination.findings()) == []
    assert examination.begins >= sum(len(one["log"]) for one in KEPT["people"])


def test_our_own_store_has_the_goal_and_what_it_was_before(core, left, launch):
    own = core.own_store(launch.issuer)
    assert own.read("Goal", left["goal"]).resource["description"] == {"text": "Een grote moestuin"}
    assert [one.resource["meta"]["versionId"] for one in own.history("Goal", left["goal"])] == ["2", "1"]


def test_what_an_ehr_refused_to_someone_unknown_is_tried_again(core, launch):
    """It was kept without saying to whom, and one refusal no longer counts for everybody."""
    assert core.capabilities.demoted(core.settings.issuer_key(launch.issuer), "client") == frozenset()
