"""Sign people in to the app by a Keycloak that is started here: every kind of client, pushed requests, bound tokens.

A browser of ours without scripts fills in Keycloak's own page. Each case signs in, opens pages, opens more when the
token is renewed, and signs out, after which Keycloak must know the token no more. Then what must not work is tried. Run
as `python -m tests.conformance.sign_in.keycloak.run`. Exit 0: all as it should be, 1: it is not, 3: Keycloak can't be
had here.
"""

from __future__ import annotations

import contextlib
import html
import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookiejar import Cookie
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import requests
from click.testing import CliRunner
from cryptography.fernet import Fernet
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from smartapp import create_app
from smartapp.commands.keys import command as verstel_keys
from smartapp.sandbox import Client, make_sandbox
from smartapp.sandbox.app import sandbox_app
from smartapp.sandbox.seeding import seed
from smartapp.sandbox.server import PREFIX
from smartapp.services import KEY, Services
from smartapp.settings import Issuer, Settings
from smartapp.storage.database import open_database
from tests.conformance import strangers
from tests.conformance.java_tools import JAVA, NotHereError, version
from tests.conformance.sign_in.keycloak.front import Front
from tests.conformance.sign_in.keycloak.realm import (
    CASES,
    INSIDE,
    PASSWORD,
    REALM,
    SECRET,
    TOKEN_SECONDS,
    USER,
    Case,
    realm,
)
from tests.conftest import Running, port_of_ours

PASSED, FAILED, NOT_RUN = 0, 1, 3
SYSTEM: Final = "Keycloak"
START_SECONDS: Final = 420
LOG: Final = Path(".cache/conformance/keycloak.log")
NAME: Final = "Noor"


def main() -> int:
    """Start everything, try each case, and say what was not as it should be."""
    try:
        home = _unpacked()
    except NotHereError as missing:
        print(f"Keycloak was not asked: {missing}")
        strangers.missing(SYSTEM, missing)
        return NOT_RUN
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder, port_of_ours() as port:
        app = Running()
        with _keycloak(home, port, app.url) as server:
            for stage in _served(app, Path(folder), server):
                _try(stage, checks)
    for complaint in checks.failed:
        print(complaint)
    print(f"Keycloak: {len(CASES)} cases, {checks.of} checks, {len(checks.failed)} complaints")
    strangers.held(SYSTEM, checks.of, checks.failed, version=version("keycloak", "keycloak.version"))
    return FAILED if checks.failed else PASSED


@dataclass(slots=True)
class Checks:
    """How many checks there were, and each that did not hold."""

    of: int = 0
    failed: list[str] = field(default_factory=list)

    def that(self, case: Case, held: bool, what: str) -> None:
        self.of += 1
        self.failed += [] if held else [f"{case.name}: {what}"]


@dataclass(slots=True)
class Stage:
    """The app, the FHIR server before the records, and Keycloak's configuration of the realm."""

    url: str
    front: Front
    server: dict[str, str]
    core: Services
    logged: list[str]


# ---- what is started


def _unpacked() -> Path:
    """Return the folder of Keycloak, got by Maven once. Raises NotHereError."""
    home = JAVA / "keycloak" / "target" / f"keycloak-{version('keycloak', 'keycloak.version')}"
    if (home / "bin" / "kc.sh").is_file():
        return home
    command = ["mvn", "-B", "-q", "-f", str(JAVA / "keycloak" / "pom.xml"), "package"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise NotHereError(f"Maven can't get Keycloak: {error}") from error
    if done.returncode:
        raise NotHereError(f"Maven can't get Keycloak:\n{(done.stdout + done.stderr)[-600:]}")
    return home


@contextlib.contextmanager
def _keycloak(home: Path, port: int, app: str) -> Iterator[dict[str, str]]:
    """Start Keycloak with our realm, its database in memory; yield what the realm says of itself."""
    folder = home / "data" / "import"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{REALM}.json").write_text(json.dumps(realm(app)), encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    command = ["bash", str(home / "bin" / "kc.sh"), "start-dev", "--db=dev-mem", "--import-realm"]
    command += ["--http-host=127.0.0.1", f"--http-port={port}", f"--hostname={url}"]
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            yield _ready(process, f"{url}/realms/{REALM}/.well-known/openid-configuration")
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # the shell and the server that it started
            process.wait()


def _ready(process: subprocess.Popen[bytes], address: str) -> dict[str, str]:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(requests.RequestException):
            answer = requests.get(address, timeout=20)
            if answer.status_code == 200:
                said: dict[str, str] = answer.json()
                return said
        time.sleep(0.5)
    raise RuntimeError(f"Keycloak did not start; its last words:\n{LOG.read_text('utf-8')[-2000:]}")


def _served(app: Running, folder: Path, server: dict[str, str]) -> Iterator[Stage]:
    """Serve the records, the front before them, and the app that knows each case as an issuer."""
    records, front = Running(), Running()
    engine = open_database(f"sqlite:///{folder}/records.db")
    sandbox = make_sandbox(engine, records.url, clients=(Client("verstel", ("http://127.0.0.1/none",)),))
    seed(sandbox, datetime.now(UTC), only=[USER])
    records.start(DispatcherMiddleware(Response("nothing", 404), {PREFIX: sandbox_app(sandbox)}))
    gate = Front(front.url, sandbox, server)
    front.start(gate)
    keys = folder / "keys.json"
    # As an operator makes them, so that what `verstel keys` writes is what Keycloak reads.
    for words in (["new", "signing", "--file", str(keys)], ["rotate", "signing", str(keys)]):
        CliRunner().invoke(verstel_keys, words, catch_exceptions=False)
    made = create_app(
        Settings(
            public_url=app.url,
            secret_keys=("a secret that only this run knows, long enough",),
            encryption_keys=(Fernet.generate_key().decode(),),
            database_url=f"sqlite:///{folder}/app.db",
            issuers=tuple(_issuer(case, gate) for case in CASES),
            signing_keys_file=keys,
            several_users_per_browser=True,
        )
    )
    heard = Heard()
    logging.getLogger("smartapp").addHandler(heard)
    app.start(made)
    try:
        yield Stage(app.url, gate, server, made.extensions[KEY], heard.lines)
    finally:
        logging.getLogger("smartapp").removeHandler(heard)
        for one in (app, front, records):
            one.stop()
        made.extensions[KEY].engine.dispose()
        engine.dispose()


class Heard(logging.Handler):
    """Keeps what the app says in its log."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def _issuer(case: Case, front: Front) -> Issuer:
    return Issuer(
        base=front.base(case),
        name=f"Keycloak, {case.name}",
        client_id=case.name,
        auth=case.auth,
        client_secret=SECRET if case.auth == "client_secret" else None,
        secret_as=case.secret_as,
        aliases=(INSIDE, front.sandbox.base) if case.name == "alias" else (),
    )


# ---- what is tried


def _try(stage: Stage, checks: Checks) -> None:
    opened = []
    for case in CASES:
        browser, page = _signed_in(stage, case, checks)
        if page is None:
            continue
        if case.role == "guest":
            # Their pages ask nothing of the FHIR server, so that their token is never renewed: while it lives.
            _signs_out(stage, case, browser, page, checks)
        else:
            opened.append((case, browser, page))
    time.sleep(TOKEN_SECONDS / 2)  # by now every token is too close to its end to be used
    for case, browser, page in opened:
        _goes_on(stage, case, browser, page, checks)
        _signs_out(stage, case, browser, page, checks)
    for case in CASES:
        refused = [one for one in stage.front.refusals if one.startswith(f"{case.name}:")]
        checks.that(case, not refused, f"the FHIR server refused {refused[:2]}")


class Cookies(requests.cookies.RequestsCookieJar):
    """Sends what is `Secure` to this machine over http too: all cookies of Keycloak are."""

    def set_cookie(self, cookie: Cookie, *args: Any, **kwargs: Any) -> None:
        """Keep a cookie."""
        cookie.secure = False
        super().set_cookie(cookie, *args, **kwargs)


def _browser() -> requests.Session:
    """Return a browser that takes this machine for a safe place, as people's browsers do."""
    browser = requests.Session()
    browser.cookies = Cookies()
    return browser


def _signed_in(stage: Stage, case: Case, checks: Checks) -> tuple[requests.Session, requests.Response | None]:
    """Sign in by Keycloak's page; return the browser and the first page, None where it did not come to that."""
    browser = _browser()
    asked = browser.get(f"{stage.url}/start", params={"iss": stage.front.base(case)}, allow_redirects=False, timeout=60)
    login = asked.headers.get("Location", "")
    query = parse_qs(urlsplit(login).query)
    pushed = set(query) == {"client_id", "request_uri"}
    wants = "pushed_authorization_request_endpoint" in case.offers
    checks.that(case, pushed == wants, f"the address that the browser is sent to has {sorted(query)}")
    shown = browser.get(login, timeout=60) if login else asked
    form = re.search(r'<form[^>]*id="kc-form-login"[^>]*action="([^"]+)"', shown.text)
    if form is None:
        checks.that(case, False, f"Keycloak shows no form: {shown.status_code} {_title(shown)}")
        return browser, None
    page = browser.post(html.unescape(form[1]), data={"username": USER, "password": PASSWORD}, timeout=60)
    if case.role == "guest":
        checks.that(case, page.status_code == 403 and case.why in page.text, f"a guest reads {_title(page)}")
        checks.that(case, any(case.why in one for one in stage.logged), "the log does not say why somebody is a guest")
    else:
        fits = page.status_code == 200 and urlsplit(page.url).netloc == urlsplit(stage.url).netloc
        checks.that(case, fits, f"after the sign-in: {page.status_code} {_title(page)} ({stage.logged[-1:]})")
    if not re.search(r"/l/[^/]+/", page.url):
        return browser, None
    launch = stage.core.launches.get(page.url.split("/l/")[1].split("/")[0])
    checks.that(
        case, launch is not None and launch.user.role == case.role, f"the role is {launch and launch.user.role}"
    )
    scheme = "DPoP" if "dpop.bound.access.tokens" in case.attributes else "Bearer"
    used = stage.front.schemes.get(case.name)
    checks.that(case, used == {scheme}, f"the token is shown as {used}, not as {scheme}")
    return browser, page


def _goes_on(stage: Stage, case: Case, browser: requests.Session, page: requests.Response, checks: Checks) -> None:
    """Open more pages when the token has to be renewed."""
    here = f"{stage.url}/l/{page.url.split('/l/')[1].split('/')[0]}"
    for path in ("overview/" if case.role == "clinician" else "plan/", "scores/"):
        answer = browser.get(f"{here}/{path}", timeout=60)
        checks.that(
            case, answer.status_code == 200, f"{path} after half the token: {answer.status_code} {_title(answer)}"
        )
    tokens = stage.front.seen.get(case.name, [])
    checks.that(case, len(tokens) >= 2, f"{len(tokens)} tokens were shown; one was to be renewed")


def _signs_out(stage: Stage, case: Case, browser: requests.Session, page: requests.Response, checks: Checks) -> None:
    """Sign out; Keycloak must know the session no more, which a token that is not bound can ask it."""
    tokens = stage.front.seen.get(case.name, [])
    asks = tokens and "dpop.bound.access.tokens" not in case.attributes
    before = _known(stage, tokens[-1]) if asks else None
    here = f"{stage.url}/l/{page.url.split('/l/')[1].split('/')[0]}"
    shown = browser.get(page.url, timeout=60).text
    form = re.search(r'<form[^>]*action="[^"]*/logout"[^>]*>(.*?)</form>', shown, re.DOTALL)
    hidden = dict(re.findall(r'name="(_\w+)" value="([^"]*)"', form[1] if form else ""))
    answer = browser.post(f"{here}/logout", data=hidden, headers={"Origin": stage.url}, timeout=60)
    left = browser.get(page.url, timeout=60)
    checks.that(
        case,
        answer.status_code == 200 and left.status_code == 404,
        f"signed out: {answer.status_code}, then {left.status_code}",
    )
    if asks:
        after = _known(stage, tokens[-1])
        checks.that(
            case, (before, after) == (200, 401), f"Keycloak answers {before} before signing out, and {after} after"
        )


def _known(stage: Stage, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(stage.server["userinfo_endpoint"], headers=headers, timeout=60).status_code


def _title(page: requests.Response) -> str:
    found = re.search(r"<title>(.*?)</title>", page.text, re.DOTALL)
    return " ".join(found[1].split())[:100] if found else page.text[:100]


if __name__ == "__main__":
    sys.exit(main())
