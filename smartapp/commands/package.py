"""`verstel package`: our profiles, terminology and questionnaires as one FHIR package."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from fhir_profiles.tgz import files, manifest, tgz


@click.command(epilog="Example:  verstel package --out dist/")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(),
    show_default="the working directory",
    help="The file to write, or an existing folder.",
)
def command(out: Path) -> None:
    """Write the FHIR package (an npm-style .tgz) that FHIR servers, validators and SUSHI load.

    Packing twice gives the same bytes. Prints the file name and its SHA-256.

    Exit code 0: written. 1: it can't be written there. 2: wrong usage.
    """
    about = manifest()
    content = files()
    target = out / f"{about['name']}-{about['version']}.tgz" if out.is_dir() else out
    packed = tgz(content)
    try:
        target.write_bytes(packed)
    except OSError as error:
        raise click.ClickException(
            f"{target} can't be written: {error.strerror}. Choose another place with --out."
        ) from error
    examples = sum(name.startswith("example/") for name in content)
    digest = hashlib.sha256(packed).hexdigest()
    click.echo(f"{target}: {len(content) - examples} files and {examples} examples, sha256 {digest}")
