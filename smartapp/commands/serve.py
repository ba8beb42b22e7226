"""`verstel serve`: the app in production, with its settings from the environment."""

from __future__ import annotations

import gc
import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket

    from flask import Flask
    from sqlalchemy.engine import Engine

    from smartapp.courier import Courier
    from smartapp.settings import Settings
    from smartapp.web.listening import Bounds


log = logging.getLogger(__name__)

TURN_SECONDS = 0.0005
"""So long a thread keeps Python to itself while others wait for it. A page lets go of it at each step of the database,
and by Python's own 5 ms it waited for all who draw a page meanwhile, each time: with 0.5 ms the slowest of twenty pages
took 100 ms instead of 160, for the same CPU."""


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


def opened(settings: Settings, *, alone: bool = False) -> Engine:
    """Open the database of the settings, or end the command with exit code 2 and the reason; see `open_database`."""
    from smartapp.storage.database import DatabaseError, open_database

    try:
        return open_database(settings.database_url, alone=alone)
    except DatabaseError as error:
        raise Misconfigured(str(error)) from error


def opened_again(settings: Settings) -> Engine:
    """Open the database that `verstel serve` made, or end the command with exit code 2 and the reason.

    One made here would be empty, and hide a wrong address.
    """
    from smartapp.storage.database import DatabaseError, open_existing
    from smartapp.storage.sessions import SESSIONS

    try:
        open_existing(settings.database_url, SESSIONS).dispose()
    except DatabaseError as error:
        raise Misconfigured(str(error)) from error
    return opened(settings)


def _address(_context: click.Context, _option: click.Parameter, given: str | None) -> tuple[str, int] | None:
    """Read HOST:PORT."""
    if given is None:
        return None
    host, _, port = given.rpartition(":")
    if not (host and port.isdecimal() and int(port) <= 65535):
        raise click.BadParameter(f"{given!r} is not HOST:PORT with a port up to 65535, such as 127.0.0.1:8000.")
    return host, int(port)


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
@click.option(
    "--connections",
    default=2000,
    show_default=True,
    type=click.IntRange(50, 100_000),
    help="Connections open at the same time, most of them idle; more have to wait.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes; each has its own threads and connections. More than one needs PostgreSQL.",
)
@click.option(
    "--metrics",
    metavar="HOST:PORT",
    callback=_address,
    help="Where a Prometheus server may read figures; the second process has the port after it, and so on.",
)
@click.option(
    "--announce",
    default=0,
    show_default=True,
    type=click.IntRange(0, 300),
    help="Seconds between SIGTERM and the end, in which /readyz says 503, for a load balancer that asks it.",
)
@click.option(
    "--log-format", default="text", show_default=True, type=click.Choice(["text", "json"]), help="Form of the log."
)
@click.option("--check", is_flag=True, help="Check the settings and the database, then exit.")
def command(
    listen: tuple[str, int],
    *,
    threads: int,
    connections: int,
    workers: int,
    metrics: tuple[str, int] | None,
    announce: int,
    log_format: str,
    check: bool,
) -> None:
    """Run the app. Every setting is an environment variable; .env.example lists them all.

    Exit code 2: settings are missing or wrong; all of them are named at once.
    """
    # Imported here, so that `verstel --help` does not pay for Flask.
    from smartapp.web import logs
    from smartapp.web.listening import Bounds
    from smartapp.web.workers import supervise

    settings = settings_from_environment()
    app, engine = _made(settings, alone=not check)
    if not settings.issuers:
        raise Misconfigured("VERSTEL_ISSUERS_FILE is not set: without an EHR or portal nobody can sign in.")
    if workers > 1 and engine.dialect.name == "sqlite":
        raise Misconfigured(
            "SQLite is for one process. For --workers, set VERSTEL_DATABASE_URL to a PostgreSQL database."
        )
    if check:
        click.echo(
            "\n".join(["The settings are complete. To register at each EHR or portal:", *_to_register(settings)])
        )
        return
    # Why a sign-in was refused is only in the log, so it is always on. No line of it holds names, answers or tokens.
    logs.set_up(log_format)
    warm_up()
    serving = _Serving(settings, _bound(*listen), Bounds(threads, connections), metrics, announce)
    for sentence in reached_without_tls(listen, metrics):
        log.warning(sentence)
    log.info("Verstel is listening on http://%s:%d for %s", *listen, settings.public_url)
    if workers == 1:
        serving.run(app, engine)
        return
    engine.dispose()  # each process opens its own: a connection cannot be shared
    if not supervise(workers, serving.work):
        raise click.ClickException("A process did not end in time or broke; what it had under way is in the outbox.")


def _to_register(settings: Settings) -> list[str]:
    """Return the addresses of this app that an EHR or portal asks for, one a line."""
    here, issuers = settings.public_url, settings.issuers
    signs = any(issuer.auth == "private_key_jwt" or issuer.messages_client_id for issuer in issuers)
    lists = any(issuer.caseload_scopes for issuer in issuers)
    rows = [
        ("launch URL", f"{here}/launch"),
        *([("launch URL of the list of own clients", f"{here}/caseload")] if lists else []),
        ("redirect URI", settings.redirect_uri),
        *([("keys of ours (JWKS)", f"{here}/.well-known/jwks.json")] if signs else []),
    ]
    return [f"  {name}: {address}" for name, address in rows]


def reached_without_tls(listen: tuple[str, int], metrics: tuple[str, int] | None) -> list[str]:
    """Return a sentence for each address that other machines may reach; both speak plain http."""
    from smartapp.settings import LOOPBACK

    given = {"--listen": listen, "--metrics": metrics}
    return [
        f"{option} {address[0]} takes plain http from other machines: let none but the proxy, or whoever reads the "
        "figures, reach it, over a network that is protected itself"
        for option, address in given.items()
        if address is not None and address[0].strip("[]") not in LOOPBACK
    ]


def _made(settings: Settings, *, alone: bool = True) -> tuple[Flask, Engine]:
    """Return the app and its database, or end the command with exit code 2 and the reason."""
    from questionnaires.catalogue import DefinitionError, catalogue
    from smartapp import create_app
    from smartapp.settings import ConfigError
    from smartapp.storage.vault import SealBroken

    try:
        catalogue().maps  # noqa: B018 - read now: of a map that can't be read, no page could say so
    except DefinitionError as error:
        raise Misconfigured(str(error)) from error
    engine = opened(settings, alone=alone)
    try:
        return create_app(settings, engine=engine), engine
    except (ConfigError, SealBroken) as error:  # a file of signing keys that cannot be read, keys of another database
        raise Misconfigured(str(error)) from error


def _bound(host: str, port: int) -> socket:
    from smartapp.web.listening import bound_socket

    try:
        return bound_socket(host, port)
    except OSError as error:
        raise Misconfigured(f"Cannot listen on {host}:{port}: {error}.") from error


def warm_up() -> None:
    """Load what the first save needs, and have the garbage collector pass over all that stays until the end.

    Looking through it took 70 ms, in which no page goes on, once in about five hundred requests. Done before there are
    several processes, which then share it. And have threads take short turns.
    """
    from smartapp.fhir.checked import prepare

    prepare()
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(TURN_SECONDS)


@dataclass(frozen=True, slots=True)
class _Serving:
    """What each process of the server is told."""

    settings: Settings
    listening: socket
    bounds: Bounds
    metrics: tuple[str, int] | None
    announce: int

    def work(self, number: int) -> None:
        """Be one of several processes."""
        self.run(*_made(self.settings), number)

    def run(self, app: Flask, engine: Engine, number: int = 0) -> None:
        """Serve the app, and send what waits in the outbox while no one makes requests, until asked to end."""
        from smartapp.courier import Courier
        from smartapp.fhir.bulkheads import HOSTS
        from smartapp.services import KEY
        from smartapp.web.health import readiness
        from smartapp.web.listening import Listening
        from smartapp.web.workers import DRAIN_SECONDS

        HOSTS.share(self.bounds.threads)
        server = Listening(app, self.listening, self.bounds, behind_proxy=self.settings.trusted_proxies > 0)
        readiness(app).draining = server.draining.is_set
        courier = Courier(app.extensions[KEY])
        stop_metrics = self._measured(app, courier, number)
        courier.start()
        try:
            server.run(self.announce)
        finally:
            courier.stop()
            courier.join(DRAIN_SECONDS)
            stop_metrics()
            engine.dispose()

    def _measured(self, app: Flask, courier: Courier, number: int) -> Callable[[], None]:
        """Serve metrics, where there is an address for them; return what ends that."""
        if self.metrics is None:
            return lambda: None
        from smartapp.fhir.http import WATCHERS
        from smartapp.services import KEY
        from smartapp.web.metrics import Metrics, init_metrics

        host, port = self.metrics
        metrics, services = Metrics(self.settings), app.extensions[KEY]
        init_metrics(app, metrics)
        metrics.watch(services.outbox, services.clock, courier.is_alive, services.audit.to_pass_on.waiting)
        WATCHERS.append(metrics.called)
        try:
            return metrics.serve(host, port + number)
        except OSError as error:
            raise Misconfigured(f"Cannot serve metrics on {host}:{port + number}: {error}.") from error
