"""The client says who is around them: added, changed, invited, ended at once, and nowhere else than here."""

from __future__ import annotations

import html
import itertools
import re

import pytest

from fhir_profiles.checking import problems
from mappers.circle import PROFILE, circle_of
from mappers.living import Content, Row
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Unreachable, Write
from smartapp.services import KEY
from tests.smartapp.helpers import EHR, launched, make_app, share_with, text_of
from tests.smartapp.pages.living.writing import put_form
from tests.smartapp.pages.plan.pages import fields_of, fill

NOW = "2030-01-01T00:00:00+01:00"
ANNA = {"reference": "Patient/anna", "display": "Anna Voorbeeld"}
MILA = {
    "resourceType": "RelatedPerson",
    "id": "mila",
    "patient": ANNA,
    "name": [{"text": "Mila <b>Voorbeeld</b>"}],
    "relationship": [{"text": "Zus"}],
}
TEAM = {
    "resourceType": "CareTeam",
    "id": "team",
    "status": "active",
    "subject": ANNA,
    "participant": [
        {"role": [{"text": "SPV"}], "member": {"reference": "Practitioner/jansen", "display": "SPV J. Jansen"}},
        {"role": [{"text": "Zus"}], "member": {"reference": "RelatedPerson/mila", "display": "Mila Voorbeeld"}},
    ],
}


@pytest.fixture
def app():
    made = make_app()
    yield made
    made.extensions[KEY].engine.dispose()


@pytest.fixture
def anna(app):
    return launched(app, resources=[MILA, TEAM])


def own_store(visitor):
    return visitor.core.own_store(visitor.launch.issuer)


def teams(visitor, store=None):
    found = (store or own_store(visitor)).search(Query.of("CareTeam", patient="Patient/anna"))
    return [one.resource for one in found]


def people(visitor):
    return [one for team in teams(visitor) for one in circle_of(team).people]


def add(visitor, kind="loved-one", **typed):
    answer = fill(visitor, f"people/new/{kind}/", **{"role": kind, **typed})
    assert answer.status_code == 303, text_of(answer)
    return visitor.get(answer.location)


def undo(visitor, page):
    [(address, id_)] = re.findall(r'action="([^"]*/back)".*?name="undo" value="([^"]*)"', page.text, re.DOTALL)
    return visitor.get(visitor.post(html.unescape(address), {"undo": id_}).location)


def press(visitor, what, member):
    answer = visitor.post(f"people/{member.id}/{what}")
    assert answer.status_code == 303
    return visitor.get(answer.location)


# --- adding -----------------------------------------------------------------------------------------------------------


def test_who_has_no_circle_is_invited_to_begin_one(anna):
    page = text_of(anna.get("people/"))
    assert "Hier staat nog niemand" in page
    assert teams(anna) == []


def test_somebody_without_a_login_is_added_and_kept_in_our_own_store_alone(anna):
    page = text_of(add(anna, name="Oma", relation="mijn oma", phone="06 12345678", supports="yes"))
    for said in ("Deze persoon hoort nu bij jouw mensen.", "Oma", "mijn oma · naaste", "Heeft hier geen login."):
        assert said in page
    assert "Zei ja tegen steun" in page
    [team] = teams(anna)
    assert problems(team, PROFILE) == []
    assert [one["id"] for one in teams(anna, anna.ehr)] == ["team"]
    [oma] = people(anna)
    assert (oma.name, oma.reference, oma.supports, oma.since[:2]) == ("Oma", "", True, "20")


def test_a_loved_one_of_the_record_is_chosen_from_it_and_keeps_who_they_are(anna):
    whom = anna.get("people/new/")
    assert "people/new/RelatedPerson/mila/" in whom.text
    page = anna.get("people/new/RelatedPerson/mila/")
    assert fields_of(page)["name"] == "Mila <b>Voorbeeld</b>"
    answer = fill(anna, "people/new/RelatedPerson/mila/", name="Mila", relation="mijn zus", role="loved-one")
    assert answer.status_code == 303
    [mila] = people(anna)
    assert (mila.reference, mila.name) == ("RelatedPerson/mila", "Mila")
    assert "RelatedPerson/mila" not in anna.get("people/new/").text
    again = anna.get("people/new/RelatedPerson/mila/")
    assert again.location.endswith(f"/people/{mila.id}/")


def test_somebody_in_the_team_of_the_record_is_shown_and_becomes_one_of_my_people_when_i_say_so(anna):
    page = anna.get("people/")
    assert "Volgens je dossier zitten deze mensen in je team." in text_of(page)
    fill(anna, "people/new/Practitioner/jansen/", role="case-manager")
    [jansen] = people(anna)
    assert (jansen.reference, jansen.role, jansen.relation) == ("Practitioner/jansen", "case-manager", "SPV")
    page = text_of(anna.get("people/"))
    assert "SPV · casemanager" in page
    assert teams(anna, anna.ehr) == [one for one in teams(anna, anna.ehr) if one["id"] == "team"]


def test_a_team_may_name_people_in_any_way_and_who_can_sign_in_here_is_offered(anna):
    names = {"https://elsewhere.example/Practitioner/1": "X", f"{EHR}/Practitioner/2": "Y", "a/b/c": "Z", "4": "Q"}
    team = [{"member": {"reference": reference, "display": name}} for reference, name in names.items()]
    anna.ehr.write(Write("update", {**TEAM, "id": "other", "participant": team}))
    page = anna.get("people/new/")
    assert set(re.findall(r"people/new/(Practitioner/[^/]*)/", page.text)) == {"Practitioner/jansen", "Practitioner/2"}
    assert anna.get("people/").status_code == 200


@pytest.mark.parametrize("who", ["RelatedPerson/nobody", "Practitioner/somebody", "Patient/anna", "Device/1"])
def test_who_the_record_does_not_have_can_not_be_made_somebody_who_signs_in(anna, who):
    assert anna.get(f"people/new/{who}/").status_code == 404
    assert anna.post(f"people/new/{who}/", {"name": "X", "role": "loved-one"}).status_code == 404
    assert teams(anna) == []


def test_a_related_person_of_somebody_else_is_not_to_be_chosen(app, anna):
    other = {**MILA, "id": "bo", "patient": {"reference": "Patient/bert", "display": "Bert"}}
    launched(app, patient="bert", name="Bert", resources=[other])
    assert "bo/" not in anna.get("people/new/").text
    assert anna.get("people/new/RelatedPerson/bo/").status_code == 404


def test_a_supporter_of_my_plan_is_added_without_typing_them_again(anna):
    form, name = catalogue().living["staying-well"], "staying-well-supporter"
    said = {name: ("Oma",), f"{name}-relation": ("mijn oma",), f"{name}-telephone": ("06 1",), f"{name}-answer": ("2",)}
    no = {name: ("Sam",), f"{name}-answer": ("3",)}
    put_form(anna, Content(form, rows={f"{name}s": (Row("one", said), Row("two", no))}))
    page = anna.get("people/new/")
    assert "Uit je plan voor goede en moeilijke dagen" in text_of(page)
    [address] = re.findall(r'href="([^"]*/people/new/supporter/[^"]*)"', page.text)
    sent = {**fields_of(anna.get(address))}
    assert (sent["name"], sent["relation"], sent["role"], sent["supports"]) == ("Oma", "mijn oma", "loved-one", "yes")
    anna.post(address, sent)
    assert [(one.name, one.phone, one.supports) for one in people(anna)] == [("Oma", "06 1", True)]
    assert "supporter/" not in anna.get("people/new/").text


def test_sent_twice_somebody_is_added_once(anna):
    sent = {**fields_of(anna.get("people/new/loved-one/")), "name": "Oma", "role": "loved-one"}
    anna.post("people/new/loved-one/", sent)
    anna.post("people/new/loved-one/", sent)
    assert [one.name for one in people(anna)] == ["Oma"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"name": " ", "role": "loved-one"}, "Schrijf een naam op."),
        ({"name": "Oma"}, "Kies wat deze persoon hier is."),
        ({"name": "Oma", "role": "boss"}, "Kies wat deze persoon hier is."),
        ({"name": "O" * 201, "role": "loved-one"}, "Deze tekst is te lang"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(anna, typed, says):
    answer = fill(anna, "people/new/loved-one/", **{"role": "", "relation": "mijn oma", **typed})
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert 'value="mijn oma"' in answer.text
    assert teams(anna) == []


def test_what_is_typed_is_kept_until_it_is_saved(anna):
    sent = {**fields_of(anna.get("people/new/loved-one/")), "name": "Om"}
    anna.post("people/new/loved-one/", sent, headers={"Accept": "application/json"})
    page = anna.get("people/new/loved-one/")
    assert fields_of(page)["name"] == "Om"
    assert "Dit typte je eerder." in text_of(page)


def test_while_the_record_is_away_nothing_typed_is_lost(anna):
    sent = {**fields_of(anna.get("people/new/loved-one/")), "name": "Oma", "role": "loved-one"}
    flaky = anna.make_flaky()
    flaky.silence = Unreachable("away")
    assert anna.post("people/new/loved-one/", sent).status_code == 502
    flaky.silence = None
    assert fields_of(anna.get("people/new/loved-one/"))["name"] == "Oma"


def test_what_stands_in_a_name_is_a_name_and_no_markup(anna):
    add(anna, name="<script>alert(1)</script>", relation="<img src=x>")
    for path in ("people/", f"people/{people(anna)[0].id}/", f"people/{people(anna)[0].id}/change", "people/new/"):
        page = anna.get(path)
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "<b>Voorbeeld" not in page.text


# --- changing ---------------------------------------------------------------------------------------------------------


def test_somebody_is_changed_and_stays_who_they_are(anna):
    fill(anna, "people/new/RelatedPerson/mila/", name="Mila", role="loved-one")
    [before] = people(anna)
    answer = fill(anna, f"people/{before.id}/change", relation="mijn zusje")
    assert "Wat je aanpaste, is bewaard." in text_of(anna.get(answer.location))
    [after] = people(anna)
    assert (after.relation, after.reference, after.id) == ("mijn zusje", "RelatedPerson/mila", before.id)


def test_a_professional_never_becomes_a_loved_one_by_a_form_that_offers_it(anna):
    add(anna, "professional", name="Dokter Bos", role="outside")
    [bos] = people(anna)
    page = anna.get(f"people/{bos.id}/change")
    assert 'value="loved-one"' not in page.text
    assert 'value="clinician"' in page.text


def test_two_tabs_that_both_change_somebody_are_shown_side_by_side(anna):
    add(anna, name="Oma")
    path = f"people/{people(anna)[0].id}/change"
    first, second = fields_of(anna.get(path)), fields_of(anna.get(path))
    anna.post(path, {**first, "relation": "mijn oma"})
    answer = anna.post(path, {**second, "relation": "oma van moederskant"})
    assert answer.status_code == 409
    assert "mijn oma" in text_of(answer)
    assert "oma van moederskant" in answer.text
    assert people(anna)[0].relation == "mijn oma"


def test_two_tabs_that_begin_a_circle_make_one(anna):
    sent = [{**fields_of(anna.get("people/new/loved-one/")), "name": name, "role": "loved-one"} for name in ("A", "B")]
    for each in sent:
        anna.post("people/new/loved-one/", each)
    assert [one.name for one in people(anna)] == ["A", "B"]
    assert len(teams(anna)) == 1


# --- inviting, ending, taking back ------------------------------------------------------------------------------------


def test_who_is_invited_is_told_by_the_client_and_the_day_is_kept(anna):
    fill(anna, "people/new/RelatedPerson/mila/", role="loved-one")
    [mila] = people(anna)
    page = text_of(anna.get(f"people/{mila.id}/"))
    assert "Verstel stuurt geen bericht." in page
    page = press(anna, "invite", mila)
    assert "Uitgenodigd op" in text_of(page)
    assert people(anna)[0].invited_on
    undo(anna, page)
    assert people(anna) == [mila]


def test_who_leaves_is_out_at_once_and_still_told_of_and_it_can_be_taken_back(anna):
    add(anna, name="Oma")
    [oma] = people(anna)
    page = press(anna, "leave", oma)
    assert "hoort niet meer bij jouw mensen" in text_of(page)
    assert "Eerder" in text_of(page)
    [left] = people(anna)
    assert left.until
    assert not left.is_in(NOW)
    assert "Het is weer zoals het was." in text_of(undo(anna, page))
    assert people(anna) == [oma]


def test_who_left_is_put_back_however_long_the_press_took():
    """The clock moves on each time that somebody looks at it."""
    seconds = itertools.count(1_800_000_000)
    app = make_app(clock=lambda: next(seconds))
    anna = launched(app)
    add(anna, name="Oma")
    [oma] = people(anna)
    undo(anna, press(anna, "leave", oma))
    assert people(anna) == [oma]
    app.extensions[KEY].engine.dispose()


def test_who_left_is_taken_out_altogether_and_put_back(anna):
    add(anna, name="Oma")
    press(anna, "leave", people(anna)[0])
    [oma] = people(anna)
    page = press(anna, "remove", oma)
    assert people(anna) == []
    undo(anna, page)
    assert people(anna) == [oma]


def test_what_was_changed_since_is_not_taken_back(anna):
    add(anna, name="Oma")
    [oma] = people(anna)
    page = press(anna, "leave", oma)
    fill(anna, f"people/{oma.id}/change", relation="mijn oma")
    assert "ergens anders veranderd" in undo(anna, page).text
    assert people(anna)[0].until


def test_the_day_that_nobody_pressed_can_not_be_taken_back(anna):
    add(anna, name="Oma")
    [oma] = people(anna)
    answer = anna.post(f"people/{oma.id}/back", {"undo": "x"})
    assert "kan niet meer ongedaan" in anna.get(answer.location).text
    assert people(anna) == [oma]


# --- others -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "change"])
def test_somebody_in_the_circle_of_another_person_is_not_there(app, anna, path):
    add(anna, name="Oma")
    [oma] = people(anna)
    bert = launched(app, patient="bert", name="Bert")
    assert bert.get(f"people/{oma.id}/{path}").status_code == 404
    for what in ("leave", "remove", "invite"):
        assert bert.post(f"people/{oma.id}/{what}").status_code == 404
    assert people(anna) == [oma]
    assert "Oma" not in text_of(bert.get("people/"))


def test_a_team_of_the_record_that_says_to_be_the_circle_is_none(anna):
    add(anna, name="Oma")
    [own] = teams(anna)
    forged = {**own, "id": "forged", "participant": [*own["participant"], TEAM["participant"][0]]}
    launched(anna.app, resources=[forged])
    assert [one.name for one in people(anna)] == ["Oma"]
    page = text_of(anna.get("people/"))
    assert page.index("SPV J. Jansen") > page.index("In je dossier")


def test_a_professional_reads_the_circle_and_changes_nothing_alone(app, anna):
    add(anna, name="Oma")
    [oma] = people(anna)
    joost = launched(app, role="clinician")
    page = text_of(joost.get("people/"))
    assert "De mensen van de cliënt" in page
    assert "Oma" in page
    assert "Iemand toevoegen" not in page
    assert joost.get("people/new/").status_code == 403
    assert joost.post(f"people/{oma.id}/leave").status_code == 403


@pytest.mark.parametrize("role", ["loved-one", "representative", "outside", "guest"])
def test_nobody_else_reads_it(app, anna, role):
    add(anna, name="Oma")
    other = launched(app, role=role)
    assert other.get("people/").status_code == 403
    assert other.get(f"people/{people(anna)[0].id}/").status_code == 403


def test_two_people_write_it_together_and_the_client_says_yes(app, anna):
    joost = launched(app, role="clinician")
    joost.post("overview/together/write", {"what": "phase"})
    answer = fill(joost, "people/new/loved-one/", name="Oma", relation="mijn oma", role="loved-one")
    page = joost.get(answer.location)
    assert people(anna) == []
    assert "SPV J. Jansen typte dit." in text_of(page)
    joost.post("people/new/loved-one/", fields_of(page))
    assert [one.name for one in people(anna)] == ["Oma"]
    [team] = teams(anna)
    assert team["extension"][0]["valueReference"]["reference"] == "Practitioner/jansen"
    [oma] = people(anna)
    asked = joost.post(f"people/{oma.id}/leave")
    assert "Deze persoon hoort niet meer bij jouw mensen." in text_of(asked)
    assert people(anna) == [oma]
    joost.post(f"people/{oma.id}/leave", fields_of(asked))
    assert people(anna)[0].until


def test_in_english_too(anna):
    add(anna, name="Oma")
    page = text_of(anna.get("people/?lang=en"))
    assert "Loved ones" in page
    assert "loved one" in page


# --- what each of them reads ------------------------------------------------------------------------------------------


def test_what_a_loved_one_reads_stands_beside_them_and_leads_to_where_it_is_chosen(app, anna):
    fill(anna, "people/new/RelatedPerson/mila/", name="Mila", role="loved-one")
    [mila] = people(anna)
    assert "Leest nog niets." in text_of(anna.get("people/"))
    share_with(app, "RelatedPerson/mila", "form.story", "phase")
    assert "Leest: Mijn verhaal, Waar je nu staat." in text_of(anna.get("people/"))
    page = anna.get(f"people/{mila.id}/")
    [address] = re.findall(r'href="([^"]*/sharing/[^"]*form\.story[^"]*)"', page.text)
    assert anna.get(address).status_code == 200
    joost = launched(app, role="clinician")
    for path in ("people/", f"people/{mila.id}/"):
        assert "Leest" not in text_of(joost.get(path))


def test_who_has_no_login_can_be_given_a_part_on_paper(anna):
    add(anna, name="Oma")
    page = anna.get(f"people/{people(anna)[0].id}/")
    assert anna.get(re.findall(r'href="([^"]*/links/new)"', page.text)[0]).status_code == 200


def test_who_comes_back_reads_nothing_that_was_shared_before_and_who_stays_after_all_reads_it_still(app, anna):
    def reads():
        return "Leest: Mijn verhaal." in text_of(anna.get("people/"))

    fill(anna, "people/new/RelatedPerson/mila/", name="Mila", role="loved-one")
    share_with(app, "RelatedPerson/mila", "form.story")
    assert reads()
    undo(anna, press(anna, "leave", people(anna)[0]))
    assert reads()
    press(anna, "leave", people(anna)[0])
    assert not reads()
    fill(anna, "people/new/RelatedPerson/mila/", name="Mila", role="loved-one")
    assert [bool(one.until) for one in people(anna)] == [True, False]
    assert not reads()
    assert launched(app, role="loved-one").get("loved-one/shared/form.story/").status_code == 404
