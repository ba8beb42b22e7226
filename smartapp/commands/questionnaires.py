"""`verstel questionnaires`: the catalogue on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

import questionnaires
from mappers.scoring import score
from questionnaires.catalogue import Catalogue, DefinitionError, UnknownInstrument, catalogue
from questionnaires.demands import unmet
from questionnaires.model import Instrument
from questionnaires.page import index_page, instrument_page
from questionnaires.publish import VARIANTS, Variant, published, resource_bytes

PACKAGE = Path(questionnaires.__file__).parent
PUBLISHED = PACKAGE / "published"
DOCS = PACKAGE.parent / "docs" / "instruments"


@click.group()
def command() -> None:
    """Show, check and publish the questionnaires.

    \b
    Example:
      verstel questionnaires show hoop
    """  # noqa: D301


@command.command("list")
def list_command() -> None:
    """List the instruments: id, version, wording, number of items, scores.

    \b
    Example:
      verstel questionnaires list
    """  # noqa: D301
    with _readable():
        for instrument in catalogue().instruments.values():
            scores = ", ".join(rule.scale for rule in instrument.scores) or "no scores"
            click.echo(
                f"{instrument.id:12} {instrument.version:8} {instrument.wording:9}"
                f" {len(instrument.items):3} items  {instrument.title.nl}  ({scores})"
            )


@command.command("show")
@click.argument("identifier", metavar="ID")
def show(identifier: str) -> None:
    """Print everything that is known about one instrument, with its sources, as Markdown.

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
    help="Write here, with the wording that applies on this machine, instead of into the package and docs/.",
)
def build(variant: Variant | None, out: Path | None) -> None:
    """Generate the FHIR resources (and the pages in docs/) from the definitions.

    Without --out this regenerates what the repository holds, from our own definitions only. With --out it publishes
    what this machine uses, official wording from VERSTEL_DEFINITIONS included.

    \b
    Examples:
      verstel questionnaires build
      verstel questionnaires build --variant plain --out ./plain
    """  # noqa: D301
    with _readable():
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
    """Read every definition, recompute its worked examples, and compare what is published with what would be built.

    A definition of ours also owes its readers a few things, such as an example of too few answers: what is still
    missing is listed.

    \b
    Example:
      verstel questionnaires check
    """  # noqa: D301
    with _readable():
        known = catalogue()
        problems = [problem for i in known.instruments.values() for problem in (*unmet(i), *wrong_examples(i))]
        problems += list(stale_files())
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise SystemExit(1)
    count = sum(len(instrument.examples) for instrument in known.instruments.values())
    click.echo(f"{len(known.instruments)} instruments, {count} worked examples: all well", err=True)


def _resources(known: Catalogue, variant: Variant | None, folder: Path) -> dict[Path, bytes]:
    """Return the files to publish: the default variant in the folder itself, the others in variants/<variant>/."""
    files: dict[Path, bytes] = {}
    for one in VARIANTS if variant is None else (variant,):
        # With one variant asked for and a folder named, the files stand in that folder.
        inside = folder if one == "default" or (variant and folder != PUBLISHED) else folder / "variants" / one
        files |= {inside / name: resource_bytes(resource) for name, resource in published(one, known).items()}
    return files


def _pages(known: Catalogue) -> dict[Path, bytes]:
    # An installed package has no docs beside it; only the repository has.
    if not DOCS.parent.is_dir():
        return {}
    instruments = known.instruments.values()
    index = {DOCS / "README.md": index_page(instruments).encode()}
    return index | {DOCS / f"{i.id}.md": instrument_page(i).encode() for i in instruments}


def wrong_examples(instrument: Instrument) -> Iterator[str]:
    """Yield what differs between an instrument's worked examples and what the scorer makes of them."""
    for example in instrument.examples:
        computed = {score_.rule.scale: score_.value for score_ in score(instrument, dict(example.answers))}
        for scale, expected in example.scores:
            if computed[scale] != expected:
                yield (
                    f"{instrument.id}: {example.title!r}: {scale} is {computed[scale]}, the example says {expected};"
                    " correct the example or the rule"
                )


def stale_files() -> Iterator[str]:
    """Yield what is published and not built, or built and not published, or differs."""
    known = Catalogue()
    built = {**_resources(known, None, PUBLISHED), **_pages(known)}
    there = {*PUBLISHED.rglob("*.json"), *DOCS.glob("*.md")}
    for path in sorted({*built, *there}):
        name = path.relative_to(PACKAGE.parent).as_posix()
        if path not in built:
            yield f"{name}: no definition gives this file; delete it"
        elif path not in there or path.read_bytes() != built[path]:
            yield f"{name}: is not what the definitions give; run `verstel questionnaires build`"


class _readable:  # noqa: N801  (used as a with-statement's word)
    """Turn a definition that can't be read into a message and exit code 1."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DefinitionError):
            raise click.ClickException(str(error)) from error
