"""Scores by Spark or Sail: each task opens its own range of a file, so the driver only hands out ranges and writes.

Files have to be where every worker can open them, under the same name: a shared disk, or this machine. Ranges go in
waves, and while one wave is written the next is being scored; so the driver's memory stays the same at any length. A
cluster may write the scores itself (`folder`): then only counts and refusals come back. An engine on this machine does
so too, to a folder of its own, for to copy from there costs less than to have scores pass through Java.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import chain, groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mappers.bulk import BulkScorer, Refusal
from questionnaires.catalogue import catalogue
from smartapp.populations.pieces import Piece, Pieces, Show, pieces_of
from smartapp.populations.places import Cluster, EngineError
from smartapp.populations.ranges import Part, tasks_of
from smartapp.populations.reading import STDIN, Source
from smartapp.populations.workers import each_once

if TYPE_CHECKING:
    import pyarrow as pa

SIZE: Final = 8 * 1024 * 1024
"""Bytes of a range: a task of Spark costs some milliseconds, beside which a second of scoring is much."""
_EACH: Final = 2  # ranges per core in a wave
_CORES: Final = 2  # where an engine does not tell how many it has

_UNPACKED: Final = "verstel-package"
"""The folder that our wheel is unpacked to on a worker: it reads its own data files, and cannot from a zip."""

_GIVEN: Final = "part int, name string, start long, stop long, size long"
_MADE: Final = (
    "part int, output binary, lines long, taken long, refusals array<struct<line: long, entry: int, reason: string>>"
)


def on_a_cluster(engine: str, sources: Sequence[Source], show: Show, cluster: Cluster) -> Pieces:
    """Score files on a cluster, in order. Raises EngineError, of what can be known now before anything is scored."""
    if any(source.name == STDIN for source in sources):
        raise EngineError(f"{engine} reads files, and its workers cannot open standard input: save it as a file")
    if engine == "spark" and cluster.is_here and not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        raise EngineError("Spark needs Java 17 or newer, and there is none here; --engine sail needs no Java")
    if cluster.folder is not None:
        _ready(cluster.folder)
    return _scored(engine, sources, show, cluster)


def _scored(engine: str, sources: Sequence[Source], show: Show, cluster: Cluster) -> Pieces:
    parts = enumerate(part for task in tasks_of(sources, SIZE) for part in task.parts)
    with _session(engine, cluster) as (session, cores), tempfile.TemporaryDirectory() as ours:
        between = Path(ours) if cluster.is_here and cluster.folder is None else None
        work = _work(show, between or cluster.folder, sent=cluster.package is not None)
        # Spark spreads a list over its cores by itself.
        waves = _waves(session, parts, _EACH * cores, work, spread=engine == "sail")
        yield from each_once(chain.from_iterable(_pieces(made, wave, between) for made, wave in waves))


def _ready(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise EngineError(
                f"{folder} is not empty: name a new one, so that no scores of another run are among these"
            )
    except OSError as error:
        raise EngineError(f"{folder} cannot be written: {error.strerror}") from error


def _waves(
    session: Any, parts: Iterator[tuple[int, Part]], many: int, work: Any, *, spread: bool
) -> Iterator[tuple[pa.Table, dict[int, Part]]]:
    def score(wave: list[tuple[int, Part]]) -> pa.Table:
        rows = [
            (number, str(part.source.path.absolute()), part.start, -1 if part.end is None else part.end, part.size)
            for number, part in wave
        ]
        given = session.createDataFrame(rows, _GIVEN)
        return (given.repartition(len(rows)) if spread else given).mapInArrow(work, _MADE).toArrow()

    # One wave is written while the next one is scored.
    with ThreadPoolExecutor(1) as ahead:
        wave = list(islice(parts, many))
        running = ahead.submit(score, wave) if wave else None
        while running is not None:
            following = list(islice(parts, many))
            made = _ended(running)
            running = ahead.submit(score, following) if following else None
            yield made, dict(wave)
            wave = following


def _ended(running: Any) -> pa.Table:
    try:
        return running.result()
    except Exception as error:  # engines have no error of their own in common
        raise EngineError(f"the engine stopped: {_last_words(error)}") from error


def _pieces(made: pa.Table, wave: dict[int, Part], between: Path | None) -> Pieces:
    """Yield the pieces of a wave in order, with the scores that workers left in a folder `between` them and us."""
    numbers = made.column("part").to_pylist()
    # Stable: rows of one range come one after another, and ranges in any order.
    for number, rows in groupby(sorted(range(len(numbers)), key=numbers.__getitem__), key=numbers.__getitem__):
        source = wave[number].source
        for at in rows:
            [row] = made.slice(at, 1).to_pylist()
            refusals = tuple(Refusal(one["line"], one["entry"], one["reason"]) for one in row["refusals"])
            yield Piece(source, row["output"] or b"", row["lines"], refusals, row["taken"])
        if between is not None:
            with _file_of(between, number).open("rb") as file:
                while block := file.read(SIZE):
                    yield Piece(source, block, 0, (), 0)
            _file_of(between, number).unlink()


def _file_of(folder: Path, number: int) -> Path:
    return folder / f"part-{number:06}.ndjson"


# --- a task -----------------------------------------------------------------------------------------------------


def _work(show: Show, folder: Path | None, *, sent: bool) -> Any:
    """Return what a worker does with ranges, as a function that can travel before our package is there."""
    from pyspark import cloudpickle

    packed, where = cloudpickle.dumps(show), None if folder is None else str(folder.absolute())
    unpacked = _UNPACKED if sent else None

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pickle
        import sys

        from pyspark import SparkFiles

        if unpacked is not None and (place := f"{SparkFiles.getRootDirectory()}/{unpacked}") not in sys.path:
            sys.path.insert(0, place)
        from smartapp.populations.clusters import rows_of

        return rows_of(batches, pickle.loads(packed), where)  # noqa: S301 - it comes from the driver, as this does

    return work


def rows_of(batches: Iterable[pa.RecordBatch], show: Show, folder: str | None) -> Iterator[pa.RecordBatch]:
    """Open and score ranges, on a worker: yield the pieces as rows, or write them to the folder and yield the rest."""
    for batch in batches:
        for row in batch.to_pylist():
            end = None if row["stop"] < 0 else row["stop"]
            part = Part(Source(row["name"]), row["start"], end, row["size"])
            yield from _rows(row["part"], pieces_of(part, _scorer().score, show), folder)


def _rows(number: int, pieces: Pieces, folder: str | None) -> Iterator[pa.RecordBatch]:
    if folder is None:
        for piece in pieces:
            yield _row(number, piece, bytes(piece.output))
        return
    # Under another name until it is whole: a cluster may begin a task twice, and take what ends first.
    whole = _file_of(Path(folder), number)
    begun = whole.with_name(f".{whole.name}.{os.getpid()}")
    with begun.open("wb") as file:
        for piece in pieces:
            file.write(piece.output)
            yield _row(number, piece, None)
    begun.replace(whole)


def _row(number: int, piece: Piece, output: bytes | None) -> pa.RecordBatch:
    import pyarrow as pa

    refusal = pa.struct([("line", pa.int64()), ("entry", pa.int32()), ("reason", pa.string())])
    refusals = [{"line": one.line, "entry": one.entry, "reason": one.reason} for one in piece.refusals]
    return pa.record_batch(
        {
            "part": pa.array([number], pa.int32()),
            "output": pa.array([output], pa.binary()),
            "lines": pa.array([piece.lines], pa.int64()),
            "taken": pa.array([piece.taken], pa.int64()),
            "refusals": pa.array([refusals], pa.list_(refusal)),
        }
    )


@cache
def _scorer() -> BulkScorer:
    # A worker's process does one task after another: what is compiled is kept from one to the next.
    return BulkScorer(catalogue())


# --- a session --------------------------------------------------------------------------------------------------


@contextmanager
def _session(engine: str, cluster: Cluster) -> Iterator[tuple[Any, int]]:
    """Open a session, and say how many cores it has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what versions of each other's they like is no business of who scores
        opened = _spark(cluster) if engine == "spark" else _sail(cluster)
        with opened as both:
            yield both


@contextmanager
def _spark(cluster: Cluster) -> Iterator[tuple[Any, int]]:
    from pyspark.sql import SparkSession

    master = cluster.master or "local[*]"
    if master.startswith("sc://"):
        with _connected(master, cluster) as session:
            yield session, _CORES
        return
    # What a cluster has in its own settings (spark-defaults.conf, spark-submit) stays; these are ours to say.
    builder = (
        SparkSession.builder.master(master)
        .appName("verstel score")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        # A row is a block's scores: few of them are many bytes.
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "1000")
        .config("spark.sql.adaptive.enabled", "false")  # it would join the ranges of a wave into fewer tasks
        .config("spark.driver.maxResultSize", "0")
    )
    if cluster.is_here:
        builder = builder.config("spark.ui.enabled", "false")
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        session = builder.getOrCreate()
    except Exception as error:  # of Java, or of whoever gave the address
        raise EngineError(f"Spark cannot be started at {master}: {_last_words(error)}") from error
    try:
        with _sent(session, cluster.package):
            yield session, session.sparkContext.defaultParallelism
    finally:
        session.stop()


@contextmanager
def _sent(session: Any, package: Path | None) -> Iterator[None]:
    """Have a wheel of ours unpacked on each worker."""
    if package is None:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, f"{_UNPACKED}.zip")  # what it has to be called to be unpacked
        shutil.copyfile(package, archive)
        session.sparkContext.addArchive(f"{archive}#{_UNPACKED}")
        yield


@contextmanager
def _sail(cluster: Cluster) -> Iterator[tuple[Any, int]]:
    if cluster.master is not None:
        with _connected(cluster.master, cluster) as session:
            yield session, _CORES
        return
    os.environ.setdefault("RUST_LOG", "error")  # else it tells each start and end among the refusals
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    try:
        host, port = server.listening_address
        with _connected(f"sc://{host}:{port}", cluster) as session:
            yield session, os.cpu_count() or 1
    finally:
        server.stop()


@contextmanager
def _connected(address: str, cluster: Cluster) -> Iterator[Any]:
    """Join a server by Spark Connect."""
    from pyspark.sql import SparkSession

    if not address.startswith("sc://"):
        raise EngineError(f"--master {address}: that is joined by Spark Connect has an address such as sc://host:50051")
    if cluster.package is not None:
        raise EngineError("a wheel cannot be sent by Spark Connect: install Verstel where the workers are")
    try:
        session = SparkSession.builder.remote(address).getOrCreate()
        _ = session.version
    except Exception as error:
        raise EngineError(f"{address} gives no session: {_last_words(error)}") from error
    try:
        yield session
    finally:
        session.stop()


def _last_words(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__
