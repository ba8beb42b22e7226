"""A domain whose settings say otherwise: a nonce that has to be ours, people who come without a Task, no teams."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smartapp.fhir.store import Query
from smartapp.settings import Issuer, Koppeltaal
from tests.koppeltaal.domain import BASE, MODULE
from tests.koppeltaal.test_launch import codes


class TestRequiredNonce:
    @pytest.fixture
    def koppeltaal(self) -> Koppeltaal:
        return Koppeltaal(device=f"Device/{MODULE}", nonce="required")

    def test_a_nonce_that_is_required_has_to_be_ours(self, portal, domain, core):
        response = portal.launch()
        assert response.status_code == (400 if domain.reference else 303)
        if domain.reference:
            assert codes(core)[-1] == "id-token-invalid_claim"

    def test_another_nonce_is_refused(self, portal, domain, core):
        domain.claims_more = {"nonce": "of-another"}
        assert portal.launch().status_code == 400
        assert codes(core)[-1] == "id-token-invalid_claim"


class TestStandalone:
    @pytest.fixture
    def koppeltaal(self) -> Koppeltaal:
        return Koppeltaal(device=f"Device/{MODULE}", standalone=True)

    def test_who_comes_without_a_task_finds_the_first_page_of_their_role(self, portal, domain, core, courier):
        domain.signed_in = "Patient/anna"
        begun = portal.get(f"/start?iss={BASE}")
        assert "scope=openid+fhirUser+launch%2Fpatient&" in begun.headers["Location"]
        if domain.reference:  # it knows no launch without a Task
            with pytest.raises(Exception, match="invalid_scope"):
                portal.come_back(begun)
            return
        response = portal.come_back(begun)
        launch = core.launches.get(response.headers["Location"].split("/")[2])
        assert response.headers["Location"].endswith(f"/l/{launch.id}/")
        assert (launch.user.role, launch.patient.reference) == ("client", "Patient/anna")
        courier.round()
        assert domain.of_type("AuditEvent") == []  # the domain tells its own sign-ins
        assert domain.now("Task/t1")["status"] == "ready"

    def test_it_is_offered_on_the_page_of_places(self, portal):
        assert f"/start?iss={BASE}" in portal.get("/").text


class TestWithoutTeams:
    @pytest.fixture
    def issuer(self, koppeltaal):
        return Issuer(
            base=BASE,
            name="GGZ Noord",
            client_id=MODULE,
            auth="private_key_jwt",
            key="noord",
            team="ignore",
            koppeltaal=koppeltaal,
        )

    def test_no_team_is_read_and_nobody_is_outside_one(self, portal, domain, core):
        domain.change("CareTeam/team", participant=[{"member": {"reference": "Practitioner/piet"}}])
        launch = core.launches.get(portal.enter("Practitioner/els")[0])
        assert launch.user.role == "clinician"
        assert domain.asked("GET", "/CareTeam") == []


class TestTwoDomains:
    def test_people_of_two_domains_who_have_one_id_never_meet(self, portal, core, issuer):
        """Nor does what waits for one of them reach the other."""
        portal.enter()
        south = replace(issuer, base="https://south.example/fhir/r4", name="GGZ Zuid", key="zuid")
        core.settings = replace(core.settings, issuers=(*core.settings.issuers, south))
        assert len(core.own_store(BASE).search(Query.of("Task", patient="Patient/anna"))) == 1
        assert core.own_store(south.base).search(Query.of("Task", patient="Patient/anna")) == []
        assert core.koppeltaal_writes.of("noord")
        assert core.koppeltaal_writes.of("zuid") == []


class TestSeveralAddresses:
    """A domain that writes itself by another address than we know it by, as any other server may."""

    INSIDE = "https://inside.example/fhir"

    @pytest.fixture
    def issuer(self, koppeltaal):
        return Issuer(
            base=BASE,
            name="GGZ Noord",
            client_id=MODULE,
            auth="private_key_jwt",
            key="noord",
            koppeltaal=koppeltaal,
            aliases=(self.INSIDE,),
        )

    @pytest.mark.parametrize(
        "at", [INSIDE, BASE, BASE.replace("https://domain.example/", "HTTPS://Domain.example:443/")]
    )
    def test_whatever_names_the_task_and_its_people_is_read_by_any_of_its_addresses(self, portal, domain, core, at):
        domain.change(
            "Task/t1",
            **{name: {"reference": f"{at}/Patient/anna/_history/1"} for name in ("for", "owner")},
            extension=[
                {
                    "url": "http://vzvz.nl/fhir/StructureDefinition/instantiates",
                    "valueReference": {"reference": f"{at}/ActivityDefinition/hoop"},
                }
            ],
        )
        launch_id, page = portal.enter(task=f"{at}/Task/t1", definition=f"{at}/ActivityDefinition/hoop")
        assert page == "questionnaires/hoop/"
        assert core.launches.get(launch_id).patient.reference == "Patient/anna"

    def test_a_person_of_another_server_is_nobody_here(self, portal, domain, core):
        domain.change("Task/t1", **{"for": {"reference": "https://inside.example/fhir2/Patient/anna"}})
        assert portal.launch().status_code == 400
        assert codes(core)[-1] == "koppeltaal-task-of-another"
