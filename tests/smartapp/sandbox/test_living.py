"""What made-up people wrote in living forms: read strictly from their file, and found by the app where it looks."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from questionnaires.catalogue import catalogue
from questionnaires.reading import DefinitionError
from smartapp.fhir.store import Query
from smartapp.offer import EXAMPLE, read_offer
from smartapp.records import Record
from smartapp.sandbox import checking, make_sandbox, seeding
from smartapp.sandbox.person_files import SeedError, read_people
from smartapp.storage.database import open_database
from smartapp.storage.launches import Launch, Person, User
from smartapp.web.living import queries, read_forms
from tests.new_form import ask_also

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
PERSON = """
id = "ria"
order = 1
given = ["Ria"]
family = "Voorbeeld"
gender = "female"
birth_date = "1980-01-01"
clinician = "joost-terpstra"
team = []
about = { nl = "Ria heeft een tuin.", en = "Ria has a garden." }
"""
GARDEN = """
[living.garden]
days_ago = 20
story = "Onkruid.\\n\\nEn een roos."
tools = ["hark", "schep"]
shared = true
look-again = { in_days = 30 }

[[living.garden.rows.plants]]
plant = "munt"
place = ["1", "2"]

[[living.garden.rows.plants]]
plant = "roos"

[[living.garden.rows.beds]]
bed = "meaning"
grows = "Rust."

[[living.garden.rows.beds]]
bed = "housing"
weeded = { days_ago = 40 }
"""
PLAN = """
[plan]
days_ago = 30
texts = { strengths = ["Mijn zus"] }
goal = [{ text = "Een moestuin", domain = "housing", start_days_ago = 30 }]
"""


@pytest.fixture
def sandbox():
    engine = open_database("sqlite://")
    yield make_sandbox(engine, "http://127.0.0.1:1", clients=())
    engine.dispose()


@pytest.fixture
def seeded(sandbox, tmp_path, monkeypatch):
    """Return a function that fills the sandbox with what a file about Ria says, and tells what the app reads of her."""

    def seed(text: str, **more):
        known = ask_also(monkeypatch, tmp_path)
        folder = tmp_path / "people"
        folder.mkdir()
        (folder / "ria.toml").write_text(PERSON + text, encoding="utf-8")
        monkeypatch.setattr(seeding, "people", lambda: read_people(folder))
        seeding.seed(sandbox, NOW, **more)
        launch = launch_at(sandbox.base, more.get("issuer", sandbox.base))
        [query] = queries(launch, known)
        found = [Record(one.resource, one.etag, "ehr") for one in sandbox.store.search(query)]
        return read_forms(found, None, known=known, launch=launch)

    return seed


def launch_at(address: str, key: str) -> Launch:
    user = User("Patient/ria", "Ria Voorbeeld", "client", key, "ria")
    return Launch("", "", address, "ria", Person("Patient/ria", "Ria Voorbeeld"), user, "")


def the(sandbox, type_: str):
    [found] = [one for one in everything(sandbox) if one["resourceType"] == type_]
    return found


def everything(sandbox):
    types = ("CarePlan", "QuestionnaireResponse", "Goal")
    return [one.resource for type_ in types for one in sandbox.store.search(Query.of(type_, patient="Patient/ria"))]


def test_the_app_finds_what_the_file_says(seeded, sandbox):
    stored = seeded(GARDEN)["garden"]
    content = stored.content
    assert content.answers == {
        "garden-story": ("Onkruid.\n\nEn een roos.",),
        "garden-tools": ("hark", "schep"),
        "garden-shared": ("true",),
        "garden-look-again": ("2026-12-22",),
    }
    plants = [row.answers for row in content.rows_of("garden-plants")]
    assert plants == [{"garden-plant": ("munt",), "garden-place": ("1", "2")}, {"garden-plant": ("roos",)}]
    beds = [(row.of("garden-bed"), row.of("garden-weeded")) for row in content.rows_of("garden-beds")]
    assert beds == [("meaning", "2026-11-02"), ("housing", "2026-10-13")]
    assert stored.changed == "2026-11-02T09:20:00Z"
    for resource in everything(sandbox):
        checking.check(resource)


def test_it_is_written_as_the_app_writes_it_and_named_by_the_plan(seeded, sandbox):
    seeded(GARDEN + PLAN)
    made, plan = the(sandbox, "QuestionnaireResponse"), the(sandbox, "CarePlan")
    assert (made["status"], made["author"], made["source"]) == ("completed", made["subject"], made["subject"])
    [link] = plan["supportingInfo"]
    assert link["identifier"] == made["identifier"]
    assert plan["extension"], "what is in no living form stays in the plan"


def test_a_form_alone_begins_a_plan(seeded, sandbox):
    seeded(GARDEN)
    assert the(sandbox, "CarePlan")["supportingInfo"]
    assert the(sandbox, "CarePlan")["created"] == "2026-11-02T09:20:00Z"


def test_the_app_may_know_the_sandbox_by_another_name(seeded):
    assert seeded(GARDEN, issuer="sandbox")["garden"].content


def test_a_professional_may_have_typed_it_and_their_part_is_theirs(seeded, sandbox):
    there = GARDEN.replace("days_ago = 20", 'days_ago = 20\ntyped_by = "fatiha-amrani"\nneighbour = "Een heg."', 1)
    content = seeded(there)["garden"].content
    made = the(sandbox, "QuestionnaireResponse")
    assert made["author"]["display"] == "Fatiha Amrani"
    assert made["source"] == made["subject"]
    assert content.authors == {"garden-neighbour": "Fatiha Amrani"}


def test_only_a_professional_of_the_place_can_have_typed_it(seeded):
    with pytest.raises(SeedError, match=r"living\.garden: typed_by is 'mila'; the professionals are .*joost-terpstra"):
        seeded(GARDEN.replace("days_ago = 20", 'days_ago = 20\ntyped_by = "mila"', 1))


def test_a_made_up_person_had_a_first_conversation_of_which_the_demo_shows_everything():
    form = catalogue().living["intake"]
    entry = seeding.people()["sem"].living["intake"]
    asked = {item.link_id.removeprefix("intake-") for group in form.groups if not group.many for item in group.items}
    assert entry.answers.keys() == asked
    assert [row["role"] for row in entry.rows["present"]] == ["1", "2", "3", "4", "5"]
    assert entry.typed_by
    offered = {one.name.nl for one in read_offer(EXAMPLE)}
    assert len(set(entry.answers["chosen"]) & offered) == 3
    assert len(set(entry.answers["chosen"]) - offered) == 1, "one that the place has no more"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("days_ago = 20", "", "living.garden.days_ago: is missing"),
        ("days_ago = 20", "days_ago = -1", "living.garden.days_ago: is -1; it must be a number of days"),
        ('["hark"', '[""', "living.garden.tools[1]: is empty or has space"),
        ("shared = true", "shared = 1", "living.garden.shared: is 1; it must be"),
        ("{ in_days = 30 }", "{ in_day = 30 }", "living.garden.look-again.in_day: is not a known key"),
        ("{ in_days = 30 }", "{}", "living.garden.look-again: is no day"),
        ("{ days_ago = 40 }", "{}", "living.garden.rows.beds[2].weeded: is no day"),
        ('plant = "munt"', "plant = 3", "living.garden.rows.plants[1].plant: is 3; it must be"),
    ],
)
def test_what_can_not_be_in_any_form_is_refused_with_file_and_key(old, new, message, tmp_path):
    assert old in GARDEN
    (tmp_path / "ria.toml").write_text(PERSON + GARDEN.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DefinitionError, match=rf"^ria\.toml: {re.escape(message)}"):
        read_people(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[living.garden]", "[living.gardn]\ndays_ago = 1\n[living.garden]", "there is no such living form"),
        ("story =", "stori =", "stori is not asked here; what is asked is story, tools,"),
        ("story =", 'plant = "x"\nstory =', "plant is not asked here"),
        ("rows.plants", "rows.plant", "rows.plant is no group with rows; those are beds, plants"),
        ('["1", "2"]', '"3"', "garden-place has no option '3'"),
        ('"meaning"', '"mening"', "garden-bed has no option 'mening'"),
        ("shared = true", 'shared = "ja"', "garden-shared is a boolean, and 'ja' is none"),
        ("{ in_days = 30 }", '"morgen"', "garden-look-again is a date, and 'morgen' is none"),
        ('"Rust."', '["Rust.", "Groen."]', "garden-grows takes one answer; 2 are given"),
    ],
)
def test_what_this_form_can_not_have_is_refused_with_the_place(seeded, old, new, message):
    assert old in GARDEN
    with pytest.raises(SeedError, match=rf"people/ria\.toml: living\.\w+: .*{re.escape(message)}"):
        seeded(GARDEN.replace(old, new, 1).replace("[[living.gardn", "[[living.garden"))


def test_no_item_is_called_as_the_keys_beside_the_items():
    shorts = {item.link_id.removeprefix(f"{form.id}-") for form in catalogue().living.values() for item in form.items}
    assert shorts.isdisjoint({"days_ago", "typed_by", "rows"})


GOAL = """
[[living.goal-support.rows.goals]]
goal = "Een moes"
support = "Een schep."

[living.goal-support]
days_ago = 10
"""


def test_a_goal_is_named_by_the_words_it_begins_with(seeded, sandbox):
    content = seeded(PLAN + GOAL)["goal-support"].content
    [row] = content.rows_of("goal-support-goals")
    assert row.of("goal-support-goal") == the(sandbox, "Goal")["identifier"][0]["value"]
    assert content.goals == {row.of("goal-support-goal"): "Een moestuin"}


@pytest.mark.parametrize(("words", "found"), [("Een kas", 0), ("Een", 2)])
def test_words_that_no_goal_or_two_goals_begin_with_are_refused(seeded, words, found):
    two = PLAN.replace("goal = [", 'goal = [{ text = "Een kip", domain = "housing", start_days_ago = 3 }, ')
    with pytest.raises(SeedError, match=f"goal-support-goal: {found} goals begin with '{words}'; it must be one"):
        seeded(two + GOAL.replace("Een moes", words))
