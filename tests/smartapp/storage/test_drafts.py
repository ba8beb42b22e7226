"""Drafts: every answer is on the disk before it is called saved, and nobody else sees it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet

from smartapp.storage.database import open_database
from smartapp.storage.drafts import Drafts
from smartapp.storage.vault import open_vault

KEY = Fernet.generate_key().decode()


@pytest.fixture
def engine(url):
    engine = open_database(url)
    yield engine
    engine.dispose()


def drafts(engine, patient="Patient/anna", author="Patient/anna", issuer="ehr") -> Drafts:
    return Drafts(engine, open_vault(engine, [KEY]), lambda: 100.0, issuer=issuer, patient=patient, author=author)


def answered(link_id: str, code: str):
    """Return the change that one page makes: one answer added."""
    return lambda present: {**(present or {}), link_id: code}


def test_a_draft_that_is_not_there_is_none(engine):
    assert drafts(engine).get("hoop") is None


def test_an_answer_is_there_again(engine):
    drafts(engine).change("hoop", answered("hoop-01", "3"))
    draft = drafts(engine).get("hoop")
    assert (draft.resource, draft.version, draft.changed) == ({"hoop-01": "3"}, 1, 100)


def test_two_tabs_at_once_lose_no_answer(engine):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: drafts(engine).change("nel", answered(f"nel-{n}", "1")), range(40)))
    draft = drafts(engine).get("nel")
    assert len(draft.resource) == 40
    assert draft.version == 40


@pytest.mark.parametrize("other", [{"patient": "Patient/bram"}, {"author": "Practitioner/els"}, {"issuer": "other"}])
def test_somebody_else_does_not_see_it(engine, other):
    drafts(engine).change("hoop", answered("hoop-01", "3"))
    assert drafts(engine, **other).get("hoop") is None
    assert drafts(engine, **other).all() == []


def test_a_change_that_fails_changes_nothing(engine):
    drafts(engine).change("hoop", answered("hoop-01", "3"))
    with pytest.raises(KeyError):
        drafts(engine).change("hoop", lambda present: present["missing"])
    assert drafts(engine).get("hoop").resource == {"hoop-01": "3"}


def test_a_deleted_draft_is_gone_and_others_stay(engine):
    for each in ("hoop", "nel"):
        drafts(engine).change(each, answered("x", "1"))
    drafts(engine).delete("hoop")
    assert [one.questionnaire for one in drafts(engine).all()] == ["nel"]


def test_two_processes_at_once_lose_no_answer(url, engine):
    open_vault(engine, [KEY])
    script = f"""
        import sys
        from smartapp.storage.database import open_database
        from smartapp.storage.drafts import Drafts
        from smartapp.storage.vault import open_vault
        engine = open_database({url!r})
        made = Drafts(engine, open_vault(engine, [{KEY!r}]), lambda: 1.0, issuer="ehr", patient="Patient/anna",
                      author="Patient/anna")
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(20):
            made.change("nel", lambda present: {{**(present or {{}}), f"{{sys.argv[1]}}-{{number}}": "1"}})
        engine.dispose()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    both = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in "ab"
    ]
    assert [process.stdout.readline() for process in both] == ["ready\n"] * 2
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        process.communicate()
    draft = drafts(engine).get("nel")
    assert len(draft.resource) == draft.version == 40


def test_what_was_saved_survives_a_kill(url):
    """A process saves, says so, and is killed at once; the next one reads it."""
    script = f"""
        import os, signal
        from smartapp.storage.database import open_database
        from smartapp.storage.drafts import Drafts
        from smartapp.storage.vault import open_vault
        engine = open_database({url!r})
        made = Drafts(engine, open_vault(engine, [{KEY!r}]), lambda: 1.0, issuer="ehr", patient="Patient/anna",
                      author="Patient/anna")
        for number in range(5):
            made.change("hoop", lambda present: {{**(present or {{}}), str(number): "1"}})
        print("saved", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-9, "saved\n"), done.stderr
    engine = open_database(url)
    assert len(drafts(engine).get("hoop").resource) == 5
    engine.dispose()
