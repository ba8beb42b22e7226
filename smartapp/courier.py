"""The courier: sends what waits in the outbox and the reminders that are due, and wipes sessions that are over.

No page does that, so no page waits for it. Each process may have a courier, and each courier has a few hands: the
outbox sees to it that no unit is in two of them, and an EHR that is slow gets no more than half of them.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

from smartapp.fhir.bulkheads import budget
from smartapp.fhir.own.index import patients_of
from smartapp.fhir.store import RecordError, Refused
from smartapp.records.outbox import LEASE_SECONDS, LeaseLost
from smartapp.reminding import remind
from smartapp.storage.launches import Person
from smartapp.storage.passing_on import LEASE_SECONDS as PASSED_ON_SECONDS

if TYPE_CHECKING:
    from smartapp.records import Records
    from smartapp.records.outbox import Claim
    from smartapp.services import Services
    from smartapp.storage.launches import Launch

log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 15
HANDS: Final = 4
MOST_OF_ONE_ISSUER: Final = HANDS // 2
TIDY_SECONDS: Final = 3600


class Courier(threading.Thread):
    """Makes a round every 15 seconds, or as soon as there is news, until `stop`."""

    def __init__(self, services: Services, *, pause: float = PAUSE_SECONDS) -> None:
        super().__init__(name="courier", daemon=True)
        self._services = services
        self._pause = pause
        self._stopped = threading.Event()
        self._busy: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._passing_on = threading.Lock()
        self._reminding = threading.Lock()
        self._telling = threading.Lock()
        self._tidied = 0.0

    def run(self) -> None:
        """Make rounds; one that fails does not end the courier."""
        hands = [threading.Thread(target=self._work, name=f"courier-{number}", daemon=True) for number in range(HANDS)]
        for hand in hands:
            hand.start()
        while not self._stopped.is_set():
            self._tidy()
            self._stopped.wait(self._pause)
        for hand in hands:
            hand.join()

    def round(self) -> int:
        """Send every unit whose time has come, one after the other; return how many were tried."""
        self._tidy()
        tried = 0
        while not self._stopped.is_set() and (claim := self._claim()) is not None:
            self._carry(claim)
            tried += 1
        self._pass_on_log()
        self._remind()
        self._tell_domains()
        return tried

    def stop(self) -> None:
        """End after the units that are being sent; `join` waits for those."""
        self._stopped.set()
        self._services.outbox.news.set()

    def _pass_on_log(self) -> None:
        """Send what EHRs get of the log: with one hand, so that the others stay free for what people wait for."""
        if not self._passing_on.acquire(blocking=False):
            return
        try:
            more = True
            while more and not self._stopped.is_set():
                with budget(seconds=PASSED_ON_SECONDS * 2 / 3):
                    more = self._services.pass_on_log()
        finally:
            self._passing_on.release()

    def _remind(self) -> None:
        """Send the messages that are due: with one hand, since a mail server may be slow."""
        if not self._reminding.acquire(blocking=False):
            return
        try:
            while not self._stopped.is_set() and remind(self._services):
                pass
        finally:
            self._reminding.release()

    def _tell_domains(self) -> None:
        """Tell Koppeltaal domains what waits for them: with one hand, since a domain may be slow."""
        if not self._telling.acquire(blocking=False):
            return
        try:
            more = True
            while more and not self._stopped.is_set():
                with budget():
                    more = self._services.tell_domains()
        finally:
            self._telling.release()

    def _work(self) -> None:
        news = self._services.outbox.news
        while not self._stopped.is_set():
            try:
                self.round()
            except Exception as error:  # noqa: BLE001  (a dead thread would leave everything unsent, unnoticed)
                # Class only: a message or traceback may quote what a person wrote.
                log.error("courier: %s", type(error).__name__)  # noqa: TRY400
            if news.wait(self._pause):
                news.clear()

    def _claim(self) -> Claim | None:
        with self._lock:
            avoiding = [issuer for issuer, hands in self._busy.items() if hands >= MOST_OF_ONE_ISSUER]
            claim = self._services.outbox.claim(avoiding=avoiding)
            if claim is not None:
                self._busy[claim.owner.key] += 1
            return claim

    def _carry(self, claim: Claim) -> None:
        """Send one unit; whatever happens to it, the others are not held up."""
        try:
            self._send(claim)
        except LeaseLost:
            pass
        except Exception as error:  # noqa: BLE001  (what nobody foresaw must not stop everybody else's things)
            log.error("courier: %s", type(error).__name__)  # noqa: TRY400
            self._note_failure(claim)
        finally:
            with self._lock:
                self._busy[claim.owner.key] -= 1
                self._busy += Counter()

    def _send(self, claim: Claim) -> None:
        launch = self._services.launches.get(claim.launch_id)
        if launch is None:
            # Only its owner's own token may send it. It is theirs again as soon as they sign in.
            self._services.outbox.hold(claim)
            return
        try:
            records = self._records(launch, claim)
        except RecordError as error:  # such as for an issuer that left the settings
            log.info("courier: %s", type(error).__name__)
            self._services.outbox.hold(claim)
            return
        # In all, and as one visitor at each host: a unit never outlives its lease, and waits for its turn once.
        with budget(seconds=LEASE_SECONDS * 2 / 3):
            records.resume(claim)

    def _records(self, launch: Launch, claim: Claim) -> Records:
        """Return the records that a unit is of; in a launch about nobody, those of the one client it is about.

        Raises Refused where nothing in the unit says who that is, or it is not who kept it.
        """
        if not launch.about_nobody:
            return self._services.records(launch)
        resources = [parcel.write.resource for parcel in claim.unit.parcels]
        patients = {patient for one in resources for patient in patients_of(one, launch.issuer)}
        if len(patients) != 1:
            raise Refused("A unit of a launch about nobody has to be about one client.")
        [patient] = patients
        if self._services.outbox.owner(launch.issuer_key, patient, launch.user.key) != claim.owner:
            raise Refused("A unit is about another client than its owner kept it for.")
        return self._services.records_of(launch, Person(patient, ""))

    def _note_failure(self, claim: Claim) -> None:
        with contextlib.suppress(LeaseLost):
            self._services.outbox.failed(claim)

    def _tidy(self) -> None:
        """Wipe what is over. One courier at a time, now and then, and never in the way of sending."""
        self._services.end_doors_that_are_over()
        self._services.end_sessions_that_are_over()
        now = self._services.clock()
        if not 0 <= now - self._tidied < TIDY_SECONDS:
            self._tidied = now
            self._services.outbox.forget_old_arrivals()
            self._services.kept_words.forget_old()
            self._services.health_links.tidy()
            self._services.reminders.tidy()
            self._services.doors.forget_old()
            self._services.forget_untouched_drafts()
            self._services.forget_old_handed_over()
            self._services.forget_old_not_now()
            self._services.team_marks.loosen(self._services.today())
            self._services.forget_old_log()
