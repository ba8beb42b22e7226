"""The own store: versions, guarded updates, units, searches, and records that stay apart."""

import os
import threading
import uuid

import pytest

from smartapp.fhir.own.dates import date_range
from smartapp.fhir.own.search import understand
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Conflict, NotFound, Query, Refused, Write
from smartapp.storage.database import open_database, writing

BASE = "http://127.0.0.1/fhir"


# A PostgreSQL database that may be filled, such as postgresql+psycopg://postgres@localhost/verstel_test
POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL")


@pytest.fixture(params=["sqlite", *(["postgresql"] if POSTGRESQL else [])])
def store(request, tmp_path):
    """An empty store in every kind of database there is to test on."""
    sqlite = f"sqlite:///{tmp_path / 'own.db'}"
    engine = open_database(sqlite if request.param == "sqlite" else POSTGRESQL)
    yield OwnStore(engine, BASE, tenant=str(uuid.uuid4()))
    engine.dispose()


def goal(text="Weer gitaar spelen", patient="1", **more):
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": text},
        "subject": {"reference": f"Patient/{patient}", "display": "Iemand"},
        **more,
    }


def test_create_gives_an_id_a_version_and_an_etag(store):
    stored = store.write(Write("create", goal()))
    assert stored.etag == 'W/"1"'
    assert stored.resource["meta"]["versionId"] == "1"
    assert store.read("Goal", stored.resource["id"]) == stored


def test_update_makes_a_new_version_and_keeps_the_old_one(store):
    first = store.write(Write("create", goal()))
    second = store.write(Write("update", {**first.resource, "description": {"text": "Elke week"}}, first.etag))
    assert second.etag == 'W/"2"'
    texts = [version.resource["description"]["text"] for version in store.history("Goal", first.resource["id"])]
    assert texts == ["Elke week", "Weer gitaar spelen"]
    assert store.read_version("Goal", first.resource["id"], "1") == first


def test_update_on_a_stale_version_is_a_conflict_that_shows_what_is_stored_and_overwrites_nothing(store):
    first = store.write(Write("create", goal()))
    second = store.write(Write("update", {**first.resource, "description": {"text": "Elke week"}}, first.etag))
    with pytest.raises(Conflict) as conflict:
        store.write(Write("update", {**first.resource, "description": {"text": "Nooit"}}, first.etag))
    assert conflict.value.current == second
    assert store.read("Goal", first.resource["id"]) == second


def test_two_at_once_on_one_version_give_one_winner_and_one_conflict(store):
    first = store.write(Write("create", goal()))
    barrier, results = threading.Barrier(8), []

    def save(number):
        barrier.wait()
        try:
            store.write(Write("update", {**first.resource, "description": {"text": str(number)}}, first.etag))
            results.append("stored")
        except Conflict:
            results.append("conflict")

    threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["conflict"] * 7 + ["stored"]


def test_if_match_that_is_no_etag_is_refused(store):
    first = store.write(Write("create", goal()))
    with pytest.raises(Refused, match='such as W/"3"'):
        store.write(Write("update", first.resource, "3"))


def test_update_of_something_absent_with_if_match_is_a_conflict_without_a_current_version(store):
    with pytest.raises(Conflict) as conflict:
        store.write(Write("update", {**goal(), "id": "new"}, 'W/"1"'))
    assert conflict.value.current is None


def test_many_who_create_the_same_id_at_once_make_one_resource_with_all_versions(store):
    barrier = threading.Barrier(6)

    def save(number):
        barrier.wait()
        store.write(Write("update", {**goal(str(number)), "id": "mine"}))

    threads = [threading.Thread(target=save, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    texts = {version.resource["description"]["text"] for version in store.history("Goal", "mine")}
    assert texts == {"0", "1", "2", "3", "4", "5"}


def test_update_with_an_own_id_creates(store):
    assert store.write(Write("update", {**goal(), "id": "mine"})).etag == 'W/"1"'


@pytest.mark.parametrize("bad", [None, "", "a b", "x" * 65, "../etc"])
def test_update_with_an_id_that_fhir_does_not_allow_is_refused(store, bad):
    with pytest.raises(Refused, match=r"Goal\.id"):
        store.write(Write("update", {**goal(), "id": bad}))


def test_create_under_a_new_id_writes_once_and_then_shows_what_is_there(store):
    first = store.write(Write("create", goal(), new_id="mine"))
    second = store.write(Write("create", goal("Iets anders"), new_id="mine"))
    assert (first.reference, first.created) == ("Goal/mine", True)
    assert (second, second.created) == (first, False)
    assert len(store.history("Goal", "mine")) == 1


def test_a_unit_with_new_ids_can_be_sent_again_after_half_of_its_ids_were_taken(store):
    store.write(Write("create", goal(), new_id="a"))
    made = store.write_all([Write("create", goal(), new_id="a"), Write("create", goal(), new_id="b")])
    assert [(one.reference, one.created) for one in made] == [("Goal/a", False), ("Goal/b", True)]


@pytest.mark.parametrize("bad", ["", "a b", "x" * 65, "../etc"])
def test_create_under_an_id_that_fhir_does_not_allow_is_refused(store, bad):
    with pytest.raises(Refused, match=r"Goal\.id"):
        store.write(Write("create", goal(), new_id=bad))


def test_a_write_says_whether_it_made_the_resource(store):
    first = store.write(Write("create", goal()))
    assert first.created is True
    assert store.write(Write("update", first.resource)).created is False
    assert store.write(Write("update", {**goal(), "id": "mine"})).created is True
    assert store.read("Goal", "mine").created is None


def test_conditional_create_writes_once(store):
    resource = goal(identifier=[{"system": "urn:x", "value": "g1"}])
    write = Write("create", resource, if_none_exist="identifier=urn:x|g1")
    first, second = store.write(write), store.write(write)
    assert first == second
    assert (first.created, second.created) == (True, False)
    assert len(store.search(Query.of("Goal"))) == 1


def test_conditional_create_at_once_from_many_threads_writes_once(store):
    resource = goal(identifier=[{"system": "urn:x", "value": "g1"}])
    barrier = threading.Barrier(6)

    def save():
        barrier.wait()
        store.write(Write("create", resource, if_none_exist="identifier=urn:x|g1"))

    threads = [threading.Thread(target=save) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.search(Query.of("Goal"))) == 1


def test_conditional_create_that_matches_two_is_refused(store):
    for _ in range(2):
        store.write(Write("create", goal(identifier=[{"system": "urn:x", "value": "g1"}])))
    with pytest.raises(Refused, match="more than one") as refused:
        store.write(Write("create", goal(), if_none_exist="identifier=urn:x|g1"))
    assert refused.value.status == 412


def test_a_unit_is_written_as_a_whole_and_its_names_become_references(store):
    name = "urn:uuid:7f0e6a4e-0000-4000-8000-000000000001"
    plan = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": "Patient/1"},
        "goal": [{"reference": name, "display": "Gitaar"}],
    }
    stored_goal, stored_plan = store.write_all([Write("create", goal(), full_url=name), Write("create", plan)])
    assert stored_plan.resource["goal"] == [{"reference": stored_goal.reference, "display": "Gitaar"}]
    assert store.search(Query.of("CarePlan", goal=stored_goal.reference)) == [stored_plan]


def test_one_conflict_in_a_unit_leaves_nothing_of_it(store):
    first = store.write(Write("create", goal()))
    store.write(Write("update", first.resource, first.etag))
    with pytest.raises(Conflict):
        store.write_all([Write("create", goal("Nieuw")), Write("update", first.resource, first.etag)])
    assert len(store.search(Query.of("Goal"))) == 1


def test_a_reference_to_a_name_that_nothing_in_the_unit_has_is_refused_and_nothing_is_written(store):
    plan = {"resourceType": "CarePlan", "goal": [{"reference": "urn:uuid:7f0e6a4e-0000-4000-8000-00000000000f"}]}
    with pytest.raises(Refused, match="nothing in this unit"):
        store.write_all([Write("create", goal()), Write("create", plan)])
    assert store.search(Query.of("Goal")) == []


def test_the_same_resource_twice_in_a_unit_is_refused(store):
    with pytest.raises(Refused, match="more than once"):
        store.write_all([Write("update", {**goal(), "id": "g"}), Write("update", {**goal(), "id": "g"})])


def test_text_survives_exactly(store):
    text = "  Ik wil\tweer \U0001f3b8 spelen\n\n– \"echt\" 'waar' \\ <b>nu</b> \u202e "
    stored = store.write(Write("create", goal(text)))
    assert store.read("Goal", stored.resource["id"]).resource["description"]["text"] == text


def test_a_text_with_a_null_character_is_refused(store):
    with pytest.raises(Refused, match=r"U\+0000"):
        store.write(Write("create", goal("a\0b")))
    with pytest.raises(Refused, match=r"U\+0000"):
        store.search(Query.of("Goal", identifier="a\0b"))


def test_a_text_that_only_spells_a_null_character_is_kept(store):
    stored = store.write(Write("create", goal("\\u0000 \\\\u0000")))
    assert store.read("Goal", stored.resource["id"]) == stored


def test_tenants_do_not_see_each_other(store):
    other = OwnStore(store.engine, "http://127.0.0.1/other")
    stored = store.write(Write("create", goal()))
    assert other.search(Query.of("Goal")) == []
    with pytest.raises(NotFound):
        other.read("Goal", stored.resource["id"])


@pytest.mark.skipif(not POSTGRESQL, reason="SQLite has one writer at a time")
def test_on_postgresql_one_record_is_written_while_another_is():
    engine = open_database(POSTGRESQL)
    one, other = (OwnStore(engine, BASE, tenant=str(uuid.uuid4())) for _ in range(2))
    writer = threading.Thread(target=other.write, args=[Write("create", goal())], daemon=True)
    with writing(engine, on=one.tenant):
        writer.start()
        writer.join(20)
        assert not writer.is_alive()
    assert len(other.search(Query.of("Goal"))) == 1
    engine.dispose()


@pytest.fixture
def responses(store):
    for number, (authored, status, version) in enumerate(
        [("2024-05-01T10:00:00+02:00", "completed", "1"), ("2025-11", "completed", "2"), ("2026-10-05", "amended", "2")]
    ):
        store.write(
            Write(
                "update",
                {
                    "resourceType": "QuestionnaireResponse",
                    "id": f"r{number}",
                    "identifier": {"system": "urn:r", "value": f"R,{number}"},
                    "questionnaire": f"https://example.org/Questionnaire/hoop|{version}",
                    "status": status,
                    "authored": authored,
                    "subject": {"reference": f"{BASE}/Patient/{1 if number < 2 else 2}"},
                },
            )
        )
    return store


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"patient": "1"}, ["r0", "r1"]),
        ({"patient": "Patient/1"}, ["r0", "r1"]),
        ({"subject:Patient": "2"}, ["r2"]),
        ({"subject": f"{BASE}/Patient/2"}, ["r2"]),
        ({"patient": "1,2"}, ["r0", "r1", "r2"]),
        ({"patient": "11"}, []),
        ({"_id": "r0,r2"}, ["r0", "r2"]),
        ({"status": "completed"}, ["r0", "r1"]),
        ({"status:not": "completed"}, ["r2"]),
        ({"status": "|amended"}, ["r2"]),
        ({"identifier": "urn:r|R\\,1"}, ["r1"]),
        ({"identifier": "R\\,1"}, ["r1"]),
        ({"identifier": "urn:r|"}, ["r0", "r1", "r2"]),
        ({"identifier": "urn:other|R\\,1"}, []),
        ({"questionnaire": "https://example.org/Questionnaire/hoop"}, ["r0", "r1", "r2"]),
        ({"questionnaire": "https://example.org/Questionnaire/hoop|2"}, ["r1", "r2"]),
        ({"authored": "2024"}, ["r0"]),
        ({"authored": "2024-05-01T08:00:00Z"}, ["r0"]),
        ({"authored": "ge2025"}, ["r1", "r2"]),
        ({"authored": "gt2025-11-30"}, ["r2"]),
        ({"authored": "lt2025-11-01"}, ["r0"]),
        ({"authored": "le2025-11"}, ["r0", "r1"]),
        ({"authored": "ne2024"}, ["r1", "r2"]),
        ({"authored": "sa2025"}, ["r2"]),
        ({"authored": "eb2025"}, ["r0"]),
        ({"based-on:missing": "true"}, ["r0", "r1", "r2"]),
        ({"author:missing": "false"}, []),
        ({"_lastUpdated": "lt2000"}, []),
    ],
)
def test_search_finds(responses, params, expected):
    found = responses.search(Query.of("QuestionnaireResponse", params))
    assert sorted(stored.resource["id"] for stored in found) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("authored", ["r0", "r1", "r2"]), ("-authored", ["r2", "r1", "r0"]), ("-status,_id", ["r0", "r1", "r2"])],
)
def test_search_sorts(responses, sort, expected):
    found = responses.search(Query.of("QuestionnaireResponse", _sort=sort))
    assert [stored.resource["id"] for stored in found] == expected


def test_a_page_knows_the_total(responses):
    page = responses.find(understand(Query.of("QuestionnaireResponse", _sort="_id")), count=2, offset=2)
    assert (page.total, [stored.resource["id"] for stored in page.matches]) == (3, ["r2"])


def test_search_includes_what_a_match_refers_to_and_what_refers_to_it(store):
    kept = store.write(Write("create", goal()))
    plan = store.write(
        Write(
            "create",
            {"resourceType": "CarePlan", "subject": kept.resource["subject"], "goal": [{"reference": kept.reference}]},
        )
    )
    assert store.search(Query.of("CarePlan", _include="CarePlan:goal")) == [plan, kept]
    assert store.search(Query.of("Goal", _revinclude="CarePlan:goal")) == [kept, plan]


def test_a_search_within_a_record_includes_nothing_of_another_record(store):
    foreign = store.write(Write("create", goal(patient="2")))
    plan = {
        "resourceType": "CarePlan",
        "subject": {"reference": "Patient/1"},
        "goal": [{"reference": foreign.reference}],
    }
    store.write(Write("create", plan))
    page = store.find(understand(Query.of("CarePlan", _include="CarePlan:goal")), count=9, patient="Patient/1")
    assert page.included == ()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"colour": "red"}, "no search parameter 'colour'"),
        ({"subject.name": "x"}, "no search parameter"),
        ({"_sort": "colour"}, "_sort"),
        ({"_count": "many"}, "_count"),
        ({"start-date": "next week"}, "not a date"),
        ({"start-date": "2026-13"}, "not a date"),
        ({"category:above": "x"}, "does not work"),
        ({"patient": ""}, "no value"),
        ({"_include": "Goal"}, "Type:parameter"),
        ({"_include": "Goal:start-date"}, "reference parameter"),
        ({"_include:iterate": "Goal:patient"}, "without a modifier"),
    ],
)
def test_a_search_that_is_not_understood_is_refused_with_what_would_be(store, params, message):
    with pytest.raises(Refused, match=message) as refused:
        store.search(Query.of("Goal", params))
    assert refused.value.status == 400


def test_a_type_that_is_not_kept_is_refused_naming_those_that_are(store):
    with pytest.raises(Refused, match=r"Kept are: .*CarePlan") as refused:
        store.search(Query.of("Medication"))
    assert refused.value.status == 404


@pytest.mark.parametrize("value", ["'; DROP TABLE resources; --", "%", "_", "\\"])
def test_a_search_value_is_never_sql_or_a_wildcard(store, value):
    store.write(Write("create", {"resourceType": "Practitioner", "name": [{"family": "De Vries"}]}))
    assert store.search(Query.of("Practitioner", name=value)) == []


def test_names_are_found_without_case_or_accents(store):
    store.write(Write("create", {"resourceType": "Practitioner", "name": [{"family": "Özgür", "given": ["Noëlle"]}]}))
    assert len(store.search(Query.of("Practitioner", name="ozg"))) == 1
    assert len(store.search(Query.of("Practitioner", {"name:contains": "ELLE"}))) == 1


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", "2026-01-01T00:00:00.000000Z", "2026-12-31T23:59:59.999999Z"),
        ("2024-02", "2024-02-01T00:00:00.000000Z", "2024-02-29T23:59:59.999999Z"),
        ("2024-12", "2024-12-01T00:00:00.000000Z", "2024-12-31T23:59:59.999999Z"),
        ("2026-03-29T02:30+02:00", "2026-03-29T00:30:00.000000Z", "2026-03-29T00:30:59.999999Z"),
        ("2026-03-29T00:30:15.250Z", "2026-03-29T00:30:15.250000Z", "2026-03-29T00:30:15.250000Z"),
    ],
)
def test_a_date_means_all_moments_within_it(text, first, last):
    assert date_range(text) == (first, last)


@pytest.mark.parametrize("text", ["", "26", "2026-02-30", "2026-1-1", "2026-01-01T25:00Z", "vandaag", "9999"])
def test_a_text_that_is_no_usable_date_has_no_moments(text):
    assert date_range(text) is None


def test_what_a_provenance_is_about_says_whose_record_it_is(store):
    kept = store.write(Write("create", goal(patient="7")))
    about = store.write(Write("create", {"resourceType": "Provenance", "target": [{"reference": kept.reference}]}))
    assert store.belongs_to("Provenance", about.resource["id"], "Patient/7")
    assert not store.belongs_to("Provenance", about.resource["id"], "Patient/8")


def test_what_was_stored_is_there_after_opening_the_database_again(tmp_path):
    url = f"sqlite:///{tmp_path / 'kept.db'}"
    engine = open_database(url)
    stored = OwnStore(engine, BASE).write(Write("create", goal()))
    engine.dispose()
    again = open_database(url)
    assert OwnStore(again, BASE).read("Goal", stored.resource["id"]) == stored
    again.dispose()
