"""How the log of access grows: what a row, a page, a check and a removal cost among few rows and among many.

    python -m benchmarks.log [--rows 3000] [--times 10] [--postgresql]
    python -m benchmarks.log --rows 10000000 --database URL [--only fill]

The first compares a log of so many rows with one some times as long, on SQLite or PostgreSQL, and ends with exit code 1
where a row, a page or a removal takes more than five times as long, or a check more memory. The second fills one
database that stays, on from where it is, and measures it: for sizes that take an hour. Rows are written by the chain's
own functions, many in a transaction; every hundred are about one person, whom two others looked at.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import islice
from typing import Final

import orjson
from cryptography.fernet import Fernet
from sqlalchemy.engine import Engine

from benchmarks.growth import databases
from mappers.audit import AuditEntry, audit_event
from smartapp.storage.audit import Audit, person_digest
from smartapp.storage.chain import AUDIT, Mark, keep, link_of, mark
from smartapp.storage.database import open_database, reading, writing
from smartapp.storage.examining import Examination, prune
from smartapp.storage.vault import Vault, open_vault

ISSUER: Final = "https://ehr.example/fhir"
BEGAN: Final = 1_600_000_000  # the first row; one each ten seconds
EACH: Final = 10
A_PERSON: Final = 100  # rows
TRIES: Final = 200
MOST: Final = 5.0  # times as long, in a log ten times as long: a busy machine alone makes it two
MOST_MEGABYTES: Final = 50.0
AT_ONCE: Final = 10_000
PARTS: Final = ("fill", "append", "look", "day", "verify", "export", "prune")


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured: a time in milliseconds, that of one row or page; and by how many MB memory grew meanwhile."""

    milliseconds: float
    megabytes: float


def entry(number: int) -> AuditEntry:
    """Return the row with a number: of every hundred four fifths are the client's own."""
    own = number % 5 != 0
    person = f"Patient/p{number // A_PERSON}"
    return AuditEntry(
        recorded=BEGAN + number * EACH,
        event="update" if own else "read",
        outcome="0",
        reason="",
        issuer=ISSUER,
        user=person if own else f"Practitioner/{number % 2}",
        user_name="Somebody With A Name",
        role="client" if own else "clinician",
        subject="a-subject-of-the-identity-provider",
        patient=person,
        address="192.0.2.7",
        objects=("Goal/0b8a6c4e-6a5c-4f0e-9d43-6c1d0a4c9f11", "CarePlan/4f0e9d43-6a5c-4f0e-9d43-6c1d0a4c9f11"),
    )


def fill(engine: Engine, vault: Vault, rows: int) -> None:
    """Go on with the log until it has so many rows."""
    with reading(engine) as connection:
        end = mark(connection, vault, "head") or Mark(0, "", 0)
    person = lru_cache(maxsize=9)(partial(person_digest, vault, ISSUER))
    for first in range(end.number + 1, rows + 1, AT_ONCE):
        some = []
        for number in range(first, min(first + AT_ONCE, rows + 1)):
            row = _row(vault, end, entry(number), person)
            end = replace(end, number=number, link=row["link"])
            some.append(row)
        with writing(engine) as connection:
            connection.execute(AUDIT.insert(), some)
            keep(connection, vault, "head", end)


def _row(vault: Vault, end: Mark, one: AuditEntry, person: Callable[[str], str]) -> dict[str, object]:
    values = {"recorded": one.recorded, "event": one.event, "outcome": one.outcome, "own": int(one.role == "client")}
    number, plain = end.number + 1, orjson.dumps(one)
    link, sealed = link_of(vault, end.link, number, values, plain), vault.seal_bytes(plain)
    return {**values, "number": number, "person": person(one.patient), "link": link, "sealed": sealed}


def append(log: Audit, _rows: int) -> Iterator[float]:
    """Yield the seconds of each row that is written."""
    for _ in range(TRIES):
        with _timed() as seconds:
            log.pruned("0 rows", "none: this is a benchmark")
        yield seconds[0]


def look(log: Audit, rows: int) -> Iterator[float]:
    """Yield the seconds of each first page of "Who looked", of people over the whole log."""
    for turn in range(TRIES):
        person = f"Patient/p{turn * rows // TRIES // A_PERSON}"
        with _timed() as seconds:
            found = list(islice(log.looks(ISSUER, person), 51))
        if not found:
            raise RuntimeError(f"Nobody looked at {person}, so the time means nothing.")
        yield seconds[0]


def verify(engine: Engine, vault: Vault) -> Iterator[float]:
    """Yield the seconds of a row, of a walk over the whole chain."""
    examination = Examination(engine, vault, {ISSUER})
    with _timed() as seconds:
        found = list(examination.findings())
    if found:
        raise RuntimeError(f"The log is broken: {found[0]}")
    print(f"    {examination.rows:,} rows were checked in {seconds[0]:,.0f} s")
    yield seconds[0] / examination.rows


def export(log: Audit, *, since: int = 0) -> Iterator[float]:
    """Yield the seconds of a row, of an export."""
    with _timed() as seconds:
        rows = sum(1 for each in log.entries(since=since) if orjson.dumps(audit_event(each)))
    print(f"    {rows:,} rows were exported in {seconds[0]:,.1f} s")
    yield seconds[0] / max(1, rows)


def remove(engine: Engine, vault: Vault, rows: int) -> Iterator[float]:
    """Yield the seconds of each block that is removed, of the older half."""
    blocks = prune(engine, vault, BEGAN + rows // 2 * EACH)
    removed = True
    while removed:
        with _timed() as seconds:
            removed = next(blocks, 0) > 0
        yield seconds[0]


@contextmanager
def _timed() -> Iterator[list[float]]:
    taken: list[float] = []
    started = time.perf_counter()
    yield taken
    taken.append(time.perf_counter() - started)


def measured(engine: Engine, keys: list[str], rows: int, only: set[str]) -> Iterator[tuple[str, Figure]]:
    """Fill a log and yield what each part cost."""
    vault = open_vault(engine, keys)
    log = Audit(engine, vault, time.time)
    print(f"  {engine.dialect.name}, {rows:,} rows")
    last_day = BEGAN + (rows - 24 * 3600 // EACH) * EACH
    parts: dict[str, tuple[tuple[str, Callable[[], Iterator[float]]], ...]] = {
        "append": (("write a row", lambda: append(log, rows)),),
        "look": (("read a page of who looked", lambda: look(log, rows)),),
        "day": (("export a row of the last day", lambda: export(log, since=last_day)),),
        "verify": (("verify a row", lambda: verify(engine, vault)),),
        "export": (("export a row", lambda: export(log)),),
        "prune": (
            ("remove a block", lambda: remove(engine, vault, rows)),
            ("verify a row of what is left", lambda: verify(engine, vault)),
        ),
    }
    if "fill" in only:
        fill(engine, vault, rows)
    for name, steps in parts.items():
        for what, step in steps if name in only else ():
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            times = list(step())
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            figure = Figure(statistics.median(times) * 1000, grown)
            print(
                f"    {what:32}{figure.milliseconds:>9.3f} ms  (at most {max(times) * 1000:.1f}, "
                f"together {sum(times):.1f} s) {grown:+.0f} MB",
                flush=True,
            )
            yield what, figure


def compared(urls: tuple[str, str], rows: int, times: int) -> bool:
    """Measure a log and one some times as long; say whether the second costs no more."""
    keys, found = [Fernet.generate_key().decode()], []
    for url, size in zip(urls, (rows, rows * times), strict=True):
        engine = open_database(url)
        try:
            found.append(dict(measured(engine, keys, size, set(PARTS))))
        finally:
            engine.dispose()
    few, many = found
    slower = [name for name in few if many[name].milliseconds > MOST * few[name].milliseconds]
    larger = [name for name in many if many[name].megabytes > MOST_MEGABYTES]
    for name in (*slower, *larger):
        print(f"To {name} costs more in a log that is {times} times as long.", file=sys.stderr)
    return not slower and not larger


def main() -> int:
    """Compare two sizes, or measure one database that stays."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_000, help="rows of the shorter log, or of --database (3,000)")
    parser.add_argument("--times", type=int, default=10, help="how many times as long the other one is (10)")
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL, where it is installed, too")
    parser.add_argument("--database", help="fill and measure this database, and leave it there")
    parser.add_argument("--keys", help="with --database: an encryption key of VERSTEL_ENCRYPTION_KEYS")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="with --database: these parts only")
    given = parser.parse_args()
    if given.database and not given.keys:
        parser.error("--database needs --keys: the key with which its log is sealed, or a new one for a new log")
    if given.database:
        engine = open_database(given.database)
        list(measured(engine, [given.keys], given.rows, set(given.only)))
        engine.dispose()
        return 0
    with databases(postgresql=given.postgresql) as pairs:
        held = [compared(urls, given.rows, given.times) for urls in pairs]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
