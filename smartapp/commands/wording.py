"""`verstel wording`: give an instrument its official wording."""

from __future__ import annotations

from pathlib import Path

import click

from questionnaires.catalogue import DefinitionError, UnknownInstrument, applied_folder, catalogue
from questionnaires.wording import Applied, WordingRefused, apply_wording, read_wording, wording_template
from questionnaires.writing import definition_toml

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))


@click.group()
def command() -> None:
    """Replace our working wording of an instrument with the official one.

    You need the permission of the instrument's owners. FILE is TOML or CSV with a row per item: the item, its text in
    Dutch and, if there is one, in English. `verstel wording template ID` makes a CSV file to fill in.

    \b
    Example:
      verstel wording template hoop > hoop.csv
      verstel wording check hoop.csv
      verstel wording apply hoop.csv --out ./definitions
      VERSTEL_DEFINITIONS=./definitions verstel serve
    """  # noqa: D301


@command.command("template")
@click.argument("identifier", metavar="ID")
def template(identifier: str) -> None:
    """Print a CSV file to fill in, with a row for every text of an instrument.

    \b
    Example:
      verstel wording template nel > nel.csv
    """  # noqa: D301
    try:
        instrument = catalogue().versions(identifier)[-1]
    except UnknownInstrument as error:
        raise click.UsageError(str(error)) from error
    except DefinitionError as error:
        raise click.ClickException(str(error)) from error
    click.echo(wording_template(instrument), nl=False)


@command.command("check")
@_FILE
def check(file: Path) -> None:
    """Check whether a wording file fits its instrument, and report every row that does not. Writes nothing.

    \b
    Example:
      verstel wording check hoop.csv
    """  # noqa: D301
    applied = _applied(file)
    click.echo(f"{file.name} fits {applied.instrument.id}; it makes version {applied.instrument.version}:")
    _tell(applied)


@command.command("apply")
@_FILE
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="VERSTEL_DEFINITIONS",
    help="The folder for applied definitions. Default: the environment variable VERSTEL_DEFINITIONS.",
)
def apply(file: Path, out: Path | None) -> None:
    """Write the definition with the wording of a file. Verstel uses it if VERSTEL_DEFINITIONS names the folder.

    \b
    Example:
      verstel wording apply hoop.csv --out ./definitions
    """  # noqa: D301
    if out is None:
        raise click.UsageError("Say where to write: --out DIR, or set VERSTEL_DEFINITIONS.")
    applied = _applied(file)
    target = out / applied.file_name
    comment = f"Official wording of {applied.instrument.id}, applied by `verstel wording`; do not redistribute."
    text = definition_toml(applied.data, comment)
    # Responses refer to a version, so what that version asked must never change.
    if target.exists():
        raise click.ClickException(f"{target} already exists; choose another version in {file.name}")
    # Written to one side and then moved, so that a running app never reads half a file.
    half = target.with_suffix(".part")
    try:
        out.mkdir(parents=True, exist_ok=True)
        half.write_text(text, encoding="utf-8")
        half.replace(target)
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}") from error
    click.echo(f"{target} written:")
    _tell(applied)
    if applied_folder() != out:
        click.echo(f"To use it, set VERSTEL_DEFINITIONS={out} for Verstel and restart it.", err=True)
    else:
        click.echo("Restart Verstel to use it.", err=True)


def _applied(file: Path) -> Applied:
    try:
        return apply_wording(read_wording(file), catalogue())
    except WordingRefused as refused:
        for problem in refused.problems:
            click.echo(f"{file.name}: {problem}", err=True)
        raise SystemExit(1) from refused
    except DefinitionError as error:
        raise click.ClickException(str(error)) from error


def _tell(applied: Applied) -> None:
    for line in applied.scores or ("no scores",):
        click.echo(f"  {line}")
