"""`verstel reminders`: how many messages wait, and whether the mail server takes ours, for the operator."""

from __future__ import annotations

import click


@click.group(invoke_without_command=True, epilog="Example:  verstel reminders test you@example.org")
@click.pass_context
def command(context: click.Context) -> None:
    """Show how many people get messages that something is ready, or send a test mail. It never shows whom."""
    if context.invoked_subcommand is not None:
        return
    # Imported here, so that `verstel --help` does not pay for the database.
    import time
    import zoneinfo

    from smartapp.commands.serve import opened_again, settings_from_environment
    from smartapp.services import log_of
    from smartapp.storage.reminders import Reminders
    from smartapp.storage.vault import open_vault

    settings = settings_from_environment()
    engine = opened_again(settings)
    vault, zone = open_vault(engine, settings.encryption_keys), zoneinfo.ZoneInfo(settings.time_zone)
    waiting = Reminders(engine, vault, log_of(settings, engine, vault, time.time), time.time, zone).waiting()
    engine.dispose()
    click.echo(
        f"{waiting.on} get messages, {waiting.asked} have not confirmed their address, {waiting.due} are due now."
    )


@command.command(epilog="Example:  verstel reminders test you@example.org")
@click.argument("address")
def test(address: str) -> None:
    """Send a test mail with the settings of this installation, and say what the mail server answered.

    Exit code 1: it did not go.
    """
    from smartapp.commands.serve import settings_from_environment
    from smartapp.mail import NotSent, NotTaken, PerhapsSent, mail_of, sender_of
    from smartapp.settings import mailbox

    settings = settings_from_environment()
    sender = sender_of(settings)
    if sender is None:
        raise click.UsageError("VERSTEL_SMTP_HOST is not set, so nobody gets mail.")
    try:
        mail = mail_of(settings, mailbox(address), "Test", "Dit is een test.\nThis is a test.\n")
    except ValueError as error:
        raise click.UsageError(f"{address!r}: {error}.") from error
    try:
        sender.send(mail)
    except NotSent as error:
        raise click.ClickException(f"It did not go ({error}). Messages wait and are tried again.") from error
    except NotTaken as error:
        raise click.ClickException(f"It was refused for good ({error}).") from error
    except PerhapsSent as error:
        raise click.ClickException(
            f"The connection ended before the server said whether it took it ({error})."
        ) from error
    click.echo("The mail server took it.")
