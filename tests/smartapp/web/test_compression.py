"""Pages and assets are compressed for browsers that take gzip, and for no one else."""

from __future__ import annotations

import gzip

import pytest

from tests.smartapp.helpers import launched

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def test_a_page_is_smaller_and_says_the_same(app):
    client = app.test_client()
    plain, small = client.get("/accessibility"), client.get("/accessibility", headers=GZIP)
    assert small.headers["Content-Encoding"] == "gzip"
    assert len(small.data) < len(plain.data) / 2
    assert gzip.decompress(small.data) == plain.data
    assert int(small.headers["Content-Length"]) == len(small.data)
    assert all("Accept-Encoding" in answer.headers["Vary"] for answer in (plain, small))


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "br"])
def test_who_does_not_take_gzip_gets_none(app, accepted):
    response = app.test_client().get("/accessibility", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in response.headers
    assert b"<html" in response.data


def test_an_asset_that_the_browser_still_has_is_not_sent_again(app):
    client = app.test_client()
    with client.get("/assets/app.css", headers=GZIP) as first:
        assert gzip.decompress(first.data).startswith(b"/*") or b"{" in gzip.decompress(first.data)
        etag = first.headers["ETag"]
    with client.get("/assets/app.css", headers={**GZIP, "If-None-Match": etag}) as again:
        assert again.status_code == 304
        assert not again.data


def test_what_is_for_programs_stays_as_it_is(app):
    assert "Content-Encoding" not in app.test_client().get("/.well-known/jwks.json", headers=GZIP).headers


def test_an_error_page_is_compressed_too_and_gives_back_what_was_typed(app):
    page = launched(app).post("living/story/story/", {"_csrf": "x", "story-story": "mijn lange verhaal"}, headers=GZIP)
    assert page.status_code == 403
    assert "mijn lange verhaal" in gzip.decompress(page.data).decode()
