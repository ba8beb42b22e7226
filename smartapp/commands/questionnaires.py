"""`verstel questionnaires`: show, check and publish the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

import questionnaires
from mappers.scoring import score
from questionnaires.catalogue import Catalogue, DefinitionError, UnknownInstrument, catalogue
from questionnaires.demands import unmet
from questionnaires.model import VARIANTS, Instrument, Variant
from questionnaires.page import KINDS, index_page, instrument_page
from questionnaires.programme_page import programmes_page
from questionnaires.programmes import PROGRAMMES, read_programmes
from questionnaires.publish import published, resource_bytes

PACKAGE = Path(questionnaires.__file__).parent
PUBLISHED = PACKAGE / "published"
DOCS = PACKAGE.parent / "docs" / "instruments"
PROGRAMMES_PAGE = DOCS.parent / "programmes.md"


@click.group()
def command() -> None:
    """Show, check and publish the questionnaires.

    \b
    Example:
      verstel questionnaires show hoop
    """  # noqa: D301


@command.command("list")
def list_command() -> None:
    """List the instruments and living forms: id, version, wording, number of items, scores or kind.

    \b
    Example:
      verstel questionnaires list
    """  # noqa: D301
    with _readable():
        known = catalogue().instruments
        width = max(map(len, known))
        for instrument in known.values():
            scores = ", ".join(rule.scale for rule in instrument.scores) or _without_scores(instrument)
            click.echo(
                f"{instrument.id:{width}} {instrument.version:8} {instrument.wording:9}"
                f" {len(instrument.items):3} items  {instrument.title.nl}  ({scores})"
            )


def _without_scores(instrument: Instrument) -> str:
    return "no scores" if instrument.kind == "questionnaire" else KINDS[instrument.kind]


@command.command("show")
@click.argument("identifier", metavar="ID")
def show(identifier: str) -> None:
    """Print everything we know about one instrument or living form, with its sources, as Markdown.

    \b
    Example:
      verstel questionnaires show mansa | less
    """  # noqa: D301
    with _readable():
        try:
            instrument = catalogue().instrument(identifier)
        except UnknownInstrument as error:
            raise click.UsageError(str(error)) from error
        click.echo(instrument_page(instrument), nl=False)


@command.command("build")
@click.option("--variant", type=click.Choice(VARIANTS), help="Build only this variant; without it, everything.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write to this folder, with the wording in use on this machine, instead of to the package and docs/.",
)
def build(variant: Variant | None, out: Path | None) -> None:
    """Generate the FHIR resources (and the pages in docs/) from the definitions.

    Without --out this regenerates what the repository holds, from our own definitions only. With --out it writes what
    this machine uses, including official wording from VERSTEL_DEFINITIONS.

    \b
    Examples:
      verstel questionnaires build
      verstel questionnaires build --variant plain --out ./plain
    """  # noqa: D301
    with _readable():
        # Official wording is not ours to commit, so what goes into the repository is built without it.
        known = catalogue() if out else Catalogue()
        files = _resources(known, variant, out or PUBLISHED)
        if out is None and variant is None:
            files |= _pages(known)
        changed = 0
        for path, content in files.items():
            if not path.is_file() or path.read_bytes() != content:
                try:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                except OSError as error:
                    raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
                changed += 1
        click.echo(f"{len(files)} files, {changed} changed", err=True)


@command.command("check")
def check() -> None:
    """Read every definition, recompute its worked examples, and compare the published files with a fresh build.

    Our own definitions must also have a few things that readers count on, such as an example with too few answers:
    whatever is still missing is listed.

    \b
    Example:
      verstel questionnaires check
    """  # noqa: D301
    with _readable():
        known = catalogue()
        problems = [problem for i in known.instruments.values() for problem in (*unmet(i), *wrong_examples(i))]
        problems += list(stale_files())
        parts, living = len(known.plan_parts), len(known.living)
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise SystemExit(1)
    count = sum(len(instrument.examples) for instrument in known.instruments.values())
    click.echo(
        f"{len(known.instruments) - living} instruments, {living} living forms, {count} worked examples,"
        f" {parts} parts of the plan: all well",
        err=True,
    )


def _resources(known: Catalogue, variant: Variant | None, folder: Path) -> dict[Path, bytes]:
    """Return the files to publish: the default variant in the folder itself, the others in variants/<variant>/."""
    files: dict[Path, bytes] = {}
    for one in VARIANTS if variant is None else (variant,):
        # A single variant in a folder of the user's choice needs no folder of its own within it.
        inside = folder if one == "default" or (variant and folder != PUBLISHED) else folder / "variants" / one
        files |= {inside / name: resource_bytes(resource) for name, resource in published(one, known).items()}
    return files


def _pages(known: Catalogue) -> dict[Path, bytes]:
    # Only the repository has docs beside the package; an installation has not.
    if not DOCS.parent.is_dir():
        return {}
    instruments = known.instruments.values()
    ours = read_programmes([PROGRAMMES], known).values()
    index = {DOCS / "README.md": index_page(instruments).encode(), PROGRAMMES_PAGE: programmes_page(ours).encode()}
    return index | {DOCS / f"{i.id}.md": instrument_page(i).encode() for i in instruments}


def wrong_examples(instrument: Instrument) -> Iterator[str]:
    """Yield a line for each worked example whose published score differs from the one we compute."""
    for example in instrument.examples:
        computed = {score_.rule.scale: score_.value for score_ in score(instrument, dict(example.answers))}
        for scale, expected in example.scores:
            if computed[scale] != expected:
                yield (
                    f"{instrument.id}: {example.title!r}: {scale} is {computed[scale]}, the example says {expected};"
                    " correct the example or the rule"
                )


def stale_files() -> Iterator[str]:
    """Yield a line for each generated file that is left over, missing or outdated."""
    known = Catalogue()
    built = {**_resources(known, None, PUBLISHED), **_pages(known)}
    there = {*PUBLISHED.rglob("*.json"), *DOCS.glob("*.md"), *DOCS.parent.glob(PROGRAMMES_PAGE.name)}
    for path in sorted({*built, *there}):
        name = path.relative_to(PACKAGE.parent).as_posix()
        if path not in built:
            yield f"{name}: no definition produces this file; delete it"
        elif path not in there or path.read_bytes() != built[path]:
            yield f"{name}: is not what the definitions produce; run `verstel questionnaires build`"


@contextmanager
def _readable() -> Iterator[None]:
    """End the command with a message and exit code 1 if a definition can't be read."""
    try:
        yield
    except DefinitionError as error:
        raise click.ClickException(str(error)) from error
