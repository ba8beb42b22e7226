"""`verstel serve`: the app in production, with its settings from the environment."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.engine import Engine

    from smartapp.settings import Settings


class Misconfigured(click.ClickException):
    """A setting is missing or wrong: ends the command with exit code 2."""

    exit_code = 2


def settings_from_environment() -> Settings:
    """Return the settings, or end the command with exit code 2, naming every setting that is missing or wrong."""
    from smartapp.settings import ConfigError, Settings

    try:
        return Settings.from_env()
    except ConfigError as error:
        raise Misconfigured(str(error)) from error


def opened(settings: Settings) -> Engine:
    """Open the database of the settings, or end the command with exit code 2 and the reason."""
    from smartapp.storage.database import DatabaseError, open_database

    try:
        return open_database(settings.database_url)
    except DatabaseError as error:
        raise Misconfigured(str(error)) from error


def _address(_context: click.Context, _option: click.Parameter, given: str) -> str:
    """Check HOST:PORT: given a port above 65,535, waitress would silently listen on another one."""
    host, _, port = given.rpartition(":")
    if not (host and port.isdecimal() and int(port) <= 65535):
        raise click.BadParameter(f"{given!r} is not HOST:PORT with a port up to 65535, such as 127.0.0.1:8000.")
    return given


@click.command(
    epilog="Example:  VERSTEL_PUBLIC_URL=https://verstel.example.org … verstel serve --listen 127.0.0.1:8000"
)
@click.option(
    "--listen",
    default="127.0.0.1:8000",
    show_default=True,
    metavar="HOST:PORT",
    callback=_address,
    help="Where to listen. Put a reverse proxy with TLS in front.",
)
@click.option(
    "--threads", default=16, show_default=True, type=click.IntRange(4, 256), help="Requests handled at the same time."
)
@click.option("--check", is_flag=True, help="Check the settings and the database, then exit.")
def command(listen: str, *, threads: int, check: bool) -> None:
    """Run the app. Every setting is an environment variable; .env.example lists them all.

    Exit code 2: settings are missing or wrong; all of them are named at once.
    """
    # Imported here, so that `verstel --help` does not pay for Flask.
    from smartapp import create_app
    from smartapp.courier import Courier
    from smartapp.services import KEY
    from smartapp.settings import ConfigError
    from smartapp.storage.vault import SealBroken

    settings = settings_from_environment()
    try:
        app = create_app(settings, engine=opened(settings))
    except (ConfigError, SealBroken) as error:  # such as a file of signing keys that cannot be read
        raise Misconfigured(str(error)) from error
    if not settings.issuers:
        raise Misconfigured("VERSTEL_ISSUERS_FILE is not set: without an EHR or portal nobody can sign in.")
    if check:
        click.echo(f"The settings are complete. Redirect URI to register: {settings.redirect_uri}")
        return
    # Why a sign-in was refused is only in the log, so it is always on. No line of it holds names, answers or tokens.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Sends what waits in the outbox while no one is making requests.
    courier = Courier(app.extensions[KEY])
    courier.start()
    click.echo(f"Verstel is listening on http://{listen} for {settings.public_url}", err=True)
    try:
        _run(app, listen, threads, behind_proxy=settings.trusted_proxies > 0)
    finally:
        courier.stop()


def _run(app: Flask, listen: str, threads: int, *, behind_proxy: bool) -> None:
    import waitress  # type: ignore[import-untyped]

    try:
        # Forwarded-headers are believed only if the settings say that a proxy of ours sets them.
        waitress.serve(
            app, listen=listen, threads=threads, ident=None, clear_untrusted_proxy_headers=not behind_proxy, _quiet=True
        )
    except (OSError, ValueError) as error:
        raise Misconfigured(f"Cannot listen on {listen}: {error}.") from error
