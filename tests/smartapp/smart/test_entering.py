"""The launch that a sign-in makes: names through the services' own way to the EHR, never an address made up here."""

from __future__ import annotations

import re

import pytest

from smartapp.fhir.store import NotFound, Stored
from smartapp.pages.sign_in.entering import SignedIn, enter
from smartapp.smart.authorization import challenge
from smartapp.smart.identity import Identity
from smartapp.smart.tokens import Granted, Tokens
from smartapp.storage.launches import Person
from tests.nictiz import people, person
from tests.smartapp.smart.ehr import APP, BASE

TOKENS = Tokens(access="access-1", refresh=None, expires=None, scope="openid", patient="anna")


class _Ehr:
    """An EHR in this process that remembers what it was asked for."""

    def __init__(self) -> None:
        self.read_here: list[str] = []

    def read(self, type: str, id: str, /) -> Stored:
        self.read_here.append(f"{type}/{id}")
        if type != "Patient":
            raise NotFound("no such person")
        return Stored({"resourceType": type, "id": id, "name": [{"text": "Anna Voorbeeld"}]})


def someone(core, reference: str) -> SignedIn:
    identity = Identity(BASE, "u1", reference, "SPV Visser", None)
    return SignedIn(core.settings.issuer(BASE), Granted(TOKENS, None, {}), "anna", identity)


def test_names_are_read_from_the_ehr_that_the_services_know(core, mock):
    ehr = core.local_ehrs[BASE] = _Ehr()
    launch, session = enter(core, someone(core, "Practitioner/p1"), None)
    assert (launch.patient.display, launch.user.display) == ("Anna Voorbeeld", "SPV Visser")
    assert sorted(ehr.read_here) == ["Patient/anna", "Practitioner/p1"]
    assert not mock.calls
    assert core.launches.find(launch.id, session.id) == launch


def test_a_client_is_asked_for_once(core, mock):
    ehr = core.local_ehrs[BASE] = _Ehr()
    launch, _session = enter(core, someone(core, "Patient/anna"), None)
    assert launch.patient.display == launch.user.display == "Anna Voorbeeld"
    assert ehr.read_here == ["Patient/anna"]


def test_the_names_are_asked_for_with_the_token_of_this_launch(browser, ehr, core):
    browser.enter()
    browser.enter()
    asked = [call.headers["Authorization"] for call in ehr.calls("/Patient/anna")]
    assert asked == ["Bearer access-1", "Bearer access-2"]


def test_a_launch_keeps_what_the_ehr_said_of_it(browser, ehr, core, clock):
    """Each of these decides something later: what is linked, shown, asked for, and until when."""
    ehr.token |= {"encounter": "visit-7", "need_patient_banner": False}
    ehr.claims["locale"] = "en"
    launch = core.launches.get(browser.enter())
    assert launch.issuer == BASE
    assert launch.issuer_key == launch.user.issuer == core.settings.issuer(BASE).key
    assert (launch.patient_id, launch.patient) == ("anna", Person("Patient/anna", "Anna Voorbeeld", "1992-03-14"))
    assert (launch.user.reference, launch.user.display) == ("Practitioner/p1", "Els Visser")
    assert (launch.user.role, launch.user.subject) == ("clinician", "u1")
    assert (launch.scopes, launch.language) == ("openid fhirUser launch patient/*.cruds", "en")
    assert (launch.encounter, launch.need_patient_banner, launch.made) == ("visit-7", False, clock.now)
    until = int(clock.now) + 300
    assert core.tokens.find(launch.id) == Tokens("access-1", "refresh-1", until, launch.scopes, "anna", "u1")


@pytest.mark.parametrize("one", [one for one in people() if one.called], ids=lambda one: one.file)
def test_a_chart_shows_the_whole_name_of_a_dutch_record_with_call_name_and_birth_date(browser, ehr, one):
    """Nictiz' own examples: a call name stands beside the family name, never instead of it."""
    born = one.resource.get("birthDate", "1992-03-14")
    ehr.records["Patient/anna"] = {**one.resource, "resourceType": "Patient", "id": "anna", "birthDate": born}
    page = browser.get(f"/l/{browser.enter()}/overview/").text
    tab = re.search(r"<title>(.*?)</title>", page)[1]
    assert tab.startswith(f"{one.shown} ({one.called}), ")
    assert f"<strong>{one.shown} ({one.called})</strong>, " in page
    assert born[:4] in tab


def test_a_name_that_is_over_on_the_day_of_the_sign_in_is_not_shown(browser, ehr, core, clock):
    new = {"use": "official", "given": ["Anna"], "family": "Voorbeeld"}
    old = {"use": "usual", "given": ["Anna"], "family": "Jansen", "period": {"end": "2026-02-01"}}
    ehr.records["Patient/anna"] |= {"name": [old, new]}
    ehr.records["Practitioner/p1"] |= {"name": [{"use": "usual", "given": ["Ellie"]}, new]}
    launch = core.launches.get(browser.enter())
    assert (launch.patient.display, launch.patient.called) == ("Anna Voorbeeld", "")
    assert (launch.user.display, launch.user.called, launch.user.address) == ("Anna Voorbeeld", "Ellie", "Ellie")
    clock.now -= 5 * 86400
    ehr.claims |= {"iat": int(clock.now), "exp": int(clock.now) + 600}
    assert core.launches.get(browser.enter()).patient.display == "Anna Jansen"


def test_a_client_is_called_as_their_own_record_says(browser, ehr, core):
    ehr.claims["fhirUser"] = "Patient/anna"
    ehr.records["Patient/anna"] |= {"name": person("Patient-01").resource["name"]}
    launch = core.launches.get(browser.enter())
    assert launch.user.display == launch.patient.display == person("Patient-01").shown
    assert launch.user.address == launch.patient.address == "Jo"


def test_what_the_ehr_does_not_say_is_not_made_up_and_its_person_is_shown(browser, core):
    launch = core.launches.get(browser.enter())
    assert (launch.encounter, launch.language, launch.need_patient_banner) == (None, None, True)


def test_a_code_is_traded_with_all_that_proves_that_it_is_ours_and_nothing_else(browser, ehr, core):
    asked = browser.begin()
    browser.finish(asked, code="code-1")
    form = ehr.form(0)
    assert challenge(form.pop("code_verifier")) == asked["code_challenge"]
    assert form == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": f"{APP}/callback",
        "client_id": "verstel",
    }
    assert ehr.calls("/token")[0].headers["Accept"] == "application/json"
