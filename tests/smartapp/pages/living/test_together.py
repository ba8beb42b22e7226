"""A professional types in the client's form; nothing is saved before the client has read it and said yes."""

from __future__ import annotations

import pytest

from mappers.living import content_of
from smartapp.fhir.store import Query, Unreachable
from tests.new_form import GARDEN, ask_also
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.plan.conftest import put
from tests.smartapp.pages.plan.pages import fields_of, fill
from tests.smartapp.pages.plan.pdf_text import squeezed, text_in

STORY = "living/garden/story/"
WORDS = "Onkruid.\n\nEn één <roos>."
JSON = {"Accept": "application/json"}


def responses(visitor):
    return [one.resource for one in visitor.ehr.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))]


def written(visitor, known):
    """Return what the record has of the garden, None for nothing."""
    found = responses(visitor)
    return content_of(found[0], known.living["garden"]) if found else None


def begin(visitor, what="garden"):
    """Press the button that begins writing together."""
    answer = visitor.post("overview/together/write", {"what": what})
    assert answer.status_code == 303
    return answer


def asked(visitor, path=STORY, **typed):
    """Type, have the client read it, and return the page that asks."""
    answer = fill(visitor, path, **typed)
    assert answer.status_code == 303, answer.text
    return visitor.get(answer.location)


def yes(visitor, page, path=STORY, **more):
    """Press *yes* on the page that asks."""
    return visitor.post(path, {**fields_of(page), **more})


@pytest.fixture
def joost(known, app):
    """A professional who writes with Anna, in the garden."""
    visitor = launched(app, role="clinician")
    begin(visitor)
    return visitor


def test_nothing_is_saved_before_the_client_says_yes(joost, known):
    page = asked(joost, **{"garden-story": WORDS})
    assert responses(joost) == []
    assert "Anna, kloppen deze woorden?" in text_of(page)
    assert "En één <roos>." in text_of(page)
    assert "SPV J. Jansen typte dit." in text_of(page)
    answer = yes(joost, page)
    assert answer.status_code == 303
    assert written(joost, known).answers == {"garden-story": (WORDS,)}


def test_who_typed_is_the_author_and_the_words_are_the_clients(joost):
    yes(joost, asked(joost, **{"garden-story": WORDS}))
    [response] = responses(joost)
    assert response["author"]["reference"] == "Practitioner/jansen"
    assert response["source"]["reference"] == response["subject"]["reference"] == "Patient/anna"
    [plan] = joost.ehr.search(Query.of("CarePlan", patient="Patient/anna"))
    assert plan.resource["author"]["reference"] == "Practitioner/jansen"
    assert "getypt door SPV J. Jansen" in text_of(joost.get("living/garden/"))


def test_the_log_names_who_typed(joost):
    yes(joost, asked(joost, **{"garden-story": WORDS}))
    writes = [one for one in joost.core.audit.entries() if one.event == "create"]
    assert {one.user for one in writes} == {"Practitioner/jansen"}
    assert any(name.startswith("QuestionnaireResponse/") for one in writes for name in one.objects)
    seen = text_of(launched(joost.app).get("who-looked/"))
    assert "SPV J. Jansen" in seen
    assert "iets toegevoegd" in seen


def test_what_is_refused_stays_with_who_typed_it_and_is_in_no_record(joost):
    page = asked(joost, **{"garden-story": WORDS})
    assert f'href="/l/{joost.launch.id}/{STORY}"' in page.text  # no, change it first
    again = joost.get(STORY)
    assert fields_of(again)["garden-story"] == WORDS.replace("\n", "\r\n")
    assert "Anna zei nog niet dat het klopt" in text_of(again)
    assert responses(joost) == []
    assert fields_of(launched(joost.app).get(STORY))["garden-story"] == ""


def test_what_was_there_before_stands_beside_it(joost, known):
    anna = launched(joost.app)
    fill(anna, "living/garden/all/", **{"garden-story": "Een kale muur.", "garden-tools": "hark"})
    page = text_of(asked(joost, "living/garden/all/", **{"garden-story": "Een muur met druiven."}))
    assert page.index("Een kale muur.") < page.index("Dit komt ervoor in de plaats") < page.index("met druiven")
    assert "hark" not in page  # it does not change
    assert written(joost, known).of("garden-story") == "Een kale muur."


def test_words_that_go_away_are_said_to(joost, known):
    fill(launched(joost.app), STORY, **{"garden-story": WORDS})
    page = asked(joost, **{"garden-story": ""})
    assert "Dit gaat weg" in text_of(page)
    yes(joost, page)
    assert not written(joost, known)


def test_a_yes_to_other_words_is_none(joost):
    page = asked(joost, **{"garden-story": WORDS})
    answer = yes(joost, page, **{"garden-story": "Iets anders."})
    assert answer.status_code == 303
    assert responses(joost) == []
    assert "Iets anders." in text_of(joost.get(answer.location))


def test_words_of_professionals_are_asked_about_before_they_are_saved(joost):
    sentence = "Dit zeggen hulpverleners vaak zo".replace("Dit zeggen hulpverleners", "Hulpverleners zeggen het")
    page = asked(joost, **{"garden-story": "De cliënt krijgt ziekte-inzicht"})
    assert sentence in text_of(page)
    answer = yes(joost, page)
    assert "Wiens woorden" not in joost.get(answer.location).text


def test_nothing_new_is_nothing_to_say_yes_to(joost):
    fill(launched(joost.app), STORY, **{"garden-story": WORDS})
    answer = fill(joost, STORY, **{"garden-story": WORDS})
    assert answer.status_code == 303
    assert "confirm" not in answer.location


def test_what_the_client_saved_meanwhile_is_shown_beside_it(joost, known):
    page = asked(joost, **{"garden-story": WORDS})
    fill(launched(joost.app), STORY, **{"garden-story": "Van Anna zelf."})
    both = yes(joost, page)
    assert both.status_code == 409
    assert "Van Anna zelf." in both.text
    assert written(joost, known).of("garden-story") == "Van Anna zelf."
    chosen = joost.post(STORY, {**fields_of(both), "choice-garden-story": "typed"})
    assert chosen.status_code == 303
    assert written(joost, known).of("garden-story") == "Van Anna zelf."  # this too is hers to say yes to
    yes(joost, joost.get(chosen.location))
    assert written(joost, known).of("garden-story") == WORDS


def test_the_page_that_asks_can_be_loaded_again_and_shows_both_versions_by_then(joost):
    answer = fill(joost, STORY, **{"garden-story": WORDS})
    fill(launched(joost.app), STORY, **{"garden-story": "Van Anna zelf."})
    page = joost.get(answer.location)
    assert page.status_code == 409
    assert "Van Anna zelf." in page.text


def test_a_silent_record_leaves_the_words_on_the_page_that_asks(joost):
    page = asked(joost, **{"garden-story": WORDS})
    flaky = joost.make_flaky()
    flaky.error = Unreachable("silence")
    answer = yes(joost, page)
    assert answer.status_code == 303  # it waits here, and goes there by itself
    assert fields_of(joost.get(STORY))["garden-story"] == WORDS.replace("\n", "\r\n")


def test_a_row_is_made_changed_and_taken_out_with_a_yes(joost, known):
    put(joost.ehr)
    new = "living/garden/plants/new"
    page = asked(joost, new, **{"garden-plant": "roos", "garden-place": "2", "garden-care": "water"})
    for words in ("roos", "zon", "water"):
        assert words in text_of(page)
    assert written(joost, known) is None
    yes(joost, page, new)
    [row] = written(joost, known).rows_of("garden-plants")
    assert row.of("garden-plant") == "roos"
    assert yes(joost, page, new).status_code == 303  # pressed twice
    assert len(written(joost, known).rows_of("garden-plants")) == 1
    here = f"living/garden/plants/{row.key}/"
    yes(joost, asked(joost, here, **{"garden-plant": "wilde roos"}), here)
    [row] = written(joost, known).rows_of("garden-plants")
    assert row.of("garden-plant") == "wilde roos"
    question = joost.post(f"{here}remove")
    assert question.status_code == 200
    assert "Dit gaat eruit." in text_of(question)
    assert "wilde roos" in text_of(question)
    assert written(joost, known).rows_of("garden-plants")
    after = yes(joost, question, f"{here}remove")
    assert not written(joost, known)
    undo = joost.get(after.location)
    assert "Ongedaan maken" in undo.text
    back = joost.post(here, {"undo": fields_of(undo)["undo"]})
    assert "wilde roos" in text_of(back)
    assert not written(joost, known)
    yes(joost, back, here)
    assert [one.of("garden-plant") for one in written(joost, known).rows_of("garden-plants")] == ["wilde roos"]


def test_lines_become_rows_with_one_yes(joost, known):
    put(joost.ehr)
    path = "living/garden/plants/"
    assert "Laat Anna het lezen" in text_of(joost.get(path))
    page = asked(joost, path, **{"garden-plant": "roos\r\nmunt"})
    assert "roos" in text_of(page)
    assert "munt" in text_of(page)
    assert written(joost, known) is None
    assert yes(joost, page, path).status_code == 303
    assert [row.of("garden-plant") for row in written(joost, known).rows_of("garden-plants")] == ["roos", "munt"]
    assert yes(joost, page, path).status_code == 303  # pressed twice
    assert len(written(joost, known).rows_of("garden-plants")) == 2


def test_another_language_is_no_yes_to_a_press(joost, known):
    put(joost.ehr)
    new = "living/garden/plants/new"
    yes(joost, asked(joost, new, **{"garden-plant": "roos"}), new)
    [row] = written(joost, known).rows_of("garden-plants")
    remove = f"living/garden/plants/{row.key}/remove"
    question = joost.post(remove)
    looked = joost.post(f"{remove}?lang=en", {**fields_of(question), "look": "1"})
    assert "is this right?" in text_of(looked)
    assert written(joost, known).rows_of("garden-plants")


def test_taking_back_leaves_what_was_typed_since(joost, known):
    yes(joost, asked(joost, **{"garden-story": "Eén."}))
    after = yes(joost, asked(joost, **{"garden-story": "Twee."}))
    undo = fields_of(joost.get(after.location))["undo"]
    joost.post(STORY, {**fields_of(joost.get(STORY)), "garden-story": "Half"}, headers=JSON)
    back = joost.post(STORY, {"undo": undo})
    assert written(joost, known).of("garden-story") == "Twee."
    yes(joost, back)
    assert written(joost, known).of("garden-story") == "Eén."
    assert fields_of(joost.get(STORY))["garden-story"] == "Half"


def test_one_who_stops_goes_back_to_the_form_after_the_yes(joost):
    page = asked(joost, **{"garden-story": WORDS, "stop": "1"})
    assert yes(joost, page).location.endswith("/living/garden/?saved=1")


@pytest.mark.parametrize(("stop", "there"), [({"stop": "1"}, ""), ({}, "tools/")])
def test_taking_back_leads_to_where_that_was_pressed_after_the_yes_too(joost, stop, there):
    yes(joost, asked(joost, **{"garden-story": "Eén."}))
    after = yes(joost, asked(joost, **{"garden-story": "Twee.", **stop}))
    pressed = {name: text for name, text in fields_of(joost.get(after.location)).items() if name in ("undo", "stop")}
    back = yes(joost, joost.post(STORY, pressed))
    assert back.location.partition("?")[0] == after.location.partition("?")[0] == joost.url(f"living/garden/{there}")


def test_one_who_goes_on_gets_the_next_question_after_the_yes(joost):
    assert yes(joost, asked(joost, **{"garden-story": WORDS})).location.endswith("/living/garden/tools/?saved=1")


# --- their own part ---------------------------------------------------------------------------------------------


def test_a_professional_writes_their_own_part_and_the_client_reads_it(joost, known):
    page = joost.get("living/garden/")
    assert "Het deel van de ervaringsdeskundige" in text_of(page)
    own = "living/garden/neighbour/"
    form = joost.get(own)
    assert "Dit deel is van SPV J. Jansen zelf." in form.text
    assert "De woorden zijn van" not in form.text
    assert fill(joost, own, **{"garden-neighbour": "Een heg."}).location.endswith("/living/garden/?saved=1")
    assert written(joost, known).of("garden-neighbour") == "Een heg."
    anna = launched(joost.app)
    read = text_of(anna.get("living/garden/"))
    assert "Een heg." in read
    assert "Het deel van de ervaringsdeskundige" in read
    assert anna.get(own).status_code == 404


@pytest.mark.parametrize(("role", "theirs"), [("peer-worker", True), ("clinician", True), ("case-manager", False)])
def test_a_part_that_is_a_peer_workers_is_written_by_who_may_be_one(known, app, role, theirs):
    """Of a clinician the record says no more, so they may be; a case manager is none."""
    visitor = launched(app, role=role)
    begin(visitor)
    assert ("Het deel van de ervaringsdeskundige" in text_of(visitor.get("living/garden/"))) is theirs
    assert visitor.get("living/garden/neighbour/").status_code == (200 if theirs else 404)


def test_whose_part_it_is_and_in_whose_words_stands_on_page_and_paper(joost):
    yes(joost, asked(joost, **{"garden-story": WORDS}))
    fill(joost, "living/garden/neighbour/", **{"garden-neighbour": "Een heg."})
    anna = launched(joost.app)
    part = "Het deel van de ervaringsdeskundige, in de woorden van SPV J. Jansen"
    all_of_it = "Dit zijn de woorden van Anna Voorbeeld, behalve waar staat van wie ze zijn."
    page, copy = text_of(anna.get("living/garden/")), anna.get("living/garden/copy").text
    assert page.index("Wat ziet de buurman?") < page.index(part) < page.index("Een heg.")
    assert page.count("in de woorden van") == 1
    assert all_of_it in page
    assert part in copy
    on_paper = text_in(anna.get("living/garden/paper.pdf").data)
    assert on_paper.index(squeezed("Wat ziet de buurman?")) < on_paper.index(squeezed(part))
    assert squeezed(all_of_it) in on_paper
    assert all_of_it in text_of(launched(joost.app, role="clinician").get("living/garden/"))


def test_it_stands_on_the_card_and_in_a_conversation_too(app, tmp_path, monkeypatch):
    file = tmp_path / "garden.toml"
    asked_of = 'who = "peer-worker"\n'
    there = GARDEN.read_text(encoding="utf-8")
    assert asked_of in there
    file.write_text(there.replace(asked_of, f"{asked_of}card = true\n"), encoding="utf-8")
    ask_also(monkeypatch, tmp_path, file)
    joost = launched(app, role="clinician")
    begin(joost)
    fill(joost, "living/garden/neighbour/", **{"garden-neighbour": "Een heg."})
    part = "Het deel van de ervaringsdeskundige, in de woorden van SPV J. Jansen"
    for page in ("card", "theme/now"):
        said = text_of(joost.get(f"living/garden/{page}"))
        assert said.index("Wat ziet de buurman?") < said.index(part) < said.index("Een heg.")
    assert squeezed(part) in text_in(joost.get("living/garden/card.pdf").data)


def test_of_words_that_are_all_the_clients_nothing_more_is_said(joost):
    yes(joost, asked(joost, **{"garden-story": WORDS}))
    anna = launched(joost.app)
    assert "Dit zijn de woorden van" not in text_of(anna.get("living/garden/"))
    assert squeezed("Dit zijn de woorden van Anna Voorbeeld. Laatst") in text_in(
        anna.get("living/garden/paper.pdf").data
    )
    reader = text_of(launched(joost.app, role="clinician").get("living/garden/"))
    assert "Dit zijn de woorden van Anna Voorbeeld. " in reader


def test_on_the_page_with_all_questions_there_is_nothing_of_a_professional(joost):
    assert "garden-neighbour" not in fields_of(joost.get("living/garden/all/"))


# --- begun and over ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [STORY, "living/garden/all/", "living/garden/plants/new", "living/garden/goal/x"])
def test_without_the_client_the_page_says_so_with_the_way_in(known, app, path):
    visitor = launched(app, role="clinician")
    page = visitor.get(path)
    assert page.status_code == 403
    assert "begin met de cliënt, onder ‘Samen kijken’" in text_of(page)
    assert "/overview/together/write" in page.text
    assert visitor.post(path, {"garden-story": WORDS}).status_code == 403
    assert responses(visitor) == []


def test_it_says_at_all_times_whose_words_these_are_and_who_types(joost):
    for path in ("living/garden/", STORY, "living/", "overview/together/write"):
        assert "De woorden zijn van Anna Voorbeeld. SPV J. Jansen typt." in text_of_band(joost.get(path))
    assert "De woorden zijn van" in text_of_band(asked(joost, **{"garden-story": WORDS}))


def text_of_band(page):
    return page.text.partition('<aside class="band"')[2].partition("</aside>")[0]


@pytest.mark.parametrize("path", ["overview/", "scores/", "assignments/"])
def test_who_opens_another_page_has_left(joost, path):
    assert joost.get(STORY).status_code == 200
    assert joost.get(path).status_code == 200
    assert joost.get(STORY).status_code == 403


def test_what_was_typed_when_it_was_over_is_found_again_and_read_by_the_client(joost, known):
    form = {**fields_of(joost.get(STORY)), "garden-story": WORDS}
    joost.get("overview/")
    refused = joost.post(STORY, form)
    assert refused.status_code == 403
    assert "En één <roos>." in text_of(refused)
    assert "Het staat weer onder ‘Samen schrijven’." in text_of(refused)
    begin(joost)
    assert "/kept/" in joost.get("overview/together/write").text
    kept = joost.get("kept/")
    assert "En één <roos>." in text_of(kept)
    sent = joost.post(STORY, fields_of(kept))
    assert "kloppen deze woorden" in text_of(joost.get(sent.location))
    assert responses(joost) == []
    assert "/kept/" not in joost.get("overview/together/write").text  # they are a sketch again


def test_who_presses_done_is_done(joost):
    assert joost.post("overview/together/write/done").status_code == 303
    assert joost.get(STORY).status_code == 403
    assert text_of_band(joost.get("living/garden/")) == ""


def test_it_goes_on_in_its_own_chart_only(joost):
    other = launched(joost.app, role="clinician", browser=joost)
    assert other.get(STORY).status_code == 403
    assert joost.get(STORY).status_code == 200


def test_no_view_of_a_form_lets_a_professional_write_without_a_yes(joost, known):
    """Each address of the living forms that takes a form asks first, or refuses: but for a professional's own part."""
    put(joost.ehr)
    new = "living/garden/plants/new"
    for plant in ("roos", "munt"):
        yes(joost, asked(joost, new, **{"garden-plant": plant}), new)
    before = written(joost, known)
    key = before.rows_of("garden-plants")[1].key
    values = {"form_id": "garden", "step": "story", "group_id": "plants", "key": key, "any(up, down, top):way": "up"}
    values |= {'any("peer-worker", "professional"):part': "professional"}
    values |= {"link_id": "garden-story", "name": f"garden-plant.{key}"}
    sent = {item.link_id: "x" for item in known.living["garden"].items if item.who == "client"}
    sent |= {"text": "X", "domain": "housing", "taken-from": f"garden/garden-care.{key}", "taken-words": "x"}
    rules = [one for one in joost.app.url_map.iter_rules() if one.endpoint[:7] == "living." and "POST" in one.methods]
    assert len(rules) > 6
    for rule in rules:
        path = rule.rule.removeprefix("/l/<launch_id>/")
        for name, value in values.items():
            path = path.replace(f"<{name}>", value)
        assert "<" not in path
        for form in (sent, {**sent, "confirmed": "yes"}, {**sent, "put-back": "1"}):
            joost.post(path, form)
            assert written(joost, known) == before, rule.rule


def test_what_nobody_can_write_is_no_beginning(known, app):
    visitor = launched(app, role="clinician")
    assert visitor.post("overview/together/write", {"what": "hoop"}).status_code == 400
    assert visitor.get(STORY).status_code == 403


def test_the_client_begins_nothing_and_writes_as_ever(known, app):
    anna = launched(app)
    assert anna.post("overview/together/write", {"what": "garden"}).status_code == 403
    assert fill(anna, STORY, **{"garden-story": WORDS}).location.endswith("/living/garden/tools/?saved=1")
    assert responses(anna)[0]["author"]["reference"] == "Patient/anna"


def test_an_empty_plan_offers_a_beginning_on_the_first_pages_of_a_conversation(known, app):
    visitor = launched(app, role="clinician")
    for path in ("overview/together/", "overview/together/now"):
        page = visitor.get(path)
        assert "Samen beginnen" in text_of(page)
        assert 'name="what" value="garden"' in page.text
    put(visitor.ehr)
    for path in ("overview/together/", "overview/together/now"):
        assert "Samen beginnen" not in text_of(visitor.get(path))
    assert 'name="what" value="garden"' in visitor.get("overview/together/write").text


def test_a_form_to_read_has_the_way_to_write_in_it_together(known, app):
    visitor = launched(app, role="clinician")
    assert 'name="what" value="garden"' in visitor.get("living/garden/").text
