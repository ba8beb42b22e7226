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


@pytest.mark.parametrize(
    ("name", "called", "shown"),
    [
        ("Johanna Petronella Maria van Putten", "Jo", "Johanna Petronella Maria van Putten (Jo), 14 maart 1992"),
        ("Hendrik J.W. Schemer", "Henk", "Hendrik J.W. Schemer (Henk), 14 maart 1992"),
        ("Anna Maria de Vries", "anna", "Anna Maria de Vries, 14 maart 1992"),
        ("Joanna Smit", "Jo", "Joanna Smit (Jo), 14 maart 1992"),
    ],
)
def test_a_clinician_sees_what_the_person_is_called_where_the_name_does_not_say_it(app, name, called, shown):
    visitor = launched(app, role="clinician", name=name, called=called, birth_date="1992-03-14")
    page = visitor.get("overview/")
    assert title(page).startswith(shown)
    assert shown in header(page).replace(" ,", ",")
    assert f"({called})" not in launched(app, name=name, called=called).get("").text


def test_a_person_without_a_name_is_known_by_the_birth_date(app):
    page = launched(app, role="clinician", name="", birth_date="1992-03-14").get("overview/")
    assert "Naam niet bekend , 14 maart 1992 (34 jaar)" in header(page)
    assert title(page).startswith("14 maart 1992 (34 jaar) · ")
    assert 'class="whose"' not in launched(app, role="clinician", name="").get("overview/").text


def test_a_client_is_told_when_they_were_born_on_paper_only(app):
    page = launched(app, birth_date="1992-03-14").get("")
    [on_paper] = re.findall(r'<div class="sheet-head">.*?</div>', page.text)
    assert "Anna Voorbeeld, geboren 14 maart 1992" in on_paper
    assert "1992" not in page.text.replace(on_paper, "")
    assert "Anna" not in title(page)


@pytest.mark.parametrize(("born", "shown"), [("1992-03", "Anna Voorbeeld, geboren maart 1992"), ("", "Anna Voorbeeld")])
def test_a_sheet_says_what_is_known_and_the_day_in_a_chart_that_shows_the_person_too(app, monkeypatch, born, shown):
    visitor = launched(app, role="clinician", birth_date=born)
    there = replace(visitor.launch, need_patient_banner=False)
    monkeypatch.setattr(current, "launch_or_none", lambda: there)
    page = visitor.get("overview/")
    assert f"<p><span>{shown}</span> <span>14 maart 2026</span></p>" in page.text


def test_a_page_about_nobody_names_nobody_on_paper(app):
    assert "sheet-head" not in app.test_client().get("/accessibility").text


def test_in_a_chart_that_shows_the_person_itself_only_the_tab_says_it_too(app, monkeypatch):
    visitor = launched(app, role="clinician", birth_date="1992-03-14")
    monkeypatch.setattr(current, "launch_or_none", lambda: replace(visitor.launch, need_patient_banner=False))
    monkeypatch.setattr(current, "launch", lambda: replace(visitor.launch, need_patient_banner=False))
    page = visitor.get("overview/")
    assert 'class="whose"' not in page.text
    assert "14 maart 1992" in title(page)
