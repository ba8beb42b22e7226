"""The FHIR API: what it answers, and each call it refuses, over real HTTP."""

import json
import re

import pytest
import requests
from fhirclient import client as fhirclient_client
from fhirclient.models.bundle import Bundle
from fhirclient.models.capabilitystatement import CapabilityStatement
from fhirclient.models.goal import Goal

from tests.smartapp.sandbox.conftest import goal


def text_of(answer):
    """Return what the OperationOutcome says, having checked that it is one."""
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    return outcome["issue"][0]["diagnostics"]


def entry(method, url, resource=None, full_url=None, **more):
    made = {"request": {"method": method, "url": url, **more}}
    if resource is not None:
        made["resource"] = resource
    if full_url is not None:
        made["fullUrl"] = full_url
    return made


def bundle(*entries, kind="transaction"):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


NAME = "urn:uuid:0b0f8f0e-8d5a-4b0e-9f43-000000000001"


def plan(patient="anna", goal_reference=NAME):
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": f"Patient/{patient}", "display": "Iemand"},
        "goal": [{"reference": goal_reference, "display": "Gitaar"}],
    }


# ---- about the server


def test_metadata_are_a_capability_statement_that_a_strict_model_reads(ehr):
    found = CapabilityStatement(ehr.nobody().get("metadata").json())
    assert found.fhirVersion == "4.0.1"
    assert {one.type for one in found.rest[0].resource} >= {"Goal", "CarePlan", "QuestionnaireResponse", "Task"}


def test_questionnaires_are_readable_without_a_token(ehr):
    ehr.put({"resourceType": "Questionnaire", "id": "hoop", "status": "active", "url": "https://example.org/q"})
    assert ehr.nobody().get("Questionnaire/hoop").status_code == 200
    assert ehr.nobody().get("Questionnaire?url=https://example.org/q").json()["total"] == 1


# ---- tokens and scopes


@pytest.mark.parametrize("path", ["Patient/anna", "Goal?patient=anna", "Patient/anna/_history", "Practitioner/jansen"])
def test_without_a_token_nothing_about_people_is_read(ehr, path):
    answer = ehr.nobody().get(path)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "no access token" in text_of(answer)


@pytest.mark.parametrize("header", ["Bearer made-up", "Basic YTpi", "Bearer", ""])
def test_a_token_that_is_none_is_401(ehr, header):
    answer = ehr.nobody().get("Patient/anna", Authorization=header)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "access token" in text_of(answer)
    assert "Voorbeeld" not in answer.text


def test_without_a_token_nothing_is_written(ehr):
    assert ehr.nobody().post("Goal", goal()).status_code == 401
    assert ehr.nobody().put("Patient/anna", {"resourceType": "Patient", "id": "anna"}).status_code == 401
    assert ehr.nobody().post("", bundle(entry("POST", "Goal", goal()))).status_code == 401
    assert ehr.jansen().get("Goal").json()["total"] == 0
    assert ehr.jansen().get("Patient/anna").headers["ETag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("scope", "method", "path", "body"),
    [
        ("patient/Goal.r", "GET", "Goal?patient=anna", None),
        ("patient/Goal.s", "GET", "Goal/g", None),
        ("patient/Goal.rs", "POST", "Goal", goal()),
        ("patient/Goal.crs", "PUT", "Goal/g", goal(id="g")),
        ("patient/Observation.crus", "POST", "Goal", goal()),
        ("patient/Goal.read", "POST", "Goal", goal()),
        ("openid fhirUser launch/patient", "GET", "Goal?patient=anna", None),
    ],
)
def test_outside_the_scope_is_403(ehr, scope, method, path, body):
    ehr.put(goal(id="g"))
    answer = ehr.anna(scope)(method, path, body)
    assert answer.status_code == 403
    assert "scopes do not cover" in text_of(answer)


def test_a_user_reads_their_own_entry_with_fhiruser_alone(ehr):
    api = ehr.as_("Practitioner/jansen", "openid fhirUser", "anna")
    assert api.get("Practitioner/jansen").json()["name"] == [{"text": "J. Jansen"}]
    assert api.get("Patient/anna").status_code == 403


def test_a_scope_with_a_query_reaches_only_what_fits_it(ehr):
    one = ehr.put(goal(identifier=[{"system": "urn:x", "value": "1"}]))
    two = ehr.put(goal(identifier=[{"system": "urn:x", "value": "2"}]))
    api = ehr.anna("patient/Goal.rs?identifier=urn:x|1")
    assert api.get("Goal").json()["total"] == 1
    assert api.get(one.reference).status_code == 200
    assert api.get(two.reference).status_code == 403


# ---- someone else's record


def test_another_person_s_resource_is_403_for_a_client(ehr):
    other = ehr.put(goal("bram"))
    for path in ("Patient/bram", other.reference, f"{other.reference}/_history", f"{other.reference}/_history/1"):
        answer = ehr.anna().get(path)
        assert answer.status_code == 403, path
        assert "gitaar" not in answer.text
        assert "Bram" not in answer.text


@pytest.mark.parametrize(
    "query", ["patient=bram", "patient=Patient/bram", "subject=Patient/bram", "subject:Patient=bram"]
)
def test_a_search_for_another_person_is_403(ehr, query):
    ehr.put(goal("bram"))
    answer = ehr.anna().get(f"Goal?{query}")
    assert (answer.status_code, "gitaar" in answer.text) == (403, False)
    assert ehr.jansen().get(f"Goal?{query}").json()["total"] == 1  # it is there for who may see it


def test_a_search_for_another_person_by_post_is_403(ehr):
    ehr.put(goal("bram"))
    answer = ehr.anna().post("Goal/_search", "patient=bram", Content_Type="application/x-www-form-urlencoded")
    assert answer.status_code == 403
    assert "gitaar" not in answer.text


@pytest.mark.parametrize("path", ["Goal", "Goal?status:not=x", "Goal?_id=of-bram", "Patient", "Patient?name=Voorbeeld"])
def test_a_search_finds_only_what_is_in_one_s_own_record(ehr, path):
    ehr.put(goal("bram", id="of-bram"))
    ehr.put(goal("anna", id="of-anna"))
    answer = ehr.anna().get(path.replace("status:not=x", "lifecycle-status:not=proposed"))
    assert "bram" not in json.dumps(answer.json().get("entry", [])), path


def test_an_include_does_not_reach_into_another_record(ehr):
    ehr.put(goal("bram", id="of-bram"))
    ehr.put(plan("anna", "Goal/of-bram"))
    answer = ehr.anna().get("CarePlan?_include=CarePlan:goal")
    assert [one["resource"]["resourceType"] for one in answer.json()["entry"]] == ["CarePlan"]


def test_an_include_stays_within_the_scope(ehr):
    ehr.put(goal("anna", id="g"))
    ehr.put(plan("anna", "Goal/g"))
    assert len(ehr.anna("patient/CarePlan.rs").get("CarePlan?_include=CarePlan:goal").json()["entry"]) == 1
    assert (
        len(ehr.anna("patient/CarePlan.rs patient/Goal.rs").get("CarePlan?_include=CarePlan:goal").json()["entry"]) == 2
    )


def test_a_client_cannot_write_into_another_record(ehr):
    other = ehr.put(goal("bram"))
    assert ehr.anna().post("Goal", goal("bram")).status_code == 403
    assert ehr.anna().put(other.reference, {**other.resource}).status_code == 403
    taken = {**other.resource, "subject": {"reference": "Patient/anna"}}
    assert ehr.anna().put(other.reference, taken).status_code == 403
    assert ehr.sandbox.store.read("Goal", other.resource["id"]) == other


def test_a_client_cannot_give_a_resource_away(ehr):
    own = ehr.put(goal("anna"))
    assert ehr.anna().put(own.reference, {**own.resource, "subject": {"reference": "Patient/bram"}}).status_code == 403
    assert ehr.sandbox.store.read("Goal", own.resource["id"]) == own


def test_a_client_cannot_write_what_is_nobody_s(ehr):
    assert ehr.anna().post("Questionnaire", {"resourceType": "Questionnaire", "status": "active"}).status_code == 403
    assert ehr.anna().post("Goal", goal("anna", subject={"display": "?"})).status_code == 403
    assert ehr.nobody().get("Questionnaire").json()["total"] == 0
    assert ehr.jansen().get("Goal").json()["total"] == 0


def test_a_conditional_create_does_not_show_another_record(ehr):
    ehr.put(goal("bram", identifier=[{"system": "urn:x", "value": "1"}]))
    answer = ehr.anna().post("Goal", goal("anna"), If_None_Exist="identifier=urn:x|1")
    assert answer.status_code == 403
    assert "bram" not in answer.text
    assert ehr.anna().get("Goal").json()["total"] == 0


def test_a_transaction_does_not_reach_into_another_record_and_stores_nothing_then(ehr):
    answer = ehr.anna().post("", bundle(entry("POST", "Goal", goal()), entry("POST", "Goal", goal("bram"))))
    assert answer.status_code == 403
    assert text_of(answer).startswith("Bundle.entry[1]")
    assert ehr.jansen().get("Goal").json()["total"] == 0
    answer = ehr.anna().post("", bundle(entry("GET", "Patient/bram")))
    assert answer.status_code == 403


def test_a_clinician_s_patient_scopes_reach_the_chart_that_is_open(ehr):
    ehr.put(goal("bram", id="of-bram"))
    chart = ehr.as_("Practitioner/jansen", "patient/*.rs", "anna")
    assert chart.get("Patient/anna").json()["id"] == "anna"
    refused = chart.get("Goal/of-bram")
    assert (refused.status_code, "gitaar" in refused.text) == (403, False)
    assert ehr.jansen().get("Goal/of-bram").json()["description"]["text"] == "Weer gitaar spelen"


def test_a_client_s_user_scopes_do_not_widen_the_record(ehr):
    api = ehr.as_("Patient/anna", "user/*.rs", "anna")
    assert api.get("Patient/bram").status_code == 403
    assert api.get("Patient/anna").json()["id"] == "anna"


# ---- reading and searching


def test_read_carries_etag_and_last_modified_and_answers_304(ehr):
    stored = ehr.put(goal())
    answer = ehr.anna().get(stored.reference)
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.headers["Last-Modified"].endswith("GMT")
    assert answer.headers["Content-Type"].startswith("application/fhir+json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert ehr.anna().get(stored.reference, If_None_Match='W/"1"').status_code == 304


def test_history_and_versions_are_read(ehr):
    first = ehr.put(goal())
    ehr.put({**first.resource, "description": {"text": "Elke week"}})
    versions = ehr.anna().get(f"{first.reference}/_history").json()
    assert (versions["type"], versions["total"]) == ("history", 2)
    assert ehr.anna().get(f"{first.reference}/_history/1").json() == first.resource
    assert ehr.anna().get(f"{first.reference}/_history/9").status_code == 404


def test_search_by_get_and_post_says_the_same(ehr):
    ehr.put(goal())
    got = ehr.anna().get("Goal?patient=Patient/anna").json()
    posted = ehr.anna().post("Goal/_search", "patient=Patient/anna", Content_Type="application/x-www-form-urlencoded")
    assert posted.json() == got
    assert (got["type"], got["total"]) == ("searchset", 1)
    assert got["entry"][0]["fullUrl"].startswith(f"{ehr.base}/Goal/")
    assert got["entry"][0]["search"] == {"mode": "match"}


def test_pages_lead_through_everything_once(ehr):
    for number in range(7):
        ehr.put(goal(id=f"g{number}"))
    url, found = f"{ehr.base}/Goal?_count=3&_sort=-_id&patient=anna", []
    while url:
        page = requests.get(url, headers=ehr.anna().headers, timeout=20).json()
        found += [one["resource"]["id"] for one in page["entry"]]
        assert page["total"] == 7
        links = {link["relation"]: link["url"] for link in page["link"]}
        assert links["self"] == url
        url = links.get("next")
    assert found == [f"g{number}" for number in reversed(range(7))]


def test_count_zero_gives_the_total_only(ehr):
    ehr.put(goal())
    page = ehr.anna().get("Goal?_count=0").json()
    assert (page["total"], "entry" in page) == (1, False)


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("Goal/absent", 404, "search for it"),
        ("Medication/1", 404, "Kept are"),
        ("Goal?colour=red", 400, "no search parameter 'colour'"),
        ("Goal?start-date=soon", 400, "not a date"),
        ("Goal?_offset=x", 400, "next link"),
        ("Goal/_search", 405, "POST"),
        ("Goal?_format=xml", 406, "application/fhir+json"),
        ("some/where/else/again", 404, "nothing at this address"),
    ],
)
def test_a_question_that_cannot_be_answered_says_what_to_do(ehr, path, status, text):
    answer = ehr.anna().get(path)
    assert answer.status_code == status
    assert text in text_of(answer)


def test_an_answer_in_xml_is_406(ehr):
    answer = ehr.anna().get("Patient/anna", Accept="application/fhir+xml")
    assert answer.status_code == 406
    assert "application/fhir+json" in text_of(answer)


# ---- writing


def test_create_answers_201_with_location_etag_and_the_resource(ehr):
    answer = ehr.anna().post("Goal", goal())
    assert answer.status_code == 201
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.headers["Location"] == f"{ehr.base}/Goal/{answer.json()['id']}/_history/1"
    assert ehr.anna().get(f"Goal/{answer.json()['id']}").json() == answer.json()


def test_prefer_decides_what_comes_back(ehr):
    assert ehr.anna().post("Goal", goal(), Prefer="return=minimal").content == b""
    outcome = ehr.anna().post("Goal", goal(), Prefer="return=OperationOutcome").json()
    assert outcome["issue"][0]["severity"] == "information"


def test_conditional_create_answers_200_and_the_one_there_is(ehr):
    resource = goal(identifier=[{"system": "urn:x", "value": "1"}])
    first = ehr.anna().post("Goal", resource, If_None_Exist="identifier=urn:x|1")
    second = ehr.anna().post("Goal", resource, If_None_Exist="identifier=urn:x|1")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


def test_update_with_the_right_version_works_and_with_a_stale_one_is_412(ehr):
    stored = ehr.put(goal())
    fresh = ehr.anna().put(stored.reference, goal(id=stored.resource["id"], text="Elke week"), If_Match='W/"1"')
    assert (fresh.status_code, fresh.headers["ETag"]) == (200, 'W/"2"')
    stale = ehr.anna().put(stored.reference, goal(id=stored.resource["id"], text="Nooit"), If_Match='W/"1"')
    assert (stale.status_code, stale.headers["ETag"]) == (412, 'W/"2"')
    assert "merge" in text_of(stale)
    assert ehr.anna().get(stored.reference).json()["description"]["text"] == "Elke week"


def test_a_put_that_only_creates_makes_a_new_one_and_leaves_one_that_is_there(ehr):
    first = ehr.anna().put("Goal/mine", goal(id="mine"), If_None_Match="*")
    assert (first.status_code, first.headers["ETag"]) == (201, 'W/"1"')
    again = ehr.anna().put("Goal/mine", goal(id="mine", text="Iets anders"), If_None_Match="*")
    assert (again.status_code, again.headers["ETag"]) == (412, 'W/"1"')
    assert "only creates" in text_of(again)
    assert ehr.anna().get("Goal/mine").json() == first.json()


def test_a_put_that_only_creates_does_not_tell_that_another_record_has_this_id(ehr):
    ehr.put(goal("bram", id="his"))
    answer = ehr.anna().put("Goal/his", goal(id="his"), If_None_Match="*")
    assert (answer.status_code, answer.headers.get("ETag")) == (403, None)


@pytest.mark.parametrize("headers", [{"If_None_Match": 'W/"1"'}, {"If_None_Match": "*", "If_Match": 'W/"1"'}])
def test_a_put_with_a_guard_that_means_nothing_is_refused(ehr, headers):
    answer = ehr.anna().put("Goal/mine", goal(id="mine"), **headers)
    assert answer.status_code == 400
    assert "If-None-Match takes * only" in text_of(answer)


def test_a_transaction_with_an_id_that_is_there_already_stores_nothing(ehr):
    ehr.put(goal(id="mine"))
    entries = entry("POST", "Goal", goal()), entry("PUT", "Goal/mine", goal(id="mine"), ifNoneMatch="*")
    answer = ehr.anna().post("", bundle(*entries))
    assert answer.status_code == 412
    assert text_of(answer).startswith("Bundle.entry[1]")
    assert ehr.anna().get("Goal").json()["total"] == 1


def test_a_like_kind_creates_nothing_by_put_and_a_full_one_says_that_it_does(ehr, ehr_like):
    def by_update(one):
        return {row["type"]: row["updateCreate"] for row in one.anna().get("metadata").json()["rest"][0]["resource"]}

    assert by_update(ehr)["Goal"] is True
    assert True not in by_update(ehr_like("meditech-like")).values()


def test_update_of_an_own_id_creates(ehr):
    answer = ehr.anna().put("Goal/mine", goal(id="mine"))
    assert (answer.status_code, answer.headers["ETag"]) == (201, 'W/"1"')
    assert ehr.anna().get("Goal/mine").json() == answer.json()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("POST", "Goal", "{", 400, "not JSON"),
        ("POST", "Goal", "", 400, "not JSON"),
        ("POST", "Goal", "[]", 400, "not a FHIR resource"),
        ("POST", "Goal", '{"a": 1}', 400, "no resourceType"),
        ("POST", "Goal", '{"resourceType": "Goal", "x": NaN}', 400, "not JSON"),
        ("POST", "Goal", b'{"resourceType": "Goal", "x": "\xff"}', 400, "not JSON"),
        ("POST", "Goal", '{"resourceType": "CarePlan"}', 400, "Make them equal"),
        ("POST", "Goal", '{"resourceType": "Goal"}', 422, "Goal.description"),
        ("PUT", "Goal/a", goal(id="b"), 400, "another id"),
        ("PUT", "Goal/a", goal(), 400, "another id"),
        ("PUT", "Goal", goal(), 405, "not offered"),
        ("DELETE", "Goal/a", None, 405, "nothing is deleted"),
        ("PATCH", "Goal/a", "[]", 405, "not offered"),
        ("POST", "Goal", goal(colour="red"), 422, "Goal.colour"),
        ("POST", "Goal", goal(lifecycleStatus="banana"), 422, "not one of"),
        ("POST", "Goal", goal(text=""), 422, "Goal.description.text"),
        ("POST", "Goal", goal(startDate="tomorrow"), 422, "Goal.startDate"),
        ("POST", "Goal", goal(statusDate=5), 422, "Goal.statusDate"),
    ],
)
def test_content_that_is_not_right_is_refused_saying_what_and_where(ehr, method, path, body, status, text):  # noqa: PLR0917
    answer = ehr.anna()(method, path, body, Content_Type="application/fhir+json")
    assert answer.status_code == status, answer.text
    assert text in text_of(answer)
    assert ehr.anna().get("Goal").json()["total"] == 0


def test_a_body_that_is_not_called_json_is_415(ehr):
    answer = ehr.anna().post("Goal", json.dumps(goal()), Content_Type="text/plain")
    assert answer.status_code == 415
    assert "application/fhir+json" in text_of(answer)
    assert ehr.anna().get("Goal").json()["total"] == 0


@pytest.mark.parametrize("depth", [60, 1000, 10_000])
def test_a_deep_body_is_refused(ehr, depth):
    body = '{"resourceType": "Goal", "x": ' + "[" * depth + "]" * depth + "}"
    answer = ehr.anna().post("Goal", body, Content_Type="application/fhir+json")
    assert answer.status_code == 400
    assert re.search("nested|deep|depth", text_of(answer))
    assert ehr.anna().get("Goal").json()["total"] == 0


def test_a_body_with_too_many_values_is_refused(ehr):
    body = '{"resourceType": "Goal", "x": [' + ",".join("1" * 70_000) + "]}"
    answer = ehr.anna().post("Goal", body, Content_Type="application/fhir+json")
    assert answer.status_code == 413
    assert "smaller parts" in text_of(answer)


def test_a_body_of_three_megabytes_is_refused(ehr):
    body = '{"resourceType": "Goal", "x": "' + "a" * 3_000_000 + '"}'
    answer = ehr.anna().post("Goal", body, Content_Type="application/fhir+json")
    assert answer.status_code == 413
    assert "smaller parts" in text_of(answer)


def test_a_translation_inside_an_extension_is_accepted_though_the_models_do_not_know_it(ehr):
    extension = {"url": "https://example.org/x", "valueString": "hoop", "_valueString": {"id": "a"}}
    answer = ehr.anna().post("Goal", goal(extension=[extension]))
    assert answer.status_code == 201
    assert ehr.anna().get(f"Goal/{answer.json()['id']}").json()["extension"] == [extension]


# ---- several at once


def test_a_transaction_writes_all_and_makes_real_references(ehr):
    answer = ehr.anna().post("", bundle(entry("POST", "Goal", goal(), NAME), entry("POST", "CarePlan", plan())))
    assert answer.status_code == 200
    first, second = answer.json()["entry"]
    assert answer.json()["type"] == "transaction-response"
    assert first["response"]["status"] == "201 Created"
    assert first["response"]["etag"] == 'W/"1"'
    assert second["resource"]["goal"][0]["reference"] == f"Goal/{first['resource']['id']}"


def test_one_wrong_entry_undoes_a_transaction_and_is_named(ehr):
    stored = ehr.put(goal())
    stale = entry("PUT", stored.reference, stored.resource, ifMatch='W/"7"')
    answer = ehr.anna().post("", bundle(entry("POST", "Goal", goal()), stale))
    assert answer.status_code == 412
    assert text_of(answer).startswith("Bundle.entry[1]")
    assert "Nothing of this transaction was stored" in text_of(answer)
    assert ehr.anna().get("Goal").json()["total"] == 1


def test_a_transaction_reads_after_it_wrote(ehr):
    answer = ehr.anna().post("", bundle(entry("GET", "Goal?patient=anna"), entry("POST", "Goal", goal())))
    assert answer.json()["entry"][0]["resource"]["total"] == 1


def test_conditional_create_in_a_transaction_writes_once(ehr):
    resource = goal(identifier=[{"system": "urn:x", "value": "1"}])
    wanted = bundle(entry("POST", "Goal", resource, ifNoneExist="identifier=urn:x|1"))
    first, second = ehr.anna().post("", wanted).json(), ehr.anna().post("", wanted).json()
    assert first["entry"][0]["resource"] == second["entry"][0]["resource"]
    assert second["entry"][0]["response"]["status"] == "200 OK"


def test_a_batch_does_each_on_its_own(ehr):
    answer = ehr.anna().post(
        "", bundle(entry("POST", "Goal", goal()), entry("POST", "Goal", goal("bram")), kind="batch")
    )
    assert [one["response"]["status"] for one in answer.json()["entry"]] == ["201 Created", "403 Forbidden"]
    assert answer.json()["entry"][1]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert ehr.jansen().get("Goal").json()["total"] == 1


@pytest.mark.parametrize(
    ("given", "status", "text"),
    [
        ({"resourceType": "Bundle", "type": "collection"}, 400, "transaction or batch"),
        (goal(), 400, "transaction or batch"),
        ({"resourceType": "Bundle", "type": "transaction", "entry": 5}, 400, "not a list"),
        (bundle({}), 400, "request.url"),
        (bundle(entry("POST", "Goal")), 400, "resource is missing"),
        (bundle(entry("POST", "Goal", goal(), ifNoneExist=True)), 400, "ifNoneExist is not text"),
        (bundle(entry("PUT", "Goal/1", goal(id="1"), ifMatch=3)), 400, "ifMatch is not text"),
        (bundle(entry("DELETE", "Goal/1")), 405, "not offered"),
        (bundle(entry("PUT", "Goal?identifier=1", goal(id="1"))), 400, "cannot search"),
        (bundle(entry("POST", "CarePlan", plan())), 400, "nothing in this unit"),
        (bundle(entry("PUT", "Goal/1", goal(id="1")), entry("PUT", "Goal/1", goal(id="1"))), 400, "more than once"),
        (bundle(entry("POST", "Goal", goal(lifecycleStatus="x"))), 422, "Bundle.entry[0]"),
        (bundle(*[entry("GET", "Goal")] * 501), 413, "at most 500"),
    ],
)
def test_a_bundle_that_is_not_right_is_refused(ehr, given, status, text):
    answer = ehr.anna().post("", given)
    assert answer.status_code == status, answer.text
    assert text in text_of(answer)
    assert ehr.jansen().get("Goal").json()["total"] == 0


# ---- other kinds of EHR


@pytest.mark.parametrize(
    ("kind", "type_", "body", "status"),
    [
        ("epic-like", "Goal", goal(), 405),
        ("epic-like", "CarePlan", plan(goal_reference="Goal/1"), 405),
        ("oracle-like", "QuestionnaireResponse", {"resourceType": "QuestionnaireResponse", "status": "completed"}, 405),
        ("athena-like", "Observation", {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}, 405),
        ("meditech-like", "Questionnaire", {"resourceType": "Questionnaire", "status": "active"}, 405),
        ("read-only", "DocumentReference", {"resourceType": "DocumentReference", "status": "current"}, 405),
    ],
)
def test_what_a_kind_does_not_take_is_405_and_says_what_it_takes(ehr_like, kind, type_, body, status):
    ehr = ehr_like(kind)
    answer = ehr.anna().post(type_, body)
    assert answer.status_code == status
    assert "It offers: " in text_of(answer)
    statement = ehr.nobody().get("metadata").json()["rest"][0]
    offered = {one["type"]: {each["code"] for each in one["interaction"]} for one in statement["resource"]}
    assert "create" not in offered.get(type_, set())


def test_read_only_offers_no_write_and_refuses_each(ehr_like):
    ehr = ehr_like("read-only")
    ehr.put(goal(id="1"))
    statement = ehr.nobody().get("metadata").json()["rest"][0]
    offered = {each["code"] for one in statement["resource"] for each in one["interaction"]}
    assert offered == {"read", "vread", "search-type", "history-instance"}
    assert statement["interaction"] == []
    writes = [
        ehr.jansen().post("Goal", goal()),
        ehr.jansen().put("Goal/1", goal(id="1", text="Iets anders")),
        ehr.jansen().post("", bundle(entry("POST", "Goal", goal()))),
    ]
    assert [one.status_code for one in writes] == [405, 405, 405]
    assert ehr.anna().get("Goal/1").json()["description"] == goal()["description"]


@pytest.mark.parametrize("kind", ["epic-like", "oracle-like"])
def test_documents_are_really_kept_and_can_be_superseded(ehr_like, kind):
    ehr = ehr_like(kind)
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"text": "Herstelplan"},
        "subject": {"reference": "Patient/anna", "display": "Anna Voorbeeld"},
        "content": [{"attachment": {"contentType": "text/plain", "data": "aGFsbG8="}}],
    }
    made = ehr.anna().post("DocumentReference", document)
    assert made.status_code == 201
    there = made.json()
    assert ehr.jansen().get(f"DocumentReference/{there['id']}").json()["content"] == document["content"]
    again = ehr.anna().put(f"DocumentReference/{there['id']}", {**there, "status": "superseded"})
    assert again.status_code == 200
    assert ehr.jansen().get("DocumentReference?patient=anna&status=current").json()["total"] == 0


def test_epic_like_takes_responses_to_questionnaires_it_knows_only(ehr_like):
    ehr = ehr_like("epic-like")
    response = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "https://example.org/q|1",
        "subject": {"reference": "Patient/anna", "display": "Anna Voorbeeld"},
    }
    refused = ehr.anna().post("QuestionnaireResponse", response)
    assert refused.status_code == 422
    assert "does not know the questionnaire" in text_of(refused)
    assert ehr.jansen().get("QuestionnaireResponse").json()["total"] == 0
    ehr.put({"resourceType": "Questionnaire", "status": "active", "url": "https://example.org/q"})
    assert ehr.anna().post("QuestionnaireResponse", response).status_code == 201
    assert ehr.jansen().get("QuestionnaireResponse").json()["total"] == 1


def score(category):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "category": [{"coding": [{"code": category}]}],
        "subject": {"reference": "Patient/anna", "display": "Anna Voorbeeld"},
    }


def test_epic_like_takes_vital_signs_and_no_surveys(ehr_like):
    ehr = ehr_like("epic-like")
    refused = ehr.anna().post("Observation", score("survey"))
    assert refused.status_code == 422
    assert "vital-signs" in text_of(refused)
    assert ehr.anna().post("Observation", score("vital-signs")).status_code == 201
    [kept] = ehr.jansen().get("Observation").json()["entry"]
    assert kept["resource"]["category"] == score("vital-signs")["category"]


def test_oracle_like_takes_observations_from_clinicians_only(ehr_like):
    ehr = ehr_like("oracle-like")
    assert ehr.anna().post("Observation", score("vital-signs")).status_code == 403
    assert ehr.jansen().get("Observation").json()["total"] == 0
    assert ehr.jansen().post("Observation", score("vital-signs")).status_code == 201
    assert ehr.jansen().get("Observation").json()["total"] == 1


@pytest.mark.parametrize(("kind", "batch"), [("epic-like", 405), ("oracle-like", 200), ("athena-like", 405)])
def test_none_of_the_like_kinds_does_transactions(ehr_like, kind, batch):
    ehr = ehr_like(kind)
    refused = ehr.anna().post("", bundle(entry("GET", "Patient/anna")))
    assert refused.status_code == 405
    assert "transaction" in text_of(refused)
    answer = ehr.anna().post("", bundle(entry("GET", "Patient/anna"), kind="batch"))
    assert answer.status_code == batch
    assert ("Anna Voorbeeld" in answer.text) == (batch == 200)


def test_a_like_kind_does_no_conditional_create_and_no_create_by_update(ehr_like):
    ehr = ehr_like("meditech-like")
    response = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "subject": {"reference": "Patient/anna"},
    }
    assert ehr.anna().post("QuestionnaireResponse", response, If_None_Exist="identifier=a|b").status_code == 412
    assert ehr.anna().put("QuestionnaireResponse/new", {**response, "id": "new"}).status_code == 404
    assert ehr.jansen().get("QuestionnaireResponse").json()["total"] == 0


# ---- faults


@pytest.mark.parametrize("status", [409, 412, 422, 429, 500])
def test_a_fault_answers_so_often_and_does_nothing(ehr, status):
    ehr.sandbox.faults.add("POST", "Goal", status, times=2)
    assert [ehr.anna().post("Goal", goal()).status_code for _ in range(3)] == [status, status, 201]
    assert ehr.anna().get("Goal").json()["total"] == 1


def test_a_dropped_answer_has_been_stored(ehr):
    ehr.sandbox.faults.add("POST", "Goal", "drop")
    with pytest.raises(requests.ConnectionError):
        ehr.anna().post("Goal", goal())
    assert ehr.anna().get("Goal").json()["total"] == 1


def test_a_call_that_breaks_before_it_is_done_has_stored_nothing(ehr):
    ehr.sandbox.faults.add("POST", "Goal", "drop-before")
    with pytest.raises(requests.ConnectionError):
        ehr.anna().post("Goal", goal())
    assert ehr.anna().get("Goal").json()["total"] == 0


def test_a_call_can_hang_until_it_is_let_go(ehr):
    ehr.sandbox.faults.add("GET", "Goal", "timeout")
    with pytest.raises(requests.Timeout):
        requests.get(f"{ehr.base}/Goal", headers=ehr.anna().headers, timeout=0.3)
    ehr.sandbox.faults.clear()
    assert ehr.anna().get("Goal").status_code == 200


# ---- an independent client reads it


def test_fhirclient_reads_and_searches_what_is_here(ehr):
    stored = ehr.put(goal())
    client = fhirclient_client.FHIRClient(settings={"app_id": "app", "api_base": ehr.base})
    client.server.session.headers.update(ehr.anna().headers)
    read = Goal.read(stored.resource["id"], client.server)
    assert read.description.text == "Weer gitaar spelen"
    found = list(Goal.where({"patient": "anna"}).perform_resources_iter(client.server))
    assert [one.id for one in found] == [stored.resource["id"]]
    assert Bundle(ehr.anna().get("Goal?patient=anna").json()).total == 1
    client.server.session.close()
