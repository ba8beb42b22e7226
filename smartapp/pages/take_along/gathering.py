"""What is kept here, or read here, about the person of this launch: all of it, for a file of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from mappers.answers import is_finished, kind_of
from mappers.course import CATEGORY
from mappers.identity import identifiers
from mappers.observations import SCORE_SYSTEM
from mappers.own_notes import CODE as OWN_NOTE
from mappers.own_notes import PLAN_SYSTEM
from mappers.phase import CODE as PHASE
from mappers.portable import Kept, Made, bundle_of
from mappers.tolerant import code_in, text_in
from questionnaires import __version__
from questionnaires.canonical import BASE
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.fhir.store import MOST_RESULTS, Query
from smartapp.pages.plan import stored
from smartapp.pages.plan.service import plan_in
from smartapp.pages.plan.stored import StoredPlan
from smartapp.pages.take_along.whose import owner_here
from smartapp.records import Record
from smartapp.web import current
from smartapp.web.language import language


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything, in one reading: the plan with its living forms, and all records.

    `refused` names the types that the EHR would not let us search; `cut` tells that there is more than one search
    may bring.
    """

    plan: StoredPlan
    records: tuple[Record, ...]
    refused: tuple[str, ...] = ()
    cut: bool = False

    def of(self, *types: str) -> list[Record]:
        """Return the records of these types."""
        return [one for one in self.records if one.resource["resourceType"] in types]


def gather() -> Gathered:
    """Read everything of the person of this launch, in one round trip. Raises what `Records.search` does.

    A file that is half of somebody looks like all of them: so a place that does not answer is an error and no gap.
    """
    records, patient = current.records(), current.launch().patient.reference
    plans, goals, _steps = stored.queries(current.launch().patient_id)
    tasks = Query.of("Task", patient=patient)
    responses = Query.newest(MOST_RESULTS, "QuestionnaireResponse", "authored", patient=patient)
    scores = Query.newest(MOST_RESULTS, "Observation", "date", patient=patient, category="survey", code=_score_codes())
    said = Query.of("Observation", patient=patient, code=f"{PLAN_SYSTEM}|{OWN_NOTE},{PLAN_SYSTEM}|{PHASE}")
    people, sharing = Query.of("CareTeam", patient=patient), Query.of("Consent", patient=patient)
    courses = Query.of("CarePlan", patient=patient, category=CATEGORY)
    found = records.search(plans, goals, tasks, responses, scores, said, people, sharing, courses)
    plan = plan_in([found[0], found[1], found[2]], [found[3]])
    kept = tuple(one for part in found for one in part if _is_kept(one))
    return Gathered(plan, kept, tuple(sorted(records.forbidden)), bool({responses, scores} & records.cut))


def _score_codes() -> str:
    """Return the codes of all scores, and of the panels that hold them; without their system, as on other pages."""
    scored = catalogue().scored.values()
    return ",".join(sorted({code for one in scored for code in (one.panel_code, *(rule.code for rule in one.scores))}))


def _is_kept(record: Record) -> bool:
    """Tell whether a record is one that this app keeps or shows; an EHR has others of the same types."""
    resource = record.resource
    if record.state == "refused":  # what its author has to decide about is on a page of its own
        return False
    if "entered-in-error" in (text_in(resource, "status"), text_in(resource, "lifecycleStatus")):
        return False
    match resource["resourceType"]:
        case "Task" | "CareTeam" | "Consent":
            return any(one.system.startswith(BASE) for one in identifiers(resource))
        case "Observation":
            return bool(code_in(resource, "code", SCORE_SYSTEM) or code_in(resource, "code", PLAN_SYSTEM))
        case "QuestionnaireResponse":
            return is_finished(resource) or kind_of(resource, catalogue()) == "living"
        case _:
            return True


def bundle(gathered: Gathered) -> Resource:
    """Return the file of the person of this launch."""
    made = Made(__version__, current.services().settings.public_url, current.now().isoformat(), language())
    return bundle_of(owner_here(), kept(gathered.records), made)


def kept(records: Sequence[Record]) -> list[Kept]:
    """Return records as a file has them."""
    return [Kept(one.resource, one.place) for one in records]


def as_bytes(made: Resource) -> bytes:
    """Return a file as it is kept and handed out: JSON in UTF-8."""
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
