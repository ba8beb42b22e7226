"""One module per subcommand of `verstel`, named after it; each holds a click command called `command`.

Here is what several of them ask for in the same words: decorators that add options.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_DAY: Final = len("1992-03-14")


def _patient_id(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Return the id of a person. Raises BadParameter: by another one, part of them would look like all."""
    from mappers.answers import FHIR_ID

    if not FHIR_ID.fullmatch(value):
        raise click.BadParameter("write the id as the EHR has it, without Patient/: letters, digits, - and . only.")
    return value


def _birth_date(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Return a birth date, "" where none was said. Raises BadParameter for what is no day."""
    from mappers.birth import birth_date_of

    if value and (len(value) != _DAY or not birth_date_of({"birthDate": value})):
        raise click.BadParameter("write a day as YYYY-MM-DD.")
    return value


def _together(*options: Decorator) -> Decorator:
    """Return one decorator that adds all of these options, which help shows in this order."""

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


about_person: Final = _together(
    click.option(
        "--issuer", required=True, metavar="KEY", help="The key of the issuer, or its address where it has none."
    ),
    click.option(
        "--patient",
        required=True,
        metavar="ID",
        callback=_patient_id,
        help="The id of the person at this issuer, without Patient/.",
    ),
)
"""`issuer` and `patient`: whom a command is about."""


def named(*, what_for: str = "") -> Decorator:
    """Add `name` and `born`: who the person is, where nobody signs in who could tell."""
    return _together(
        click.option("--name", default="", help=f"Their name, as the EHR has it{what_for and f': {what_for}'}."),
        click.option("--born", default="", metavar="YYYY-MM-DD", callback=_birth_date, help="Their birth date."),
    )


def signing_in(scope: str, *, only_with: str = "") -> Decorator:
    """Add `token`, `client_id`, `keys` and `scope`: how a command signs in at a FHIR server."""
    when = only_with and f"With {only_with}: "
    return _together(
        click.option(
            "--token",
            envvar="VERSTEL_TOKEN",
            help=f"{when}A bearer token. Safer in VERSTEL_TOKEN than on the command line.",
        ),
        click.option(
            "--client-id",
            help=f"{when}Sign in with SMART backend services as this client, instead of with --token.",
        ),
        click.option(
            "--keys",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="The JSON Web Key Set that holds our private key (with --client-id).",
        ),
        click.option("--scope", default=scope, show_default=True, help="The scopes to ask for (with --client-id)."),
    )
