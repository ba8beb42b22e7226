"""A clinician finds what the client wrote in living forms: named in one line, whole in the plan, and told when new."""

from __future__ import annotations

import re

import pytest

from smartapp.fhir.store import Query, Write
from smartapp.records import Records
from smartapp.services import KEY
from tests.new_form import GARDEN, HARVEST, ask_also
from tests.smartapp.helpers import launched, make_app, text_of
from tests.smartapp.pages.overview.test_paper import printed
from tests.smartapp.pages.plan.conftest import Clock, put
from tests.smartapp.pages.plan.pages import fields_of, fill

HEADING = "Tuin, in eigen woorden"


@pytest.fixture(autouse=True)
def known(tmp_path, monkeypatch):
    return ask_also(monkeypatch, tmp_path, GARDEN, HARVEST)


def plants(visitor, *words):
    for one in words:
        fill(visitor, "living/garden/plants/new", **{"garden-plant": one})


def line_of(page):
    """Return what the page says of living forms in one line, and what it says when that is opened."""
    [closed, opened] = re.findall(r'(?s)class="consult__forms">(.*?)</summary>(.*?)</details>', page.text)[0]
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part)) for part in (closed, opened)]


def test_a_form_is_named_with_its_first_words_how_many_there_are_and_the_day(app):
    put((anna := launched(app)).ehr)
    plants(anna, "Een roos", "Munt", "Tijm")
    page = launched(app, role="clinician").get("overview/")
    closed, opened = line_of(page)
    assert f"{HEADING} (3)" in closed
    assert re.search(rf"{HEADING} Een roos en nog 2 · \d+ \w+", opened)
    assert f'href="/l/{page.request.path.split("/")[2]}/living/garden/">{HEADING}<' in page.text


def test_what_a_form_begins_with_is_the_clients_own_and_never_another_part(app):
    anna = launched(app)
    fill(anna, "living/garden/tools/", **{"garden-tools": "hark\r\nschep"})
    fill(anna, "living/garden/story/", **{"garden-story": "Onkruid, en één roos."})
    page = launched(app, role="clinician").get("overview/").text
    assert '<q class="own">Onkruid, en één roos.' in page  # no other story is there: a text of their own comes first


def test_a_form_that_does_not_belong_there_is_not_named_in_the_line(app):
    put((anna := launched(app)).ehr)
    fill(anna, "living/harvest/helpers/new", **{"harvest-helper": "Mijn zus Mila"})
    page = launched(app, role="clinician").get("overview/").text
    assert "Mijn zus Mila" not in page
    assert "Mijn oogst: aangepast" in page  # it is new, and leads to where it can be read


def test_an_empty_form_says_so_in_the_whole_plan_and_nothing_before_a_conversation(app):
    put(launched(app).ehr)
    clinician = launched(app, role="clinician")
    assert "Nog geen tuin beschreven." in clinician.get("overview/plan").text
    assert HEADING not in clinician.get("overview/").text
    assert "Nog geen tuin beschreven." not in clinician.get("overview/").text


def test_the_whole_plan_has_all_that_is_written(app, known):
    put((anna := launched(app)).ehr)
    plants(anna, "Een roos")
    fill(anna, "living/garden/all/", **{"garden-story": "Groen.", "garden-tools": "hark\r\nschep"})
    fill(anna, "living/garden/beds/new", **{"garden-bed": "meaning", "garden-grows": "Klaver"})
    clinician = launched(app, role="clinician")
    page = text_of(clinician.get("overview/plan"))
    [area] = [one.name.nl for one in known.life_domains if one.code == "meaning"]
    for words in ("Groen.", "hark", "schep", "Een roos", area, "Klaver"):
        assert words in page
    main = clinician.get("overview/plan").text.partition("<main")[2]
    assert "<form" not in main
    assert clinician.url("living/garden/") in main


def test_the_whole_plan_says_what_is_the_part_of_somebody_else(app, known):
    anna = launched(app)
    put(anna.ehr)
    fill(anna, "living/garden/tools/", **{"garden-tools": "hark"})
    joost = launched(app, role="clinician")
    joost.post("overview/together/write", {"what": "garden"})
    fill(joost, "living/garden/neighbour/", **{"garden-neighbour": "Een heg."})
    page = text_of(joost.get("overview/plan"))
    part = "Het deel van de ervaringsdeskundige, in de woorden van SPV J. Jansen"
    assert page.index("hark") < page.index(part) < page.index("Een heg.")
    assert page.count("Het deel van") == 1


def test_someone_who_wrote_only_in_a_form_is_not_called_new(app):
    plants(launched(app), "Een roos")
    page = launched(app, role="clinician").get("overview/").text
    assert "Hier staat nog niets" not in page
    assert "Een roos" in page


def test_a_form_that_was_changed_since_the_last_look_is_new_and_one_of_before_is_not():
    app = make_app(clock=(clock := Clock(1_800_000_000.0)))
    plants(launched(app), "Een roos")
    launched(app, role="clinician").get("overview/")
    clock.now += 3600
    assert "Niets nieuws." in launched(app, role="clinician").get("overview/").text
    clock.now += 3600
    plants(launched(app), "Munt")
    clock.now += 60
    page = launched(app, role="clinician").get("overview/")
    assert f"{HEADING}: aangepast" in page.text
    assert re.search(r'href="[^"]*/living/garden/">[^<]*: aangepast', page.text)
    assert "Iets in het plan is veranderd" not in page.text
    app.extensions[KEY].engine.dispose()


def test_a_goal_that_began_in_a_form_leads_the_clinician_to_that_form(app):
    put((anna := launched(app)).ehr)
    plants(anna, "Een roos")
    [address] = re.findall(r'href="[^"]*/(living/garden/goal/[^"]+)"', anna.get("living/garden/").text)
    anna.post(address, {**fields_of(anna.get(address)), "domain": "meaning"})
    clinician = launched(app, role="clinician")
    page = clinician.get("overview/plan").text
    [back] = re.findall(r'href="([^"]*)">Het begon met woorden van de cliënt', page)
    assert re.fullmatch(re.escape(clinician.url("living/garden/")) + "#row-[0-9a-f-]{36}", back)
    assert "Een roos" in clinician.get(back).text


def test_reading_the_forms_costs_no_round_trip(app, monkeypatch):
    plants(launched(app), "Een roos")
    clinician, calls = launched(app, role="clinician"), []
    real = Records.search

    def search(self, *queries):
        calls.append(queries)
        return real(self, *queries)

    monkeypatch.setattr(Records, "search", search)
    for path in ("overview/", "overview/plan", "overview/overview.pdf"):
        calls.clear()
        assert clinician.get(path).status_code == 200
        assert len(calls) == 1


def test_a_response_that_another_program_made_of_the_form_breaks_nothing(app):
    plants(launched(app), "Een roos")
    clinician = launched(app, role="clinician")
    [found] = clinician.ehr.search(Query.of("QuestionnaireResponse"))
    for broken in ({"item": [{"linkId": "garden-plants"}]}, {"item": "?"}, {"authored": "?"}):
        record = clinician.ehr.read("QuestionnaireResponse", found.resource["id"])
        clinician.ehr.write(Write("update", {**found.resource, **broken}, if_match=record.etag))
        for path in ("overview/", "overview/plan"):
            assert clinician.get(path).status_code == 200


def test_on_paper_they_are_named_too_with_their_day(app):
    put((anna := launched(app)).ehr)
    plants(anna, "Een roos", "Munt")
    text = printed(launched(app, role="clinician"))
    assert re.search(rf"{HEADING}\W+Een roos\W+Munt\W+Laatst veranderd op \d", text)
    assert "Nog geen tuin beschreven." not in text


def test_much_stands_folded_in_the_whole_plan_with_its_first_words_open(app):
    put((anna := launched(app)).ehr)
    plants(anna, *(f"Plant {number}" for number in range(1, 26)))
    page = launched(app, role="clinician").get("overview/plan").text
    assert "Plant 25" in page
    open_ = re.sub(r"(?s)<details.*?</details>", "", page)
    assert "Plant 1<" in open_
    assert "Plant 25" not in open_
