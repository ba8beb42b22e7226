"""`verstel score`: QuestionnaireResponses in, Observations out, for one client or a whole population.

Everything streams: blocks of a file become batches of lines, batches become Observations, and these are written before
the next block is read. So memory stays the same for a hundred lines and for a hundred million, a pipe sees scores at
once, and a file that turns out to be damaged has given what came before the damage. Only `--verify` reads a whole file
first: a score may come before the response that it belongs to. `--from` reads a server instead of files, a page at a
time, and writes what is missing there.
"""

from __future__ import annotations

import gzip
import signal
import sys
import time
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final

import click
import orjson

from mappers.bulk import BOM, TOO_LONG, Batch, BulkScorer, Refusal, Scored, batches_of, numbered
from questionnaires import __version__
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.commands import signing_in

if TYPE_CHECKING:
    from concurrent.futures import Future

    from smartapp.deploy.backfill import Done

_BLOCK: Final = 256 * 1024  # small enough for the processor's cache
_STDIN: Final = "-"
_DAMAGED: Final = (EOFError, gzip.BadGzipFile, zlib.error)
_CLEAR_LINE: Final = "\r\x1b[K"
_EXPORTED: Final = ("*QuestionnaireResponse*.ndjson", "*QuestionnaireResponse*.ndjson.gz")

_EPILOG: Final = """\b
Examples:
  verstel score responses.ndjson > observations.ndjson
  verstel score --format table response.json
  verstel score --rejects refused.ndjson export-folder/ > observations.ndjson
  zcat responses.ndjson.gz | verstel score -
  verstel score --provenance responses.ndjson > scores.ndjson
  verstel score --verify bundle.json
  verstel score --from https://fhir.example.org/r4 --client-id verstel --keys keys.json --dry-run

Exit code 0: everything was scored. 1: some input was refused, or a stored score differs. 2: wrong usage.
"""
_SCOPE: Final = "system/QuestionnaireResponse.rs system/Observation.crs"


@click.command(epilog=_EPILOG)
@click.argument("files", nargs=-1, metavar="[FILE…|-]", type=click.Path(exists=True, allow_dash=True))
@click.option(
    "--format",
    "form",
    type=click.Choice(["ndjson", "table"]),
    default="ndjson",
    show_default=True,
    help="FHIR Observations for machines, or a table of the scores for people.",
)
@click.option(
    "--rejects", type=click.Path(dir_okay=False), help="Write refusals to this file, one JSON object per line."
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that score, besides the one that reads and writes. Worth it only for responses that another system "
    "rewrote (valueInteger, items outside their groups), with cores to spare: for the usual form one process is about "
    "as fast as many. Try it on your own files.",
)
@click.option(
    "--verify",
    type=click.Path(exists=True, dir_okay=False),
    help="Recompute the scores in this Bundle or NDJSON file, and list those that their answers do not give.",
)
@click.option(
    "--provenance",
    is_flag=True,
    help="Also write a Provenance after the Observations of each response: this program, its version, the response.",
)
@click.option(
    "--from",
    "base",
    metavar="URL",
    help="Fill in what is missing on the FHIR R4 server at this base: read all responses there, and store the scores "
    "that nobody stored. Safe to repeat.",
)
@click.option("--dry-run", is_flag=True, help="With --from: only say what would be stored.")
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --from: keep in this file how far it came; the next run with it reads what was changed since.",
)
@click.option(
    "--page",
    type=click.IntRange(1, 500),
    default=100,
    show_default=True,
    help="With --from: how many responses to ask for at once; fewer where they are too large.",
)
@signing_in(_SCOPE, only_with="--from")
def command(
    files: tuple[str, ...],
    form: str,
    rejects: str | None,
    jobs: int,
    verify: str | None,
    *,
    provenance: bool,
    base: str | None,
    dry_run: bool,
    state: Path | None,
    page: int,
    token: str | None,
    client_id: str | None,
    keys: Path | None,
    scope: str,
) -> None:
    """Score QuestionnaireResponses.

    Each FILE is a QuestionnaireResponse, a Bundle, NDJSON (plain or .gz), a folder from a bulk export, or - for
    standard input. The scores are written as FHIR Observations, one per line, in the order of the input. Refused lines
    are reported on standard error (or in --rejects) with file, line number and reason; all others are scored.

    With --from a FHIR server is read instead. Only finished responses to our forms that have no scores get them, each
    exactly once; scores that another program stored count where the answers give the same number.
    """
    if base is not None:
        if files or verify is not None or provenance or form != "ndjson" or jobs > 1:
            raise click.UsageError("--from reads a server: leave out FILE, --verify, --provenance, --format, --jobs.")
        sys.exit(_fill(base, rejects, state, (token, client_id, keys, scope), dry_run=dry_run, page=page))
    if dry_run or state or client_id or keys:
        raise click.UsageError("--dry-run, --state, --client-id and --keys go with --from.")
    if verify is not None:
        sys.exit(_verify(Path(verify), files, provenance=provenance))
    sources = _sources(files)
    if rejects is not None and any(source.is_file(rejects) for source in sources):
        raise click.UsageError(f"{rejects} is one of the files to score; name another file for --rejects.")
    write = _writer(form, provenance=provenance)
    try:  # closing files included: a full disk may show only then
        # A table is read and thrown away, so its responses need no name to be stored under.
        with _refusals(rejects) as refused, _scorer(jobs, nameless=form == "table") as score:
            for source in sources:
                _score_source(source, score, write, refused)
            sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough; click exits quietly
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"stopped before the end: {where}{error.strerror or error}") from error
    sys.exit(1 if refused.count else 0)


# --- what is read -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Source:
    """One file to read; "-" is standard input."""

    name: str

    @property
    def path(self) -> Path:
        return Path(self.name)

    @property
    def size(self) -> int:
        return 0 if self.name == _STDIN else self.path.stat().st_size

    def is_file(self, name: str) -> bool:
        """Tell whether a path, which need not exist, is this very file, however it is spelt."""
        return self.name != _STDIN and Path(name).exists() and self.path.samefile(name)


def _sources(names: Sequence[str]) -> list[_Source]:
    if not names:
        raise click.UsageError("Name a FILE, a folder, or - for standard input.")
    sources: list[_Source] = []
    for name in names:
        if name != _STDIN and Path(name).is_dir():
            found = sorted(path for pattern in _EXPORTED for path in Path(name).glob(pattern))
            if not found:
                raise click.UsageError(f"{name}: no file called {_EXPORTED[0]} in this folder.")
            sources += [_Source(str(path)) for path in found]
        else:
            sources.append(_Source(name))
    return sources


@contextmanager
def _opened(source: _Source) -> Iterator[BinaryIO]:
    """Open a file only while it is read: an export may have more files than a process may hold open."""
    if source.name == _STDIN:
        yield sys.stdin.buffer
        return
    with source.path.open("rb") as file:
        yield file


def _blocks(file: BinaryIO, read: Callable[[int], None]) -> Iterator[bytes]:
    """Yield a file in blocks, decompressed if it is gzip; `read` is told how many bytes of the file each one took."""
    taken = 0
    # read1 returns what has been decompressed so far; read would discard it if damage came before the block was full.
    # Told by its first bytes, not its name: standard input has no name.
    more = gzip.GzipFile(fileobj=file).read1 if _peek(file) == b"\x1f\x8b" else file.read
    while block := more(_BLOCK):
        if file.seekable():
            here = file.tell()
            read(here - taken)
            taken = here
        yield block


def _peek(file: BinaryIO) -> bytes:
    peek = getattr(file, "peek", None)
    return bytes(peek(2)[:2]) if peek else b""


def _document(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Put a pretty-printed JSON file on one line; leave NDJSON as it is.

    A line feed between JSON tokens is white space, so it may become a space. The first line that is not blank tells the
    two apart: only in a pretty-printed file does it hold nothing but an opening brace.
    """
    first = next(blocks, b"")
    if first.removeprefix(BOM).lstrip().split(b"\n", 1)[0].strip() in (b"{", b"["):
        yield from (block.replace(b"\n", b" ") for block in chain([first], blocks))
    else:
        yield from chain([first], blocks)


# --- what is done with it ---------------------------------------------------------------------------------------

_Score = Callable[[Iterable[Batch]], Iterator[Scored]]
_of_this_process: BulkScorer | None = None


def _score_batch(batch: Batch, nameless: bool) -> Scored:
    """Score in a process of the pool, which keeps what it compiles from one batch to the next."""
    global _of_this_process  # noqa: PLW0603 - a process of a pool has no other place for it
    if _of_this_process is None:
        _of_this_process = BulkScorer(catalogue(), nameless=nameless)
    return _of_this_process.score(batch)


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Delay a Ctrl-C until the end of this context; on Windows, which cannot do that, it arrives at once."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _scorer(jobs: int, *, nameless: bool) -> Iterator[_Score]:
    """Give a function that scores batches in order: here, or in `jobs` processes with few batches in flight."""
    if jobs == 1:
        here = BulkScorer(catalogue(), nameless=nameless).score
        yield lambda batches: map(here, batches)
        return
    from concurrent.futures import ProcessPoolExecutor

    # Ctrl-C reaches every process of the group. Only this one heeds it; the others end when it closes the pool.
    with ProcessPoolExecutor(jobs, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)) as pool:

        def submit(batch: Batch) -> Future[Scored]:
            # The pool starts its processes here. One that is interrupted before it ignores Ctrl-C ends in a stack trace
            # and breaks the pool; but a process inherits from its parent which signals are held back.
            with _ctrl_c_held_back():
                return pool.submit(_score_batch, batch, nameless)

        def score(batches: Iterable[Batch]) -> Iterator[Scored]:
            in_flight: deque[Future[Scored]] = deque()
            damage: Exception | None = None
            try:
                for batch in batches:
                    in_flight.append(submit(batch))
                    # Two per process keep all of them busy; more would only fill the memory, for reading is faster.
                    if len(in_flight) > 2 * jobs:
                        yield in_flight.popleft().result()
            except _DAMAGED as error:  # what was read before the damage still counts, and is still in flight
                damage = error
            while in_flight:
                yield in_flight.popleft().result()
            if damage is not None:
                raise damage

        yield score


@dataclass(slots=True)
class _Refusals:
    """Where refusals are written (None: standard error), and how many there have been."""

    to: IO[str] | None
    count: int = 0

    def add(self, source: str, refusal: Refusal) -> None:
        self.count += 1
        if self.to is None:
            # On a terminal the progress bar may be on this line: clear it; it is drawn again below.
            click.echo(f"{_CLEAR_LINE if sys.stderr.isatty() else ''}{source}:{refusal.line}: {refusal}", err=True)
            return
        told = {"file": source, "line": refusal.line, "entry": refusal.entry, "reason": refusal.reason}
        self.to.write(orjson.dumps({name: value for name, value in told.items() if value is not None}).decode() + "\n")

    def add_response(self, reference: str, reason: str) -> None:
        """Add a response of a server, which has no line."""
        self.count += 1
        if self.to is None:
            click.echo(f"{_CLEAR_LINE if sys.stderr.isatty() else ''}{reference}: {reason}", err=True)
        else:
            self.to.write(orjson.dumps({"response": reference, "reason": reason}).decode() + "\n")


@contextmanager
def _refusals(rejects: str | None) -> Iterator[_Refusals]:
    if rejects is None:
        yield _Refusals(None)
        return
    try:
        file = Path(rejects).open("w", encoding="utf-8")  # noqa: SIM115 - closed below; only the opening is tried
    except OSError as error:
        raise click.UsageError(f"{rejects} cannot be written: {error.strerror}") from error
    with file:
        yield _Refusals(file)


def _damaged(line: int, error: Exception) -> Refusal:
    return Refusal(line, None, f"the gzip file is damaged from here: {error}")


def _score_source(source: _Source, score: _Score, write: Callable[[bytes], None], refused: _Refusals) -> None:
    """Score one file. Damage half-way through is a refusal of its own; what came before it is scored."""
    line = 0
    with _opened(source) as file, _progress(source) as read:
        try:
            batches = batches_of(_document(_blocks(file, read)))
            for made in numbered(score(batches)):
                write(made.observations)
                for refusal in made.refusals:
                    refused.add(source.name, refusal)
                line += made.lines
        except _DAMAGED as error:
            refused.add(source.name, _damaged(line + 1, error))


@contextmanager
def _progress(source: _Source) -> Iterator[Callable[[int], None]]:
    """Show how much of a file has been read, on a terminal that is not already showing the scores."""
    if not sys.stderr.isatty() or sys.stdout.isatty() or not source.size:
        yield lambda _taken: None
        return
    with click.progressbar(length=source.size, label=source.path.name, file=sys.stderr) as bar:
        yield bar.update


# --- what comes out ---------------------------------------------------------------------------------------------


def _writer(form: str, *, provenance: bool) -> Callable[[bytes], None]:
    if form != "table":
        return _with_provenance if provenance else _as_ndjson
    if provenance:
        raise click.UsageError(
            "--provenance adds FHIR resources, and a table has no room for them; leave one of the two out."
        )
    return _as_table


def _as_ndjson(observations: bytes) -> None:
    sys.stdout.buffer.write(observations)


def _with_provenance(observations: bytes) -> None:
    """Write the Observations of each response, and after them the Provenance that says what computed them."""
    from mappers.observations import provenance_of

    recorded = datetime.now(UTC).isoformat(timespec="seconds")
    for made in _by_response(map(orjson.loads, observations.splitlines())):
        added = provenance_of(made, recorded=recorded, software="Verstel", version=__version__)
        _as_ndjson(b"".join(orjson.dumps(one) + b"\n" for one in (*made, added)))


def _by_response(observations: Iterable[Resource]) -> Iterator[list[Resource]]:
    """Yield the Observations of one response at a time: each begins with its panel, the only one that has members."""
    group: list[Resource] = []
    for one in observations:
        if group and "hasMember" in one:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _as_table(observations: bytes) -> None:
    """Write the scores for people: a heading per response, and below it each score or why there is none.

    A status other than final (corrected, or entered in error) is shown beside the heading.
    """
    for line in observations.splitlines():
        one = orjson.loads(line)
        if "hasMember" in one:
            status = "" if one["status"] == "final" else f"  [{one['status']}]"
            click.echo(f"\n{one['effectiveDateTime'][:10]}  {one['code']['text']}  ({_whose(one)}){status}")
        elif "valueQuantity" in one:
            click.echo(f"  {one['code']['text']:<45} {one['valueQuantity']['value']:>8.2f}".rstrip("0").rstrip("."))
        else:
            click.echo(f"  {one['code']['text']:<45}        –  {one['dataAbsentReason']['text']}")


def _whose(observation: dict[str, Any]) -> str:
    subject = observation["subject"]
    return str(subject.get("reference") or subject["display"])


def _verify(path: Path, files: Sequence[str], *, provenance: bool) -> int:
    from mappers.verify import differences

    if files:
        raise click.UsageError("--verify takes its own file; leave out FILE.")
    if provenance:
        raise click.UsageError("--provenance goes with new scores, and --verify makes none; leave one of them out.")
    refused = _Refusals(None)
    with path.open("rb") as file:
        resources = list(_resources(path.name, batches_of(_document(_blocks(file, lambda _taken: None))), refused))
    # Not a stream: an Observation may come long before its response.
    found, looked_at = differences(resources, catalogue())
    for one in found:
        click.echo(f"{one.observation}  {one.code}  stored: {one.found}  from the answers: {one.expected}")
    click.echo(f"{looked_at} stored scores looked at, {len(found)} differ.")
    return 1 if found or refused.count else 0


def _resources(name: str, batches: Iterable[Batch], refused: _Refusals) -> Iterator[Any]:
    """Yield the resources of a Bundle or of NDJSON; damage half-way through is a refusal of its own."""
    number = 0
    try:
        for number, line in enumerate(chain.from_iterable(batches), start=1):
            yield from _resources_of(name, number, line, refused)
    except _DAMAGED as error:
        refused.add(name, _damaged(number + 1, error))


def _resources_of(name: str, number: int, line: bytes | None, refused: _Refusals) -> Iterator[Any]:
    if line is None:
        refused.add(name, Refusal(number, None, TOO_LONG))
    if not line or line.isspace():
        return
    try:
        resource = orjson.loads(line.removeprefix(BOM))
    except orjson.JSONDecodeError as error:
        refused.add(name, Refusal(number, None, f"not readable as JSON: {error}"))
        return
    if not isinstance(resource, dict) or resource.get("resourceType") != "Bundle":
        yield resource
        return
    entries = resource.get("entry")
    for entry in entries if isinstance(entries, list) else []:
        yield entry.get("resource") if isinstance(entry, dict) else None


# --- a whole server ---------------------------------------------------------------------------------------------


def _fill(
    base: str,
    rejects: str | None,
    state: Path | None,
    sign_in: tuple[str | None, str | None, Path | None, str],
    *,
    dry_run: bool,
    page: int,
) -> int:
    """Store what is missing on a server; return the exit code."""
    from smartapp.deploy.backfill import Backfill
    from smartapp.deploy.signing_in import token_source, words_of
    from smartapp.fhir.remote import RemoteStore
    from smartapp.fhir.store import RecordError
    from smartapp.settings import ConfigError, checked_base

    try:
        server = checked_base(base.rstrip("/"), "--from")
        store = RemoteStore(server, token_source(server, *sign_in), wait=time.sleep)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    since = _read_state(state, server)
    tally, stopped, until = _Tally(dry_run=dry_run), "", since
    with _refusals(rejects) as refused:
        try:
            for found in Backfill(store, catalogue(), time.sleep, dry_run, page).run(since):
                for one in found.done:
                    tally.add(one)
                    if one.outcome == "refused":
                        refused.add_response(one.reference, one.reason)
                tally.show(found.total)
                until = found.until
                if state is not None and not dry_run:
                    # A server that turns out to give them in another order may still have what was changed before.
                    _write_state(state, server, until or since)
        except RecordError as error:
            stopped = words_of(error)
    tally.tell()
    if stopped:
        click.echo(f"Stopped before the end: {stopped} Run again to continue.", err=True)
    elif state is not None and not dry_run and not until:
        click.echo("This server gives responses in no order of change: the next run reads all of them.", err=True)
    return 1 if stopped or refused.count else 0


@dataclass(slots=True)
class _Tally:
    """How many responses of each outcome there have been, and of each instrument how many were scored."""

    dry_run: bool
    outcomes: Counter[str] = field(default_factory=Counter)
    instruments: Counter[str] = field(default_factory=Counter)

    @property
    def read(self) -> int:
        return self.outcomes.total()

    def add(self, one: Done) -> None:
        self.outcomes[one.outcome] += 1
        if one.outcome == "scored":
            self.instruments[one.instrument] += 1

    def show(self, total: int | None) -> None:
        """Show on a terminal how far it is; the line is written over by the next."""
        if sys.stderr.isatty():
            of = f" of {total}" if total is not None else ""
            click.echo(f"{_CLEAR_LINE}{self.read}{of} responses read, {self._words('scored')}", nl=False, err=True)

    def tell(self) -> None:
        if sys.stderr.isatty():
            click.echo(_CLEAR_LINE, nl=False, err=True)
        click.echo(f"{self.read} responses read: {', '.join(map(self._words, _OUTCOMES))}.")
        for name, number in sorted(self.instruments.items()):
            click.echo(f"  {name:<14} {number:>7}")

    def _words(self, outcome: str) -> str:
        before, after = _OUTCOMES[outcome]
        return f"{self.outcomes[outcome]} {before if self.dry_run else after}"


_OUTCOMES: Final = {
    "scored": ("would be scored", "scored"),
    "there": ("had their scores", "had their scores"),
    "other-form": ("of other forms", "of other forms"),
    "no-scores": ("of forms without scores", "of forms without scores"),
    "refused": ("refused", "refused"),
}
"""For each outcome the words of a dry run, and the words after the fact."""


def _read_state(path: Path | None, server: str) -> str:
    """Return until when this server was read, "" for not at all. A file of another server is refused."""
    if path is None or not path.exists():
        return ""
    try:
        kept = orjson.loads(path.read_bytes())
        if kept["server"] == server:
            return str(kept["read_until"])
        found = f"is of {kept['server']}"
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        found = "is not such a file"
    raise click.UsageError(f"--state {path} {found}; name another file.")


def _write_state(path: Path, server: str, until: str) -> None:
    """Keep how far it came, in whole: a run that ends while this is written leaves what was there before."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(orjson.dumps({"server": server, "read_until": until}))
    beside.replace(path)
