"""A database is brought to this version's revision when it is opened, whichever version wrote it, and only once."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import smartapp
from smartapp.storage import migrations
from smartapp.storage.database import DatabaseError, metadata, open_database, writing
from tests.conftest import new_database

pytestmark = pytest.mark.usefixtures("by_revisions")


def all_tables() -> sa.MetaData:
    """Return the tables of all modules: some are declared where only a page imports them."""
    for module in pkgutil.walk_packages(smartapp.__path__, "smartapp."):
        if not module.name.startswith(("smartapp.commands.", "smartapp.storage.migrations.", "smartapp.__main__")):
            importlib.import_module(module.name)
    return metadata


def differences(engine: sa.Engine) -> list[object]:
    """Return what alembic would have to change for a database to be what the code declares."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, all_tables())


def test_the_revisions_make_exactly_the_tables_that_the_code_declares(url):
    engine = open_database(url)
    assert differences(engine) == []
    engine.dispose()


def test_the_copy_that_tests_work_on_is_what_the_revisions_make(tmp_path):
    (tmp_path / "copy.db").write_bytes(new_database())
    copy, made = (open_database(f"sqlite:///{tmp_path / name}.db") for name in ("copy", "made"))
    tables = sa.text("SELECT type, name, sql FROM sqlite_master ORDER BY name")
    with copy.connect() as one, made.connect() as other:
        assert one.execute(tables).all() == other.execute(tables).all()
        assert migrations.revision_of(one) == migrations.newest()
    for engine in (copy, made):
        engine.dispose()


def test_a_column_that_no_revision_makes_is_noticed(url):
    engine = open_database(url)
    with writing(engine) as connection:
        connection.exec_driver_sql("ALTER TABLE drafts DROP COLUMN changed")
    assert [change[0] for change in differences(engine)] == ["add_column"]
    engine.dispose()


def test_the_revisions_are_one_line_in_the_order_of_their_files():
    line = list(migrations.revisions().walk_revisions())[::-1]
    files = sorted(migrations.FOLDER.glob("[0-9]*.py"))
    assert [file.name.partition("_")[0] for file in files] == [script.revision for script in line]


def test_a_database_from_before_revisions_is_recognised_and_keeps_what_it_holds(url):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        migrations.upgrade(connection, metadata, to="0001")
        connection.exec_driver_sql("INSERT INTO sessions (id, started, seen) VALUES ('s1', 1, 2)")
        connection.exec_driver_sql("DROP TABLE alembic_version")
        connection.exec_driver_sql("DROP TABLE resource_index")  # as if a first start had been cut off
    engine.dispose()
    again = open_database(url)
    with again.connect() as connection:
        assert migrations.revision_of(connection) == migrations.newest()
        assert connection.exec_driver_sql("SELECT id, seen FROM sessions").all() == [("s1", 2)]
    assert differences(again) == []
    again.dispose()


def test_a_database_of_a_newer_version_is_refused_untouched(url):
    engine = open_database(url)
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(DatabaseError, match=r"revision 9999.*newer version wrote it.*backup"):
        open_database(url)


def test_processes_that_start_at_once_do_it_once(url):
    script = "import sys; from smartapp.storage.database import open_database; open_database(sys.argv[1]).dispose()"
    started = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", script, url], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [process.communicate()[1] for process in started] == ["", "", ""]
    engine = open_database(url)
    assert differences(engine) == []
    engine.dispose()


def test_a_revision_that_rebuilds_a_table_keeps_the_rows_that_refer_to_it(url, monkeypatch):
    newest = migrations.revisions().get_revision("head")
    engine = open_database(url)
    with writing(engine) as connection:
        connection.exec_driver_sql("INSERT INTO sessions (id, started, seen) VALUES ('s1', 1, 2)")
        connection.exec_driver_sql("INSERT INTO session_cookies (digest, session_id) VALUES ('c1', 's1')")
        before = (
            "DELETE FROM alembic_version"
            if newest.down_revision is None
            else "UPDATE alembic_version SET version_num = :r"
        )
        connection.execute(sa.text(before), {"r": newest.down_revision} if newest.down_revision else {})
    engine.dispose()

    def rebuild() -> None:
        with op.batch_alter_table("sessions", recreate="auto") as table:
            table.alter_column("seen", type_=sa.BigInteger)

    monkeypatch.setattr(newest.module, "upgrade", rebuild)
    again = open_database(url)
    with writing(again) as connection:
        assert connection.exec_driver_sql("SELECT digest FROM session_cookies").scalars().all() == ["c1"]
        connection.exec_driver_sql("DELETE FROM sessions")
        assert connection.exec_driver_sql("SELECT digest FROM session_cookies").all() == []  # and cascades are on again
    again.dispose()


def test_a_revision_that_fails_leaves_the_database_as_it_was(url, monkeypatch):
    engine = open_database(url)
    with writing(engine) as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
        connection.exec_driver_sql("DROP TABLE drafts")
    engine.dispose()
    monkeypatch.setattr(migrations.revisions().get_revision("0001").module, "_own_store", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        open_database(url)
    after = sa.create_engine(url)
    assert not sa.inspect(after).has_table("drafts")
    after.dispose()
