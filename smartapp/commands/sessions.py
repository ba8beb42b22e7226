"""`verstel sessions`: end the sessions of people, when a device was lost or an account must not be used any more."""

from __future__ import annotations

import click

from smartapp.commands.serve import Misconfigured, opened_again, settings_from_environment


@click.group(epilog="Example:  verstel sessions end --person Practitioner/7")
def command() -> None:
    """End sessions from outside.

    Uses the database and the keys of `verstel serve`: set the same environment variables. The server may run meanwhile.
    """


@command.command(epilog="Example:  verstel sessions end --person Practitioner/7 --issuer https://ehr.example.org/fhir")
@click.option("--all", "everyone", is_flag=True, help="Every session of everyone.")
@click.option("--person", metavar="TYPE/ID", help="The sessions in which this person signed in: Practitioner/7.")
@click.option("--issuer", metavar="URL", help="The sessions of this EHR or portal: its `base` in the issuers file.")
def end(*, everyone: bool, person: str | None, issuer: str | None) -> None:
    """Wipe sessions, give their tokens back to the EHR, and write it to the log.

    What was saved stays. The person can sign in again where the EHR lets them: lock the account there first.

    Exit code 2: a setting is missing or wrong, or it was not said whose sessions.
    """
    if everyone == bool(person or issuer):
        raise click.UsageError("Say whose: either --all, or --person or --issuer (both for that person there).")
    if person and not all(person.partition("/")):
        raise click.UsageError(f"{person} is no TYPE/ID: write the person as Practitioner/7.")
    # Imported here, so that `verstel --help` does not pay for Flask.
    from smartapp import create_app
    from smartapp.services import KEY, Services

    settings = settings_from_environment()
    if issuer and settings.issuer(issuer) is None:
        raise Misconfigured(f"{issuer} is not the base of an issuer in the issuers file; write it letter for letter.")
    engine = opened_again(settings)
    try:
        services: Services = create_app(settings, engine=engine).extensions[KEY]
        ended = services.end_sessions(person=person, issuer=issuer)
    finally:
        engine.dispose()
    click.echo("1 session ended." if ended == 1 else f"{ended} sessions ended.")
