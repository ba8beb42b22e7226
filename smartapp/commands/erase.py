"""`verstel erase`: what Verstel keeps about one person, deleted at their word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smartapp.commands import about_person

if TYPE_CHECKING:
    from smartapp.settings import Issuer, Settings


@click.command(epilog="Example:  verstel erase --issuer example-ehr --patient 12345")
@about_person
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(issuer: str, patient: str, *, yes: bool) -> None:
    """Delete what Verstel keeps about a person: drafts, unsaved words, what waits to be sent, and its own records.

    What has arrived at the EHR or a companion server is theirs to delete, and so are backups. The log of who did what
    stays: the law asks for it.
    """
    from smartapp import create_app
    from smartapp.commands.serve import opened_again, settings_from_environment
    from smartapp.erasing import erase
    from smartapp.services import KEY

    settings = settings_from_environment()
    known = issuer_of(settings, issuer)
    if not yes:
        click.confirm(f"Delete what is kept about Patient/{patient} of {known.name}? It can't be undone", abort=True)
    engine = opened_again(settings)
    services = create_app(settings, engine=engine).extensions[KEY]
    erased, log_rows = erase(services, known, patient)
    engine.dispose()
    for what, count in erased.items():
        click.echo(f"{count} {what} deleted")
    click.echo(f"{log_rows} rows of the log stay: verstel audit export. So does what is at the EHR, and in backups.")


def issuer_of(settings: Settings, key: str) -> Issuer:
    """Return the issuer with a key, or end the command with exit code 2 and the keys that there are."""
    found = next((issuer for issuer in settings.issuers if issuer.key == key), None)
    if found is None:
        known = ", ".join(issuer.key for issuer in settings.issuers) or "none"
        raise click.UsageError(f"No issuer has the key {key!r}. In VERSTEL_ISSUERS_FILE: {known}.")
    return found
