"""Whose record a page is about stands in its header and in its tab, for those who read about others."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import pytest

from smartapp.web import current
from tests.smartapp.helpers import launched, make_app

NOON = dt.datetime(2026, 3, 14, 12, tzinfo=dt.UTC).timestamp()


def title(page):
    return re.search(r"<title>(.*?)</title>", page.text)[1]


def header(page):
    return re.sub(
        r"\s+", " ", re.sub("<[^>]+>", " ", page.text.partition('class="whose"')[2].partition("</header>")[0])
    )


@pytest.fixture
def app():
    return make_app(clock=lambda: NOON)


@pytest.mark.parametrize("path", ["overview/", "assignments/"])
def test_a_clinician_sees_name_birth_date_and_age_on_each_page_and_in_its_tab(app, path):
    page = launched(app, role="clinician", birth_date="1992-03-14").get(path)
    assert title(page).startswith("Anna Voorbeeld, 14 maart 1992 (34 jaar) · ")
    assert "Anna Voorbeeld , 14 maart 1992 (34 jaar)" in header(page)


@pytest.mark.parametrize(("born", "shown"), [("1992-03", "Anna Voorbeeld, maart 1992 ·"), ("", "Anna Voorbeeld ·")])
def test_what_is_not_known_is_not_shown(app, born, shown):
    assert title(launched(app, role="clinician", birth_date=born).get("overview/")).startswith(shown)


def test_a_client_is_not_told_when_they_were_born(app):
    page = launched(app, birth_date="1992-03-14").get("")
    assert "1992" not in page.text
    assert "Anna" not in title(page)


def test_in_a_chart_that_shows_the_person_itself_only_the_tab_says_it_too(app, monkeypatch):
    visitor = launched(app, role="clinician", birth_date="1992-03-14")
    monkeypatch.setattr(current, "launch_or_none", lambda: replace(visitor.launch, need_patient_banner=False))
    monkeypatch.setattr(current, "launch", lambda: replace(visitor.launch, need_patient_banner=False))
    page = visitor.get("overview/")
    assert 'class="whose"' not in page.text
    assert "14 maart 1992" in title(page)
