"""Scores by another engine: DuckDB and Polars in this process, Spark and Sail on many machines; the same bytes.

An engine gives the pieces that `pieces.one_process` gives, cut elsewhere. DuckDB and Polars are handed lines by Arrow,
as whoever has them in a notebook does it, and run Python on one core at a time. Spark and Sail are in `clusters`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mappers.bulk import Refusal, batches_of
from smartapp.populations.pieces import Piece, Pieces, Show
from smartapp.populations.places import Cluster, EngineError
from smartapp.populations.reading import Damaged, Source, blocks_of

if TYPE_CHECKING:
    import pyarrow as pa

ENGINES: Final = ("duckdb", "polars", "spark", "sail")
CLUSTERS: Final = ("spark", "sail")
"""Those that may have workers on other machines."""

_NEEDS: Final = {
    "duckdb": ("duckdb", "pyarrow"),
    "polars": ("polars", "pyarrow"),
    "spark": ("pyspark", "pandas", "pyarrow"),
    "sail": ("pysail", "pyspark", "grpc", "pandas", "pyarrow"),
}
"""The modules that each needs; the extra that brings them has the name of the engine."""


_HERE = Cluster()


def scored_by(engine: str, sources: Sequence[Source], show: Show, cluster: Cluster = _HERE) -> Pieces:
    """Score files by an engine, in order. Raises EngineError, at once where that can be known before."""
    for module in _NEEDS[engine]:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise EngineError(
                f"{engine} needs {module}, which cannot be imported ({error}): pip install 'verstel[{engine}]'"
            ) from error
    if engine in CLUSTERS:
        from smartapp.populations.clusters import on_a_cluster

        return on_a_cluster(engine, sources, show, cluster)
    return _here(sources, _duckdb if engine == "duckdb" else _polars, show)


# --- in this process --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Reading:
    """Lines of a source on their way to an engine, which may be ahead of what it gave back."""

    source: Source
    taken: int = 0
    damage: str = ""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield lines as an engine takes them; damage ends them, and is told when their scores are out."""
        import pyarrow as pa

        number = 0
        try:
            for batch in batches_of(blocks_of(self.source, self._read)):
                numbers = pa.array(range(number, number + len(batch)), pa.int64())
                yield pa.RecordBatch.from_arrays([numbers, pa.array(batch, pa.binary())], schema=lines_schema())
                number += len(batch)
        except Damaged as damaged:
            self.damage = str(damaged)

    def _read(self, size: int) -> None:
        self.taken += size

    def taken_since(self) -> int:
        taken, self.taken = self.taken, 0
        return taken


def lines_schema() -> pa.Schema:
    """Return what DuckDB and Polars are handed: the number of a line in its file, from 0, and the line."""
    import pyarrow as pa

    return pa.schema([("number", pa.int64()), ("line", pa.binary())])


def _here(sources: Iterable[Source], run: _Run, show: Show) -> Pieces:
    for source in sources:
        reading = _Reading(source)
        following = 0
        for batch in run(reading.batches()):
            numbers, observations, refusals = (column.to_pylist() for column in batch.columns)
            if numbers != list(range(following, following + len(numbers))):
                raise EngineError("the engine gave lines back in another order than it got them")
            following += len(numbers)
            made = show(b"".join(one for one in observations if one is not None))
            refused = [
                Refusal(line, each["entry"], each["reason"])
                for line, of_line in enumerate(refusals, start=1)
                for each in of_line
            ]
            yield Piece(source, made, len(numbers), tuple(refused), reading.taken_since())
        if reading.damage:
            yield Piece(source, b"", 0, (Refusal(1, None, reading.damage),), reading.taken_since())


_Run = Callable[[Iterator["pa.RecordBatch"]], Iterator["pa.RecordBatch"]]
"""Lines (`lines_schema`) in; their numbers, Observations and refusals out."""


def _duckdb(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    import duckdb
    import pyarrow as pa
    from duckdb.func import ARROW

    from mappers.arrow import results_of

    with duckdb.connect() as connection:
        # Python runs on one core at a time anyway, and one thread keeps the lines in order.
        connection.execute("SET threads = 1")
        connection.create_function(
            "verstel",
            lambda lines: results_of(lines),  # noqa: PLW0108 - it counts the parameters
            ["BLOB"],
            "STRUCT(observations BLOB, refusals STRUCT(entry INTEGER, reason VARCHAR)[])",
            type=ARROW,
            null_handling="special",
        )
        given = connection.from_arrow(pa.RecordBatchReader.from_batches(lines_schema(), batches))
        made = given.project("number, verstel(line) AS made").project("number, made.observations, made.refusals")
        yield from made.to_arrow_reader(2048)


def _polars(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    import polars as pl
    from polars.io.plugins import register_io_source

    from mappers.arrow import scored

    def lines(*_asked: object) -> Iterator[pl.DataFrame]:
        for batch in batches:
            yield pl.DataFrame(pl.from_arrow(batch))

    def score(frame: pl.DataFrame) -> pl.DataFrame:
        return pl.DataFrame(pl.from_arrow(list(scored(frame.to_arrow().to_batches()))))

    refusals = pl.List(pl.Struct({"entry": pl.Int32, "reason": pl.String}))
    given = register_io_source(lines, schema={"number": pl.Int64, "line": pl.Binary})
    made = given.map_batches(
        score, schema={"number": pl.Int64, "observations": pl.Binary, "refusals": refusals}, streamable=True
    )
    for frame in made.collect_batches(lazy=True, maintain_order=True, engine="streaming"):
        yield from frame.to_arrow().to_batches()
