"""One more entry among the parts of the plan, and the whole app has it: no code knows a part by name."""

from __future__ import annotations

import re

import pytest

from mappers.plan import Plan, parts_of, plan_of, resources_of
from questionnaires.catalogue import Catalogue, catalogue
from questionnaires.plan_parts import TAKEN
from smartapp.fhir.store import Query, Write
from smartapp.pages.plan.routes import SAVED
from tests.new_part import HARBOUR, ask_also
from tests.smartapp.helpers import launched, make_app
from tests.smartapp.pages.overview.people import hope, visit
from tests.smartapp.pages.plan.conftest import ANNA, HALFWAY, put
from tests.smartapp.pages.plan.pages import fields_of, fill, stored_plan

URL = "https://verstel.nl/fhir/StructureDefinition/safe-harbour"
WORDS = "Het water.\n\nDe steiger achter het huis."


@pytest.fixture(autouse=True)
def ask(tmp_path, monkeypatch):
    """The data file has one entry more, nothing else is changed; a test may ask the same in another way."""

    def ask(entry: str = HARBOUR) -> None:
        ask_also(monkeypatch, tmp_path, entry)

    ask()
    return ask


def test_it_goes_into_the_record_and_comes_back():
    known = Catalogue()
    plan = HALFWAY.with_texts("harbour", (WORDS,))
    resources = resources_of(plan, patient=ANNA, author=ANNA, known=known)
    assert [one for one in resources[-1]["extension"] if one["url"] == URL] == [{"url": URL, "valueString": WORDS}]
    assert "<h3>Mijn haven</h3><p>Het water.<br/><br/>De steiger achter het huis.</p>" in resources[-1]["text"]["div"]
    assert plan_of(*parts_of(resources), known=known) == plan


def test_its_form_asks_keeps_and_says_so(halfway):
    page = halfway.get("plan/harbour")
    assert "Waar kom je tot rust?" in page.text
    assert 'rows="10"' in page.text
    answer = fill(halfway, "plan/harbour", harbour=WORDS.replace("\n", "\r\n"))
    assert stored_plan(halfway.ehr) == stored_plan(halfway.ehr).with_texts("harbour", (WORDS,))
    assert answer.location.endswith("#harbour")
    assert "Je haven is bewaard." in halfway.get(answer.location).text


def test_the_start_page_invites_to_write_it_and_shows_it(halfway):
    before = halfway.get("plan/").text
    assert "Waar meer je aan?" in before
    assert "Mijn haven beschrijven" in before
    fill(halfway, "plan/harbour", harbour=WORDS)
    after = halfway.get("plan/").text
    assert "De steiger achter het huis." in after
    assert "Mijn haven aanpassen" in after
    assert "Waar meer je aan?" not in after


def test_a_plan_with_nothing_else_has_begun(anna):
    assert "Hier begint jouw plan" in anna.get("plan/").text
    fill(anna, "plan/harbour", harbour=WORDS)
    assert "Hier begint jouw plan" not in anna.get("plan/").text


def test_what_is_typed_is_kept_before_it_is_saved(halfway):
    typed = {**fields_of(halfway.get("plan/harbour")), "harbour": "Het wat"}
    assert halfway.post("plan/harbour", typed, headers={"Accept": "application/json"}).json == {"saved": True}
    again = halfway.get("plan/harbour")
    assert fields_of(again)["harbour"] == "Het wat"
    assert "Alleen jij ziet het." in again.text
    assert "harbour" not in stored_plan(halfway.ehr).texts


def test_two_tabs_ask_which_text_stays(halfway):
    first, second = (fields_of(halfway.get("plan/harbour")) for _tab in range(2))
    halfway.post("plan/harbour", {**first, "harbour": "Uit tab één."})
    answer = halfway.post("plan/harbour", {**second, "harbour": "Uit tab twee."})
    assert answer.status_code == 409
    assert "Uit tab één." in answer.text
    assert "Uit tab twee." in answer.text


def test_the_clinician_reads_it_under_a_heading_of_their_own(app):
    visitor = launched(app, role="clinician")
    put(visitor.ehr)
    assert "Nog geen haven beschreven." in visitor.get("overview/plan").text
    fill(launched(app), "plan/harbour", harbour=WORDS)
    page = visitor.get("overview/plan").text
    assert "Haven, in eigen woorden" in page
    assert "De steiger achter het huis." in page


def test_a_plan_with_nothing_else_is_not_empty_to_the_clinician(app):
    fill(launched(app), "plan/harbour", harbour=WORDS)
    assert "De steiger achter het huis." in launched(app, role="clinician").get("overview/").text


def test_both_look_at_it_together_under_the_clients_heading(app):
    fill(launched(app), "plan/harbour", harbour=WORDS)
    page = launched(app, role="clinician").get("overview/together/now").text
    assert ">Mijn haven</h2>" in page
    assert "De steiger achter het huis." in page


@pytest.mark.parametrize(
    ("shown_in", "overview", "together"), [('["overview"]', 1, 0), ('["together"]', 0, 1), ("[]", 0, 0)]
)
def test_it_is_where_there_is_room_for_it(app, ask, shown_in, overview, together):
    ask(HARBOUR.replace("rows = 10", f"rows = 10\nshown_in = {shown_in}"))
    fill(launched(app), "plan/harbour", harbour=WORDS)
    visitor = launched(app, role="clinician")
    assert visitor.get("overview/plan").text.count("De steiger achter het huis.") == overview
    assert visitor.get("overview/together/now").text.count("De steiger achter het huis.") == together


def test_a_list_takes_one_text_per_line(anna, ask):
    ask(HARBOUR.replace("rows = 10", "many = true"))
    fill(anna, "plan/harbour", harbour="Het water\r\n\r\n De steiger ")
    assert stored_plan(anna.ehr).texts == {"harbour": ("Het water", "De steiger")}
    assert "<li>De steiger</li>" in anna.get("plan/").text


@pytest.mark.parametrize(
    ("form", "language", "said"),
    [
        ("je", "nl", "Waar kom je tot rust?"),
        ("u", "nl", "Waar komt u tot rust?"),
        ("u", "en", "Where do you find calm?"),
    ],
)
def test_it_speaks_as_the_reader_wishes(form, language, said):
    app = make_app(form_of_address=form)
    visitor = launched(app)
    assert said in visitor.get(f"plan/harbour?lang={language}").text
    visitor.core.engine.dispose()


def test_a_part_that_is_no_longer_asked_stays_in_the_record(anna, monkeypatch):
    """Taking an entry out of the file does not take people's words out of their records."""
    fill(anna, "plan/harbour", harbour=WORDS)
    monkeypatch.undo()
    assert "De steiger achter het huis." not in anna.get("plan/").text
    assert anna.get("plan/harbour").status_code == 404
    fill(anna, "plan/story", story="Mijn verhaal.")
    kept = anna.ehr.search(Query.of("CarePlan"))[0].resource["extension"]
    assert {"url": URL, "valueString": WORDS} in kept


# --- names that are taken


def test_every_address_mark_and_field_that_a_code_would_collide_with_is_taken(app, anna):
    rules = [rule.rule.partition("/plan/")[2] for rule in app.url_map.iter_rules() if rule.endpoint.startswith("plan.")]
    # A code has no dot in it, and so is no file.
    addresses = {rule.partition("/")[0] for rule in rules if "." not in rule} - {"", "<code>"}
    fields = {name for name in fields_of(anna.get("plan/harbour")) if not name.startswith(("_", "seen-"))} - {"harbour"}
    assert {"domains", "goals"} <= addresses
    assert addresses | SAVED.keys() | fields | {"key", "sketch", "stop"} <= TAKEN


def test_every_anchor_that_a_code_would_collide_with_is_taken(app, halfway):
    """On the fullest pages there are: with scores, a prepared visit, and goals that ended or are of another program."""
    hope(halfway.ehr)
    visit(halfway.ehr)
    goal = {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "Van een ander"}}
    halfway.ehr.write(Write("create", {**goal, "subject": ANNA.as_reference()}))
    clinician = launched(app, role="clinician")
    pages = [halfway.get(path).text for path in ("plan/", "plan/harbour")]
    pages += [clinician.get(f"overview/{query}").text for query in ("", "plan", "scores", "together/now")]
    found = [re.findall(r' id="([^"]+)"', page) for page in pages]
    assert [len(ids) - len(set(ids)) for ids in found] == [0] * 6
    names = {name.removesuffix("-title").removesuffix("-help") for ids in found for name in ids}
    codes = {part.code for part in catalogue().plan_parts}
    assert codes | {"earlier", "others", "visit", "scores"} <= names
    made = ("chart-", "score-", "step-", "goal-", "area-", "form-")  # by the id or code of what they are of
    assert {name for name in names - codes if not name.startswith(made)} <= TAKEN


def test_a_plan_is_made_of_parts_that_are_written_in_only():
    assert Plan("p", {"harbour": (" ", ""), "story": ("x",)}).texts == {"story": ("x",)}
