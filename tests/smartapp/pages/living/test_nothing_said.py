"""Where there is nothing to write about, or nothing was written, a page says so, and nothing is kept."""

from __future__ import annotations

import pytest

from mappers.living import Content, Row
from tests.smartapp.helpers import text_of
from tests.smartapp.pages.living.forms import garden_of, put_versions, remove_row, response
from tests.smartapp.pages.plan.pages import fields_of, fill
from tests.smartapp.pages.plan.test_mistakes import offers, pressed

NO_GOALS = "Dit gaat over doelen waar je aan werkt. Die staan nu niet in je plan."
NOTHING = "Beantwoord een van deze vragen, of ga weg zonder te bewaren."


def of_goals(known):
    return [form for form in known.living.values() if any(group.per == "goal" for group in form.groups)]


def test_who_has_no_goals_is_led_to_the_plan_from_each_form_about_goals(anna, known):
    forms = of_goals(known)
    assert len(forms) > 1
    for form in forms:
        page = anna.get(f"living/{form.id}/")
        assert NO_GOALS in text_of(page)
        assert f'href="{anna.url("plan/")}">Naar mijn plan<' in page.text
        assert anna.url(f"living/{form.id}/goals/") not in page.text, "there is nothing to begin with"


def test_who_has_goals_is_not(halfway, known):
    for form in of_goals(known):
        page = halfway.get(f"living/{form.id}/")
        assert NO_GOALS not in text_of(page)
        assert halfway.url(f"living/{form.id}/goals/") in page.text


def test_a_row_that_only_says_what_it_is_about_is_not_made(anna):
    path = "living/garden/beds/new"
    answer = anna.post(path, {**fields_of(anna.get(f"{path}?about=meaning")), "garden-bed": "meaning"})
    assert answer.status_code == 422
    assert NOTHING in text_of(answer)
    with pytest.raises(ValueError, match="unpack"):
        response(anna)


def test_a_row_that_is_there_may_be_left_with_what_it_is_about(anna, known):
    bed = Row("b1", {"garden-bed": ("meaning",), "garden-grows": ("Rust.",)})
    put_versions(anna, Content(known.living["garden"], {}, {"garden-beds": (bed,)}))
    answer = fill(anna, "living/garden/beds/b1/", **{"garden-bed": "meaning", "garden-grows": ""})
    assert offers(anna, answer)


def test_a_row_with_only_what_it_is_about_comes_back_after_it_was_taken_out(anna, known):
    bed = Row("b1", {"garden-bed": ("meaning",)})
    put_versions(anna, Content(known.living["garden"], {}, {"garden-beds": (bed,)}))
    pressed(anna, remove_row(anna, "garden", "beds", "b1"))
    assert garden_of(anna).row("garden-beds", "b1") is not None


def test_why_lines_are_not_saved_stands_above_the_rows_that_are_there(anna, known):
    rows = tuple(Row(f"s{number}", {"stressors-what": (f"Ding {number}",)}) for number in range(50))
    put_versions(anna, Content(known.living["stressors"], {}, {"stressors-list": rows}))
    path = "living/stressors/list/"
    answer = anna.post(path, {**fields_of(anna.get(path)), "stressors-what": ""})
    page = text_of(answer)
    assert answer.status_code == 422
    assert page.index("Dit is nog niet bewaard") < page.index("Ding 0")
