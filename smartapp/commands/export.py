"""`verstel export`: what Verstel keeps of one person, handed out: all of it for them, or as their PGO asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from questionnaires.model import Language
from smartapp.commands import about_person, named
from smartapp.commands.serve import opened_again, settings_from_environment

if TYPE_CHECKING:
    from smartapp.settings import Issuer
    from smartapp.storage.launches import Person


@click.group(epilog="Example:  verstel export person --issuer north --patient 12345 --out anna.pdf")
def command() -> None:
    """Hand out what Verstel keeps of somebody.

    Uses the database and the keys of `verstel serve`: set the same environment variables.
    """


@command.command(epilog="Example:  verstel export person --issuer north --patient 12345 --out anna.pdf")
@about_person
@named(what_for="another place knows by it whose file it is")
@click.option("--language", type=click.Choice(["nl", "en"]), default="nl", show_default=True, help="Of the PDF.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="FILE.pdf, to read and with the FHIR inside, or FILE.json, the FHIR alone. It must not be there yet.",
)
def person(*, issuer: str, patient: str, name: str, born: str, language: Language, out: Path) -> None:
    """Write all of one person as one file, which they can take to another place with Verstel.

    There is no sign-in here, so what is at the EHR is not read: only what our own store has, and a companion server.
    Whoever has the file can read it. The person finds under who looked that it was made.

    Exit code 1: the file can't be made or written, or a server does not answer. 2: wrong usage.
    """
    from smartapp.errors import NotTypeset
    from smartapp.fhir.store import RecordError
    from smartapp.pages.take_along import by_operator
    from smartapp.web.language import kept_in

    if out.suffix not in (".pdf", ".json"):
        raise click.UsageError(f"--out {out.name}: end it with .pdf or .json.")
    try:
        with opened_about(issuer, patient, name, born) as (known, whose), kept_in(language):
            content, count = by_operator.made(as_pdf=out.suffix == ".pdf")
        _write(out, content)
    except FileExistsError as error:
        raise click.ClickException(f"{out} is there already. Name another file.") from error
    except (RecordError, NotTypeset, OSError) as error:
        instead = "; take .json" if isinstance(error, NotTypeset) else ""
        raise click.ClickException(f"the file was not made: {_reason(error)}{instead}") from error
    click.echo(f"{out}: {count} parts. Not in it: what is at {known.name}, since nobody signed in.", err=True)
    if not whose.display or not whose.birth_date:
        click.echo("Without --name and --born another place can't tell whose file it is, and refuses it.", err=True)


@command.command(
    epilog="Example:  verstel export medmij --issuer north --patient 12345 --base https://dva.example/fhir --out anna"
)
@about_person
@named()
@click.option("--base", required=True, metavar="URL", help="The address at which the answers will be served.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder to make, with one file for each answer. It must not be there yet.",
)
def medmij(*, issuer: str, patient: str, name: str, born: str, base: str, out: Path) -> None:
    """Write what a PGO gets of one person: the answer to each query of MedMij, and the papers.

    Who serves a PGO (a DVA) takes part in MedMij; Verstel does not, and gives what such a party can serve. The file
    index.json says of each query what of it is ours, and why not. There is no sign-in here, so what is at the EHR is
    not read. Whoever has the folder can read it. The person finds under who looked that it was made.

    Exit code 1: it can't be made or written, or a server does not answer. 2: wrong usage.
    """
    from smartapp.errors import NotTypeset
    from smartapp.fhir.store import RecordError
    from smartapp.pages.take_along import by_operator
    from smartapp.settings import ConfigError, checked_base

    try:
        checked_base(base, "--base")
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    if out.exists():
        raise click.ClickException(f"{out} is there already. Name another folder.")
    try:
        with opened_about(issuer, patient, name, born) as (known, _whose):
            made = by_operator.files(base.rstrip("/"), known.custodian)
        out.mkdir(mode=0o700)
        for file, content in made.items():
            _write(out / file, content)
    except (RecordError, NotTypeset, OSError) as error:
        raise click.ClickException(f"the answers were not made: {_reason(error)}") from error
    papers = sum(1 for file in made if file.startswith("Binary-"))
    click.echo(f"{out}: {len(made)} files, {papers} papers. Not in it: what is at {known.name}.", err=True)


@contextmanager
def opened_about(issuer: str, patient: str, name: str, born: str) -> Iterator[tuple[Issuer, Person]]:
    """Open the app for work on what it keeps of one person, without a sign-in; yield their issuer and who they are.

    Raises RecordError where a companion server does not answer.
    """
    from smartapp import create_app
    from smartapp.commands.erase import issuer_of
    from smartapp.pages.take_along import by_operator
    from smartapp.services import KEY

    settings = settings_from_environment()
    known = issuer_of(settings, issuer)
    engine = opened_again(settings)
    try:
        app = create_app(settings, engine=engine)
        services = app.extensions[KEY]
        whose = by_operator.known_person(services, known, patient, name, born)
        with by_operator.opened(app, services, known, whose):
            yield known, whose
    finally:
        engine.dispose()


def _write(out: Path, content: bytes) -> None:
    """Write a new file that only its owner can read."""
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _reason(error: Exception) -> str:
    """Return why, in words that quote nothing that a person wrote."""
    from smartapp.fhir.store import RecordError

    if isinstance(error, RecordError):
        return error.message
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "it can't be made into a PDF"
