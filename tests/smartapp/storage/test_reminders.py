"""Reminders in the database, on SQLite and on PostgreSQL: several processes at once, and what a crash leaves."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from smartapp.storage.audit import Audit
from smartapp.storage.database import open_database
from smartapp.storage.reminders import (
    ASKED_SECONDS,
    DAY,
    KEPT_SECONDS,
    LEASE_SECONDS,
    MONTH,
    MOST_ASKED,
    MOST_ASKED_A_MONTH,
    MOST_TRIES,
    NEVER,
    READY_THINGS,
    REMINDERS,
    Choice,
    Reminders,
    TooManyAsked,
)
from smartapp.storage.vault import open_vault

ISSUER, BASE, PATIENT, ADDRESS = "north", "https://ehr.example/fhir", "Patient/kanariegeel", "kanarie@example.org"
ZONE = ZoneInfo("Europe/Amsterdam")
NOON = int(dt.datetime(2026, 11, 27, 12, tzinfo=ZONE).timestamp())


class Clock:
    now = float(NOON)

    def __call__(self) -> float:
        return self.now

    def to(self, text: str) -> None:
        self.now = dt.datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def processes(url, clock) -> Iterator[list[Reminders]]:
    """The same database, opened by several as if each were a process of its own."""
    keys = [Fernet.generate_key().decode()]
    engines = [open_database(url) for _ in range(3)]
    yield [
        Reminders(engine, vault, Audit(engine, vault, clock), clock, ZONE)
        for engine in engines
        if (vault := open_vault(engine, keys))
    ]
    for engine in engines:
        engine.dispose()


@pytest.fixture
def reminders(processes) -> Reminders:
    return processes[0]


def choice(often: str = "once", **more) -> Choice:
    return Choice(**{"often": often, "address": ADDRESS, "language": "nl", "issuer": BASE, "patient": PATIENT} | more)


def confirmed(reminders: Reminders, clock: Clock, often: str = "once") -> None:
    """Choose mail, send the first one and confirm it, two days ago."""
    was, clock.now = clock.now, clock.now - 2 * DAY
    assert reminders.choose(ISSUER, choice(often)) == "asked"
    first = reminders.claim()
    assert first is not None
    assert first.kind == "confirm"
    reminders.sent(first)
    assert reminders.confirm(first.confirm)
    clock.now = was


def ready(reminders: Reminders, key: str = "a", on: float | None = None) -> None:
    reminders.ready(ISSUER, PATIENT, key, NOON if on is None else on)


def sent_now(reminders: Reminders):
    """Send what is due; return what each message was."""
    found = []
    while (message := reminders.claim()) is not None:
        reminders.sent(message)
        found.append(message)
    return found


def log(reminders: Reminders) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.event, one.objects) for one in reminders._audit.of_person(ISSUER, PATIENT)]


def due(reminders: Reminders) -> int:
    with reminders._engine.connect() as connection:
        return connection.execute(sa.select(REMINDERS.c.due)).scalar_one()


# --- choosing


def test_nobody_gets_anything_who_chose_nothing(reminders):
    ready(reminders)
    assert reminders.claim() is None
    assert reminders.chosen(ISSUER, PATIENT) is None


def test_an_address_gets_one_mail_before_it_is_confirmed_and_no_other(reminders, clock):
    ready(reminders)
    reminders.choose(ISSUER, choice())
    assert [one.kind for one in sent_now(reminders)] == ["confirm"]
    clock.now += 3 * DAY
    ready(reminders, "b")
    assert sent_now(reminders) == []
    assert log(reminders) == []


def test_an_address_that_nobody_confirms_is_forgotten(reminders, clock):
    reminders.choose(ISSUER, choice())
    [first] = sent_now(reminders)
    clock.now += ASKED_SECONDS
    reminders.tidy()
    assert reminders.chosen(ISSUER, PATIENT) is None
    assert not reminders.confirm(first.confirm)


@pytest.mark.parametrize("how", ["sent", "unsure", "refused", "later"])
def test_who_sends_to_a_former_address_puts_it_back_nowhere_however_quickly_another_was_chosen(processes, how):
    """Two couriers within one second: the moment alone does not tell their tries apart."""
    one, other = processes[:2]
    one.choose(ISSUER, choice(address="stranger@example.org"))
    first = one.claim()
    one.choose(ISSUER, choice())
    second = other.claim()
    assert first.taken == second.taken
    getattr(one, how)(first)
    other.sent(second)
    assert other.confirm(second.confirm)
    known = one.chosen(ISSUER, PATIENT)
    assert (known.state, known.choice.address, known.choice.problem) == ("on", ADDRESS, "")


def test_strangers_are_not_mailed_by_typing_address_after_address(reminders, clock):
    for number in range(MOST_ASKED):
        reminders.choose(ISSUER, choice(address=f"{number}@example.org"))
        reminders.off(ISSUER, PATIENT)
    with pytest.raises(TooManyAsked):
        reminders.choose(ISSUER, choice(address="9@example.org"))
    clock.now += DAY
    assert reminders.choose(ISSUER, choice(address="9@example.org")) == "asked"


@pytest.mark.parametrize("stops", [True, False])
def test_a_stranger_is_not_mailed_day_after_day(reminders, clock, stops):
    """Also not by who stops in between, or who waits until the address is forgotten."""
    mailed = []
    for _day in range(28):
        reminders.tidy()
        try:
            reminders.choose(ISSUER, choice(address="stranger@example.org"))
        except TooManyAsked as error:
            assert error.a_month  # noqa: PT017
        mailed += sent_now(reminders)
        if stops:
            reminders.off(ISSUER, PATIENT)
        clock.now += DAY
    assert len(mailed) == MOST_ASKED_A_MONTH
    clock.now += MONTH + ASKED_SECONDS
    reminders.tidy()
    assert reminders.choose(ISSUER, choice()) == "asked"


def test_of_an_address_that_was_not_confirmed_only_the_moment_stays_and_that_for_a_month(reminders, clock):
    reminders.choose(ISSUER, choice())
    clock.now += ASKED_SECONDS
    reminders.tidy()
    with reminders._engine.connect() as connection:
        [row] = connection.execute(sa.select(REMINDERS)).all()
    [kept] = reminders._vault.open_any([row.sealed])
    assert {name: value for name, value in kept.items() if value} == {
        "often": "once",
        "how": "mail",
        "asked": [int(clock.now) - ASKED_SECONDS],
    }
    assert (row.state, row.stop, row.confirm, row.due) == ("off", None, None, NEVER)
    clock.now += MONTH
    reminders.tidy()
    with reminders._engine.connect() as connection:
        assert connection.execute(sa.select(REMINDERS)).all() == []


def test_how_often_changes_without_a_new_first_mail_and_another_address_asks_again(reminders, clock):
    confirmed(reminders, clock)
    assert reminders.choose(ISSUER, choice("weekly")) == "on"
    assert reminders.claim() is None
    assert reminders.choose(ISSUER, choice("weekly", address="other@example.org")) == "asked"
    assert [one.choice.address for one in sent_now(reminders)] == ["other@example.org"]


def test_what_waits_when_they_choose_is_told_a_day_later(reminders, clock):
    ready(reminders, on=NOON - 40 * DAY)
    reminders.choose(ISSUER, choice())
    [first] = sent_now(reminders)
    assert reminders.confirm(first.confirm)
    clock.now += DAY - 1
    assert sent_now(reminders) == []
    clock.now += 1
    assert [one.kind for one in sent_now(reminders)] == ["ready"]
    assert reminders.confirm(first.confirm), "pressed again, it is still right"
    clock.now += DAY
    assert sent_now(reminders) == [], "and it does not begin anew"


# --- once and weekly


def test_once_is_one_message_for_each_thing(reminders, clock):
    confirmed(reminders, clock)
    ready(reminders, "a")
    assert len(sent_now(reminders)) == 1
    clock.now += 30 * DAY
    ready(reminders, "a")  # said again, and not moved
    assert sent_now(reminders) == []
    ready(reminders, "b", clock.now)
    ready(reminders, "c", clock.now)
    [both] = sent_now(reminders)
    assert len(both.about) == 2
    assert log(reminders) == [("reminder", ("reminders.sent",))] * 2


def test_weekly_is_at_most_one_in_seven_days_and_four_about_the_same(reminders, clock):
    confirmed(reminders, clock, "weekly")
    ready(reminders)
    sent = []
    for _hour in range(24 * 60):
        sent += [clock.now for _one in sent_now(reminders)]
        clock.now += 3600
    days = [dt.datetime.fromtimestamp(one, ZONE).date() for one in sent]
    assert [str(one) for one in days] == ["2026-11-27", "2026-12-04", "2026-12-11", "2026-12-18"]


def test_it_comes_by_day_also_after_a_courier_that_was_away(reminders, clock):
    confirmed(reminders, clock)
    ready(reminders)
    clock.to("2026-11-27T23:00:00")
    assert sent_now(reminders) == []
    clock.to("2026-11-28T08:59:00")
    assert sent_now(reminders) == []
    clock.to("2026-11-28T09:00:00")
    assert len(sent_now(reminders)) == 1


def test_what_is_ready_later_is_told_then_and_what_is_moved_is_told_anew(reminders, clock):
    confirmed(reminders, clock)
    ready(reminders, on=NOON + 10 * DAY)
    assert sent_now(reminders) == []
    ready(reminders, on=NOON + 5 * DAY)
    clock.now += 5 * DAY
    assert len(sent_now(reminders)) == 1
    ready(reminders, on=NOON + 20 * DAY)
    clock.now += 15 * DAY
    assert len(sent_now(reminders)) == 1
    ready(reminders, on=NOON)  # moved back: it was told
    clock.now += DAY
    assert sent_now(reminders) == []


@pytest.mark.parametrize("often", ["once", "weekly"])
def test_nothing_comes_once_it_was_answered_or_the_app_was_opened(reminders, clock, often):
    confirmed(reminders, clock, often)
    ready(reminders, "a", NOON + 3600)
    ready(reminders, "b", NOON + 7200)
    reminders.no_longer(ISSUER, PATIENT, "a")
    clock.now += 7200
    reminders.opened(ISSUER, PATIENT)
    for _day in range(30):
        assert sent_now(reminders) == []
        clock.now += DAY
    ready(reminders, "c", clock.now)
    assert len(sent_now(reminders)) == 1


def test_what_was_answered_is_told_no_more_whoever_asked_it_and_what_comes_later_is(reminders, clock):
    confirmed(reminders, clock)
    launch = SimpleNamespace(issuer_key=ISSUER, patient=SimpleNamespace(reference=PATIENT))
    reminders.assigned(launch, "hoop")
    reminders.ready(ISSUER, PATIENT, "course|1", NOON, instrument="hoop")
    reminders.ready(ISSUER, PATIENT, "course|2", NOON + 9 * DAY, instrument="hoop")
    reminders.answered(launch, "hoop")
    assert sent_now(reminders) == []
    reminders.ready(ISSUER, PATIENT, "course|1", NOON, instrument="nel")
    reminders.answered(launch, "hoop")
    assert len(sent_now(reminders)) == 1
    clock.now += 9 * DAY
    assert len(sent_now(reminders)) == 1


@pytest.mark.parametrize("often", ["once", "weekly"])
def test_what_is_over_is_told_to_nobody(reminders, clock, often):
    """Neither when its message was to come after its last day, nor to who chooses messages then."""
    confirmed(reminders, clock, often)
    clock.to("2026-12-01 21:00")
    reminders.ready(ISSUER, PATIENT, "until midnight", clock.now, until=clock.now + 3 * 3600)
    reminders.ready(ISSUER, PATIENT, "two weeks", clock.now, until=clock.now + 14 * DAY)
    clock.to("2026-12-02 12:00")
    days = []
    for day in range(60):
        days += [day] * len(sent_now(reminders))
        clock.now += DAY
    assert days == ([0] if often == "once" else [0, 7])
    reminders.off(ISSUER, PATIENT)
    clock.now += 2 * DAY
    confirmed(reminders, clock, often)
    assert sent_now(reminders) == []
    reminders.tidy()
    with reminders._engine.connect() as connection:
        assert connection.execute(sa.select(READY_THINGS)).all() == []


def test_another_last_day_makes_nothing_ready_anew(reminders, clock):
    confirmed(reminders, clock)
    reminders.ready(ISSUER, PATIENT, "a", NOON, until=NOON + 9 * DAY)
    assert len(sent_now(reminders)) == 1
    clock.now += DAY
    reminders.ready(ISSUER, PATIENT, "a", NOON, until=NOON + 19 * DAY)
    for _day in range(9):
        clock.now += DAY
        assert sent_now(reminders) == []
    assert due(reminders) == NEVER


# --- stopping


def test_stopped_by_the_address_in_a_mail_nothing_comes_and_no_address_is_left(reminders, clock):
    confirmed(reminders, clock)
    ready(reminders)
    [message] = sent_now(reminders)
    reminders.stop(message.stop)
    reminders.stop(message.stop)
    reminders.stop("0" * 64)
    assert log(reminders)[0] == ("reminder", ("reminders.stopped",))
    assert len(log(reminders)) == 2
    ready(reminders, "b", NOON)
    clock.now += 9 * DAY
    assert sent_now(reminders) == []
    with reminders._engine.connect() as connection:
        sealed = connection.execute(sa.select(REMINDERS.c.sealed)).scalar_one()
    assert ADDRESS not in str(reminders._vault.open(sealed))
    assert PATIENT not in str(reminders._vault.open(sealed))
    clock.now += MONTH
    reminders.tidy()
    with reminders._engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(REMINDERS)).scalar_one() == 0


def test_an_old_mail_stops_what_was_chosen_again_for_the_same_address(reminders, clock):
    confirmed(reminders, clock)
    ready(reminders)
    [old] = sent_now(reminders)
    reminders.off(ISSUER, PATIENT)
    clock.now += DAY
    reminders.tidy()
    confirmed(reminders, clock)
    reminders.stop(old.stop)
    assert reminders.chosen(ISSUER, PATIENT) is None


def test_what_is_stopped_while_it_is_sent_stays_stopped(reminders, clock):
    confirmed(reminders, clock)
    ready(reminders)
    message = reminders.claim()
    reminders.off(ISSUER, PATIENT)
    reminders.later(message)
    assert reminders.chosen(ISSUER, PATIENT) is None
    clock.now += 9 * DAY
    assert reminders.claim() is None


# --- several processes, crashes and failures


def all_at_once(processes: list[Reminders], times: int):
    with ThreadPoolExecutor(times) as pool:
        found = pool.map(lambda number: processes[number % len(processes)].claim(), range(times))
        return [one for one in found if one is not None]


def test_processes_together_send_one_message(processes, clock):
    confirmed(processes[0], clock)
    for key in "abc":
        ready(processes[1], key)
    [one] = all_at_once(processes, 12)
    assert len(one.about) == 3
    processes[2].sent(one)
    assert all_at_once(processes, 12) == []


def test_a_crash_while_sending_costs_a_message_and_never_makes_two(processes, clock):
    confirmed(processes[0], clock)
    ready(processes[0])
    assert processes[0].claim() is not None  # and it never says how it ended
    clock.now += LEASE_SECONDS - 1
    assert processes[1].claim() is None
    for _day in range(20):
        clock.now += DAY
        assert processes[1].claim() is None
    assert processes[1].chosen(ISSUER, PATIENT).choice.problem == "unsure"
    ready(processes[1], "b", clock.now)
    assert len(sent_now(processes[1])) == 1
    assert processes[1].chosen(ISSUER, PATIENT).choice.problem == ""


def test_a_crash_while_the_first_mail_is_sent_never_makes_two(reminders, clock):
    reminders.choose(ISSUER, choice())
    assert reminders.claim() is not None
    for _day in range(3):
        clock.now += DAY
        assert reminders.claim() is None
    assert reminders.chosen(ISSUER, PATIENT).choice.problem == "unsure"


def test_who_says_too_late_how_it_ended_changes_nothing(reminders, clock):
    confirmed(reminders, clock)
    ready(reminders)
    slow = reminders.claim()
    clock.now += LEASE_SECONDS
    assert reminders.claim() is None  # given up
    ready(reminders, "b", clock.now)
    fresh = reminders.claim()
    assert fresh is not None
    reminders.later(slow)
    reminders.refused(slow)
    assert reminders.claim() is None
    reminders.sent(fresh)
    clock.now += 9 * DAY
    assert sent_now(reminders) == []


def test_what_did_not_go_is_tried_again_with_growing_pauses_and_at_last_given_up(reminders, clock):
    confirmed(reminders, clock, "weekly")
    ready(reminders)
    tries = []
    for _minute in range(4 * 24 * 60):
        message = reminders.claim()
        if message is not None:
            tries.append(clock.now)
            reminders.later(message)
        clock.now += 60
    assert len(tries) == MOST_TRIES
    pauses = [after - before for before, after in itertools.pairwise(tries)]
    assert pauses[:3] == [300, 600, 1200]
    assert reminders.chosen(ISSUER, PATIENT).choice.problem == "refused"
    assert reminders.chosen(ISSUER, PATIENT).last is None
    assert log(reminders) == []
    assert reminders.choose(ISSUER, choice("weekly")) == "on"  # chosen again
    clock.to("2026-12-02T12:00:00")
    assert len(sent_now(reminders)) == 1


def test_what_is_refused_is_told_to_nobody_else(reminders, clock):
    confirmed(reminders, clock)
    ready(reminders)
    reminders.refused(reminders.claim())
    ready(reminders, "b", NOON + 1)
    clock.now += 5 * DAY
    assert reminders.claim() is None
    assert reminders.chosen(ISSUER, PATIENT).choice.problem == "refused"


# --- what is kept


def test_nobody_reads_from_the_tables_who_gets_what(reminders, clock):
    confirmed(reminders, clock)
    ready(reminders, "assignment|hoop")
    with reminders._engine.connect() as connection:
        rows = [*connection.execute(sa.select(REMINDERS)), *connection.execute(sa.select(READY_THINGS))]
    for word in ("kanarie", "hoop", "north", "ehr.example", "once", "mail"):
        assert word not in str(rows)


def test_erased_nothing_is_left(reminders, clock):
    confirmed(reminders, clock)
    ready(reminders)
    assert reminders.erase(reminders.person(ISSUER, PATIENT)) == 2
    with reminders._engine.connect() as connection:
        for table in (REMINDERS, READY_THINGS):
            assert connection.execute(sa.select(table)).all() == []


def test_under_a_new_key_of_the_issuer_all_goes_on(reminders, clock):
    confirmed(reminders, clock)
    ready(reminders, "a", NOON + 60)
    ready(reminders, "b", NOON + 60)
    reminders.ready("new", PATIENT, "a", NOON + 90)
    reminders.adopt(reminders.person(ISSUER, PATIENT), reminders.person("new", PATIENT))
    assert reminders.chosen(ISSUER, PATIENT) is None
    assert reminders.chosen("new", PATIENT).state == "on"
    reminders.no_longer("new", PATIENT, "b")
    clock.now += 90
    [message] = sent_now(reminders)
    assert len(message.about) == 1


def test_what_nobody_took_back_is_forgotten_after_a_year(reminders, clock):
    ready(reminders)
    clock.now += KEPT_SECONDS
    reminders.tidy()
    with reminders._engine.connect() as connection:
        assert connection.execute(sa.select(READY_THINGS)).all() == []


def test_with_a_key_that_is_gone_it_waits(reminders, clock, url):
    confirmed(reminders, clock)
    ready(reminders)
    with reminders._engine.begin() as connection:
        connection.execute(REMINDERS.update().values(sealed=Fernet(Fernet.generate_key()).encrypt(b"{}")))
    assert reminders.claim() is None
    assert due(reminders) == NOON + DAY < NEVER
