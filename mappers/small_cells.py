"""The small-cell rule: what is said of few people could be said of one of them, so it is not said.

One number for everything that leaves the record of one person: research tables, marks for a team, the scores of a
team's clients. It is a choice of this project; the handbook gives no number (a client panel has at most six people).
"""

from __future__ import annotations

from typing import Final

FEWEST: Final = 6
"""So many different people stand behind every number that is shown."""


def enough(people: int) -> bool:
    """Tell whether something may be said of so many different people."""
    return people >= FEWEST
