"""The addresses that a browser answers itself: what we say there is about nobody, and the worker reaches no further."""

from __future__ import annotations

import re

import pytest

from questionnaires.catalogue import catalogue
from smartapp.web import copies
from tests.smartapp.helpers import launched, make_app, text_of

FORM = next(form.id for form in catalogue().living.values() if form.living and form.living.offline)
WITHOUT = next(form.id for form in catalogue().living.values() if form.living and not form.living.offline)


@pytest.mark.parametrize("path", ["/offline/", f"/offline/{FORM}/"])
def test_without_a_copy_it_says_so_to_anybody(app, path):
    anna = launched(app)
    pages = [client.get(path) for client in (anna.client, app.test_client())]
    assert {page.status_code for page in pages} == {200}
    assert pages[0].text == pages[1].text, "a page about nobody is the same for all"
    assert "Deze browser heeft geen kopie op dit toestel." in text_of(pages[0])


@pytest.mark.parametrize("path", [f"/offline/{WITHOUT}/", "/offline/no-such-form/", "/offline/worker.js/"])
def test_there_is_nothing_else(app, path):
    assert app.test_client().get(path).status_code == 404


class TestTheWorker:
    def test_it_is_a_script_that_nobody_keeps_and_has_no_wider_scope_than_its_folder(self, app):
        answer = app.test_client().get("/offline/worker.js", headers={"Service-Worker": "script"})
        assert answer.content_type == "text/javascript; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Service-Worker-Allowed" not in answer.headers
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")

    def test_it_is_the_same_for_all_and_names_nobody(self, app):
        anna = launched(app)
        answers = [client.get("/offline/worker.js").text for client in (anna.client, app.test_client())]
        assert answers[0] == answers[1]

    def test_no_other_page_may_be_a_worker(self, app):
        """A worker needs a script of ours in its folder: of those there is one, and assets lie elsewhere."""
        rules = app.url_map.iter_rules()
        scripts = [one.rule for one in rules if one.rule.endswith(".js") or one.endpoint.endswith("static")]
        assert sorted(scripts) == ["/assets/<path:filename>", "/offline/worker.js"]


class TestSigningOut:
    def test_a_browser_with_a_copy_keeps_it_and_is_told_so(self, app):
        anna = launched(app)
        anna.client.set_cookie(copies.COOKIE, "1")
        left = anna.post("logout")
        assert left.headers["Clear-Site-Data"] == '"cache"'
        assert anna.client.get(anna.url()).status_code == 404
        page = anna.client.get("/goodbye")
        assert "Wat je bewaarde, blijft bewaard." in text_of(page)
        assert "Van dit toestel verwijderen" in text_of(page)
        assert "copies.js" in page.text
        shown = re.sub(r"<(\w+)[^>]* hidden>.*?</\1>", "", page.text.partition("<main")[2], flags=re.S)
        assert "In deze browser staat nu niets meer" not in shown

    def test_a_browser_without_one_is_cleared_as_ever(self, app):
        anna = launched(app)
        assert anna.post("logout").headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
        page = anna.client.get("/goodbye")
        assert "In deze browser staat nu niets meer van jou." in text_of(page)
        assert "copies.js" not in page.text


def test_below_a_path_the_worker_is_below_it():
    client = make_app(public_url="http://localhost/verstel").test_client()
    assert client.get("/verstel/offline/worker.js").status_code == 200
    assert 'data-copies="/verstel/offline/"' in client.get("/verstel/offline/").text
