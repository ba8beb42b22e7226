"""How much each part tries: enough of it in every run, and all of it in a whole one (`make conformance-whole`).

Every run, which is CI's, plays each part. What is drawn at random is drawn less often (rules as in `make test`), IBM's
engine looks at Dutch, and journeys in a browser are walked on two of three FHIR servers. The pages about strangers and
renderers are written by a whole run.
"""

from __future__ import annotations

import os

VARIABLE = "VERSTEL_CONFORMANCE"
WHOLE = os.environ.get(VARIABLE) == "whole"

SIZES = {
    # part: how many, in every run and in a whole one
    "histories of faults": (120, 2000),
    "killed processes, per database": (15, 150),
    "pages of mutated records": (400, 2500),
    "responses per instrument in a renderer": (50, 200),
    "lines of a population": (4000, 20_000),
    "seconds of saving": (30, 60),
    "languages under IBM's engine": (1, 2),
    "servers on which journeys are walked": (2, 3),
}


def size(what: str) -> int:
    """Return how many of something this run tries."""
    return SIZES[what][WHOLE]
