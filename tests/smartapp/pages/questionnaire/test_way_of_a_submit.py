"""How sending in travels through the code: down, and through few rooms. Measured on a real POST."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.smartapp.helpers import launched
from tests.smartapp.pages.questionnaire.test_pages import ask, fill, form_of

ROOT = Path(__file__).parents[4]
SEAM = ("smartapp/records", "smartapp/storage", "smartapp/fhir")
"""Below these doors the way is that of every write; entering one is a stop, what happens inside is not."""
VOCABULARY = (
    "questionnaires",
    "mappers/tolerant.py",
    "smartapp/i18n.py",
    "smartapp/fhir/store.py",
    "smartapp/web/current.py",
    "smartapp/web/guard.py",
    "smartapp/web/language.py",
)
"""Looked up from everywhere, as one looks up a word: definitions, the shape of a write, whose request this is."""
SUBMIT = "smartapp/pages/questionnaire/routes.py::submit"


@dataclass
class Way:
    """Follows the calls of one `submit`, above the seam: which functions were entered, and which room from which."""

    entered: Counter[str] = field(default_factory=Counter)
    stops: list[tuple[str, str]] = field(default_factory=list)
    rooms: list[str] = field(default_factory=list)

    def __call__(self, frame, event, _arg) -> None:
        path = Path(frame.f_code.co_filename)
        if event not in ("call", "return") or not path.is_relative_to(ROOT):
            return
        name = str(path.relative_to(ROOT))
        if name.startswith((*VOCABULARY, "tests", ".venv")):
            return
        if event == "return":
            self.rooms = self.rooms[:-1]
            return
        function = f"{name}::{frame.f_code.co_name}"
        if function == SUBMIT or self.rooms:
            if not any(room.startswith(SEAM) for room in self.rooms):
                self._enter(function, name.rpartition("/")[0])
            self.rooms = [*self.rooms, name.rpartition("/")[0]]

    def _enter(self, function: str, room: str) -> None:
        self.entered[function] += 1
        if not self.rooms or self.rooms[-1] != room:
            self.stops.append((room, function))


def way_of_a_submit(app) -> Way:
    anna = launched(app)
    ask(anna)
    fill(anna)
    form, way = form_of(anna.get("questionnaires/hoop/review").text), Way()
    before = sys.getprofile()
    sys.setprofile(way)
    try:
        response = anna.post("questionnaires/hoop/submit", form)
    finally:
        sys.setprofile(before)
    assert response.status_code == 303
    return way


def test_a_submit_passes_few_rooms_and_writes_fhir_once(app):
    way = way_of_a_submit(app)
    assert len(way.stops) <= 16, "\n".join(map(str, way.stops))
    assert len({room for room, _ in way.stops}) <= 6, way.stops
    assert way.entered["mappers/answers.py::response_from"] == 1
    # The draft, and never what we made ourselves.
    assert way.entered["mappers/answers.py::answers_of"] == 1
    assert way.entered["mappers/scoring.py::score"] == 1


def test_the_way_is_really_followed(app):
    """A measure that saw nothing would pass every limit."""
    functions = [function for _, function in way_of_a_submit(app).stops]
    assert functions[0] == SUBMIT
    assert "mappers/submission.py::submission_of" in functions
    assert "smartapp/records/records.py::save" in functions
    assert "smartapp/storage/drafts.py::delete" in functions
