"""A launch from a Koppeltaal domain, against a stub of one, in both of its presets."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from smartapp.fhir.store import Query
from smartapp.storage.launches import Person
from tests.koppeltaal.domain import BASE, Refuse
from tests.koppeltaal.people import task
from tests.koppeltaal.portal import APP, FROM_ELSEWHERE


def refused(response, core, code: str) -> None:
    """Hold that a sign-in ended on a page for people, and that nothing was opened by it."""
    assert response.status_code in (400, 502), response.status_code
    assert code not in response.text  # a page tells no technical details
    assert codes(core)[-1] == code
    with core.engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from launches").scalar() == 0


def codes(core) -> list[str]:
    return [entry.reason for entry in core.audit.entries() if entry.event == "refused"]


def test_the_form_of_a_portal_begins_with_the_parameters_that_the_topic_fixes(portal, domain):
    token = domain.hti(sub="Patient/anna", resource="Task/t1", definition="ActivityDefinition/hoop")
    begun = portal.send(token)
    asked = {name: value for name, [value] in parse_qs(urlsplit(begun.headers["Location"]).query).items()}
    assert begun.headers["Location"].startswith(f"{domain.auth}/authorize?")
    rest = {name: asked.pop(name) for name in ("state", "nonce", "code_challenge")}
    assert all(rest.values())
    assert asked == {
        "response_type": "code",
        "client_id": "verstel-1",
        "redirect_uri": f"{APP}/callback",
        "scope": "launch openid fhirUser",
        "launch": token,
        "aud": BASE,
        "code_challenge_method": "S256",
    }


def test_a_client_lands_on_the_questionnaire_of_the_task(portal, core):
    launch_id, page = portal.enter()
    launch = core.launches.get(launch_id)
    assert page == "questionnaires/hoop/"
    assert (launch.user.role, launch.user.reference) == ("client", "Patient/anna")
    assert launch.patient == Person("Patient/anna", "Anna Voorbeeld", "1992-03-14")
    assert launch.issuer_key == "noord"
    assert "Hoop" in portal.get(f"/l/{launch_id}/{page}").text


def test_nothing_is_introspected_and_the_code_is_traded_once(portal, domain):
    """The domain takes a token once, at either of the two: who introspects first is refused at the other."""
    portal.enter()
    assert domain.asked("POST", "/introspect") == []
    grants = [one.body["grant_type"] for one in domain.asked("POST", "/token")]
    assert grants == ["authorization_code", "client_credentials"]


def test_the_word_that_stands_for_a_token_is_kept_and_sent_nowhere(portal, domain, core):
    portal.enter()
    assert all("NOOP" not in str(one.headers) for one in domain.requests)
    with core.engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from tokens").scalar() == 0


def test_a_task_is_read_before_what_it_names_and_each_request_says_what_it_follows_on(portal, domain):
    token = domain.hti(
        sub="Practitioner/els",
        patient="Patient/anna",
        resource="Task/t1",
        definition="ActivityDefinition/hoop",
        jti="trace-1",
    )
    portal.come_back(portal.send(token))
    [of_task] = domain.asked("GET", "/Task/")
    behind = [one for one in domain.asked("GET", "/fhir/r4/") if one is not of_task and "well-known" not in one.path]
    assert "X-Correlation-Id" not in of_task.headers
    assert {one.path.split("/r4/")[1].split("?")[0] for one in behind} == {
        "ActivityDefinition/hoop",
        "Patient/anna",
        "Practitioner/els",
        "CareTeam",
    }
    assert {one.headers["X-Correlation-Id"] for one in behind} == {of_task.headers["X-Request-Id"]}
    assert {one.headers["X-Trace-Id"] for one in [of_task, *behind]} == {"trace-1"}
    numbers = [one.headers["X-Request-Id"] for one in [of_task, *behind]]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    ("user", "role"),
    [("Practitioner/els", "clinician"), ("Practitioner/piet", "outside"), ("RelatedPerson/mila", "loved-one")],
)
def test_the_role_of_others_is_that_of_the_care_team(portal, core, user, role):
    launch_id, _page = portal.enter(user)
    launch = core.launches.get(launch_id)
    assert (launch.user.role, launch.patient.reference) == (role, "Patient/anna")


@pytest.mark.parametrize(
    ("code", "role"),
    [
        ("310391000146105", "representative"),
        ("407542009", "loved-one"),
        ("125677006", "loved-one"),
        ("62071000", "loved-one"),
        ("1", "loved-one"),
    ],
)
def test_of_a_related_person_the_team_says_the_role_and_not_the_relationship(portal, domain, core, code, role):
    """Mila's `relationship` says legal representative, which is for information."""
    member = {"role": [{"coding": [{"system": "http://snomed.info/sct", "code": code}]}]}
    domain.change("CareTeam/team", participant=[{**member, "member": {"reference": "RelatedPerson/mila"}}])
    assert core.launches.get(portal.enter("RelatedPerson/mila")[0]).user.role == role


@pytest.mark.parametrize(
    "change",
    [
        {"status": "inactive"},
        {"status": None},
        {"period": {"end": "2020-01-01"}},
        {"subject": {"reference": "Patient/bram"}},
        {"subject": None},
    ],
)
def test_a_team_that_does_not_work_for_this_person_gives_no_role(portal, domain, core, change):
    domain.change(
        "CareTeam/team",
        participant=[
            {
                "role": [{"coding": [{"system": "http://snomed.info/sct", "code": "310391000146105"}]}],
                "member": {"reference": "RelatedPerson/mila"},
            }
        ],
        **change,
    )
    assert core.launches.get(portal.enter("RelatedPerson/mila")[0]).user.role == "loved-one"


def test_a_professional_whom_the_teams_do_not_name_is_outside(portal, domain, core):
    domain.change("CareTeam/team", participant=[{"member": {"reference": "Practitioner/piet"}}])
    assert core.launches.get(portal.enter("Practitioner/els")[0]).user.role == "outside"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"for": {"reference": "Patient/bram"}}, "koppeltaal-task-of-another"),
        ({"for": None}, "koppeltaal-task-of-another"),
        ({"extension": []}, "koppeltaal-definition-differs"),
        ({"owner": {"reference": "CareTeam/nobody"}}, "koppeltaal-team"),
    ],
)
def test_a_task_that_does_not_fit_opens_nothing(portal, domain, core, change, code):
    domain.change("Task/t1", **change)
    refused(portal.launch(), core, code)


def test_a_task_of_a_team_is_opened_while_the_team_works(portal, domain, core):
    domain.change("Task/t1", owner={"reference": "CareTeam/team"})
    assert portal.launch().status_code == 303
    domain.change("CareTeam/team", period={"end": "2020-01-01"})
    response = portal.launch()
    assert response.status_code == 400
    assert codes(core)[-1] == "koppeltaal-team"


def test_a_definition_of_another_module_is_refused(portal, domain, core):
    domain.change("Task/t1", extension=[_instantiates("other")])
    refused(portal.launch(definition="ActivityDefinition/other"), core, "koppeltaal-definition-not-ours")


def test_the_definition_of_the_launch_is_one_of_the_task(portal, core):
    refused(portal.launch(definition="ActivityDefinition/plan"), core, "koppeltaal-definition-differs")


def test_a_definition_may_be_named_by_its_address_too(portal):
    assert portal.launch(definition="https://verstel.nl/fhir/ActivityDefinition/fill-in-hoop").status_code == 303


def test_a_task_for_the_plan_opens_the_plan(portal, domain):
    domain.change("Task/t1", extension=[_instantiates("plan")])
    assert portal.enter(definition="ActivityDefinition/plan")[1] == "plan/"
    assert portal.enter("Practitioner/els", definition="ActivityDefinition/plan")[1] != "plan/"


def _instantiates(activity: str) -> dict:
    return {
        "url": "http://vzvz.nl/fhir/StructureDefinition/instantiates",
        "valueReference": {"reference": f"ActivityDefinition/{activity}"},
    }


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"resource": None}, "koppeltaal-no-task"),
        ({"resource": "Patient/anna"}, "koppeltaal-resource"),
        ({"resource": ["Task/t1"]}, "koppeltaal-resource"),
        ({"sub": "Patient/bram"}, "koppeltaal-other-user"),
        ({"sub": "https://elsewhere.example/fhir/Patient/anna"}, "koppeltaal-sub"),
        ({"patient": "Patient/bram"}, "koppeltaal-other-patient"),
        ({"patient": "https://elsewhere.example/fhir/Patient/anna"}, "koppeltaal-patient"),
        ({"resource": "Task/unknown"}, "koppeltaal-task-404"),
    ],
)
def test_what_an_answer_says_has_to_fit(portal, domain, core, answer, code):
    domain.answer_more = answer
    refused(portal.launch(), core, code)


def test_a_professional_is_always_there_about_somebody(portal, domain, core):
    domain.answer_more = {"patient": None}
    refused(portal.launch("Practitioner/els"), core, "patient-missing")


@pytest.mark.parametrize("sub", ["Device/verstel-1", "idp-7"])
def test_only_people_launch(portal, domain, core, sub):
    domain.claims_more = {"sub": sub, "fhirUser": None}
    domain.answer_more = {"sub": None}
    refused(portal.launch(), core, "koppeltaal-no-user")


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "other-1"}, "id-token-invalid_claim"),
        ({"exp": 1_700_000_000}, "id-token-expired_token"),
        ({"iss": "https://elsewhere.example"}, "id-token-invalid_claim"),
    ],
)
def test_an_id_token_is_checked_as_anywhere(portal, domain, core, claims, code):
    domain.claims_more = claims
    refused(portal.launch(), core, code)


def test_an_id_token_under_a_key_that_the_domain_does_not_publish_is_refused(portal, domain, core):
    domain.signs_with = "stranger"
    refused(portal.launch(), core, "id-token-unknown-key")


@pytest.mark.parametrize("who", ["Patient/anna", "Practitioner/els"])
def test_who_is_no_longer_there_gets_in_no_more(portal, domain, core, who):
    domain.change(who, active=False)
    response = portal.launch(who)
    assert response.status_code == 400
    assert codes(core)[-1] in ("koppeltaal-patient-inactive", "koppeltaal-user-inactive")


@pytest.mark.parametrize("form", [{"launch": "x"}, {"iss": BASE}, {"launch": ["x", "y"], "iss": BASE}, {}])
def test_a_form_without_both_values_once_is_refused(portal, form):
    response = portal.client.post("/launch", data=form, base_url=APP, headers=FROM_ELSEWHERE)
    assert response.status_code == 400


@pytest.mark.parametrize("iss", ["https://elsewhere.example/fhir", "https://ehr.example/fhir", f"{BASE}/"])
def test_a_form_is_for_domains_alone(portal, domain, iss):
    assert portal.send("x.y.z", iss).status_code == 400
    assert domain.requests == []


def test_a_token_in_an_address_is_refused(portal, domain):
    """Addresses stand in logs and histories."""
    token = domain.hti(sub="Patient/anna", resource="Task/t1", definition="ActivityDefinition/hoop")
    assert portal.get(f"/launch?iss={BASE}&launch={token}").status_code == 400
    assert domain.requests == []


def test_a_token_that_is_too_long_is_refused(portal):
    assert portal.send("x" * 5000).status_code == 400


@pytest.mark.parametrize(
    "form",
    [
        {"launch": "x" * 5000, "iss": BASE},
        {"launch": "xxx.yyy.zzz", "iss": "https://ehr.example/fhir"},
        {"launch": ["xxx.yyy.zzz", "2"], "iss": BASE},
    ],
)
def test_a_page_gives_nothing_back_of_a_form_that_a_portal_filled_in(portal, form):
    """Nobody typed it, and a token says who somebody is."""
    page = portal.client.post("/launch", data=form, base_url=APP, headers=FROM_ELSEWHERE).text
    assert "Dit lukt zo niet" in page
    assert "xxx" not in page
    assert "Wat je typte" not in page


def test_a_launch_works_once(portal, domain):
    begun = portal.send(domain.hti(sub="Patient/anna", resource="Task/t1", definition="ActivityDefinition/hoop"))
    portal.come_back(begun)
    with pytest.raises(Refuse):
        domain.authorize(begun.headers["Location"])


def test_no_page_holds_anything_that_reaches_the_domain(portal, domain, core):
    launch_id, _page = portal.enter()
    launch = core.launches.get(launch_id)
    before = len(domain.requests)
    for path in ("", "scores/", "plan/", "questionnaires/"):
        portal.get(f"/l/{launch_id}/{path}")
    assert len(domain.requests) == before
    assert core.records(launch).capability().can("Task", "read") is False


def test_a_number_of_the_state_gets_no_further_than_the_domain(portal, core):
    """Not into our own store, nor into the log."""
    portal.enter()
    kept = core.own_store(BASE)
    for type_ in ("Task", "Patient"):
        for stored in kept.search(Query.of(type_)):
            assert "999990019" not in str(stored.resource)
    assert not re.search("999990019", " ".join(str(entry) for entry in core.audit.entries()))


def test_without_a_task_nobody_comes_in_where_the_settings_do_not_say_so(portal, domain, core):
    assert portal.get(f"/start?iss={BASE}").status_code == 400
    assert domain.requests == []
    assert codes(core)[-1] == "koppeltaal-without-task"
    assert f"/start?iss={BASE}" not in portal.get("/").text


def test_a_view_of_a_task_that_has_a_code_anywhere_opens_nothing(portal, domain, core):
    view = {"system": "http://vzvz.nl/fhir/CodeSystem/koppeltaal-task-code", "code": "view"}
    domain.put(task("t2", code={"coding": [view]}, partOf=[{"reference": "Task/t1"}]))
    domain.change("Task/t1", code={"coding": [{"display": "Iets"}, view]})
    refused(portal.launch("Practitioner/els", "Task/t2"), core, "koppeltaal-view")
