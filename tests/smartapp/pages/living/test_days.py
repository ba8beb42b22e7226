"""Days that have been and days that are still to come: a slip is seen at once, and nothing else is stopped."""

from __future__ import annotations

import datetime as dt

import pytest

from mappers.living import Content, Row, content_of
from smartapp.services import KEY
from tests.smartapp.helpers import make_app, text_of
from tests.smartapp.pages.living.forms import put_versions, response
from tests.smartapp.pages.plan.pages import fill, put_back

FORM = "staying-well"
AGAIN, SAID = f"{FORM}-look-again", f"{FORM}-supporter-answer-day"
AGAIN_PAGE, SAID_PAGE = f"living/{FORM}/look-again/", f"living/{FORM}/supporters/mila/"
TODAY = dt.date(2027, 1, 15)  # as the clock of these tests has it
OVER = "Deze dag is al geweest. Kies vandaag, of een dag erna."
TO_COME = "Deze dag moet nog komen. Kies vandaag, of een dag ervoor."


@pytest.fixture
def app(clock):
    made = make_app(clock=clock)
    yield made
    made.extensions[KEY].engine.dispose()


@pytest.fixture
def written(anna, known):
    """Anna, with a supporter in her plan, and a day to look at it again that is long over."""
    put_versions(anna, Content(known.living[FORM], {AGAIN: ("2020-01-01",)}, {f"{FORM}-supporters": (mila(),)}))
    return anna


def mila(**more: str) -> Row:
    return Row("mila", {f"{FORM}-supporter": ("Mila",), **{name: (text,) for name, text in more.items()}})


def stored(visitor, known) -> Content:
    return content_of(response(visitor), known.living[FORM])


def day(days: int) -> str:
    return (TODAY + dt.timedelta(days)).isoformat()


@pytest.mark.parametrize(("page", "slip"), [(AGAIN_PAGE, (AGAIN, -1, OVER)), (SAID_PAGE, (SAID, 1, TO_COME))])
def test_a_day_on_the_wrong_side_of_today_is_not_saved_and_stays_on_the_page(written, known, page, slip):
    before, (name, wrong, why) = stored(written, known), slip
    answer = fill(written, page, **{name: day(wrong)})
    assert answer.status_code == 422
    assert why in text_of(answer)
    assert f'value="{day(wrong)}"' in answer.text
    assert stored(written, known) == before


@pytest.mark.parametrize(
    ("page", "name", "away"),
    [(AGAIN_PAGE, AGAIN, 0), (AGAIN_PAGE, AGAIN, 400), (SAID_PAGE, SAID, 0), (SAID_PAGE, SAID, -400)],
)
def test_today_and_the_other_side_of_it_are_saved(written, page, name, away):
    assert fill(written, page, **{name: day(away)}).status_code == 303


def test_a_day_that_is_over_by_now_stops_nothing_else(written, known):
    assert fill(written, f"living/{FORM}/all/", **{f"{FORM}-helps": "Zingen"}).status_code == 303
    assert stored(written, known).of(AGAIN) == "2020-01-01"
    assert stored(written, known).of(f"{FORM}-helps") == "Zingen"


def test_a_day_that_is_over_by_now_is_put_back_from_an_earlier_version(written, known):
    assert fill(written, AGAIN_PAGE, **{AGAIN: day(9)}).status_code == 303
    assert put_back(written, "1 januari 2020", f"living/{FORM}/earlier").status_code == 303
    assert stored(written, known).of(AGAIN) == "2020-01-01"
