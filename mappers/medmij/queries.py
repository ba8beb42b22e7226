"""What a PGO asks, letter for letter, as `queries.toml` has it, and how what was asked is recognised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final, Literal

from questionnaires.model import Text
from questionnaires.reading import DefinitionError, FilePlace, OneLine, Strict, read

QUERIES: Final = Path(__file__).with_name("queries.toml")
CARE: Final = "50"
DOCUMENTS: Final = "51"
"""The two services of MedMij that are answered: mental health care, and documents."""


class PgoQuery(Strict, frozen=True):
    """One query: its service, its name there, what is asked, and the profile that an answer must state.

    `ours` tells how much of it is ours to answer, `why` what that is, or why it is nothing.
    """

    service: Literal["50", "51"]
    id: OneLine
    path: OneLine
    profile: OneLine
    ours: Literal["whole", "part", "no"]
    why: Text

    @property
    def asked(self) -> str:
        """Return what is asked for, without parameters: `Observation` or `Observation/$lastn`."""
        return self.path.partition("?")[0].lstrip("/")

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Return the parameters, in the order of the path."""
        return tuple(_pair(one) for one in self.path.partition("?")[2].split("&") if one)


class _File(Strict, frozen=True):
    queries: tuple[PgoQuery, ...]


@cache
def queries(path: Path = QUERIES) -> tuple[PgoQuery, ...]:
    """Return all queries, in the order of the file; DefinitionError names file and key."""
    found = read(path, _File).queries
    seen: set[str] = set()
    for place, one in FilePlace(path.name).each("queries", found):
        if not one.path.startswith("/"):
            raise place.error("path", f"is {one.path!r}; begin it with /")
        for key, value in (("id", f"{one.service} {one.id}"), ("path", one.path)):
            if value in seen:
                raise place.error(key, f"is {getattr(one, key)!r}, which an earlier query has already")
            seen.add(value)
    if not found:
        raise DefinitionError(path.name, "queries", "is empty; write what is asked")
    return found


def query_of(service: str, asked: str, parameters: Iterable[tuple[str, str]]) -> PgoQuery | None:
    """Return the query that was asked, whatever the order of its parameters; None for any other, however alike."""
    given = Counter(parameters)
    found = (one for one in queries() if (one.service, one.asked) == (service, asked))
    return next((one for one in found if Counter(one.parameters) == given), None)


def _pair(parameter: str) -> tuple[str, str]:
    name, _, value = parameter.partition("=")
    return name, value
