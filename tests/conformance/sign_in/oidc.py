"""Sign in at oidc-provider, an authorization server that strangers wrote, as each kind of client that the app can be.

With and without pushed requests (PAR), tokens bound to a key (DPoP) and nonces: a client signs in, reads, goes on after
the token has ended, writes and signs out; then what must be refused is. `jose` checks each proof at the FHIR server,
which passes on what is proven to the sandbox. Run as `python -m tests.conformance.sign_in.oidc`.
Exit 0: all as it should be, 1: it is not, 3: Node or the packages can't be had here.
"""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import requests
from joserfc.jwk import ECKey, KeySet, RSAKey

from smartapp.fhir.store import Write
from smartapp.sandbox.seeding import seed
from smartapp.sandbox.tickets import Grant
from smartapp.services import KEY
from smartapp.settings import DEFAULT_SCOPES, Issuer
from smartapp.smart.proofs import ProofKey
from smartapp.storage.launches import Launch
from tests.conformance import strangers
from tests.conformance.npm import MissingToolError, install, program, version
from tests.conformance.validate import CACHE
from tests.conftest import Server, serve

HERE: Final = Path(__file__).parent
SERVER: Final = "oidc-provider"
PERSON: Final = "noor"
SECRET: Final = "s3+cr/et==%:"
TOKEN_SECONDS: Final = 33
"""How long a token lasts: the app renews one that has less than 30 seconds left, so after four seconds."""
PATIENCE: Final = 60
PASSED, FAILED, NOT_RUN = 0, 1, 3

PROFILES: Final[Mapping[str, Mapping[str, object]]] = {
    "plain": {"par": "none", "dpop": "none", "nonces": False, "resource": "bearer"},
    "pushed": {"par": "required", "dpop": "none", "nonces": False, "resource": "bearer"},
    "bound": {"par": "offered", "dpop": "required", "nonces": False, "resource": "dpop"},
    "bound, with nonces": {"par": "required", "dpop": "required", "nonces": True, "resource": "dpop"},
    "bound, before a FHIR server that knows bearer tokens": {
        "par": "none",
        "dpop": "offered",
        "nonces": False,
        "resource": "bearer",
    },
}
TRAP: Final = "bound, before a FHIR server that knows bearer tokens"

CLIENTS: Final[Mapping[str, Mapping[str, object]]] = {
    "public": {"token_endpoint_auth_method": "none"},
    "secret-basic": {"token_endpoint_auth_method": "client_secret_basic", "client_secret": SECRET},
    "secret-post": {"token_endpoint_auth_method": "client_secret_post", "client_secret": SECRET},
    "key": {"token_endpoint_auth_method": "private_key_jwt"},
}
OURS: Final[Mapping[str, Mapping[str, Any]]] = {
    "public": {},
    "secret-basic": {"auth": "client_secret", "client_secret": SECRET},
    "secret-post": {"auth": "client_secret", "client_secret": SECRET, "secret_as": "post"},
    "key": {"auth": "private_key_jwt"},
}


@dataclass(frozen=True)
class Opened:
    """A launch that is open: at which profile and as which client, in words, and whether its tokens are to be bound."""

    what: str
    issuer: Issuer
    launch: Launch
    bound: bool


class Lines(logging.Handler):
    """Keeps what the app writes into its log."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.kept.append(record.getMessage())


@dataclass
class Checks:
    """What was looked at, one after another, and what was not as it should be."""

    of: int = 0
    failed: list[str] = field(default_factory=list)

    def holds(self, what: str, held: object, found: object = "") -> None:
        """Note whether something held."""
        self.of += 1
        if not held:
            self.failed.append(f"{what}{f': {found}' if found else ''}"[:300])

    def status(self, what: str, url: str, headers: Mapping[str, str], wanted: int) -> None:
        """Note whether a request gets the status that it should."""
        answer = requests.get(url, headers=dict(headers), timeout=PATIENCE)
        self.holds(what, answer.status_code == wanted, answer.status_code)

    @contextlib.contextmanager
    def noted(self, what: str) -> Iterator[None]:
        """Note whether a block goes well, whatever it raises."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  (each is what failed)
            self.holds(what, held=False, found=f"{type(error).__name__} {error}")
        else:
            self.holds(what, held=True)


def main() -> int:
    """Sign in as each kind of client at each kind of server, and say what was not as it should be."""
    try:
        program("node")
        folder = CACHE / "sign-in"
        install(HERE / SERVER, folder)
    except MissingToolError as missing:
        print(f"nobody signed in: {missing}")
        strangers.missing(SERVER, missing)
        return NOT_RUN
    (folder / "server.mjs").write_bytes((HERE / SERVER / "server.mjs").read_bytes())
    checks, lines = Checks(), Lines()
    logging.getLogger().addHandler(lines)
    logging.getLogger().setLevel(logging.INFO)
    with tempfile.TemporaryDirectory() as kept:
        for algorithm, key in (
            ("ES384", ECKey.generate_key("P-384", auto_kid=True)),
            ("RS384", RSAKey.generate_key(3072, auto_kid=True)),
        ):
            keys = Path(kept) / f"{algorithm}.json"
            keys.write_text(json.dumps(KeySet([key]).as_dict(private=True)), encoding="utf-8")
            for server in serve(signing_keys_file=keys):
                seed(server.sandbox, datetime.now(UTC), only=[PERSON])
                with running(folder, _job(server, algorithm)) as addresses:
                    clients = tuple(CLIENTS) if algorithm == "ES384" else ("key",)
                    issuers = {
                        (profile, client): _issuer(address, client, **({"dpop": "off"} if profile == TRAP else {}))
                        for profile, address in addresses.items()
                        for client in clients
                    }
                    _know(server, issuers.values())
                    opened = list(_signed_in(checks, server, issuers, algorithm))
                    time.sleep(TOKEN_SECONDS - 29)
                    for one in opened:
                        _goes_on(checks, server, one)
                    if algorithm == "ES384":
                        _refused(checks, server, addresses, lines)
    for complaint in checks.failed:
        print(complaint)
    print(f"sign-in: {checks.of} checks at {SERVER}: {len(checks.failed)} complaints")
    strangers.held(SERVER, checks.of, checks.failed, version=version(HERE / SERVER, SERVER))
    return FAILED if checks.failed else PASSED


def _job(server: Server, algorithm: str) -> dict[str, Any]:
    """Return what the strangers' server has to know of us, as an operator would register us there."""
    # The set that we publish, handed over: this server asks for one over https only.
    ours = requests.get(f"{server.url}/.well-known/jwks.json", timeout=PATIENCE).json()
    of_a_key = {"jwks": ours, "token_endpoint_auth_signing_alg": algorithm}
    return {
        "profiles": PROFILES,
        "redirect": f"{server.url}/callback",
        "clients": [
            {"client_id": name, **known, **(of_a_key if name == "key" else {})} for name, known in CLIENTS.items()
        ],
        "scopes": [scope for scope in DEFAULT_SCOPES.split() if scope not in ("openid", "fhirUser", "offline_access")],
        "fhirUser": f"Patient/{PERSON}",
        "account": "account-1",
        "patient": PERSON,
        "seconds": TOKEN_SECONDS,
        "upstream": server.base,
        "upstreamToken": server.sandbox.tickets.token(
            Grant("verstel", "system/*.cruds", None, None, "run"), "access", 3600
        ),
    }


@contextlib.contextmanager
def running(folder: Path, job: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Start the strangers' server and yield where each profile of it is; it ends with its standard input."""
    said = folder / "server.log"
    with said.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [program("node"), "server.mjs"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{json.dumps(job)}\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if not line.startswith("ready "):
                raise RuntimeError(f"{SERVER} did not start:\n{said.read_text('utf-8')[-2000:]}")
            addresses: dict[str, str] = json.loads(line.removeprefix("ready "))
            yield addresses
        finally:
            process.stdin.close()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


def _issuer(address: str, client: str, at: str = "", **changes: Any) -> Issuer:
    """Return a profile of the strangers' server as the settings of an app have it; `at` makes its address its own."""
    base = f"{address}/fhir/{client}{at}"
    return Issuer(**{"base": base, "name": "Stranger", "client_id": client, **OURS[client], **changes})


def _know(server: Server, issuers: Iterable[Issuer]) -> None:
    """Let the settings of the running app know these issuers."""
    core = server.app.extensions[KEY]
    core.settings = replace(core.settings, issuers=tuple(issuers))


def _open(server: Server, issuer: Issuer) -> requests.Response:
    """Open the app as an EHR does, and follow every redirect as a browser does."""
    with requests.Session() as browser:
        query = urlencode({"iss": issuer.base, "launch": "chart-7"})
        return browser.get(f"{server.url}/launch?{query}", timeout=PATIENCE)


def _launch(server: Server, page: requests.Response) -> Launch | None:
    parts = urlsplit(page.url).path.split("/")
    if page.status_code != 200 or len(parts) < 3 or parts[1] != "l":
        return None
    found: Launch | None = server.app.extensions[KEY].launches.get(parts[2])
    return found


def _signed_in(
    checks: Checks, server: Server, issuers: Mapping[tuple[str, str], Issuer], algorithm: str
) -> Iterator[Opened]:
    """Sign in at each, and yield what is open then."""
    for (profile, client), issuer in issuers.items():
        what = f"{profile}, {client}{f' ({algorithm})' if client == 'key' else ''}"
        page = _open(server, issuer)
        launch = _launch(server, page)
        checks.holds(f"{what}: signs in", launch, f"{page.status_code} at {urlsplit(page.url).path}")
        if launch is None:
            continue
        named, tokens = launch.patient.display, server.app.extensions[KEY].tokens.find(launch.id)
        bound = PROFILES[profile]["resource"] == "dpop"
        checks.holds(f"{what}: reads who it is", named.startswith("Noor"), named or "no name")
        checks.holds(f"{what}: has tokens of that kind", tokens is not None and tokens.bound == bound)
        yield Opened(what, issuer, launch, bound)


def _goes_on(checks: Checks, server: Server, opened: Opened) -> None:
    """Go on after the token has ended: write, read and sign out."""
    core, launch, what = server.app.extensions[KEY], opened.launch, opened.what
    before, ehr = core.tokens.find(launch.id), core.ehr(launch)
    goal = {
        "resourceType": "Goal",
        "lifecycleStatus": "proposed",
        "description": {"text": what},
        "subject": {"reference": launch.patient.reference},
    }
    with checks.noted(f"{what}: writes and reads with a token that was renewed"):
        id = ehr.write(Write("create", goal)).resource["id"]
        read = [ehr.read("Goal", id).resource["description"]["text"] for _ in range(4)]
        assert read == [what] * 4, read
    after = core.tokens.find(launch.id)
    renewed = before is not None and after is not None and before.access != after.access
    checks.holds(f"{what}: renews its token", renewed)
    if after is None:
        return
    url = f"{opened.issuer.base}/Patient/{PERSON}"

    def shown() -> dict[str, str]:
        prover = core.tokens.prover(opened.issuer, after)
        return dict(prover.headers("GET", url, after.access)) if prover else {"Authorization": f"Bearer {after.access}"}

    checks.status(f"{what}: the token opens", url, shown(), 200)
    if opened.bound:
        proof = ProofKey.new().proof("GET", url, time.time(), token=after.access)
        stolen = f"{what}: a token that was stolen is refused"
        checks.status(f"{stolen} as a bearer token", url, {"Authorization": f"Bearer {after.access}"}, 401)
        checks.status(f"{stolen} without a proof", url, {"Authorization": f"DPoP {after.access}"}, 401)
        checks.status(f"{stolen} with another key", url, {"Authorization": f"DPoP {after.access}", "DPoP": proof}, 401)
    core.end_session(launch.session_id)
    checks.status(f"{what}: after signing out the token opens nothing", url, shown(), 401)


def _refused(checks: Checks, server: Server, addresses: Mapping[str, str], lines: Lines) -> None:
    """Try what must end in a refusal, with its own code in the log."""
    wanted: tuple[tuple[str, str, str, dict[str, Any], str], ...] = (
        ("a FHIR server that knows no proofs", TRAP, "public", {}, "dpop-not-taken"),
        ("bearer tokens where they must be bound", "plain", "public", {"dpop": "required"}, "token-not-dpop"),
        ("no proof where tokens must be bound", "bound", "public", {"dpop": "off"}, "token-invalid_grant"),
        ("nothing pushed where all must be", "pushed", "public", {"par": "off"}, "par-required"),
        ("nowhere to push where all must be", "plain", "public", {"par": "required"}, "par-not-offered"),
        ("a secret that is not encoded", "plain", "secret-basic", {"secret_as": "basic-raw"}, "token-invalid_request"),
        ("a wrong secret", "plain", "secret-post", {"client_secret": "x"}, "token-invalid_client"),
        ("a wrong secret with what is pushed", "pushed", "secret-post", {"client_secret": "x"}, "par-invalid_client"),
    )
    for number, (what, profile, client, changes, code) in enumerate(wanted):
        issuer = _issuer(addresses[profile], client, f"-{number}", **changes)
        _know(server, [issuer])
        lines.kept.clear()
        page = _open(server, issuer)
        told = [line for line in lines.kept if line.startswith(f"{page.status_code} ")]
        checks.holds(f"{what}: refused as {code}", told == [f"{page.status_code} {code}"], told or page.status_code)
    for profile, address in addresses.items():
        told_there: dict[str, int] = requests.get(f"{address}/told", timeout=PATIENCE).json()
        checks.holds(f"{profile}: aud was as launched", not told_there.get("aud of another"), told_there)
        if PROFILES[profile]["nonces"]:
            checks.holds(f"{profile}: nonces were asked for", told_there.get("refused: use_dpop_nonce"), told_there)


if __name__ == "__main__":
    sys.exit(main())
