"""Scores written to a server: Observations of a file, many at a time, each of them once.

What belongs to one response (its scores, and the panel that names them) is written as a whole or told as refused. How
far it came stands beside the file, with a digest of what was done, so that the same command goes on there, and a file
that was made anew since is begun anew. What was under way when a run ended is sent again: the server finds each
Observation by our identifier, or where it can't do that by itself it is asked first.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import orjson

from mappers.bulk import LONGEST_LINE
from mappers.identity import values_in
from mappers.observations import IDENTIFIER_SYSTEM, SCORE_SYSTEM, full_url
from mappers.tolerant import code_in, object_in, objects_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.capabilities import Offered, read_offered
from smartapp.fhir.references import renamed
from smartapp.fhir.remote import RemoteStore
from smartapp.fhir.store import (
    Conflict,
    Forbidden,
    NotFound,
    Query,
    RecordError,
    Refused,
    Stored,
    Unauthorized,
    Unreachable,
    Write,
)
from smartapp.populations.kept import replaced
from smartapp.populations.reading import pieces_of

MOST_TRIES: Final = 6
FIRST_WAIT_SECONDS: Final = 2
_NO_TRANSACTIONS: Final = frozenset({405, 501})  # not allowed, not implemented: nothing of it was done
LOOKED_UP: Final = 30
"""Identifiers that are asked for at once: they must fit into one address."""

_MOST_REFUSALS: Final = 10_000  # that are held at once
_TOO_LONG: Final = f"longer than {LONGEST_LINE // 1024 // 1024} MB: no Observation of ours is"
_OTHER: Final = "not an Observation with a score identifier of ours: nothing else is written"
_DIFFERS: Final = "another number is stored for it: somebody changed the answers or the score. Look with --verify"
_DELETED: Final = "its response was deleted on the server"


class Journal(msgspec.Struct):
    """How far a file was written to a server: so many bytes of it, with their digest, and what came of them.

    `rejects` is how long the file of refusals then was.
    """

    server: str
    offset: int = 0
    digest: str = hashlib.sha256().hexdigest()
    lines: int = 0
    written: int = 0
    there: int = 0
    refused: int = 0
    rejects: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was not written: the line where it begins (from 1), and why."""

    line: int
    reason: str


@dataclass(slots=True)
class Group:
    """The Observations of one response, as they stand in a file from `line` on."""

    line: int
    key: str
    observations: list[Resource] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Part:
    """Some groups, and where the file goes on behind them: after so many bytes with this digest, and so many lines."""

    groups: tuple[Group, ...]
    refusals: tuple[Refusal, ...]
    offset: int
    digest: str
    lines: int


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one part."""

    written: int
    there: int
    refusals: tuple[Refusal, ...]


class WriteBack:
    """Writes groups to one server. `wait` (seconds) is how it waits before it tries again.

    `tell` hears in a sentence what the operator should know of the server.
    """

    def __init__(
        self,
        store: RemoteStore,
        wait: Callable[[float], None],
        there: There | None = None,
        tell: Callable[[str], None] = lambda _words: None,
    ) -> None:
        self._store = store
        self._wait = wait
        self._tell = tell
        self._there = there
        self._offered: Offered = read_offered(self._statement())

    def write(self, part: Part) -> Done:
        """Write one part. Raises RecordError where the server lets nobody write, or no longer answers."""
        written, there, refusals, to_write = 0, 0, list(part.refusals), []
        for group in part.groups:
            left = self._there.missing(group) if self._there else group
            if isinstance(left, str):
                refusals.append(Refusal(group.line, left))
                continue
            there += len(group.observations) - len(left.observations)
            if left.observations:
                to_write.append(left)
        for group, outcome in self._all(to_write):
            if isinstance(outcome, str):
                refusals.append(Refusal(group.line, outcome))
            else:
                written += outcome
                there += len(group.observations) - outcome
        return Done(written, there, tuple(sorted(refusals, key=lambda one: one.line)))

    def _statement(self) -> Resource:
        """Return what the server says it does; some take longer to say so, the first time, than we wait."""
        for tried in range(1, MOST_TRIES + 1):
            try:
                return self._store.capabilities()
            except Unreachable as error:
                if tried == MOST_TRIES:
                    raise
                self._wait(error.retry_after or FIRST_WAIT_SECONDS**tried)
        raise AssertionError("the last try returns or raises")

    def _all(self, groups: Sequence[Group]) -> Iterator[tuple[Group, int | str]]:
        """Write groups at once; where that is refused, or takes too long, by halves: one alone is then left out."""
        if not groups:
            return
        try:
            yield from zip(groups, self._tried(groups), strict=True)
        except (Conflict, Refused, NotFound, Unreachable) as error:
            if len(groups) == 1:
                if isinstance(error, Unreachable):
                    raise
                yield groups[0], error.message
                return
            half = len(groups) // 2
            yield from self._all(groups[:half])
            yield from self._all(groups[half:])

    def _tried(self, groups: Sequence[Group]) -> list[int | str]:
        """Return how many Observations of each group were written, or why none were. Raises RecordError."""
        for tried in range(1, MOST_TRIES + 1):
            try:
                return self._once(groups)
            except (Unauthorized, Forbidden, Conflict, Refused, NotFound):
                raise
            except RecordError as error:
                # Perhaps it was done: the next try meets what is there. Many at once may take it too long.
                if tried == MOST_TRIES:
                    raise
                self._wait(error.retry_after or FIRST_WAIT_SECONDS**tried)
                if len(groups) > 1 and not error.retry_after:
                    raise
        raise AssertionError("the last try returns or raises")

    def _once(self, groups: Sequence[Group]) -> list[int | str]:
        by_itself = "Observation" in self._offered.conditional_create
        stored = {} if by_itself else self._stored(groups)
        if self._offered.transaction:
            try:
                return self._as_unit(groups, stored)
            except RecordError as error:
                if error.status not in _NO_TRANSACTIONS:
                    raise
                self._offered = replace(self._offered, transaction=False)
                self._tell(
                    f"The server says in its metadata that it takes transactions, and answered {error.status} to one."
                    " So scores are written one by one from here, which is slower. Its manager can mend the one or the"
                    " other."
                )
        return self._one_by_one(groups, stored)

    def _as_unit(self, groups: Sequence[Group], stored: dict[str, Stored]) -> list[int | str]:
        """Write in one transaction, which makes references of the names that Observations have among each other."""
        named = {full_url(one.resource): one.reference for one in stored.values()}
        missing = [[one for one in group.observations if identifier_of(one) not in stored] for group in groups]
        writes = [self._write(renamed(one, lambda name: named.get(name, name))) for each in missing for one in each]
        answers = iter(self._store.write_all(writes) if writes else [])
        return [
            _came_of(each, [next(answers) for _ in each], stored, group)
            for each, group in zip(missing, groups, strict=True)
        ]

    def _one_by_one(self, groups: Sequence[Group], stored: dict[str, Stored]) -> list[int | str]:
        """Write each Observation by itself, the panel behind what it names."""
        outcomes: list[int | str] = []
        named = {full_url(one.resource): one.reference for one in stored.values()}
        for group in groups:
            missing = [one for one in reversed(group.observations) if identifier_of(one) not in stored]
            missing.sort(key=lambda one: "hasMember" in one)
            answers: list[Stored] = []
            try:
                for one in missing:
                    answers.append(self._store.write(self._write(renamed(one, lambda name: named.get(name, name)))))
                    named[full_url(one)] = answers[-1].reference
                outcomes.append(_came_of(missing, answers, stored, group))
            except (Conflict, Refused, NotFound) as error:
                outcomes.append(error.message)
        return outcomes

    def _write(self, observation: Resource) -> Write:
        once = Write.once(
            observation, identifier=f"{IDENTIFIER_SYSTEM}|{identifier_of(observation)}", full_url=full_url(observation)
        )
        return once if "Observation" in self._offered.conditional_create else replace(once, if_none_exist=None)

    def _stored(self, groups: Sequence[Group]) -> dict[str, Stored]:
        """Return what is there of these, by identifier: asked of a server that does not look by itself."""
        wanted = [identifier_of(one) for group in groups for one in group.observations]
        found: dict[str, Stored] = {}
        for start in range(0, len(wanted), LOOKED_UP):
            asked = ",".join(f"{IDENTIFIER_SYSTEM}|{value}" for value in wanted[start : start + LOOKED_UP])
            for one in self._store.search(Query("Observation", (("identifier", asked), ("_count", "200")))):
                found |= dict.fromkeys(values_in(one.resource, IDENTIFIER_SYSTEM), one)
        return found


def _came_of(sent: Sequence[Resource], answers: Sequence[Stored], stored: dict[str, Stored], group: Group) -> int | str:
    """Return how many were made now; why not, where what was there already says another number."""
    there = [(one, stored[identifier_of(one)]) for one in group.observations if identifier_of(one) in stored]
    there += [(one, answer) for one, answer in zip(sent, answers, strict=True) if answer.created is False]
    if any(value_of(one) != value_of(answer.resource) for one, answer in there):
        return _DIFFERS
    return len([answer for answer in answers if answer.created is not False])


# --- what is read ----------------------------------------------------------------------------------------------------


def identifier_of(observation: Resource) -> str:
    """Return the value of our identifier of a score, "" for an Observation without one."""
    return next(iter(values_in(observation, IDENTIFIER_SYSTEM)), "")


def value_of(observation: Resource) -> Any:
    """Return the number of a score; None for a panel, and for a score that has none."""
    return object_in(observation, "valueQuantity").get("value")


def opened(path: Path) -> Any:
    """Open a file of NDJSON, packed or not, for reading bytes."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def parts_of(path: Path, journal: Journal, most: int) -> Iterator[Part]:
    """Yield a file in parts of about so many Observations, from where its journal ends.

    Raises OtherFile where what the journal tells of is not what the file begins with.
    """
    with opened(path) as file:
        digest = hashlib.sha256()
        left = journal.offset
        while left and (block := file.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
        if left or digest.hexdigest() != journal.digest:
            raise OtherFile
        yield from _parts(file, digest, journal, most)


class OtherFile(Exception):
    """A journal tells of another file than it stands beside."""


def _parts(file: BinaryIO, digest: Any, journal: Journal, most: int) -> Iterator[Part]:
    offset, lines, count = journal.offset, journal.lines, 0
    groups: list[Group] = []
    refusals: list[Refusal] = []
    for number, line, is_whole in pieces_of(file):
        observation, reason = _read(line) if is_whole else (None, _TOO_LONG)
        key = identifier_of(observation).rpartition("/")[0] if observation else ""
        begins = journal.lines + number > lines
        full = count >= most and observation is not None and (not groups or key != groups[-1].key)
        if full or (begins and len(refusals) >= _MOST_REFUSALS):
            yield Part(tuple(groups), tuple(refusals), offset, digest.hexdigest(), lines)
            groups, refusals, count = [], [], 0
        digest.update(line)
        offset, lines = offset + len(line), journal.lines + number
        if observation is None:
            refusals += [Refusal(lines, reason)] if reason and begins else []
        else:
            if not groups or groups[-1].key != key:
                groups.append(Group(lines, key))
            groups[-1].observations.append(observation)
            count += 1
    if offset > journal.offset and (groups or refusals or lines > journal.lines):
        yield Part(tuple(groups), tuple(refusals), offset, digest.hexdigest(), lines)


def _read(line: bytes) -> tuple[Resource | None, str]:
    """Return the Observation in a line, or why there is none; neither for an empty line."""
    if not line or line.isspace():
        return None, ""
    try:
        resource = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return None, f"not readable as JSON: {error}"
    if text_in(resource, "resourceType") != "Observation" or "/" not in identifier_of(resource):
        return None, _OTHER
    return resource, ""


# --- the journal -----------------------------------------------------------------------------------------------------


def read_journal(path: Path, server: str) -> Journal:
    """Return how far a file was written to a server; an empty one where that is not known, or of another server."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Journal)
    except (FileNotFoundError, msgspec.DecodeError):
        return Journal(server)
    return found if found.server == server else Journal(server)


def noted(path: Path, journal: Journal) -> None:
    """Keep a journal, surely on the disk."""
    replaced(path, msgspec.json.encode(journal))


class Rejects:
    """A file of refusals, one JSON object a line, that holds each once however often a run was ended."""

    def __init__(self, path: Path, source: str, length: int) -> None:
        self._source = source
        self._file = path.open("r+b" if path.exists() else "w+b")
        # What was told behind this was told of a part that is done again now.
        self._file.truncate(length)
        self._file.seek(0, os.SEEK_END)

    def add(self, refusals: Iterable[Refusal]) -> int:
        """Write refusals; return how long the file is now that they are on the disk."""
        for one in refusals:
            self._file.write(orjson.dumps({"file": self._source, "line": one.line, "reason": one.reason}) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def __enter__(self) -> Rejects:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()


# --- what an export says is there ------------------------------------------------------------------------------------


class There:
    """The scores that an export holds, and the responses that were deleted: on the disk, however many there are."""

    def __init__(self, files: Iterable[Path], deleted: frozenset[str]) -> None:
        self._deleted = deleted
        self._database = sqlite3.connect("")  # a file without a name, which is gone when this program is
        self._database.execute("CREATE TABLE there (name TEXT PRIMARY KEY, value REAL) WITHOUT ROWID")
        for path in files:
            with closing(opened(path)) as lines:
                self._database.executemany("INSERT OR REPLACE INTO there VALUES (?, ?)", _rows(lines))

    def missing(self, group: Group) -> Group | str:
        """Return what of a group is not there, with a panel that names no more than that; or why not to write it.

        A score of another program counts where it is the same number. Whoever reads the record sees it then as ours.
        """
        if not self._deleted.isdisjoint(one for each in group.observations for one in _sources(each)):
            return _DELETED
        scores = [one for one in group.observations if "hasMember" not in one]
        ours = [self._find(identifier_of(one)) for one in group.observations]
        if any(row and row[0] != value_of(one) for row, one in zip(ours, group.observations, strict=True)):
            return _DIFFERS
        if all(ours):
            return replace(group, observations=[])
        elsewhere = {full_url(one) for one in scores if any(map(self._find, _other_names(one)))}
        left = [_without(one, elsewhere) for one in group.observations if full_url(one) not in elsewhere]
        return replace(group, observations=left if len(elsewhere) < len(scores) else [])

    def _find(self, name: str) -> Any:
        return self._database.execute("SELECT value FROM there WHERE name = ?", (name,)).fetchone()


def _rows(lines: BinaryIO) -> Iterator[tuple[str, Any]]:
    for _, line, is_whole in pieces_of(lines):
        if not is_whole:
            continue
        try:
            observation = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        own = identifier_of(observation)
        for name in [own] if own else _other_names(observation):
            yield name, value_of(observation)


def _other_names(observation: Any) -> list[str]:
    """Return what a score is known by that another program stored: its responses, its code and its number."""
    code = code_in(observation, "code", SCORE_SYSTEM)
    if not code or text_in(observation, "status") in ("entered-in-error", "cancelled"):
        return []
    return [f"{source}#{code}#{value_of(observation)}" for source in _sources(observation)]


def _without(observation: Resource, members: set[str]) -> Resource:
    """Return a panel that does not name these members; any other Observation as it is."""
    if "hasMember" not in observation:
        return observation
    left = [one for one in observation["hasMember"] if one.get("reference") not in members]
    return {**observation, "hasMember": left}


def _sources(observation: Any) -> list[str]:
    """Return the ids of the responses that a score is derived from."""
    references = [text_in(one, "reference") for one in objects_in(observation, "derivedFrom")]
    return [one.rpartition("QuestionnaireResponse/")[2].partition("/")[0] for one in references if one]
