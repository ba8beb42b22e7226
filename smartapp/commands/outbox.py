"""`verstel outbox`: what waits to be sent, for the operator. It never shows words, or whose they are."""

from __future__ import annotations

import datetime as dt
import json

import click


@click.command(epilog="Example:  verstel outbox --format json")
@click.option("--retry-aside", is_flag=True, help="Let everything that was set aside be tried again.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(*, retry_aside: bool, form: str) -> None:
    """Show how many units wait, are held, are stopped or were set aside, for each issuer, and since when.

    \b
    waiting  sent when it is due
    held     waits for its owner to sign in
    stopped  waits for its author to decide
    aside    could not be opened, or failed three times: look in the log, then --retry-aside

    Exit code 1: something was set aside.
    """  # noqa: D301 - click needs the real control character
    # Imported here, so that `verstel --help` does not pay for the database.
    import time

    from smartapp.commands.serve import opened_again, settings_from_environment
    from smartapp.records.outbox import Outbox
    from smartapp.storage.vault import open_vault

    settings = settings_from_environment()
    engine = opened_again(settings)
    outbox = Outbox(engine, open_vault(engine, settings.encryption_keys), time.time)
    if retry_aside:
        click.echo(f"{outbox.release_aside()} units are tried again.", err=True)
    rows = [
        {
            "issuer": row.issuer or "(of an older version)",
            "state": row.state,
            "units": row.units,
            "oldest": dt.datetime.fromtimestamp(row.oldest, dt.UTC).isoformat(timespec="seconds"),
        }
        for row in outbox.backlog()
    ]
    engine.dispose()
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
    else:
        _print_table(rows)
    if any(row["state"] == "aside" for row in rows):
        raise SystemExit(1)


def _print_table(rows: list[dict[str, object]]) -> None:
    if not rows:
        click.echo("Nothing waits: everything has arrived.")
    for row in rows:
        click.echo(f"{row['issuer']}: {row['units']} {row['state']}, the oldest since {row['oldest']}")
