"""Scores as files that a server fetches by itself, for those with an `$import`: HL7's Bulk Data Access defines none.

The `Parameters` are those of HAPI FHIR (`BulkDataImportProvider` of 8.8.0): inputFormat, inputSource, storageDetail,
input. They are the fields of the import manifest in SMART's early draft (smart-on-fhir/bulk-import). HAPI updates what
has an id, so each Observation gets one that is made from its identifier: to import twice changes nothing. It does not
look whether a score is there under another id.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import orjson

from mappers.identity import URN
from mappers.observations import full_url
from questionnaires.fhir import Resource
from smartapp.fhir.references import renamed
from smartapp.populations.kept import replaced
from smartapp.populations.write_back import Journal, Refusal, parts_of

NAME: Final = "Observation.ndjson"
REQUEST: Final = "import.json"
_AT_ONCE: Final = 1000


def import_files(source: Path, folder: Path, served_at: str, refuse: Callable[[Refusal], None]) -> tuple[int, int]:
    """Write the Observations of a file, and the request that imports them, into a folder that is served at an address.

    Return how many there are, and how many lines were none of ours; `refuse` is told of each of these. Members come
    before the panel that names them.
    """
    written, refused = 0, 0
    beside = folder / f"{NAME}.part"
    with beside.open("wb") as into:
        for part in parts_of(source, Journal(""), _AT_ONCE):
            refused += len(part.refusals)
            for refusal in part.refusals:
                refuse(refusal)
            for group in part.groups:
                for one in sorted(group.observations, key=lambda each: "hasMember" in each):
                    into.write(orjson.dumps(with_id(one)) + b"\n")
                    written += 1
        into.flush()
        os.fsync(into.fileno())
    beside.replace(folder / NAME)
    replaced(folder / REQUEST, orjson.dumps(request(f"{served_at.rstrip('/')}/{NAME}"), option=orjson.OPT_INDENT_2))
    return written, refused


def with_id(observation: Resource) -> Resource:
    """Return one of our Observations with an id of its own, and what it names among ours by theirs."""
    named = renamed(observation, lambda name: name.replace(URN, "Observation/", 1) if name.startswith(URN) else name)
    return {**named, "id": full_url(observation).removeprefix(URN)}


def request(url: str) -> Resource:
    """Return the Parameters that are sent to `[base]/$import`, with `Prefer: respond-async`."""
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "inputFormat", "valueCode": "application/fhir+ndjson"},
            {"name": "inputSource", "valueUri": url.rpartition("/")[0]},
            {"name": "storageDetail", "part": [{"name": "type", "valueCode": "https"}]},
            {
                "name": "input",
                "part": [{"name": "type", "valueCode": "Observation"}, {"name": "url", "valueUri": url}],
            },
        ],
    }
