"""The message in a portal tells that something is ready, and nothing of what it is."""

from __future__ import annotations

import pytest

from fhir_profiles.checking import problems
from mappers.ready_message import PROFILE, ready_message

WHEN = "2026-11-27T12:00:00+01:00"


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("nl", "Er staat iets klaar. Log zelf in om het te zien."),
        ("en", "Something is ready. Sign in by yourself to see it."),
    ],
)
def test_it_is_to_the_client_and_says_no_more(language, says):
    made = ready_message(patient="Patient/anna", identifier="one", sent=WHEN, language=language)
    assert made["subject"] == made["recipient"][0] == {"reference": "Patient/anna", "display": "Patient"}
    assert made["payload"] == [{"contentString": says}]
    assert made["sent"] == WHEN
    assert problems(made, PROFILE) == []
    assert problems({**made, "note": [{"text": "x"}]}, PROFILE) != []
    assert not {"about", "basedOn", "partOf", "topic", "reasonCode", "reasonReference", "note"} & set(made)
