"""A copy of a form to read without a network: all of it in one page, which leads nowhere and names no record."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from urllib.parse import unquote

import pytest
from flask import Response

from mappers.living import Content
from smartapp.web import copies
from tests.smartapp.helpers import Visitor, launched, make_app, text_of
from tests.smartapp.pages.living.writing import FULL, of_noor, put_form

COPY = f"living/{FULL}/copy"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def noor_in(app, **more) -> Visitor:
    visitor = launched(app, "noor", name="Noor Achterberg", birth_date="1992-03-14", **more)
    put_form(visitor, of_noor(FULL))
    return visitor


@pytest.fixture
def noor(app):
    return noor_in(app)


def inline(page: str, tag: str) -> list[str]:
    return re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", page, re.S)


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.mark.parametrize("path", [COPY, f"{COPY}.html"])
def test_all_that_is_written_is_in_it_with_the_card_and_whom_to_call(noor, path):
    page = html.unescape(noor.get(path).text)
    content = of_noor(FULL)
    for answer in [*content.answers.values(), *(texts for row in content.all_rows for texts in row.answers.values())]:
        assert all(text in re.sub(r"</?a[^>]*>", "", page) for text in answer if len(text) > 10 and text[:2] != "20")
    card, _, rest = page.partition("Wat mij goed doet")
    assert "Niet vastpakken." in card, "what must be at hand comes first"
    assert "Niet vastpakken." in rest
    assert 'Bij levensgevaar: bel <a href="tel:112">112</a>' in card
    assert "Laatst veranderd op 20 november 2026." in text_of(noor.get(path))
    assert "Dit zijn de woorden van Noor Achterberg." in text_of(noor.get(path))


@pytest.mark.parametrize("path", [COPY, f"{COPY}.html"])
def test_it_leads_nowhere_and_holds_no_id_of_the_record(noor, path):
    page = noor.get(path).text
    assert {href.partition(":")[0] for href in re.findall(r'href="([^"]*)"', page)} == {"tel"}
    assert re.findall(r'(?:src|action|srcset|data)="', page) == []
    assert "1992" not in page
    assert "Patient/" not in page
    assert noor.launch.id not in page
    assert noor.launch.session_id not in page
    assert UUID.search(page) is None
    assert "://" not in "".join([re.sub(r"<script.*?</script>", "", page, flags=re.S), *inline(page, "style")])
    for row in of_noor(FULL).all_rows:
        assert row.key not in page


def test_its_policy_allows_what_is_in_it_and_nothing_else(noor):
    answer = noor.get(COPY)
    [style], [script] = inline(answer.text, "style"), inline(answer.text, "script")
    rules = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
    assert rules == {
        "default-src": "'none'",
        "style-src": digest(style),
        "script-src": digest(script),
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert re.search(r"\sstyle=|\son[a-z]+=|javascript:", answer.text) is None


def test_its_title_goes_with_it_for_pages_that_list_copies(noor):
    assert unquote(noor.get(COPY).headers["X-Verstel-Title"]) == of_noor(FULL).form.title.nl


@pytest.mark.parametrize("path", [COPY, f"{COPY}.html", f"living/{FULL}/card"])
def test_what_people_type_is_words_and_nothing_else(app, path):
    hostile = '<script>alert(1)</script><a href="https://evil.example">06 1234 5678</a></style>'
    visitor = launched(app)
    content = Content(of_noor(FULL).form, {f"{FULL}-crisis-want": (hostile, hostile), f"{FULL}-well": (hostile,)})
    put_form(visitor, content)
    page = visitor.get(path).text
    assert "<script>alert" not in page
    assert 'href="https://evil' not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 2


def test_the_file_has_the_same_without_any_script_and_its_policy_with_it(noor):
    answer = noor.get(f"{COPY}.html")
    name = answer.headers["Content-Disposition"]
    assert name == "attachment; filename=mijn-plan-voor-goede-en-moeilijke-dagen.html"
    assert inline(answer.text, "script") == []
    assert "verwijderen" not in answer.text
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', answer.text)
    [style] = inline(answer.text, "style")
    assert html.unescape(policy) == (
        f"default-src 'none'; style-src {digest(style)}; base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("path", [COPY, f"{COPY}.html"])
def test_nobody_on_the_way_may_keep_it(noor, path):
    headers = noor.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_it_is_the_client_s_alone(noor, app):
    clinician = launched(app, "noor", "clinician", name="Noor Achterberg")
    assert {clinician.get(path).status_code for path in (COPY, f"{COPY}.html")} == {403}
    page = clinician.get(f"living/{FULL}/")
    assert "data-copies" not in page.text
    assert "copies.js" not in page.text


def test_a_form_that_may_not_be_kept_has_none(anna, known):
    without = next(form.id for form in known.living.values() if form.living and not form.living.offline)
    assert {anna.get(f"living/{without}/{what}").status_code for what in ("copy", "copy.html")} == {404}
    assert "data-copies" not in anna.get(f"living/{without}/").text


def test_before_the_press_it_is_said_who_can_read_it_and_what_signing_out_does(noor):
    said = text_of(noor.get(f"living/{FULL}/"))
    told = said.index("Iedereen die dit toestel heeft, kan hem dus ook lezen.")
    assert told < said.index("Uitloggen laat de kopie staan.") < said.index("Bewaar op dit toestel")


def test_without_scripts_there_is_a_file_and_no_button_that_does_nothing(noor):
    page = noor.get(f"living/{FULL}/").text
    block = page.partition('id="device"')[2].partition("</section>")[0]
    hidden = "".join(re.findall(r"<div[^>]* hidden>.*?</div>", block, re.S))
    assert block.count("<button") == hidden.count("<button") == 2
    assert f"living/{FULL}/copy.html" in block.replace(hidden, "")


def test_an_empty_form_offers_no_copy_and_renews_one_that_is_there(anna):
    page = anna.get("living/garden/").text
    assert re.search(r'<section class="" hidden id="device"', page)
    assert "copies.js" in page
    assert "Nog niets opgeschreven." in text_of(anna.get("living/garden/copy"))


class TestWhoseItIs:
    def marks(self, visitor: Visitor) -> list[str]:
        [marks] = re.findall(r'data-whose="([^"]*)"', visitor.get(f"living/{FULL}/").text)
        return marks.split(" ")

    def test_it_is_the_same_at_each_sign_in_and_another_for_another_person(self, noor, app):
        again, other = launched(app, "noor", name="Noor Achterberg"), launched(app, "iwan", name="Iwan")
        assert self.marks(noor) == self.marks(again)
        assert not set(self.marks(noor)) & set(self.marks(other))

    def test_after_a_change_of_keys_the_former_mark_is_known_still(self):
        old = "a secret that only tests know, 32 characters"
        first = self.marks(noor_in(make_app()))
        both = self.marks(noor_in(make_app(secret_keys=("another secret that only tests know, longer", old))))
        assert len(both) == 2
        assert both[1:] == first

    def test_nobody_without_our_key_can_tell_whose(self, noor):
        [mark] = self.marks(noor)
        for said in ("noor", "Patient/noor", f"copy|{noor.launch.issuer_key}|noor"):
            assert not hashlib.sha256(said.encode()).hexdigest().startswith(mark)


class TestTheCookie:
    def test_a_copy_makes_the_browser_say_that_it_has_one_and_nothing_more(self, noor):
        [cookie] = noor.get(COPY).headers.getlist("Set-Cookie")
        value, *rules = cookie.split("; ")
        assert value == f"{copies.COOKIE}=1"
        assert {"Path=/", "SameSite=Lax"} <= set(rules)

    def test_over_https_it_travels_over_https_only(self):
        answer = Response()
        with make_app(public_url="https://verstel.example.org").test_request_context():
            copies.remember(answer)
        assert "Secure" in answer.headers["Set-Cookie"].split("; ")

    def test_a_file_and_a_page_make_it_say_nothing(self, noor):
        for path in (f"{COPY}.html", f"living/{FULL}/", f"living/{FULL}/card"):
            assert "Set-Cookie" not in noor.get(path).headers


def test_below_a_path_all_its_addresses_are_below_it():
    app = make_app(public_url="http://localhost/verstel")
    visitor = noor_in(app)
    page = visitor.client.get(f"/verstel{visitor.url(f'living/{FULL}/')}").text
    found = dict(re.findall(r'data-(copies|worker|from|to)="([^"]*)"', page))
    assert found == {
        "copies": "/verstel/offline/",
        "worker": "/verstel/offline/worker.js",
        "from": f"/verstel{visitor.url(COPY)}",
        "to": f"/verstel/offline/{FULL}/",
    }
    copy = visitor.client.get(f"/verstel{visitor.url(COPY)}").text
    assert dict(re.findall(r'data-(scope|address)="([^"]*)"', copy)) == {
        "scope": "/verstel/offline/",
        "address": f"/verstel/offline/{FULL}/",
    }
