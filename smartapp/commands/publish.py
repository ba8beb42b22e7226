"""`verstel publish`: profiles, terminology and questionnaires onto a FHIR server."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartapp.commands import signing_in
from smartapp.deploy import publishing
from smartapp.deploy.artefacts import artefacts
from smartapp.deploy.publishing import PlannedArtefact
from smartapp.deploy.signing_in import token_source, words_of
from smartapp.fhir.remote import RemoteStore
from smartapp.fhir.store import RecordError, RecordStore, Unreachable
from smartapp.settings import ConfigError, checked_base

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

SCOPE = "system/*.crus"
# For each outcome the words of a dry run, and the words after the fact.
WORDS = {
    "create": ("would create", "created"),
    "update": ("would update", "updated"),
    "unchanged": ("unchanged", "unchanged"),
    "changed-elsewhere": ("LEFT ALONE", "LEFT ALONE"),
    "not-accepted": ("NOT ACCEPTED", "NOT ACCEPTED"),
    "refused": ("REFUSED", "REFUSED"),
}
# Outcomes after which the server does not have everything; they decide the exit code.
UNDONE = {"changed-elsewhere", "not-accepted", "refused"}
MOST_DIFFERENCES = 8
MOST_UNANSWERED = 3
"""Consecutive writes without an answer before we give up: each may take half a minute to time out."""


@click.command(
    epilog="Example:  VERSTEL_TOKEN=... verstel publish --to https://fhir.example.org/r4 --dry-run",
)
@click.option("--to", "base", required=True, metavar="URL", help="The base of the FHIR R4 server.")
@click.option("--dry-run", is_flag=True, help="Only show what would change, element by element.")
@click.option("--force", is_flag=True, help="Also replace what someone else changed on the server.")
@signing_in(SCOPE)
def command(
    base: str, *, dry_run: bool, force: bool, token: str | None, client_id: str | None, keys: Path | None, scope: str
) -> None:
    """Put our profiles, terminology and questionnaires on a FHIR server, or bring them up to date.

    Reads the server's metadata first and works in dependency order. Safe to repeat: a second run changes nothing, and
    after an interruption it continues where it stopped. Whatever someone else changed on the server is left alone.

    Exit code 0: everything is there. 1: something was left alone or refused. 2: wrong usage.
    """
    try:
        sign_in = token_source(base, token, client_id, keys, scope)
        store = RemoteStore(checked_base(base.rstrip("/"), "--to"), sign_in, wait=time.sleep)
        resources = artefacts()
        # Everything is compared before anything is written: a server that fails half-way through has not been touched.
        with _progress(publishing.plan(resources, store, force=force), len(resources), "Comparing") as bar:
            planned = list(bar)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    except RecordError as error:
        click.echo(f"Nothing was published: {words_of(error)}", err=True)
        sys.exit(1)
    tally: Counter[str] = Counter()
    for artefact, outcome, reason in _carried_out(planned, store, dry_run=dry_run):
        tally[outcome] += 1
        if outcome != "unchanged":
            _show(artefact, outcome, reason, dry_run=dry_run)
    summary = ", ".join(f"{count} {WORDS[outcome][not dry_run]}" for outcome, count in sorted(tally.items()))
    click.echo(f"{len(planned)} artefacts: {summary}.")
    if tally.total() < len(planned):
        click.echo(f"Stopped: {MOST_UNANSWERED} writes in a row without an answer. Run again to continue.", err=True)
    sys.exit(1 if UNDONE & tally.keys() else 0)


def _carried_out(
    planned: list[PlannedArtefact], store: RecordStore, *, dry_run: bool
) -> list[tuple[PlannedArtefact, str, str]]:
    """Carry the plan out and return each artefact with its outcome and the reason for it.

    One refusal does not stop the others. A server that no longer answers does: the result is shorter than the plan.
    """
    done: list[tuple[PlannedArtefact, str, str]] = []
    unanswered = 0
    with _progress(planned, len(planned), "Publishing") as bar:
        for artefact in bar:
            write = None if dry_run else artefact.to_write()
            outcome, reason = str(artefact.action), artefact.reason
            if write is not None:
                try:
                    store.write(write)
                    unanswered = 0
                except RecordError as error:
                    outcome, reason = "refused", words_of(error)
                    unanswered = unanswered + 1 if isinstance(error, Unreachable) else 0
            done.append((artefact, outcome, reason))
            if unanswered == MOST_UNANSWERED:
                break
    return done


def _progress(planned: Iterable[PlannedArtefact], length: int, label: str) -> ProgressBar[PlannedArtefact]:
    """Return a progress bar on standard error, hidden unless that is a terminal."""
    return click.progressbar(planned, length, label, file=sys.stderr, hidden=not sys.stderr.isatty())


def _show(artefact: PlannedArtefact, outcome: str, reason: str, *, dry_run: bool) -> None:
    click.echo(f"{WORDS[outcome][not dry_run]}: {artefact.name}{f': {reason}' if reason else ''}")
    for line in artefact.differences[:MOST_DIFFERENCES]:
        click.echo(f"    {line}")
    if len(artefact.differences) > MOST_DIFFERENCES:
        click.echo(f"    and {len(artefact.differences) - MOST_DIFFERENCES} more")
