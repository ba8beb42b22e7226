"""The rows of SMART App Launch 2.2 that Inferno's client suite tests, by their numbers, for each kind of client.

One sign-in from a chart, one from outside, a refresh and the reads of a record are recorded per kind of client; of a
backend service two tokens and a read. Each row is a check of such a recording. A check that a bad recording passes
would prove nothing, so each is tried on one in which all is wrong, too. It is not Inferno itself (which is Ruby), and
no sentence of it is here.
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import orjson
import pytest
import responses
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from smartapp import create_app
from smartapp.fhir.remote import RemoteStore
from smartapp.services import KEY as SERVICES
from smartapp.settings import Issuer
from smartapp.smart.backend import BackendToken
from smartapp.smart.keys import ASSERTION_TYPE, SigningKeys
from tests.smartapp.helpers import settings
from tests.smartapp.smart.ehr import APP, AUTH, BASE, HOSTS, NOW, Browser, Clock, Ehr

ROWS: Final[Mapping[str, Mapping[str, str]]] = tomllib.loads(
    (Path(__file__).parents[2] / "data/inferno/requirements.toml").read_text("utf-8")
)["rows"]
CASES: Final = [(number, kind) for number, row in ROWS.items() for kind in row["clients"].split()]
ID: Final = "verstel"
SECRET: Final = "a b+c/d=e%f:g"
SCOPE: Final = "system/Patient.rs"
SAID_IN_THE_ASSERTION: Final = ("233", "317", "323", "327", "328", "329", "330", "332")
TOKEN_URL: Final = f"{AUTH}/token"
FOREIGN: Final = "https://elsewhere.example/fhir/Organization/1"


@dataclass(frozen=True)
class Sent:
    """A request to the token endpoint."""

    url: str
    form: Mapping[str, str]
    authorization: str = ""

    @property
    def basic(self) -> tuple[str, str]:
        """Return the two halves of Basic, as RFC 6749 2.3.1 has them; "" twice where there is none."""
        scheme, _, rest = self.authorization.partition(" ")
        first, _, second = base64.b64decode(rest).decode().partition(":") if scheme == "Basic" else ("", "", "")
        return unquote(first), unquote(second)


@dataclass(frozen=True)
class Recorded:
    """What a kind of client sent: its authorization requests, its token requests, and what it asked with the tokens."""

    kind: str
    chart: Mapping[str, str] = field(default_factory=dict)
    outside: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[tuple[str, Sent], ...] = ()
    """Each code that came back, with the request that traded it."""
    refresh: Sent | None = None
    backend: tuple[Sent, ...] = ()
    jwks: Mapping[str, Any] = field(default_factory=dict)
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The rules of our own addresses that are to be registered, by name."""
    used: tuple[tuple[str, str], ...] = ()
    """Where a token was shown, and which."""

    @property
    def authorizations(self) -> tuple[Mapping[str, str], ...]:
        return (self.chart, self.outside)

    @property
    def sent(self) -> tuple[Sent, ...]:
        """Return every token request."""
        return (*(one for _code, one in self.codes), *((self.refresh,) if self.refresh else ()), *self.backend)

    @property
    def assertions(self) -> list[jwt.Token]:
        """Return what each token request is proved with, checked with the published keys. Raises JoseError."""
        keys = KeySet.import_key_set({"keys": self.jwks["keys"]})
        return [jwt.decode(one.form.get("client_assertion", ""), keys, algorithms=["ES384"]) for one in self.sent]


# ---- the recordings


def recorded(kind: str, folder: Path) -> Recorded:
    """Return what this kind of client sends."""
    key = ECKey.generate_key("P-384", auto_kid=True)
    file = folder / f"{kind}.json"
    file.write_bytes(orjson.dumps(KeySet([key]).as_dict(private=True)))
    auth = {"public": "public", "secret": "client_secret", "key": "private_key_jwt"}.get(kind, "private_key_jwt")
    issuer = Issuer(
        base=BASE,
        name="E",
        client_id=ID,
        hosts=HOSTS,
        auth=auth,  # type: ignore[arg-type]
        client_secret=SECRET if kind == "secret" else None,
    )
    clock = Clock()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        ehr = Ehr(mock, clock)
        ehr.records["Patient/anna"]["managingOrganization"] = {"reference": FOREIGN}
        app = create_app(settings(public_url=APP, issuers=(issuer,), signing_keys_file=file), clock=clock)
        browser = Browser(app.test_client(), ehr)
        rules = {
            name: tuple(one.rule for one in app.url_map.iter_rules(f"sign_in.{name}"))
            for name in ("launch", "callback")
        }
        made = Recorded(kind, addresses=rules, jwks=browser.get("/.well-known/jwks.json").get_json())
        made = _backend(made, mock, clock) if kind == "backend" else _app(made, browser, app.extensions[SERVICES])
        used = tuple(
            (call.request.url, call.request.headers["Authorization"])
            for call in mock.calls
            if not call.request.url.startswith(AUTH) and "Authorization" in call.request.headers
        )
        app.extensions[SERVICES].engine.dispose()
    return replace(made, used=used)


def _app(made: Recorded, browser: Browser, core: Any) -> Recorded:
    chart = browser.begin(f"/launch?iss={BASE}&launch=chart-7")
    assert browser.finish(chart, "code-1").status_code == 303
    outside = browser.begin(f"/start?iss={BASE}")
    response = browser.finish(outside, "code-2")
    launch = core.launches.get(response.headers["Location"].split("/")[2])
    core.ehr(launch).read("Patient", "anna")
    browser.ehr.clock.now += 280  # the token is as good as over
    core.ehr(launch).read("Patient", "anna")
    first, second, refresh = map(_sent, browser.ehr.calls("/token"))
    return replace(made, chart=chart, outside=outside, codes=(("code-1", first), ("code-2", second)), refresh=refresh)


def _backend(made: Recorded, mock: responses.RequestsMock, clock: Clock) -> Recorded:
    key = ECKey.generate_key("P-384", auto_kid=True)
    token = BackendToken(BASE, ID, SigningKeys(KeySet([key])), SCOPE, clock=clock)
    mock.replace("POST", TOKEN_URL, json={"access_token": "access-9"})
    RemoteStore(BASE, token).read("Patient", "anna")
    token("access-9")  # refused there: another one is asked for
    calls = [_sent(call.request) for call in mock.calls if call.request.url == TOKEN_URL]
    return replace(made, backend=tuple(calls), jwks=SigningKeys(KeySet([key])).public())


def _sent(request: Any) -> Sent:
    return Sent(request.url, dict(parse_qsl(request.body)), request.headers.get("Authorization", ""))


def spoilt(good: Recorded) -> Recorded:
    """Return a recording in which all is wrong: what is to be there is not, and what is not to be there is."""
    proof = "" if good.kind == "secret" else f"Basic {base64.b64encode(b'x:y').decode()}"
    bad = Sent("https://evil.example/token", {"client_assertion": "e30.e30.e30"}, proof)
    return Recorded(
        good.kind,
        chart={"redirect_uri": "https://evil.example", "launch": "another"},
        outside={"launch": "another"},
        codes=(("code-1", bad), ("code-2", bad)),
        refresh=bad,
        backend=(bad, bad),
        jwks={"keys": [{"kty": "oct", "k": "A" * 43, "kid": "x", "alg": "HS256"}]},
        addresses={"launch": ("/launch/<chart>",), "callback": ("/callback", "/callback/<any>")},
        used=(("https://evil.example/fhir/Patient/anna", "Bearer access-1"),),
    )


def misstated(good: Recorded) -> Recorded:
    """Return a recording in which each assertion is signed by a published key, and says what it must not say."""
    key = ECKey.generate_key("P-384", auto_kid=True)
    claims = {"iss": "other", "sub": "other", "aud": BASE, "iat": NOW, "exp": NOW + 301, "jti": "the same"}
    assertion = jwt.encode({"alg": "ES384", "kid": key.kid, "typ": "at+jwt"}, claims, key, algorithms=["ES384"])
    bad = Sent(TOKEN_URL, {"client_assertion": assertion})
    return replace(
        spoilt(good),
        codes=(("code-1", bad), ("code-2", bad)),
        refresh=bad,
        backend=(bad, bad),
        jwks={"keys": [key.as_dict(private=False)]},
    )


# ---- the checks

Check = Callable[[Recorded], bool]
CHECKS: dict[str, Check] = {}


def row(*numbers: int) -> Callable[[Check], Check]:
    def named(check: Check) -> Check:
        CHECKS.update({str(number): check for number in numbers})
        return check

    return named


def _each(name: str, value: str | None = None) -> Check:
    """Return a check that every authorization request has a parameter, of this value where one is given."""
    return lambda it: all(one.get(name) and value in (None, one[name]) for one in it.authorizations)


CHECKS |= {
    "32": _each("response_type", "code"),
    "33": _each("client_id", ID),
    "34": _each("redirect_uri", f"{APP}/callback"),
    "41": _each("aud", BASE),
    "42": _each("aud"),
    "44": _each("code_challenge"),
    "45": _each("code_challenge_method", "S256"),
}


@row(3)
def _state(it: Recorded) -> bool:
    states = {one.get("state", "") for one in it.authorizations}
    return "" not in states and len(states) == len(it.authorizations)


@row(11, 64, 229)
def _proves_itself(it: Recorded) -> bool:
    return all(one.basic == (ID, SECRET) if it.kind == "secret" else _assertion(one, it) for one in it.sent)


@row(12, 63)
def _proves_nothing(it: Recorded) -> bool:
    proofs = {"client_secret", "client_assertion", "client_assertion_type"}
    return not any(one.authorization or proofs & set(one.form) for one in it.sent)


@row(13, 70)
def _pkce(it: Recorded) -> bool:
    def fits(asked: Mapping[str, str], sent: Sent) -> bool:
        digest = hashlib.sha256(sent.form.get("code_verifier", "").encode()).digest()
        return asked.get("code_challenge") == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    return all(fits(asked, sent) for asked, (_code, sent) in zip(it.authorizations, it.codes, strict=True))


@row(20)
def _launch_address(it: Recorded) -> bool:
    return it.addresses["launch"] == ("/launch",)


@row(21)
def _redirect_address(it: Recorded) -> bool:
    return it.addresses["callback"] == ("/callback",)


@row(22, 293)
def _keys_prove(it: Recorded) -> bool:
    kids = {one.get("kid") for one in it.jwks["keys"]}
    return all(_assertion(one, it) for one in it.sent) and {one.header["kid"] for one in it.assertions} <= kids


@row(23, 66)
def _secret(it: Recorded) -> bool:
    return all(one.basic == (ID, SECRET) for one in it.sent)


@row(35)
def _launch(it: Recorded) -> bool:
    return it.chart.get("launch") == "chart-7" and "launch" not in it.outside


@row(37)
def _scope(it: Recorded) -> bool:
    chart, outside = (one.get("scope", "").split() for one in it.authorizations)
    named = all({"openid", "fhirUser", "patient/Patient.rs"} <= set(one) for one in (chart, outside))
    return named and "launch" in chart and "launch/patient" in outside


@row(65, 238, 334)
def _signed(it: Recorded) -> bool:
    return all(_assertion(one, it) for one in it.sent)


@row(67)
def _code_grant(it: Recorded) -> bool:
    return all(one.form.get("grant_type") == "authorization_code" for _code, one in it.codes)


@row(68)
def _code(it: Recorded) -> bool:
    return all(one.form.get("code") == code for code, one in it.codes)


@row(69)
def _same_redirect(it: Recorded) -> bool:
    pairs = zip(it.authorizations, it.codes, strict=True)
    return all(one.form.get("redirect_uri") == asked.get("redirect_uri", "none") for asked, (_code, one) in pairs)


@row(71)
def _client_id_in_form(it: Recorded) -> bool:
    return all(one.form.get("client_id") == ID for one in it.sent)


@row(105)
def _refresh_grant(it: Recorded) -> bool:
    form = it.refresh.form if it.refresh else {}
    return form.get("grant_type") == "refresh_token" and form.get("refresh_token") == "refresh-2"


@row(233, 332)
def _used_once(it: Recorded) -> bool:
    if not all(_assertion(one, it) for one in it.sent):
        return False
    names = [one.claims.get("jti", "") for one in it.assertions]
    return all(names) and len(set(names)) == len(names) > 1


@row(235)
def _backend_scope(it: Recorded) -> bool:
    return all(one.form.get("scope") == SCOPE for one in it.backend)


@row(236)
def _backend_grant(it: Recorded) -> bool:
    return all(one.form.get("grant_type") == "client_credentials" for one in it.backend)


@row(237, 333)
def _assertion_type(it: Recorded) -> bool:
    return all(one.form.get("client_assertion_type") == ASSERTION_TYPE for one in it.sent)


@row(267)
def _only_there(it: Recorded) -> bool:
    given = {"Bearer access-1", "Bearer access-2", "Bearer access-3", "Bearer access-9"}
    return bool(it.used) and all(url.startswith(f"{BASE}/") and token in given for url, token in it.used)


@row(294)
def _public_jwks(it: Recorded) -> bool:
    keys = it.jwks["keys"]
    return bool(keys) and all(one["kty"] == "EC" and {"crv", "x", "y"} <= set(one) and "d" not in one for one in keys)


@row(317)
def _assigned_id(it: Recorded) -> bool:
    match it.kind:
        case "public":
            return all(one.form.get("client_id") == ID for one in it.sent)
        case "secret":
            return all(one.basic[0] == ID for one in it.sent)
        case _:
            return all(_assertion(one, it) == {"iss": ID, "sub": ID} for one in it.sent)


@row(323)
def _typ(it: Recorded) -> bool:
    return all(_assertion(one, it) for one in it.sent) and all(one.header["typ"] == "JWT" for one in it.assertions)


def _claims(name: str, fits: Callable[[Any], bool]) -> Check:
    """Return a check that every assertion has a claim that fits."""
    return lambda it: (
        all(_assertion(one, it) for one in it.sent) and all(fits(one.claims.get(name)) for one in it.assertions)
    )


CHECKS |= {
    "327": _claims("iss", lambda value: value == ID),
    "328": _claims("sub", lambda value: value == ID),
    "329": _claims("aud", lambda value: value == TOKEN_URL),
}


@row(330)
def _short_lived(it: Recorded) -> bool:
    if not all(_assertion(one, it) for one in it.sent):
        return False
    return all(0 < one.claims["exp"] - one.claims["iat"] <= 300 for one in it.assertions)


def _assertion(sent: Sent, it: Recorded) -> dict[str, str]:
    """Return who an assertion says it is of, {} for one that is missing or that no published key signed."""
    try:
        keys = KeySet.import_key_set({"keys": it.jwks["keys"]})
        claims = jwt.decode(sent.form.get("client_assertion", ""), keys, algorithms=["ES384"]).claims
    except (JoseError, ValueError):
        return {}
    return {"iss": claims.get("iss", ""), "sub": claims.get("sub", "")}


# ---- the tests


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> Iterator[Mapping[str, Recorded]]:
    folder = tmp_path_factory.mktemp("keys")
    return {kind: recorded(kind, folder) for kind in ("public", "secret", "key", "backend")}


@pytest.mark.parametrize(("number", "kind"), CASES)
def test_row(recordings, number, kind):
    assert CHECKS[number](recordings[kind]), ROWS[number]["says"]


@pytest.mark.parametrize(("number", "kind"), CASES)
def test_row_does_not_hold_where_all_is_wrong(recordings, number, kind):
    assert not CHECKS[number](spoilt(recordings[kind]))


@pytest.mark.parametrize(
    ("number", "kind"), [(a, b) for a, b in CASES if b in ("key", "backend") and a in SAID_IN_THE_ASSERTION]
)
def test_a_row_about_an_assertion_does_not_hold_where_a_good_key_signed_a_wrong_one(recordings, number, kind):
    wrong = misstated(recordings[kind])
    assert wrong.assertions
    assert not CHECKS[number](wrong)


def test_each_row_that_inferno_tests_has_a_check():
    assert len(ROWS) == 45
    assert set(CHECKS) == set(ROWS)
    assert {row["verb"] for row in ROWS.values()} == {"SHALL", "SHALL NOT", "SHOULD", "SHOULD NOT", "MAY"}
