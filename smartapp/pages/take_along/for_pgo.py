"""What a PGO gets of the person of this launch: all of theirs, as it answers the queries, and papers made now and here.

What they show to whom says nothing here: it is their own, and it goes to themselves. What waits to be sent, or was
refused, is in no answer: nobody could find it again where it would be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from mappers.identity import URN
from mappers.medmij import Custodian, OwnRecord, Paper, PgoQuery, answer, binary, paper_of, published, queries
from mappers.plan import PersonRef
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.pages.plan.paper import paper as plan_paper
from smartapp.pages.plan.stored import StoredPlan, own_name
from smartapp.pages.scores.asking import in_reach
from smartapp.pages.take_along.gathering import Gathered, as_bytes, gather
from smartapp.pages.take_along.paper import not_in_it
from smartapp.pages.together import screens
from smartapp.pages.together.by_visit import name_of, visits_in
from smartapp.pages.together.paper import paper as conversation_paper
from smartapp.pages.together.sheet import when
from smartapp.pages.together.views import ReportPage
from smartapp.web import current
from smartapp.web.language import gettext as _
from smartapp.web.language import kept_in

INDEX: Final = "index.json"
_LANGUAGE: Final = "nl"  # what a PGO speaks


def files(base: str, custodian: Custodian | None) -> dict[str, bytes]:
    """Return every answer as a file, by its name; `base` is the address at which they will be served.

    Beside them stand the content of each paper, what publishes it (ITI-105, R4), and an index that says what of each
    query is ours and why. Raises NotTypeset, and what `gather` does.
    """
    with kept_in(_LANGUAGE):
        gathered = gather()
        record = _record(gathered, tuple(_papers(gathered)))
        answers = {_file(one): _answer(one, record, base) for one in queries()}
        made: dict[str, Resource] = dict(answers)
        for paper in record.papers:
            made[f"Binary-{paper.id}.json"] = binary(paper.id, record) or {}
            made[f"published-{paper.id}.json"] = published(paper, client=record.client, custodian=custodian)
        index = _index(record, answers, base, not_in_it(gathered))
    return {name: as_bytes(resource) for name, resource in made.items()} | {INDEX: index}


def _file(query: PgoQuery) -> str:
    return f"{query.service}-{query.id}.json"


def _answer(query: PgoQuery, record: OwnRecord, base: str) -> Resource:
    return answer(query.service, query.asked, query.parameters, record, catalogue(), base=base, path=query.path)


def _index(record: OwnRecord, answers: dict[str, Resource], base: str, missing: list[str]) -> bytes:
    rows: list[dict[str, Any]] = [
        {
            "service": one.service,
            "query": one.path,
            "ours": one.ours,
            "why": {"nl": one.why.nl, "en": one.why.en},
            "file": _file(one),
            "total": answers[_file(one)]["total"],
        }
        for one in queries()
    ]
    said = {"made": record.now, "base": base, "queries": rows, "missing": missing}
    return json.dumps(said, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _record(gathered: Gathered, papers: tuple[Paper, ...]) -> OwnRecord:
    here = current.launch()
    arrived = {
        type_: [one.resource for one in gathered.of(type_) if one.state == "stored"]
        for type_ in ("Observation", "QuestionnaireResponse", "CareTeam")
    }
    observations, plan = arrived["Observation"], gathered.plan
    return OwnRecord(
        client=PersonRef(here.patient.reference, here.patient.display),
        now=current.now().isoformat(),
        birth_date=here.patient.birth_date,
        observations=tuple(observations),
        responses=tuple(in_reach(observations, arrived["QuestionnaireResponse"], cut=gathered.cut)),
        plan=plan.plan if plan.begun else None,
        plan_name=_plan_name(plan),
        teams=tuple(arrived["CareTeam"]),
        papers=papers,
    )


def _plan_name(plan: StoredPlan) -> str:
    return own_name(plan.care_plan) if plan.care_plan else plan.plan.id.removeprefix(URN)


def _papers(gathered: Gathered) -> Iterator[Paper]:
    """Yield the plan, and the report of each conversation, the newest first."""
    now, client, plan = current.now(), current.launch().patient, gathered.plan
    if plan.begun:
        content = plan_paper(plan.plan, catalogue(), client=client, made=now, forms=plan.forms)
        about, title = _plan_name(plan), _("My recovery plan")
        yield paper_of(content, "recovery-plan", about, title=title, made=now.isoformat(), language=_LANGUAGE)
    visits = visits_in(screens.found(), screens.day)
    for visit in visits:
        page = ReportPage(
            name=client.display,
            visit=visit,
            when=when(visit, visits),
            called=name_of(visit, visits),
            kept=visit.agreements,
            unrecorded=(),
            unsaved=(),
            earlier=(),
            going_on=False,
            own=True,
            waiting=False,
        )
        yield paper_of(
            conversation_paper(page, client=client, made=now),
            "conversation-report",
            visit.key or visit.day,
            title=_("Our conversation of %(day)s", day=page.when),
            made=now.isoformat(),
            language=_LANGUAGE,
            day=visit.day,
        )
