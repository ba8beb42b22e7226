"""What an EHR opened the app for: the shapes of `fhirContext`, those of before, and what is none of them."""

from __future__ import annotations

import pytest

from smartapp.smart.opened_for import MOST, OpenedFor, opened_for

BASE = "https://ehr.example/fhir"
TASK, HOOP = OpenedFor("Task", "t-1"), OpenedFor("Questionnaire", "https://verstel.nl/fhir/Questionnaire/hoop")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([{"reference": "Task/t-1"}], (TASK,)),
        ([{"reference": "Task/t-1", "type": "Task", "role": "launch"}], (TASK,)),
        ([{"reference": f"{BASE}/Task/t-1/_history/3"}], (TASK,)),
        # The objects of a list of references, as drafts of SMART 2 had it, and one that stands alone.
        (["Task/t-1"], (TASK,)),
        ({"reference": "Task/t-1"}, (TASK,)),
        ("Task/t-1", (TASK,)),
        (
            [{"canonical": f"{HOOP.name}|1.0.0", "type": "Questionnaire", "role": "https://example.org/q"}],
            (HOOP,),
        ),
        ([{"canonical": HOOP.name}], (HOOP,)),
        ([{"reference": "Questionnaire/hoop"}], (OpenedFor("Questionnaire", "hoop"),)),
        # In whose context the app was opened comes before what somebody gave a role of their own.
        ([{"canonical": HOOP.name, "role": "https://example.org/other"}, "Task/t-1"], (TASK, HOOP)),
        (["Task/t-1", {"reference": "Task/t-1"}], (TASK,)),
    ],
)
def test_what_the_app_was_opened_for(said, found):
    assert opened_for({"fhirContext": said}, BASE) == found


def test_a_reference_below_an_alias_is_of_this_ehr():
    said = {"fhirContext": [{"reference": "https://inside.example/r4/Task/t-1/_history/2"}]}
    assert opened_for(said, BASE, "https://inside.example/r4") == (TASK,)
    assert opened_for(said, BASE) == ()


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        7,
        [None, 7, [], {}],
        [{"reference": "Appointment/1"}],
        [{"reference": "https://other.example/fhir/Task/t-1"}],
        [{"reference": "Task/t-1/../../x"}],
        [{"reference": {"reference": "Task/t-1"}}],
        [{"canonical": HOOP.name, "type": "PlanDefinition"}],
        [{"identifier": {"value": "t-1"}, "type": "Task"}],
        [{"reference": "Appointment/1"}] * MOST + ["Task/t-1"],
    ],
)
def test_what_is_nothing_of_ours_is_left_out(said):
    assert opened_for({"fhirContext": said}, BASE) == ()
    assert opened_for({}, BASE) == ()
