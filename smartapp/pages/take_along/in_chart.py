"""The file put into the chart by its owner's own press, where the EHR takes documents."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from mappers.plan import PersonRef
from mappers.portable.document import document_of, name_of_words
from smartapp.fhir.store import Conflict, Forbidden, Refused, Unreachable, Write
from smartapp.pages.plan.service import plan_read
from smartapp.pages.take_along.gathering import Gathered, as_bytes, bundle, gather
from smartapp.pages.take_along.paper import paper_of
from smartapp.records.overlay import RecordState
from smartapp.records.placement import can_live_in_ehr
from smartapp.web import current
from smartapp.web.language import gettext as _
from smartapp.web.language import language

_NOT_FOR_A_CHART: Final = frozenset({"CareTeam", "Consent"})
"""Who someone's people are, and what they share with whom, is kept by us alone."""


def is_taken() -> bool:
    """Tell whether the EHR takes documents, and lets us find them again."""
    return can_live_in_ehr("DocumentReference", current.records().capability())


def put_in_chart() -> ResponseReturnValue:
    """Put all of the person of this launch into their chart, but for what is nobody's to read there."""
    if not is_taken():
        return redirect(url_for(".index"), 303)
    found = for_chart(gather())
    made = bundle(found)
    launch, name = current.launch(), name_of_words(made)
    document = document_of(
        paper_of(found, as_bytes(made)),
        name,
        client=PersonRef(launch.patient.reference, launch.patient.display),
        date=current.now().isoformat(),
        language=language(),
    )
    try:
        # A copy for the chart that is refused is given up: then nothing comes back.
        saved = current.records().save([Write.once(document, identifier=name.token)])
    except (Conflict, Forbidden, Refused, Unreachable):
        saved = []
    _tell(next((one.state for one in saved), "refused"))
    return redirect(url_for(".index"), 303)


def _tell(state: RecordState) -> None:
    if state == "stored":
        flash(_("The file is in your record now."))
    elif state == "waiting":
        flash(_("The file is on its way to your record."))
    else:
        flash(_("Your record did not take the file. Nothing changed there."), "attention")


def for_chart(gathered: Gathered) -> Gathered:
    """Return what of it may stand in a chart: without what its owner does not share there, and the plan without that.

    A plan of which a part is not shared there is left out as a whole, as it is kept.
    """
    is_private = current.records().is_private
    shown = [one for one in gathered.records if one.resource["resourceType"] not in _NOT_FOR_A_CHART]
    shown = [one for one in shown if not is_private(one.resource)]
    parts = [[one for one in shown if one.resource["resourceType"] == kind] for kind in ("CarePlan", "Goal", "Task")]
    responses = [one for one in shown if one.resource["resourceType"] == "QuestionnaireResponse"]
    plan = plan_read(parts, [responses])
    # What is not among the responses is asked for by its name; what comes of that is private all the same.
    forms = {id_: one for id_, one in plan.forms.items() if one.record is None or not is_private(one.record.resource)}
    return replace(gathered, plan=replace(plan, forms=forms), records=tuple(shown))
