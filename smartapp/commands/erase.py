"""`verstel erase`: what Verstel keeps about one person, deleted at their word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from smartapp.settings import Issuer, Settings

_DAY = len("1992-03-14")


def patient_id(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Return the id of a person. Raises BadParameter: by another one, part of them would look like all."""
    from mappers.answers import FHIR_ID

    if not FHIR_ID.fullmatch(value):
        raise click.BadParameter("write the id as the EHR has it, without Patient/: letters, digits, - and . only.")
    return value


def birth_date(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Return a birth date, "" where none was said. Raises BadParameter for what is no day."""
    from mappers.birth import birth_date_of

    if value and (len(value) != _DAY or not birth_date_of({"birthDate": value})):
        raise click.BadParameter("write a day as YYYY-MM-DD.")
    return value


@click.command(epilog="Example:  verstel erase --issuer example-ehr --patient 12345")
@click.option("--issuer", required=True, metavar="KEY", help="The key of the issuer, or its address where it has none.")
@click.option(
    "--patient",
    required=True,
    metavar="ID",
    callback=patient_id,
    help="The id of the person at this issuer, without Patient/.",
)
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
