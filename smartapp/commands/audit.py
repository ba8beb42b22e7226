"""`verstel audit`: the log of who did what with whose record, handed out, examined, and removed when it is old."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
import orjson

from mappers.audit import audit_event
from smartapp.commands.serve import Misconfigured, opened, settings_from_environment

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from smartapp.settings import Settings
    from smartapp.storage.examining import Examination

MOST_FINDINGS = 100
PAUSE_SECONDS = 0.15
"""Between two blocks that are pruned: whoever waits to write looks again each tenth of a second on SQLite."""
DAY = click.DateTime(["%Y-%m-%d"])
LOG = "the log"


@click.group(epilog="Example:  verstel audit export --since 2026-11-01 > audit.ndjson")
def command() -> None:
    """Read, examine or shorten the log of who opened, read or changed whose record through Verstel.

    Uses the database and the keys of `verstel serve`: set the same environment variables.
    """


@command.command(epilog="Example:  verstel audit export --since 2026-11-01 > audit.ndjson")
@click.option(
    "--since",
    type=DAY,
    metavar="YYYY-MM-DD",
    help="Only what happened on this day (UTC) or later. Default: everything.",
)
@click.option("--person", metavar="Patient/ID", help="Only what is about this person.")
@click.option("--issuer", metavar="KEY", help="With --person: the key of their issuer, or its address. Default: all.")
def export(since: datetime | None, person: str | None, issuer: str | None) -> None:
    """Write every row of the log as a FHIR AuditEvent, one JSON object per line, oldest first.

    The rows name people: write them to a place that only an auditor can read. That they were taken out is a row of the
    log too; with --person it is about that person, who reads it in the app.

    Exit code 1: a row does not open with these keys, the database failed, or the output could not be written; the rows
    before it were written. 2: a setting is missing or wrong, or there is no log in the database.
    """
    # Imported here, so that `verstel --help` does not pay for SQLAlchemy.
    from smartapp.services import log_of
    from smartapp.storage.vault import SealBroken, open_vault

    settings = settings_from_environment()
    about = _about(settings, person, issuer)
    engine = _opened(settings)
    count, issuers = 0, set[str]()
    try:
        with _sentences():
            log = log_of(settings, engine, open_vault(engine, settings.encryption_keys), time.time)
            try:
                for number, entry in log.numbered(since=_moment(since) if since else 0, about=about):
                    sys.stdout.buffer.write(orjson.dumps(audit_event(entry, number)) + b"\n")
                    count += 1
                    issuers.add(entry.issuer)
                sys.stdout.flush()
            except BaseException:
                # What came out is noted, whatever ended it; and why it ended is what is said.
                with contextlib.suppress(Exception):
                    _note_export(settings, person, issuers, count)
                raise
            _note_export(settings, person, issuers, count)
    except SealBroken as error:
        raise click.ClickException(f"stopped after {_events(count)}. {error}") from error
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough; click exits quietly
        raise
    except OSError as error:
        _write_nothing_more()
        raise click.ClickException(f"stopped before the end: {error.strerror or error}") from error
    finally:
        engine.dispose()
    click.echo(f"{_events(count)}.", err=True)


def _note_export(settings: Settings, person: str | None, issuers: set[str], count: int) -> None:
    """Write into the log that so many rows were taken out of it: about a person at each of these issuers, or nobody."""
    from smartapp.services import log_of
    from smartapp.storage.chain import mark
    from smartapp.storage.database import reading
    from smartapp.storage.vault import SealBroken, open_vault

    engine = opened(settings)
    try:
        vault = open_vault(engine, settings.encryption_keys)
        with reading(engine) as connection:
            mark(connection, vault, "head")
        log = log_of(settings, engine, vault, time.time)
        if person is None or not issuers:
            log.taken_out("", "", "", f"{LOG}, {_events(count)}")
            return
        for base in sorted(issuers):
            log.taken_out(settings.issuer_key(base), base, person, f"{LOG}, {_events(count)}")
    except SealBroken:
        # A row behind an end that is not ours would hide that it is not.
        click.echo("This is not noted in the log: its end is not ours. Run verstel audit verify.", err=True)
    finally:
        engine.dispose()


def _write_nothing_more() -> None:
    """Let what is left for standard output go nowhere: at its end Python would fail on it again, with exit code 120."""
    with contextlib.suppress(OSError):  # where it is no file, as in tests, nothing is left either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@command.command(epilog="Example:  verstel audit verify --noted 1250:9f86d0…")
@click.option("--noted", metavar="NUMBER:LINK", help="The last row as an earlier `head` or `verify` named it.")
@click.option(
    "--began-after",
    type=click.IntRange(0),
    default=0,
    metavar="NUMBER",
    help="The last row that an older version wrote, before there was the chain. Default: there is none.",
)
def verify(noted: str | None, began_after: int) -> None:
    """Check that no row of the log was changed, removed or added.

    Ends with the last row and its link: note both outside this database. Whoever has the database and its keys can
    write another log that fits, and whoever kept an older copy can put that back; only what was noted elsewhere
    (--noted), or exported, shows that.

    Exit code 1: something is wrong, a sentence for each. 2: a setting is missing or wrong, or there is no log.
    """
    from smartapp.storage.examining import Examination
    from smartapp.storage.vault import SealBroken, open_vault

    row = _noted(noted)
    settings = settings_from_environment()
    engine = _opened(settings, chained=True)
    names = {name for issuer in settings.issuers for name in (issuer.key, issuer.base)}
    found = 0
    try:
        with _sentences():
            examination = Examination(engine, open_vault(engine, settings.encryption_keys), names, row)
            for found, finding in enumerate(examination.findings(), start=1):
                if found <= MOST_FINDINGS:
                    click.echo(finding)
    except SealBroken as error:
        raise click.ClickException(str(error)) from error
    finally:
        engine.dispose()
    if found > MOST_FINDINGS:
        click.echo(f"… and {found - MOST_FINDINGS} more.")
    if examination.unchecked:
        click.echo(
            f"{examination.unchecked} rows are of issuers that the issuers file does not have: whether they stand "
            "under the right person can't be told."
        )
    _say(examination, began_after)
    if found or examination.begins != began_after:
        raise SystemExit(1)


@command.command(epilog="Example:  verstel audit head >> /mnt/elsewhere/verstel-heads")
def head() -> None:
    """Print the last row of the log and its link: NUMBER:LINK, for `verify --noted`. It names nobody.

    Looks at nothing else, so it takes no time however long the log is. Keep what it prints where neither this machine
    nor its operators can change it.

    Exit code 1: the end of the log is gone or not ours; run verify. 2: a setting is missing or wrong, or there is no
    log.
    """
    from smartapp.storage.chain import mark
    from smartapp.storage.database import reading
    from smartapp.storage.vault import SealBroken, open_vault

    settings = settings_from_environment()
    engine = _opened(settings, chained=True)
    try:
        with _sentences(), reading(engine) as connection:
            end = mark(connection, open_vault(engine, settings.encryption_keys), "head")
    except SealBroken as error:
        raise click.ClickException(f"{error} Run verstel audit verify.") from error
    finally:
        engine.dispose()
    if end is None:
        raise click.ClickException("the log has no end: nothing was written yet, or it was removed.")
    click.echo(str(end))


@command.command(epilog="Example:  verstel audit prune --keep-days 1826 --yes")
@click.option("--before", type=DAY, metavar="YYYY-MM-DD", help="Remove what was recorded before this day (UTC).")
@click.option("--keep-days", type=click.IntRange(1), metavar="N", help="Remove what is older than so many days.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def prune(before: datetime | None, keep_days: int | None, *, yes: bool) -> None:
    """Remove old rows of the log, oldest first, and write in the log that it was done.

    How long a log must be kept is for the law and your organisation to say. Run `verstel audit verify` and `export`
    before it: what is removed cannot be checked any more. The server may run meanwhile; a run that was broken off goes
    on when it is run again.

    Exit code 1: the database failed. 2: a setting is missing or wrong.
    """
    from smartapp.services import log_of
    from smartapp.storage.examining import prune as prune_rows
    from smartapp.storage.vault import SealBroken, open_vault

    if (before is None) == (keep_days is None):
        raise click.UsageError("Give --before or --keep-days.")
    settings = settings_from_environment()
    _opened(settings).dispose()  # a mistyped address must not make a new database
    limit = before.replace(tzinfo=UTC) if before else datetime.now(UTC) - timedelta(days=keep_days or 0)
    if not yes:
        click.confirm(f"Remove what was recorded before {limit:%Y-%m-%d %H:%M} UTC? It can't be undone", abort=True)
    engine = opened(settings)
    removed = 0
    try:
        with _sentences():
            vault = open_vault(engine, settings.encryption_keys)
            for count in prune_rows(engine, vault, int(limit.timestamp())):
                removed += count
                time.sleep(PAUSE_SECONDS)
            if removed:
                log_of(settings, engine, vault, time.time).pruned(
                    f"{removed} rows", f"recorded before {limit:%Y-%m-%dT%H:%M}Z"
                )
    except SealBroken as error:
        raise click.ClickException(f"{error} Run verstel audit verify.") from error
    finally:
        engine.dispose()
    click.echo(f"{removed} rows removed.")


def _say(examination: Examination, began_after: int) -> None:
    """Say what was looked at, and what to note."""
    if examination.head is None:
        return
    if examination.begins:
        click.echo(f"Rows up to {examination.begins} are not in the chain: nothing shows whether they changed.")
    if examination.begins != began_after:
        click.echo(
            f"The chain begins after row {examination.begins}. If an older version wrote those before it, give "
            f"--began-after {examination.begins} and note that number; else somebody took them out."
        )
    if examination.pruned:
        click.echo(f"Rows up to {examination.pruned} were removed by verstel audit prune.")
    click.echo(f"{examination.rows} rows were checked. The last row and its link, to be noted: {examination.head}")


def _noted(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    number, _, link = text.partition(":")
    if not number.isdecimal() or len(link) != 64:
        raise click.UsageError("--noted takes what head prints: a number, a colon and 64 signs.")
    return int(number), link


def _about(settings: Settings, person: str | None, issuer: str | None) -> list[tuple[str, str]] | None:
    """Return the names that rows about a person may stand under."""
    if person is None:
        if issuer is not None:
            raise click.UsageError("--issuer goes with --person.")
        return None
    if not person.startswith("Patient/"):
        raise click.UsageError(f"{person!r} is no Patient/ID, such as Patient/12345.")
    chosen = [one for one in settings.issuers if issuer in (None, one.key, one.base)]
    if not chosen:
        known = ", ".join(one.key for one in settings.issuers) or "none"
        raise click.UsageError(f"No issuer has the key {issuer!r}. In VERSTEL_ISSUERS_FILE: {known}.")
    return [(name, person) for one in chosen for name in dict.fromkeys((one.key, one.base))]


@contextmanager
def _sentences() -> Iterator[None]:
    """End the command with a sentence where the database fails."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        why = str(error.orig).partition("\n")[0]  # the lines behind it may quote a row
        raise click.ClickException(f"stopped before the end: the database failed ({why}).") from error


def _moment(day: datetime) -> int:
    return int(day.replace(tzinfo=UTC).timestamp())


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count} events"


def _opened(settings: Settings, *, chained: bool = False) -> Engine:
    """Open the database that `verstel serve` made. One made here would turn a wrong address into an empty log."""
    from smartapp.storage.chain import AUDIT, MARKS
    from smartapp.storage.database import DatabaseError, open_existing

    try:
        return open_existing(settings.database_url, MARKS if chained else AUDIT)
    except DatabaseError as error:
        raise Misconfigured(str(error)) from error
