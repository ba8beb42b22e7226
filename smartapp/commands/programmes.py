"""`verstel programmes`: show and check the programmes, and apply one to a client."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from questionnaires.catalogue import catalogue
from questionnaires.programme_page import programme_page
from questionnaires.programmes import PROGRAMMES, Programme, folder_of_the_place, programmes, read_programme
from questionnaires.reading import DefinitionError

_ID: Final = r"[A-Za-z0-9.-]{1,64}"
_PATIENT: Final = re.compile(rf"Patient/{_ID}")
_BY: Final = re.compile(rf"(Practitioner|PractitionerRole|Organization)/{_ID}")


@click.group()
def command() -> None:
    """Show and check the programmes (ours, and those in VERSTEL_PROGRAMMES), and apply one to a client.

    \b
    Example:
      verstel programmes show three-moments
    """  # noqa: D301


@command.command("list")
def list_command() -> None:
    """List the programmes: id, version, number of moments, and whose it is.

    \b
    Example:
      verstel programmes list
    """  # noqa: D301
    known, folder = programmes(), folder_of_the_place()
    own = {path.stem for path in _files(folder)} if folder else set()
    width = max(map(len, known))
    for one in known.values():
        whose = "of this place" if one.id in own else "ours"
        click.echo(f"{one.id:{width}} {one.version:8} {len(one.moments):3} moments  {one.title.nl}  ({whose})")


@command.command("show")
@click.argument("identifier", metavar="ID")
def show(identifier: str) -> None:
    """Print one programme as Markdown: its moments, and for each choice its source and how sure it is.

    \b
    Example:
      verstel programmes show npi-recovery | less
    """  # noqa: D301
    click.echo(programme_page(_programme(identifier)), nl=False)


@command.command("check")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
def check(folder: Path | None) -> None:
    """Read every programme in a folder and name file and key of whatever can't be.

    Without FOLDER: ours, and those in VERSTEL_PROGRAMMES. Exit code 1 where a file can't be read.

    \b
    Example:
      verstel programmes check ./our-programmes
    """  # noqa: D301
    own = folder or folder_of_the_place()
    if own is not None and not own.is_dir():
        raise click.UsageError(f"VERSTEL_PROGRAMMES names {own}, which is not a folder.")
    files = [*([] if folder else _files(PROGRAMMES)), *(_files(own) if own else [])]
    if not files:
        raise click.ClickException(f"{own} has no file that ends on .toml; a programme is one such file.")
    wrong = [str(problem) for path in files if (problem := _problem(path)) is not None]
    for line in wrong:
        click.echo(line, err=True)
    if wrong:
        raise SystemExit(1)
    for path in _files(own) if own else ():
        if (PROGRAMMES / path.name).is_file():
            click.echo(f"{path.name}: counts instead of ours with this id", err=True)
    click.echo(f"{len(files)} programmes: all well", err=True)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml"))


def _problem(path: Path) -> DefinitionError | None:
    try:
        read_programme(path)
    except DefinitionError as problem:
        return problem
    return None


@command.command("apply")
@click.argument("identifier", metavar="ID")
@click.option("--start", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The first day, as 2027-01-04.")
@click.option("--patient", required=True, metavar="Patient/ID", help="The client, as the EHR refers to them.")
@click.option(
    "--patient-name", metavar="NAME", help="How the client is called in references; without it, the reference."
)
@click.option("--by", required=True, metavar="Practitioner/ID", help="Who begins it; the profile asks for somebody.")
@click.option("--by-name", metavar="NAME", help="How they are called in references; without it, the reference.")
def apply(
    identifier: str, *, start: datetime, patient: str, patient_name: str | None, by: str, by_name: str | None
) -> None:
    """Print what a programme is for one client, as one FHIR transaction: a CarePlan, and a Task per questionnaire.

    It is what FHIR calls $apply. Nothing is sent: POST it to the base of a FHIR server, where a second time changes
    nothing. The days are counted from --start.

    \b
    Example:
      verstel programmes apply three-moments --start 2027-01-04 --patient Patient/1 --by Practitioner/2 > course.json
    """  # noqa: D301
    from smartapp.deploy.applying import transaction_of

    programme = _programme(identifier)
    client = _reference(patient, patient_name, _PATIENT, "--patient", "Patient/1")
    beginner = _reference(by, by_name, _BY, "--by", "Practitioner/2")
    try:
        bundle = transaction_of(
            programme, start.date(), patient=client, by=beginner, now=datetime.now(UTC), known=catalogue()
        )
    except (OverflowError, ValueError) as error:  # a day after the year 9999
        message = f"--start is {start:%Y-%m-%d}; counted from there, no calendar has the days of this programme."
        raise click.UsageError(message) from error
    click.echo(json.dumps(bundle, ensure_ascii=False, indent=2))


def _programme(identifier: str) -> Programme:
    known = programmes()
    if identifier not in known:
        raise click.UsageError(f"There is no programme {identifier!r}; choose one of {', '.join(known)}.")
    return known[identifier]


def _reference(given: str, name: str | None, pattern: re.Pattern[str], option: str, example: str) -> dict[str, str]:
    if not pattern.fullmatch(given):
        raise click.UsageError(f"{option} is {given!r}; write a relative reference, such as {example}.")
    return {"reference": given, "display": name or given}
