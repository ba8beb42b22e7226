"""Made-up measurements, written to a visitor's EHR as the app writes them."""

from __future__ import annotations

from mappers.answers import answers_of, response_of
from mappers.observations import observations_of
from mappers.scoring import score
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Write
from tests.smartapp.helpers import Visitor


def measure(visitor: Visitor, instrument_id: str, day: str, code: str, *, upto: int = 99, rule: str = "") -> None:
    """Let the person have answered `code` to the first `upto` questions on a day; `rule` rewrites the rule version."""
    instrument = catalogue().instruments[instrument_id]
    person = {"reference": visitor.launch.patient.reference, "display": visitor.launch.patient.display}
    asked = [item for item in instrument.items if item.kind == "choice"][:upto]
    made = response_of(
        {item.link_id: code for item in asked},
        instrument,
        status="completed",
        authored=f"{day}T10:00:00+01:00",
        subject=person,
        author=person,
        source=person,
        identifier=f"{instrument_id}-{day}",
    )
    sent = visitor.ehr.write(Write("create", made))
    answers = answers_of(sent.resource, catalogue())
    for one in observations_of(answers, score(instrument, answers.values)):
        if "hasMember" in one:
            continue
        if rule:
            coding = one["method"]["coding"][0]
            coding["code"] = f"{coding['code'].partition('@')[0]}@{rule}"
        visitor.ehr.write(Write("create", one))
