"""What Verstel keeps about one person, deleted: at their own word, on a page, or by who operates it."""

from __future__ import annotations

from collections import Counter

from smartapp.services import Services
from smartapp.settings import Issuer
from smartapp.storage.launches import User


def erase(services: Services, issuer: Issuer, patient_id: str) -> tuple[dict[str, int], int]:
    """Delete what is kept about a person; return how much of what, and how many rows of the log stay.

    Who wrote something about them is in the log, or has their record open now.
    """
    patient = f"Patient/{patient_id}"
    rows = [row for name in {issuer.key, issuer.base} for row in services.audit.of_person(name, patient)]
    launches = services.launches.about(issuer.key, patient)
    users = {(row.user, row.subject) for row in rows} | {(one.user.reference, one.user.subject) for one in launches}
    erased: Counter[str] = Counter()
    for reference, subject in users | {(patient, "")}:
        for name in {issuer.key, issuer.base}:  # as an older version named them
            erased.update(_of_user(services, patient_id, User(reference, "", "guest", name, subject), issuer.key))
    for launch in launches:
        # What one page tells the next, such as how something is taken back, has words in it.
        services.sessions.keep_data(launch.session_id, None)
        services.launches.end(launch.id)
    erased["words that waited for their yes"] = sum(
        services.handed_over_to(name, patient).erase() for name in {issuer.key, issuer.base}
    )
    erased["notes of who is in conversation"] = services.conversations_about(issuer.key, patient).erase()
    erased["links to what they shared"] = sum(
        services.health_links.erase(services.health_links.person(name, patient)) for name in {issuer.key, issuer.base}
    )
    erased["reminders"] = sum(
        services.reminders.erase(services.reminders.person(name, patient)) for name in {issuer.key, issuer.base}
    )
    erased["questionnaires on another device"] = sum(
        _doors(services, name, patient) for name in {issuer.key, issuer.base}
    )
    erased["steps that a Koppeltaal domain had to hear"] = services.koppeltaal_writes.erase(issuer.key, patient)
    erased["marks for a team, of rounds that are open"] = sum(
        services.team_marks.erase((name, patient), services.today()) for name in {issuer.key, issuer.base}
    )
    erased["open launches"] = len(launches)
    erased["resources in our own store"] = services.own_store(issuer.base).erase(patient)
    return dict(erased), len(rows)


def _doors(services: Services, issuer_key: str, patient: str) -> int:
    """Delete the one-time doors of a person, with what was answered behind them and not sent."""
    for door in services.doors.of(issuer_key, patient):
        services.drafts_of(issuer_key, patient, f"door {door.id}").erase()
    return services.doors.erase(issuer_key, patient)


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
        "files that were handed in": services.brought_in(user, patient).erase(),
        "units that waited": sum(map(services.outbox.erase, owners)),
    }
