"""Which role somebody has towards a person: from what the record system says of both, least where that is unsure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mappers.circle import ROLE_SYSTEM, Circle, Member
from mappers.roles import ROLES
from smartapp.settings import Issuer
from smartapp.smart.relation import Known, Relation, relation_of

BASE = "https://ehr.example/fhir"
ISSUER = Issuer(base=BASE, name="Example EHR", client_id="verstel")
NOW = "2026-11-27T12:00:00+01:00"
ELS = {"resourceType": "Practitioner", "id": "els"}
SCT = "http://snomed.info/sct"
LOCAL = "https://ehr.example/codes"


def concept(code: str, system: str = ROLE_SYSTEM) -> dict:
    return {"coding": [{"system": system, "code": code}]}


def works_as(*codes: dict, practitioner: str = "Practitioner/els", **more: object) -> dict:
    who = {"practitioner": {"reference": practitioner}} if practitioner else {}
    return {"resourceType": "PractitionerRole", "id": "els-spv", **who, "code": list(codes), **more}


def team(*participants: dict, subject: str = "Patient/anna", **more: object) -> dict:
    made = {"resourceType": "CareTeam", "id": "t", "status": "active", "subject": {"reference": subject}}
    return {**made, "participant": list(participants), **more}


def member(reference: str, *roles: dict, **period: str) -> dict:
    return {"member": {"reference": reference}, "role": list(roles), **({"period": period} if period else {})}


def sister(*relationships: dict, patient: str = "Patient/anna", **more: object) -> dict:
    who = {"resourceType": "RelatedPerson", "id": "mila", "patient": {"reference": patient}}
    return {**who, "relationship": list(relationships), **more}


def role(reference: str, known: Known, issuer: Issuer = ISSUER) -> str:
    return relation_of(reference, "anna", known, issuer, NOW).role


class TestAProfessional:
    def test_of_whom_nothing_more_is_told_is_a_clinician(self):
        for known in (Known(), Known(ELS), Known(ELS, (), ()), Known(ELS, None, [team()])):
            assert role("Practitioner/els", known) == "clinician"

    @pytest.mark.parametrize("code", ["clinician", "responsible", "case-manager", "peer-worker", "outside"])
    def test_has_the_role_of_our_own_codes_wherever_they_stand(self, code):
        in_team = team(member("Practitioner/els", concept(code)))
        assert role("Practitioner/els", Known(ELS, (), [in_team])) == code
        assert role("Practitioner/els", Known(ELS, [works_as(concept(code))], [])) == code
        qualified = {**ELS, "qualification": [{"code": concept(code)}]}
        assert role("Practitioner/els", Known(qualified)) == code
        own = Circle((Member("1", "Els", role=code, reference="Practitioner/els"),))
        assert role("Practitioner/els", Known(ELS, circle=own)) == code

    def test_of_this_persons_team_before_that_of_their_work_before_what_the_client_calls_them(self):
        known = Known(
            {**ELS, "qualification": [{"code": concept("peer-worker")}]},
            [works_as(concept("case-manager"))],
            [team(member("Practitioner/els", concept("responsible")))],
            Circle((Member("1", "Els", role="clinician", reference="Practitioner/els"),)),
        )
        assert role("Practitioner/els", known) == "responsible"
        assert role("Practitioner/els", replace(known, teams=None)) == "case-manager"
        assert role("Practitioner/els", replace(known, teams=None, roles=None)) == "peer-worker"
        assert role("Practitioner/els", replace(known, user=ELS, teams=None, roles=None)) == "clinician"

    def test_of_two_codes_of_one_kind_gets_the_one_with_least_rights(self):
        both = [works_as(concept("clinician"), concept("responsible"))]
        assert role("Practitioner/els", Known(ELS, both)) == "responsible"

    def test_is_a_clinician_by_a_code_that_says_no_more(self):
        for code in (concept("professional"), concept("224608005", SCT), {"text": "Ervaringsdeskundige"}, {}):
            assert role("Practitioner/els", Known(ELS, [works_as(code)], [team(member("Practitioner/els", code))])) == (
                "clinician"
            )

    def test_outside_a_team_that_names_professionals_is_outside(self):
        teams = [team(member("Patient/anna"), member("Practitioner/hanna"))]
        assert relation_of("Practitioner/els", "anna", Known(ELS, (), teams), ISSUER, NOW) == (
            Relation("outside", "outside-the-team")
        )
        assert role("Practitioner/els", Known(ELS, (), teams), replace(ISSUER, team="ignore")) == "clinician"

    def test_in_one_of_several_teams_is_not(self):
        teams = [team(member("Practitioner/hanna")), team(member(f"{BASE}/Practitioner/els"))]
        assert role("Practitioner/els", Known(ELS, (), teams)) == "clinician"

    def test_whom_the_client_has_among_their_own_people_is_not(self):
        teams = [team(member("Practitioner/hanna"))]
        inside = Member("1", "Els", role="clinician", reference="Practitioner/els")
        assert role("Practitioner/els", Known(ELS, (), teams, Circle((inside,)))) == "clinician"
        left = replace(inside, until="2026-11-01")
        assert role("Practitioner/els", Known(ELS, (), teams, Circle((left,)))) == "outside"

    @pytest.mark.parametrize(
        "no_team",
        [
            team(member("Patient/anna"), member("RelatedPerson/mila")),
            team(member("Organization/ggz")),
            team(member("Practitioner/hanna"), status="inactive"),
            team(member("Practitioner/hanna"), status="proposed"),
            team(member("Practitioner/hanna"), period={"end": "2026-11-01"}),
            team(member("Practitioner/hanna", end="2026-11-26")),
            team(member("Practitioner/hanna", start="2026-12-01")),
            team(member("Practitioner/hanna"), subject="Patient/bram"),
            team(member("https://elsewhere.example/fhir/Practitioner/hanna")),
            {"resourceType": "CareTeam", "participant": "nonsense"},
        ],
    )
    def test_a_team_that_says_nothing_of_now_and_here_puts_nobody_outside(self, no_team):
        assert role("Practitioner/els", Known(ELS, (), [no_team])) == "clinician"

    def test_who_left_the_team_is_outside_and_who_is_still_to_come_too(self):
        for period in ({"end": "2026-11-27T11:59:59+01:00"}, {"start": "2026-11-28"}):
            teams = [team(member("Practitioner/hanna"), member("Practitioner/els", concept("clinician"), **period))]
            assert role("Practitioner/els", Known(ELS, (), teams)) == "outside"

    def test_a_team_that_names_roles_of_people_knows_who_has_them(self):
        teams = [team(member("PractitionerRole/els-spv", concept("case-manager")))]
        assert role("Practitioner/els", Known(ELS, [works_as()], teams)) == "case-manager"
        assert role("Practitioner/els", Known(ELS, [], teams)) == "outside"
        # Where those could not be read, nobody can tell: then the record system's own right to open the record counts.
        assert role("Practitioner/els", Known(ELS, None, teams)) == "clinician"

    def test_a_practitioner_role_of_another_practitioner_gives_nothing(self):
        other = works_as(concept("peer-worker"), practitioner="Practitioner/hanna")
        assert role("Practitioner/els", Known(ELS, [other])) == "clinician"
        teams = [team(member("PractitionerRole/els-spv", concept("clinician")))]
        assert role("Practitioner/els", Known(ELS, [other], teams)) == "outside"
        nobodys = works_as(concept("peer-worker"), practitioner="")
        assert role("Practitioner/els", Known(ELS, [nobodys])) == "clinician"

    @pytest.mark.parametrize("over", [{"active": False}, {"period": {"end": "2026-11-26"}}])
    def test_a_practitioner_role_that_is_over_gives_nothing(self, over):
        assert role("Practitioner/els", Known(ELS, [works_as(concept("peer-worker"), **over)])) == "clinician"
        alone = works_as(concept("clinician"), **over)
        assert relation_of("PractitionerRole/els-spv", "anna", Known(alone), ISSUER, NOW) == (
            Relation("guest", "practitioner-role-over")
        )

    def test_who_signs_in_as_a_role_of_theirs_is_known_by_both(self):
        me = works_as(concept("peer-worker"))
        assert role("PractitionerRole/els-spv", Known(me)) == "peer-worker"
        by_name = [team(member("Practitioner/els", concept("case-manager")))]
        assert role("PractitionerRole/els-spv", Known(me, teams=by_name)) == "case-manager"
        assert role("PractitionerRole/els-spv", Known(me, teams=[team(member("Practitioner/hanna"))])) == "outside"
        assert role("PractitionerRole/els-spv", Known(None, teams=by_name)) == "clinician"  # not read: unknown
        assert role("PractitionerRole/other", Known(me)) == "guest"  # the server gave another one

    def test_a_place_says_what_its_own_codes_mean(self):
        issuer = replace(ISSUER, roles={f"{LOCAL}|ED": "peer-worker", f"{ROLE_SYSTEM}|clinician": "responsible"})
        assert role("Practitioner/els", Known(ELS, [works_as(concept("ED", LOCAL))]), issuer) == "peer-worker"
        assert role("Practitioner/els", Known(ELS, [works_as(concept("ED", LOCAL))])) == "clinician"
        assert role("Practitioner/els", Known(ELS, [works_as(concept("clinician"))]), issuer) == "responsible"

    def test_no_code_makes_a_professional_the_client_or_a_loved_one(self):
        issuer = replace(ISSUER, roles={f"{LOCAL}|X": "representative"})
        for code in (concept("X", LOCAL), concept("loved-one"), concept("client")):
            assert role("Practitioner/els", Known(ELS, [works_as(code)]), issuer) == "clinician"


class TestSomebodyClose:
    def test_is_a_loved_one_whatever_the_relation_is_called(self):
        for known in (sister(), sister({"text": "Zus"}), sister(concept("SIS", "http://x.example/RoleCode"))):
            assert role("RelatedPerson/mila", Known(known)) == "loved-one"

    @pytest.mark.parametrize(
        ("system", "code"),
        [
            (ROLE_SYSTEM, "representative"),
            ("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "GUARD"),
            ("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "HPOWATT"),
            ("urn:oid:2.16.840.1.113883.2.4.3.11.22.472", "15"),
            ("urn:oid:2.16.840.1.113883.2.4.3.11.22.472", "24"),
        ],
    )
    def test_is_a_representative_by_a_code_that_says_so(self, system, code):
        assert role("RelatedPerson/mila", Known(sister({"text": "Zus"}, concept(code, system)))) == "representative"
        assert role("RelatedPerson/mila", Known(sister(concept(code, "https://other.example")))) == "loved-one"

    def test_who_looks_after_money_only_is_no_representative_here(self):
        money = concept("14", "urn:oid:2.16.840.1.113883.2.4.3.11.22.472")
        assert role("RelatedPerson/mila", Known(sister(money))) == "loved-one"

    def test_a_mapping_that_calls_them_a_professional_makes_them_none(self):
        for named in ("clinician", "peer-worker", "outside"):
            issuer = replace(ISSUER, roles={f"{LOCAL}|SIS": named})
            assert role("RelatedPerson/mila", Known(sister(concept("SIS", LOCAL))), issuer) == "loved-one"
        assert role("RelatedPerson/mila", Known(sister(concept("clinician")))) == "loved-one"

    def test_the_circle_makes_nobody_a_representative_or_a_professional(self):
        for named in ("representative", "clinician"):
            own = Circle((Member("1", "Mila", role=named, reference="RelatedPerson/mila"),))
            assert role("RelatedPerson/mila", Known(sister(), circle=own)) == "loved-one"

    @pytest.mark.parametrize(
        ("known", "why"),
        [
            (None, "related-person-unread"),
            ({**sister(), "id": "other"}, "related-person-unread"),
            ({**sister(), "resourceType": "Practitioner"}, "related-person-unread"),
            (sister(patient="Patient/bram"), "related-person-of-another"),
            (sister(patient="https://elsewhere.example/fhir/Patient/anna"), "related-person-of-another"),
            (sister(patient=""), "related-person-of-another"),
            (sister(active=False), "related-person-over"),
            (sister(period={"end": "2026-11-26"}), "related-person-over"),
            (sister(period={"start": "2026-11-28"}), "related-person-over"),
            (sister(period={"end": "nonsense"}), "related-person-over"),
        ],
    )
    def test_who_is_not_surely_of_this_person_now_is_a_guest(self, known, why):
        assert relation_of("RelatedPerson/mila", "anna", Known(known), ISSUER, NOW) == Relation("guest", why)

    def test_one_of_this_base_by_its_whole_address_is(self):
        assert role("RelatedPerson/mila", Known(sister(patient=f"{BASE}/Patient/anna"))) == "loved-one"


def test_only_the_person_is_the_client_and_no_resource_changes_that():
    everything = Known(sister(), [works_as(concept("client"))], [team(member("Patient/bram", concept("client")))])
    assert role("Patient/anna", everything) == "client"
    assert role("Patient/bram", everything) == "guest"
    for reference in ("", "Device/x", "Person/x", "Organization/ggz"):
        assert role(reference, everything) == "guest"


def test_every_role_can_be_had():
    """A role that nobody can sign in with would be a promise on paper."""
    had = {
        role("Patient/anna", Known()),
        role("", Known()),
        role("RelatedPerson/mila", Known(sister())),
        role("RelatedPerson/mila", Known(sister(concept("representative")))),
        *(
            role("Practitioner/els", Known(ELS, [works_as(concept(code))]))
            for code in ("clinician", "responsible", "case-manager", "peer-worker", "outside")
        ),
    }
    assert had == set(ROLES)
