"""`verstel audit`: hand the log of who did what with whose record to the person who has to examine it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import orjson

from mappers.audit import audit_event
from smartapp.commands.serve import Misconfigured, settings_from_environment

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from smartapp.settings import Settings


@click.group(epilog="Example:  verstel audit export --since 2026-11-01 > audit.ndjson")
def command() -> None:
    """Read the log of who opened, read or changed whose record through Verstel.

    Uses the database and the keys of `verstel serve`: set the same environment variables.
    """


@command.command(epilog="Example:  verstel audit export --since 2026-11-01 > audit.ndjson")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Only what happened on this day (UTC) or later. Default: everything.",
)
def export(since: datetime | None) -> None:
    """Write every row of the log as a FHIR AuditEvent, one JSON object per line, oldest first.

    The rows name people: write them to a place that only an auditor can read.

    Exit code 1: a row does not open with these keys, or the output could not be written; the rows before it were
    written. 2: a setting is missing or wrong, or there is no log in the database.
    """
    # Imported here, so that `verstel --help` does not pay for SQLAlchemy.
    from smartapp.storage.audit import Audit
    from smartapp.storage.vault import SealBroken, Vault

    settings = settings_from_environment()
    engine = _opened(settings)
    count = 0
    try:
        # Nothing is written, so the clock is never asked.
        log = Audit(engine, Vault(settings.encryption_keys), lambda: 0.0)
        for entry in log.entries(since=int(since.replace(tzinfo=UTC).timestamp()) if since else 0):
            sys.stdout.buffer.write(orjson.dumps(audit_event(entry)) + b"\n")
            count += 1
        sys.stdout.flush()
    except SealBroken as error:
        raise click.ClickException(f"stopped after {_events(count)}. {error}") from error
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough; click exits quietly
        raise
    except OSError as error:
        raise click.ClickException(f"stopped before the end: {error.strerror or error}") from error
    finally:
        engine.dispose()
    click.echo(f"{_events(count)}.", err=True)


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count} events"


def _opened(settings: Settings) -> Engine:
    """Open the database that `verstel serve` made. One made here would turn a wrong address into an empty log."""
    from smartapp.storage.audit import AUDIT
    from smartapp.storage.database import DatabaseError, open_existing

    try:
        return open_existing(settings.database_url, AUDIT)
    except DatabaseError as error:
        raise Misconfigured(str(error)) from error
