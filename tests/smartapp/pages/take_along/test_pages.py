"""All of a person's own in one file: the paper to read, the same inside for a computer, and nobody else's."""

from __future__ import annotations

import json
from collections import Counter

import pypdfium2
import pytest

from mappers.portable import read
from mappers.portable.shapes import references
from smartapp.fhir.store import Query, Unreachable, Write
from tests.smartapp.helpers import launched, make_app, text_of
from tests.smartapp.pages.plan.pdf_text import squeezed, text_in
from tests.smartapp.pages.take_along.people import (
    AGREED,
    NOTE,
    PHASE_WORDS,
    SIGN,
    STORY,
    TYPIST,
    with_everything,
)

BSN = "http://fhir.nl/fhir/NamingSystem/bsn"


def inside(pdf: bytes) -> tuple[str, bytes]:
    """Return the name and the bytes of the one file in a PDF."""
    document = pypdfium2.PdfDocument(pdf)
    assert document.count_attachments() == 1
    found = document.get_attachment(0)
    content = found.get_name(), bytes(found.get_data())
    document.close()
    return content


@pytest.fixture
def anna():
    """Anna, for whom time stands still."""
    return with_everything(make_app(clock=lambda: 1_800_000_000.0))


def test_the_page_says_what_is_in_it_who_can_read_it_and_what_is_not(anna):
    page = text_of(anna.get("take-along/"))
    for said in (
        "1 plan",
        "1 programma",
        "2 doelen",
        "15 stappen, afspraken en verzoeken",
        "4 formulieren in je eigen woorden",
        "1 keer dat je antwoorden instuurde",
        "Wie het bestand heeft, kan alles lezen.",
        "Niemand heeft het bestand ondertekend.",
        "Niet erin: wat je typte en niet bewaarde.",
    ):
        assert said in page


def test_the_file_inside_the_paper_is_the_bare_file_to_the_byte(anna):
    name, content = inside(anna.get("take-along/all.pdf").data)
    assert name == "verstel.fhir.json"
    assert content == anna.get("take-along/all.json").data


def test_the_paper_holds_everything_that_can_be_read(anna):
    text = text_in(anna.get("take-along/all.pdf").data)
    for said in (
        AGREED,
        STORY,
        SIGN,
        NOTE,
        PHASE_WORDS,
        "Weer leren zwemmen",
        "Een badpak kopen",
        "Ik woon fijn.",
        "Een kat",
        "Meten op drie momenten",
        "Dit wacht, want het programma staat op pauze.",
    ):
        assert squeezed(said) in text
    assert squeezed("http://localhost") in text


def test_the_file_is_of_one_person_and_leads_to_nothing_outside(anna):
    bundle = json.loads(anna.get("take-along/all.json").data)
    kinds = Counter(one["resource"]["resourceType"] for one in bundle["entry"])
    assert (kinds["Patient"], kinds["Provenance"], kinds["CarePlan"]) == (1, 1, 2)  # the plan, and a programme
    assert kinds["Goal"] == 2
    assert kinds["QuestionnaireResponse"] == 3
    urls = {one["fullUrl"] for one in bundle["entry"]}
    assert {one["reference"] for one in references(bundle)} <= urls
    assert f'"display": "{TYPIST}"' in json.dumps(bundle)
    file = read(json.dumps(bundle).encode())
    assert (file.owner.name, file.owner.birth_date, file.left_out) == ("Anna Voorbeeld", "1992-03-14", ())


def test_of_what_is_at_two_places_each_refers_to_its_own(anna):
    """`Goal/5` in the EHR and `Goal/5` in our own store are two goals."""
    own = anna.core.own_store(anna.launch.issuer)
    goal = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "Een doel elders"},
        "subject": {"reference": "Patient/anna"},
    }
    [first, *_others] = anna.records.search(Query.of("Goal", patient="anna"))[0]
    own.write(Write("update", {**goal, "id": first.resource["id"]}))
    bundle = json.loads(anna.get("take-along/all.json").data)
    by_url = {one["fullUrl"]: one["resource"] for one in bundle["entry"]}
    plan = next(one for one in by_url.values() if one["resourceType"] == "CarePlan")
    assert "Een doel elders" not in [by_url[one["reference"]]["description"]["text"] for one in plan["goal"]]
    assert "Een doel elders" in json.dumps(bundle)


def test_a_national_number_and_the_ids_of_a_server_are_in_no_file(app):
    visitor = launched(app)
    goal = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "identifier": [{"system": BSN, "value": "999990019"}],
        "description": {"text": "Zwemmen"},
        "subject": {"reference": "Patient/anna", "identifier": {"system": BSN, "value": "999990019"}},
        "expressedBy": {"type": "Patient", "identifier": {"system": BSN, "value": "999990019"}, "display": "Anna"},
    }
    id_ = visitor.ehr.write(Write("create", goal)).resource["id"]
    said = visitor.get("take-along/all.json").text
    assert "Zwemmen" in said
    assert "999990019" not in said
    assert id_ not in said


def test_what_is_somebody_else_s_or_a_mistake_is_not_in_it(anna):
    mine = {"resourceType": "Goal", "lifecycleStatus": "entered-in-error", "description": {"text": "Vergissing"}}
    anna.ehr.write(Write("create", {**mine, "subject": {"reference": "Patient/anna"}}))
    theirs = {**mine, "lifecycleStatus": "active", "description": {"text": "Van Bert"}}
    anna.ehr.write(Write("create", {**theirs, "subject": {"reference": "Patient/bert"}}))
    said = anna.get("take-along/all.json").text
    assert "Vergissing" not in said
    assert "Van Bert" not in said


def test_who_has_nothing_is_told_so(app):
    assert "Er is nog niets om mee te nemen" in text_of(launched(app).get("take-along/"))


@pytest.mark.parametrize("path", ["take-along/", "take-along/all.pdf", "take-along/all.json"])
def test_nobody_but_the_client_has_it(app, path):
    assert launched(app, role="clinician").get(path).status_code == 403


def test_a_record_that_is_away_gives_no_half_file(anna):
    anna.make_flaky().silence = Unreachable("away")
    assert anna.get("take-along/all.pdf").status_code >= 500


def test_the_page_is_found_from_each_page_and_from_who_looked(anna):
    address = anna.url("take-along/")
    for page in ("", "plan/"):
        assert f'href="{address}"' in anna.get(page).text.partition("<footer")[2]
    assert f'href="{address}"' in anna.get("who-looked/").text.partition("<main")[2].partition("</main")[0]
    assert address not in launched(make_app(), role="clinician").get("scores/").text
