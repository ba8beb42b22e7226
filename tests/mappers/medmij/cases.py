"""A record to answer from: Anna, with two questionnaires, a plan, people around her and two papers."""

from __future__ import annotations

import uuid
from dataclasses import replace

from mappers.answers import answers_of
from mappers.circle import Circle, Member, circle_identifier, team_of
from mappers.medmij import OwnRecord
from mappers.medmij.documents import paper_of
from mappers.medmij.queries import queries
from mappers.observations import full_url, observations_of
from mappers.plan import DomainAnswers, PersonRef, Plan, resources_of
from mappers.plan.document import Edition, document_of
from mappers.scoring import score
from questionnaires.catalogue import catalogue
from tests.mappers.build import all_answered, response

CATALOGUE = catalogue()
BASE = "https://dva.example/fhir"
NOW = "2026-11-28T12:00:00+01:00"
ANNA = PersonRef("Patient/anna", "Anna de Vries")
PLAN_NAME = "0b9f1f0e-6a54-4f7b-9d0f-3f0e5f0f8a01"
PLAN = Plan(
    "7",
    domains=(
        DomainAnswers("housing", now="Klein", support="Twee keer per week iemand van het team"),
        DomainAnswers("social-contacts", now="Ik zie mijn zus\nelke week.", change="Meer mensen leren kennen"),
        DomainAnswers("finances", support="Mijn bewindvoerder"),
    ),
    created="2026-05-01",
    updated="2026-11-20T10:00:00+01:00",
)
PEOPLE = Circle(
    (
        Member("m1", "Mila Bakker", "mijn zus", "loved-one", "RelatedPerson/mila", since="2026-05-04"),
        Member("m2", "Karim Aziz", "", "responsible", "Practitioner/karim-aziz"),
        Member("m3", "Joost Terpstra", "SPV", "case-manager", phone="06 12345678", until="2026-06-01"),
        Member("m4", "Dokter Jansen", "mijn huisarts", "outside", phone="020 1234567"),
    )
)
TEAM = team_of(
    PEOPLE,
    patient={"reference": "Patient/anna", "display": "Anna de Vries"},
    identifier=circle_identifier("https://ehr.example", "anna"),
    language="nl",
)


def answered(instrument, *, id_, authored, code="2", **changes):
    """A response, and what was stored of it."""
    name = {"system": "https://verstel.nl/fhir/identifier/response", "value": f"r-{id_}"}
    made = response(instrument, all_answered(instrument, code), id=id_, authored=authored, identifier=name, **changes)
    answers = answers_of(made, CATALOGUE)
    scores = observations_of(answers, score(answers.instrument, answers.values))
    return made, [{**one, "id": f"{id_}-{number}"} for number, one in enumerate(scores)]


HOOP, HOOP_SCORES = answered("hoop", id_="1", authored="2026-11-20T09:00:00+01:00")
MHCS, MHCS_SCORES = answered("mhcs", id_="2", authored="2026-11-27T09:00:00+01:00", status="amended")

PAPERS = (
    paper_of(b"%PDF-1.7 plan", "recovery-plan", PLAN_NAME, title="Mijn herstelplan", made=NOW, language="nl"),
    paper_of(
        b"%PDF-1.7 talk",
        "conversation-report",
        "talk-1",
        title="Ons gesprek van 20 november 2026",
        made="2026-11-27T23:30:00+01:00",
        language="nl",
        day="2026-11-20",
    ),
)
RECORD = OwnRecord(
    client=ANNA,
    now=NOW,
    birth_date="1992-03-14",
    observations=(*HOOP_SCORES, *MHCS_SCORES),
    responses=(HOOP, MHCS),
    plan=PLAN,
    plan_name=PLAN_NAME,
    teams=(TEAM,),
    papers=PAPERS,
)
EMPTY = replace(RECORD, observations=(), responses=(), plan=None, plan_name="", teams=(), papers=(), birth_date="")
QUERIES = {one.id: one for one in queries()}


def entries():
    """Return what a sandbox holds of Anna, as the entries of a transaction; she herself is not among them."""
    plan = replace(PLAN, id=f"urn:uuid:{PLAN_NAME}")
    edition = Edition(PLAN_NAME, 1, "a" * 32)
    bundle = {"resourceType": "Bundle", "type": "collection"}
    document = document_of(b"%PDF-1.7", bundle, edition=edition, client=ANNA, date=NOW, language="nl")
    named = [*resources_of(plan, patient=ANNA, author=ANNA, known=CATALOGUE), document, HOOP, TEAM]
    made = [(f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, str(number))}", one) for number, one in enumerate(named)]
    made += [(full_url(one), one) for one in HOOP_SCORES]
    return [
        {
            "fullUrl": name,
            "resource": {key: value for key, value in one.items() if key != "id"},
            "request": {"method": "POST", "url": one["resourceType"]},
        }
        for name, one in made
    ]
