"""`verstel serve` says what is wrong with its options; its settings are tested in test_settings.py."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from smartapp.commands.serve import TURN_SECONDS, command, reached_without_tls, warm_up


@pytest.mark.parametrize("listen", ["127.0.0.1:99999", "127.0.0.1", ":8000", "127.0.0.1:http", "nonsense"])
def test_what_is_no_address_is_refused(listen: str) -> None:
    said = CliRunner().invoke(command, ["--listen", listen], env={"VERSTEL_PUBLIC_URL": ""})
    assert said.exit_code == 2
    assert f"{listen!r} is not HOST:PORT" in " ".join(said.output.split())


@pytest.mark.parametrize("listen", ["127.0.0.1:8000", "[::1]:8000", "0.0.0.0:65535"])
def test_an_address_is_taken_and_the_settings_are_asked_for(listen: str) -> None:
    said = CliRunner().invoke(command, ["--listen", listen], env={"VERSTEL_PUBLIC_URL": ""})
    assert said.exit_code == 2
    assert "VERSTEL_PUBLIC_URL" in said.output


def test_an_address_that_other_machines_reach_without_tls_is_told():
    assert [one.default for one in command.params if one.name == "listen"] == ["127.0.0.1:8000"]
    assert reached_without_tls(("127.0.0.1", 8000), ("[::1]", 9100)) == []
    [app] = reached_without_tls(("0.0.0.0", 8000), None)
    [figures] = reached_without_tls(("localhost", 8000), ("10.0.0.5", 9100))
    assert app.startswith("--listen 0.0.0.0 takes plain http")
    assert figures.startswith("--metrics 10.0.0.5 takes plain http")


@pytest.fixture
def warm() -> Iterator[None]:
    before = sys.getswitchinterval()
    try:
        warm_up()
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)


@pytest.mark.usefixtures("warm")
def test_the_collector_passes_over_what_was_there_at_the_start_and_not_over_what_comes_later() -> None:
    class Page:
        """Something that refers to itself, as what is made for one page does."""

    assert gc.get_freeze_count() > 10_000
    later = Page()
    later.itself = later
    del later
    assert gc.collect() > 0


@pytest.mark.usefixtures("warm")
def test_no_thread_keeps_python_to_itself_for_long_while_others_wait() -> None:
    assert sys.getswitchinterval() == pytest.approx(TURN_SECONDS)
