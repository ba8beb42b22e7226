"""What a request decides is decided once, and for that request alone."""

from __future__ import annotations

import itertools
import re

import pytest
from flask import g

from smartapp.web import current, guard, language
from tests.smartapp.helpers import launched


@pytest.fixture
def counted():
    """A function that counts how often it was asked, kept to once a request."""
    return current.once_a_request(itertools.count().__next__)


def test_it_is_asked_once_for_a_request_and_anew_for_the_next(app, counted):
    with app.test_request_context("/"):
        assert (counted(), counted()) == (0, 0)
    with app.test_request_context("/"):
        assert (counted(), counted()) == (1, 1)


def test_it_is_asked_once_more_when_the_launch_is_known(app, counted):
    with app.test_request_context("/"):
        assert counted() == 0
        current.open_launch(None, None)
        assert (counted(), counted()) == (1, 1)


def test_outside_a_request_it_is_asked_each_time(counted):
    assert (counted(), counted()) == (0, 1)


def test_two_functions_are_asked_apart(app):
    with app.test_request_context("/"):
        assert current.once_a_request(lambda: "one")() == "one"
        assert current.once_a_request(lambda: "two")() == "two"


def test_a_page_decides_its_language_once(app, monkeypatch):
    page = launched(app, language="en")
    page.get("")
    asked = []
    monkeypatch.setattr(language, "known_language", lambda tag: asked.append(tag) or "en")
    assert 'lang="en"' in page.get("questionnaires/hoop/questions/hoop-01").text
    # Once for the page, and once to see whether the reader switched.
    assert len(asked) == 2


def test_what_was_decided_before_the_launch_was_known_does_not_decide_its_language(app, monkeypatch):
    before = guard.open_launch

    def late(services, launch_id):
        assert language.language() == "nl"
        before(services, launch_id)

    monkeypatch.setattr(guard, "open_launch", late)
    assert 'lang="en"' in launched(app, language="en").get("").text


def test_all_forms_of_one_page_have_one_token_and_the_next_page_has_another(app):
    page = launched(app)
    question = "questionnaires/hoop/questions/hoop-01"
    one, other = (re.findall(r'name="_csrf" value="([^"]+)"', page.get(question).text) for _ in range(2))
    assert len(one) == 2
    assert len({*one, *other}) == 2


def test_what_one_request_decided_is_gone_with_it(app, counted):
    with app.test_request_context("/"):
        counted()
        assert "decided" in g
    with app.test_request_context("/"):
        assert "decided" not in g
