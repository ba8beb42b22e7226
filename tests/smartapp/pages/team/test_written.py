"""What staff tell back, do and report: written once, never over another's words, and for clients to read."""

from __future__ import annotations

import html
import re
import uuid

import pytest
from werkzeug.test import TestResponse

from smartapp.fhir.store import Query
from smartapp.storage.launches import NOBODY
from smartapp.web.kept import typed_text
from tests.smartapp.helpers import EHR, Visitor, text_of
from tests.smartapp.pages.kept.test_pages import form_on
from tests.smartapp.pages.team.place import AUTOSAVE, TEAM, Place, is_kept

KEY = "6f1c9ab1-30a7-4a6e-9d0e-0d0a9a3c1d11"
SAID = "client-panel-guidance-plan-said"
CLIENTS, PEERS = "client-panel-clients", "client-panel-peer-workers"

KINDS = {
    "told": ("Communication", {"day": "2026-11-27", "words": "We zetten koffie.", "by": "Teamleider"}, "words"),
    "actions": ("Task", {"description": "Een moestuin", "who": "Het team", "state": "planned"}, "description"),
    "panels": (
        "QuestionnaireResponse",
        {"day": "2026-11-27", CLIENTS: "5", PEERS: "2", SAID: "Het plan is van ons."},
        SAID,
    ),
}
EACH = pytest.mark.parametrize("kind", list(KINDS))


def kept(place: Place, kind: str) -> list[dict]:
    return [one.resource for one in place.core.own_store(EHR).search(Query.of(KINDS[kind][0]))]


def new(kind: str) -> str:
    return f"{TEAM}{kind}/new/"


def written(place: Place, kind: str, **other: str) -> str:
    """Write one, and return the address of its form."""
    assert is_kept(place.staff().post(new(kind), {**KINDS[kind][1], "key": str(uuid.uuid4()), **other}))
    return f"{TEAM}{kind}/{kept(place, kind)[-1]['id']}/"


def version(visitor: Visitor, path: str) -> str:
    return version_in(visitor.get(path))


def version_in(page: TestResponse) -> str:
    return html.unescape(page.text.partition('name="version" value="')[2].partition('"')[0])


@EACH
def test_it_is_read_by_clients_and_staff_and_who_wrote_it_stands_nowhere_but_in_the_log(place, kind):
    _type, values, words = KINDS[kind]
    for about_nobody in (False, True):
        joost = place.staff(about_nobody=about_nobody)
        answer = joost.post(new(kind), {**values, words: f"Woorden {about_nobody}.", "key": str(uuid.uuid4())})
        assert is_kept(answer), text_of(answer)
        logged = joost.logged()
        assert (logged.event, logged.patient, logged.user) == ("create", NOBODY.reference, "Practitioner/joost")
    for visitor in (place.client(2), place.staff("mia", "peer-worker"), place.staff("reinders", "responsible")):
        page = text_of(visitor.get(TEAM))
        assert "Woorden False." in page
        assert "Woorden True." in page
    whole = html.unescape(place.client(2).get(f"{TEAM}team.json").text)
    assert "joost" not in whole
    assert "zonnebloem" not in whole  # nor the client whose chart it was written in
    assert "Woorden" not in place.client(2).get("team/ward/").text
    assert len(kept(place, kind)) == 2


def key_in(answer):
    """Return the key of a form that makes something new."""
    return re.search(r'name="key" value="([^"]+)"', answer.text)[1]


@EACH
def test_pressed_twice_and_sent_again_on_a_bad_network_it_is_one(place, kind):
    joost = place.staff()
    for _again in range(3):
        assert is_kept(joost.post(new(kind), {**KINDS[kind][1], "key": KEY}))
    assert len(kept(place, kind)) == 1
    assert kept(place, kind)[0]["meta"]["versionId"] == "1"


@EACH
def test_the_back_button_and_other_words_under_the_same_key_show_both_and_then_save(place, kind):
    _type, values, words = KINDS[kind]
    joost = place.staff()
    assert is_kept(joost.post(new(kind), {**values, "key": KEY}))
    answer = joost.post(new(kind), {**values, words: "Andere woorden.", "key": KEY})
    assert answer.status_code == 409
    assert values[words] in text_of(answer)
    assert "Andere woorden." in answer.text
    path = f"{TEAM}{kind}/{kept(place, kind)[0]['id']}/"
    assert path in answer.text  # the form now changes what stands there
    assert is_kept(joost.post(path, {**values, words: "Samen.", "version": version_in(answer)}))
    [one] = kept(place, kind)
    assert "Samen." in str(one)


@EACH
def test_of_two_who_change_the_same_the_second_sees_both_and_loses_nothing(place, kind):
    _type, values, words = KINDS[kind]
    path = written(place, kind)
    joost, mia = place.staff(), place.staff("mia", "peer-worker")
    seen_by_both = version(joost, path)
    assert is_kept(joost.post(path, {**values, words: "Van Joost.", "version": seen_by_both}))
    clash = mia.post(path, {**values, words: "Van Mia.", "version": seen_by_both})
    assert clash.status_code == 409
    assert "iemand anders heeft dit intussen veranderd" in text_of(clash)
    assert "Van Joost." in text_of(clash)
    assert "Van Mia." in clash.text
    assert "Van Mia." not in text_of(joost.get(TEAM))
    now = version_in(clash)
    assert is_kept(mia.post(path, {**values, words: "Van Joost en Mia.", "version": now}))
    assert is_kept(mia.post(path, {**values, words: "Van Joost en Mia.", "version": now}))  # pressed twice
    assert "Van Joost en Mia." in text_of(joost.get(TEAM))
    versions = place.core.own_store(EHR).history(KINDS[kind][0], path.split("/")[3])
    assert [one.resource["meta"]["versionId"] for one in versions] == ["3", "2", "1"]  # and what was there stays


@pytest.mark.parametrize("kind", ["told", "panels"])
def test_clients_see_that_what_was_told_or_said_in_a_panel_was_changed_and_when(place, kind):
    path = written(place, kind)
    assert "Aangepast:" not in text_of(place.client(1).get(TEAM))
    place.after(2)
    joost = place.staff()
    values = {**KINDS[kind][1], KINDS[kind][2]: "Iets anders.", "version": version(joost, path)}
    assert is_kept(joost.post(path, values))
    assert "Iets anders. Aangepast: 2 december 2026" in text_of(place.client(1).get(TEAM))


@pytest.mark.parametrize("kind", ["told", "panels"])
def test_what_was_told_or_said_is_of_today_or_before(place, kind):
    values = KINDS[kind][1]
    joost = place.staff()
    for day, why in (("2026-12-01", "Deze dag is nog niet geweest."), ("", "dag"), ("ooit", "We herkennen deze datum")):
        answer = joost.post(new(kind), {**values, "day": day, "key": KEY})
        assert (answer.status_code, why in text_of(answer)) == (422, True), text_of(answer)
        assert values[KINDS[kind][2]] in answer.text
    assert kept(place, kind) == []
    assert is_kept(joost.post(new(kind), {**values, "day": "2026-11-30", "key": KEY}))


@EACH
def test_what_is_typed_is_kept_for_its_writer_alone_until_it_is_saved(place, kind):
    _type, values, words = KINDS[kind]
    path = written(place, kind)
    joost, mia = place.staff(), place.staff("mia", "peer-worker")
    for form, beside in ((new(kind), {"key": KEY}), (path, {"version": version(joost, path)})):
        typed = f"Half getypt, {next(iter(beside))}."
        half = {**values, words: typed, **beside}
        assert joost.post(form, half, headers=AUTOSAVE).get_json() == {"saved": True}
        again = place.staff(about_nobody=True).get(form)
        assert typed in again.text
        assert "Dit typte je eerder" in text_of(again)
        for visitor in (mia, place.client(1)):
            assert typed not in visitor.get(form).text
            assert typed not in visitor.get(TEAM).text
        assert is_kept(joost.post(form, half))
        assert "Dit typte je eerder" not in text_of(joost.get(form))
    assert len(kept(place, kind)) == 2


@EACH
def test_what_is_typed_is_thrown_away_at_a_press(place, kind):
    joost = place.staff()
    joost.post(new(kind), {**KINDS[kind][1], "key": KEY}, headers=AUTOSAVE)
    assert is_kept(joost.post(new(kind), {"sketch": "discard"}))
    assert KINDS[kind][1][KINDS[kind][2]] not in joost.get(new(kind)).text
    assert kept(place, kind) == []


@EACH
def test_without_what_is_needed_it_comes_back_with_the_reason_and_every_word(place, kind):
    _type, values, words = KINDS[kind]
    others = {name: value for name, value in values.items() if name != words}
    joost = place.staff()
    answer = joost.post(new(kind), {**others, "key": KEY})
    assert answer.status_code == 422
    assert "Nog niet bewaard" in text_of(answer)
    assert f'value="{KEY}"' in answer.text
    for value in others.values():
        assert value in answer.text
    assert kept(place, kind) == []
    assert joost.post(new(kind), {**values, words: "a" * 100_001, "key": KEY}).status_code == 422
    assert kept(place, kind) == []


@EACH
def test_a_client_and_who_only_reads_neither_open_nor_send_it(place, kind):
    path = written(place, kind)
    for visitor in (place.client(1), place.staff("reinders", "responsible")):
        for form in (new(kind), path):
            assert visitor.get(form).status_code == 403
            assert visitor.post(form, {**KINDS[kind][1], "key": KEY, "version": "1"}).status_code == 403
        page = visitor.get(TEAM).text
        assert "/new/" not in page
        assert path not in page
    assert [one["meta"]["versionId"] for one in kept(place, kind)] == ["1"]


@EACH
def test_what_another_team_wrote_or_is_of_another_kind_is_not_found(place, kind):
    path = written(place, kind)
    id_ = path.split("/")[3]
    joost = place.staff()
    wrong = [f"team/ward/{kind}/{id_}/", f"{TEAM}{kind}/nothing/"]
    wrong += [f"{TEAM}{other}/{id_}/" for other in KINDS if other != kind]
    for address in wrong:
        assert joost.get(address).status_code == 404
        assert joost.post(address, {**KINDS[kind][1], "version": "1"}).status_code == 404
    assert [one["meta"]["versionId"] for one in kept(place, kind)] == ["1"]


def test_an_action_says_how_it_went_and_stands_last_once_it_is_done(place):
    path = written(place, "actions")
    written(place, "actions", description="Nog te doen")
    path = next(f"{TEAM}actions/{one['id']}/" for one in kept(place, "actions") if one["description"] == "Een moestuin")
    joost = place.staff()
    values = {**KINDS["actions"][1], "by-when": "2026-12-31"}
    for state in ("doing", "done"):
        outcome = {"outcome": "Tomaten."} if state == "done" else {}
        assert is_kept(joost.post(path, {**values, "state": state, **outcome, "version": version(joost, path)}))
    page = text_of(place.client(1).get(TEAM))
    assert "Gedaan" in page
    assert "Wat het opleverde: Tomaten." in page
    assert page.index("Nog te doen") < page.index("Een moestuin")
    history = text_of(joost.get(path)).partition("Hoe het ging")[2]
    assert history.index("Gedaan") < history.index("We zijn ermee bezig") < history.index("Gepland")


@pytest.mark.parametrize(
    ("clients", "peers", "why"),
    [
        ("7", "2", "In een panel zitten hoogstens zes cliënten."),
        ("6", "3", "Bij een panel zijn hoogstens twee ervaringsdeskundigen"),
        ("0", "2", "Schrijf een getal op, zoals 5."),
        ("zes", "2", "Schrijf een getal op, zoals 5."),
        ("-1", "2", "Schrijf een getal op, zoals 5."),
        ("٣", "2", "Schrijf een getal op, zoals 5."),
        ("", "2", "Schrijf op hoeveel cliënten er waren."),
    ],
)
def test_a_panel_of_too_many_is_refused_with_the_reason_and_all_words_kept(place, clients, peers, why):
    values = {**KINDS["panels"][1], CLIENTS: clients, PEERS: peers}
    answer = place.staff("mia", "peer-worker").post(new("panels"), {**values, "key": KEY})
    assert answer.status_code == 422
    assert why in text_of(answer)
    assert "Het plan is van ons." in answer.text
    assert "Het plan is van ons." in place.staff("mia", "peer-worker").get(new("panels")).text  # tomorrow too
    assert kept(place, "panels") == []


@pytest.mark.parametrize(("clients", "peers"), [("6", "2"), ("1", ""), ("06", "0")])
def test_a_panel_of_six_clients_and_two_peer_workers_at_most_is_taken(place, clients, peers):
    values = {**KINDS["panels"][1], CLIENTS: clients, PEERS: peers}
    assert is_kept(place.staff("mia", "peer-worker").post(new("panels"), {**values, "key": KEY}))
    assert f"{int(clients)} cliënt" in text_of(place.client(1).get(TEAM))


def test_hostile_words_are_words(place):
    hostile = "<script>alert(1)</script> \"'& {{ 7*7 }}"
    written(place, "told", words=hostile, by=hostile)
    written(place, "actions", description=hostile, who=hostile)
    written(place, "panels", **{SAID: hostile})
    page = place.client(1).get(TEAM).text
    assert "<script>alert(1)" not in page
    assert page.count(html.escape("<script>alert(1)</script>", quote=False)) >= 5
    assert "{{ 7*7 }}" in html.unescape(page)


@EACH
def test_what_is_sent_after_the_session_ended_is_kept_for_its_writer_and_given_back(place, kind):
    """A clinician is called away with the form open, and presses the next morning."""
    _type, values, words = KINDS[kind]
    joost = place.staff()
    place.after(1)
    answer = joost.post(new(kind), {**values, words: "Van gisteren.", "key": KEY})
    assert "Je bent uitgelogd" in text_of(answer)
    assert "Van gisteren." in text_of(answer)
    assert kept(place, kind) == []
    again = place.staff()
    page = again.get("kept/")
    assert "Van gisteren." in text_of(page)
    assert "Van gisteren." not in text_of(place.staff("mia").get("kept/"))
    assert is_kept(again.client.post(again.url(new(kind)), data=form_on(page.text, again.url(new(kind)))))
    assert "Van gisteren." in text_of(place.client(1).get(TEAM))
    assert place.rows_with("Van gisteren.").isdisjoint({"kept_words", "drafts"})


@EACH
def test_no_field_has_a_name_that_our_forms_keep_for_themselves(place, kind):
    """What stands in such a one would not be among the words that an error page gives back."""
    page = place.staff().get(new(kind)).text.partition("<main")[2]
    names = re.findall(r'<(?:input type="(?:text|date|radio)"|textarea) id="[^"]+" name="([^"]+)"', page)
    assert set(KINDS[kind][1]) <= set(names)
    assert {name for name, _text in typed_text([(name, "x") for name in names])} == set(names)


@EACH
def test_it_can_be_taken_away_by_who_read_it_as_it_is_and_then_nobody_reads_it(place, kind):
    _type, values, words = KINDS[kind]
    path, joost = written(place, kind, **{words: "Met de naam van iemand."}), place.staff()
    seen = version(joost, path)
    assert is_kept(joost.post(path, {**values, words: "Intussen anders.", "version": seen}))
    stale = place.staff("mia", "peer-worker").post(path, {"remove": "1", "version": seen})
    assert stale.status_code == 409
    assert "Intussen anders." in text_of(place.client(2).get(TEAM))
    removed = joost.post(path, {"remove": "1", "version": version(joost, path)})
    assert removed.status_code == 303
    assert "Het is weggehaald." in text_of(joost.get(removed.headers["Location"].partition(joost.url(""))[2]))
    for visitor in (place.client(2), joost):
        assert "Intussen anders." not in text_of(visitor.get(TEAM))
        assert "Intussen anders." not in html.unescape(visitor.get(f"{TEAM}team.json").text)
    assert joost.get(path).status_code == 404
    assert [one["status"] for one in kept(place, kind)] == ["entered-in-error"]


@EACH
def test_who_was_writing_in_what_is_taken_away_keeps_every_word_and_may_make_it_anew(place, kind):
    _type, values, words = KINDS[kind]
    path, joost, mia = written(place, kind), place.staff(), place.staff("mia", "peer-worker")
    seen = version(mia, path)
    assert joost.post(path, {"remove": "1", "version": seen}).status_code == 303
    answer = mia.post(path, {**values, words: "Van Mia.", "version": seen})
    assert answer.status_code == 409
    assert "dit is intussen weggehaald" in text_of(answer)
    assert "Van Mia." in answer.text
    assert "Van Mia." in mia.get(path).text  # also who comes back later
    assert joost.get(path).status_code == 404  # who had typed nothing in it
    for _pressed_twice in range(2):
        assert is_kept(mia.post(new(kind), {**values, words: "Van Mia.", "key": key_in(answer)}))
    assert sorted(one["status"] == "entered-in-error" for one in kept(place, kind)) == [False, True]
    assert "Van Mia." in text_of(joost.get(TEAM))
    assert joost.post(path, {"remove": "1", "version": seen}).status_code == 303  # it is away already


@EACH
def test_what_was_made_and_taken_away_can_be_sent_once_more_under_a_key_of_its_own(place, kind):
    _type, values, words = KINDS[kind]
    joost = place.staff()
    assert is_kept(joost.post(new(kind), {**values, "key": KEY}))
    path = f"{TEAM}{kind}/{kept(place, kind)[0]['id']}/"
    assert joost.post(path, {"remove": "1", "version": version(joost, path)}).status_code == 303
    answer = joost.post(new(kind), {**values, words: "Nog eens.", "key": KEY})
    assert answer.status_code == 409
    assert "dit is intussen weggehaald" in text_of(answer)
    assert key_in(answer) != KEY
    assert is_kept(joost.post(new(kind), {**values, words: "Nog eens.", "key": key_in(answer)}))
    assert "Nog eens." in text_of(joost.get(TEAM))


def test_a_client_takes_nothing_away(place):
    path = written(place, "told")
    assert place.client(2).post(path, {"remove": "1", "version": version(place.staff(), path)}).status_code == 403
    assert "We zetten koffie." in text_of(place.client(2).get(TEAM))
