"""The frame of every page: whose record it is, where one can go, whom to call."""

from __future__ import annotations

import hashlib
import re

import pytest

from smartapp.web.components.frame import STATIC
from smartapp.web.components.routes import init_examples
from tests.smartapp.helpers import launched


@pytest.mark.parametrize("path", ["/components", "/accessibility"])
@pytest.mark.parametrize("language", ["nl", "en"])
def test_a_page_about_nobody_needs_no_launch(app, path, language):
    init_examples(app)
    response = app.test_client().get(f"{path}?lang={language}")
    assert response.status_code == 200
    assert f'<html lang="{language}">' in response.text


def test_the_page_of_all_components_is_not_for_the_public(app):
    assert app.test_client().get("/components").status_code == 404


def test_the_first_link_skips_to_the_content(app):
    body = app.test_client().get("/accessibility").text.partition("<body")[2]
    assert re.search(r"<a .*?>", body)[0] == '<a class="skip" href="#main">'
    assert body.index("<header") < body.index('class="skip"'), "in a landmark, where a screen reader meets it"
    assert '<main id="main" tabindex="-1">' in body


def test_a_client_sees_that_the_place_is_theirs(app):
    assert "Dit is de plek van Anna Voorbeeld" in launched(app).get("").text


def test_a_clinician_sees_whose_record_it_is(app):
    page = launched(app, role="clinician").get("questionnaires/").text
    assert "Dossier van" in page
    assert "Anna Voorbeeld" in page


def test_a_name_cannot_bring_markup_along(app):
    page = launched(app, name="<b>Anna</b>").get("").text
    assert "<b>Anna" not in page


def test_the_menu_marks_where_one_is(app):
    page = launched(app).get("scores/").text
    assert re.search(r'aria-current="page">Mijn scores', page)


def test_every_page_says_whom_to_call(app):
    page = launched(app).get("").text
    assert "Hier leest niemand direct mee. Heb je nu hulp nodig?" in page
    assert "bel 112" in page


@pytest.mark.parametrize(
    "path",
    [
        "",
        "plan/",
        "living/story/story/",
        "living/strengths/list/",
        "questionnaires/mansa-short/",
        "questionnaires/mansa-short/review",
        "questionnaires/sdm-visit/questions/sdm-visit-helps",
        "questionnaires/mansa-short/parts/mansa-short-home",
    ],
)
def test_whom_to_call_is_said_once_on_a_page_and_not_again_below_it(app, path):
    visitor = launched(app)
    answered = visitor.post("questionnaires/mansa-short/questions/mansa-short-01", {"answer": "2", "next": "1"})
    assert answered.status_code == 303
    page = visitor.get(path)
    assert page.status_code == 200
    assert page.text.count("bel 112") == 1


def test_the_questionnaires_are_in_the_menu_of_the_client(app):
    page = launched(app).get("questionnaires/").text
    assert re.search(r'aria-current="page">Vragenlijsten', page)


def test_signing_out_is_a_guarded_form(app):
    page = launched(app).get("").text
    form = page[page.index("/logout") : page.index("Uitloggen")]
    assert 'name="_csrf"' in form


def test_a_static_file_has_a_fingerprint(app):
    page = app.test_client().get("/accessibility").text
    [address] = re.findall(r'href="(/assets/app\.css\?v=[0-9a-f]{12})"', page)
    with app.test_client().get(address) as response:
        assert hashlib.sha256(response.data).hexdigest().startswith(address.rpartition("=")[2])
        assert response.mimetype == "text/css"


def test_a_static_file_is_kept_for_a_year_under_its_fingerprint_only(app):
    page = app.test_client().get("/accessibility").text
    [address] = re.findall(r'href="(/assets/app\.css\?v=[0-9a-f]{12})"', page)

    def kept(path):
        with app.test_client().get(path) as response:
            return response.headers["Cache-Control"]

    assert kept(address) == "public, max-age=31536000, immutable"
    # Of another version, as while one replaces the other: kept for a year it would be wrong for a year.
    assert kept("/assets/app.css?v=000000000000") == kept("/assets/app.css") == "no-cache"


def test_the_face_of_the_headings_is_sent_as_a_font_and_kept_for_a_year(app):
    address = re.search(r'"(fraunces-latin\.woff2\?v=[0-9a-f]{12})"', (STATIC / "app.css").read_text())[1]
    with app.test_client().get(f"/assets/{address}") as response:
        assert response.mimetype == "font/woff2"
        assert response.data[:4] == b"wOF2"
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "font-src 'self'" in response.headers["Content-Security-Policy"]


def test_text_that_begins_with_an_empty_line_keeps_it(app):
    with app.test_request_context("/"):
        field = app.jinja_env.from_string(
            '{% from "components/forms.html" import text_area %}{{ text_area("t", "Label", text) }}'
        ).render(text="\nfirst")
    # HTML drops one newline after the tag, so two are written for the one that was typed.
    assert re.search(r">\n\nfirst</textarea>", field)
