"""The client marks where they are, or leaves it: each time is kept, can be taken back, and is nobody's measure."""

from __future__ import annotations

import re
import time

import pytest

from fhir_profiles.checking import problems
from mappers.phase import PROFILE, Marking, history_of, observation_of
from questionnaires.phases import phases
from smartapp.fhir.store import Query, Refused, Unreachable, Write
from smartapp.pages.phase import markings
from smartapp.services import KEY
from tests.mappers.build import ANNA
from tests.smartapp.helpers import launched, make_app, text_of
from tests.smartapp.pages.plan.pages import fields_of, fill
from tests.smartapp.pages.plan.pdf_text import squeezed
from tests.smartapp.pages.plan.pdf_text import text_in as pdf_text

PAGE = "phase/"


@pytest.fixture
def clock():
    """Return a clock that a test moves on, as the days between two markings do."""
    return Clock()


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def later(self) -> None:
        self.now += 60


@pytest.fixture
def app(clock):
    made = make_app(clock=clock)
    yield made
    made.extensions[KEY].engine.dispose()


@pytest.fixture
def anna(app):
    return launched(app)


def observations(visitor):
    return [one.resource for one in visitor.ehr.search(Query.of("Observation", patient="Patient/anna"))]


def marked(visitor):
    return [(one.phase, one.words) for one in history_of(observations(visitor))]


def removals(page):
    return re.findall(r'action="([^"]*/phase/[^"]+/remove)".*?name="seen" value="([^"]*)"', page.text, re.DOTALL)


def remove(visitor, number=0):
    """Press *take this away* beside one of those of before, the newest first."""
    address, seen = removals(visitor.get(PAGE))[number]
    return visitor.post(address, {"seen": seen})


def undo(visitor, answer):
    """Press *undo* on the page after something."""
    page = visitor.get(answer.headers["Location"])
    [(address, id_)] = re.findall(r'action="([^"]*/back)".*?name="undo" value="([^"]*)"', page.text, re.DOTALL)
    return visitor.post(address, {"undo": id_})


# --- marking --------------------------------------------------------------------------------------------------------


def test_the_four_are_offered_in_the_words_of_the_client_and_none_is_chosen_beforehand(anna):
    fill(anna, PAGE, phase="struggling")
    page = anna.get(PAGE)
    for one in phases().phases:
        assert one.title.nl in text_of(page)
        assert one.description.nl in text_of(page)
    assert len(re.findall(r'type="radio"', page.text)) == 4
    assert "checked" not in page.text.partition("<main")[2]


def test_what_is_marked_is_an_observation_by_our_profile_in_the_clients_own_name(anna):
    answer = fill(anna, PAGE, phase="living-with", words="De meeste dagen lukt het.")
    assert answer.status_code == 303
    assert "Wat je koos, is bewaard." in text_of(anna.get(answer.headers["Location"]))
    [made] = observations(anna)
    assert problems(made, PROFILE) == []
    assert made["performer"][0]["reference"] == made["subject"]["reference"] == "Patient/anna"
    assert made["note"][0]["text"] == "De meeste dagen lukt het."


def test_each_time_is_one_more_back_and_forth_and_the_newest_stands_first(clock, anna):
    for phase, words in (("living-with", "Eerst."), ("overwhelmed", ""), ("living-with", "Weer.")):
        fill(anna, PAGE, phase=phase, words=words)
        clock.later()
    assert marked(anna) == [("living-with", "Weer."), ("overwhelmed", ""), ("living-with", "Eerst.")]
    before = text_of(anna.get(PAGE)).partition("Wat je eerder koos")[2]
    assert before.index("Weer.") < before.index("Het overspoelt mij") < before.index("Eerst.")


def test_nothing_on_the_page_weighs_one_marking_against_another(anna):
    fill(anna, PAGE, phase="living-beyond")
    fill(anna, PAGE, phase="overwhelmed")
    main = anna.get(PAGE).text.partition("<main")[2].partition('<section class="stack stack--tight" id="before"')[2]
    assert "overspoelt" in main
    assert not re.search(r"<svg|<ol|progress|timeline|vooruit|achteruit|terugval|stap|beter|slechter|→|↑|↓", main)


def test_without_a_choice_nothing_is_saved_and_what_was_typed_stays(anna):
    answer = fill(anna, PAGE, words="Ik weet het niet.")
    assert answer.status_code == 422
    assert "Kies er een, of laat het zo." in text_of(answer)
    assert fields_of(answer)["words"] == "Ik weet het niet."
    assert observations(anna) == []


def test_a_choice_that_is_none_of_the_four_is_not_saved(anna):
    assert fill(anna, PAGE, phase="recovered").status_code == 422
    assert observations(anna) == []


def test_words_that_are_too_long_stay_in_their_field(anna):
    answer = fill(anna, PAGE, phase="struggling", words="x" * 20_001)
    assert answer.status_code == 422
    assert len(fields_of(answer)["words"]) == 20_001
    assert fields_of(answer)["phase"] == "struggling"
    assert observations(anna) == []


def test_the_plan_leads_to_the_page(anna):
    assert re.search(r'href="[^"]*/phase/">Waar sta ik nu\?', anna.get("plan/").text)


# --- kept while typing, and two tabs --------------------------------------------------------------------------------


def test_what_is_chosen_and_typed_is_kept_for_its_writer_alone_until_it_is_saved(app, anna):
    form = {**fields_of(anna.get(PAGE)), "phase": "struggling", "words": "Nog niet af"}
    assert anna.post(PAGE, form, headers={"Accept": "application/json"}).json == {"saved": True}
    assert observations(anna) == []
    again = fields_of(anna.get(PAGE))
    assert (again["phase"], again["words"], again["key"]) == ("struggling", "Nog niet af", form["key"])
    clinician = launched(app, role="clinician")
    assert "Nog niet af" not in text_of(clinician.get("overview/"))
    fill(anna, PAGE)
    assert marked(anna) == [("struggling", "Nog niet af")]
    assert fields_of(anna.get(PAGE))["words"] == ""


def test_a_sketch_can_be_thrown_away(anna):
    form = {**fields_of(anna.get(PAGE)), "words": "Toch niet"}
    anna.post(PAGE, form, headers={"Accept": "application/json"})
    anna.post(PAGE, {"sketch": "discard", "key": form["key"]})
    assert fields_of(anna.get(PAGE))["words"] == ""


def test_a_button_pressed_twice_marks_once(anna):
    form = {**fields_of(anna.get(PAGE)), "phase": "struggling", "words": "Eén keer."}
    assert [anna.post(PAGE, form).status_code for _press in range(2)] == [303, 303]
    assert marked(anna) == [("struggling", "Eén keer.")]


def test_a_button_pressed_twice_at_the_same_moment_marks_once(anna, monkeypatch):
    """Neither press finds what the other made: the identifier of the form makes them one."""
    monkeypatch.setattr(markings, "load", lambda: markings.Found(()))
    form = {**fields_of(anna.get(PAGE)), "phase": "struggling", "words": "Eén keer."}
    for _press in range(2):
        anna.post(PAGE, form)
    assert marked(anna) == [("struggling", "Eén keer.")]


def test_one_form_saved_with_something_else_shows_both_and_changes_nothing_before_a_choice(anna):
    form = {**fields_of(anna.get(PAGE)), "phase": "struggling", "words": "Uit de ene."}
    anna.post(PAGE, form)
    answer = anna.post(PAGE, {**form, "phase": "living-with", "words": "Uit de andere."})
    assert answer.status_code == 409
    for said in ("Ik worstel ermee", "Ik leef ermee", "Uit de ene.", "Uit de andere."):
        assert said in text_of(answer)
    assert marked(anna) == [("struggling", "Uit de ene.")]
    chosen = {**fields_of(answer), "choice-phase": "typed", "choice-words": "stored"}
    assert anna.post(PAGE, chosen).status_code == 303
    assert marked(anna) == [("living-with", "Uit de ene.")]
    [made] = observations(anna)
    assert made["status"] == "amended"
    assert problems(made, PROFILE) == []


def test_a_choice_between_two_versions_that_is_not_made_is_asked_again(anna):
    form = {**fields_of(anna.get(PAGE)), "phase": "struggling", "words": "Uit de ene."}
    anna.post(PAGE, form)
    clash = anna.post(PAGE, {**form, "words": "Uit de andere."})
    again = anna.post(PAGE, fields_of(clash))
    assert again.status_code == 409
    assert "Kies van elke tekst een van de twee versies." in text_of(again)


def test_two_tabs_with_a_form_of_their_own_are_two_markings(anna):
    one, other = fields_of(anna.get(PAGE)), fields_of(anna.get(PAGE))
    anna.post(PAGE, {**one, "phase": "struggling"})
    anna.post(PAGE, {**other, "phase": "living-with"})
    assert sorted(marked(anna)) == [("living-with", ""), ("struggling", "")]


@pytest.mark.parametrize("error", [Refused("no"), Unreachable("away")], ids=["refused", "away"])
def test_what_the_record_does_not_take_is_not_lost(anna, error):
    anna.make_flaky().error = error
    assert fill(anna, PAGE, phase="struggling", words="Bewaar dit.").status_code == 303
    assert "Bewaar dit." in text_of(anna.get(PAGE))


def test_what_waits_is_shown_as_on_its_way_and_arrives_once(anna):
    flaky = anna.make_flaky()
    flaky.error = Unreachable("away")
    answer = fill(anna, PAGE, phase="struggling", words="Onderweg.")
    page = anna.get(answer.headers["Location"])
    assert "Het is onderweg naar het dossier" in text_of(page)
    assert "Wat je koos, is bewaard." not in text_of(page)
    assert removals(page) == []
    flaky.error = None
    anna.courier_comes()
    assert marked(anna) == [("struggling", "Onderweg.")]
    assert len(removals(anna.get(PAGE))) == 1


# --- a mistake ------------------------------------------------------------------------------------------------------


def test_a_marking_is_taken_away_for_every_reader_and_put_back_in_one_press(clock, app, anna):
    fill(anna, PAGE, phase="living-with", words="Dit blijft.")
    clock.later()
    fill(anna, PAGE, phase="overwhelmed", words="Per ongeluk.")
    answer = remove(anna)
    assert marked(anna) == [("living-with", "Dit blijft.")]
    assert [one["status"] for one in observations(anna)] == ["final", "entered-in-error"]
    page = anna.get(answer.headers["Location"])
    assert "Per ongeluk." not in text_of(page)
    clinician = launched(app, role="clinician")
    assert "Ik leef ermee" in text_of(clinician.get("overview/"))
    assert "Het is weer zoals het was." in text_of(anna.get(undo(anna, answer).headers["Location"]))
    assert sorted(marked(anna)) == [("living-with", "Dit blijft."), ("overwhelmed", "Per ongeluk.")]
    assert all(problems(one, PROFILE) == [] for one in observations(anna))


def test_taken_away_twice_is_taken_away(anna):
    fill(anna, PAGE, phase="struggling")
    [(address, seen)] = removals(anna.get(PAGE))
    assert [anna.post(address, {"seen": seen}).status_code for _press in range(2)] == [303, 303]
    assert marked(anna) == []


def test_what_says_something_else_by_now_is_not_taken_away_unseen(anna):
    form = {**fields_of(anna.get(PAGE)), "phase": "struggling", "words": "Eerst."}
    anna.post(PAGE, form)
    [(address, seen)] = removals(anna.get(PAGE))
    clash = anna.post(PAGE, {**form, "words": "Nieuw."})
    anna.post(PAGE, {**fields_of(clash), "choice-words": "typed"})
    answer = anna.post(address, {"seen": seen})
    assert "Dit is ergens anders veranderd." in text_of(anna.get(answer.headers["Location"]))
    assert marked(anna) == [("struggling", "Nieuw.")]


def test_taking_away_is_based_on_what_is_stored_at_that_moment(anna):
    """Someone changes it between our reading and our writing: it is read again, and nothing of theirs is lost."""
    fill(anna, PAGE, phase="struggling", words="Eerst.")
    [(address, seen)] = removals(anna.get(PAGE))
    flaky = anna.make_flaky()
    [stored] = flaky.search(Query.of("Observation"))
    theirs = {**stored.resource, "note": [*stored.resource["note"], {"authorString": "Jaap", "text": "Gezien"}]}
    flaky.first = lambda: flaky.store.write(Write("update", theirs, if_match=stored.etag))
    assert anna.post(address, {"seen": seen}).status_code == 303
    [now] = observations(anna)
    assert (now["status"], [one["text"] for one in now["note"]]) == ("entered-in-error", ["Eerst.", "Gezien"])


def test_what_the_record_does_not_let_us_take_away_stays_and_is_said(anna):
    fill(anna, PAGE, phase="struggling", words="Eerst.")
    [(address, seen)] = removals(anna.get(PAGE))
    anna.make_flaky().error = Refused("no")
    answer = anna.post(address, {"seen": seen})
    assert "Dit is niet gelukt. Probeer het straks nog eens." in text_of(anna.get(answer.headers["Location"]))
    assert marked(anna) == [("struggling", "Eerst.")]


def test_an_undo_that_is_no_longer_known_changes_nothing(anna):
    fill(anna, PAGE, phase="struggling")
    remove(anna)
    [stored] = observations(anna)
    answer = anna.post(f"{PAGE}{stored['id']}/back", {"undo": "0" * 16})
    assert "Dit kan niet meer ongedaan worden gemaakt." in text_of(anna.get(answer.headers["Location"]))
    assert marked(anna) == []


def test_the_form_of_what_was_taken_away_can_be_saved_again(anna):
    form = {**fields_of(anna.get(PAGE)), "phase": "struggling", "words": "Toch wel."}
    anna.post(PAGE, form)
    remove(anna)
    assert anna.post(PAGE, form).status_code == 303
    assert marked(anna) == [("struggling", "Toch wel.")]


# --- who may do what ------------------------------------------------------------------------------------------------


def test_nobody_else_marks_reads_or_takes_away(app, anna):
    fill(anna, PAGE, phase="struggling", words="Van mij.")
    [(address, seen)] = removals(anna.get(PAGE))
    id_ = address.rsplit("/", 2)[1]
    clinician, bram = launched(app, role="clinician"), launched(app, patient="bram", name="Bram")
    assert clinician.get(PAGE).status_code == 403
    assert clinician.post(f"{PAGE}{id_}/remove", {"seen": seen}).status_code == 403
    assert bram.post(f"{PAGE}{id_}/remove", {"seen": seen}).status_code == 404
    assert "Van mij." not in text_of(bram.get(PAGE))
    assert marked(anna) == [("struggling", "Van mij.")]


def test_only_markings_can_be_taken_away_here(anna):
    other = {"resourceType": "Observation", "status": "final", "code": {"text": "Bloeddruk"}, "subject": ANNA}
    stored = anna.ehr.write(Write("create", other))
    assert anna.post(f"{PAGE}{stored.resource['id']}/remove", {"seen": ""}).status_code == 404
    assert anna.ehr.read("Observation", stored.resource["id"]).resource["status"] == "final"


def test_what_a_professional_marked_is_shown_to_nobody_as_the_clients(app, anna):
    theirs = observation_of(Marking("living-beyond", "", "2026-06-01T10:00:00Z", "n"), patient=ANNA, language="nl")
    anna.ehr.write(Write("create", {**theirs, "performer": [{"reference": "Practitioner/2", "display": "Jaap"}]}))
    assert "Wat je eerder koos" not in text_of(anna.get(PAGE))
    assert "Mijn leven is groter" not in text_of(launched(app, role="clinician").get("overview/"))


def test_there_is_more_than_the_page_asks_for(anna, monkeypatch):
    monkeypatch.setattr(markings, "MOST", 2)
    for _time in range(2):
        fill(anna, PAGE, phase="struggling")
    assert "Wat ouder is, blijft in het dossier." not in text_of(anna.get(PAGE))
    fill(anna, PAGE, phase="living-with")
    page = text_of(anna.get(PAGE))
    assert "Wat ouder is, blijft in het dossier." in page
    assert page.count("Dit weghalen") == 2


# --- who reads along ------------------------------------------------------------------------------------------------


def test_the_clinician_reads_the_newest_and_nothing_of_how_it_was_before(clock, app, anna):
    fill(anna, PAGE, phase="living-beyond", words="Toen ging het goed.")
    clock.later()
    fill(anna, PAGE, phase="struggling", words="Nu is het zwaar.")
    clinician = launched(app, role="clinician")
    overview = text_of(clinician.get("overview/"))
    assert re.search(r"Anna Voorbeeld zegt zelf: Ik worstel ermee ?, \d+ \w+ \d{4}", overview)
    plan, now = (text_of(clinician.get(path)) for path in ("overview/plan", "overview/together/now"))
    for page in (plan, now):
        assert "Ik worstel ermee" in page
        assert "Nu is het zwaar." in page
    paper = squeezed(pdf_text(clinician.get("overview/overview.pdf").data))
    assert squeezed("Anna Voorbeeld zegt zelf: Ik worstel ermee") in paper
    for page in (overview, plan, now, paper):
        assert squeezed("Mijn leven is groter dan dit") not in squeezed(page)
        assert squeezed("Toen ging het goed.") not in squeezed(page)


def test_the_clinician_reads_what_who_is_called_something_else_says(app, anna):
    """A whole name of a Dutch record would leave no room for what is said."""
    fill(anna, PAGE, phase="struggling")
    clinician = launched(app, role="clinician", name="Johanna Petronella Maria van Putten", called="Jo")
    for path in ("overview/", "overview/plan"):
        assert "Jo zegt zelf: Ik worstel ermee" in text_of(clinician.get(path))
    assert squeezed("Jo zegt zelf: Ik worstel ermee") in squeezed(pdf_text(clinician.get("overview/overview.pdf").data))


@pytest.mark.parametrize("path", ["overview/", "overview/plan", "overview/together/now"])
def test_where_nothing_is_marked_no_page_of_the_clinician_says_a_word_of_it(app, anna, path):
    fill(anna, "living/story/story/", story_story="Ik zing weer.")
    page = text_of(launched(app, role="clinician").get(path))
    assert not re.search("zegt zelf|zegt te staan|Waar sta ik", page)


def test_an_overview_with_nothing_but_this_is_not_empty(app, anna):
    fill(anna, PAGE, phase="struggling")
    page = text_of(launched(app, role="clinician").get("overview/"))
    assert "Ik worstel ermee" in page
    assert "Hier is nog niets geschreven" not in page


def test_many_markings_do_not_make_the_pages_with_scores_say_that_there_is_more(app, anna, monkeypatch):
    monkeypatch.setattr(markings, "MOST", 1)
    for _time in range(2):
        fill(anna, PAGE, phase="struggling")
    for path in ("overview/", "overview/together/now"):
        assert "Hier staan de nieuwste" not in text_of(launched(app, role="clinician").get(path))
