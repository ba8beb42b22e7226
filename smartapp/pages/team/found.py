"""The teams of a place, and all that is known of one of them, from our own store: no client's record is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import abort

from mappers.team import Mirror, Team, mirror_of, team_response
from mappers.team.marks import FORM as MARKS
from mappers.team.reports import MARKS_MEASURE, ROPI_MEASURE, SCORE_MEASURE
from mappers.team.told import PLAN_SYSTEM, TOLD_BACK
from questionnaires.catalogue import Catalogue, catalogue
from questionnaires.model import Instrument
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Query
from smartapp.settings import Issuer, TeamHere
from smartapp.storage.team_marks import Given, KeptRound
from smartapp.web import current


def teams_here() -> tuple[TeamHere, ...]:
    """Return the teams of the issuer of this launch, in the order of their names; none outside a launch."""
    issuer = _issuer()
    return tuple(sorted(issuer.teams, key=lambda one: one.name.casefold())) if issuer else ()


def team_or_404(id_: str) -> TeamHere:
    """Return a team by its id in the settings."""
    return next((one for one in teams_here() if one.id == id_), None) or abort(404)


def _issuer() -> Issuer | None:
    here = current.launch_or_none()
    return current.services().settings.issuer(here.issuer) if here else None


def form_of(id_: str) -> Instrument:
    """Return a form about a team, by its id."""
    return catalogue().instruments[id_]


def own() -> OwnStore:
    """Return where all about teams is kept."""
    return current.services().own_store(current.launch().issuer)


def names_of(team: TeamHere) -> tuple[str, ...]:
    """Return the digests under which rounds of a team are kept: by the key of its issuer, and by its address."""
    kept, issuer = current.services().team_marks, _issuer()
    keys = (issuer.key, issuer.base) if issuer else ()
    return tuple(dict.fromkeys(kept.team(key, team.id) for key in keys))


def rounds_of(team: TeamHere) -> list[KeptRound]:
    """Return the rounds of a team, the oldest first."""
    return current.services().team_marks.rounds(names_of(team))


def open_round(team: TeamHere) -> KeptRound | None:
    """Return the round in which marks are given today; there is never more than one."""
    today = current.now().date()
    return next((one for one in rounds_of(team) if one.round.has(today)), None)


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of a team: one mirror for each thing that it is in the record, and nothing added up."""

    mirrors: tuple[Mirror, ...]
    resources: tuple[Any, ...] = ()
    """What our own store has of them."""

    def all(self, what: str) -> tuple[Any, ...]:
        """Return what all mirrors have of something, such as `told`."""
        return tuple(one for mirror in self.mirrors for one in getattr(mirror, what))


def known_of(team: TeamHere) -> Known:
    """Read all that is known of a team."""
    found, known, today = list(_resources(team)), catalogue(), current.now().date()
    rounds = rounds_of(team)
    current.services().team_marks.loosen(today)
    marks = list(_marks(team.team, rounds, known))
    names = [one.round for one in rounds]
    return Known(
        tuple(
            mirror_of(one, [*found, *marks], names if one == team.team else (), known, today=today)
            for one in (Team(reference, team.name) for reference in team.references)
        ),
        tuple(found),
    )


def _resources(team: TeamHere) -> Iterator[Any]:
    store = own()
    queries = [
        Query.of("Communication", category=f"{PLAN_SYSTEM}|{TOLD_BACK}"),
        *(Query.of("MeasureReport", measure=one) for one in (SCORE_MEASURE, MARKS_MEASURE, ROPI_MEASURE)),
        *(Query.of("QuestionnaireResponse", subject=one) for one in team.references),
        *(Query.of("Task", subject=one) for one in team.references),
    ]
    for query in queries:
        yield from (one.resource for one in store.search(query))


def _marks(team: Team, rounds: Iterable[KeptRound], known: Catalogue) -> Iterator[Any]:
    """Yield the marks of rounds that are over as responses, on the first day of their round: no day says who it was.

    Of a round that is open nothing is as much as read.
    """
    kept, today = current.services().team_marks, current.now().date()
    for one in rounds:
        if not one.round.is_over(today):
            continue
        for number, given in enumerate(kept.given_in(one.id)):
            form = next((each for each in known.versions(MARKS) if each.canonical == given.form), None)
            if form is not None:
                yield team_response(
                    given.answers,
                    form,
                    team,
                    authored=one.round.start.isoformat(),
                    identifier=f"{one.id}/{number}",
                    language=given.language,
                )


def given_of(one: KeptRound) -> Given | None:
    """Return what the client of this launch gave in a round that is open."""
    return current.services().team_marks.of_person(one.id, giver())


def giver() -> tuple[str, str]:
    """Return who gives marks in this launch."""
    here = current.launch()
    return here.issuer_key, here.patient.reference
