"""What form engines exported is read in the app with our numbers, over HTTP; the engines themselves are not needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from questionnaires.catalogue import catalogue
from tests.conformance.renderers.exports import KEPT_INSTRUMENTS, KINDS, Export, is_shown, kept_exports, unread
from tests.conftest import Server, serve

EXPORTS = kept_exports()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Server]:
    yield from serve()


@pytest.mark.parametrize("engine", ["lhc-forms", "medplum", "smart-forms"])
def test_every_kept_export_is_read_with_our_numbers(sandbox, engine):
    exports = EXPORTS[engine]
    assert {(one.instrument, one.variant) for one in exports} == {
        (name, variant) for name in KEPT_INSTRUMENTS for variant in ("default", "template", "plain")
    }
    assert len(exports) == len(KEPT_INSTRUMENTS) * 3 * len(KINDS)
    assert unread(sandbox, exports, catalogue()) == []


def test_another_number_is_noticed(sandbox):
    one = EXPORTS["medplum"][0]  # hoop, all answered
    wrong = Export("Other", one.instrument, one.variant, one.response, {**one.scores, "hoop-total": 1})
    [said] = unread(sandbox, [wrong], catalogue())
    assert said.startswith("Other, hoop (default), hoop-total: ")


def test_an_export_that_is_not_read_is_noticed(sandbox):
    one = EXPORTS["medplum"][0]
    of_others = replace(one, engine="Unknown", response=one.response | {"questionnaire": "https://example.org/hope"})
    assert len(unread(sandbox, [of_others], catalogue())) == len(one.scores)


@pytest.mark.parametrize(
    ("found", "value", "shown"),
    [
        ("42", 42, True),
        ("3,03", 3.025, True),
        ("geen", None, True),
        ("geen", 1, False),
        ("1", None, False),
        (None, 1, False),
        (None, None, False),
        ("veel", 1, False),
        ("41", 42, False),
    ],
)
def test_what_a_table_says_is_compared_as_a_number(found, value, shown):
    assert is_shown(found, value) is shown
