"""`verstel score`: QuestionnaireResponses in, Observations out, for one client or a whole population.

Everything streams: blocks of a file become batches of lines, batches become Observations, and these are written before
the next block is read. So memory stays the same for a hundred lines and for a hundred million, a pipe sees scores at
once, and a file that turns out to be damaged has given what came before the damage. Only `--verify` reads a whole file
first: a score may come before the response that it belongs to. `--from` reads a server instead of files, a page at a
time, and writes what is missing there.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click
import orjson

from mappers.bulk import BOM, TOO_LONG, BulkScorer, Refusal, batches_of
from questionnaires.catalogue import catalogue
from smartapp.commands import signing_in
from smartapp.populations.engines import CLUSTERS, ENGINES, scored_by
from smartapp.populations.pieces import Pieces, Show, WorkerLost, one_process
from smartapp.populations.places import Cluster, EngineError
from smartapp.populations.reading import EXPORTED, STDIN, Damaged, Source, Unfinished, blocks_of, exported
from smartapp.populations.writing import as_table, with_provenance

if TYPE_CHECKING:
    from smartapp.deploy.backfill import Done

_CLEAR_LINE: Final = "\r\x1b[K"

_EPILOG: Final = """\b
Examples:
  verstel score responses.ndjson > observations.ndjson
  verstel score --format table response.json
  verstel score --rejects refused.ndjson export-folder/ > observations.ndjson
  zcat responses.ndjson.gz | verstel score -
  verstel score --engine spark --rejects refused.ndjson export-folder/ > observations.ndjson
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
    help="Processes that read, score and write at the same time, each a part of the files, in the order of the input. "
    "Take as many as there are cores to spare. A compressed file, a single document and standard input "
    "are each read by one process.",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="Score inside this engine instead, with the same result: docs/populations.md says what for.",
)
@click.option(
    "--master",
    metavar="URL",
    help="With --engine spark or sail: the cluster to join (spark://…, yarn, k8s://…, sc://…); else this machine.",
)
@click.option(
    "--package",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --engine spark: the wheel of this program, for workers that do not have it.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --engine spark or sail: the folder that the workers write the scores to, in parts; nothing comes here.",
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
    engine: str | None,
    master: str | None,
    package: Path | None,
    out: Path | None,
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
    cluster = _cluster(engine, master, package, out)
    if engine is not None and (base is not None or verify is not None or form != "ndjson" or jobs > 1):
        raise click.UsageError("--engine scores files into NDJSON: leave out --from, --verify, --format, --jobs.")
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
    # A table is read and thrown away, so its responses need no name to be stored under.
    pieces = _scored(sources, _shown(form, provenance=provenance), jobs, engine, cluster, nameless=form == "table")
    try:  # closing files included: a full disk may show only then
        with _refusals(rejects) as refused, closing(pieces):
            _write(pieces, refused)
    except (WorkerLost, EngineError) as lost:
        raise click.ClickException(f"stopped before the end: {lost}") from lost
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough; click exits quietly
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"stopped before the end: {where}{error.strerror or error}") from error
    sys.exit(1 if refused.count else 0)


# --- what is read, who scores it, and what is written -----------------------------------------------------------


def _sources(names: Sequence[str]) -> list[Source]:
    if not names:
        raise click.UsageError("Name a FILE, a folder, or - for standard input.")
    sources: list[Source] = []
    for name in names:
        if name == STDIN or not Path(name).is_dir():
            sources.append(Source(name))
            continue
        try:
            found = exported(Path(name))
        except Unfinished as error:
            raise click.UsageError(str(error)) from error
        if not found:
            raise click.UsageError(f"{name}: no file called {EXPORTED[0]} in this folder.")
        sources += found
    return sources


def _cluster(engine: str | None, master: str | None, package: Path | None, out: Path | None) -> Cluster:
    if engine not in CLUSTERS and (master or package or out):
        raise click.UsageError("--master, --package and --out go with --engine spark or sail.")
    return Cluster(master, package, out)


def _scored(
    sources: Sequence[Source], show: Show, jobs: int, engine: str | None, cluster: Cluster, *, nameless: bool
) -> Pieces:
    """Return the scores of all sources, in order, and say which of them only one process reads."""
    if engine is not None:
        return _scored_inside(engine, sources, show, cluster)
    scorer = BulkScorer(catalogue(), nameless=nameless)
    if jobs == 1:
        return one_process(sources, scorer.score, show)
    from smartapp.populations.workers import file_behind, several_processes

    told: set[str] = set()

    def say(source: Source, why_one: str) -> None:
        if why_one not in told:
            told.add(why_one)
            name = "standard input" if source.name == STDIN else source.shown
            click.echo(f"{_clear_line()}{name} {why_one}: read by one process", err=True)

    return several_processes(sources, scorer.score, show, jobs=jobs, say=say, out=file_behind(sys.stdout.buffer))


def _scored_inside(engine: str, sources: Sequence[Source], show: Show, cluster: Cluster) -> Pieces:
    """Return the scores of all sources, in order, as another engine gives them."""
    try:
        return scored_by(engine, sources, show, cluster)
    except EngineError as error:
        raise click.UsageError(str(error)) from error


def _shown(form: str, *, provenance: bool) -> Show:
    if sys.stdout is None:
        raise click.UsageError("Standard output is closed, and the scores go there. Name a file: > observations.ndjson")
    if form != "table":
        return _with_provenance if provenance else lambda observations: observations
    if provenance:
        raise click.UsageError(
            "--provenance adds FHIR resources, and a table has no room for them; leave one of the two out."
        )
    encoding, errors = sys.stdout.encoding, sys.stdout.errors or "strict"
    return lambda observations: as_table(observations).encode(encoding, errors)


def _with_provenance(observations: bytes) -> bytes:
    return with_provenance(observations, datetime.now(UTC).isoformat(timespec="seconds"))


def _write(pieces: Pieces, refused: _Refusals) -> None:
    """Write scores to standard output, and refusals with their lines in the whole file."""
    for source, of_source in groupby(pieces, key=attrgetter("source")):
        line = 0
        with _progress(source) as read:
            for piece in of_source:
                if piece.output:
                    sys.stdout.buffer.write(piece.output)
                    sys.stdout.buffer.flush()  # the next may be written by another process
                for refusal in piece.refusals:
                    refused.add(source.shown, replace(refusal, line=refusal.line + line))
                line += piece.lines
                read(piece.taken)
    sys.stdout.flush()


def _clear_line() -> str:
    """On a terminal the progress bar may be on this line: clear it; it is drawn again below."""
    return _CLEAR_LINE if sys.stderr.isatty() else ""


@dataclass(slots=True)
class _Refusals:
    """Where refusals are written (None: standard error), and how many there have been."""

    to: IO[str] | None
    count: int = 0

    def add(self, source: str, refusal: Refusal) -> None:
        self.count += 1
        if self.to is None:
            click.echo(f"{_clear_line()}{source}:{refusal.line}: {refusal}", err=True)
            return
        told = {"file": source, "line": refusal.line, "entry": refusal.entry, "reason": refusal.reason}
        self.to.write(orjson.dumps({name: value for name, value in told.items() if value is not None}).decode() + "\n")

    def add_response(self, reference: str, reason: str) -> None:
        """Add a response of a server, which has no line."""
        self.count += 1
        if self.to is None:
            click.echo(f"{_clear_line()}{reference}: {reason}", err=True)
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


@contextmanager
def _progress(source: Source) -> Iterator[Callable[[int], None]]:
    """Show how much of a file has been read, on a terminal that is not already showing the scores."""
    if not sys.stderr.isatty() or sys.stdout.isatty() or not source.size:
        yield lambda _taken: None
        return
    with click.progressbar(length=source.size, label=source.path.name, file=sys.stderr) as bar:
        yield bar.update


# --- what is stored already ---------------------------------------------------------------------------------------


def _verify(path: Path, files: Sequence[str], *, provenance: bool) -> int:
    from mappers.verify import differences

    if files:
        raise click.UsageError("--verify takes its own file; leave out FILE.")
    if provenance:
        raise click.UsageError("--provenance goes with new scores, and --verify makes none; leave one of them out.")
    refused = _Refusals(None)
    resources = list(_resources(Source(str(path)), refused))
    # Not a stream: an Observation may come long before its response.
    found, looked_at = differences(resources, catalogue())
    for one in found:
        click.echo(f"{one.observation}  {one.code}  stored: {one.found}  from the answers: {one.expected}")
    click.echo(f"{looked_at} stored scores looked at, {len(found)} differ.")
    return 1 if found or refused.count else 0


def _resources(source: Source, refused: _Refusals) -> Iterator[Any]:
    """Yield the resources of a Bundle or of NDJSON; damage half-way through is a refusal of its own."""
    number = 0
    try:
        batches = batches_of(blocks_of(source, lambda _taken: None))
        for number, line in enumerate(chain.from_iterable(batches), start=1):
            yield from _resources_of(source.path.name, number, line, refused)
    except Damaged as damaged:
        refused.add(source.path.name, Refusal(number + 1, None, str(damaged)))


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
