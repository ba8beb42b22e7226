"""Who allows that their answers are used again: nobody until they say so themselves, and nobody who took it back."""

import re

import pytest

from mappers.reuse import IDENTIFIER_SYSTEM, Reuse, consent_of, is_reuse, name_of
from mappers.sharing import ME
from smartapp.erasing import erase
from smartapp.fhir.own.search import understand
from smartapp.fhir.store import Forbidden, NotFound, Query, Write
from smartapp.populations.reuse import ReuseRegister
from smartapp.services import KEY
from smartapp.settings import Issuer
from tests.smartapp.helpers import EHR, launched, make_app, text_of
from tests.smartapp.records.test_sight import ANNA, at, records, share

OTHER = "http://localhost/other"
WHO = "Sam de Wit"


@pytest.fixture
def app():
    there = (Issuer(base=EHR, name="Test EHR", client_id="v"), Issuer(base=OTHER, name="Other", client_id="v"))
    return make_app(issuers=there)


def register(app, purpose="HRESCH", issuer=EHR):
    services = app.extensions[KEY]
    return ReuseRegister(services.settings.issuer(issuer), purpose, services.own_store(issuer), services.audit)


def seen(anna):
    """What stands in the page about what holds now."""
    found = re.search(r'name="seen" value="([0-9a-f]+)"', anna.get("sharing/reuse/").text)
    return found[1] if found else ""


def say(anna, *purposes, saw=None):
    return anna.post("sharing/reuse/", {"purpose": list(purposes), "seen": seen(anna) if saw is None else saw})


def answer(app, instrument, status="completed", patient="Patient/anna"):
    response = {
        "resourceType": "QuestionnaireResponse",
        "status": status,
        "questionnaire": f"https://verstel.nl/fhir/Questionnaire/{instrument}",
        "subject": {"reference": patient, "display": "Anna"},
        "item": [
            {"linkId": "1", "answer": [{"valueInteger": 2}]},
            {"linkId": "2", "answer": [{"valueString": "Mijn geheim"}]},
        ],
    }
    return at(app, "own").write(Write("create", response))


def consents(app, role):
    found = records(app, role).search(Query.of("Consent", patient="anna"))[0]
    return [one.resource for one in found if is_reuse(one.resource)]


class TestRegister:
    def test_nobody_is_in_it_until_they_say_so_and_nobody_who_took_it_back(self, app):
        anna = launched(app)
        anna.get("sharing/reuse/")
        assert ([*register(app).people()], register(app).may("Patient/anna")) == ([], False)
        say(anna, "HRESCH")
        assert ([*register(app).people()], register(app).may("Patient/anna")) == (["Patient/anna"], True)
        assert not register(app, "HQUALIMP").may("Patient/anna")
        say(anna)
        assert ([*register(app).people()], register(app).may("Patient/anna")) == ([], False)
        say(anna, "HQUALIMP", "HRESCH")
        assert register(app, "HQUALIMP").may("Patient/anna")
        assert register(app).may("Patient/anna")

    def test_the_same_id_at_another_place_is_somebody_else(self, app):
        say(launched(app), "HRESCH")
        assert not register(app, issuer=OTHER).may("Patient/anna")
        assert [*register(app, issuer=OTHER).people()] == []
        assert not register(app).may("Patient/ann")
        assert not register(app).may("anna")

    def test_somebody_who_is_erased_is_gone(self, app):
        say(launched(app), "HRESCH")
        services = app.extensions[KEY]
        erase(services, services.settings.issuer(EHR), "anna")
        assert not register(app).may("Patient/anna")
        assert [*register(app).people()] == []

    def test_one_consent_with_a_foreign_shape_beside_ours_allows_nothing(self, app):
        say(launched(app), "HRESCH")
        odd = consent_of(Reuse(frozenset({"HRESCH"}), "2026"), name="n", patient=ANNA)
        at(app, "own").write(Write("create", {**odd, "modifierExtension": [{"url": "urn:x", "valueBoolean": True}]}))
        assert not register(app).may("Patient/anna")
        assert [*register(app).people()] == []

    def test_a_questionnaire_that_somebody_keeps_to_themselves_is_not_handed_out(self, app):
        answer(app, "mansa")
        answer(app, "hoop")
        answer(app, "hoop", status="in-progress")
        answer(app, "hoop", patient="Patient/bram")
        assert [*register(app).responses()] == []
        say(launched(app), "HRESCH")
        assert len([*register(app).responses()]) == 2
        share(app, answers__mansa=ME)
        handed = [*register(app).responses()]
        assert [one["questionnaire"].rpartition("/")[2] for one in handed] == ["hoop"]
        assert "geheim" not in str(handed)
        assert register(app).may("Patient/anna", "hoop")
        assert not register(app).may("Patient/anna", "mansa")

    def test_many_are_read_in_blocks_each_once(self, app):
        store = at(app, "own")
        for number in range(7):
            who = f"Patient/p{number}"
            reuse = Reuse(frozenset({"HRESCH"}), "2026-11-27T10:00:00+01:00")
            made = consent_of(reuse, name=name_of(EHR, who), patient={"reference": who, "display": "P"})
            store.write(Write("create", made))
        found = store.each(understand(Query.of("Consent", status="active")), at_once=3)
        assert [one.resource["patient"]["reference"] for one in found] == [f"Patient/p{number}" for number in range(7)]


class TestLog:
    def test_each_person_finds_who_handed_out_their_answers_and_for_what(self, app):
        register(app).tell(by=WHO, what="onderzoek naar herstel, CSV", patients=["Patient/anna", "Patient/bram"])
        page = text_of(launched(app).get("who-looked/"))
        assert WHO in page
        assert "met een nummer in plaats van je naam, voor: onderzoek naar herstel, CSV." in page
        rows = [one for one in app.extensions[KEY].audit.entries() if one.event == "export"]
        assert [(one.patient, one.user_name) for one in rows] == [
            ("Patient/anna", WHO),
            ("Patient/bram", WHO),
            ("", WHO),
        ]
        assert rows[-1].objects == ("reuse", "onderzoek naar herstel, CSV, 2 people")


class TestPage:
    def test_nothing_is_ticked_before_and_it_holds_until_taken_back(self, app):
        anna = launched(app)
        assert " checked" not in anna.get("sharing/reuse/").text
        assert "Nu staat het uit" in text_of(anna.get("sharing/reuse/"))
        say(anna, "HQUALIMP")
        page = anna.get("sharing/reuse/").text
        assert page.count(" checked") == 1
        assert "Mijn ja terugnemen" in page
        say(anna)
        assert " checked" not in anna.get("sharing/reuse/").text

    def test_it_is_kept_in_versions_in_our_own_store_and_never_at_the_ehr(self, app):
        anna = launched(app)
        say(anna)
        assert at(app, "own").search(Query.of("Consent", patient="anna")) == []
        say(anna, "HRESCH")
        say(anna)
        (kept,) = at(app, "own").search(Query.of("Consent", patient="anna"))
        assert kept.resource["identifier"][0]["system"] == IDENTIFIER_SYSTEM
        assert [one.resource["status"] for one in at(app, "own").history("Consent", kept.resource["id"])] == [
            "inactive",
            "active",
        ]
        assert at(app, "ehr").search(Query.of("Consent", patient="anna")) == []

    def test_a_yes_from_a_page_that_was_left_open_does_not_bring_back_what_was_taken_back(self, app):
        anna = launched(app)
        say(anna, "HRESCH", "HQUALIMP")
        left_open = seen(anna)
        say(anna)
        page = text_of(anna.get(say(anna, "HRESCH", "HQUALIMP", saw=left_open).headers["Location"]))
        assert "Dit is ergens anders opnieuw gekozen" in page
        assert "Nu staat het uit" in page
        assert not register(app).may("Patient/anna")
        say(anna, "HRESCH")  # having read it again
        assert register(app).may("Patient/anna")
        assert "is bewaard" in text_of(anna.get(say(anna, saw=left_open).headers["Location"]))  # a no always holds
        assert not register(app).may("Patient/anna")

    def test_a_second_press_keeps_nothing_again_and_of_two_pages_the_second_is_told(self, app):
        anna = launched(app)
        nothing = seen(anna)
        for _ in range(2):
            assert "saved=saved" in say(anna, "HRESCH", saw=nothing).headers["Location"]
        (kept,) = at(app, "own").search(Query.of("Consent", patient="anna"))
        assert len(at(app, "own").history("Consent", kept.resource["id"])) == 1
        assert "saved=" not in say(anna, "HQUALIMP", saw=nothing).headers["Location"]
        assert (register(app).may("Patient/anna"), register(app, "HQUALIMP").may("Patient/anna")) == (True, False)
        for _ in range(2):
            say(anna)
        assert len(at(app, "own").history("Consent", kept.resource["id"])) == 2

    def test_a_consent_that_cant_be_understood_is_off_and_can_be_said_anew_or_taken_back(self, app):
        anna = launched(app)
        odd = consent_of(Reuse(frozenset({"HRESCH"}), "2026"), name="n", patient=ANNA)
        at(app, "own").write(Write("create", {**odd, "modifierExtension": [{"url": "urn:x", "valueBoolean": True}]}))
        assert "Nu staat het uit" in text_of(anna.get("sharing/reuse/"))
        say(anna)
        assert [one["status"] for one in consents(app, "client")] == ["inactive"]
        say(anna, "HRESCH")
        assert register(app).may("Patient/anna")

    def test_a_press_that_no_form_of_ours_sent_or_of_another_client_keeps_nothing(self, app):
        anna, bram = launched(app), launched(app, patient="bram", name="Bram")
        sent = {"purpose": ["HRESCH"], "seen": seen(anna)}
        assert anna.client.post(anna.url("sharing/reuse/"), data=sent).status_code == 403
        assert anna.client.post(anna.url("sharing/reuse/"), data={**bram.hidden(), **sent}).status_code == 403
        assert bram.client.post(anna.url("sharing/reuse/"), data={**anna.hidden(), **sent}).status_code == 404
        assert bram.client.get(anna.url("sharing/reuse/")).status_code == 404
        assert [*register(app).people()] == []

    @pytest.mark.parametrize(
        "role",
        ["clinician", "case-manager", "peer-worker", "responsible", "loved-one", "representative", "outside", "guest"],
    )
    def test_nobody_else_opens_it_sends_it_or_reads_it(self, app, role):
        other = launched(app, role=role)
        assert other.get("sharing/reuse/").status_code in (403, 404)
        assert say(other, "HRESCH").status_code in (403, 404)
        assert not register(app).may("Patient/anna")
        say(launched(app), "HRESCH")
        assert consents(app, role) == []
        assert len(consents(app, "client")) == 1
        (theirs,) = consents(app, "client")
        with pytest.raises(NotFound):
            records(app, role).save([Write("update", theirs, only_here=True)])
        forged = {name: value for name, value in theirs.items() if name not in ("id", "meta")}
        with pytest.raises(Forbidden):
            records(app, role).save([Write("create", forged, only_here=True)])
        assert "onderzoek" not in text_of(launched(app, role=role).get(""))


def test_in_a_key_the_same_id_at_two_places_is_two_people(app):
    here, there = register(app), register(app, issuer=OTHER)
    assert (here.full("Patient/anna"), there.full("Patient/anna")) == (f"{EHR}/Patient/anna", f"{OTHER}/Patient/anna")
    assert here.person(here.full("Patient/anna")) == "Patient/anna"
    assert here.person(there.full("Patient/anna")) == ""
