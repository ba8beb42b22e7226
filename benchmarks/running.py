"""Processes of a benchmark: the EHR and the app, each on a free port of this machine, ended with the `with`."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".cache" / "benchmarks"
_START_SECONDS = 30


def install_peers() -> None:
    """Install what we compare with into a folder of its own: its pins must not become the project's."""
    if not (PEERS / "granian").is_dir():
        wanted = Path(__file__).with_name("requirements.txt")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(PEERS), "-r", str(wanted)]
        subprocess.run(command, check=True)


@dataclass(frozen=True, slots=True)
class Program:
    """A running program: the port it listens on and its process id."""

    port: int
    pid: int


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def program(
    command: Sequence[str], port: int, path: str, environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Run a command until the end of the `with`; it is entered once `path` on its port answers."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
            stdout=said,
            stderr=said,
        )
        try:
            _wait(process, port, path)
            yield Program(port, process.pid)
        except BaseException:
            said.seek(0)
            sys.stderr.write(said.read()[-4000:].decode(errors="replace"))
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{process.args!r} did not answer on port {port}")


def family(pid: int) -> list[Path]:
    """Return the folders in /proc of a process and its children."""
    folder = Path(f"/proc/{pid}")
    children = (folder / "task" / str(pid) / "children").read_text("utf-8").split()
    return [folder, *(each for child in children for each in family(int(child)))]


def cpu_seconds(pid: int) -> float:
    """Return the CPU that a process and its children have used."""
    ticks = [(each / "stat").read_text("utf-8").rpartition(")")[2].split()[11:13] for each in family(pid)]
    return sum(int(one) for pair in ticks for one in pair) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Return the MB of a process and its children; what they share is counted once."""
    lines = [line for each in family(pid) for line in (each / "smaps_rollup").read_text("utf-8").splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@contextlib.contextmanager
def ehr(delay: float = 0.0, *, transactions: bool = True) -> Iterator[Program]:
    """Run the EHR of `benchmarks.ehr`."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.ehr", "--port", str(port), "--delay", str(delay)]
    with program(command + ([] if transactions else ["--no-transactions"]), port, "/calls") as running:
        yield running


def issuer(of: Program) -> str:
    """Return the `iss` of an EHR."""
    return f"http://127.0.0.1:{of.port}/fhir"


@contextlib.contextmanager
def settings(port: int, ehr_: Program, database: str | None = None, **more: str) -> Iterator[dict[str, str]]:
    """Yield an environment for the app on `port`, with a database of its own for as long as the `with` lasts."""
    with tempfile.TemporaryDirectory(prefix="verstel-bench-") as folder:
        issuers = Path(folder) / "issuers.toml"
        issuers.write_text(f'[[issuer]]\nbase = "{issuer(ehr_)}"\nname = "Bench"\nclient_id = "verstel"\n', "utf-8")
        yield {
            "VERSTEL_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "VERSTEL_SECRET_KEY": secrets.token_urlsafe(32),
            "VERSTEL_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "VERSTEL_ISSUERS_FILE": str(issuers),
            "VERSTEL_DATABASE_URL": database or f"sqlite:///{folder}/bench.sqlite3",
            **more,
        }
