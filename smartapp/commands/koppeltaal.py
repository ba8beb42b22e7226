"""`verstel koppeltaal`: a domain checked, what we offer put there, and what it still has to hear."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from smartapp.fhir.store import RecordStore
    from smartapp.settings import Issuer, Settings

_WORDS = {
    "create": ("would create", "created"),
    "update": ("would update", "updated"),
    "withdraw": ("would retire", "retired"),
    "unchanged": ("unchanged", "unchanged"),
}


@click.group(epilog="Example:  verstel koppeltaal check noord")
def command() -> None:
    """Check a Koppeltaal domain, offer questionnaires and the plan in it, and show what it still has to hear."""


@command.command(epilog="Example:  verstel koppeltaal check noord")
@click.argument("key")
def check(key: str) -> None:
    """Show whether the domain with this KEY can launch us: its smart-configuration, our key there and our Device.

    Exit code 0: it can. 1: it cannot. 2: wrong usage.
    """
    from smartapp.commands.serve import settings_from_environment
    from smartapp.koppeltaal.checking import check as checked

    settings = settings_from_environment()
    issuer = _domain(settings, key)
    found = list(checked(settings, issuer, _smart(issuer), _store(settings, issuer)))
    width = max(len(one.name) for one in found)
    for one in found:
        mark = "yes" if one.met else "NO " if one.needed else "no "
        click.echo(f"  {mark}  {one.name:<{width}}  {one.found}")
    sys.exit(0 if all(one.met for one in found if one.needed) else 1)


@command.command(epilog="Example:  verstel koppeltaal publish noord --dry-run")
@click.argument("key")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
def publish(key: str, *, dry_run: bool) -> None:
    """Put our Endpoint and a definition for each of the domain's `activities` there, or bring them up to date.

    Safe to repeat: a second run changes nothing. What is offered no more is retired.

    Exit code 0: everything is there. 1: the domain refused something. 2: wrong usage.
    """
    from questionnaires.catalogue import catalogue
    from smartapp.commands.serve import settings_from_environment
    from smartapp.deploy.signing_in import words_of
    from smartapp.fhir.store import RecordError
    from smartapp.koppeltaal.publishing import publish as published

    settings = settings_from_environment()
    issuer = _domain(settings, key)
    offered = issuer.koppeltaal
    assert offered is not None  # noqa: S101  (_domain looked)
    unknown = sorted(set(offered.activities) - {"plan", *catalogue().asked})
    if unknown:
        known = ", ".join(("plan", *catalogue().asked))
        raise click.UsageError(f"activities has {unknown[0]!r}. Known: {known}.")
    try:
        address = f"{settings.public_url}/launch"
        for one in published(_store(settings, issuer), offered, catalogue(), address, dry_run=dry_run):
            click.echo(f"  {_WORDS[one.outcome][0 if dry_run else 1]:<12}  {one.name}")
    except RecordError as error:
        raise click.ClickException(f"{issuer.name}: {words_of(error)}") from error


@command.command(epilog="Example:  verstel koppeltaal status noord")
@click.argument("key")
@click.option("--forget", is_flag=True, help="Forget what the domain does not take.")
def status(key: str, *, forget: bool) -> None:
    """Show what the domain with this KEY still has to hear, and what it does not take. It names nobody.

    Exit code 0: nothing has stopped. 1: something has. 2: wrong usage.
    """
    import time

    from smartapp.commands.serve import opened_again, settings_from_environment
    from smartapp.storage.koppeltaal import KoppeltaalWrites
    from smartapp.storage.vault import open_vault

    settings = settings_from_environment()
    issuer = _domain(settings, key)
    engine = opened_again(settings)
    writes = KoppeltaalWrites(engine, open_vault(engine, settings.encryption_keys), time.time)
    forgotten = writes.forget_stopped(issuer.key) if forget else 0
    waiting = writes.of(issuer.key)
    engine.dispose()
    if forget:
        click.echo(f"{forgotten} forgotten")
    for what, stopped in waiting:
        about = f"{what.task} {what.step}" if what.task else "AuditEvent"
        click.echo(f"  {'STOPPED' if stopped else 'waits  '}  {about}  {what.reason}".rstrip())
    click.echo(f"{len(waiting)} wait, of which {sum(stopped for _what, stopped in waiting)} have stopped.")
    sys.exit(1 if any(stopped for _what, stopped in waiting) else 0)


def _domain(settings: Settings, key: str) -> Issuer:
    """Return the domain with a key, or end the command with exit code 2 and the keys that there are."""
    domains = [issuer for issuer in settings.issuers if issuer.koppeltaal is not None]
    found = next((issuer for issuer in domains if issuer.key == key), None)
    if found is None:
        known = ", ".join(issuer.key for issuer in domains) or "none"
        raise click.UsageError(f"No Koppeltaal domain has the key {key!r}. In VERSTEL_ISSUERS_FILE: {known}.")
    return found


def _store(settings: Settings, issuer: Issuer) -> RecordStore:
    """Return the records of a domain, by our own key; all of one command is one chain."""
    import time
    import uuid

    from smartapp.koppeltaal.domains import Domains
    from smartapp.smart.discovery import Discovery
    from smartapp.smart.keys import SigningKeys
    from smartapp.smart.tracing import Tracing

    keys = SigningKeys.read(settings.signing_keys_file)
    return Domains(Discovery(time.time), keys, time.time).store(issuer, Tracing(str(uuid.uuid4())))


def _smart(issuer: Issuer) -> Any:
    """Return the smart-configuration of a domain as parsed, None where it gives none."""
    from smartapp.fhir.http import OutboundError, ask

    try:
        answer = ask("GET", f"{issuer.base.rstrip('/')}/.well-known/smart-configuration")
        return answer.json() if answer.status == 200 else None
    except OutboundError:
        return None
