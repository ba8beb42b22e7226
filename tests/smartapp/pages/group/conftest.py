"""The app and the clock of the list of own clients."""

from tests.smartapp.pages.caseload.conftest import app, clock

__all__ = ["app", "clock"]
