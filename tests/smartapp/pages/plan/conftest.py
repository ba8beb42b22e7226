"""A client with an empty plan, and one who is halfway."""

from __future__ import annotations

import pytest

from mappers.plan import DomainAnswers, Goal, PersonRef, Plan, Step, resources_of
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Write
from tests.smartapp.helpers import Clock, launched

ANNA = PersonRef("Patient/anna", "Anna Voorbeeld")
URN = "urn:uuid:00000000-0000-4000-8000-00000000000"

HALFWAY = Plan(
    id=f"{URN}1",
    texts={
        "story": ("Ik ben opgegroeid in Zwolle.\n\nLater kwam ik in Utrecht wonen.",),
        "strengths": ("Mijn zus", "Tekenen"),
        "stressors": ("Drukte in de tram",),
    },
    domains=(
        DomainAnswers("housing", now="Ik woon fijn.", support="Elke week komt Jaap."),
        DomainAnswers("meaning"),
    ),
    goals=(
        Goal(
            f"{URN}2",
            "Weer leren zwemmen",
            "meaning",
            start="2026-01-10",
            due="2027-06-01",
            steps=(Step(f"{URN}3", "Een badpak kopen", "done", "Ik"), Step(f"{URN}4", "Bellen met het zwembad")),
        ),
        Goal(f"{URN}5", "Een kat", "housing", progress="achieved", progress_date="2026-03-01", active=False),
    ),
    created="2026-01-10T10:00:00+01:00",
)


def put(store, plan: Plan = HALFWAY) -> None:
    """Store a plan in a record, as one unit."""
    store.write_all(
        [
            Write("create", one, full_url=f"urn:uuid:{one['identifier'][0]['value']}")
            for one in resources_of(plan, patient=ANNA, author=ANNA, known=catalogue())
        ]
    )


@pytest.fixture
def clock() -> Clock:
    return Clock(1_800_000_000.0)


@pytest.fixture
def anna(app):
    """Anna, who has no plan yet."""
    return launched(app)


@pytest.fixture
def halfway(app):
    """Anna, with a plan halfway."""
    visitor = launched(app)
    put(visitor.ehr)
    return visitor
