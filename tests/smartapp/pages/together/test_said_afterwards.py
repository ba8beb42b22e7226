"""How an agreement went: the client says it alone too, in one press, and what was said by mistake has a way back."""

from __future__ import annotations

import html
import re

import pytest

from mappers.agreements import Agreement
from smartapp.fhir.store import Query, Unreachable, Write
from smartapp.pages.home.today import agreed_today
from smartapp.web.typed import LONGEST
from tests.smartapp.helpers import Visitor, launched, make_app, text_of
from tests.smartapp.pages.together.test_walk import JSON, WORDS, agreements, decide, field

TO_DO = 'name="went" value="done" aria-pressed="false"'


@pytest.fixture
def joost(app) -> Visitor:
    return launched(app, role="clinician")


@pytest.fixture
def anna(app) -> Visitor:
    return launched(app)


@pytest.fixture
def agreed(joost) -> str:
    """The id of something that the client does."""
    decide(joost, outcome="agreed", words=WORDS, who="client")
    return agreements(joost)[0].id


def press(visitor: Visitor, id_: str, went: str, was: str = "planned", **more: str):
    return visitor.post(f"visits/agreements/{id_}", {"went": went, "was": was, **more})


def undo(visitor: Visitor, page):
    """Press the button that takes back what was just done, as a browser without scripts does."""
    action, mark = re.search(r'action="(/[^"]*/back[^"]*)".*?name="undo" value="(\w+)"', page.text, re.DOTALL).groups()
    return visitor.post(html.unescape(action), {"undo": mark})


# --- the client, from my conversations ------------------------------------------------------------------------------


def test_the_client_says_in_one_press_that_it_is_done_and_who_said_so_is_known(joost, anna, agreed):
    answer = press(anna, agreed, "done")
    assert answer.status_code == 303
    assert "Hoe deze afspraak ging staat nu in het dossier." in text_of(anna.get(answer.location))
    [after] = agreements(joost)
    assert after.status == "done"
    assert [(one.text, one.by) for one in after.remarks] == [("Het is gedaan.", "Anna Voorbeeld")]


def test_whom_to_call_is_not_folded_away_with_the_field_for_words(anna, agreed):
    page = anna.get("visits/").text
    assert f'name="note-{agreed}"' in page
    assert page.count("bel 112") == 1
    assert "bel 112" not in page[: page.index("</main>")]


def test_words_go_along_with_the_press(anna, agreed):
    press(anna, agreed, "doing", **{f"note-{agreed}": "Twee keer gelukt."})
    [after] = agreements(anna)
    assert (after.status, [one.text for one in after.remarks]) == ("doing", ["Twee keer gelukt."])
    assert field(anna.get("visits/").text, f"note-{agreed}") == ""


def test_one_press_takes_it_back_and_the_record_keeps_the_version(anna, agreed):
    page = anna.get(press(anna, agreed, "done").location)
    answer = undo(anna, page)
    assert "Het is weer zoals het was." in text_of(anna.get(answer.location))
    [after] = agreements(anna)
    assert (after.status, after.remarks, after.changed) == ("planned", (), "")
    assert [one.resource["status"] for one in anna.ehr.history("Task", agreed)][:3] == [
        "requested",
        "completed",
        "requested",
    ]


def test_words_that_were_taken_back_stand_in_their_field_again(anna, agreed):
    page = anna.get(press(anna, agreed, "stopped", **{f"note-{agreed}": "Het lukt niet."}).location)
    undo(anna, page)
    assert agreements(anna)[0].remarks == ()
    assert field(anna.get("visits/").text, f"note-{agreed}") == "Het lukt niet."


def test_what_was_said_on_an_earlier_day_has_a_way_back_too(anna, joost, agreed):
    press(anna, agreed, "done")
    page = anna.get("visits/").text
    assert 'name="went" value="doing"' in page.partition("Eerder afgesproken")[2]
    press(anna, agreed, "doing", was="done")
    [after] = agreements(joost)
    assert (after.status, [one.text for one in after.remarks]) == ("doing", ["Het is gedaan.", "Het gaat nog door."])


def test_the_same_press_twice_says_it_once(anna, agreed):
    for _press in range(2):
        assert press(anna, agreed, "done").status_code == 303
    assert len(agreements(anna)[0].remarks) == 1


def test_of_what_the_professional_does_the_client_says_nothing_alone(joost, anna):
    decide(joost, outcome="agreed", words="Joost belt de huisarts.", who="professional")
    [one] = agreements(joost)
    page = anna.get("visits/").text
    assert f"note-{one.id}" not in page
    assert "komt aan bod in het volgende gesprek" in page
    assert press(anna, one.id, "done").status_code == 403
    assert agreements(joost)[0].open


@pytest.mark.parametrize("who", ["", "other"])
def test_of_what_nobody_or_somebody_of_their_own_does_the_client_says_it(joost, anna, who):
    decide(joost, outcome="agreed", words=WORDS, who=who, who_name="Mijn zus")
    assert press(anna, agreements(joost)[0].id, "done").status_code == 303
    assert not agreements(joost)[0].open


def test_a_status_that_somebody_else_gave_meanwhile_is_not_overwritten_and_no_word_is_lost(joost, anna, agreed):
    press(anna, agreed, "doing")
    answer = press(anna, agreed, "done", **{f"note-{agreed}": "Klaar mee."})
    assert answer.status_code == 409
    assert field(answer.text, f"note-{agreed}") == "Klaar mee."
    assert "Iemand anders heeft dit intussen veranderd." in text_of(answer)
    assert "ullie" not in text_of(answer)  # the client reads it alone
    assert agreements(joost)[0].status == "doing"


def test_what_somebody_else_wrote_in_the_same_second_stays(anna, agreed):
    flaky = anna.make_flaky()

    def someone_else():
        task = flaky.read("Task", agreed)
        note = {"time": "2026-01-01T10:00:00Z", "text": "Van een ander."}
        flaky.store.write(Write("update", {**task.resource, "note": [note]}, if_match=task.etag))

    flaky.first = someone_else
    press(anna, agreed, "done")
    assert [one.text for one in agreements(anna)[0].remarks] == ["Van een ander.", "Het is gedaan."]


def test_after_somebody_else_said_more_it_is_not_taken_back(joost, anna, agreed):
    page = anna.get(press(anna, agreed, "doing").location)
    joost.post(f"overview/together/agreements/{agreed}", {f"went-{agreed}": "done", "was": "doing"})
    answer = undo(anna, page)
    assert "Dit is niet teruggedraaid" in text_of(anna.get(answer.location))
    assert agreements(joost)[0].status == "done"


def test_while_the_record_is_silent_the_words_stay(anna, agreed):
    flaky = anna.make_flaky()
    flaky.error = Unreachable("no answer")
    answer = press(anna, agreed, "done", **{f"note-{agreed}": "Gelukt."})
    assert "saved=waits" in answer.location
    assert 'name="undo"' not in anna.get(answer.location).text
    flaky.error = None
    anna.courier_comes()
    [after] = agreements(anna)
    assert (after.status, [one.text for one in after.remarks]) == ("done", ["Gelukt."])


def test_a_text_that_is_too_long_is_not_saved_and_stays(anna, agreed):
    answer = press(anna, agreed, "done", **{f"note-{agreed}": "a" * (LONGEST + 1)})
    assert answer.status_code == 422
    assert "Deze tekst is te lang" in text_of(answer)
    assert len(field(answer.text, f"note-{agreed}")) == LONGEST + 1
    assert agreements(anna)[0].open


def test_what_the_client_types_is_kept_while_it_is_typed_and_begins_no_conversation(joost, anna, agreed):
    typed = {f"note-{agreed}": "Morgen weer."}
    assert anna.post(f"visits/agreements/{agreed}", typed, headers=JSON).json["saved"]
    assert field(anna.get("visits/").text, f"note-{agreed}") == "Morgen weer."
    assert agreements(joost)[0].remarks == ()


def test_an_unknown_agreement_and_an_unknown_press_do_nothing(joost, anna, agreed):
    assert press(anna, "nothing", "done").status_code == 404
    assert press(anna, agreed, "gone").status_code == 400
    assert press(anna, agreed, "done", **{"from": "elsewhere"}).status_code == 400
    assert anna.get(f"visits/agreements/{agreed}").status_code == 303
    assert press(joost, agreed, "done").status_code == 403


# --- the client, from the start page --------------------------------------------------------------------------------


def test_the_start_page_has_what_was_agreed_with_one_press_and_the_next_takes_it_back(anna, agreed):
    page = anna.get("")
    assert WORDS in text_of(page)
    assert TO_DO in page.text
    answer = press(anna, agreed, "done", **{"from": "home"})
    page = anna.get(answer.location)
    assert TO_DO not in page.text
    assert 'aria-pressed="true"' in page.text
    answer = undo(anna, page)
    assert answer.status_code == 303
    assert agreements(anna)[0].status == "planned"
    assert TO_DO in anna.get(answer.location).text
    press(anna, agreed, "done", **{"from": "home"})
    assert WORDS not in text_of(anna.get(""))


def test_a_press_on_the_start_page_that_comes_too_late_says_so_there(joost, anna, agreed):
    press(anna, agreed, "doing")
    answer = press(anna, agreed, "done", was="planned", **{"from": "home"})
    assert "Iemand anders heeft dit intussen veranderd." in text_of(anna.get(answer.location))
    assert agreements(joost)[0].status == "doing"


def test_what_is_due_first_stands_on_the_start_page():
    late, soon = Agreement("a", "Later", "1", due="2027-02-01"), Agreement("b", "Eerst", "2", due="2027-01-01")
    hers = Agreement("c", "Bellen", "3", who_reference="Practitioner/1")
    done = Agreement("d", "Klaar", "4", status="done")
    today = agreed_today([late, soon, hers, done], client="Patient/1")
    assert (today.shown, today.more) == ((soon,), 1)
    assert agreed_today([late, done], client="Patient/1", pressed="4").shown == (done, late)
    assert agreed_today([hers, done], client="Patient/1").shown == ()


def test_a_day_that_is_over_is_not_asked_for_on_the_start_page(joost, anna):
    decide(joost, outcome="agreed", words=WORDS, who="client", due="01-12-2099")
    assert "Uiterlijk 1 december 2099" in text_of(anna.get(""))
    [task] = [one.resource for one in anna.ehr.search(Query.of("Task")) if "restriction" in one.resource]
    anna.ehr.write(Write("update", {**task, "restriction": {"period": {"end": "2026-01-31"}}}))
    page = text_of(anna.get(""))
    assert WORDS in page
    assert "31 januari 2026" not in page


# --- the professional, in a conversation ----------------------------------------------------------------------------


def test_what_a_professional_said_is_taken_back_in_one_press_with_its_words(joost, agreed):
    form = {f"went-{agreed}": "done", f"note-{agreed}": "Gelukt.", "was": "planned"}
    page = joost.get(joost.post(f"overview/together/agreements/{agreed}", form).location)
    undo(joost, page)
    [after] = agreements(joost)
    assert (after.status, after.remarks) == ("planned", ())
    assert field(joost.get("overview/together/").text, f"note-{agreed}") == "Gelukt."


def test_what_was_settled_goes_on_again_in_one_press(joost, agreed):
    joost.post(f"overview/together/agreements/{agreed}", {f"went-{agreed}": "stopped", "was": "planned"})
    page = joost.get("overview/together/").text
    assert f'name="went-{agreed}" value="doing"' in page
    joost.post(f"overview/together/agreements/{agreed}", {f"went-{agreed}": "doing", "was": "stopped"})
    assert agreements(joost)[0].status == "doing"


def test_what_a_decision_took_back_does_not_come_back_by_a_press(joost, anna, agreed):
    version = field(joost.get("overview/together/agree/1?change=1").text, "version")
    joost.post("overview/together/agree/1", {"outcome-1": "differ", "client-view-1": "Nee.", "version": version})
    assert not agreements(joost)[0].settled
    assert 'value="doing"' not in joost.get("overview/together/").text
    assert press(anna, agreed, "doing", was="stopped").status_code == 409


def test_a_decision_takes_no_agreement_back_before_is_read_what_the_client_said_of_it_since(joost, anna, agreed):
    page = joost.get("overview/together/agree/1?change=1").text
    press(anna, agreed, "done", **{f"note-{agreed}": "Elke avond gelukt."})
    shown = {"version": field(page, "version"), "was": field(page, "was")}
    answer = joost.post("overview/together/agree/1", {"outcome-1": "differ", "client-view-1": "Nee.", **shown})
    assert answer.status_code == 409
    assert "Elke avond gelukt." in text_of(answer)
    assert field(answer.text, "client-view-1") == "Nee."
    assert agreements(joost)[0].status == "done"
    shown = {"version": field(answer.text, "version"), "was": field(answer.text, "was")}
    answer = joost.post("overview/together/agree/1", {"outcome-1": "differ", "client-view-1": "Nee.", **shown})
    assert answer.status_code == 303
    assert agreements(joost)[0].reason


def test_what_the_client_said_alone_opens_a_conversation_and_is_not_called_looked_back_on():
    clock = [1_780_000_000.0]
    app = make_app(lambda: clock[0])
    joost, anna = launched(app, role="clinician"), launched(app)
    decide(joost, outcome="agreed", words=WORDS, who="client")
    agreed = agreements(joost)[0].id
    clock[0] += 60
    press(anna, agreed, "done", **{f"note-{agreed}": "Elke avond gelukt."})
    page = text_of(joost.get("overview/together/"))
    said = page.partition("Gezegd sinds het vorige gesprek")[2]
    assert "Elke avond gelukt." in said
    assert "Anna Voorbeeld" in said
    assert "Vandaag op teruggekeken" not in page
    clock[0] += 60
    joost.post(f"overview/together/agreements/{agreed}", {f"went-{agreed}": "doing", "was": "done"})
    joost.post(f"overview/together/agreements/{agreed}", {f"went-{agreed}": "stopped", "was": "doing"})
    page = text_of(joost.get("overview/together/"))
    assert "Gezegd sinds het vorige gesprek" not in page
    assert "Vandaag op teruggekeken" in page


# --- the sheets -----------------------------------------------------------------------------------------------------


def test_what_the_client_says_alone_makes_no_sheet_of_a_conversation():
    clock = [1_780_000_000.0]
    app = make_app(lambda: clock[0])
    joost = launched(app, role="clinician")
    decide(joost, outcome="agreed", words=WORDS, who="client")
    first = days(launched(app).get("visits/").text)
    clock[0] += 3 * 86_400
    anna = launched(app)
    press(anna, agreements(joost)[0].id, "done")
    assert days(anna.get("visits/").text) == first
    assert "Het is gedaan." not in text_of(anna.get(f"visits/{first[0]}"))
    clock[0] += 60
    joost = launched(app, role="clinician")
    joost.post(
        f"overview/together/agreements/{agreements(joost)[0].id}",
        {f"went-{agreements(joost)[0].id}": "doing"} | {"was": "done"},
    )
    assert len(days(anna.get("visits/").text)) == 2


def days(page: str) -> list[str]:
    return re.findall(r'/visits/(\d{4}-\d\d-\d\d)"', page)


# --- two tabs, two presses, a record that answered late ---------------------------------------------------------------


def test_taking_back_the_second_of_two_things_said_within_a_second_leaves_the_first(anna, agreed):
    press(anna, agreed, "doing", **{f"note-{agreed}": "Een."})
    page = anna.get(press(anna, agreed, "done", was="doing", **{f"note-{agreed}": "Twee."}).location)
    undo(anna, page)
    [after] = agreements(anna)
    assert (after.status, [one.text for one in after.remarks]) == ("doing", ["Een."])
    assert field(anna.get("visits/").text, f"note-{agreed}") == "Twee."


def test_pressed_twice_it_can_still_be_taken_back(anna, agreed):
    press(anna, agreed, "done")
    undo(anna, anna.get(press(anna, agreed, "done").location))
    assert agreements(anna)[0].status == "planned"


def test_pressed_twice_by_a_professional_it_can_still_be_taken_back(joost, agreed):
    form = {f"went-{agreed}": "done", "was": "planned"}
    joost.post(f"overview/together/agreements/{agreed}", form)
    undo(joost, joost.get(joost.post(f"overview/together/agreements/{agreed}", form).location))
    assert agreements(joost)[0].status == "planned"


def test_words_that_arrived_late_leave_their_field_and_are_not_said_twice(anna, agreed):
    flaky = anna.make_flaky()
    flaky.error = Unreachable("no answer")
    press(anna, agreed, "doing", **{f"note-{agreed}": "Gelukt."})
    flaky.error = None
    anna.courier_comes()
    assert field(anna.get("visits/").text, f"note-{agreed}") == ""
    press(anna, agreed, "done", was="doing", **{f"note-{agreed}": ""})
    assert [one.text for one in agreements(anna)[0].remarks] == ["Gelukt.", "Het is gedaan."]


def test_words_of_a_professional_that_arrived_late_are_not_called_unsaved(joost, agreed):
    flaky = joost.make_flaky()
    flaky.error = Unreachable("no answer")
    form = {f"went-{agreed}": "doing", f"note-{agreed}": "Twee keer gelukt.", "was": "planned"}
    joost.post(f"overview/together/agreements/{agreed}", form)
    flaky.error = None
    joost.courier_comes()
    assert text_of(joost.get("overview/together/report")).count("Twee keer gelukt.") == 1
    assert field(joost.get("overview/together/").text, f"note-{agreed}") == ""


def test_words_that_were_typed_after_those_that_arrived_late_stay(anna, agreed):
    flaky = anna.make_flaky()
    flaky.error = Unreachable("no answer")
    press(anna, agreed, "doing", **{f"note-{agreed}": "Gelukt."})
    anna.post(f"visits/agreements/{agreed}", {f"note-{agreed}": "En nog eens."}, headers=JSON)
    flaky.error = None
    anna.courier_comes()
    assert field(anna.get("visits/").text, f"note-{agreed}") == "En nog eens."


@pytest.mark.parametrize("role", ["client", "clinician"])
def test_words_that_stand_in_another_tab_are_not_said_by_a_press_in_this_one(app, agreed, role):
    visitor = launched(app, role=role)
    path = f"visits/agreements/{agreed}" if role == "client" else f"overview/together/agreements/{agreed}"
    went = "went" if role == "client" else f"went-{agreed}"
    page = visitor.get("visits/" if role == "client" else "overview/together/").text
    here = {f"note-{agreed}": "", f"seen-note-{agreed}": field(page, f"seen-note-{agreed}"), "was": "planned"}
    visitor.post(path, {f"note-{agreed}": "Nog niet voor anderen."}, headers=JSON)
    answer = visitor.post(path, {**here, went: "done"})
    assert answer.status_code == 409
    assert "in een ander tabblad iets getypt" in text_of(answer)
    assert field(answer.text, f"note-{agreed}") == "Nog niet voor anderen."
    assert agreements(visitor)[0].remarks == ()


def test_a_way_back_leads_to_no_other_page(anna, agreed):
    page = anna.get(press(anna, agreed, "done").location)
    mark = re.search(r'name="undo" value="(\w+)"', page.text)[1]
    assert anna.post("plan/domains", {"undo": mark}).status_code == 303
    assert agreements(anna)[0].status == "done"
