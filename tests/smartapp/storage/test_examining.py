"""The chain of the log holds while people write and rows are pruned, and shows what anybody did to the table."""

from __future__ import annotations

import shutil
import threading
from dataclasses import fields, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from mappers.audit import AuditEntry
from smartapp.storage import examining
from smartapp.storage.audit import Audit
from smartapp.storage.chain import AUDIT, MARKS, keep, mark
from smartapp.storage.database import open_database, writing
from smartapp.storage.examining import Examination, prune
from smartapp.storage.launches import Launch, Person, User
from smartapp.storage.reencrypting import Tally, reencrypt
from smartapp.storage.vault import Vault, open_vault

KEY, NEW_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
ISSUER = "https://ehr.example/fhir"
LAUNCH = Launch(
    id="l1",
    session_id="s1",
    issuer=ISSUER,
    patient_id="anna",
    patient=Person("Patient/anna", "Anna Voorbeeld"),
    user=User("Practitioner/els", "Els Visser", "clinician", ISSUER, "u1"),
    scopes="patient/*.rs",
)
ROWS = 7


def fill(url: str) -> None:
    """Write seven rows, one each second from 1 on."""
    engine = open_database(url)
    seconds = iter(range(1, ROWS + 1))
    log = Audit(engine, open_vault(engine, [KEY]), lambda: next(seconds))
    for number in range(ROWS):
        log.record(LAUNCH, "read", [f"Goal/{number}"])
    engine.dispose()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a log of seven rows, to be copied: making one takes longer than a test."""
    file = tmp_path_factory.mktemp("filled") / "verstel.db"
    fill(f"sqlite:///{file}")
    return file


@pytest.fixture
def engine(url, filled, monkeypatch):
    """A database with a log of seven rows, read in blocks of three and pruned in blocks of two."""
    monkeypatch.setattr(examining, "ROWS_AT_ONCE", 3)
    monkeypatch.setattr(examining, "PRUNED_AT_ONCE", 2)
    address = sa.engine.make_url(url)
    if address.get_backend_name() == "sqlite":
        shutil.copy(filled, str(address.database))
    else:
        fill(url)
    engine = open_database(url)
    yield engine
    engine.dispose()


@pytest.fixture
def vault(engine) -> Vault:
    return open_vault(engine, [KEY])


@pytest.fixture
def log(engine, vault) -> Audit:
    """The log, of which the next row is of second eight."""
    seconds = iter(range(ROWS + 1, 1000))
    return Audit(engine, vault, lambda: next(seconds))


def found(engine, vault, **more) -> list[str]:
    return list(Examination(engine, vault, {ISSUER}, **more).findings())


def sql(engine, statement: str, **values: object) -> None:
    with writing(engine) as connection:
        connection.execute(sa.text(statement), values)


def test_of_an_issuer_that_was_taken_out_it_is_said_what_cannot_be_told(engine, vault, log):
    log.record(replace(LAUNCH, user=replace(LAUNCH.user, issuer="hospital")), "read", ["Goal/1"])
    examination = Examination(engine, vault, {"elsewhere", "https://another.example/fhir"})
    assert (list(examination.findings()), examination.unchecked) == ([], 1)
    known = Examination(engine, vault, {"hospital", ISSUER})
    assert (list(known.findings()), known.unchecked) == ([], 0)


def test_an_untouched_log_is_found_to_be_so_and_every_row_was_looked_at(engine, vault):
    examination = Examination(engine, vault, {ISSUER})
    assert list(examination.findings()) == []
    assert (examination.rows, examination.head.number, examination.begins) == (ROWS, ROWS, 0)


@pytest.mark.parametrize(
    ("column", "value"),
    [("recorded", 99), ("event", "update"), ("outcome", "4"), ("own", 1), ("link", "0" * 64), ("link", None)],
)
def test_a_changed_column_is_found_in_its_row(engine, vault, column, value):
    sql(engine, f"UPDATE audit SET {column} = :value WHERE number = 4", value=value)
    assert found(engine, vault)[0] == "Row 4 was changed: it is not what was written after row 3."


def test_the_content_of_another_row_is_found(engine, vault):
    sql(engine, "UPDATE audit SET sealed = (SELECT sealed FROM audit WHERE number = 2) WHERE number = 4")
    assert found(engine, vault) == ["Row 4 was changed: it is not what was written after row 3."]


@pytest.mark.parametrize("field", [one.name for one in fields(AuditEntry)])
def test_whichever_field_of_a_row_is_changed_it_is_found_also_with_our_key(engine, vault, field):
    with engine.connect() as connection:
        sealed = connection.execute(sa.text("SELECT sealed FROM audit WHERE number = 4")).scalar_one()
    content = vault.open(sealed)
    content[field] = [*content[field], "x"] if isinstance(content[field], list) else "another"
    sql(engine, "UPDATE audit SET sealed = :sealed WHERE number = 4", sealed=vault.seal(content))
    assert found(engine, vault) == ["Row 4 was changed: it is not what was written after row 3."]


@pytest.mark.parametrize("field", ["parts", "purpose", "system", "organisation", "visit"])
def test_a_row_of_before_a_field_was_kept_opens_without_it(engine, vault, log, field):
    with engine.connect() as connection:
        sealed = connection.execute(sa.text("SELECT sealed FROM audit WHERE number = 4")).scalar_one()
    content = vault.open(sealed)
    del content[field]
    sql(engine, "UPDATE audit SET sealed = :sealed WHERE number = 4", sealed=vault.seal(content))
    [entry] = [entry for number, entry in log.numbered() if number == 4]
    assert getattr(entry, field) in ("", ())


def test_content_that_does_not_open_is_found(engine, vault):
    sql(engine, "UPDATE audit SET sealed = :sealed WHERE number = 4", sealed=Vault([NEW_KEY]).seal({}))
    assert "Row 4 was changed, or sealed with a key" in found(engine, vault)[0]


@pytest.mark.parametrize("person", ["", "0" * 64])
def test_a_row_hidden_from_the_person_it_is_about_is_found(engine, vault, person):
    sql(engine, "UPDATE audit SET person = :person WHERE number = 4", person=person)
    assert found(engine, vault) == ["Row 4 stands under another person than it is about."]


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("number = 1", "Row 1 was removed."),
        ("number IN (4, 5)", "Rows 4 to 5 were removed."),
        ("number >= 6", "Rows 6 to 7 were removed."),
        ("number > 0", "Rows 1 to 7 were removed."),
    ],
)
def test_removed_rows_are_found_also_the_first_and_the_last(engine, vault, which, said):
    sql(engine, f"DELETE FROM audit WHERE {which}")
    assert found(engine, vault) == [said]


def test_rows_that_were_removed_and_numbered_again_are_found(engine, vault):
    sql(engine, "DELETE FROM audit WHERE number = 3")
    for number in range(4, ROWS + 1):
        sql(engine, "UPDATE audit SET number = :number - 1 WHERE number = :number", number=number)
    assert "Row 3 was changed: it is not what was written after row 2." in found(engine, vault)


def test_a_row_added_behind_the_end_is_found(engine, vault):
    sql(
        engine,
        "INSERT INTO audit (number, recorded, event, outcome, person, sealed, own, link) "
        "SELECT 8, recorded, event, outcome, person, sealed, own, link FROM audit WHERE number = 7",
    )
    assert found(engine, vault) == ["Rows 8 to 8 were added: they are behind the end of the chain."]


def test_an_end_cut_off_together_with_the_head_is_found_although_the_log_went_on(engine, vault, log):
    sql(engine, "DELETE FROM audit WHERE number >= 6")
    sql(engine, "DELETE FROM audit_marks")
    log.record(LAUNCH, "update", ["Goal/1"])
    assert found(engine, vault) == [
        "The chain begins anew after row 5: its head was removed, and perhaps rows with it."
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM audit_marks", "The head of the log is not there"),
        ("UPDATE audit_marks SET sealed = (SELECT sealed FROM audit WHERE number = 1)", "The head of the log is not"),
        ("UPDATE audit_marks SET sealed = (SELECT sealed FROM vault_keys)", "The head of the log is not"),
    ],
)
def test_a_head_that_is_gone_or_not_ours_is_said(engine, vault, change, said):
    sql(engine, change)
    [finding] = found(engine, vault)
    assert finding.startswith(said)


def test_a_head_that_does_not_open_holds_up_nobody_and_is_found(engine, vault, log):
    sql(engine, "UPDATE audit_marks SET sealed = :sealed", sealed=Vault([NEW_KEY]).seal({}))
    log.record(LAUNCH, "update", ["Goal/1"])
    assert "begins anew after row 7" in found(engine, vault)[0]


def test_an_older_state_that_was_put_back_whole_fits_and_only_what_was_noted_shows_it(engine, vault, log):
    with engine.connect() as connection:
        older = connection.execute(sa.select(MARKS.c.sealed)).scalar_one()
    for _ in range(2):
        log.record(LAUNCH, "update", ["Goal/1"])
    head = Examination(engine, vault, {ISSUER})
    assert list(head.findings()) == []
    noted = (head.head.number, head.head.link)
    assert found(engine, vault, noted=noted) == []
    sql(engine, "DELETE FROM audit WHERE number > 7")
    sql(engine, "UPDATE audit_marks SET sealed = :older", older=older)
    assert found(engine, vault) == []  # what someone with the database alone can do, if they kept its earlier head
    assert found(engine, vault, noted=noted) == ["Row 9 was noted, and the log ends at row 7: its end was cut off."]
    for _ in range(2):
        log.record(LAUNCH, "update", ["Goal/2"])
    assert found(engine, vault, noted=noted) == ["Row 9 is not the one that was noted."]


def test_a_noted_row_that_was_taken_out_of_the_chain_is_missed(engine, vault, log):
    """Who has the keys can have the rule remove it; who has the database can make it one of before the chain."""
    noted = (4, "a" * 64)
    list(prune(engine, vault, before=6))
    missed = "Row 4 was noted, and is not in the chain any more: nothing shows what it was."
    assert found(engine, vault, noted=noted) == [missed]
    sql(engine, "UPDATE audit SET link = NULL")
    sql(engine, "DELETE FROM audit_marks")
    log.record(LAUNCH, "read", ["Goal/1"])
    assert found(engine, vault, noted=noted) == [missed]


def test_rows_of_before_the_chain_are_left_out_and_it_begins_after_them(engine, vault, log):
    sql(engine, "UPDATE audit SET link = NULL")
    sql(engine, "DELETE FROM audit_marks")
    log.record(LAUNCH, "read", ["Goal/1"])
    examination = Examination(engine, vault, {ISSUER})
    assert list(examination.findings()) == []
    assert (examination.begins, examination.rows) == (7, 1)


def test_rows_sealed_anew_with_a_new_key_are_the_same_rows(engine):
    list(reencrypt(engine, [NEW_KEY, KEY], Tally()))
    assert found(engine, open_vault(engine, [NEW_KEY])) == []


def test_rows_that_came_under_the_key_of_their_issuer_are_still_about_the_person(engine, vault, log):
    log.adopt(ISSUER, "example-ehr", "Patient/anna")
    assert list(Examination(engine, vault, {ISSUER, "example-ehr"}).findings()) == []


class TestPruning:
    def numbers(self, engine) -> list[int]:
        with engine.connect() as connection:
            return list(connection.execute(sa.select(AUDIT.c.number).order_by(AUDIT.c.number)).scalars())

    def test_old_rows_go_in_blocks_and_the_chain_holds(self, engine, vault, log):
        assert list(prune(engine, vault, before=6)) == [2, 2, 1]
        log.record(LAUNCH, "update", ["Goal/1"])
        examination = Examination(engine, vault, {ISSUER})
        assert list(examination.findings()) == []
        assert (self.numbers(engine), examination.pruned) == ([6, 7, 8], 5)

    def test_a_row_written_late_keeps_the_younger_ones_before_it(self, engine, vault):
        """The chain goes from its beginning on: an old row behind a young one stays with it."""
        sql(engine, "UPDATE audit SET recorded = 100 WHERE number = 3")
        assert list(prune(engine, vault, before=50)) == [2]

    def test_a_log_may_become_empty_and_goes_on_with_its_numbers(self, engine, vault, log):
        assert sum(prune(engine, vault, before=100)) == ROWS
        assert found(engine, vault) == []
        log.record(LAUNCH, "update", ["Goal/1"])
        assert (self.numbers(engine), found(engine, vault)) == ([ROWS + 1], [])

    def test_rows_removed_beyond_the_rule_are_found(self, engine, vault):
        list(prune(engine, vault, before=4))
        sql(engine, "DELETE FROM audit WHERE number = 4")
        assert found(engine, vault) == ["Row 4 was removed."]

    def test_a_run_that_was_broken_off_leaves_a_chain_that_holds(self, engine, vault):
        assert next(prune(engine, vault, before=6)) == 2
        assert (self.numbers(engine)[0], found(engine, vault)) == (3, [])
        assert sum(prune(engine, vault, before=6)) == 3

    def test_a_mark_that_is_not_ours_is_said(self, engine, vault):
        list(prune(engine, vault, before=4))
        sql(engine, "UPDATE audit_marks SET sealed = (SELECT sealed FROM vault_keys) WHERE name = 'pruned'")
        assert found(engine, vault) == ["The mark of what was pruned is not ours: it was changed."]

    def test_the_head_in_the_place_of_that_mark_hides_nothing(self, engine, vault):
        list(prune(engine, vault, before=4))
        sql(engine, "DELETE FROM audit WHERE number < 7")
        sql(
            engine,
            "UPDATE audit_marks SET sealed = (SELECT sealed FROM audit_marks WHERE name = 'head') "
            "WHERE name = 'pruned'",
        )
        assert found(engine, vault) == ["The mark of what was pruned is not ours: it was changed."]

    def test_a_log_that_was_emptied_and_begun_anew_under_that_mark_is_found(self, engine, vault, log):
        """Whoever has the database can take every row and the head away; the mark would cover what comes after."""
        list(prune(engine, vault, before=6))
        sql(engine, "DELETE FROM audit")
        sql(engine, "DELETE FROM audit_marks WHERE name = 'head'")
        log.record(LAUNCH, "read", ["Goal/1"])
        assert found(engine, vault) == [
            "The log ends at row 1, and rows up to 5 were removed by rule: it was cut off and begun anew."
        ]

    def test_rows_of_before_the_chain_can_go_too(self, engine, vault, log):
        sql(engine, "UPDATE audit SET link = NULL")
        sql(engine, "DELETE FROM audit_marks")
        log.record(LAUNCH, "read", ["Goal/1"])
        assert sum(prune(engine, vault, before=4)) == 3
        assert found(engine, vault) == []


class TestALongLog:
    """What is asked of a log of 1,792 rows costs no more than of one of seven: SQLite's own steps are counted."""

    def steps(self, filled, folder, doublings: int, work) -> int:
        file = folder / f"{doublings}.db"
        shutil.copy(filled, file)
        engine = open_database(f"sqlite:///{file}")
        columns = "recorded, event, outcome, person, sealed, own, link"
        for turn in range(doublings):  # younger rows of somebody else
            sql(
                engine,
                f"INSERT INTO audit (number, {columns}) SELECT number + :rows, recorded + 100, event, outcome, "
                "'another', sealed, own, link FROM audit",
                rows=ROWS * 2**turn,
            )
        vault, counted = open_vault(engine, [KEY]), list[None]()
        with writing(engine) as connection:
            end = mark(connection, vault, "head")
            keep(connection, vault, "head", replace(end, number=ROWS * 2**doublings))
        count = lambda: counted.append(None)  # noqa: E731  (SQLite goes on where it returns nothing)
        sa.event.listen(engine, "checkout", lambda driver, *_: driver.set_progress_handler(count, 1))
        work(engine, vault)
        engine.dispose()
        return len(counted)

    @pytest.mark.parametrize(
        "work",
        [
            lambda engine, vault: list(prune(engine, vault, before=6)),
            lambda engine, vault: Audit(engine, vault, lambda: 1.0).pruned("7 rows", "rule"),
            lambda engine, vault: list(Audit(engine, vault, lambda: 1.0).looks(ISSUER, "Patient/anna")),
        ],
        ids=["to remove what is old", "to write a row", "to see who looked"],
    )
    def test_costs_no_more(self, filled, tmp_path, monkeypatch, work):
        monkeypatch.setattr(examining, "PRUNED_AT_ONCE", 2)
        short, long = (self.steps(filled, tmp_path, doublings, work) for doublings in (0, 8))
        assert long < 1.5 * short


def test_writers_at_once_write_one_chain(engine, vault):
    def work(number: int) -> None:
        log = Audit(engine, vault, lambda: number)
        for _ in range(5):
            log.record(LAUNCH, "read", [f"Goal/{number}"])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    examination = Examination(engine, vault, {ISSUER})
    assert (list(examination.findings()), examination.rows) == ([], ROWS + 30)


def test_a_row_of_a_deed_that_was_undone_leaves_no_gap(engine, vault, log):
    with writing(engine, on="outbox") as connection:
        log.record(LAUNCH, "create", ["Goal/8"])
        connection.rollback()
    log.record(LAUNCH, "update", ["Goal/1"])
    examination = Examination(engine, vault, {ISSUER})
    assert (list(examination.findings()), examination.rows) == ([], ROWS + 1)
