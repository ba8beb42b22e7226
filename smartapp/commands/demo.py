"""`verstel demo`: the embedded EHR and the app on this machine, with made-up people in them."""

from __future__ import annotations

import errno
import json
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

import click

if TYPE_CHECKING:
    from flask import Flask

    from smartapp.sandbox import Client, Sandbox
    from smartapp.sandbox.kinds import Kind
    from smartapp.sandbox.seeding import KeepDraft
    from smartapp.services import Services
    from smartapp.settings import Settings

HOST = "127.0.0.1"
CLIENT_ID = "verstel"
MOST_DAYS = 3650


@dataclass(slots=True)
class Clock:
    """The one clock of a demo, in seconds since 1970: real time, and so many days ahead of it."""

    ahead_seconds: float = 0.0

    def __call__(self) -> float:
        """Return what time it is in the demo."""
        return time.time() + self.ahead_seconds

    def go_ahead(self, days: int, zone: tzinfo) -> None:
        """Be this many days ahead of today, at the same time of day."""
        self.ahead_seconds = seconds_ahead(datetime.now(zone), days)


def seconds_ahead(now: datetime, days: int) -> float:
    """Return how far ahead the same time of day is: between winter and summer a day has 23 or 25 hours."""
    return (now + timedelta(days=days)).timestamp() - now.timestamp()


class _ListingKinds(click.Command):
    """A command whose help lists the kinds of EHR, from the file that says what each takes."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        from smartapp.sandbox.kinds import kinds

        with formatter.section("KIND is one of"):
            formatter.write_dl([(name, each.title) for name, each in kinds().items()])


@click.command(cls=_ListingKinds)
@click.option("--port", type=click.IntRange(0, 65535), default=8017, show_default=True, help="0 picks any free port.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".verstel/demo"),
    show_default=True,
    help="The folder in which everything is kept between two runs.",
)
@click.option("--fresh", is_flag=True, help="Forget what was kept and start over with the original people.")
@click.option(
    "--day",
    type=click.IntRange(0, MOST_DAYS),
    metavar="N",
    help="Go N days ahead of today, to see what comes then. Time only goes on: the next start is on that day or later.",
)
@click.option("--ehr", default="full", show_default=True, metavar="KIND", help="What the EHR accepts; see below.")
@click.option(
    "--client",
    "apps",
    multiple=True,
    metavar="APP",
    help="Another SMART app that may sign in to the EHR: id=…,redirect_uri=…[,launch_uri=…][,secret=…][,scope=…], "
    "or a TOML file with [[client]] tables. Repeatable.",
)
def command(*, port: int, data: Path, fresh: bool, day: int | None, ehr: str, apps: tuple[str, ...]) -> None:
    """Run the embedded EHR and the app on this machine, with made-up people.

    Nothing leaves this machine. Stop it with Ctrl-C; everything typed is still there at the next start.

    \b
    Examples:
      verstel demo --port 8017
      verstel demo --day 45
      verstel demo --ehr epic-like --client id=my-app,redirect_uri=http://127.0.0.1:9000/callback
    """  # noqa: D301 - click needs the real control character
    from smartapp.sandbox.kinds import UnknownKind, kind
    from smartapp.sandbox.registrations import RegistrationError, registered

    try:
        chosen, others = kind(ehr), registered(apps, taken=[CLIENT_ID])
    except (UnknownKind, RegistrationError) as wrong:
        raise click.UsageError(str(wrong)) from None
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _lock(data), _listen(port) as listening:
        # One database per kind: what one EHR accepted, and what therefore stayed in the app, would not fit another.
        database = data / f"{chosen.name}.db"
        if fresh:
            for suffix in ("", "-wal", "-shm"):  # SQLite keeps its latest writes beside the file
                database.with_name(database.name + suffix).unlink(missing_ok=True)
            _day_file(database).unlink(missing_ok=True)
        _demo(listening, database, chosen, others, day=day)


def _demo(
    listening: socket.socket, database: Path, chosen: Kind, others: tuple[Client, ...], *, day: int | None
) -> None:
    url, data = f"http://{HOST}:{listening.getsockname()[1]}", database.parent
    clock, until_now = Clock(), _day_of(database)
    ahead = _day_asked(day, until_now)
    app, sandbox = demo_app(url, database, data / "keys.json", ehr=chosen.name, others=others, clock=clock)
    # On the day on which this folder was until now: whoever travels finds people who travelled along.
    clock.go_ahead(until_now, sandbox.zone)
    added = _seeded(app, sandbox)
    _day_file(database).write_text(f"{ahead}\n", encoding="ascii")
    clock.go_ahead(ahead, sandbox.zone)
    sandbox.days_ahead = ahead
    click.echo(f"Verstel demo, with {'new' if added else 'the same'} made-up people ({chosen.title}).\n")
    if ahead:
        click.echo(f"  It is {sandbox.today():%d %B %Y} here, {ahead} days ahead of today.\n")
    click.echo(f"  Open   {url}/sandbox/   and choose a person.\n")
    for client in others:
        click.echo(f"  {client.id} may sign in at {sandbox.base}")
        if client.launch_uri:
            click.echo(f"    from a chart: {url}/sandbox/launch?role=clinician&patient=noor&app={quote(client.id)}")
    click.echo(f"  Mails of this demo are put into {data / 'mail'}: nothing is sent.\n")
    click.echo(f"Kept in {data}. Stop with Ctrl-C.")
    _run(app, listening)


def _day_file(database: Path) -> Path:
    """Return the file that says how many days ahead of today a demo was."""
    return database.with_suffix(".day")


def _day_of(database: Path) -> int:
    kept = _day_file(database)
    said = kept.read_text(encoding="ascii", errors="replace").strip() if kept.exists() else "0"
    if not said.isdecimal() or int(said) > MOST_DAYS:
        raise click.ClickException(f"{kept} holds no number of days. Begin again with --fresh.")
    return int(said)


def _day_asked(day: int | None, kept: int) -> int:
    """Return how many days ahead to go; what was written on a later day must not come after what is written now."""
    if day is not None and day < kept:
        raise click.UsageError(
            f"This demo was {kept} days ahead of today already, and time only goes on. "
            f"Choose --day {kept} or more, or begin again with --fresh."
        )
    return kept if day is None else day


def demo_app(
    url: str,
    database: Path,
    keys: Path,
    *,
    ehr: str = "full",
    others: tuple[Client, ...] = (),
    clock: Callable[[], float] = time.time,
) -> tuple[Flask, Sandbox]:
    """Make the app with a sandbox at `/sandbox`; both use `database`, and `keys` is the file with the app's secrets.

    `others` are the other apps that may sign in to the sandbox; `clock` is that of both.
    """
    from smartapp import create_app
    from smartapp.sandbox import Client, init_sandbox, make_sandbox
    from smartapp.services import KEY
    from smartapp.web.components.routes import init_examples

    app = create_app(_settings(url, database, keys), clock=clock)
    services: Services = app.extensions[KEY]
    client = Client(CLIENT_ID, redirect_uris=(services.settings.redirect_uri,))
    sandbox = make_sandbox(
        services.engine, url, clients=(client, *others), ehr=ehr, clock=clock, time_zone=services.settings.time_zone
    )
    init_sandbox(app, sandbox)
    init_examples(app)
    return app, sandbox


def _settings(url: str, database: Path, keys: Path) -> Settings:
    from smartapp.offer import EXAMPLE, read_offer, read_offer_for_loved_ones
    from smartapp.sandbox.teams import made_up_team
    from smartapp.settings import CASELOAD_SCOPES, Issuer, Settings, TeamHere

    kept, team = _keys(keys), made_up_team()
    return Settings(
        public_url=url,
        secret_keys=(kept["secret_key"],),
        encryption_keys=(kept["encryption_key"],),
        database_url=f"sqlite:///{database.resolve()}",
        # Drafts and our own records are stored by this key, so they are still found on another port.
        issuers=(
            Issuer(
                base=f"{url}/sandbox/fhir",
                name="Oefenomgeving",
                client_id=CLIENT_ID,
                key="sandbox",
                frame_ancestors=(url,),
                caseload_scopes=CASELOAD_SCOPES,
                teams=(TeamHere(id=team.id, name=team.name, references=(team.reference,)),),
                chart_url=f"{url}/sandbox/launch?role=clinician&patient={{patient}}&user=me",
            ),
        ),
        several_users_per_browser=True,
        mail_folder=keys.parent / "mail",
        offer=read_offer(EXAMPLE),
        offer_for_loved_ones=read_offer_for_loved_ones(EXAMPLE),
    )


def _lock(data: Path) -> IO[str]:
    """Keep the folder to ourselves: a second demo with --fresh would delete the database under the first."""
    lock = (data / "lock").open("a", encoding="utf-8")
    try:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # Windows has no fcntl, and gets no lock
        pass
    except OSError:
        lock.close()
        raise click.ClickException(
            f"Another demo is using {data}. Stop that one, or give this one a folder of its own with --data."
        ) from None
    return lock


def _keys(path: Path) -> dict[str, str]:
    """Return the secrets of this demo, made only once: without them nothing that was kept can be decrypted."""
    from cryptography.fernet import Fernet

    if path.exists():
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    made = {"secret_key": secrets.token_urlsafe(32), "encryption_key": Fernet.generate_key().decode()}
    path.touch(mode=0o600)  # before there is anything in it to read
    path.write_text(json.dumps(made), encoding="utf-8")
    return made


def _seeded(app: Flask, sandbox: Sandbox) -> tuple[str, ...]:
    from smartapp.sandbox.seeding import seed
    from smartapp.sandbox.teams import seed_team
    from smartapp.services import KEY

    services: Services = app.extensions[KEY]
    now = datetime.fromtimestamp(services.clock(), sandbox.zone)
    seed_team(services.own_store(sandbox.base), services.team_marks, services.settings.issuer_key(sandbox.base), now)
    return seed(
        sandbox,
        datetime.fromtimestamp(services.clock(), UTC),
        own=services.own_store(sandbox.base),
        keep_draft=keep_draft(services, sandbox.base),
        issuer=services.settings.issuer_key(sandbox.base),
    ).added


def keep_draft(services: Services, issuer: str) -> KeepDraft:
    """Return a function that stores a person's unfinished questionnaire as the app would, as if left yesterday."""
    from smartapp.storage.drafts import Drafts

    yesterday = services.clock() - timedelta(days=1).total_seconds()

    def keep(patient: str, questionnaire: str, draft: dict[str, object]) -> None:
        key = services.settings.issuer_key(issuer)
        drafts = Drafts(services.engine, services.vault, lambda: yesterday, issuer=key, patient=patient, author=patient)
        drafts.change(questionnaire, lambda present: present or draft)

    return keep


def _listen(port: int) -> socket.socket:
    """Bind the port first, so that a port in use is reported before anything else happens."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(128)  # from now on a browser that connects waits, instead of being turned away
    except OSError as error:
        listening.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        why = "is taken by another program" if error.errno == errno.EADDRINUSE else "needs more rights than we have"
        raise click.ClickException(
            f"Port {port} {why}. Is a demo already running? Open http://{HOST}:{port}/sandbox/ to find out, "
            f"or choose another port: verstel demo --port {port + 1 if port < 65535 else 8018}"
        ) from None
    return listening


_THREADS = 8


def _run(app: Flask, listening: socket.socket) -> None:
    import waitress  # type: ignore[import-untyped]

    from smartapp.courier import Courier
    from smartapp.fhir.bulkheads import HOSTS
    from smartapp.services import KEY

    # The app asks the sandbox, which is served by the same threads: some must be left to answer.
    HOSTS.share(_THREADS)
    courier = Courier(app.extensions[KEY])
    courier.start()
    try:
        waitress.serve(app, sockets=[listening], threads=_THREADS, clear_untrusted_proxy_headers=True, _quiet=True)
    finally:
        courier.stop()
