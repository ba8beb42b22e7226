"""Someone with three measurements, a prepared visit and a plan, made by the mappers as the app makes them."""

from __future__ import annotations

from mappers.answers import answers_of, response_of
from mappers.observations import full_url, observations_of
from mappers.said_in import SaidIn
from mappers.scoring import score
from mappers.talking import task_of
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Write

ANNA = {"reference": "Patient/anna", "display": "Anna Voorbeeld"}
MOMENTS = {"2024-02-01T10:00:00+01:00": "2", "2025-06-10T10:00:00+02:00": "3", "2026-06-02T10:00:00+02:00": "3"}


def filled_in(store, instrument_id: str, values: dict, authored: str, status: str = "completed") -> None:
    """Store a response with its scores, as one unit."""
    instrument = catalogue().instruments[instrument_id]
    response = response_of(
        values,
        instrument,
        status=status,
        authored=authored,
        subject=ANNA,
        author=ANNA,
        source=ANNA,
        identifier=f"{instrument_id}-{authored}",
    )
    urn = "urn:uuid:00000000-0000-4000-8000-00000000aaaa"
    unit = [Write("create", response, full_url=urn)]
    if status == "completed" and instrument.scores:
        answers = answers_of(response, catalogue())
        scores = score(instrument, answers.values)
        unit += [
            Write("create", one, full_url=full_url(one))
            for one in observations_of(answers, scores, response_reference=urn)
        ]
    store.write_all(unit)


def hope(store, moments: dict[str, str] = MOMENTS) -> None:
    """Store the HOOP at each moment with the same answer to all twelve items (two are reversed: 5 - x)."""
    for authored, answer in moments.items():
        filled_in(store, "hoop", {f"hoop-{number:02}": answer for number in range(1, 13)}, authored)


def visit(store, authored: str = "2026-06-01T09:00:00+02:00", status: str = "completed") -> None:
    """Store the preparation of a visit."""
    texts = [item.link_id for item in catalogue().instruments["sdm-visit"].items if item.kind == "text"]
    values = {texts[0]: "Wandelen met de hond van de buren.", texts[-1]: "Mag het een keer buiten, dit gesprek?"}
    filled_in(store, "sdm-visit", values, authored, status)


def talk_about(store, words: str, status: str = "requested", link_id: str = "nel-01") -> None:
    """Store the client's mark that they want to talk about an answer."""
    answer = SaidIn(link_id, "QuestionnaireResponse/1")
    task = task_of(answer, words=words, patient=ANNA, requester=ANNA, marked_on="2026-06-02T10:00:00Z", language="nl")
    store.write(Write("create", {**task, "status": status}))
