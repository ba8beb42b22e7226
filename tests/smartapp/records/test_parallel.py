"""Several calls at once, of which the caller's own thread makes one."""

from __future__ import annotations

import contextvars
import threading
from functools import partial

import pytest

from smartapp.records.parallel import in_parallel


@pytest.mark.parametrize("many", [0, 1, 2, 8])
def test_all_run_at_once_and_answer_in_their_order(many):
    together = threading.Barrier(many or 1, timeout=10)

    def job(number):
        together.wait()
        return number

    assert in_parallel([partial(job, number) for number in range(many)]) == list(range(many))


def test_the_caller_makes_one_of_the_calls_itself():
    assert in_parallel([threading.get_ident] * 3)[0] == threading.get_ident()


def test_all_see_the_context_of_the_caller():
    about = contextvars.ContextVar("about", default="nobody")
    about.set("anna")
    assert in_parallel([about.get] * 3) == ["anna"] * 3


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_what_one_raises_reaches_the_caller_once_the_others_are_done(failing):
    done = []

    def job(number):
        if number == failing:
            raise LookupError(number)
        done.append(number)

    with pytest.raises(LookupError):
        in_parallel([partial(job, number) for number in range(3)])
    assert sorted(done) == [number for number in range(3) if number != failing]
