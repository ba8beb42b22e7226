"""What a stranger's program says of a link is judged: each way in which it can be wrong is said."""

from __future__ import annotations

import pytest

from tests.conformance.links import run

LINK = run.Shared("card.staying-well", "https://x/view#shlink:/e30", b"", "123456")
GOOD = {
    "link": LINK.link,
    "resources": [{"resourceType": "Bundle", "type": "document", "said": run.WORDS[LINK.what][0]}],
}
REFUSED = {"link": LINK.link, "refused": "SHLInvalidPasscodeError", "said": "no"}


@pytest.fixture
def said(monkeypatch):
    """Return the complaints about a link: what is said of it with the right passcode, and with a wrong one."""
    written: list[str] = []
    monkeypatch.setattr(run, "write_down", lambda what, _bundle: written.append(what))

    def complaints(right, wrong=REFUSED):
        monkeypatch.setattr(
            run, "opened", lambda _shared, _packages, **change: wrong if "passcode" in change else right
        )
        return list(run._while_it_lasts(LINK, run.HERE))

    return complaints


def test_nothing_is_said_of_what_opens_with_its_passcode_alone(said):
    assert said(GOOD) == []


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ({**GOOD, "link": ""}, REFUSED, "not the link of the page"),
        (REFUSED, REFUSED, "embedded: {'refused': 'SHLInvalidPasscodeError'"),
        ({**GOOD, "resources": [{"resourceType": "Bundle", "type": "collection"}]}, REFUSED, "embedded: opened"),
        ({**GOOD, "resources": [{"resourceType": "Bundle", "type": "document"}]}, REFUSED, "these words are not in it"),
        (GOOD, GOOD, "with a wrong passcode: opened"),
    ],
)
def test_each_fault_is_said(said, right, wrong, expected):
    assert expected in said(right, wrong)[0]
