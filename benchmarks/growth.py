"""How our own FHIR store grows: the time of a search and the bytes per person, with few people in it and with many.

    python -m benchmarks.growth [--few 1000] [--many 40000] [--no-postgresql]

Each person has the same nine resources, made by the app's own code. A search about one person must take as long among
many as among few: what is printed is that ratio, of medians measured in turn, on SQLite and, where it is installed, on
PostgreSQL. The few are written through the store; the others are copies of their rows with other terms, as many, as
large and as shared as the store would have made them. Exit code 1 where a search takes more than twice as long.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson
import sqlalchemy as sa
from cryptography.fernet import Fernet
from sqlalchemy.engine import Engine

from questionnaires.fhir import Resource
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.own.tables import resources
from smartapp.fhir.store import Query, Write
from smartapp.sandbox import make_sandbox
from smartapp.sandbox.seeding import seed
from smartapp.storage.database import open_database, writing
from smartapp.storage.vault import open_vault
from tests.conformance.databases import binaries, server

BASE: Final = "https://verstel.example/own"
WRITER: Final = "marlies"  # the made-up person whose resources everyone gets
KINDS: Final = {"CarePlan": 1, "Goal": 2, "Task": 2, "QuestionnaireResponse": 1, "Observation": 3}
TRIES: Final = 200
MOST: Final = 2.0  # a search among many may take this many times the time among few
_UUID: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def resources_of_one() -> list[Resource]:
    """Return the nine resources of one person, as the app writes them."""
    engine = open_database("sqlite://")
    try:
        sandbox = make_sandbox(engine, "http://127.0.0.1:1", clients=())
        seed(sandbox, datetime(2026, 11, 26, 12, tzinfo=UTC))
        found = [sandbox.store.search(Query.of(type_, patient=WRITER))[:many] for type_, many in KINDS.items()]
        return [one.resource for some in found for one in some]
    finally:
        engine.dispose()


def person(template: Sequence[Resource], number: int) -> list[Write]:
    """Return the writes of one person: the same resources, with their own ids and names."""
    names = uuid.UUID(int=number)
    text = orjson.dumps(list(template)).replace(f"Patient/{WRITER}".encode(), f"Patient/p{number}".encode())
    text = _UUID.sub(lambda match: str(uuid.uuid5(names, match[0].decode())).encode(), text)
    return [Write("update", resource) for resource in orjson.loads(text)]


def fill(store: OwnStore, template: Sequence[Resource], numbers: range) -> None:
    """Add people, a few at once so that it does not take all day."""
    for start in range(numbers.start, numbers.stop, 20):
        some = range(start, min(start + 20, numbers.stop))
        store.write_all([write for number in some for write in person(template, number)])


def multiply(store: OwnStore, few: int, times: int) -> None:
    """Copy the rows of all `few` people until there are `times` as many; what people share they still share."""
    with writing(store.engine) as connection:
        last = connection.execute(sa.select(sa.func.max(resources.c.key))).scalar_one()
        connection.exec_driver_sql("CREATE TABLE shared (term BIGINT PRIMARY KEY)")
        connection.exec_driver_sql(
            f"INSERT INTO shared SELECT term FROM resource_terms GROUP BY term HAVING count(*) >= {few // 2}"
        )
    for copy in range(1, times):
        shift, other = f"{copy} * {last}", copy * 0x9E3779B97F4A7C15 % 2**63
        with writing(store.engine) as connection:
            for statement in (
                f"INSERT INTO resources SELECT key + {shift}, type, id || '-{copy}', version, tenant FROM resources",
                f"INSERT INTO resource_versions SELECT resource + {shift}, version, content FROM resource_versions",
                f"INSERT INTO resource_dates SELECT resource + {shift}, param, low, high FROM resource_dates",
                "INSERT INTO resource_terms SELECT CASE WHEN term IN (SELECT term FROM shared) THEN term "
                f"ELSE (term | {other}) - (term & {other}) END, resource + {shift} FROM resource_terms",
            ):
                column = "key" if "INTO resources " in statement else "resource"
                connection.exec_driver_sql(f"{statement} WHERE {column} <= {last}")


def searches(template: Sequence[Resource]) -> dict[str, Callable[[int], Query]]:
    """Return the searches that are timed; each is about the person with this number."""

    def own(number: int, type_: str) -> Resource:
        return next(one.resource for one in person(template, number) if one.resource["resourceType"] == type_)

    def identifier(number: int) -> str:
        one = own(number, "QuestionnaireResponse")["identifier"]
        return f"{one['system']}|{one['value']}"

    return {
        "Goal by patient": lambda number: Query.of("Goal", patient=f"p{number}"),
        "CarePlan by patient, category": lambda number: Query.of(
            "CarePlan", patient=f"p{number}", category="recovery-plan"
        ),
        "Observation by patient, survey": lambda number: Query.of(
            "Observation", patient=f"p{number}", category="survey"
        ),
        "Observation by patient, newest": lambda number: Query.of("Observation", patient=f"p{number}", _sort="-date"),
        "Response by identifier": lambda number: Query.of("QuestionnaireResponse", identifier=identifier(number)),
    }


def milliseconds(stores: Sequence[OwnStore], asked: Callable[[int], Query], people: int) -> list[float]:
    """Return the median time of a search per store, asked in turn; each must find something."""
    times: list[list[float]] = [[] for _ in stores]
    for turn in range(TRIES):
        query = asked(turn * people // TRIES)
        for store, taken in zip(stores, times, strict=True):
            started = time.perf_counter()
            found = store.search(query)
            taken.append(time.perf_counter() - started)
            if not found:
                raise RuntimeError(f"{query} found nothing, so its time means nothing.")
    return [statistics.median(taken) * 1000 for taken in times]


def size(engine: Engine) -> int:
    """Return the bytes that the database takes, once all is where it stays."""
    if engine.dialect.name == "postgresql":
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
            return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())
    with closing(engine.raw_connection()) as driver:
        driver.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(engine.url.database or "").stat().st_size


def measured(urls: Sequence[str], few: int, times: int) -> Iterator[float]:
    """Fill two databases, print what was measured, and yield the ratio of each search."""
    template, engines = resources_of_one(), [open_database(url) for url in urls]
    keys = [Fernet.generate_key().decode()]
    stores = [OwnStore(one, BASE, tenant="own|growth", vault=open_vault(one, keys)) for one in engines]
    try:
        empty = size(engines[0])
        for store in stores:
            fill(store, template, range(few))
        kilobytes = (size(engines[0]) - empty) / few / 1000
        multiply(stores[1], few, times)
        size(engines[1])
        print(f"\n{engines[0].dialect.name}: {kilobytes:.1f} kB a person for {len(template)} resources\n")
        print(f"{'milliseconds':32}{few:>10,}{few * times:>10,}{'ratio':>8}")
        for name, query in searches(template).items():
            before, after = milliseconds(stores, query, few)
            print(f"{name:32}{before:>10.2f}{after:>10.2f}{after / before:>8.2f}")
            yield after / before
    finally:
        for engine in engines:
            engine.dispose()


@contextmanager
def databases(*, postgresql: bool) -> Iterator[list[tuple[str, str]]]:
    """Yield the addresses of two empty databases of SQLite, and of PostgreSQL where it is installed."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="verstel-growth-"))
        pairs = [(f"sqlite:///{folder}/few.db", f"sqlite:///{folder}/many.db")]
        programs = binaries() if postgresql else None
        if programs is not None:
            pairs.append(_two_on(stack.enter_context(server(programs))))
        yield pairs


def _two_on(url: str) -> tuple[str, str]:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE few")
        connection.exec_driver_sql("CREATE DATABASE many")
    engine.dispose()
    base = url.rpartition("/")[0]
    return f"{base}/few", f"{base}/many"


def main() -> int:
    """Measure each kind of database and say whether a search stays as fast as it was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=1_000, help="people at first (1,000)")
    parser.add_argument("--many", type=int, default=40_000, help="people at last (40,000), some times as many")
    parser.add_argument("--no-postgresql", action="store_true", help="measure SQLite only")
    given = parser.parse_args()
    with databases(postgresql=not given.no_postgresql) as pairs:
        ratios = [ratio for urls in pairs for ratio in measured(urls, given.few, given.many // given.few)]
    if max(ratios) <= MOST:
        return 0
    print(f"A search takes more than {MOST:g} times as long among {given.many:,} people.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
