"""The launch that a sign-in makes: names through the services' own way to the EHR, never an address made up here."""

from __future__ import annotations

from smartapp.fhir.store import NotFound, Stored
from smartapp.pages.sign_in.entering import SignedIn, enter
from smartapp.smart.authorization import challenge
from smartapp.smart.identity import Identity
from smartapp.smart.tokens import Granted, Tokens
from smartapp.storage.launches import Person
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
