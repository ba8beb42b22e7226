"""`verstel map`: check maps of an EHR's own forms, and try one on a response."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from questionnaires.catalogue import catalogue
from questionnaires.maps import FormMap, by_form, gaps, read_map
from questionnaires.reading import DefinitionError

if TYPE_CHECKING:
    from mappers.answers import Answers


@click.group()
def command() -> None:
    """Check maps, which turn an EHR's own form into answers to one of our instruments.

    \b
    Example:
      verstel map check /etc/verstel/maps
    """  # noqa: D301


@command.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE…", type=click.Path(exists=True, path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Read maps (files, or folders of them) and say what each leaves open; name file and key of what can't be.

    Set VERSTEL_MAPS to the folder, and its maps count in the app and in `verstel score`.

    Exit code 0: all can be read. 1: one can't, or two read the same form.

    \b
    Example:
      verstel map check hope-of-the-house.toml
    """  # noqa: D301
    paths = [path for one in files for path in (sorted(one.glob("*.toml")) if one.is_dir() else [one])]
    if not paths:
        raise click.ClickException("no file that ends on .toml in there; a map is one such file.")
    found, wrong = [], []
    for path in paths:
        try:
            found.append(read_map(path, catalogue().versions))
        except DefinitionError as problem:
            wrong.append(str(problem))
    try:
        by_form(found)
    except DefinitionError as problem:
        wrong.append(str(problem))
    for one in found:
        _tell(one)
    for line in wrong:
        click.echo(line, err=True)
    raise SystemExit(1 if wrong else 0)


def _tell(form: FormMap) -> None:
    instrument, table = form.instrument, form.table
    click.echo(
        f"{form.id}.toml: {instrument.id} {instrument.version}, {len(table.items)} of its {len(instrument.items)} items"
    )
    for one in table.questionnaires:
        click.echo(f"  reads {one}")
    for gap in gaps(form):
        click.echo(f"  {gap}")


@command.command("try")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("response", type=click.File("rb"))
def try_command(file: Path, response: Any) -> None:
    """Show what a map makes of one QuestionnaireResponse (a JSON file, or - for standard input): answers and scores.

    Exit code 0: it was read. 1: it was not, and why.

    \b
    Example:
      verstel map try hope-of-the-house.toml response.json
    """  # noqa: D301
    from mappers.answers import answers_of
    from mappers.errors import RefusedResponse
    from mappers.mapping import mapped

    known = catalogue()
    form = read_map(file, known.versions)
    try:
        given = orjson.loads(response.read())
        made = mapped(given, by_form([form]))
        if made is None:
            reads = ", ".join(form.table.questionnaires)
            raise click.ClickException(f"the response answers another form; this map reads {reads}.")
        answers = answers_of(made, known)
    except orjson.JSONDecodeError as error:
        raise click.ClickException(f"not readable as JSON: {error}") from error
    except RefusedResponse as refused:
        raise click.ClickException(str(refused)) from refused
    _show(form, answers)


def _show(form: FormMap, answers: Answers) -> None:
    from mappers.scoring import score

    theirs = {one.ours: one.link_id or one.text or "" for one in form.table.items}
    for item in form.instrument.items:
        value = answers.values.get(item.link_id)
        said = "–" if value is None else str(value).lower() if isinstance(value, bool) else value
        click.echo(f"{item.link_id:<16} {said if item.kind != 'text' else '(text)':<8} {theirs.get(item.link_id, '')}")
    click.echo()
    for one in score(answers.instrument, answers.values):
        number = f"{one.value:>8.2f}".rstrip("0").rstrip(".") if one.value is not None else "       –"
        click.echo(f"{one.rule.title.nl:<45} {number}{f'  {one.reason.nl}' if one.reason else ''}")
