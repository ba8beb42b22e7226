"""Score a table of lines as somebody with a cluster does it in a notebook: `notebook.py ENGINE FILE OUT`.

Run in the environment that has the engines. Writes the scores of all lines, in the order of their numbers; and exits
with 1 unless the table of scores has a row for each of those Observations that is no panel.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from mappers.arrow import RESULT_SQL, SCORES_SQL, scored, scores


def main(engine: str, file: str, out: str) -> int:
    """Score the lines of a file; return the exit code."""
    server, session = _session(engine)
    rows = list(enumerate(Path(file).read_bytes().removesuffix(b"\n").split(b"\n")))
    lines = session.createDataFrame(rows, "number long, line binary").repartition(4)
    made = lines.mapInArrow(scored, f"number long, {RESULT_SQL}")
    table = made.toArrow().sort_by("number")
    written = b"".join(one for one in table.column("observations").to_pylist() if one)
    Path(out).write_bytes(written)
    counted = made.mapInArrow(scores, f"number long, {SCORES_SQL}").count()
    expected = sum(b'"hasMember"' not in one for one in written.splitlines())
    session.stop()
    if server is not None:
        server.stop()
    return 0 if counted == expected else 1


def _session(engine: str) -> tuple[Any, Any]:
    """Return a session and the server that it is at, which stops where nobody holds it; None for Spark's own."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - it is in the environment of the engines alone

    if engine == "spark":
        os.environ["PYSPARK_PYTHON"] = sys.executable
        return None, SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    from pysail.spark import SparkConnectServer  # noqa: PLC0415

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    host, port = server.listening_address
    return server, SparkSession.builder.remote(f"sc://{host}:{port}").getOrCreate()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
