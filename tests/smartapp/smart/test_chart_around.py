"""Where the EHR takes messages of ours in the browser: kept sealed with the launch, for its own origin alone."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from smartapp.fhir.scopes import asked
from smartapp.pages.sign_in.entering import LONGEST_HANDLE, chart_of
from smartapp.settings import Issuer
from smartapp.storage.launches import LAUNCHES

HANDLE, EHR = "bws8YCbyBtCYi5mWVgUDRqX8xcjiudCo", "https://ehr.example"


def offered(ehr, origin: object = EHR, handle: object = HANDLE) -> None:
    ehr.token |= {"smart_web_messaging_handle": handle, "smart_web_messaging_origin": origin}


def test_a_professional_has_a_way_back_that_only_a_script_shows(browser, ehr, core):
    offered(ehr)
    answer = browser.sign_in()
    page = browser.get(answer.headers["Location"])
    assert f'<li class="end" hidden><button class="button button--plain" type="button" data-chart="{EHR}"' in page.text
    assert f'data-handle="{HANDLE}"' in page.text
    assert "Terug naar het dossier" in page.text
    launch = core.launches.get(urlsplit(answer.headers["Location"]).path.split("/")[2])
    assert (launch.chart_origin, launch.chart_handle) == (EHR, HANDLE)
    assert HANDLE not in repr(launch)
    assert HANDLE not in answer.headers["Location"]
    with core.engine.connect() as connection:
        [sealed] = connection.execute(sa.select(LAUNCHES.c.sealed)).scalars()
    assert HANDLE.encode() not in sealed


def test_without_the_offer_there_is_none(browser, ehr):
    page = browser.get(browser.sign_in().headers["Location"])
    assert "data-chart" not in page.text


def test_a_client_has_no_chart_to_go_back_to(browser, ehr, core):
    offered(ehr)
    ehr.claims["fhirUser"] = "Patient/anna"
    launch = core.launches.get(browser.enter())
    assert (launch.chart_origin, launch.chart_handle) == ("", "")


ISSUER = Issuer(
    base="https://ehr.example/fhir",
    name="EHR",
    client_id="verstel",
    hosts=("login.ehr.example",),
    frame_ancestors=("https://screens.example:8443", "http://screens.example"),
)


@pytest.mark.parametrize("origin", [EHR, "https://login.ehr.example", "https://screens.example:8443"])
def test_an_origin_of_the_issuer_or_one_that_may_frame_us_is_trusted(origin):
    said = {"smart_web_messaging_origin": origin, "smart_web_messaging_handle": HANDLE}
    assert chart_of(said, ISSUER) == (origin, HANDLE)


@pytest.mark.parametrize(
    ("origin", "handle"),
    [
        ("https://evil.example", HANDLE),
        ("http://ehr.example", HANDLE),
        ("http://screens.example", HANDLE),
        ("http://localhost", HANDLE),
        ("https://screens.example", HANDLE),
        ("https://ehr.example/", HANDLE),
        ("https://ehr.example/page", HANDLE),
        ("https://ehr.example?x", HANDLE),
        ("https://me@ehr.example", HANDLE),
        ("https://[", HANDLE),
        ("*", HANDLE),
        ("null", HANDLE),
        ("", HANDLE),
        (None, HANDLE),
        ([EHR], HANDLE),
        (EHR, ""),
        (EHR, None),
        (EHR, {"handle": HANDLE}),
        (EHR, "x" * (LONGEST_HANDLE + 1)),
    ],
)
def test_attack_44_anything_else_is_no_offer(origin, handle):
    said = {"smart_web_messaging_origin": origin, "smart_web_messaging_handle": handle}
    assert chart_of(said, ISSUER) == ("", "")


def test_the_scope_for_it_is_asked_where_the_ehr_has_it_and_opens_us_itself():
    assert asked("openid", standalone=False, offered="messaging/ui openid") == "openid messaging/ui"
    assert asked("openid", standalone=True, offered="messaging/ui openid") == "openid"
    assert asked("openid", standalone=False, offered="openid") == "openid"
    assert asked("openid messaging/ui", standalone=False, offered="messaging/ui") == "openid messaging/ui"
