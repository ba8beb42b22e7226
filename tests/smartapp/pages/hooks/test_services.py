"""An EHR asks our CDS Hooks services: the cards by HL7's own shapes, what each says, and to whom nothing is told."""

from __future__ import annotations

import json
import re

import pytest
import requests

from mappers.answers import response_of
from mappers.said_in import SaidIn
from mappers.sharing import ME, Sharing
from mappers.sharing.consent import consent_of, name_of
from mappers.talking import discussed, task_of
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Write
from smartapp.pages.hooks.routes import LONGEST_BODY
from smartapp.services import KEY
from tests.cds_hooks import CdsClient, complaints
from tests.nictiz import person
from tests.smartapp.pages.hooks.conftest import TEAM, ago, know

ANNA = {"reference": "Patient/anna", "display": "Anna Voorbeeld"}
HERE = {"userId": "Practitioner/els", "patientId": "anna"}
HOOKS = {
    "patient-view": HERE,
    "appointment-book": {**HERE, "appointments": {"resourceType": "Bundle", "type": "collection", "entry": []}},
    "encounter-start": {**HERE, "encounterId": "e-1"},
}
PREPARED, TOGETHER = "Anna bereidde het gesprek voor", "Er staat iets klaar om samen te bekijken"


def prepared(when: str, *, status: str = "completed", who=ANNA):
    visit = catalogue().instruments["sdm-visit"]
    values = {"sdm-visit-questions-ask": "Mag het een keer buiten?"}
    about = {"subject": who, "author": who, "source": who, "identifier": f"visit-{when}"}
    return response_of(values, visit, status=status, authored=when, **about)


def marked(**changes):
    answer = SaidIn("nel-01", "QuestionnaireResponse/1")
    task = task_of(answer, words="Zingen.", patient=ANNA, requester=ANNA, marked_on=ago(days=1), language="nl")
    return {**task, **changes}


def held(when: str):
    """A decision that two people wrote down in a conversation."""
    decision = catalogue().instruments["decision"]
    about = {"subject": ANNA, "author": {"reference": "Practitioner/els"}, "source": ANNA, "identifier": f"d-{when}"}
    return response_of({}, decision, status="completed", authored=when, **about)


def write(server, *resources):
    for one in resources:
        server.sandbox.store.write(Write("create", one))


def summaries(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [card["summary"] for card in answer.json()["cards"]]


def hide(core, server, *parts: str) -> None:
    sharing = Sharing(dict.fromkeys(parts, ME), ago(days=1))
    consent = consent_of(sharing, name=name_of(server.base, "Patient/anna"), patient=ANNA, titles={}, displays={})
    core.own_store(server.base).write(Write("create", consent))


# --- discovery and the shapes -----------------------------------------------------------------------------------------


def test_discovery_is_as_hl7_shapes_it_and_names_each_hook(ehr):
    found = ehr.discover()
    assert complaints(found) == []
    assert [one["hook"] for one in found["services"]] == list(HOOKS)


def test_without_an_issuer_that_asks_there_is_no_service(server):
    assert requests.get(f"{server.url}/cds-services", timeout=20).json() == {"services": []}
    called = requests.post(f"{server.url}/cds-services/verstel-patient-view", json={}, timeout=20)
    assert called.status_code == 404


@pytest.mark.parametrize(("hook", "context"), HOOKS.items())
def test_each_hook_gets_cards_that_only_link(server, ehr, hook, context):
    write(server, prepared(ago(days=2)), marked())
    answer = ehr.call(hook, context)
    assert complaints(answer.json()) == []
    assert summaries(answer) == [PREPARED, TOGETHER]
    for card in answer.json()["cards"]:
        assert set(card) == {"summary", "detail", "indicator", "source", "links"}
        assert (card["indicator"], card["source"]) == ("info", {"label": "Verstel"})
        assert card["links"] == [{"label": "Open Verstel", "url": f"{server.url}/launch", "type": "smart"}]
        assert not re.search(r"Zingen|buiten|[0-9]", card["summary"] + card["detail"])


@pytest.mark.parametrize(
    "name",
    ["[x](https://a.example)", "<b>", "**N**", "`x`", "\u200b", "https://a.example"],
)
def test_a_name_that_a_screen_could_read_as_something_else_is_not_told(server, ehr, name):
    write(server, prepared(ago(days=2)))
    prefetch = ehr.body("patient-view", HERE)["prefetch"]
    prefetch["patient"]["name"] = [{"given": [name]}]
    assert summaries(ehr.call("patient-view", HERE, prefetch=prefetch)) == ["De cliënt bereidde het gesprek voor"]


@pytest.mark.parametrize("name", ["A\u202eB", "A\x07B"])
def test_signs_that_nobody_sees_are_left_out_of_a_name(server, ehr, name):
    write(server, prepared(ago(days=2)))
    prefetch = ehr.body("patient-view", HERE)["prefetch"]
    prefetch["patient"]["name"] = [{"given": [name]}]
    assert summaries(ehr.call("patient-view", HERE, prefetch=prefetch)) == ["AB bereidde het gesprek voor"]


@pytest.mark.parametrize("name", ["Anne-Marie", "D’Arcy", "Zoë", "Zoe\u0308", "Ömer", "李", "अनिता", "J."])
def test_other_names_are(server, ehr, name):
    write(server, prepared(ago(days=2)))
    prefetch = ehr.body("patient-view", HERE)["prefetch"]
    prefetch["patient"]["name"] = [{"given": [name]}]
    assert summaries(ehr.call("patient-view", HERE, prefetch=prefetch)) == [f"{name} bereidde het gesprek voor"]


@pytest.mark.parametrize(
    ("names", "told"),
    [([{"given": ["A\nB"]}], "A B"), (person("Patient-01").resource["name"], "Jo"), ([{"text": "de Boer"}], "de Boer")],
)
def test_a_person_is_called_on_one_line_by_what_they_are_called(server, ehr, names, told):
    write(server, prepared(ago(days=2)))
    prefetch = ehr.body("patient-view", HERE)["prefetch"]
    prefetch["patient"]["name"] = names
    assert summaries(ehr.call("patient-view", HERE, prefetch=prefetch)) == [f"{told} bereidde het gesprek voor"]


def test_the_shapes_of_hl7_do_refuse_what_is_wrong():
    card = {"summary": "S", "indicator": "info", "source": {"label": "V"}}
    assert complaints({"cards": [card]}) == []
    for bad in (
        {**card, "indicator": "hard-stop"},
        {**card, "summary": "S" * 140},
        {**card, "summary": ""},
        {**card, "source": {}},
        {**card, "score": 3},
        {**card, "links": []},
        {**card, "links": [{"label": "L", "url": "/launch", "type": "smart"}]},
        {**card, "links": [{"label": "L", "url": "https://a.example", "type": "absolute", "appContext": "x"}]},
    ):
        assert complaints({"cards": [bad]}), bad
    assert complaints({}) == ["cards: is missing"]
    assert complaints({"services": [{"hook": "patient-view"}]})


def test_a_link_of_type_smart_opens_the_record(server, ehr):
    """What the EHR's screen does with the link: it adds its own launch parameters."""
    write(server, prepared(ago(days=2)))
    [card] = ehr.call("patient-view", HERE).json()["cards"]
    launch = server.sandbox.tickets.launch("Practitioner/els", "anna")
    with requests.Session() as browser:
        browser.get(f"{server.url}/sandbox/launch?role=clinician&patient=anna&user=Practitioner/els", timeout=20)
        page = browser.get(card["links"][0]["url"], params={"iss": server.base, "launch": launch}, timeout=20)
    assert page.url.endswith("/overview/"), page.text


# --- what there is to tell --------------------------------------------------------------------------------------------


def test_nothing_there_is_no_card(ehr):
    answer = ehr.call("patient-view", HERE)
    assert answer.json() == {"cards": []}


@pytest.mark.parametrize(
    "not_told",
    [
        lambda: [prepared(ago(days=2), status="in-progress")],
        lambda: [prepared(ago(days=40))],
        lambda: [prepared(ago(days=-2))],
        lambda: [prepared(ago(days=2)), held(ago(days=1))],
        lambda: [prepared(ago(days=2), who={"reference": "Patient/bram", "display": "Bram"})],
        lambda: [discussed(marked())],
        lambda: [marked(status="cancelled")],
    ],
    ids=["still filling in", "long ago", "in the future", "talked since", "another person", "discussed", "taken back"],
)
def test_what_is_no_longer_so_or_not_theirs_is_not_told(server, ehr, not_told):
    write(server, *not_told())
    assert summaries(ehr.call("patient-view", HERE)) == []


def test_a_preparation_after_the_last_conversation_is_told(server, ehr):
    write(server, held(ago(days=2)), prepared(ago(hours=30)))
    assert summaries(ehr.call("patient-view", HERE)) == [PREPARED]


def test_what_lives_with_us_counts_too(server, core, ehr):
    core.own_store(server.base).write(Write("create", prepared(ago(days=2))))
    assert summaries(ehr.call("patient-view", HERE)) == [PREPARED]


def test_what_was_not_sent_along_is_not_known_and_is_not_fetched(server, core, ehr):
    write(server, prepared(ago(days=2)), marked())
    asked = ehr.body("patient-view", HERE)
    asked_of_ehr = []
    server.sandbox.faults.add("GET", "QuestionnaireResponse", 500)  # would show, if it were asked
    for key in ("answers", "points"):
        prefetch = {name: value for name, value in asked["prefetch"].items() if name != key}
        asked_of_ehr.append(summaries(ehr.call("patient-view", HERE, prefetch=prefetch)))
    assert asked_of_ehr == [[TOGETHER], [PREPARED]]
    token = {
        "access_token": "borrowed",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "user/*.rs",
        "subject": "x",
    }
    only_who = {name: asked["prefetch"][name] for name in ("user", "roles", "teams")}
    assert summaries(ehr.call("patient-view", HERE, prefetch=only_who, fhirAuthorization=token)) == []


def test_without_the_name_the_card_says_who_it_is_in_another_way(server, ehr):
    write(server, prepared(ago(days=2)))
    prefetch = {name: one for name, one in ehr.body("patient-view", HERE)["prefetch"].items() if name != "patient"}
    assert summaries(ehr.call("patient-view", HERE, prefetch=prefetch)) == ["De cliënt bereidde het gesprek voor"]
    bram = {**prefetch, "patient": {"resourceType": "Patient", "id": "bram", "name": [{"given": ["Bram"]}]}}
    assert summaries(ehr.call("patient-view", HERE, prefetch=bram)) == ["De cliënt bereidde het gesprek voor"]


# --- for whom ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["answers.sdm-visit", "answers.nel"])
def test_what_the_client_hid_is_as_what_is_not_there(server, core, ehr, part):
    write(server, *([marked()] if part == "answers.sdm-visit" else [prepared(ago(days=2))]))
    without = ehr.call("patient-view", HERE)
    write(server, *([prepared(ago(days=2))] if part == "answers.sdm-visit" else [marked()]))
    assert summaries(ehr.call("patient-view", HERE)) == [PREPARED, TOGETHER]
    hide(core, server, part)
    hidden = ehr.call("patient-view", HERE)
    assert (hidden.status_code, hidden.content) == (without.status_code, without.content)
    assert set(hidden.headers) == set(without.headers)


def test_that_a_conversation_was_held_is_hidden_with_the_conversations(server, core, ehr):
    write(server, prepared(ago(days=2)), held(ago(days=1)))
    assert summaries(ehr.call("patient-view", HERE)) == []
    hide(core, server, "talks")
    assert summaries(ehr.call("patient-view", HERE)) == [PREPARED]


@pytest.mark.parametrize("user", ["Practitioner/else", "Patient/anna", "Patient/bram", "RelatedPerson/mila"])
def test_who_may_not_read_it_is_told_nothing(server, ehr, user):
    write(server, prepared(ago(days=2)), marked())
    body = ehr.body("patient-view", {**HERE, "userId": user})
    type_, _, id_ = user.partition("/")
    body["prefetch"] |= {"user": {"resourceType": type_, "id": id_}}
    address = ehr.address("patient-view")
    assert summaries(ehr.post(address, ehr.token(address), body)) == []


def test_a_team_in_our_store_that_is_not_the_clients_own_circle_makes_nobody_one_of_their_people(server, core, ehr):
    write(server, prepared(ago(days=2)))
    theirs = {
        **TEAM,
        "id": "other",
        "participant": [{"member": {"reference": "Practitioner/else", "display": "E. B."}}],
    }
    core.own_store(server.base).write(Write("create", theirs))
    body = ehr.body("patient-view", {**HERE, "userId": "Practitioner/else"})
    body["prefetch"] |= {"user": {"resourceType": "Practitioner", "id": "else"}}
    address = ehr.address("patient-view")
    assert summaries(ehr.post(address, ehr.token(address), body)) == []


def test_a_role_that_a_code_names_is_that_of_the_app(server, ehr):
    """A peer worker reads no answers unless the client chose so."""
    write(server, prepared(ago(days=2)))
    code = {"coding": [{"system": "https://verstel.nl/fhir/CodeSystem/care-team-role", "code": "peer-worker"}]}
    [member] = TEAM["participant"]
    server.sandbox.store.write(Write("update", {**TEAM, "participant": [{**member, "role": [code]}]}))
    assert summaries(ehr.call("patient-view", HERE)) == []


@pytest.mark.parametrize("missing", ["user", "roles", "teams"])
@pytest.mark.parametrize("how", ["left out", "null", "error", "another"])
def test_without_who_asks_the_answer_is_412(server, core, ehr, missing, how):
    write(server, prepared(ago(days=2)))
    prefetch = ehr.body("patient-view", HERE)["prefetch"]
    instead = {
        "left out": {},
        "null": {missing: None},
        "error": {missing: {"resourceType": "OperationOutcome", "issue": []}},
        "another": {missing: {"resourceType": "Practitioner", "id": "else"}},
    }[how]
    rest = {name: one for name, one in prefetch.items() if name != missing}
    answer = ehr.call("patient-view", HERE, prefetch={**rest, **instead})
    assert (answer.status_code, set(answer.json())) == (412, {"error"})
    *_, row = core.audit.entries()
    assert (row.event, row.outcome, row.reason, row.patient) == ("asked", "4", "prefetch-missing", "Patient/anna")
    # An EHR that is not set up well is nobody who wanted to look.
    assert list(core.audit.looks(core.settings.issuer_key(server.base), "Patient/anna", denied=True)) == []


# --- what is no call --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"hook": "order-sign"},
        {"hookInstance": "1"},
        {"hookInstance": None},
        {"context": None},
        {"context": {"userId": "Practitioner/els"}},
        {"context": {"userId": "Practitioner/els", "patientId": "a/../b"}},
        {"context": {"userId": "Device/1", "patientId": "anna"}},
    ],
)
def test_what_is_no_call_of_this_service_is_400(core, ehr, changes):
    answer = ehr.call("patient-view", HERE, **changes)
    assert (answer.status_code, set(answer.json())) == (400, {"error"})
    *_, row = core.audit.entries()
    assert (row.event, row.outcome) == ("refused", "4")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 5000, b'{"a":' * 100 + b"1" + b"}" * 100])
def test_what_is_no_json_of_ours_is_400(ehr, body):
    address = ehr.address("patient-view")
    said = {"Authorization": f"Bearer {ehr.token(address)}", "Content-Type": "application/json"}
    assert requests.post(address, data=body, headers=said, timeout=20).status_code == 400


def test_a_hook_that_needs_an_encounter_is_not_called_without(ehr):
    assert ehr.call("encounter-start", HOOKS["encounter-start"], context=HERE).status_code == 400


def test_a_call_that_is_too_large_is_413_for_a_program_and_a_row(core, ehr):
    address = ehr.address("patient-view")
    said = {"Authorization": f"Bearer {ehr.token(address)}", "Content-Type": "application/json"}
    answer = ehr.ask("POST", address, headers=said, data=b" " * (LONGEST_BODY + 1))
    assert (answer.status_code, list(answer.json())) == (413, ["error"])
    *_, row = core.audit.entries()
    assert (row.event, row.reason) == ("refused", "too-large")


@pytest.mark.parametrize("base", ["https://other.example/fhir", "", "/"])
def test_another_fhir_server_is_403(server, core, ehr, base):
    write(server, prepared(ago(days=2)))
    other = server.base + "/" if base == "/" else base
    answer = ehr.call("patient-view", HERE, fhirServer=other)
    assert answer.status_code == 403
    *_, row = core.audit.entries()
    assert (row.event, row.reason) == ("refused", "other-fhir-server")


def test_an_unknown_service_is_404(ehr):
    address = f"{ehr.services}/verstel-order-sign"
    assert ehr.post(address, ehr.token(address), {}).status_code == 404


# --- who calls --------------------------------------------------------------------------------------------------------


def test_a_call_that_proves_nothing_gets_one_answer(server, core, ehr):
    write(server, prepared(ago(days=2)))
    address, body = ehr.address("patient-view"), ehr.body("patient-view", HERE)
    stranger = CdsClient("https://stranger.example", server.base, ehr.services, ehr.ask, ehr.read)
    forged = CdsClient(ehr.iss, server.base, ehr.services, ehr.ask, ehr.read)
    again = ehr.token(address)
    assert ehr.post(address, again, body).status_code == 200
    answers = [
        ehr.ask("POST", address, data=json.dumps(body), headers={"Content-Type": "application/json"}),
        *(
            ehr.post(address, token, body)
            for token in (
                "x",
                again,
                stranger.token(address),
                forged.token(address),
                ehr.token(ehr.address("encounter-start")),
                ehr.token(address, exp=1),
            )
        ),
    ]
    assert {one.status_code for one in answers} == {401}
    assert {one.content for one in answers} == {answers[0].content}
    assert {one.headers["WWW-Authenticate"] for one in answers} == {"Bearer"}
    *_, row = core.audit.entries()
    assert (row.event, row.objects, row.user) == ("refused", ("hooks.verstel-patient-view",), "")


# --- the log, languages and browsers ----------------------------------------------------------------------------------


def test_each_call_is_a_row_who_about_whom_and_which_parts_were_told(server, core, ehr):
    ehr.call("patient-view", HERE)
    write(server, prepared(ago(days=2)), marked())
    ehr.call("patient-view", HERE)
    nothing, told = list(core.audit.entries())[-2:]
    assert (nothing.event, nothing.parts, nothing.objects) == ("asked", (), ("hooks.verstel-patient-view",))
    assert (told.event, told.outcome, told.parts) == ("read", "0", ("answers.sdm-visit", "answers.nel"))
    for row in (nothing, told):
        assert (row.user, row.user_name, row.role) == ("Practitioner/els", "Els Visser", "clinician")
        assert (row.patient, row.purpose) == ("Patient/anna", "TREAT")
    assert [one.split("/")[0] for one in told.objects[1:]] == ["QuestionnaireResponse", "Task"]
    # Who was told something is among those who looked; who was told nothing is not.
    looks = [entry for _number, entry in core.audit.looks(core.settings.issuer_key(server.base), "Patient/anna")]
    assert looks == [told]


@pytest.mark.parametrize(
    ("chosen", "asked", "english"),
    [
        (None, "", False),
        (None, "fr-FR,fr", False),
        (None, "en-GB,en;q=0.9,nl;q=0.5", True),
        ("en", "nl", True),
        ("nl", "en", False),
    ],
)
def test_the_language_is_the_issuers_else_the_requests_else_dutch(server, ehr, chosen, asked, english):
    know(server.app.extensions[KEY], ehr, language=chosen)
    write(server, prepared(ago(days=2)))
    address = ehr.address("patient-view")
    answer = ehr.post(address, ehr.token(address), ehr.body("patient-view", HERE), **{"Accept-Language": asked})
    assert summaries(answer) == ["Anna prepared the conversation" if english else PREPARED]


def test_only_pages_of_named_origins_may_ask_from_a_browser(core, ehr):
    know(core, ehr, origins=("https://ehr.example",))
    address = ehr.address("patient-view")
    wish = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    for url in (ehr.services, address):
        mine = ehr.ask("OPTIONS", url, headers={"Origin": "https://ehr.example", **wish})
        other = ehr.ask("OPTIONS", url, headers={"Origin": "https://other.example", **wish})
        assert mine.headers["Access-Control-Allow-Origin"] == "https://ehr.example"
        assert mine.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
        assert "Access-Control-Allow-Credentials" not in mine.headers
        assert "Access-Control-Allow-Origin" not in other.headers
        assert "Origin" in mine.headers["Vary"]
        assert "Origin" in other.headers["Vary"]
