"""The courier: a thread that sends what waits in the outbox and wipes sessions that are over.

A page visit does the same for its own user. The courier is for those who closed the browser.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from smartapp.fhir.store import RecordError

if TYPE_CHECKING:
    from smartapp.services import Services

log = logging.getLogger(__name__)

PAUSE_SECONDS = 15


class Courier(threading.Thread):
    """Makes a round every 15 seconds until `stop`."""

    def __init__(self, services: Services, *, pause: float = PAUSE_SECONDS) -> None:
        super().__init__(name="courier", daemon=True)
        self._services = services
        self._pause = pause
        self._stopped = threading.Event()

    def run(self) -> None:
        """Make rounds; one that fails does not end the courier."""
        while not self._stopped.wait(self._pause):
            try:
                self.round()
            except Exception as error:  # noqa: BLE001  (a dead thread would leave everything unsent, unnoticed)
                # Class only: a message or traceback may quote what a person wrote.
                log.error("courier: %s", type(error).__name__)  # noqa: TRY400

    def round(self) -> int:
        """Send every unit whose time has come; return how many were tried.

        A unit whose launch has ended waits until the same user opens the same record again.
        """
        self._services.end_sessions_that_are_over()
        claimed = self._services.outbox.claim()
        for unit, launch_id in claimed:
            launch = self._services.launches.get(launch_id)
            if launch is None:
                self._services.outbox.keep(unit, "waiting")
                continue
            try:
                self._services.records(launch).resume(unit)
            except RecordError as error:  # before anything was sent, such as for an issuer that left the settings
                log.info("courier: %s", type(error).__name__)
                self._services.outbox.keep(unit, "waiting")
        return len(claimed)

    def stop(self) -> None:
        """End after the round that is going on."""
        self._stopped.set()
