"""`verstel publish`: profiles, terminology and questionnaires onto a FHIR server."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartapp.deploy import publishing
from smartapp.deploy.artefacts import artefacts
from smartapp.deploy.publishing import PlannedArtefact
from smartapp.fhir.remote import RemoteStore, TokenSource, outcome_text
from smartapp.fhir.store import RecordError, RecordStore, Unauthorized, Unreachable
from smartapp.settings import ConfigError, checked_base
from smartapp.smart.backend import BackendToken, NoTokenError
from smartapp.smart.keys import SigningKeys

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

SCOPE = "system/*.cruds"
# What each action is called before (dry run) and after it was done, and whether it leaves something undone.
WORDS = {
    "create": ("would create", "created"),
    "update": ("would update", "updated"),
    "unchanged": ("unchanged", "unchanged"),
    "changed-elsewhere": ("LEFT ALONE", "LEFT ALONE"),
    "not-accepted": ("NOT ACCEPTED", "NOT ACCEPTED"),
    "refused": ("REFUSED", "REFUSED"),
}
UNDONE = {"changed-elsewhere", "not-accepted", "refused"}
MOST_DIFFERENCES = 8
MOST_UNANSWERED = 3
"""Writes in a row without an answer, after which the server counts as away: each may take half a minute."""


@click.command(
    epilog="Example:  VERSTEL_TOKEN=... verstel publish --to https://fhir.example.org/r4 --dry-run",
)
@click.option("--to", "base", required=True, metavar="URL", help="The base of the FHIR R4 server.")
@click.option("--dry-run", is_flag=True, help="Only say what would change, element by element.")
@click.option("--force", is_flag=True, help="Also replace what somebody else changed there.")
@click.option(
    "--token", envvar="VERSTEL_TOKEN", help="A bearer token; better in the environment (VERSTEL_TOKEN) than typed here."
)
@click.option("--client-id", help="Sign in with SMART backend services as this client instead.")
@click.option(
    "--keys",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The JSON Web Key Set with our private key (with --client-id).",
)
@click.option("--scope", default=SCOPE, show_default=True, help="What to ask for (with --client-id).")
def command(
    base: str, *, dry_run: bool, force: bool, token: str | None, client_id: str | None, keys: Path | None, scope: str
) -> None:
    """Put our profiles, terminology and questionnaires on a FHIR server, or bring them up to date.

    Reads the server's metadata first and works in dependency order. Safe to repeat: a second run changes nothing, and
    after an interruption it goes on where it stopped. What somebody else changed there is left alone.

    Exit code 0: all is there. 1: something was left alone or refused. 2: wrong usage.
    """
    try:
        sign_in = _token_source(base, token, client_id, keys, scope)
        store = RemoteStore(checked_base(base.rstrip("/"), "--to"), sign_in, wait=time.sleep)
        resources = artefacts()
        with _progress(publishing.plan(resources, store, force=force), len(resources), "Comparing") as bar:
            planned = list(bar)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    except RecordError as error:
        click.echo(f"Nothing was published: {_words(error)}", err=True)
        sys.exit(1)
    tally: Counter[str] = Counter()
    for artefact, outcome, reason in _carried_out(planned, store, dry_run=dry_run):
        tally[outcome] += 1
        if outcome != "unchanged":
            _show(artefact, outcome, reason, dry_run=dry_run)
    summary = ", ".join(f"{count} {WORDS[outcome][not dry_run]}" for outcome, count in sorted(tally.items()))
    click.echo(f"{len(planned)} artefacts: {summary}.")
    if tally.total() < len(planned):
        click.echo(f"No answer {MOST_UNANSWERED} times in a row: stopped there. Run it again to go on.", err=True)
    sys.exit(1 if UNDONE & tally.keys() else 0)


def _token_source(
    base: str, token: str | None, client_id: str | None, keys: Path | None, scope: str
) -> TokenSource | None:
    if (client_id is None) != (keys is None):
        raise click.UsageError("--client-id and --keys go together.")
    if client_id and token:
        raise click.UsageError("Give a token or a client id with keys, not both.")
    if client_id:
        return BackendToken(base.rstrip("/"), client_id, SigningKeys.read(keys), scope)
    return (lambda _refused: token) if token else None


def _carried_out(
    planned: list[PlannedArtefact], store: RecordStore, *, dry_run: bool
) -> list[tuple[PlannedArtefact, str, str]]:
    """Write what is to be written; return each artefact, its outcome and why. A server that is away ends it early."""
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
                    outcome, reason = "refused", _words(error)
                    unanswered = unanswered + 1 if isinstance(error, Unreachable) else 0
            done.append((artefact, outcome, reason))
            if unanswered == MOST_UNANSWERED:
                break
    return done


def _progress(planned: Iterable[PlannedArtefact], length: int, label: str) -> ProgressBar[PlannedArtefact]:
    """Return a progress bar, to be seen on a terminal only."""
    return click.progressbar(planned, length, label, file=sys.stderr, hidden=not sys.stderr.isatty())


def _words(error: RecordError) -> str:
    """Return what went wrong for whoever typed the command; of a 401 the seam speaks to people in the app."""
    if isinstance(error, Unauthorized) and not isinstance(error, NoTokenError):
        said = outcome_text(error.outcome)
        return f"the server does not accept how we sign in (401{f': {said}' if said else ''}). Check the token or key."
    return error.message


def _show(artefact: PlannedArtefact, outcome: str, reason: str, *, dry_run: bool) -> None:
    click.echo(f"{WORDS[outcome][not dry_run]}: {artefact.name}{f': {reason}' if reason else ''}")
    for line in artefact.differences[:MOST_DIFFERENCES]:
        click.echo(f"    {line}")
    if len(artefact.differences) > MOST_DIFFERENCES:
        click.echo(f"    and {len(artefact.differences) - MOST_DIFFERENCES} more")
