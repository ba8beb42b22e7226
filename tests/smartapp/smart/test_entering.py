"""The launch that a sign-in makes: names through the services' own way to the EHR, never an address made up here."""

from __future__ import annotations

from smartapp.fhir.store import NotFound, Stored
from smartapp.pages.sign_in.entering import SignedIn, enter
from smartapp.smart.identity import Identity
from smartapp.smart.tokens import Granted, Tokens
from tests.smartapp.smart.ehr import BASE

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
