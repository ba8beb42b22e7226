"""The sandbox's pages, and real launches from them into the app."""

import re
from html import unescape

import pytest
import requests

from smartapp.sandbox.kinds import UnknownKind, kind, kinds
from smartapp.sandbox.scopes import grant
from smartapp.sandbox.seeding import people
from smartapp.services import KEY


@pytest.fixture
def browser():
    with requests.Session() as session:
        yield session


def test_the_page_of_people_says_that_they_are_made_up_in_both_languages(server, browser):
    page = browser.get(f"{server.url}/sandbox/", timeout=20)
    assert page.ok
    assert "verzonnen" in page.text
    assert all(person.about.nl in unescape(page.text) for person in people().values())
    english = browser.get(f"{server.url}/sandbox/?lang=en", timeout=20).text
    assert '<html lang="en">' in english
    assert "made up" in english
    assert all(person.about.en in unescape(english) for person in people().values())


def test_the_page_has_no_inline_script_or_style_and_a_strict_policy(server, browser):
    page = browser.get(f"{server.url}/sandbox/", timeout=20)
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]


def test_a_client_comes_in_by_the_portal(server, browser):
    page = browser.get(f"{server.url}/sandbox/launch?role=client&patient=noor", timeout=20)
    assert page.status_code == 200
    assert page.url.startswith(f"{server.url}/l/")
    assert "Noor" in page.text
    assert "Je hebt een afspraak met Joost Terpstra." in page.text


def test_a_clinician_comes_in_from_the_chart_and_finds_the_client_s_words(server, browser):
    page = browser.get(f"{server.url}/sandbox/launch?role=clinician&patient=noor", timeout=20)
    assert page.status_code == 200
    assert page.url.endswith("/overview/")
    assert "vader speelde accordeon" in page.text
    assert "<title>Noor Achterberg, 14 maart 1992 (" in page.text


@pytest.mark.parametrize(
    ("query", "role"),
    [
        ("role=client&patient=noor", "client"),
        ("role=clinician&patient=noor", "clinician"),
        ("role=clinician&patient=iwan", "case-manager"),  # the same person, in another team
        ("role=clinician&patient=noor&user=Practitioner/hanna-de-wit", "responsible"),
        ("role=clinician&patient=yara", "clinician"),  # hanna too
        ("role=clinician&patient=noor&user=Practitioner/fatiha-amrani", "peer-worker"),
        ("role=clinician&patient=noor&user=Practitioner/ruben-kartosen", "outside"),
        ("role=clinician&patient=marlies&user=Practitioner/ruben-kartosen", "clinician"),
        ("role=loved-one&patient=noor&user=RelatedPerson/mila", "loved-one"),
        ("role=loved-one&patient=kees&user=RelatedPerson/wilma", "representative"),
    ],
)
def test_its_people_sign_in_in_every_role(server, browser, query, role):
    page = browser.get(f"{server.url}/sandbox/launch?{query}", timeout=20)
    assert page.status_code == 200
    launch = server.app.extensions[KEY].launches.get(page.url.split("/l/")[1].split("/")[0])
    assert launch.user.role == role
    assert launch.patient.display
    assert launch.user.display


def test_the_page_of_people_offers_each_of_them(server, browser):
    page = browser.get(f"{server.url}/sandbox/", timeout=20).text
    card = page.partition("Noor Achterberg")[2].partition("</li>\n  <li")[0]
    links = [
        unescape(one)
        for one in re.findall(r'href="([^"]+)"', card.partition("<details>")[2].partition("</details>")[0])
    ]
    assert [one.rpartition("user=")[2] for one in links] == [
        "Practitioner/fatiha-amrani",
        "Practitioner/hanna-de-wit",
        "Practitioner/ruben-kartosen",
        "RelatedPerson/mila",
    ]
    assert "(niet in het team)" in card
    for link in links:
        assert "/l/" in browser.get(f"{server.url}{link}", timeout=20).url


def test_the_chart_shows_the_app_in_a_frame_as_an_ehr_does(server, browser):
    chart = browser.get(f"{server.url}/sandbox/frame?role=clinician&patient=noor", timeout=20)
    assert "Dossier van Noor" in chart.text
    assert f"frame-src 'self' {server.url};" in chart.headers["Content-Security-Policy"]
    framed = browser.get(unescape(re.search(r'<iframe src="([^"]+)"', chart.text)[1]), timeout=20)
    assert framed.url.endswith("/overview/")
    assert "vader speelde accordeon" in framed.text


def test_an_address_with_another_name_for_this_machine_leads_to_the_one_there_is(server, browser):
    other = server.url.replace("127.0.0.1", "localhost")
    page = browser.get(f"{other}/sandbox/launch?role=client&patient=noor", timeout=20)
    assert page.url.startswith(f"{server.url}/l/")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("role=client", 400),
        ("role=boss&patient=noor", 400),
        ("role=client&patient=nobody", 404),
        ("role=client&patient=../etc", 400),
        ("role=clinician&patient=noor&user=Patient/sem", 404),
        ("role=clinician&patient=noor&user=Practitioner/nobody", 404),
        ("role=clinician&patient=noor&user=RelatedPerson/mila", 404),
        ("role=loved-one&patient=noor", 404),
        ("role=loved-one&patient=noor&user=RelatedPerson/wilma", 404),  # Kees's
        ("role=loved-one&patient=noor&user=Practitioner/joost-terpstra", 404),
    ],
)
def test_a_launch_that_cannot_be_gets_a_page_that_says_so(server, browser, query, status):
    page = browser.get(f"{server.url}/sandbox/launch?{query}", timeout=20)
    assert page.status_code == status
    assert "Dat lukte niet" in page.text


def test_an_unknown_address_gets_a_page(server, browser):
    page = browser.get(f"{server.url}/sandbox/else", timeout=20)
    assert page.status_code == 404
    assert "Dat lukte niet" in page.text
    assert 'href="/sandbox/"' in page.text


# ---- kinds and what they grant


def test_an_unknown_kind_lists_the_kinds():
    with pytest.raises(UnknownKind, match="epic-like"):
        kind("paper")


def test_no_kind_like_a_real_product_lets_an_app_create_a_plan_or_a_goal():
    takes = {name for name, each in kinds().items() if each.offers("CarePlan", "c") or each.offers("Goal", "c")}
    assert takes == {"full", "taskless"}


@pytest.mark.parametrize(
    ("asked", "ehr", "persona", "granted"),
    [
        ("patient/Goal.cruds", "full", "Patient", "patient/Goal.crus"),
        ("patient/Goal.cruds", "epic-like", "Patient", "patient/Goal.rs"),
        ("patient/Goal.cu", "epic-like", "Patient", ""),
        ("patient/*.cruds", "full", "Patient", "patient/*.crus"),
        ("patient/Goal.*", "epic-like", "Patient", "patient/Goal.read"),
        ("patient/Goal.write", "epic-like", "Patient", ""),
        ("patient/Appointment.rs", "full", "Patient", "patient/Appointment.rs"),
        ("patient/Appointment.rs", "epic-like", "Patient", ""),
        ("patient/Task.*", "epic-like", "Patient", "patient/Task.*"),
        ("user/Goal.rs", "full", "Patient", ""),
        ("user/Goal.rs", "full", "Practitioner", "user/Goal.rs"),
        ("system/Goal.rs", "full", "Practitioner", ""),
        ("system/Goal.rs openid", "full", "system", "system/Goal.rs"),
        ("patient/Appointment.rs", "full", "RelatedPerson", ""),
        ("patient/Goal.cruds patient/Patient.rs", "full", "RelatedPerson", "patient/Goal.rs patient/Patient.r"),
        ("patient/Observation.rs?category=survey", "full", "Patient", "patient/Observation.rs?category=survey"),
        ("patient/Observation.crus?category=survey", "full", "Patient", "patient/Observation.rs?category=survey"),
        ("openid fhirUser nonsense patient/Goal.sr launch", "full", "Patient", "openid fhirUser launch"),
        ("openid openid", "full", "Patient", "openid"),
    ],
)
def test_never_more_is_granted_than_asked_and_less_where_it_cannot_be_had(asked, ehr, persona, granted):
    assert grant(asked, kind(ehr), persona) == granted


def test_all_types_become_what_each_type_offers_where_they_differ():
    granted = set(grant("patient/*.cruds", kind("athena-like"), "Patient").split())
    assert {"patient/QuestionnaireResponse.crs", "patient/Goal.rs"} <= granted
    assert not any(scope.startswith("patient/*") for scope in granted)


@pytest.mark.parametrize("alone", ["", "&alone=1"])
def test_a_professional_opens_their_own_clients_and_from_there_a_chart_as_themselves(server, browser, alone):
    page = browser.get(f"{server.url}/sandbox/", timeout=20).text
    assert "/sandbox/caseload?user=Practitioner/fatiha-amrani" in page
    first = browser.get(f"{server.url}/sandbox/caseload?user=Practitioner/fatiha-amrani{alone}", timeout=20)
    assert first.url.endswith("/caseload/")
    [chart] = re.findall(r'href="([^"]+patient=noor[^"]*)"', first.text)
    opened = browser.get(unescape(chart), timeout=20)
    launch = server.app.extensions[KEY].launches.get(opened.url.split("/l/")[1].split("/")[0])
    assert (launch.patient_id, launch.user.reference) == ("noor", "Practitioner/fatiha-amrani")


@pytest.mark.parametrize("user", ["", "Patient/noor", "RelatedPerson/mila", "Practitioner/nobody", "me"])
def test_nobody_but_a_professional_of_the_sandbox_has_own_clients(server, browser, user):
    assert browser.get(f"{server.url}/sandbox/caseload?user={user}", timeout=20).status_code == 404


def test_a_chart_is_opened_as_nobody_where_nobody_is_signed_in(server):
    with requests.Session() as stranger:
        query = "role=clinician&patient=noor&user=me"
        assert stranger.get(f"{server.url}/sandbox/launch?{query}", timeout=20).status_code == 404
