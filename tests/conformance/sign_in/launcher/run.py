"""Walk the launches that the SMART launcher offers: from a chart, from a portal, standalone, and its errors on demand.

The launcher (smart-on-fhir/smart-launcher-v2) is in no package registry, so it can't be got here. Where the variable
VERSTEL_LAUNCHER names the folder of a checkout, it is started and walked; else a stub of ours is, and this part says
that the launcher itself was not there. Run as `python -m tests.conformance.sign_in.launcher.run`. Exit 0: the launcher
was walked and all held, 1: something did not hold, 3: only the stub was walked.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
import requests
from joserfc.jwk import ECKey, KeySet
from werkzeug.wrappers import Request, Response

from smartapp.sandbox import Sandbox
from smartapp.sandbox.seeding import seed
from smartapp.sandbox.tickets import Grant
from smartapp.services import KEY
from smartapp.settings import Issuer
from smartapp.storage.launches import Launch
from tests.conformance import strangers
from tests.conformance.npm import MissingToolError, install, program
from tests.conformance.sign_in.launcher.flows import CLIENT_ID, FLOWS, PATIENT, Flow
from tests.conformance.sign_in.launcher.stub import Stub
from tests.conftest import Running, Server, port_of_ours, serve

HERE: Final = Path(__file__).parent
CACHE: Final = Path(".cache/conformance/launcher")
SYSTEM: Final = "SMART launcher"
START_SECONDS: Final = 120
PATIENCE: Final = 60
PASSED, FAILED, NOT_RUN = 0, 1, 3


def main() -> int:
    """Walk each flow, and say what did not hold and who answered."""
    folder = os.environ.get("VERSTEL_LAUNCHER", "")
    try:
        checks, failed = _walked(Path(folder) if folder else None)
    except MissingToolError as missing:
        print(f"the SMART launcher was not asked: {missing}")
        strangers.missing(SYSTEM, missing)
        return NOT_RUN
    for complaint in failed:
        print(complaint)
    who = "the SMART launcher" if folder else "a stub of ours: the launcher itself was not there"
    print(f"{len(FLOWS)} flows of the SMART launcher, {checks} checks, {len(failed)} complaints; answered by {who}")
    if folder:
        package = json.loads((Path(folder) / "package.json").read_text("utf-8"))
        strangers.held(SYSTEM, checks, failed, version=str(package.get("version", "")))
        return FAILED if failed else PASSED
    held = f"{checks - len(failed)} of {checks} checks held there"
    strangers.missing(SYSTEM, f"it is in no package registry. Its flows were walked at a stub of ours: {held}.")
    return FAILED if failed else NOT_RUN


def _walked(launcher: Path | None) -> tuple[int, list[str]]:
    """Return how many checks there were, and those that did not hold. Raises MissingToolError."""
    key = ECKey.generate_key("P-384", {"use": "sig", "alg": "ES384"}, auto_kid=True)
    public = json.dumps(KeySet([key]).as_dict(private=False))
    upstream, front = Running(), Running()
    with tempfile.TemporaryDirectory() as temporary, port_of_ours() as port:
        url = f"http://127.0.0.1:{port}" if launcher else front.url
        keys = Path(temporary) / "keys.json"
        keys.write_bytes(orjson.dumps(KeySet([key]).as_dict(private=True)))
        issuers = {_base(url, flow, public): _issuer(url, flow, public) for flow in FLOWS}
        settings = {"issuers": tuple(issuers.values()), "signing_keys_file": keys, "several_users_per_browser": True}
        for server in serve(**settings):
            seed(server.sandbox, datetime.now(UTC), only=[PATIENT])
            records = Open(server.sandbox)
            upstream.start(records)
            try:
                with _answered_by(launcher, url, upstream.url, front, records):
                    lines = [line for flow in FLOWS for line in _complaints(server, url, flow, public)]
            finally:
                upstream.stop()
    return sum(4 if flow.opens else 2 for flow in FLOWS), lines


class Open:
    """The sandbox's records for whoever asks: who may ask is for the launcher to say."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __call__(self, environ: object, start_response: object) -> object:
        request = Request(environ)  # type: ignore[arg-type]
        return self.answer(request, request.path.strip("/"))(environ, start_response)  # type: ignore[arg-type]

    def answer(self, request: Request, path: str) -> Response:
        """Answer for a path below the base."""
        grant = Grant("verstel", "system/*.crus", None, None, str(uuid.uuid4()))
        names = ("Accept", "Content-Type", "Prefer", "If-Match", "If-None-Match", "If-None-Exist")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        headers["Authorization"] = f"Bearer {self._sandbox.tickets.token(grant, 'access', 300)}"
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        address = f"{self._sandbox.base}/{path}{query}".rstrip("/")
        sent = {"headers": headers, "data": request.get_data() or None, "timeout": PATIENCE}
        answer = requests.request(request.method, address, **sent)  # type: ignore[arg-type]
        kept = {name: answer.headers[name] for name in ("Content-Type", "ETag") if name in answer.headers}
        return Response(answer.content, answer.status_code, kept)


@contextlib.contextmanager
def _answered_by(launcher: Path | None, url: str, upstream: str, front: Running, records: Open) -> Iterator[None]:
    """Start the launcher at this address before these records, or the stub; end it after the block."""
    if launcher is None:
        front.start(Stub(url, records.answer))
        try:
            yield
        finally:
            front.stop()
        return
    modules = install(HERE, CACHE)
    env = {
        **os.environ,
        "HOST": "127.0.0.1",
        "PORT": str(urlsplit(url).port),
        "FHIR_SERVER_R2": "",
        "FHIR_SERVER_R3": "",
        "FHIR_SERVER_R4": upstream,
        "SECRET": "only for conformance",
        "NODE_ENV": "production",
        "NODE_PATH": str(modules.resolve()),
    }
    tool = str(modules.resolve() / "ts-node" / "dist" / "bin.js")
    command = [program("node"), tool, "--skipProject", "--transpile-only", "backend/index.ts"]
    log = CACHE / "launcher.log"
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(command, cwd=launcher, env=env, stdout=said, stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + START_SECONDS
            while not _is_up(url):
                if time.monotonic() > end or process.poll() is not None:
                    raise MissingToolError(f"it did not start: {log.read_text('utf-8')[-600:]}")
                time.sleep(0.3)
            yield
        finally:
            process.kill()
            process.wait()


def _is_up(url: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{url}/v/r4/fhir/.well-known/smart-configuration", timeout=PATIENCE).status_code == 200
    return False


def _base(url: str, flow: Flow, public: str) -> str:
    return f"{url}/v/r4/fhir" if flow.from_chart else f"{url}/v/r4/sim/{flow.code(public)}/fhir"


def _issuer(url: str, flow: Flow, public: str) -> Issuer:
    return Issuer(
        base=_base(url, flow, public),
        name=flow.name,
        client_id=CLIENT_ID,
        auth=flow.auth,
        client_secret=flow.secret or None,
        secret_as=flow.secret_as,
    )


# ---- one flow


def _complaints(server: Server, url: str, flow: Flow, public: str) -> Iterator[str]:
    """Yield what does not hold of one flow."""
    core = server.app.extensions[KEY]
    base, browser = _base(url, flow, public), requests.Session()
    if flow.from_chart:
        query = {"iss": base, "launch": flow.code(public)}
        page = browser.get(f"{server.url}/launch", params=query, timeout=PATIENCE)
    else:
        page = browser.get(f"{server.url}/start", params={"iss": base}, timeout=PATIENCE)
    shown = []
    while urlsplit(page.url).path in _SCREENS and len(shown) < len(_SCREENS):
        shown.append(urlsplit(page.url).path)
        page = _passed(browser, page.url)
    launch: Launch | None = None
    if "/l/" in page.url:
        launch = core.launches.get(page.url.split("/l/")[1].split("/")[0])
    if (launch is not None) != flow.opens:
        came = "no launch" if flow.opens else "a launch"
        yield f"{flow.name}: {came} came of it: {page.status_code} {page.text[:200]!r}"
    if launch is not None and (launch.user.role, launch.patient_id) != (flow.role, PATIENT):
        yield f"{flow.name}: it is about {launch.patient_id}, and the user is {launch.user.role}"
    if launch is not None:
        of_role = "overview/" if flow.role == "clinician" else "plan/"
        second = browser.get(f"{server.url}/l/{launch.id}/{of_role}", timeout=PATIENCE)
        if (page.status_code, second.status_code) != (200, 200):
            yield f"{flow.name}: the first page answers {page.status_code}, {of_role} {second.status_code}"
    if flow.screens != bool(shown):
        yield f"{flow.name}: it showed {shown}"


_SCREENS: Final = {
    "/patient-login": "login_success",
    "/provider-login": "login_success",
    "/authorize-app": "auth_success",
}


def _passed(browser: requests.Session, address: str) -> requests.Response:
    """Do what the launcher's page does when its button is pressed: go back to the authorization endpoint."""
    parts = urlsplit(address)
    asked = dict(parse_qsl(parts.query)) | {_SCREENS[parts.path]: "1", "patient": PATIENT}
    endpoint = asked["aud"].removesuffix("/fhir") + "/auth/authorize"
    return browser.get(f"{endpoint}?{urlencode(asked)}", timeout=PATIENCE)


if __name__ == "__main__":
    sys.exit(main())
