"""The plan as a document in the chart, where the EHR keeps no plans: made when the plan changed, sent by itself.

The plan is safe before this begins, and nothing here can undo or delay it: the document waits in the outbox as a unit
of its own, and a newer one takes its place there. When it is refused, nothing that the client wrote is missing
anywhere: it is given up, and the page of the plan says which version the chart has.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mappers.errors import PlanError
from mappers.medmij import Paper, published
from mappers.plan import PersonRef, Plan
from mappers.plan.document import (
    TYPE,
    Edition,
    bundle_of,
    digest_of,
    document_of,
    edition_of,
    next_edition,
    reference_to,
)
from mappers.tolerant import text_in
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.errors import NotTypeset
from smartapp.fhir.store import Query, RecordError, Write
from smartapp.i18n import DEFAULT, known_language
from smartapp.pages.plan import stored
from smartapp.pages.plan.paper import paper
from smartapp.pages.plan.stored import StoredPlan
from smartapp.records import Place, Record
from smartapp.records.following import replaces_documents
from smartapp.records.placement import can_live_in_ehr
from smartapp.web import current
from smartapp.web.language import gettext as _
from smartapp.web.language import kept_in

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InChart:
    """What the chart has of a plan: these words, an earlier version of `date`, or these words on their way to it."""

    state: Literal["arrived", "waiting", "earlier"]
    date: str


def query(patient_id: str) -> Query:
    """Return the search that finds the documents of a person's plan; an EHR sends their contents along."""
    return Query.of("DocumentReference", patient=patient_id, type=TYPE, status="current")


def wanted(home: Place) -> bool:
    """Tell whether a plan that lives at `home` goes into the chart as a document: where the EHR takes only those."""
    return home != "ehr" and can_live_in_ehr("DocumentReference", current.records().capability())


def in_chart(plan: Plan, documents: Sequence[Record]) -> InChart | None:
    """Return what the chart has of this plan, or None for nothing. Only what a server has taken counts as there."""
    words = digest_of(plan)
    ours = _in_ehr(documents)
    same = [one for one in ours if _edition(one).digest == words]
    if there := _arrived(same):
        return InChart("arrived", _date(there))
    if same:
        return InChart("waiting", _date(same))
    earlier = _arrived(ours)
    return InChart("earlier", _date(earlier)) if earlier else None


def keep_in_chart(before: StoredPlan, after: Plan, home: Place, language: str) -> None:
    """Have the document of a plan that was just saved sent, if the chart has not got these words.

    `language` is that of a new plan, as in `stored.writes`.
    """
    try:
        if not wanted(home):
            return
        documents = before.documents
        if documents is None:
            (found,) = current.records().search(query(current.launch().patient_id))
            documents = tuple(found)
        if (write := _write(before, after, documents, language)) is not None:
            # Former ones are superseded when this one is there: a chart may show two for a moment, and never none.
            may_change = current.records().capability().can("DocumentReference", "update")
            current.records().later([write], follow_up=replaces_documents() if may_change else None)
    except (RecordError, PlanError, NotTypeset) as error:
        # The message may hold what the client wrote.
        log.warning("A plan is saved, but its document for the chart was not made: %s", type(error).__name__)


def _write(before: StoredPlan, after: Plan, documents: Sequence[Record], language: str) -> Write | None:
    """Return the document to create, or None where the chart has these words, or is to get them."""
    launch = current.launch()
    client = PersonRef(launch.patient.reference, launch.patient.display)
    tongue = known_language(before.language or language) or DEFAULT
    # The document stands by itself: it has the words of living forms too, which the plan in the record only names.
    whole = replace(after, elsewhere=frozenset())
    resources = stored.resources(before, whole, known=catalogue(), patient=client, author=client, language=tongue)
    edition = next_edition(stored.own_name(resources[-1]), digest_of(after), [one.resource for one in documents])
    former = [one for one in _in_ehr(documents) if _edition(one).plan == edition.plan]
    if former and _edition(max(former, key=_number)).digest == edition.digest:
        return None
    now = current.now()
    with kept_in(tongue):
        pages = paper(after, catalogue(), client=launch.patient, made=now)
    replaced = [_named(one) for one in former]
    issuer = current.services().settings.issuer(launch.issuer)
    if issuer is not None and issuer.documents == "mhd":
        with kept_in(tongue):
            title = _("My recovery plan")
        alone = Paper(pages, "recovery-plan", title, now.isoformat(), edition.identifier, tongue)
        references = [reference_to(one, tongue) for one in replaced]
        made = published(alone, client=client, custodian=issuer.custodian, replaces=references)
    else:
        made = document_of(
            pages,
            bundle_of(resources, edition=edition, date=now.isoformat(), language=tongue),
            edition=edition,
            client=client,
            date=now.isoformat(),
            language=tongue,
            replaces=replaced,
        )
    return Write.once(made, identifier=edition.identifier.token, full_url=edition.name)


def _in_ehr(documents: Sequence[Record]) -> list[Record]:
    """Return the documents of ours that are in the chart, or on their way to it, and that hold now."""
    return [
        one
        for one in documents
        if one.place == "ehr"
        and one.state != "refused"
        and one.resource.get("status") == "current"
        and edition_of(one.resource) is not None
    ]


def _arrived(documents: Sequence[Record]) -> list[Record]:
    return [one for one in documents if one.state == "stored"]


def _edition(document: Record) -> Edition:
    found = edition_of(document.resource)
    if found is None:
        raise LookupError("not a document of ours: check with edition_of first")
    return found


def _number(document: Record) -> int:
    return _edition(document).number


def _date(documents: Sequence[Record]) -> str:
    """Return the date of the newest."""
    return text_in(max(documents, key=_number).resource, "date")


def _named(document: Record) -> Resource:
    """Return a document as another can refer to it: what waits has an id that no server knows."""
    if document.state == "stored":
        return document.resource
    return {name: value for name, value in document.resource.items() if name != "id"}
