"""The app, on a day that a test can choose."""

from __future__ import annotations

import datetime as dt

import pytest

from smartapp.services import KEY
from tests.smartapp.helpers import make_app

TODAY = dt.date(2026, 11, 27)


class Calendar:
    """A clock of which the day can be chosen."""

    def __init__(self):
        self.day = TODAY
        self.time = dt.time(12)

    def __call__(self):
        return dt.datetime.combine(self.day, self.time, dt.UTC).timestamp()


@pytest.fixture
def clock():
    return Calendar()


@pytest.fixture
def app(clock):
    made = make_app(clock)
    yield made
    made.extensions[KEY].engine.dispose()
