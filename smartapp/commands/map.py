"""`verstel map`: check maps of an EHR's own forms, and try one on a response."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

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
@click.option("--form", type=click.File("rb"), help="The EHR's own Questionnaire as JSON: do it and the map agree?")
def check(files: tuple[Path, ...], form: BinaryIO | None) -> None:
    """Read maps (files, or folders of them) and say what each leaves open; name file and key of what can't be.

    Set VERSTEL_MAPS to the folder, and its maps count in the app and in `verstel score`. With --form the map is also
    compared with the EHR's Questionnaire: every item that is answered is named, every answer that it offers is read.

    Exit code 0: all is well. 1: one can't be read, two read the same form, or map and form do not agree.

    \b
    Example:
      verstel map check hope-of-the-house.toml --form questionnaire.json
    """  # noqa: D301
    if form is not None and (len(files) > 1 or files[0].is_dir()):
        raise click.UsageError("--form is about one map; name one FILE.")
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
        if form is not None:
            wrong += [f"{one.id}.toml: {line}" for line in _disagreements(one, _questionnaire(form))]
    for line in wrong:
        click.echo(line, err=True)
    raise SystemExit(1 if wrong else 0)


def _questionnaire(form: BinaryIO) -> Any:
    try:
        found = orjson.loads(form.read())
    except orjson.JSONDecodeError as error:
        raise click.ClickException(f"--form is not readable as JSON: {error}") from error
    if not isinstance(found, dict) or found.get("resourceType") != "Questionnaire":
        raise click.ClickException("--form is not a Questionnaire; give the EHR's own form.")
    return found


def _disagreements(form: FormMap, questionnaire: Any) -> list[str]:
    from mappers.errors import RefusedResponse
    from mappers.mapping import disagreements

    try:
        return disagreements(form, questionnaire)
    except RefusedResponse as refused:  # such as items that are no list
        raise click.ClickException(f"--form: {refused}") from refused


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
def try_command(file: Path, response: BinaryIO) -> None:
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
