"""nginx and Caddy with the files of docs/deploy, each in front of a running app, and what goes through them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
import urllib3

ROOT: Final = Path(__file__).parents[3]
DEPLOY: Final = ROOT / "docs" / "deploy"
SIX_MB: Final = 6_000_000
GLOBAL_OF_CADDY: Final = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
"""This machine's own names have a certificate of Caddy's own, which is put into no store of the machine."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy: its program, how its file is made to stand on this machine, and how it is run with that."""

    program: str
    file: str
    placed: Callable[[str, Path, int, int], str]
    """(text of the file, folder, port of people, port of the app) → text that can be run here."""
    command: Callable[[Path], list[str]]
    check: Callable[[Path], list[str]]

    def version(self) -> str:
        """Return the version of the program."""
        flag = ["-v"] if self.program == "nginx" else ["version"]
        done = subprocess.run([self.program, *flag], capture_output=True, text=True, check=False)
        found = re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
        return found[0] if found else ""


@dataclass(frozen=True, slots=True)
class Tried:
    """How many things were tried, and each that did not hold."""

    of: int
    failed: list[str]


def _nginx(text: str, folder: Path, port: int, app: int) -> str:
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    key, certificate = folder / "verstel.key", folder / "verstel.crt"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    text = re.sub(r"(?m)^\s*listen \[::\].*\n", "", text)
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl").replace(
        "listen 80;", f"listen 127.0.0.1:{_free()};"
    )
    text = text.replace("/etc/nginx/tls", str(folder)).replace("127.0.0.1:8000", f"127.0.0.1:{app}")
    text = text.replace("verstel.example.org", "localhost")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Workers of a root's nginx are nobody, who may not write here.
    user = "user root;\n" if os.geteuid() == 0 else ""
    main = f"{user}daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
    return f"{main}http {{\n{temporary}{text}\n}}\n"


def _caddy(text: str, _folder: Path, port: int, app: int) -> str:
    return GLOBAL_OF_CADDY + text.replace("{$SITE:verstel.example.org}", f"https://localhost:{port}").replace(
        "{$APP:127.0.0.1:8000}", f"127.0.0.1:{app}"
    )


PROXIES: Final = {
    "nginx": Proxy(
        "nginx",
        "nginx.conf",
        _nginx,
        lambda file: ["nginx", "-p", str(file.parent), "-c", str(file)],
        lambda file: ["nginx", "-t", "-p", str(file.parent), "-c", str(file)],
    ),
    "Caddy": Proxy(
        "caddy",
        "Caddyfile",
        _caddy,
        lambda file: ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)],
        lambda file: ["caddy", "validate", "--adapter", "caddyfile", "--config", str(file)],
    ),
}


def in_front(proxy: Proxy) -> Tried:
    """Run the app behind a proxy with our file, and tell what holds; a file with a word too much must be refused."""
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # certificates that live for this one run
    with tempfile.TemporaryDirectory(prefix="verstel-proxy-") as place:
        folder, port, app = Path(place), _free(), _free()
        text = (DEPLOY / proxy.file).read_text("utf-8")
        file = folder / proxy.file
        file.write_text(proxy.placed(text, folder, port, app), "utf-8")
        bad = folder / f"bad-{proxy.file}"
        bad.write_text(
            file.read_text("utf-8").replace("reverse_proxy", "proxy_revers").replace("proxy_pass", "proxy_pas"), "utf-8"
        )
        failed = []
        if _run(proxy.check(file), folder).returncode != 0:
            failed.append("its own check refuses our file")
        if _run(proxy.check(bad), folder).returncode == 0:
            failed.append("its own check takes a file with an unknown word: it proves nothing")
        base = f"https://localhost:{port}"
        with _app(folder, port, app) as environment, _running(proxy.command(file), folder, f"{base}/readyz"):
            through = _through(base, environment)
        return Tried(2 + len(through), [*failed, *(words for words, held in through.items() if not held)])


def _through(base: str, environment: dict[str, str]) -> dict[str, bool]:
    """Return what goes through the proxy as it has to."""
    with requests.Session() as people:
        people.verify, people.trust_env = False, False  # a bundle that the environment names would go before
        first = people.get(f"{base}/", timeout=30)
        big = people.post(f"{base}/l/nobody/", data={"words": "x" * SIX_MB}, timeout=60)
        elsewhere = people.get(f"{base}/", headers={"X-Forwarded-Host": "evil.example"}, timeout=30)
        spoofed = people.get(
            f"{base}/callback?state=x&code=y", headers={"X-Forwarded-For": "198.51.100.77"}, timeout=30
        )
        jwks = people.get(f"{base}/.well-known/jwks.json", timeout=30)
    # A sign-in that nobody began is refused, and is a row of the log with the address that it came from.
    export = [_verstel(), "audit", "export"]
    log = subprocess.run(export, env=environment, capture_output=True, text=True, check=True).stdout
    return {
        "the first page comes, with the headers of the app": first.status_code == 200
        and "content-security-policy" in first.headers
        and "no-store" in first.headers.get("cache-control", ""),
        "a form of 6 MB reaches the app, which answers itself": big.status_code == 405
        and "content-security-policy" in big.headers,
        "a host that the caller forwards is not believed": elsewhere.status_code == 200,
        "the address in the log is the caller's, not what the caller forwards": spoofed.status_code == 400
        and "127.0.0.1" in log
        and "198.51.100.77" not in log,
        "the public keys are fetched": jwks.status_code == 200,
    }


@contextmanager
def _app(folder: Path, port: int, app: int) -> Iterator[dict[str, str]]:
    """Run `verstel serve` for people who come through the proxy, and yield its environment."""
    verstel = _verstel()
    shutil.copyfile(ROOT / "issuers.example.toml", folder / "issuers.toml")
    keys = {
        kind: subprocess.run([verstel, "keys", "new", kind], capture_output=True, text=True, check=True).stdout.strip()
        for kind in ("secret", "encryption")
    }
    environment = {
        "PATH": os.environ["PATH"],
        "VERSTEL_PUBLIC_URL": f"https://localhost:{port}",
        "VERSTEL_SECRET_KEY": keys["secret"],
        "VERSTEL_ENCRYPTION_KEYS": keys["encryption"],
        "VERSTEL_ISSUERS_FILE": str(folder / "issuers.toml"),
        "VERSTEL_DATABASE_URL": f"sqlite:///{folder / 'app.db'}",
        "VERSTEL_TRUSTED_PROXIES": "1",
    }
    command = [verstel, "serve", "--listen", f"127.0.0.1:{app}"]
    with (folder / "app.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _until(f"http://127.0.0.1:{app}/readyz")
            yield environment
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def _running(command: list[str], folder: Path, ready: str) -> Iterator[None]:
    environment = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    with (folder / "proxy.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
        try:
            _until(ready)
            yield
        finally:
            process.terminate()
            process.wait(60)


def _until(url: str, seconds: float = 60) -> None:
    """Wait until an address answers well. Raises TimeoutError."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            with requests.Session() as asking:
                asking.trust_env = False
                if asking.get(url, verify=False, timeout=5).status_code == 200:
                    return
        except requests.RequestException:
            pass
        time.sleep(0.2)
    raise TimeoutError(f"{url} did not answer within {seconds:.0f} seconds")


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False, cwd=folder)


def _verstel() -> str:
    return str(Path(sys.executable).with_name("verstel"))


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
