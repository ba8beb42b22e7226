"""Words that were typed when a session ended: found again by the person who typed them, and by nobody else."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from questionnaires.catalogue import catalogue
from smartapp.courier import Courier
from smartapp.services import KEY
from smartapp.settings import Issuer
from smartapp.storage.kept_words import KEPT_SECONDS, MOST_FORMS
from smartapp.web.guard import form_token
from smartapp.web.kept import waiting
from smartapp.web.masking import masked
from smartapp.web.typed import digest
from tests.smartapp.helpers import EHR, Visitor, launched, make_app, text_of
from tests.smartapp.smart.ehr import Clock

WORDS = "Ik zing weer.\r\nElke dag een uur."
HOOP = catalogue().instruments["hoop"]
DISAGREE = HOOP.item("hoop-01").scale.option("2").text.get("nl")
OTHER = "http://localhost/other"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(clock):
    issuers = (Issuer(base=EHR, name="E", client_id="v", key="clinic"), Issuer(base=OTHER, name="O", client_id="v"))
    app = make_app(clock, issuers=issuers)
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture
def anna(app) -> Visitor:
    return launched(app, "anna")


def end_session(visitor: Visitor, clock: Clock) -> None:
    """Let the session run out, and be wiped with all its rows by the page of somebody else."""
    clock.now += 30 * 60
    visitor.core.end_sessions_that_are_over()


def save_story(visitor: Visitor, words: str = WORDS, **more: str):
    return visitor.post("living/story/story/", {"story-story": words, "seen-story-story": digest(""), **more})


def kept(visitor: Visitor) -> list[str]:
    """Return the pages whose words are kept for this person."""
    with visitor.app.app_context():
        return [each.page for each in waiting(visitor.launch)]


@pytest.mark.parametrize("still", [True, False])
def test_words_are_kept_after_a_new_key_while_the_old_one_still_proves(anna, clock, still):
    form = {**anna.hidden(), "story-story": WORDS, "seen-story-story": digest("")}
    old = anna.core.settings.secret_keys
    anna.core.settings = replace(anna.core.settings, secret_keys=("n" * 32, *(old if still else ())))
    end_session(anna, clock)
    assert anna.client.post(anna.url("living/story/story/"), data=form).status_code == 404
    assert kept(anna) == (["living/story/story/"] if still else [])


def form_on(page: str, address: str) -> dict[str, str]:
    """Return the fields of the form with this address, as a browser would send them."""
    form = re.search(rf'<form method="post" action="{re.escape(address)}".*?</form>', page, re.S)[0]
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    return {name: unescape(value).replace("\n", "\r\n").replace("\r\r", "\r") for name, value in fields}


def test_words_of_an_ended_session_are_found_and_saved_at_the_next_sign_in(app, anna, clock):
    end_session(anna, clock)
    answer = save_story(anna)
    assert answer.status_code == 404
    assert "Log opnieuw in, dan vind je het terug" in text_of(answer)
    again = launched(app, "anna")
    page = again.get("kept/")
    assert "Dit typte je voordat je uitgelogd werd" in text_of(page)
    assert "Elke dag een uur." in text_of(page)
    saved = again.client.post(
        again.url("living/story/story/"), data=form_on(page.text, again.url("living/story/story/"))
    )
    assert saved.status_code == 303
    assert "Ik zing weer." in text_of(again.get("plan/"))
    assert again.get("kept/").headers["Location"] == again.url()  # nothing waits any more


def test_what_changed_meanwhile_is_shown_beside_the_words_and_they_stay_until_one_is_chosen(app, anna, clock):
    end_session(anna, clock)
    save_story(anna, **{"seen-story-story": "0" * 16})
    again = launched(app, "anna")
    assert save_story(again, "Van mijn telefoon.").status_code == 303
    fields = form_on(again.get("kept/").text, again.url("living/story/story/"))
    clash = again.client.post(again.url("living/story/story/"), data=fields)
    assert clash.status_code == 409
    assert "Van mijn telefoon." in clash.text
    assert "Ik zing weer." in clash.text
    assert kept(again) == ["living/story/story/"]


def test_they_are_thrown_away_when_the_person_says_so(app, anna, clock):
    end_session(anna, clock)
    save_story(anna)
    again = launched(app, "anna")
    discard = re.search(r'action="([^"]+/discard)"', again.get("kept/").text)[1]
    assert again.post(discard).status_code == 303
    assert kept(again) == []


def test_they_are_dropped_when_the_same_words_are_saved_in_another_way_and_stay_when_others_are(app, anna, clock):
    end_session(anna, clock)
    save_story(anna)
    again = launched(app, "anna")
    save_story(again, "Iets anders.")
    assert kept(again) == ["living/story/story/"]
    save_story(again, **{"seen-story-story": digest("Iets anders.")})
    assert kept(again) == []


@pytest.mark.parametrize(
    ("patient", "more"),
    [
        ("anna", {"role": "clinician"}),
        ("anna", {"subject": "her-brother"}),
        ("bram", {"subject": "anna"}),
        ("anna", {"issuer": OTHER}),
    ],
    ids=["clinician", "another user", "another person", "another issuer"],
)
def test_nobody_else_sees_or_drops_them(app, anna, clock, patient, more):
    end_session(anna, clock)
    save_story(anna)
    with anna.core.engine.connect() as connection:
        id_ = connection.exec_driver_sql("select id from kept_words").scalar()
    stranger = launched(app, patient, **more)
    assert stranger.get("kept/").status_code == 303
    assert stranger.post(f"kept/{id_}/discard").status_code == 303
    assert kept(launched(app, "anna")) == ["living/story/story/"]


@pytest.mark.parametrize(
    "forged",
    [
        {"_keep": ""},
        {"_keep": "x"},
        {"_keep": "a.b.c"},
        {"_keep": "é.1.é"},
        {"_keep": masked(b"0" * 72)},
    ],
    ids=["none", "one letter", "three parts", "no ascii", "of the right length"],
)
def test_only_a_form_of_ours_is_kept(app, anna, clock, forged):
    end_session(anna, clock)
    assert "mijn lange verhaal" in save_story(anna, "mijn lange verhaal", **forged).text
    assert kept(launched(app, "anna")) == []


def test_a_proof_of_one_launch_keeps_nothing_at_another(app, anna, clock):
    bram = launched(app, "bram")
    end_session(anna, clock)
    save_story(anna, _keep=bram.hidden()["_keep"])
    assert kept(launched(app, "anna")) == kept(launched(app, "bram")) == []


@pytest.mark.parametrize(
    ("fields", "headers"),
    [({}, {"Sec-Fetch-Site": "cross-site"}), ({"_for": "bram"}, {})],
    ids=["sent from elsewhere", "about somebody else"],
)
def test_a_form_that_is_itself_the_mistake_is_not_kept(app, anna, fields, headers):
    answer = anna.post("living/story/story/", {"story-story": WORDS, **fields}, headers=headers)
    assert answer.status_code in {403, 409}
    assert "Ik zing weer." in answer.text
    assert kept(anna) == []


def test_an_expired_form_is_kept(app, anna):
    answer = save_story(anna, _csrf=form_token(anna.core.settings, "another session", anna.launch.id))
    assert answer.status_code == 403
    assert kept(anna) == ["living/story/story/"]


def test_the_script_that_saves_while_typing_keeps_them_at_the_page_they_belong_to(app, anna, clock):
    path = "questionnaires/sdm-visit/questions/sdm-visit-helps"
    end_session(anna, clock)
    anna.post(f"{path}/autosave", {"answer": "Vroeg naar buiten."}, headers={"Accept": "application/json"})
    anna.post(path, {"answer": "Vroeg naar buiten. En zingen.", "was": "", "next": "1"})
    again = launched(app, "anna")
    page = again.get("kept/").text
    assert kept(again) == [path]
    assert "En zingen." in page
    assert again.client.post(again.url(path), data=form_on(page, again.url(path))).status_code == 303
    assert "Vroeg naar buiten. En zingen." in again.get(path).text


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("questionnaires/hoop/questions/hoop-01", {"answer": "2", "next": "1"}, [DISAGREE]),
        ("plan/goals/new", {"text": "Weer werken", "domain": "meaning", "key": "k"}, ["Weer werken"]),
        ("plan/domains", {"domains": "meaning", "seen-domains": "x"}, []),
    ],
)
def test_what_was_chosen_is_shown_in_words_and_not_as_a_code(anna, path, fields, words):
    anna.post(path, {"_csrf": "expired", **fields})
    page = anna.get("kept/").text
    assert re.findall(r"<blockquote[^>]*>(.*?)</blockquote>", page) == words
    assert ("Een keuze die je daar maakte." in page) == (not words)
    assert (HOOP.item("hoop-01").text.get("nl") in page) == path.startswith("questionnaires/")


def test_they_are_kept_for_seven_days(app, anna, clock):
    end_session(anna, clock)
    save_story(anna)
    clock.now += KEPT_SECONDS - 1
    assert kept(launched(app, "anna")) == ["living/story/story/"]
    clock.now += 1
    assert kept(launched(app, "anna")) == []
    Courier(anna.core).round()  # tidies up, whoever signs in again or not
    with anna.core.engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from kept_words").scalar() == 0


def test_a_form_of_more_than_seven_days_ago_proves_nothing(app, anna, clock):
    clock.now += KEPT_SECONDS
    save_story(anna)
    assert kept(launched(app, "anna")) == []


def test_there_is_a_limit_and_the_newest_stay(app, anna, clock):
    end_session(anna, clock)
    for number in range(MOST_FORMS + 3):
        clock.now += 1
        anna.post(f"plan/goals/goal-{number}/words", {"text": "Een doel."})
    pages = kept(launched(app, "anna"))
    assert pages == [f"plan/goals/goal-{number}/words" for number in reversed(range(3, MOST_FORMS + 3))]


def test_the_table_names_nobody_and_holds_no_words(app, anna, clock):
    end_session(anna, clock)
    save_story(anna)
    with anna.core.engine.connect() as connection:
        [row] = connection.exec_driver_sql("select * from kept_words").all()
    assert not re.search(r"anna|Anna|zing|story|clinic", str(row))


def test_a_database_that_is_gone_takes_no_words_along(app, anna, clock, monkeypatch, caplog):
    end_session(anna, clock)
    monkeypatch.setattr(anna.core.kept_words, "keep", lambda *_given: 1 / 0)
    answer = save_story(anna)
    assert (answer.status_code, "Kopieer" in text_of(answer), "Ik zing weer." in answer.text) == (404, True, True)
    assert "ZeroDivisionError" in caplog.text
