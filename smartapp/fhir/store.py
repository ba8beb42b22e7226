"""The seam: what the app asks of any place that keeps FHIR resources, whichever server or database it is.

The errors, drawn. Each carries an HTTP `status` and a `message` that is safe to show (it names no person):

    RecordError
    ├── Unreachable     no answer, or an answer that is not FHIR (may be tried again)
    ├── Unauthorized    401: the token is not, or no longer, good
    ├── Forbidden       403: outside what was granted
    ├── NotFound        404
    ├── Gone            410: was there, was deleted
    ├── Conflict        409 or 412: someone else wrote in between; carries `current`
    └── Refused         any other 4xx: this content or question will not be accepted as it is
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from mappers.tolerant import object_in, text_in
from questionnaires.fhir import Resource


@dataclass(frozen=True, slots=True)
class Stored:
    """A resource as a store keeps it, with the tag of this version (`W/"3"`), or None where the store gives none.

    As the answer to a create, `created` is False where the store says that it was there already: then `resource` is
    what is there, and may say something else than what was sent. True means made now, None that the store did not say.
    """

    resource: Resource
    etag: str | None = None
    created: bool | None = field(default=None, compare=False)

    @property
    def reference(self) -> str:
        """Return the relative reference, `Type/id`."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"

    @property
    def versioned(self) -> str:
        """Return the reference to this very version, `Type/id/_history/3`; without it where there is none."""
        return versioned(self.resource)


def versioned(resource: Resource) -> str:
    """Return the reference to this very version of a resource that a store gave."""
    reference = f"{resource['resourceType']}/{resource['id']}"
    version = text_in(object_in(resource, "meta"), "versionId")
    return f"{reference}/_history/{version}" if version else reference


MOST_RESULTS = 2000
"""What a search may bring in all: far more than any page shows, and little enough to hold."""


class Found(list[Stored]):
    """The matches of a search; `cut` where there are more, as only a query that says how many (`most`) can meet."""

    def __init__(self, found: Iterable[Stored] = (), *, cut: bool = False) -> None:
        super().__init__(found)
        self.cut = cut


def is_cut(found: Sequence[Stored]) -> bool:
    """Tell whether a search brought less than there is."""
    return isinstance(found, Found) and found.cut


@dataclass(frozen=True, slots=True)
class Query:
    """A search: a resource type and its parameters in order, such as `("patient", "Patient/1")`.

    With `most` it asks for so many and no more, for what grows with the years; without, for every match.
    """

    type: str
    params: tuple[tuple[str, str], ...] = ()
    most: int | None = None

    @classmethod
    def of(cls, type: str, params: Mapping[str, str] | None = None, /, **more: str) -> Query:
        """Make a query from a mapping or keywords: `Query.of("Goal", patient="Patient/1", _sort="-start-date")`."""
        return cls(type, (*(params or {}).items(), *more.items()))

    @classmethod
    def newest(cls, most: int, type: str, by: str, **params: str) -> Query:
        """Make a query for the newest so many, by a date parameter such as `date` or `authored`."""
        return cls(type, (*params.items(), ("_sort", f"-{by}"), ("_count", str(most))), most)

    @property
    def by(self) -> str:
        """Return the parameter by which the newest come first, "" where no order is asked."""
        asked = dict(self.params).get("_sort", "")
        return asked.removeprefix("-") if asked.startswith("-") else ""


@dataclass(frozen=True, slots=True)
class Write:
    """One resource to create or update.

    `if_match` (an etag) guards an update, `if_none_exist` (a search, `identifier=system|value`) makes a create happen
    once, `full_url` (`urn:uuid:…`) is the name by which other writes of the same unit refer to this one. A create with
    a `new_id` is a PUT to that id with `If-None-Match: *`, for stores that let a client choose ids. `living` tells that
    it is made to be changed later, so a place that only creates its type can't keep it. `only_here`: it is for our own
    store alone, such as what the client shares with whom.
    """

    method: Literal["create", "update"]
    resource: Resource
    if_match: str | None = None
    if_none_exist: str | None = None
    full_url: str | None = None
    new_id: str | None = None
    living: bool = False
    only_here: bool = False

    @classmethod
    def once(
        cls,
        resource: Resource,
        *,
        identifier: str,
        full_url: str | None = None,
        living: bool = False,
        only_here: bool = False,
    ) -> Write:
        """Make a create that happens once, however often it is sent: `identifier` is `system|value` of the resource."""
        once = f"identifier={identifier}"
        return cls("create", resource, if_none_exist=once, full_url=full_url, living=living, only_here=only_here)


class RecordStore(Protocol):
    """A place that keeps FHIR resources. Every method raises RecordError and nothing else."""

    def capabilities(self) -> Resource:
        """Return the CapabilityStatement."""

    def read(self, type: str, id: str, /) -> Stored:
        """Return one resource, or raise NotFound or Gone."""

    def history(self, type: str, id: str, /) -> list[Stored]:
        """Return the versions of one resource, the newest first, as far back as the store and a bound let us read.

        Raises NotFound, Gone, or Refused where the store gives no earlier versions.
        """

    def search(self, query: Query, /) -> list[Stored]:
        """Return every match (and what `_include` asks for), following the store's own pages within a bound.

        A query with `most` gets the newest so many as `Found`. For any other, more than MOST_RESULTS is Refused: half
        of the matches would look like all of them.
        """

    def write(self, write: Write, /) -> Stored:
        """Write one resource. Raises Conflict (stale `if_match`) or Refused."""

    def write_all(self, writes: Sequence[Write], /) -> list[Stored]:
        """Write all or nothing, in one transaction; references to a `full_url` become real ones."""


class RecordError(Exception):
    """A store did not do what was asked. The message names what was found, where and what to do; never a person."""

    status = 500

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        outcome: Resource | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = type(self).status if status is None else status
        self.outcome = outcome
        # After how many seconds the store wants to be asked again; None where it did not say so.
        self.retry_after = retry_after
        # Which write of a unit it was about, counted from 0; None where it was the unit as a whole.
        self.unit_index: int | None = None


class Unreachable(RecordError):
    """The store gave no answer, or one that is not FHIR. Trying again later may work."""

    status = 503


class Unauthorized(RecordError):
    """The token is missing, ended or wrong."""

    status = 401


class Forbidden(RecordError):
    """What was asked lies outside what was granted."""

    status = 403


class NotFound(RecordError):
    """There is no such resource, or not for us."""

    status = 404


class Gone(RecordError):
    """The resource was there and has been deleted."""

    status = 410


class Conflict(RecordError):
    """Someone else wrote in between. `current` is what is stored now, None where the store does not say."""

    status = 412

    def __init__(
        self,
        message: str,
        current: Stored | None,
        *,
        status: int | None = None,
        outcome: Resource | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, status=status, outcome=outcome, retry_after=retry_after)
        self.current = current


class Refused(RecordError):
    """The store will not accept this content or this question as it is."""

    status = 422


def operation_outcome(code: str, text: str, *, severity: str = "error") -> Resource:
    """Return an OperationOutcome with one issue; `code` is from FHIR's issue types, such as `not-found`."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "details": {"text": text}, "diagnostics": text}],
    }
