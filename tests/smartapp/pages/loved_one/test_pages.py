"""A loved one finds what is shared and nothing else, what they can do, and support for themselves."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mappers.circle import Member
from mappers.living import Content, Row
from mappers.sharing import parts_in
from questionnaires.catalogue import catalogue
from smartapp.access import table
from smartapp.fhir.store import Query, Unreachable, Write
from smartapp.offer import EXAMPLE, read_offer_for_loved_ones
from smartapp.services import KEY
from tests.smartapp.helpers import launched, make_app, put_circle, share_with, text_of
from tests.smartapp.pages.living.writing import put_form
from tests.smartapp.pages.plan.conftest import put
from tests.smartapp.pages.plan.pages import fill

MILA = Member("1", "Mila", "mijn zus", "loved-one", "RelatedPerson/mila")
VISSER = Member("2", "W. Visser", "", "representative", "RelatedPerson/visser")
EVERYTHING = parts_in(catalogue(), table().apart)


@pytest.fixture
def app():
    made = make_app(offer_for_loved_ones=read_offer_for_loved_ones(EXAMPLE))
    yield made
    made.extensions[KEY].engine.dispose()


@pytest.fixture
def anna(app):
    """Anna, with a story, a plan, a plan for hard days, a phase and two people around her."""
    visitor = launched(app)
    put(visitor.ehr)
    known, name = catalogue().living, "staying-well-supporter"
    put_form(visitor, Content(known["story"], {"story-story": ("Ik zing <b>weer</b>.",)}))
    rows = {f"{name}s": (Row("one", {name: ("Oma",)}),)}
    put_form(visitor, Content(known["staying-well"], {"staying-well-early-help": ("Wandelen.",)}, rows))
    fill(visitor, "phase/", phase="living-with", words="Het gaat.")
    put_circle(app, MILA, VISSER)
    return visitor


def mila(app, **more):
    return launched(app, role="loved-one", **more)


def parts(visitor):
    return re.findall(r'href="[^"]*/loved-one/shared/([^"]*)/"', visitor.get("loved-one/").text)


def test_where_nothing_is_shared_it_says_so_warmly_and_as_if_nothing_were_there(app, anna):
    shown = mila(app).get("loved-one/")
    assert "Er staat nu niets om te lezen." in text_of(shown)
    assert parts(mila(app)) == []
    bert = launched(app, patient="bert", name="Anna Voorbeeld")  # who has nothing at all
    put_circle(app, MILA, patient="bert")
    empty = launched(app, patient="bert", role="loved-one", name="Anna Voorbeeld")
    assert bert.launch.patient.display == empty.launch.patient.display
    assert text_of(empty.get("loved-one/")) == text_of(shown)


def test_what_is_shared_is_listed_and_each_opens_on_a_page_in_the_clients_words(app, anna):
    share_with(app, "RelatedPerson/mila", "form.story", "phase", "circle", "domain.housing")
    visitor = mila(app)
    assert parts(visitor) == ["form.story", "domain.housing", "phase", "circle"]
    story = visitor.get("loved-one/shared/form.story/")
    assert "Ik zing <b>weer</b>." in text_of(story)
    assert "<b>weer" not in story.text
    assert "Het gaat." in text_of(visitor.get("loved-one/shared/phase/"))
    assert "W. Visser" in text_of(visitor.get("loved-one/shared/circle/"))
    said = text_of(visitor.get("loved-one/shared/domain.housing/"))
    assert "Anna deelt dit met je" in said


@pytest.mark.parametrize(
    "part", ["form.story", "crisis", "domain.housing", "scores", "nothing", "form.nothing", "circle"]
)
def test_what_is_not_shared_is_as_absent_as_what_does_not_exist(app, anna, part):
    share_with(app, "RelatedPerson/mila", "phase")
    answer, absent = (mila(app).get(f"loved-one/shared/{one}/") for one in (part, "no-such-part"))
    assert answer.status_code == absent.status_code == 404
    assert text_of(answer) == text_of(absent)


def test_what_to_do_in_a_crisis_is_shared_without_the_rest_of_that_form(app, anna):
    share_with(app, "RelatedPerson/mila", "crisis")
    visitor = mila(app)
    assert parts(visitor) == ["crisis"]
    said = text_of(visitor.get("loved-one/shared/crisis/"))
    assert "Oma" in said
    assert "Wandelen." not in said


def test_all_that_can_be_shared_can_be_read(app, anna):
    share_with(app, "loved-one", *EVERYTHING)
    visitor = mila(app)
    assert {"form.story", "form.staying-well", "phase", "circle"} <= set(parts(visitor))
    for part in parts(visitor):
        page = visitor.get(f"loved-one/shared/{part}/")
        assert page.status_code == 200
        # Each way on that it shows is open to them.
        for href in re.findall(r"<main.*?</main>", page.text, re.DOTALL)[0].split('href="')[1:]:
            address = href.partition('"')[0]
            if address.startswith("/l/"):
                assert visitor.get(address).status_code == 200, address


def test_sharing_that_ends_ends_while_the_page_is_open(app, anna):
    share_with(app, "RelatedPerson/mila", "form.story")
    visitor = mila(app)
    assert visitor.get("loved-one/shared/form.story/").status_code == 200
    share_with(app, "RelatedPerson/mila")
    assert visitor.get("loved-one/shared/form.story/").status_code == 404
    assert parts(visitor) == []


def test_who_left_the_circle_reads_nothing_more_in_a_page_that_was_open(app, anna):
    share_with(app, "RelatedPerson/mila", "form.story")
    visitor = mila(app)
    assert parts(visitor) == ["form.story"]
    anna.post("people/1/leave")
    assert parts(visitor) == []
    assert visitor.get("loved-one/shared/form.story/").status_code == 404
    assert "Er staat nu niets om te lezen." in text_of(visitor.get("loved-one/"))


def test_one_person_beside_two_clients_reads_of_each_what_that_one_shares(app, anna):
    launched(app, patient="bert", name="Bert Ander")
    put_circle(app, replace(MILA, id="9"), patient="bert")
    share_with(app, "RelatedPerson/mila", "form.story")
    about_bert = mila(app, patient="bert", name="Bert Ander")
    assert parts(about_bert) == []
    assert about_bert.get("loved-one/shared/form.story/").status_code == 404
    assert parts(mila(app)) == ["form.story"]


def test_a_loved_one_opens_no_page_of_the_client_or_the_team_and_writes_nothing(app, anna):
    share_with(app, "loved-one", *EVERYTHING)
    visitor = mila(app)
    for path in ("plan/", "living/story/", "overview/", "people/", "who-looked/", "scores/", "answers/", "phase/"):
        assert visitor.get(path).status_code == 403, path
    assert visitor.post("phase/", {"phase": "overwhelmed"}).status_code == 403
    assert visitor.post("people/1/leave").status_code == 403


def test_a_legal_representative_reads_who_decides_what_is_not_said_here(app, anna):
    share_with(app, "RelatedPerson/visser", "form.story")
    visitor = launched(app, role="representative")
    said = text_of(visitor.get("loved-one/"))
    assert "wettelijk vertegenwoordiger van Anna" in said
    assert "zegt de wet en niet Verstel" in said
    assert parts(visitor) == ["form.story"]


def test_what_the_place_has_for_loved_ones_and_whom_to_call_stands_there(app, anna):
    said = text_of(mila(app).get("loved-one/"))
    for words in ("Familie-ervaringsdeskundige", "Avond voor naasten", "Wat heb jij nodig", "bel 112"):
        assert words in said
    assert "Handreiking" in said


def test_what_is_for_themselves_is_there_while_the_record_is_away(app, anna):
    share_with(app, "RelatedPerson/mila", "form.story")
    anna.make_flaky().silence = Unreachable("away")
    page = mila(app).get("loved-one/")
    assert page.status_code == 200
    assert "We kunnen het dossier nu niet bereiken." in text_of(page)
    assert "Steun voor jezelf" in text_of(page)


def test_reading_leaves_nothing_but_that_they_looked(app, anna):
    share_with(app, "RelatedPerson/mila", "form.story")
    own = anna.core.own_store(anna.launch.issuer)
    before = [one.etag for type_ in ("CareTeam", "Consent") for one in own.search(Query.of(type_, patient="anna"))]
    mila(app).get("loved-one/shared/form.story/")
    after = [one.etag for type_ in ("CareTeam", "Consent") for one in own.search(Query.of(type_, patient="anna"))]
    assert before == after
    assert "Mila" in text_of(anna.get("who-looked/"))


def test_nobody_in_the_header_is_told_when_the_client_was_born(app, anna):
    visitor = mila(app, birth_date="1992-03-14")
    assert "1992" not in visitor.get("loved-one/").text
    assert "1992" in launched(app, role="clinician", birth_date="1992-03-14").get("overview/").text


def test_a_loved_one_whose_related_person_is_another_reads_nothing(app, anna):
    share_with(app, "loved-one", *EVERYTHING)
    anna.ehr.write(
        Write("update", {"resourceType": "RelatedPerson", "id": "else", "patient": {"reference": "Patient/anna"}})
    )
    assert parts(mila(app, reference="RelatedPerson/else")) == []
