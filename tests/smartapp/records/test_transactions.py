"""What a page costs in the database of the app; what the sandbox reads to play the EHR is not counted."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from smartapp.storage import database
from tests.conftest import serve
from tests.smartapp.pages.questionnaire.test_pages import fill, form_of
from tests.smartapp.records.desk import Desk


@pytest.fixture
def desk():
    for server in serve():
        yield Desk(server)


@pytest.fixture
def begun(desk) -> list[str]:
    """The transactions that began in the database, "write" or "read"."""
    found: list[str] = []

    @sa.event.listens_for(desk.core.engine, "begin")
    def note(connection) -> None:
        # Both are in this process, on one database; what is answered over HTTP runs in a thread of the server.
        if threading.current_thread() is threading.main_thread():
            found.append("write" if database._WRITES in connection.get_execution_options() else "read")

    return found


def test_the_start_page_reads_five_times_and_writes_nothing(desk, begun):
    anna = desk.browser()
    anna.get("")  # the first asks what the EHR offers, and writes that the record was opened
    begun.clear()
    assert anna.get("").status_code == 200
    # One of them asks whether a message waits about what the client sees here by themselves.
    assert (begun.count("read"), begun.count("write")) == (5, 0)


def test_an_answer_is_written_once_by_the_page_that_saves_it_and_by_the_button_after_it(desk, begun):
    anna = desk.browser()
    begun.clear()
    assert anna.post("questionnaires/hoop/questions/hoop-01/autosave", {"answer": "3"}).status_code == 200
    assert anna.post("questionnaires/hoop/questions/hoop-01", {"answer": "3", "next": "1"}).status_code == 303
    assert begun.count("write") == 1
    assert anna.post("questionnaires/hoop/questions/hoop-01", {"answer": "2", "next": "1"}).status_code == 303
    assert begun.count("write") == 2


def test_an_empty_field_begins_no_draft_and_writes_nothing(desk, begun):
    anna = desk.browser()
    begun.clear()
    assert anna.post("questionnaires/hoop/questions/hoop-01", {"clear": "1"}).status_code == 303
    assert begun.count("write") == 0


def test_sending_in_writes_three_times_on_an_ordinary_day(desk, begun):
    """The unit before it leaves; the log and that it arrived; the draft that is done with."""
    anna = desk.browser()
    fill(anna)
    form = form_of(anna.get("questionnaires/hoop/review").text)
    begun.clear()
    assert anna.post("questionnaires/hoop/submit", form).status_code == 303
    assert begun.count("write") == 3
    assert len(desk.stored("QuestionnaireResponse")) == 1


def test_what_is_written_within_a_transaction_is_a_part_of_it(desk, begun):
    outbox, drafts = desk.core.outbox, desk.visit().drafts
    begun.clear()

    def broken_off() -> None:
        with outbox.as_one():
            drafts.change("hoop", lambda _present: {"resourceType": "QuestionnaireResponse"})
            assert drafts.get("hoop") is not None
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert drafts.get("hoop") is None
    assert begun == ["write", "read"]
