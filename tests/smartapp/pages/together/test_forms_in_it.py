"""What the client wrote in living forms opens in a conversation, large; cards are chosen there."""

from __future__ import annotations

import re

import pytest

from smartapp.records import Records
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.plan.pages import fields_of, fill

NOW = "overview/together/now"
BACK = "Terug naar ons gesprek"


@pytest.fixture
def anna(harvester):
    return harvester


@pytest.fixture
def joost(anna):
    return launched(anna.app, role="clinician")


def opened(page):
    """Return the addresses of forms that a page opens in the conversation, by their title."""
    found = re.findall(r'href="[^"]*/(living/[^"]+\?together=1)">([^<]+)<', page.text)
    return {title: path for path, title in found}


def test_what_is_written_opens_large_and_leads_back(anna, joost):
    assert "Mijn tuin" not in opened(joost.get(NOW))
    fill(anna, "living/garden/story/", **{"garden-story": "Onkruid, en één roos."})
    page = joost.get(opened(joost.get(NOW))["Mijn tuin"])
    assert 'class="together"' in page.text
    assert "Onkruid, en één roos." in page.text
    assert f'href="{joost.url(NOW)}">{BACK}' in page.text
    assert BACK not in joost.get("living/garden/").text


def test_a_form_that_is_not_for_it_is_not_in_it(anna, joost, two_forms):
    fill(anna, "living/garden/story/", **{"garden-story": "Onkruid."})
    for_it = {one.title.nl for one in two_forms.living.values() if one.living and "together" in one.living.shown_in}
    assert opened(joost.get(NOW)).keys() <= for_it


def test_an_empty_form_shows_its_questions_to_talk_about(joost):
    page = text_of(joost.get("living/garden/?together=1"))
    assert "Wat zie je?" in page
    assert "Nog geen tuin beschreven." not in page


def test_the_whole_of_it_is_behind_the_press_for_the_whole_plan(anna, joost):
    fill(anna, "living/garden/plants/new", **{"garden-plant": "Een roos", "garden-care": "Veel water"})
    whole = joost.get(NOW).text.partition("Verhaal, krachten en het hele plan")[2]
    assert "Een roos" in whole
    assert "Veel water" in whole
    assert ">Mijn tuin</h2>" in whole  # under the client's own heading: they read it too


def test_written_alone_is_something_to_show(anna, two_forms):
    kees = launched(anna.app, patient="kees", name="Kees Voorbeeld")
    fill(kees, "living/garden/story/", **{"garden-story": "Groen."})
    page = text_of(launched(anna.app, patient="kees", role="clinician", name="Kees Voorbeeld").get(NOW))
    assert "Hier staat nog niets" not in page
    assert "Mijn tuin" in page


def test_it_costs_no_round_trip(joost, monkeypatch):
    calls, real = [], Records.search

    def search(self, *queries):
        calls.append(queries)
        return real(self, *queries)

    monkeypatch.setattr(Records, "search", search)
    assert joost.get(NOW).status_code == 200
    assert len(calls) == 1


# --- cards


@pytest.fixture
def cards(two_forms):
    """A form that is shown as cards."""
    return next(one for one in two_forms.living.values() if one.living and one.living.cards)


def test_cards_can_be_chosen_before_anything_is_written(joost, cards):
    path = opened(joost.get(NOW))[cards.title.nl]
    page = joost.get(path)
    assert [group.title.nl for group in cards.groups] == re.findall(r"/theme/[^\"]+\">([^<]+)<", page.text)
    assert cards.groups[0].items[0].text.nl not in page.text  # first the choice


def test_a_card_shows_its_questions_large_with_the_answers_of_before_under_them(anna, joost, cards):
    first, second, *_others = cards.groups
    [item, other, *_more] = first.items
    name = first.link_id.removeprefix(f"{cards.id}-")
    fill(anna, f"living/{cards.id}/{name}/", **{item.link_id: "Mijn zus, en de hond."})
    page = joost.get(f"living/{cards.id}/theme/{name}")
    assert 'class="together"' in page.text
    text = text_of(page)
    assert text.index(item.text.nl) < text.index("Mijn zus, en de hond.") < text.index(other.text.nl)
    assert second.items[0].text.nl not in text
    assert f"living/{cards.id}/?together=1" in page.text
    assert f'href="{joost.url(NOW)}">{BACK}' in page.text
    chosen = joost.get(f"living/{cards.id}/?together=1").text
    assert chosen.count("Hier is iets opgeschreven.") == 1
    assert "Mijn zus, en de hond." not in chosen


def test_from_a_card_the_two_can_write_together_and_begin_at_that_card(joost, cards):
    group = cards.groups[3]
    name = group.link_id.removeprefix(f"{cards.id}-")
    page = joost.get(f"living/{cards.id}/theme/{name}")
    assert f'name="what" value="{cards.id}"' in page.text
    assert fields_of(page)["card"] == name
    for other in ({"card": "nothing"}, {"what": "plan"}):
        assert joost.post("overview/together/write", {"what": cards.id, "card": name, **other}).status_code == 400
    begun = joost.post("overview/together/write", {"what": cards.id, "card": name})
    assert begun.location.endswith(f"/living/{cards.id}/{name}/")
    assert group.items[0].text.nl in text_of(joost.get(begun.location))


@pytest.mark.parametrize("theme", ["nowhere", "plants"])
def test_there_is_no_other_card(joost, theme):
    assert joost.get(f"living/garden/theme/{theme}").status_code == 404


def test_a_client_has_their_own_page_of_it(anna, cards):
    name = cards.groups[0].link_id.removeprefix(f"{cards.id}-")
    assert anna.get(f"living/{cards.id}/theme/{name}").status_code == 403
    assert BACK not in anna.get(f"living/{cards.id}/?together=1").text
