"""Run views with fhir4ds on DuckDB: `python duck.py JOB RESULT`; both files are JSON, see `run.py`.

It runs in an environment of its own, which has nothing of ours: the engine is AGPL, and only a tool here.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any


def main(job_file: Path, result_file: Path) -> None:
    """Make a table of each view, ask the queries of them, and write down what came out."""
    fhir4ds = importlib.import_module("fhir4ds")
    loader = importlib.import_module("fhir4ds.cql.loader")
    job = json.loads(job_file.read_text("utf-8"))
    connection = fhir4ds.create_connection()
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder, "resources.ndjson")
        lines.write_text("".join(f"{json.dumps(one)}\n" for one in job["resources"]), encoding="utf-8")
        loader.FHIRDataLoader(connection).load_ndjson(str(lines))
    tables = {}
    for view in job["views"]:
        # The engine knows version 2, in which the type is that of a logical model, or not said.
        version_2 = {name: value for name, value in view.items() if name != "resourceType"}
        sql = fhir4ds.generate_view_sql(json.dumps(version_2)).rstrip().rstrip(";")
        connection.execute(f"CREATE TABLE {view['name']} AS {sql}")
        tables[view["name"]] = _rows(connection, f"SELECT * FROM {view['name']}")
    queries = [_rows(connection, query) for query in job["queries"]]
    loaded = "SELECT extension_name FROM duckdb_extensions() WHERE loaded"
    native = any(name == "fhirpath" for (name,) in connection.execute(loaded).fetchall())
    result_file.write_text(json.dumps({"tables": tables, "queries": queries, "native": native}), encoding="utf-8")


def _rows(connection: Any, query: str) -> list[dict[str, Any]]:
    found = connection.execute(query)
    names = [one[0] for one in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
