"""`verstel check-ehr`: what an EHR accepts, and so where each artefact would live."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import click
import orjson

from smartapp.deploy.ehr_check import Report, report
from smartapp.fhir.http import OutboundError, ask
from smartapp.fhir.remote import RemoteStore
from smartapp.fhir.store import RecordError, Unauthorized
from smartapp.settings import DEFAULT_SCOPES, ConfigError, checked_base

PLACES = {"ehr": "the EHR", "companion": "the companion FHIR server", "own": "Verstel's own store", None: "-"}


@click.command(epilog="Example:  verstel check-ehr https://ehr.example.org/fhir --format json")
@click.argument("base", metavar="URL")
@click.option("--scopes", default=DEFAULT_SCOPES, help="The scopes that the EHR will grant. Default: all we ask for.")
@click.option("--companion", is_flag=True, help="Assume that a companion FHIR server is configured.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table for people, or JSON for machines.",
)
def command(base: str, *, scopes: str, companion: bool, style: str) -> None:
    """Show what the EHR at URL accepts, and where answers, scores, plans and assignments would live.

    Reads its CapabilityStatement and SMART configuration; needs no account and writes nothing. A server may still
    refuse what it says it offers: at the first refusal the app moves on to the next place, and shows where it is.

    Exit code 0: the app can be launched there. 1: it cannot, or the server gave no usable answer. 2: wrong usage.
    """
    try:
        base = checked_base(base.rstrip("/"), "URL")
        found = report(base, RemoteStore(base).capabilities(), _smart(base), scopes=scopes, companion=companion)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    except RecordError as error:
        click.echo(f"{base}: {_words(error)}", err=True)
        sys.exit(1)
    if style == "json":
        click.echo(orjson.dumps({**dataclasses.asdict(found), "usable": found.usable}, option=orjson.OPT_INDENT_2))
    else:
        _show(found)
    sys.exit(0 if found.usable else 1)


def _words(error: RecordError) -> str:
    """Return what went wrong, for the operator: the message of a 401 is written for people who use the app."""
    if isinstance(error, Unauthorized):
        return "/metadata requires a sign-in (401). It has to be public: the app reads it without a token."
    return error.message


def _smart(base: str) -> Any:
    """Return the smart-configuration as parsed, or as a text the reason that there is none."""
    try:
        answer = ask("GET", f"{base}/.well-known/smart-configuration", headers={"Accept": "application/json"})
        return answer.json() if answer.status == 200 else f"answered {answer.status}"
    except OutboundError as error:
        return error.code


def _show(found: Report) -> None:
    click.echo(
        f"{found.base}\n{found.software or 'unnamed software'}, FHIR {found.fhir_version or 'version not stated'}\n"
    )
    width = max(len(row.name) for row in found.requirements)
    for row in found.requirements:
        # Capitals only for what stops a launch; the rest merely changes how people sign in.
        mark = "yes" if row.met else "NO " if row.needed else "no "
        click.echo(f"  {mark}  {row.name:<{width}}  {row.found}")
    click.echo(
        "\n  what                        FHIR type               offered                            would live in"
    )
    for artefact in found.artefacts:
        offered = ", ".join(artefact.offered) or "nothing"
        click.echo(f"  {artefact.name:<26}  {artefact.type:<22}  {offered:<33}  {PLACES[artefact.place]}")
    together = "in one transaction" if found.transaction else "one by one through the outbox (no transactions offered)"
    click.echo(f"\nWhat belongs together is sent {together}.")
    click.echo(
        "The app can be launched here."
        if found.usable
        else "The app can NOT be launched here: see each line marked NO."
    )
