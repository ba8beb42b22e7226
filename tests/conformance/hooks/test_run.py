"""What a stranger's client says of our services is judged: each way in which it can be wrong is said."""

from __future__ import annotations

import pytest

from tests.conformance.hooks import run

CARD = {"summary": run.PREPARED, "indicator": "info"}
SERVICE = {"id": "verstel-patient-view", "usageRequirements": "HAPI has no place for it"}
GOOD = {
    "status": 200,
    "sentDiscovery": {"services": [SERVICE]},
    "discovery": {"services": [{"id": SERVICE["id"], "source": {}, "extension": None}]},
    "sentAnswer": {"cards": [CARD]},
    "answer": {"cards": [{**CARD, "uuid": None, "suggestions": []}]},
}


@pytest.fixture
def said(server, monkeypatch):
    """Return the complaints where the client says this of a known caller, of an unknown one, and of an unknown user."""
    monkeypatch.setattr(run, "know", lambda _server, _keys: None)

    def complaints(good=GOOD, forged=401, nobody=412):
        def asked(_command, job):
            if job["iss"] != run.ISS:
                return {"status": forged}
            return {"status": nobody} if job["context"]["userId"].endswith("nobody") else good

        monkeypatch.setattr(run, "asked", asked)
        return list(run.complaints_of(server, []))

    return complaints


def test_nothing_is_said_of_services_that_are_read_as_they_were_sent(said):
    assert said() == []


@pytest.mark.parametrize(
    ("good", "expected"),
    [
        ({"crashed": "NullPointerException"}, "the answer is"),
        ({**GOOD, "status": 500}, "the answer is"),
        ({**GOOD, "discovery": {"services": []}}, "HAPI read another discovery"),
        ({**GOOD, "answer": {"cards": [{**CARD, "indicator": "warning"}]}}, "HAPI read another answer"),
        ({**GOOD, "answer": {"cards": []}, "sentAnswer": {"cards": []}}, "no card says"),
    ],
)
def test_each_fault_is_said(said, good, expected):
    assert expected in said(good)[0]


def test_who_is_let_in_by_mistake_is_said(said):
    assert said(forged=200) == ['a client that is not known was not refused: {"status": 200}']
    assert "was told something" in said(nobody=200)[0]
