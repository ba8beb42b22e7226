"""`verstel bulk`: the responses of a whole server in, by FHIR Bulk Data Access, and their scores back."""

from __future__ import annotations

import gzip
import sys
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from smartapp.commands import signing_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from smartapp.fhir.remote import TokenSource
    from smartapp.populations.bulk_export import State, Told
    from smartapp.populations.write_back import Journal, Refusal, WriteBack

_FETCH_SCOPE: Final = "system/QuestionnaireResponse.rs system/Observation.rs"
_STORE_SCOPE: Final = "system/Observation.crs"
_CLEAR_LINE: Final = "\r\x1b[K"
_SCORES: Final = ("observations*.ndjson", "observations*.ndjson.gz")


@click.group(
    epilog="""\b
Example:
  verstel bulk fetch --from https://fhir.example.org/r4 --to export --client-id verstel --keys keys.json
  verstel score export > export/observations.ndjson
  verstel bulk store export --to https://fhir.example.org/r4 --client-id verstel --keys keys.json
"""
)
def command() -> None:
    """Fetch all responses of a server by its bulk export, and write their scores back.

    Each step may be stopped at any moment; the same command then goes on where it was. For a small server, or to keep
    up with a live one: verstel score --from.
    """


@command.command(
    epilog="Exit code 0: all of it is here. 1: something is not, or the server left something out. 2: wrong usage."
)
@click.option("--from", "base", required=True, metavar="URL", help="The base of the FHIR R4 server.")
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for this export; it is made where it is not there.",
)
@click.option("--group", default="", metavar="ID", help="Only of the people in this Group.")
@click.option(
    "--of",
    "level",
    type=click.Choice(["patient", "system"]),
    default="patient",
    show_default=True,
    help="Without --group: ask for all about people (Patient/$export), or for all there is ($export).",
)
@click.option(
    "--since", default="", metavar="INSTANT", help="Only what was changed since, such as 2026-11-01T00:00:00Z."
)
@click.option(
    "--token-to",
    multiple=True,
    metavar="ORIGIN",
    help="Show our token to this other host too (https://files.example), where the server keeps its files there.",
)
@signing_in(_FETCH_SCOPE)
def fetch(
    base: str,
    folder: Path,
    group: str,
    level: Literal["patient", "system"],
    since: str,
    *,
    token_to: tuple[str, ...],
    token: str | None,
    client_id: str | None,
    keys: Path | None,
    scope: str,
) -> None:
    """Fetch all QuestionnaireResponses and Observations of a server into a folder.

    Responses that the server says were deleted are left out; deleted-responses.txt lists them.
    """
    from mappers.answers import FHIR_ID
    from smartapp.deploy.signing_in import words_of
    from smartapp.fhir.store import RecordError
    from smartapp.populations.bulk_export import Export, OtherExport
    from smartapp.populations.kept import Busy, alone
    from smartapp.settings import ConfigError, checked_base, is_origin

    if group and not FHIR_ID.fullmatch(group):
        raise click.UsageError("--group: write the id as the server has it, without Group/.")
    if since and not _is_instant(since):
        raise click.UsageError("--since: write a moment with its time zone, such as 2026-11-01T00:00:00Z.")
    for one in token_to:
        if not is_origin(one):
            raise click.UsageError(f"--token-to {one}: write an origin, such as https://files.example.")
    try:
        server = checked_base(base.rstrip("/"), "--from")
        sign_in = _signed_in(server, token, client_id, keys, scope)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        export = Export(
            folder, server, sign_in, group=group, level=level, since=since, token_to=token_to, wait=_wait, tell=_show
        )
        with alone(folder):
            told = export.run()
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    except Busy:
        raise click.ClickException(f"{folder}: another bulk fetch is at work in this folder. Wait for it.") from None
    except OtherExport as error:
        raise click.UsageError(
            f"{folder} holds another export ({_words(error.state)}); name another folder."
        ) from error
    except RecordError as error:
        _clear()
        click.echo(f"Stopped: {_sentence(words_of(error))} What is here stays; run again to go on.", err=True)
        sys.exit(1)
    except OSError as error:
        raise click.ClickException(f"{folder}: {error.strerror or error}. What is here stays; run again.") from error
    sys.exit(_told(folder, told))


def _told(folder: Path, told: Told) -> int:
    """Say what came of an export; return the exit code."""
    from smartapp.populations.bulk_export import DELETED

    _clear()
    was = "Nothing to do: the export was complete" if told.again else "The export is complete"
    click.echo(f"{was}: {told.files} files in {folder}, as the server was at {told.time}.")
    if told.deleted:
        click.echo(f"{told.deleted} responses were deleted on the server since; {folder / DELETED} lists them.")
    if told.other:
        click.echo(f"{told.other} files of types that were not asked for were left there.")
    for remark in told.remarks:
        click.echo(f"The server says: {remark}", err=True)
    if told.left_out > len(told.remarks):
        click.echo(f"The server says {told.left_out - len(told.remarks)} things more; see outcome.*.ndjson.", err=True)
    for line in told.short:
        click.echo(line, err=True)
    return 1 if told.failed or told.short else 0


@command.command(epilog="Exit code 0: everything is stored. 1: something was refused, or it stopped. 2: wrong usage.")
@click.argument("source", metavar="FILE|FOLDER", type=click.Path(exists=True, path_type=Path))
@click.option("--to", "base", required=True, metavar="URL", help="The base of the FHIR R4 server.")
@click.option(
    "--export",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of bulk fetch: what it holds is there already. For a FOLDER that is the folder itself.",
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was refused to this file, one JSON object per line. Without it: FILE.rejects.ndjson.",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 1000),
    default=100,
    show_default=True,
    help="About how many Observations to send at once.",
)
@click.option("--again", is_flag=True, help="Begin anew: also send again what was refused. Nothing is written twice.")
@signing_in(_STORE_SCOPE)
def store(
    source: Path,
    base: str,
    export: Path | None,
    rejects: Path | None,
    batch: int,
    *,
    again: bool,
    token: str | None,
    client_id: str | None,
    keys: Path | None,
    scope: str,
) -> None:
    """Write Observations of verstel score to a server, each of them once.

    FILE is what verstel score wrote (NDJSON, plain or .gz); of a FOLDER it is observations*.ndjson. How far it came is
    kept beside each file, in FILE.stored.json.
    """
    from smartapp.deploy.signing_in import words_of
    from smartapp.fhir.remote import RemoteStore
    from smartapp.fhir.store import Forbidden, RecordError
    from smartapp.populations.bulk_export import known_in
    from smartapp.populations.kept import Busy, alone
    from smartapp.populations.write_back import There, WriteBack
    from smartapp.settings import ConfigError, checked_base

    files = sorted({path for one in _SCORES for path in source.glob(one)}) if source.is_dir() else [source]
    files = [one for one in files if not one.name.endswith(_REJECTS)]
    if not files:
        raise click.UsageError(f"{source}: no file called {_SCORES[0]} in this folder. Make it with verstel score.")
    if rejects is not None and (len(files) > 1 or (rejects.exists() and rejects.samefile(files[0]))):
        raise click.UsageError("--rejects goes with one FILE, and is another file.")
    folder = source if source.is_dir() and export is None else export
    refused = 0
    try:
        server = checked_base(base.rstrip("/"), "--to")
        there = There(*known_in(folder)) if folder is not None else None
        back = WriteBack(
            RemoteStore(server, _signed_in(server, token, client_id, keys, scope), wait=_wait), _wait, there, _say
        )
        for file in files:
            with alone(file):
                refused += _store_file(
                    file, rejects or file.with_name(f"{file.name}{_REJECTS}"), back, server, batch, again=again
                )
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    except Busy:
        raise click.ClickException(f"{file}: another bulk store is at work on this file. Wait for it.") from None
    except RecordError as error:
        _clear()
        hint = f" Its manager has to give this client {scope}." if isinstance(error, Forbidden) else ""
        click.echo(f"Stopped before the end: {_sentence(words_of(error))}{hint} Run again to go on.", err=True)
        sys.exit(1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise click.ClickException(
            f"{source}: the gzip file is damaged ({error}). What was written of it stays; make it anew with verstel "
            "score, and run again."
        ) from error
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or source}: {error.strerror or error}. Run again to go on."
        ) from error
    sys.exit(1 if refused else 0)


@command.command("import-files", epilog="Exit code 0: all lines are in the files. 1: some are not. 2: wrong usage.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--into",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for the files.",
)
@click.option("--served-at", required=True, metavar="URL", help="The address at which your web server has that folder.")
def import_files(file: Path, folder: Path, served_at: str) -> None:
    """Make files for a server with an $import, instead of writing to it: HAPI FHIR has one.

    Observation.ndjson holds the scores of verstel score, each with an id of its own; import.json is what to POST to
    [base]/$import with the header Prefer: respond-async. HL7's Bulk Data Access defines no $import; other servers want
    another request. It overwrites by that id, and does not see scores that are there under another one.
    """
    from smartapp.populations import import_files as made
    from smartapp.settings import ConfigError, checked_base

    try:
        checked_base(served_at, "--served-at")
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        written, refused = made.import_files(file, folder, served_at, _refused_of(file))
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise click.ClickException(
            f"{file}: the gzip file is damaged ({error}). Make it anew with verstel score."
        ) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or folder}: {error.strerror or error}") from error
    click.echo(f"{written} Observations in {folder / made.NAME}; the request is {folder / made.REQUEST}.")
    sys.exit(1 if refused else 0)


def _refused_of(file: Path) -> Callable[[Refusal], None]:
    return lambda one: click.echo(f"{file}:{one.line}: {one.reason}", err=True)


_REJECTS: Final = ".rejects.ndjson"


def _store_file(file: Path, rejects: Path, back: WriteBack, server: str, batch: int, *, again: bool) -> int:
    """Write one file from where its journal ends; return how much of it was refused in all."""
    from smartapp.populations.write_back import Journal, OtherFile, read_journal

    note = file.with_name(f"{file.name}.stored.json")
    before = journal = Journal(server) if again else read_journal(note, server)
    try:
        journal = _store_parts(file, note, journal, rejects, back, batch=batch)
    except OtherFile:
        click.echo(f"{file} is not what it was when {note.name} was kept: begun anew.", err=True)
        journal = _store_parts(file, note, Journal(server), rejects, back, batch=batch)
    _clear()
    click.echo(f"{'Nothing to do: ' if journal is before else ''}{_sum(file, journal)}")
    if journal.refused:
        click.echo(f"{journal.refused} refused, with their reasons in {rejects}.", err=True)
    return journal.refused


def _store_parts(file: Path, note: Path, journal: Journal, rejects: Path, back: WriteBack, *, batch: int) -> Journal:
    """Write a file part by part, and keep after each how far it came."""
    from smartapp.populations.reading import Source
    from smartapp.populations.write_back import Journal, Rejects, noted, parts_of

    with Rejects(rejects, Source(file.name).shown, journal.rejects) as refusals:
        for part in parts_of(file, journal, batch):
            done = back.write(part)
            journal = Journal(
                journal.server,
                part.offset,
                part.digest,
                part.lines,
                journal.written + done.written,
                journal.there + done.there,
                journal.refused + len(done.refusals),
                refusals.add(done.refusals),
            )
            noted(note, journal)
            _show(_sum(file, journal))
    return journal


def _sum(file: Path, journal: Journal) -> str:
    return (
        f"{file.name}: {journal.lines} lines read: {journal.written} Observations written,"
        f" {journal.there} were there, {journal.refused} refused."
    )


def _signed_in(
    server: str, token: str | None, client_id: str | None, keys: Path | None, scope: str
) -> TokenSource | None:
    from smartapp.deploy.signing_in import token_source

    return token_source(server, token, client_id, keys, scope)


def _is_instant(text: str) -> bool:
    """Tell whether this is FHIR's instant: a moment with its time zone."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _words(state: State) -> str:
    since = f" since {state.since}" if state.since else ""
    return f"{state.path}{since} of {state.server}"


def _sentence(text: str) -> str:
    """End a text of a server as a sentence, so that the next one can follow."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _say(words: str) -> None:
    _clear()
    click.echo(words, err=True)


def _wait(seconds: float) -> None:
    time.sleep(seconds)


def _show(words: str) -> None:
    """Show on a terminal what is being done; the line is written over by the next."""
    if sys.stderr.isatty():
        click.echo(f"{_CLEAR_LINE}{words}", nl=False, err=True)


def _clear() -> None:
    if sys.stderr.isatty():
        click.echo(_CLEAR_LINE, nl=False, err=True)
