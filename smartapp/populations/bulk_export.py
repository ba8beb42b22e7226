"""A server's responses fetched whole, by FHIR Bulk Data Access 2.0 and 3.0: into a folder, and stopped at any moment.

What was reached stands in one file of that folder, which is replaced as a whole. So the same command goes on at the
step where it was: the job that it asked for is not asked for again, a file that is whole stays, and of a file that is
not whole what the disk surely has is kept, where the server can go on from there. Only whole files have names that
`verstel score FOLDER` reads. https://hl7.org/fhir/uv/bulkdata/export.html
"""

from __future__ import annotations

import gzip
import math
import os
import random
import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Literal
from urllib.parse import urljoin, urlsplit

import msgspec
import orjson

from mappers.bulk import BOM, LONGEST_LINE
from mappers.tolerant import object_in, objects_in, text_in
from smartapp.bases import normal
from smartapp.fhir.http import Incoming, OutboundError, Reply, ask, opened
from smartapp.fhir.remote import FHIR_JSON, TokenSource, outcome_text
from smartapp.fhir.store import RecordError, Refused, Unauthorized, Unreachable
from smartapp.populations.kept import replaced, synced
from smartapp.populations.reading import STATE, pieces_of
from smartapp.settings import is_inside, is_loopback

ASKED_FOR: Final = ("QuestionnaireResponse", "Observation")
RESPONSES: Final = "QuestionnaireResponse"

MOST_TRIES: Final = 6
"""How often one request is sent in all, when it gets no answer or the server is busy."""
MOST_JOBS: Final = 3
"""How many exports one run asks for, when what the last one made has gone before all of it was here."""
FIRST_WAIT_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 60.0
SYNCED_BYTES: Final = 8 * 1024 * 1024
"""So much of a file may have to be fetched again after a power cut."""
MOST_TOLD: Final = 20

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_REFERENCE = re.compile(r"QuestionnaireResponse/([A-Za-z0-9\-.]{1,64})")
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_GONE = frozenset({403, 404, 410})
_LEVELS: Final = {"system": "$export", "patient": "Patient/$export"}

Kind = Literal["output", "deleted", "error"]


class File(msgspec.Struct):
    """One file of an export. `name` is "" until it is begun; `kept` bytes of `etag` are surely on the disk."""

    kind: Kind
    type: str
    url: str
    count: int | None = None
    name: str = ""
    etag: str = ""
    kept: int = 0

    @property
    def same(self) -> tuple[str, str, int | None]:
        """What does not change when a server only gives the file another address."""
        return self.kind, self.type, self.count


class State(msgspec.Struct):
    """How far an export has come. `status` is where the job is asked about, "" before there is one.

    `expires`: until when the files are where they are, in seconds since 1970; 0 where the server does not say.
    """

    server: str
    path: str
    since: str = ""
    status: str = ""
    time: str = ""
    needs_token: bool = True
    expires: float = 0.0
    files: list[File] = []
    stale: list[str] = []
    done: bool = False


class Told(msgspec.Struct):
    """What came of an export, for the operator. `remarks` are the server's own words about what it left out."""

    time: str
    files: int
    deleted: int = 0
    left_out: int = 0
    remarks: list[str] = []
    failed: int = 0
    short: list[str] = []
    other: int = 0
    again: bool = False


class Expired(Exception):
    """What the job made is no longer there, or not for us."""


class Export:
    """One export into one folder. `wait` (seconds) is how it waits; `tell` hears in a few words what is being done.

    The token goes to the server itself, and to the origins of `token_to` (`https://files.example`).
    """

    def __init__(
        self,
        folder: Path,
        server: str,
        token: TokenSource | None,
        *,
        group: str = "",
        level: Literal["system", "patient"] = "patient",
        since: str = "",
        token_to: tuple[str, ...] = (),
        wait: Callable[[float], None],
        tell: Callable[[str], None] = lambda _words: None,
    ) -> None:
        self._folder = folder
        self._token = token
        self._origins = {_origin(one) for one in (server, *token_to)}
        self._wait = wait
        self._tell = tell
        self._chance = random.Random()  # noqa: S311 - who waits how long is no secret
        self._state = State(server, f"Group/{group}/$export" if group else _LEVELS[level], since)

    # ---- the steps

    def run(self) -> Told:
        """Fetch what is not here yet, and tell what came of it. Raises RecordError, and OtherExport.

        Whatever it raises, and wherever it is ended: the next run goes on from there.
        """
        found = read_state(self._folder)
        if found is not None:
            if (found.server, found.path, found.since) != (self._state.server, self._state.path, self._state.since):
                raise OtherExport(found)
            self._state = found
        again = self._state.done
        for _ in range(MOST_JOBS):
            try:
                if not self._state.done:
                    self._begin()
                    self._list()
                    self._fetch()
                return self._finish(again=again)
            except Expired:
                self._tell("what the server made has expired: it is asked to export anew")
                self._forget()
        raise Unreachable(
            f"{self._host} made {MOST_JOBS} exports of which not all could be fetched: its files were gone (403, 404 or"
            " 410), or are not for this client. Run again later, or ask its manager."
        )

    def _begin(self) -> None:
        if self._state.status:
            return
        self._tell("asking for an export")
        params = [("_type", ",".join(ASKED_FOR))] + ([("_since", self._state.since)] if self._state.since else [])
        answer = self._ask(
            "GET",
            f"{self._state.server}/{self._state.path}",
            params=params,
            headers={"Accept": FHIR_JSON, "Prefer": "respond-async"},
        )
        status = answer.headers.get("Content-Location", "")
        if answer.status != 202 or not status:
            raise _refused(answer, "the export that was asked for was not begun")
        self._state.status = urljoin(f"{self._state.server}/", status)
        self._save()

    def _list(self) -> None:
        """Wait until the job is done, and keep what it made."""
        if self._state.time:
            return
        made, files = self._manifest()
        self._state.time, self._state.needs_token, self._state.expires = made
        self._state.files = files
        self._save()

    def _fetch(self) -> None:
        """Fetch every file. Raises Expired where an address holds no longer and the job gives no other one."""
        for name in self._state.stale:
            (self._folder / name).unlink(missing_ok=True)
        if self._state.stale:
            self._state.stale = []
            self._save()
        for number, file in enumerate(self._state.files, start=1):
            if file.kind == "output" and file.type not in ASKED_FOR:
                continue
            if file.name and (self._folder / file.name).exists():
                continue
            if 0 < self._state.expires <= time.time():
                self._ask_for_addresses()
            self._tell(f"file {number} of {len(self._state.files)}")
            try:
                self._fetch_one(number, file)
            except Expired:
                self._ask_for_addresses()
                self._fetch_one(number, self._state.files[number - 1])

    def _finish(self, *, again: bool) -> Told:
        state = self._state
        told = Told(state.time, len([one for one in state.files if one.name]), again=again)
        told.other = len([one for one in state.files if not one.name])
        deleted = self._deleted()
        told.deleted = len(deleted)
        if not state.done:
            self._leave_out(deleted)
            replaced(self._folder / DELETED, "".join(f"{RESPONSES}/{id_}\n" for id_ in sorted(deleted)).encode())
            self._end_job()
            state.done = True
            self._save()
        for file in state.files:
            if file.kind == "error" and file.name:
                self._hear(file, told)
            elif file.kind == "output" and file.name and file.count is not None and not deleted:
                has = _count(self._folder / file.name)
                if has != file.count:
                    told.short.append(f"{file.name} has {has} lines, and the server said {file.count}")
        return told

    # ---- the job

    def _manifest(self) -> tuple[tuple[str, bool, float], list[File]]:
        """Return the files, and of all the time, whether they need the token, and until when they are there.

        Raises Expired where there is no job.
        """
        files: list[File] = []
        url, seen, as_of, needs_token, expires = self._state.status, set[str](), "", True, 0.0
        while url and url not in seen:
            seen.add(url)
            manifest, left = self._ready(url)
            as_of = as_of or text_in(manifest, "transactionTime")
            needs_token = manifest.get("requiresAccessToken") is not False
            if left is not None:
                expires = min(expires or math.inf, time.time() + left)
            files += _files(manifest, url)
            # 3.0: what did not fit into one manifest is on a next page.
            following = next((one for one in objects_in(manifest, "link") if one.get("relation") == "next"), {})
            url = urljoin(url, text_in(following, "url")) if text_in(following, "url") else ""
        return (as_of, needs_token, expires), files

    def _ready(self, url: str) -> tuple[dict[str, Any], int | None]:
        """Ask until there is a manifest, as often as the server wants to be asked; with how many seconds it holds."""
        asked = 0
        while True:
            answer = self._ask("GET", url, headers={"Accept": "application/json"}, gone=True)
            if answer.status == 202:
                progress = " ".join(answer.headers.get("X-Progress", "").split())[:60]
                self._tell(f"the server is exporting{f': {progress}' if progress else ''}")
                self._wait(answer.wait_said() or self._back_off(asked))
                asked += 1
                continue
            try:
                manifest = answer.json()
            except OutboundError:
                manifest = None
            if answer.status != 200 or not isinstance(manifest, dict) or not isinstance(manifest.get("output"), list):
                self._forget()  # this job will not come to a better end; the next run asks for another one
                raise _refused(answer, "the export failed")
            if not text_in(manifest, "transactionTime"):
                self._forget()
                raise _refused(answer, "the list of files has no transactionTime")
            return manifest, answer.seconds_left()

    def _ask_for_addresses(self) -> None:
        """Ask the job again where its files are: some servers give addresses that hold for minutes only."""
        (as_of, needs_token, expires), files = self._manifest()
        before = self._state.files
        if as_of != self._state.time or [one.same for one in files] != [one.same for one in before]:
            raise Expired
        for old, new in zip(before, files, strict=True):
            old.url = new.url
        self._state.needs_token, self._state.expires = needs_token, expires
        self._save()

    def _forget(self) -> None:
        """Begin anew with the next step. Files of the old job are thrown away when the new one has told its own."""
        old = self._state
        names = [name for one in old.files if one.name for name in (one.name, f"{one.name}{_PART}")]
        self._state = State(old.server, old.path, old.since, stale=[*old.stale, *names])
        self._save()

    def _end_job(self) -> None:
        """Let the server throw away what it made. One day it does so by itself: that it is not told does no harm."""
        try:
            self._ask("DELETE", self._state.status, headers={"Accept": FHIR_JSON}, gone=True)
        except (RecordError, Expired):
            self._tell("the server was not told that its files may go")

    # ---- one file

    def _fetch_one(self, number: int, file: File) -> None:
        tried = 0
        while True:
            tried += 1
            try:
                self._take(number, file)
            except Unreachable as error:
                if tried == MOST_TRIES:
                    raise
                self._wait(error.retry_after or self._back_off(tried))
            else:
                return

    def _take(self, number: int, file: File) -> None:
        """Take in one file, from where it was. Raises Unreachable if it did not come whole; what came is kept."""
        part = self._folder / f"{file.name}{_PART}"
        going_on = bool(file.name and file.etag and file.kept and part.exists() and part.stat().st_size >= file.kept)
        headers = {"Range": f"bytes={file.kept}-", "If-Range": file.etag} if going_on else {}
        with self._opened(file, headers) as answer:
            goes_on = answer.status == 206 and _begins_at(answer) == file.kept
            if answer.status == 206 and not goes_on:
                file.etag = ""  # not what was asked for: from the beginning
                raise Unreachable(f"{self._host} sent another part of a file than was asked for.")
            if not goes_on:
                packed = answer.headers.get("Content-Encoding", "").strip().lower() in ("gzip", "x-gzip")
                file.name = f"{_NAMES.get(file.kind, file.type)}.{number:04}.ndjson{'.gz' if packed else ''}"
                tag = answer.headers.get("ETag", "")
                file.etag, file.kept = "" if tag.startswith("W/") else tag, 0
                self._save()
                part = self._folder / f"{file.name}{_PART}"
            with part.open("r+b" if goes_on else "wb") as into:
                into.truncate(file.kept)
                into.seek(file.kept)
                self._copy(file, answer, into)
        if not _is_of(file, part):
            file.etag = ""
            raise Unreachable(f"{self._host} sent something else than the {file.type} that a file was said to hold.")
        part.replace(self._folder / file.name)
        synced(self._folder)

    def _copy(self, file: File, answer: Incoming, into: IO[bytes]) -> None:
        """Write what comes in. Raises Unreachable where less came than was said; what came is kept all the same."""
        came, since_synced = 0, 0

        def keep() -> None:
            into.flush()
            os.fsync(into.fileno())
            file.kept = begun + came

        begun = file.kept
        try:
            for chunk in answer.chunks:
                into.write(chunk)
                came += len(chunk)
                since_synced += len(chunk)
                if since_synced >= SYNCED_BYTES:
                    since_synced = 0
                    keep()
                    self._save()
        except OutboundError as error:
            keep()
            self._save()
            raise _no_answer(self._host, error) from error
        keep()
        said = answer.headers.get("Content-Length", "")
        if said.isascii() and said.isdigit() and int(said) != came:
            self._save()
            raise Unreachable(f"{self._host} sent {came} bytes of a file of which it said {said}.")

    @contextmanager
    def _opened(self, file: File, headers: dict[str, str]) -> Iterator[Incoming]:
        """Ask for a file; after a 401 once more with another token. Raises Expired, or RecordError."""
        needs = self._state.needs_token
        accept = {"Accept": "application/fhir+ndjson", **headers}
        refused: str | None = None
        for last in (False, True):
            token = self._token_for(file.url, refused, needs=needs)
            shown = {"Authorization": f"Bearer {token}"} if token else {}
            try:
                with opened(file.url, headers={**accept, **shown}) as answer:
                    if answer.status == 401 and token and not last:
                        refused = token
                        continue
                    if answer.status in _GONE:
                        raise Expired
                    if answer.status in (200, 206):
                        yield answer
                        return
                    if answer.status == 416:  # it is not what it was
                        file.etag = ""
                        raise Unreachable(f"{self._host} can't go on with a file; it is begun anew.")
                    reply = Reply(answer.status, answer.headers, b"".join(_first(answer.chunks)))
                    raise _refused(reply, "a file could not be fetched")
            except OutboundError as error:
                raise _no_answer(_host(file.url), error) from error
        raise AssertionError("the last try returns or raises")

    # ---- what is in the files

    def _deleted(self) -> set[str]:
        """Return the ids of the responses that were deleted on the server, as its Bundles of deletions say.

        Raises Refused for what can't be read: what was deleted would be scored.
        """
        found = set[str]()
        for file in self._state.files:
            if file.kind == "deleted" and file.name:
                for line, bundle in _resources(self._folder / file.name):
                    if bundle is None:
                        raise Refused(
                            f"{file.name}:{line} can't be read, or is longer than {_LONGEST_MB} MB, so which responses"
                            f" were deleted is not known. Ask the manager of {self._host} what is wrong with that line,"
                            " and fetch into another folder then."
                        )
                    for entry in objects_in(bundle, "entry"):
                        match = _REFERENCE.fullmatch(text_in(object_in(entry, "request"), "url"))
                        if match and text_in(object_in(entry, "request"), "method") == "DELETE":
                            found.add(match[1])
        return found

    def _leave_out(self, deleted: set[str]) -> None:
        """Take deleted responses out of the files, each of which is replaced as a whole."""
        for file in self._state.files if deleted else ():
            if file.kind != "output" or file.type != RESPONSES or not file.name:
                continue
            path = self._folder / file.name
            beside = path.with_name(f"{path.name}{_PART}")
            with _lines_of(path) as lines, (gzip.open if path.suffix == ".gz" else open)(beside, "wb") as into:
                for _, line, is_whole in pieces_of(lines):
                    # What is too long is not looked into; nobody scores it either.
                    if not is_whole or text_in(_resource(line), "id") not in deleted:
                        into.write(line)
            beside.replace(path)

    def _hear(self, file: File, told: Told) -> None:
        """Count what the server says it left out, and keep its first words."""
        for line, outcome in _resources(self._folder / file.name):
            worst = {text_in(issue, "severity") for issue in objects_in(outcome, "issue")}
            told.left_out += 1
            told.failed += outcome is None or bool(worst & {"error", "fatal"})
            if len(told.remarks) < MOST_TOLD:
                unread = f"what can't be read, in {file.name}:{line}" if outcome is None else ""
                told.remarks.append(unread or outcome_text(outcome) or "no reason given")

    # ---- asking

    @property
    def _host(self) -> str:
        return _host(self._state.server)

    def _ask(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        params: list[tuple[str, str]] | None = None,
        gone: bool = False,
    ) -> Reply:
        """Ask the server until it answers. Raises Expired for what is `gone`, RecordError for every other refusal."""
        refused: str | None = None
        for tried in range(1, MOST_TRIES + 1):
            token = self._token_for(url, refused, needs=True)
            shown = {"Authorization": f"Bearer {token}"} if token else {}
            try:
                answer = ask(method, url, headers={**headers, **shown}, params=params)
            except OutboundError as error:
                if tried == MOST_TRIES or error.code in ("insecure", "redirect", "tls", "too-large"):
                    raise _no_answer(_host(url), error) from error
                self._wait(error.retry_after or self._back_off(tried))
                continue
            if answer.status == 401 and token and refused is None:
                refused = token
                continue
            if answer.status in _BUSY and tried < MOST_TRIES:
                self._wait(answer.retry_after() or self._back_off(tried))
                continue
            if gone and answer.status in (404, 410):
                raise Expired
            if answer.status >= 400:
                raise _refused(answer, f"{method} was refused")
            return answer
        raise Unauthorized("The token ended, and so did each new one.")

    def _token_for(self, url: str, refused: str | None, *, needs: bool) -> str | None:
        """Return the token to show at an address, None for none. Raises Refused where that would give it away."""
        origin, host = _origin(url), _host(url)
        if origin in self._origins:
            return self._token(refused) if self._token else None
        if needs and self._token:
            raise Refused(
                f"{self._host} keeps what it exports at {origin}, and says that our token goes there. It was not shown."
                f" If that is right: --token-to {origin}"
            )
        if is_inside(host) and not is_loopback(self._state.server):
            raise Refused(f"{self._host} says that its files are on {host}, which is inside this network; not asked.")
        return None

    def _back_off(self, tried: int) -> float:
        longest: float = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(tried, 10))
        return longest * self._chance.uniform(0.5, 1)  # so that not all who were sent away come back at once

    def _save(self) -> None:
        replaced(self._folder / STATE, msgspec.json.encode(self._state))


class OtherExport(Exception):
    """The folder holds another export, as its `state` says."""

    def __init__(self, state: State) -> None:
        super().__init__(f"this folder is of {state.path} at {state.server}")
        self.state = state


DELETED: Final = "deleted-responses.txt"
_LONGEST_MB: Final = LONGEST_LINE // 1024 // 1024
_PART: Final = ".part"
_NAMES: Final = {"deleted": "deleted", "error": "outcome"}


def read_state(folder: Path) -> State | None:
    """Return how far the export in a folder has come, None for a folder that has none. Raises Refused."""
    path = folder / STATE
    try:
        return msgspec.json.decode(path.read_bytes(), type=State) if path.exists() else None
    except msgspec.DecodeError as error:
        raise Refused(f"{path} is not what bulk fetch keeps there. Name another folder.") from error


def known_in(folder: Path) -> tuple[list[Path], frozenset[str]]:
    """Return the files of Observations that an export holds, and the ids of the responses that were deleted."""
    state = read_state(folder)
    files = state.files if state is not None and state.done else []
    observations = [
        folder / one.name for one in files if one.kind == "output" and one.type == "Observation" and one.name
    ]
    deleted = folder / DELETED
    names = deleted.read_text("utf-8").split() if deleted.exists() else []
    return observations, frozenset(one.removeprefix(f"{RESPONSES}/") for one in names)


def _files(manifest: dict[str, Any], url: str) -> list[File]:
    kinds: tuple[Kind, ...] = ("output", "deleted", "error")
    return [
        File(kind, text_in(one, "type"), urljoin(url, text_in(one, "url")), _whole_number(one.get("count")))
        for kind in kinds
        for one in objects_in(manifest, kind)
        if text_in(one, "url") and _TYPE.fullmatch(text_in(one, "type"))
    ]


def _whole_number(value: Any) -> int | None:
    return value if type(value) is int else None


def _begins_at(answer: Incoming) -> int | None:
    match = re.match(r"bytes ([0-9]{1,18})-", answer.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _first(chunks: Iterator[bytes], most: int = 64 * 1024) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[:most]
        most -= len(chunk)
        if most <= 0:
            return


@contextmanager
def _lines_of(path: Path, *, packed: bool | None = None) -> Iterator[BinaryIO]:
    opener: Any = gzip.open if (path.suffix == ".gz" if packed is None else packed) else open
    with opener(path, "rb") as file:
        yield file


def _is_of(file: File, path: Path) -> bool:
    """Tell by its first line whether a file holds what was said: a page of an error has status 200 at some servers."""
    packed = file.name.endswith(".gz")
    try:
        with _lines_of(path, packed=packed) as lines:
            filled = ((one, whole) for _, one, whole in pieces_of(lines) if not one.isspace())
            first, is_whole = next(filled, (b"", True))
            while packed and lines.read(1 << 20):  # to its end, where damage shows
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return False
    found = text_in(_resource(first) if is_whole else None, "resourceType")
    if found:
        return found == {"deleted": "Bundle", "error": "OperationOutcome"}.get(file.kind, file.type)
    return not first or first.removeprefix(BOM).lstrip().startswith(b"{")


def _count(path: Path) -> int:
    with _lines_of(path) as lines:
        return sum(1 for _ in groupby(number for number, piece, _ in pieces_of(lines) if not piece.isspace()))


def _resources(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield what each line says with its number, None for what can't be read or is too long; no empty lines."""
    with _lines_of(path) as lines:
        for number, pieces in groupby(pieces_of(lines), key=itemgetter(0)):
            _, first, is_whole = next(pieces)
            if not is_whole:
                yield number, None
            elif not first.isspace():
                yield number, _resource(first)


def _resource(line: bytes) -> Any:
    """Return what a line says, None where it is no JSON: the scorer refuses it then, with its number."""
    try:
        return orjson.loads(line.removeprefix(BOM))
    except orjson.JSONDecodeError:
        return None


def _origin(url: str) -> str:
    parts = urlsplit(normal(url))
    return f"{parts.scheme}://{parts.netloc}"


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _no_answer(host: str, error: OutboundError) -> Unreachable:
    return Unreachable(f"{host} gave no usable answer ({error.code}).", retry_after=error.retry_after)


def _refused(answer: Reply, what: str) -> RecordError:
    try:
        outcome = answer.json() if answer.body.strip() else None
    except OutboundError:
        outcome = None
    said = outcome_text(outcome) if text_in(outcome, "resourceType") == "OperationOutcome" else ""
    kind = Unauthorized if answer.status == 401 else Unreachable if answer.status in _BUSY else Refused
    text = f"{what} ({answer.status}{f': {said}' if said else ''})."
    return kind(text, status=answer.status, outcome=outcome, retry_after=answer.retry_after())
