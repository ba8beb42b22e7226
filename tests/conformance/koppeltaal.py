"""Launches through the reference authorization service of Koppeltaal, which strangers wrote; the rest of the domain is
our stub (`tests/koppeltaal/domain.py`): the store, the portal, and the sign-in that it sends people to.

Its source is in no registry: the variable KOPPELTAAL_AUTHENTICATION_SERVICE names a checkout of
github.com/Koppeltaal/Koppeltaal-2.0-Authentication-Service. Run as `python -m tests.conformance.koppeltaal`.
Exit 0: all as it should be, 1: it is not, 3: there is no checkout, or its packages can't be had here.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import orjson
import requests
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from smartapp import create_app
from smartapp.courier import Courier
from smartapp.services import KEY, Services
from smartapp.settings import Issuer, Koppeltaal
from smartapp.smart.keys import ASSERTION_TYPE
from tests.conformance import strangers
from tests.conformance.validate import CACHE
from tests.koppeltaal.domain import KEYS, MODULE, Client, Domain, Refuse
from tests.koppeltaal.people import fill
from tests.smartapp.helpers import settings

SYSTEM: Final = "Koppeltaal's authorization service"
VARIABLE: Final = "KOPPELTAAL_AUTHENTICATION_SERVICE"
PASSED, FAILED, NOT_RUN = 0, 1, 3
START_SECONDS: Final = 60
WITHOUT: Final = frozenset({"python", "psycopg2"})
"""What its list of packages names and a SQLite database does not need."""
SEED: Final = """
import sys
from application import create_app
from application.database import db
from application.oauth_server.model import *
store, callback, module = sys.argv[1:]
app = create_app()
with app.app_context():
    role = Role(name="module")
    db.session.add(role)
    db.session.commit()
    reads = ("Patient", "Practitioner", "RelatedPerson", "CareTeam", "Task", "ActivityDefinition", "Device")
    rights = [(CrudOperation.READ, one) for one in reads]
    rights += [(CrudOperation.UPDATE, "Task"), (CrudOperation.CREATE, "AuditEvent")]
    for operation, type_ in rights:
        db.session.add(Permission(operation=operation, resource_type=type_, scope=PermissionScope.ALL, role_id=role.id))
    for name in (module, "portal-1"):
        service = SmartService(
            client_id=name, jwks_endpoint=f"{store}/keys/{name}", status=SmartServiceStatus.APPROVED,
            role_id=role.id, name=name, fhir_store_device_id=name,
        )
        db.session.add(service)
        db.session.commit()
        if name == module:
            db.session.add(AllowedRedirect(smart_service_id=service.id, url=callback))
            db.session.commit()
"""


class Behind(Domain):
    """The stub behind their service: it names their endpoints, and takes the tokens that they give."""

    service = ""

    def _configuration(self) -> dict[str, Any]:
        oauth = {name: f"{self.service}/oauth2/{name}" for name in ("authorize", "token", "introspect")}
        return {
            **super()._configuration(),
            "issuer": f"{self.service}/",
            "jwks_uri": f"{self.service}/.well-known/jwks.json",
            "authorization_endpoint": oauth["authorize"],
            "token_endpoint": oauth["token"],
            "introspection_endpoint": oauth["introspect"],
        }

    def _allowed(self, headers: dict[str, str]) -> Client:
        name = bearer(headers).get("azp", "")
        if name not in (MODULE, "service") or not headers.get("X-Trace-Id", "x"):
            raise Refuse(401)
        return Client(name, f"Device/{name}", dict)


def bearer(headers: dict[str, str]) -> dict[str, Any]:
    """Return what the token of a request says, {} where there is none that can be read."""
    try:
        claims = json.loads(base64.urlsafe_b64decode(headers["Authorization"].split(".")[1] + "=="))
    except (KeyError, IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


class World:
    """The domain on this machine: their service at one port, everything else of it at another, and the app."""

    def __init__(self, checkout: Path, python: Path, folder: Path) -> None:
        self.python, self.checkout, self.folder = python, checkout, folder
        self.store, self.service = (f"http://localhost:{free_port()}" for _ in range(2))
        self.base = f"{self.store}/fhir/r4"
        self.domain = Behind(time.time, reference=True, base=self.base, auth="http://localhost/none")
        self.domain.service = self.service
        self.domain.put({"resourceType": "Device", "id": "service", "status": "active"}, origin="")
        fill(self.domain)
        self.identity = ""
        keys = folder / "signing.json"
        signing = ECKey.generate_key("P-384", auto_kid=True).as_dict(private=True)
        keys.write_bytes(orjson.dumps({"keys": [signing]}))
        issuer = Issuer(
            base=self.base,
            name="Domain",
            client_id=MODULE,
            auth="private_key_jwt",
            key="domain",
            koppeltaal=Koppeltaal(device=f"Device/{MODULE}"),
        )
        self.app = create_app(settings(signing_keys_file=keys, issuers=(issuer,)))
        self.core: Services = self.app.extensions[KEY]

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Start both servers, and end them."""
        port = int(self.store.rpartition(":")[2])
        server = make_server("127.0.0.1", port, Request.application(self.answer), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.checkout),
            "PORT": self.service.rpartition(":")[2],
            "FHIR_CLIENT_SERVERURL": self.base,
            "AUTH_SERVER_ISS": f"{self.service}/",
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{self.folder / 'service.db'}",
            "IDP_AUTHORIZE_ENDPOINT": f"{self.store}/idp/auth",
            "IDP_TOKEN_ENDPOINT": f"{self.store}/idp/token",
            "IDP_AUTHORIZE_REDIRECT_URL": f"{self.service}/idp/oidc/code",
            "SMART_BACKEND_SERVICE_CLIENT_ID": "service",
            "SMART_BACKEND_SERVICE_DEVICE_ID": "service",
            "OIDC_SMART_CONFIG_TOKEN_ENDPOINT": f"{self.service}/oauth2/token",
        }
        seed = [str(self.python), "-c", SEED, self.store, "http://localhost/callback", MODULE]
        subprocess.run(seed, env=environment, cwd=self.checkout, check=True, capture_output=True)
        with (self.folder / "service.log").open("w") as log:
            command = [str(self.python), "entrypoint.py"]
            process = subprocess.Popen(command, env=environment, cwd=self.checkout, stdout=log, stderr=log)
            try:
                wait_for(f"{self.service}/.well-known/jwks.json")
                yield
            finally:
                process.terminate()
                process.wait()
                server.shutdown()

    def answer(self, request: Request) -> Response:
        """Answer what is not their service: keys, the sign-in of the domain, and its store."""
        if request.path == f"/keys/{MODULE}":
            return as_json(self.core.keys.public())
        if request.path.startswith("/keys/"):
            public = {**KEYS["portal"].as_dict(private=False), "use": "sig", "alg": "RS512"}
            return as_json({"keys": [public]})
        if request.path == "/idp/auth":
            back = urlencode({"code": "c", "state": request.args["state"]})
            return Response("", 302, {"Location": f"{request.args['redirect_uri']}?{back}"})
        if request.path == "/idp/token":
            key = OctKey.import_key("of-the-sign-in-that-is-a-stub-32")
            return as_json({"id_token": jwt.encode({"alg": "HS256"}, {"email": self.identity, "iss": "idp"}, key)})
        headers = dict(request.headers)
        theirs = bearer(headers).get("azp") == "service"
        if request.path.endswith("/Device/service") or (theirs and request.method == "POST"):
            return as_json(self.domain.now("Device/service"))  # it looks for itself, and tells its own log
        url = f"{self.store}{request.full_path.rstrip('?')}"
        status, more, body = self.domain.answer(request.method, url, headers, request.get_data())
        return Response(body, status, more, mimetype="application/fhir+json")

    def launch(self, user: str, *, identity: str = "", token: str = "", **claims: Any) -> str:
        """Launch as somebody and return where it ends: a page, or who refused it with which status or code."""
        self.identity = identity or self.domain.now(user)["identifier"][0]["value"]
        browser = self.app.test_client()
        said = {"resource": "Task/t1", "definition": "ActivityDefinition/hoop", "sub": user, **claims}
        if not user.startswith("Patient/"):
            said.setdefault("patient", "Patient/anna")
        form = {"launch": token or self.domain.hti(**said), "iss": self.base}
        url = browser.post("/launch", data=form).headers["Location"]
        while not url.startswith("http://localhost/callback"):
            answer = requests.get(url, allow_redirects=False, timeout=START_SECONDS)
            if answer.status_code != 302:
                return f"service {answer.status_code}"
            url = answer.headers["Location"]
        arrived = browser.get(url.removeprefix("http://localhost"))
        if arrived.status_code != 303:
            return [entry.reason for entry in self.core.audit.entries()][-1]
        launch_id, _, page = arrived.headers["Location"].removeprefix("/l/").partition("/")
        found = self.core.launches.get(launch_id)
        return f"{found.user.role if found else 'nobody'} at {page}"

    def introspected(self, token: str) -> bool:
        """Let their service introspect a token, as we do not; tell whether it was good."""
        assertion = self.core.keys.assertion(MODULE, f"{self.service}/oauth2/token", time.time)
        form = {"token": token, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        answer = requests.post(f"{self.service}/oauth2/introspect", data=form, timeout=START_SECONDS)
        return answer.json().get("active") is True


def checks(world: World) -> Iterator[tuple[str, Callable[[], object], object]]:
    """Yield what is tried, in this order: its name, what is done, and what must come of it."""
    hoop, over = "questionnaires/hoop/", int(time.time()) - 900
    yield "a client lands on the questionnaire of the task", lambda: world.launch("Patient/anna"), f"client at {hoop}"
    for user, ends in (
        ("Practitioner/els", "clinician at assignments/"),
        ("Practitioner/piet", "outside at overview/"),
        ("RelatedPerson/mila", "loved-one at loved-one/"),
    ):
        yield f"{user} comes in the role of the care team", lambda user=user: world.launch(user), ends
    yield "what is told waits for nothing", lambda: told(world), []
    statuses = ["ready", "in-progress"]
    yield "the task has begun", lambda: [one["status"] for one in world.domain.versions["Task/t1"]], statuses
    yield "each launch is in the log of the domain", lambda: len(world.domain.of_type("AuditEvent")), 4
    yield "a task of somebody else", lambda: world.launch("Patient/bram"), "koppeltaal-task-of-another"
    yield "another identity", lambda: world.launch("Patient/anna", identity="x@example.org"), "service 403"
    yield "a token for another module", lambda: world.launch("Patient/anna", aud="Device/other-1"), "service 400"
    times = {"iat": over, "nbf": over, "exp": over + 300}
    yield "a token that is over", lambda: world.launch("Patient/anna", **times), "service 400"
    token = world.domain.hti(resource="Task/t1", definition="ActivityDefinition/hoop", sub="Patient/anna")
    yield "a token is introspected", lambda: world.introspected(token), True
    yield "and opens nothing after that", lambda: world.launch("Patient/anna", token=token), "service 400"


def told(world: World) -> list[object]:
    """Let the courier come, and return what still waits."""
    Courier(world.core).round()
    return list(world.core.koppeltaal_writes.of("domain"))


def main() -> int:
    """Launch through their service and return the exit code."""
    checkout = Path(os.environ.get(VARIABLE, ""))
    if not os.environ.get(VARIABLE) or not (checkout / "entrypoint.py").is_file():
        return not_run(f"its source is in no registry: {VARIABLE} names no checkout of it")
    try:
        python = prepared(checkout)
    except (subprocess.CalledProcessError, OSError) as error:
        return not_run(f"its packages can't be had here ({type(error).__name__})")
    failed, of = [], 0
    with tempfile.TemporaryDirectory() as folder:
        world = World(checkout.resolve(), python, Path(folder))
        with world.running():
            for name, done, wanted in checks(world):
                came = done()
                of += 1
                print(f"  {'held  ' if came == wanted else 'FAILED'}  {name}: {came}")
                if came != wanted:
                    failed.append(f"{name}: {came}, not {wanted}")
        world.core.engine.dispose()
    version = head_of(checkout)
    note = "the store, the portal and the sign-in behind it are our stub of a domain"
    strangers.held(SYSTEM, of, failed, version=version, note=note)
    print(f"{of - len(failed)} of {of} hold, at {version}")
    return FAILED if failed else PASSED


def not_run(why: str) -> int:
    """Say why nothing was tried."""
    print(f"not run: {why}")
    strangers.missing(SYSTEM, f"{why}.")
    return NOT_RUN


def prepared(checkout: Path) -> Path:
    """Return a Python with the packages that their own list pins. Raises CalledProcessError or OSError."""
    wanted = tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))["tool"]["poetry"]["dependencies"]
    folder = CACHE / "koppeltaal-venv"
    python = (folder / "bin" / "python").absolute()
    if not python.exists():
        venv.create(folder, with_pip=True)
    pins = [f"{name}=={version}" for name, version in wanted.items() if name not in WITHOUT]
    subprocess.run([python, "-m", "pip", "install", "-q", *pins], check=True)
    return python


def head_of(checkout: Path) -> str:
    """Return which version of it this is, "" where it does not say so."""
    asked = ["git", "-C", str(checkout), "rev-parse", "--short=8", "HEAD"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else ""


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_for(url: str) -> None:
    """Wait until a server answers. Raises TimeoutError."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(requests.RequestException):
            requests.get(url, timeout=2)
            return
        time.sleep(0.2)
    raise TimeoutError(f"{url} does not answer")


def as_json(document: object) -> Response:
    """Return a document as the answer to a request."""
    return Response(json.dumps(document), mimetype="application/json")


if __name__ == "__main__":
    sys.exit(main())
