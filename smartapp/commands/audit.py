"""`verstel audit`: hand the log of who did what with whose record to the person who has to examine it."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import orjson

from mappers.audit import audit_event
from smartapp.commands.serve import opened, settings_from_environment


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

    Exit code 2: a setting is missing or wrong.
    """
    # Imported here, so that `verstel --help` does not pay for SQLAlchemy.
    from smartapp.storage.audit import Audit
    from smartapp.storage.vault import Vault

    settings = settings_from_environment()
    engine = opened(settings)
    try:
        # Nothing is written, so the clock is never asked.
        log = Audit(engine, Vault(settings.encryption_keys), lambda: 0.0)
        for entry in log.entries(since=int(since.replace(tzinfo=UTC).timestamp()) if since else 0):
            click.echo(orjson.dumps(audit_event(entry)))
    finally:
        engine.dispose()
