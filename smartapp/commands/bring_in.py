"""`verstel bring-in`: a file that somebody took along elsewhere, taken over into what Verstel keeps of them here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from smartapp.commands import about_person, named
from smartapp.commands.export import opened_about


@click.group(epilog="Example:  verstel bring-in person anna.pdf --issuer north --patient 12345 --dry-run")
def command() -> None:
    """Take over what was handed out elsewhere.

    Uses the database and the keys of `verstel serve`: set the same environment variables.
    """


@command.command(epilog="Example:  verstel bring-in person anna.pdf --issuer north --patient 12345")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@about_person
@named(what_for="the file has to be of the same person")
@click.option(
    "--clashes",
    type=click.Choice(["mine", "theirs", "both"]),
    default="mine",
    show_default=True,
    help="Where words are here already and differ: keep those, take the file's, or keep both.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
def person(
    file: Path,
    *,
    issuer: str,
    patient: str,
    name: str,
    born: str,
    clashes: Literal["mine", "theirs", "both"],
    dry_run: bool,
) -> None:
    """Take over the file of one person (PDF or JSON), once, and over nobody's words.

    There is no sign-in here, so nothing goes to the EHR: what is taken over is kept in our own store, or on a companion
    server, and shown there. The person finds under who looked that it was done.

    Exit code 1: the file is refused, part of it is left out, or a server does not answer. 2: wrong usage.
    """
    from smartapp.fhir.store import RecordError
    from smartapp.pages.take_along import by_operator

    try:
        with opened_about(issuer, patient, name, born):
            found = by_operator.brought(by_operator.contents_of(file))
            for kind, count in sorted(found.counts.items()):
                click.echo(f"{count} {kind} new")
            click.echo(f"{found.here} parts are here already")
            for part in found.parts:
                click.echo(f"{part.id} says something else here than in the file: {clashes}")
            written = 0 if dry_run else by_operator.take_over(found, clashes)
    except (by_operator.NotAFile, by_operator.PlanError) as error:
        raise click.ClickException(f"{file.name} is refused: {error.reason}. Nothing was taken over.") from error
    except (RecordError, OSError) as error:
        why = error.message if isinstance(error, RecordError) else (error.strerror or type(error).__name__)
        raise click.ClickException(f"nothing was called saved: {why}") from error
    click.echo("Nothing was written (--dry-run)." if dry_run else f"{written} written.", err=True)
    left_out = {why: count for why, count in found.left_out.items() if count}
    if left_out:
        reasons = ", ".join(f"{count} {why}" for why, count in sorted(left_out.items()))
        raise click.ClickException(f"left out: {reasons}.")
