"""Write down, as files, what the app writes: the sandbox's people with their history, and the far ends of it.

The history is real: the same mappers and pure functions that serve a page scored it and wrote the plans. The far ends
are every questionnaire in English with the last option everywhere, words that nobody cleaned up, and each audit event.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import get_args

from mappers.answers import IDENTIFIER_SYSTEM, PROFILE, answers_of, response_of
from mappers.assignment import cancelled
from mappers.audit import BY_DOOR, OPERATOR, AuditEntry, Event, audit_event, purpose_of
from mappers.observations import observations_of, provenance_of
from mappers.plan import MOST_DOMAINS, DomainAnswers, Goal, PersonRef, Plan, Remark, Step, resources_of
from mappers.plan.document import Edition, bundle_of, digest_of, document_of, superseded
from mappers.portable import SUBJECTS, Kept, Made, Owner
from mappers.portable import bundle_of as file_of
from mappers.scoring import score
from mappers.small_cells import FEWEST
from mappers.team import (
    Action,
    Figure,
    Round,
    Team,
    ToldBack,
    audit_report,
    audits_of,
    communication_of,
    group_of,
    marks_of,
    marks_report,
    score_report,
    task_of,
    team_response,
)
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument
from questionnaires.publish import questionnaire
from smartapp.fhir.store import Query
from smartapp.pages.plan.paper import paper
from smartapp.pages.questionnaire.drafting import NOT_SIGNED_IN
from smartapp.sandbox.seeding import seed
from smartapp.sandbox.server import make_sandbox
from smartapp.storage.database import open_database
from smartapp.storage.launches import Person
from smartapp.web.language import kept_in
from tests.conformance import rows

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
# What people and software say; what we publish is validated where it lies.
KINDS = (
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
    "Organization",
    "CareTeam",
    "QuestionnaireResponse",
    "Observation",
    "CarePlan",
    "Goal",
    "Task",
    "Provenance",
    "DocumentReference",
)

_PROFESSIONALS = ("clinician", "responsible", "case-manager", "peer-worker", "outside", "guest")

# Words as people type and paste them: spaces at the ends, tabs, markup, quotes, other scripts, emoji.
ROUGH = "  Ik wil »zelf« <b>kiezen</b> & 50% thuis.\r\n\n\tÜber 'misschien' 🚲 مرحبا {0} \\n  "


def write_down(folder: Path) -> dict[str, int]:
    """Fill `folder` with one file per resource and return how many there are of each type."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    counts: dict[str, int] = {}
    people = seeded()
    for resource in [*people, person_file(people), *far_ends(), *of_teams(), *documents(), *audit_events()]:
        kind = resource["resourceType"]
        counts[kind] = counts.get(kind, 0) + 1
        name = f"{kind}-{counts[kind]:03}.json"
        (folder / name).write_text(json.dumps(resource, ensure_ascii=False), encoding="utf-8")
    return counts


def seeded() -> list[Resource]:
    """Return everything that the sandbox's people have, with their unfinished drafts, and what can happen to it."""
    sandbox = make_sandbox(open_database("sqlite://"), "http://127.0.0.1", clients=(), clock=NOW.timestamp)
    drafts: list[Resource] = []
    seed(sandbox, NOW, keep_draft=lambda _patient, _key, draft: drafts.append(draft))
    found = [one.resource for kind in KINDS for one in sandbox.store.search(Query.of(kind))]
    (*_, asked) = (one for one in found if one["resourceType"] == "Task" and one["status"] == "requested")
    return [*found, *drafts, {**cancelled(asked, "Niet meer nodig"), "id": "cancelled"}, _provenance(found)]


def _provenance(found: list[Resource]) -> Resource:
    panel = next(one for one in found if "hasMember" in one)
    made = provenance_of(
        [panel],
        response_reference=panel["derivedFrom"][0]["reference"],
        recorded=NOW.isoformat(),
        software="Verstel",
        version="0.1.0",
    )
    return {**made, "id": "of-scores"}


def far_ends() -> list[Resource]:
    """Return all questionnaires answered in English with the last option everywhere, their scores, and a rough plan.

    Living forms are answered with rows, as any other system that knows the published form may do it.
    """
    known = Catalogue()
    person = PersonRef("Patient/noor", "Noor Bakker")
    made = [_with_rows(form, person) for form in known.living.values()]
    for instrument in known.instruments.values():
        if instrument.living or instrument.subject == "team":
            continue
        kinds: dict[str, str | bool] = {"boolean": True, "text": ROUGH}
        response = response_of(
            {i.link_id: i.scale.options[-1].code if i.scale else kinds[i.kind] for i in instrument.items},
            instrument,
            status="completed",
            authored="2026-05-01",
            subject=person.as_reference(),
            author={"reference": "Practitioner/karim", "display": "Karim Aziz"},
            source=person.as_reference(),
            identifier=f"far-{instrument.id}",
            language="en",
        )
        answers = answers_of(response, known)
        scores = score(instrument, answers.values)
        made.append({**response, "author": {"display": NOT_SIGNED_IN.en}})  # on a device where nobody signed in
        made += [response, *observations_of(answers, scores, response_reference="QuestionnaireResponse/1")]
    return made + resources_of(rough_plan(), patient=person, author=person, known=known, language="en")


def of_teams() -> list[Resource]:
    """Return all that is written about a team: answered forms, figures shown and left out, what was told, an action."""
    known, today = Catalogue(), NOW.date()
    made: list[Resource] = []
    for team in (Team("Organization/north", "Team Noord"), Team("CareTeam/south", "Team Zuid")):
        answered = [
            team_response(
                {i.link_id: i.scale.options[-1].code if i.scale else ROUGH for i in instrument.items},
                instrument,
                team,
                authored="2026-05-01",
                identifier=f"{team.reference}-{instrument.id}-{number}",
                language="en",
            )
            for instrument in known.of_teams.values()
            for number in range(FEWEST if instrument.id == "team-marks" else 1)
        ]
        [marks] = marks_of(answered, team, [Round("mei", date(2026, 5, 1), date(2026, 5, 31))], known, today=today)
        rule = known.instrument("nel").score("nel-professional-help")
        figures = (Figure(12, 3.4, 0.6), Figure())
        reports = [score_report(rule, team, 2025 - n, one, made=NOW.isoformat()) for n, one in enumerate(figures)]
        made += [*answered, *reports, {**group_of(team), "id": team.name[-4:]}]
        made += [one for one in (marks_report(marks, team, made=NOW.isoformat()),) if one]
        made += [audit_report(one, team, made=NOW.isoformat()) for one in audits_of(answered, team, known)]
        made.append(communication_of(ToldBack(today, ROUGH, ROUGH), team, identifier=team.reference))
        action = Action(ROUGH, ROUGH, today, "done", ROUGH)
        made.append(task_of(action, team, identifier=team.reference, written=NOW.isoformat()))
    return made


def _with_rows(form: Instrument, person: PersonRef) -> Resource:
    """Return a response to a living form by another system, with two rows of everything that has rows."""
    return rows.filled(
        questionnaire(form),
        id=f"far-{form.id}",
        meta={"profile": [PROFILE]},
        identifier={"system": IDENTIFIER_SYSTEM, "value": f"far-{form.id}"},
        subject=person.as_reference(),
        authored="2026-05-01",
        author={"reference": "Practitioner/karim", "display": "Karim Aziz"},
        source=person.as_reference(),
    )


def rough_plan() -> Plan:
    """Return a plan with as much in it as there may be, in words that nobody cleaned up."""
    known = Catalogue()
    goal = Goal(
        id="urn:uuid:0b9f1f0e-6a54-4f7b-9d0f-3f0e5f0f8a01",
        text=ROUGH,
        domain="housing",
        progress="achieved",
        progress_date="2026",
        due="2026-05",
        remarks=(Remark(ROUGH, "2026-05-01T09:30:00+02:00"), Remark(ROUGH)),
        active=False,
        steps=(Step(id="urn:uuid:0b9f1f0e-6a54-4f7b-9d0f-3f0e5f0f8a02", text=ROUGH, status="stopped", who=ROUGH),),
    )
    return Plan(
        id="urn:uuid:0b9f1f0e-6a54-4f7b-9d0f-3f0e5f0f8a03",
        texts={part.code: (ROUGH,) for part in known.plan_parts},
        domains=tuple(DomainAnswers(one.code, ROUGH, ROUGH, ROUGH, ROUGH) for one in known.life_domains[:MOST_DOMAINS]),
        goals=(goal,),
    )


def documents() -> list[Resource]:
    """Return the rough plan as the document that reaches a chart, one that replaces it, and the Bundle within."""
    known, plan, person = Catalogue(), rough_plan(), PersonRef("Patient/noor", "Noor Bakker")
    made: list[Resource] = []
    for number, language in enumerate(("nl", "en"), start=1):
        edition = Edition(plan.id.removeprefix("urn:uuid:"), number, digest_of(plan))
        resources = resources_of(plan, patient=person, author=person, known=known, language=language)
        bundle = bundle_of(resources, edition=edition, date=NOW.isoformat(), language=language)
        with kept_in(language):
            pdf = paper(plan, known, client=Person(person.reference, person.display), made=NOW)
        document = document_of(
            pdf,
            bundle,
            edition=edition,
            client=person,
            date=NOW.isoformat(),
            language=language,
            replaces=[one for one in made if one["resourceType"] == "DocumentReference"],
        )
        made += [{**document, "id": f"plan-{number}"}, bundle]
    return [*made, {**superseded(made[0]), "id": "superseded"}]


def person_file(found: list[Resource]) -> Resource:
    """Return the file of Noor: all that she has, in one Bundle."""
    kept = [Kept(one) for one in found if own_to("noor", one)]
    owner = Owner("http://127.0.0.1/fhir", "noor", "Noor Achterberg", "1992-03-14")
    return file_of(owner, kept, Made("0.1.0", "https://verstel.example.org", NOW.isoformat()))


def own_to(person: str, resource: Resource) -> bool:
    """Tell whether a resource is about a person."""
    subject = resource.get(SUBJECTS.get(resource["resourceType"], ""), {})
    return bool(subject.get("reference") == f"Patient/{person}")


def audit_events() -> list[Resource]:
    """Return an AuditEvent of each kind of event, by each role and by someone unknown, as exported and as sent."""
    entries = [
        AuditEntry(
            recorded=int(NOW.timestamp()),
            event=event,
            outcome="4" if event in {"denied", "refused"} else "0",
            reason="outside what was granted" if event in {"denied", "refused"} else "",
            issuer="http://127.0.0.1/sandbox/fhir",
            user=user,
            user_name=name,
            role=role,
            subject="s-1",
            patient="Patient/noor",
            address="192.0.2.7",
            objects=("plan.goal", "Goal/7", "Observation"),
            parts=("form.story", "domain.housing"),
            purpose=purpose_of(role),
            system="https://verstel.example.org",
            organisation="De Linden",
            visit="0123456789abcdef",
        )
        for event in get_args(Event)
        for user, name, role in (
            ("Patient/noor", "Noor Bakker", "client"),
            *(("Practitioner/els", "Els Visser", role) for role in _PROFESSIONALS),
            *(("RelatedPerson/mila", "Mila Bakker", role) for role in ("loved-one", "representative")),
            ("", "", OPERATOR),
            ("", "", ""),
        )
    ]
    # As a version wrote them that did not know all of it.
    older = [replace(one, parts=(), purpose="", system="", organisation="", visit="") for one in entries]
    handed = [replace(one, user="", user_name="", role=BY_DOOR, subject="", through="Els Visser") for one in entries]
    made = [audit_event(entry, number) for number, entry in enumerate([*entries, *older, *handed])]
    return [*made, *(audit_event(entry, number, literal=False) for number, entry in enumerate(entries))]
