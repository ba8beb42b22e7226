"""`verstel erase`: what Verstel keeps about one person, deleted at their word."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from smartapp.services import Services
    from smartapp.settings import Issuer, Settings
    from smartapp.storage.launches import User


@click.command(epilog="Example:  verstel erase --issuer example-ehr --patient 12345")
@click.option("--issuer", required=True, metavar="KEY", help="The key of the issuer, or its address where it has none.")
@click.option("--patient", required=True, metavar="ID", help="The id of the person at this issuer, without Patient/.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(issuer: str, patient: str, *, yes: bool) -> None:
    """Delete what Verstel keeps about a person: drafts, unsaved words, what waits to be sent, and its own records.

    What has arrived at the EHR or a companion server is theirs to delete, and so are backups. The log of who did what
    stays: the law asks for it.
    """
    from smartapp import create_app
    from smartapp.commands.serve import opened_again, settings_from_environment
    from smartapp.services import KEY

    settings = settings_from_environment()
    known = _issuer(settings, issuer)
    if not yes:
        click.confirm(f"Delete what is kept about Patient/{patient} of {known.name}? It can't be undone", abort=True)
    engine = opened_again(settings)
    services: Services = create_app(settings, engine=engine).extensions[KEY]
    erased, log_rows = erase(services, known, patient)
    engine.dispose()
    for what, count in erased.items():
        click.echo(f"{count} {what} deleted")
    click.echo(f"{log_rows} rows of the log stay: verstel audit export. So does what is at the EHR, and in backups.")


def _issuer(settings: Settings, key: str) -> Issuer:
    found = next((issuer for issuer in settings.issuers if issuer.key == key), None)
    if found is None:
        known = ", ".join(issuer.key for issuer in settings.issuers) or "none"
        raise click.UsageError(f"No issuer has the key {key!r}. In VERSTEL_ISSUERS_FILE: {known}.")
    return found


def erase(services: Services, issuer: Issuer, patient_id: str) -> tuple[dict[str, int], int]:
    """Delete what is kept about a person; return how much of what, and how many rows of the log stay.

    Who wrote something about them is in the log, or has their record open now.
    """
    from smartapp.storage.launches import User

    patient = f"Patient/{patient_id}"
    rows = [row for name in {issuer.key, issuer.base} for row in services.audit.of_person(name, patient)]
    launches = services.launches.about(issuer.key, patient)
    users = {(row.user, row.subject) for row in rows} | {(one.user.reference, one.user.subject) for one in launches}
    erased: Counter[str] = Counter()
    for reference, subject in users | {(patient, "")}:
        for name in {issuer.key, issuer.base}:  # as an older version named them
            erased.update(_of_user(services, patient_id, User(reference, "", "guest", name, subject), issuer.key))
    for launch in launches:
        services.launches.end(launch.id)
    erased["words that waited for their yes"] = sum(
        services.handed_over_to(name, patient).erase() for name in {issuer.key, issuer.base}
    )
    erased["notes of who is in conversation"] = services.conversations_about(issuer.key, patient).erase()
    erased["links to what they shared"] = sum(
        services.health_links.erase(services.health_links.person(name, patient)) for name in {issuer.key, issuer.base}
    )
    erased["open launches"] = len(launches)
    erased["resources in our own store"] = services.own_store(issuer.base).erase(patient)
    return dict(erased), len(rows)


def _of_user(services: Services, patient_id: str, user: User, issuer_key: str) -> dict[str, int]:
    """Delete what one user wrote about a person and has not sent."""
    patient = f"Patient/{patient_id}"
    owners = [services.outbox.owner(name, patient, user.key) for name in {issuer_key, user.issuer}]
    return {
        "drafts": services.drafts_of(user.issuer, patient, user.reference).erase(),
        "sketches of the plan": services.sketches_of(user, patient).erase(),
        "forms that were kept": services.kept_words.erase(
            services.kept_words.owner(user.issuer, patient_id, user.subject)
        ),
        "units that waited": sum(map(services.outbox.erase, owners)),
    }
