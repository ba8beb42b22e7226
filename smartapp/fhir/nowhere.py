"""An EHR that is not asked: for work that nobody has signed in for, and so nobody has a token for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from questionnaires.fhir import Resource
from smartapp.fhir.store import Query, Stored, Unauthorized, Write


class Nowhere:
    """A RecordStore that offers nothing."""

    def capabilities(self) -> Resource:
        """Say that there is nothing to be had."""
        return {"resourceType": "CapabilityStatement", "rest": [{"mode": "server", "resource": []}]}

    def read(self, _type: str, _id: str, /) -> Stored:
        """Raise Unauthorized."""
        _not_signed_in()

    def history(self, _type: str, _id: str, /) -> list[Stored]:
        """Raise Unauthorized."""
        _not_signed_in()

    def search(self, _query: Query, /) -> list[Stored]:
        """Raise Unauthorized."""
        _not_signed_in()

    def write(self, _write: Write, /) -> Stored:
        """Raise Unauthorized."""
        _not_signed_in()

    def write_all(self, _writes: Sequence[Write], /) -> list[Stored]:
        """Raise Unauthorized."""
        _not_signed_in()


def _not_signed_in() -> NoReturn:
    raise Unauthorized("Nobody has signed in, so there is no token for this record system.")
