"""What is written in a living form survives every round trip, on servers that keep it in their own way too."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from mappers.living import Content, Row, Written, content_of, field_name, from_plan, response_of
from mappers.living.content import as_field, from_field, tick
from mappers.living.reading import AUTHOR_URL, GOAL_URL
from mappers.plan import PersonRef
from questionnaires.canonical import structure_url
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument
from smartapp.fhir.checked import problems
from tests.examples import examples
from tests.mappers.build import bent
from tests.mappers.living import (
    ANNA,
    FORMS,
    GOALS,
    ON_FRIDAY,
    ON_MONDAY,
    SERVERS,
    Server,
    answers_alone,
    content_for,
    full,
    without_ids,
    without_systems,
    written,
)
from tests.new_form import garden

GARDEN = garden()
KARIM = {"reference": "Practitioner/karim", "display": "Karim Aziz"}
MARIA_ON_SUNDAY = Written(ANNA, PersonRef("Practitioner/maria", "Maria Bos"), "2026-05-10T10:00:00+02:00")
every_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.id)
servers = st.sampled_from(SERVERS)
few = examples(15, suppress_health_check=[HealthCheck.too_slow])
some = examples(40, suppress_health_check=[HealthCheck.too_slow])


# ---- round trips -----------------------------------------------------------------------------------------------------


@every_form
@few
@given(data=st.data())
def test_what_is_written_is_read_back(form: Instrument, data):
    content = data.draw(content_for(form, first=False))
    made = written(content)
    assert content_of(json.loads(json.dumps(made)), form) == content
    assert content_of(made, form).goals.keys() <= GOALS.keys()


@every_form
@few
@given(data=st.data())
def test_what_is_changed_is_read_back_and_nothing_of_before_with_it(form: Instrument, data):
    before, after = data.draw(content_for(form)), data.draw(content_for(form))
    assert content_of(written(after, written(before), ON_FRIDAY), form) == after


@every_form
@few
@given(data=st.data())
def test_a_row_keeps_its_key_wherever_it_goes(form: Instrument, data):
    content = data.draw(content_for(form))
    rows = {group: data.draw(st.permutations(there)) for group, there in content.rows.items()}
    moved = Content(form, content.answers, {group: tuple(there) for group, there in rows.items()}, GOALS)
    made = written(moved, written(content))
    assert content_of(made, form) == moved
    kept = {one["id"]: one["item"] for one in written(content).get("item", []) if "id" in one}
    assert {one["id"]: one["item"] for one in made.get("item", []) if "id" in one} == kept


@every_form
@few
@given(data=st.data())
def test_an_answer_that_is_not_changed_comes_back_to_the_byte(form: Instrument, data):
    """Also in another language, in which its question has other words."""
    content = data.draw(content_for(form))
    made = written(content)
    assert written(content, made, ON_FRIDAY).get("item") == made.get("item")


# ---- servers that keep it in their own way ---------------------------------------------------------------------------


@every_form
@some
@given(data=st.data(), server=servers)
def test_a_server_that_changes_it_loses_nothing(form: Instrument, server: Server, data):
    content = data.draw(content_for(form))
    assert answers_alone(content_of(server(written(content)), form)) == answers_alone(content)


@every_form
@some
@given(data=st.data(), server=servers)
def test_and_what_it_kept_is_changed_once_and_nothing_comes_back(form: Instrument, server: Server, data):
    """Nothing doubles, and what is taken out stays out, however often it goes to and fro."""
    kept = server(written(data.draw(content_for(form))))
    read = content_of(kept, form)
    assert content_of(written(read, kept), form) == read
    after = data.draw(st.sampled_from([_without_first_row(read), _without_answers(read), data.draw(content_for(form))]))
    once = written(after, kept)
    assert content_of(once, form) == after
    assert answers_alone(content_of(server(written(after, server(once))), form)) == answers_alone(after)


def _without_first_row(content: Content) -> Content:
    for group, (row, *_rest) in content.rows.items():
        return content.without_row(group, row.key)
    return content


def _without_answers(content: Content) -> Content:
    return Content(content.form, {}, content.rows, content.goals)


@every_form
@few
@given(data=st.data())
def test_an_unchanged_answer_stays_as_another_server_wrote_it(form: Instrument, data):
    kept = without_systems(written(data.draw(content_for(form))))
    again = written(content_of(kept, form), kept, ON_FRIDAY)
    assert again.get("item") == kept.get("item")


def test_rows_without_ids_are_told_apart_by_their_place_and_then_keep_that_name():
    content = Content(GARDEN, {}, {"garden-plants": (_plant("a", "roos"), _plant("b", "munt"))})
    kept = without_ids(written(content))
    read = content_of(kept, GARDEN)
    assert [row.key for row in read.rows_of("garden-plants")] == ["n1", "n2"]
    made = written(read.without_row("garden-plants", "n1"), kept)
    [row] = content_of(made, GARDEN).rows_of("garden-plants")
    assert (row.key, row.of("garden-plant")) == ("n2", "munt")


@pytest.mark.parametrize("id_", ["a", "with space", "", "x" * 65, 7, None, "../../x"])
def test_an_id_that_is_taken_or_none_names_no_row(id_):
    one, two = ({"linkId": "garden-plants", "id": name, "item": [_said("garden-plant", "x")]} for name in ("a", id_))
    rows = content_of({"item": [one, two]}, GARDEN).rows_of("garden-plants")
    assert [row.key for row in rows] == ["a", "n2"]


def _plant(key: str, name: str) -> Row:
    return Row(key, {"garden-plant": (name,)})


def _said(link_id: str, text: str) -> Resource:
    return {"linkId": link_id, "answer": [{"valueString": text}]}


# ---- what others put into it -----------------------------------------------------------------------------------------

STRANGER = {"linkId": "theirs", "text": "Van een ander", "answer": [{"valueString": "stranger"}]}
NESTED = {"linkId": "their-page", "extension": [{"url": "https://x.example", "valueString": "s"}], "item": [STRANGER]}


def _strangers(made: Any) -> int:
    return json.dumps(made).count("stranger")


@every_form
@few
@given(data=st.data())
def test_what_others_added_survives(form: Instrument, data):
    """Beside our items, in our groups, and in rows that stay; with words, answers and extensions."""
    content = data.draw(content_for(form))
    kept = written(content)
    kept["item"] = [STRANGER, *kept.get("item", []), NESTED]
    inside = 2
    for item in kept["item"][1:-1]:
        item["item"] = [NESTED, *item["item"], STRANGER]
        inside += 2
    kept["extension"] = [{"url": "https://x.example", "valueString": "stranger"}]
    changed = content.with_fields(_some_fields(content))
    assert _strangers(written(changed, kept)) == inside + 1
    assert content_of(written(changed, kept), form) == changed


def _some_fields(content: Content) -> dict[str, str]:
    """Return the fields of the first row and the first question, with other words where they take any."""
    fields = {}
    for group in content.form.groups:
        keys = [row.key for row in content.rows_of(group.link_id)][:1] if group.many else [""]
        for key in keys:
            for item in group.items:
                if item.kind in ("text", "line"):
                    fields[field_name(item.link_id, key)] = "Andere woorden"
    return fields


def test_a_row_without_an_answer_of_ours_is_the_work_of_others_and_stays_where_it_is():
    kept = written(Content(GARDEN, {}, {"garden-plants": (_plant("a", "roos"), _plant("b", "munt"))}))
    kept["item"].insert(1, {"linkId": "garden-plants", "id": "theirs", "item": [STRANGER]})
    read = content_of(kept, GARDEN)
    assert [row.key for row in read.rows_of("garden-plants")] == ["a", "b"]
    made = written(read.with_fields({"garden-care.b": "Water"}), kept)
    assert [one["id"] for one in made["item"]] == ["a", "theirs", "b"]
    without = written(read.without_row("garden-plants", "a"), kept)
    assert [one["id"] for one in without["item"]] == ["theirs", "b"]


def test_what_can_not_be_read_as_an_answer_is_kept_until_the_client_answers_that_question():
    theirs = {"linkId": "garden-shared", "answer": [{"valueString": "stranger"}]}
    kept = {"resourceType": "QuestionnaireResponse", "item": [{"linkId": "garden-now", "item": [theirs]}]}
    read = content_of(kept, GARDEN)
    assert not read
    assert _strangers(written(read.with_fields({"garden-story": "Onkruid."}), kept)) == 1
    assert _strangers(written(read.with_fields({"garden-shared": "true"}), kept)) == 0


def test_of_several_answers_those_of_others_stay_beside_those_that_are_changed():
    other = {"valueCoding": {"system": "https://x.example", "code": "1", "display": "stranger"}}
    sun = {"valueCoding": {"code": "2"}}
    plant = {"linkId": "garden-plants", "id": "a", "item": [{"linkId": "garden-place", "answer": [sun, other]}]}
    read = content_of({"item": [plant]}, GARDEN)
    assert read.rows_of("garden-plants")[0].answers == {"garden-place": ("2",)}
    made = written(read.with_fields({"garden-place.a": "1,2"}), {"item": [plant]})
    assert _strangers(made) == 1
    assert content_of(made, GARDEN).field("garden-place.a") == "1,2"


def test_what_others_wrote_below_an_answer_stays_when_it_is_changed_and_when_it_is_taken_away():
    """Such as a remark of a professional: below the answer itself, or below its question."""
    below = {"linkId": "garden-story", "answer": [{"valueString": "Onkruid.", "item": [STRANGER]}]}
    beside = {**_said("garden-tools", "hark"), "item": [STRANGER]}
    kept = {"item": [{"linkId": "garden-now", "item": [below, beside]}]}
    read = content_of(kept, GARDEN)
    for text in ("Een roos.", ""):
        changed = read.with_fields({"garden-story": text, "garden-tools": text})
        made = written(changed, kept)
        assert _strangers(made) == 2
        assert content_of(made, GARDEN) == changed
        assert problems(made) == []
        again = changed.with_fields({"garden-story": "Toch onkruid."})
        assert _strangers(written(again, made)) == 2


def test_of_several_answers_one_that_is_not_changed_stays_as_it_was_written():
    hark = {"id": "a1", "extension": [{"url": "https://x.example", "valueString": "stranger"}], "valueString": "hark"}
    kept = {"item": [{"linkId": "garden-now", "item": [{"linkId": "garden-tools", "answer": [hark]}]}]}
    made = written(content_of(kept, GARDEN).with_fields({"garden-tools": "schep\nhark"}), kept)
    [item] = made["item"][0]["item"]
    assert item["answer"] == [{"valueString": "schep"}, hark]


def test_the_narrative_of_others_does_not_go_on_saying_what_was_taken_out():
    kept = {
        **written(Content(GARDEN, {"garden-story": ("Geheim.",)})),
        "text": {"status": "generated", "div": "Geheim."},
    }
    assert "Geheim." not in json.dumps(written(Content(GARDEN, {"garden-tools": ("hark",)}), kept))


def test_an_item_of_the_form_inside_another_is_written_once():
    """As a server makes it that puts each question below the one before."""
    nested = {**_said("garden-story", "Een."), "item": [_said("garden-tools", "hark")]}
    kept = {"item": [nested]}
    read = content_of(kept, GARDEN)
    assert read.answers == {"garden-story": ("Een.",), "garden-tools": ("hark",)}
    for fields in ({"garden-tools": "schep"}, {"garden-tools": ""}, {"garden-story": ""}):
        changed = read.with_fields(fields)
        assert content_of(written(changed, kept), GARDEN) == changed


# ---- what is written around the answers ------------------------------------------------------------------------------


def test_a_response_says_who_typed_whose_words_these_are_and_that_it_was_changed():
    first = written(Content(GARDEN, {"garden-story": ("Een.",)}))
    assert (first["status"], first["author"], first["source"]) == (
        "completed",
        ANNA.as_reference(),
        ANNA.as_reference(),
    )
    second = written(Content(GARDEN, {"garden-story": ("Twee.",)}), first, ON_FRIDAY)
    assert second["status"] == "amended"
    assert second["author"]["reference"] == "Practitioner/karim"
    assert second["source"] == ANNA.as_reference()
    assert second["authored"] == ON_FRIDAY.when
    assert second["language"] == "nl"  # it keeps the language that it was begun in
    assert second["identifier"] == first["identifier"]


def test_what_is_a_professionals_part_says_who_wrote_it_and_what_is_the_clients_never():
    made = written(full(GARDEN), by=ON_FRIDAY)
    signed = {one["linkId"]: one["extension"] for one in _items_in(made) if "extension" in one}
    assert signed == {"garden-neighbour": [{"url": AUTHOR_URL, "valueReference": KARIM}]}
    assert content_of(made, GARDEN).authors == {"garden-neighbour": "Karim Aziz"}


def test_who_wrote_their_part_stays_its_writer_until_someone_else_changes_it():
    made = written(full(GARDEN), by=ON_FRIDAY)
    again = written(content_of(made, GARDEN).with_fields({"garden-story": "Anders"}), made, MARIA_ON_SUNDAY)
    assert content_of(again, GARDEN).authors == {"garden-neighbour": "Karim Aziz"}
    changed = written(content_of(again, GARDEN).with_fields({"garden-neighbour": "Een heg"}), again, MARIA_ON_SUNDAY)
    assert content_of(changed, GARDEN).authors == {"garden-neighbour": "Maria Bos"}


def test_a_part_that_the_client_typed_names_no_professional():
    made = written(full(GARDEN), by=ON_FRIDAY)
    taken = written(content_of(made, GARDEN).with_fields({"garden-neighbour": "Een heg"}), made, ON_MONDAY)
    assert content_of(taken, GARDEN).authors == {}
    assert AUTHOR_URL not in json.dumps(taken)


def test_a_name_at_a_question_of_the_client_makes_it_nobody_elses():
    """Another program may name who typed there; the words are the client's all the same."""
    made = written(full(GARDEN))
    for one in _items_in(made):
        one["extension"] = [{"url": AUTHOR_URL, "valueReference": KARIM}]
    assert content_of(made, GARDEN).authors == {"garden-neighbour": "Karim Aziz"}


def _items_in(parent: Resource) -> list[Resource]:
    inside = parent.get("item", [])
    return [found for one in inside for found in (one, *_items_in(one)) if "answer" in found]


@given(st.lists(st.text(alphabet="a,%25CD0\r\n", min_size=1).filter(str.strip), min_size=1, max_size=3))
def test_names_that_are_ticked_may_have_any_signs(names):
    [item] = [one for form in catalogue().living.values() for one in form.items if one.from_offer]
    given_ = tuple(name.strip() for name in names)
    field = as_field(item, given_)
    assert field.split(",") == [tick(name) for name in given_]
    assert from_field(item, field) == given_
    assert not {"\r", "\n"} & set(field)


def test_an_emptied_form_is_a_response_without_items():
    made = written(Content(GARDEN), written(Content(GARDEN, {"garden-story": ("Een.",)})))
    assert "item" not in made
    assert not content_of(made, GARDEN)


def test_a_goal_has_its_words_and_is_named_by_our_identifier():
    form = catalogue().living["goal-support"]
    row = Row("a", {"goal-support-goal": (next(iter(GOALS)),)})
    made = written(Content(form, {}, {"goal-support-goals": (row,)}, GOALS))
    [answer] = made["item"][0]["item"][0]["answer"]
    assert answer["valueString"] == "Zwemmen"
    [link] = answer["extension"]
    assert (link["url"], link["valueReference"]["identifier"]["value"]) == (GOAL_URL, next(iter(GOALS)))


def test_the_words_of_a_goal_stay_as_they_were_when_that_was_written():
    form = catalogue().living["goal-support"]
    goal = next(iter(GOALS))
    row = Row("a", {"goal-support-goal": (goal,)})
    made = written(Content(form, {}, {"goal-support-goals": (row,)}, GOALS))
    now = Content(form, {}, {"goal-support-goals": (row,)}, {goal: "Duiken"}).with_fields(
        {"goal-support-helps.a": "Zon"}
    )
    again = written(now, made)
    assert again["item"][0]["item"][0] == made["item"][0]["item"][0]
    assert content_of(again, form) == now


def test_a_goal_whose_link_a_server_dropped_goes_by_its_words():
    form = catalogue().living["goal-support"]
    row = Row("a", {"goal-support-goal": (next(iter(GOALS)),)})
    made = written(Content(form, {}, {"goal-support-goals": (row,)}, GOALS))
    del made["item"][0]["item"][0]["answer"][0]["extension"]
    assert content_of(made, form).rows_of("goal-support-goals")[0].of("goal-support-goal") == "Zwemmen"


# ---- before there were living forms ----------------------------------------------------------------------------------

WAS = [(form, item) for form in FORMS for item in form.items if item.was]


def test_there_are_forms_whose_words_were_in_the_plan():
    assert {item.was for _form, item in WAS} == {"life-story", "strength", "stressor"}


@pytest.mark.parametrize(("form", "item"), WAS, ids=lambda one: getattr(one, "id", getattr(one, "link_id", "")))
def test_words_of_the_plan_are_read_and_then_written_as_the_forms_own(form: Instrument, item):
    texts = ["Ik zing.\n\nZacht.", "Mijn zus"]
    plan = {"extension": [{"url": structure_url(item.was), "valueString": text} for text in texts]}
    content = from_plan(plan, form)
    found = [row.of(item.link_id) for row in content.all_rows] or list(content.answers[item.link_id])
    assert found == (texts if content.rows else texts[:1])
    assert from_plan(plan, form) == content  # rows have the same keys each time: two tabs begin with the same
    assert content_of(written(content), form) == content


@pytest.mark.parametrize(
    "plan", [None, [], {"extension": 7}, {"extension": [None, {"url": structure_url("strength")}]}]
)
def test_a_plan_without_such_words_begins_an_empty_form(plan):
    assert not any(from_plan(plan, form) for form in FORMS)


# ---- what is no form at all ------------------------------------------------------------------------------------------


@every_form
@some
@given(data=st.data())
def test_a_bent_response_is_read_and_written_on_and_says_then_what_it_says(form: Instrument, data):
    changed = data.draw(bent(st.just(written(full(form)))))
    read = content_of(changed, form)
    if not isinstance(changed, dict):
        return
    made = response_of(read, ON_MONDAY, identifier="r-1", existing=copy.deepcopy(changed))
    assert content_of(made, form) == read
