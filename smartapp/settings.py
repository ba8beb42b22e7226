"""Settings: what the app reads from its environment, typed; an error says which value is wrong and why.

The app itself reads the environment here and nowhere else. Some variables belong to parts of the product that run
without it: `VERSTEL_CANONICAL_BASE`, and the folders of a place (`VERSTEL_DEFINITIONS`, `VERSTEL_MAPS`,
`VERSTEL_PROGRAMMES`), to `questionnaires`; `VERSTEL_TOKEN` to the command line. Where this machine's authorities are,
`storage/database.py` says in it to PostgreSQL's library.
Each field has the name of its variable, its parser and the sentence that `.env.example` shows; a test keeps that file
equal to `env_example()`.
"""

from __future__ import annotations

import dataclasses
import hmac
import ipaddress
import os
import re
import textwrap
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args
from urllib.parse import parse_qs, quote, urlsplit

import orjson
from cryptography.fernet import Fernet

from mappers.medmij import Custodian
from mappers.roles import ROLES, Role
from mappers.team import Team
from questionnaires.model import Language
from questionnaires.reading import DefinitionError, OneLine, Strict, read
from smartapp import access
from smartapp.bases import normal, overlap
from smartapp.offer import Offered, read_offer, read_offer_for_loved_ones

AuthMethod = Literal["public", "client_secret", "private_key_jwt"]
SecretAs = Literal["basic", "basic-raw", "post"]
Use = Literal["offered", "required", "off"]
AuthorizeBy = Literal["get", "post"]
FormOfAddress = Literal["je", "u"]
_EMERGENCY_LINE_NL: Final = "Heb je nu hulp nodig? Bel je behandelteam. Bij levensgevaar: bel 112."
_EMERGENCY_LINE_NL_U: Final = "Hebt u nu hulp nodig? Bel uw behandelteam. Bij levensgevaar: bel 112."
DocumentShape = Literal["pdf+fhir", "mhd"]
SearchMethod = Literal["get", "post"]
SmtpSecurity = Literal["starttls", "tls", "none"]
TeamRule = Literal["follow", "ignore"]
NonceRule = Literal["any", "required"]

LONGEST_PUBLIC_URL: Final = 80
"""The address of a manifest of SMART Health Links has at most 128 characters, of which ours needs 48."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Hosts where plain http is accepted: nothing leaves the machine."""

DEFAULT_SCOPES = (
    "openid fhirUser launch launch/patient offline_access "
    "patient/Patient.rs patient/QuestionnaireResponse.crus patient/Observation.crus patient/CarePlan.crus "
    "patient/Goal.crus patient/Task.crus patient/DocumentReference.crus patient/CareTeam.rs"
)
"""No `d` in any of them: nothing is ever deleted in a record."""


CASELOAD_SCOPES: Final = (
    "openid fhirUser launch offline_access "
    "user/Patient.rs user/CareTeam.rs user/Appointment.rs user/PractitionerRole.rs "
    "user/QuestionnaireResponse.rs user/Task.crus user/CarePlan.crus user/Goal.crus"
)
"""What the list of a professional's own clients can use: what the demo asks. A place that has none sets it itself."""

_PATIENT: Final = "{patient}"
"""What stands in `chart_url` for the id of a person."""

_MAPPED: Final = tuple(role for role in ROLES if role not in ("client", "guest"))
"""What a code can mean. Who the client is says the token alone, and a guest is who nothing is known of."""


class ConfigError(ValueError):
    """A setting that is missing or wrong; the message names the setting and says what would be right."""


def is_loopback(url: str) -> bool:
    """Tell whether a URL points at this machine itself."""
    return (urlsplit(url).hostname or "") in LOOPBACK


def is_inside(host: str) -> bool:
    """Tell whether a host, as written, is this machine or an address that the internet does not know."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        # Resolvers take 127.1, 2130706433 and 0x7f.1 for addresses too; no name of a host ends in a number.
        return re.fullmatch(r"[0-9]+|0x[0-9a-f]*", name.rpartition(".")[2]) is not None
    return not address.is_global


def checked_base(value: str, name: str) -> str:
    """Return an absolute http(s) URL unchanged; plain http only on loopback, no userinfo, query or fragment."""
    try:
        parts = urlsplit(value)
    except ValueError:  # an unmatched bracket: no host can be read from it
        raise ConfigError(f"{name}: {value!r} is not an absolute https URL.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"{name}: {value!r} is not an absolute https URL.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(f"{name}: {value!r} must not have a user name, query or fragment.")
    if parts.scheme == "http" and not is_loopback(value):
        raise ConfigError(f"{name}: {value!r} uses plain http. Only loopback addresses may; use https.")
    return value


def is_origin(value: str) -> bool:
    """Tell whether a text is an origin, such as https://host: nothing behind the host, and nothing that CSP reads."""
    try:
        parts = urlsplit(value)
    except ValueError:  # an unmatched bracket
        return False
    return value == f"{parts.scheme}://{parts.netloc}" and bool(parts.netloc) and not re.search(r"[\s;,'\"*@]", value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """How an EHR asks our CDS Hooks services: what its CDS client calls itself, and where the keys of that are."""

    iss: str
    """The `iss` of its tokens, letter for letter."""
    jku: str | None = None
    """The address of its JSON Web Key Set, and the only `jku` that a token may have."""
    keys: Mapping[str, Any] | None = None
    """Or that set itself, as it was handed over."""
    origins: tuple[str, ...] = ()
    """Whose pages may ask from a browser; none for a client that is a server."""
    language: Language | None = None
    """The language of cards; None leaves that to the request."""

    def __post_init__(self) -> None:
        if (self.jku is None) == (self.keys is None):
            raise ConfigError("hooks: has to say where the keys are, by one of jku and jwks_file.")
        if self.jku is not None:
            checked_base(self.jku, "hooks: jku")
        for origin in self.origins:
            if not is_origin(origin):
                raise ConfigError(f"hooks: origins holds {origin!r}; write an origin, https://host.")


KOPPELTAAL_LAUNCH: Final = "launch openid fhirUser"
"""What a launch from a Koppeltaal domain asks: these three and no other, or the domain refuses (TOP-KT-007)."""
KOPPELTAAL_STANDALONE: Final = "openid fhirUser launch/patient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Koppeltaal:
    """What makes an issuer a domain of Koppeltaal 2.0: it launches us with a task, and our own key reads there."""

    device: str
    """The Device that the domain made for us, `Device/<id>`."""
    nonce: NonceRule = "any"
    """ "any": its id_tokens do not hold the nonce that we sent; "required" once they do."""
    standalone: bool = False
    """People may sign in there without a task."""
    backend_scope: str = "system/*.cruds"
    """What our own key asks for; "": nothing, as the domain decides what we may."""
    activities: tuple[str, ...] = ()
    """What `verstel koppeltaal publish` offers there: ids of questionnaires, and "plan"."""
    clients_start: tuple[str, ...] = ()
    """Which of them people may begin by themselves."""
    publisher_id: str = ""
    """How the domain calls who offers them (KT2_PublisherId); "" for no such name."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"Device/[A-Za-z0-9\-.]{1,64}", self.device):
            raise ConfigError(f"koppeltaal: device is {self.device!r}; write Device/ and its id in the domain.")
        if self.nonce not in get_args(NonceRule):
            raise ConfigError(f"koppeltaal: nonce is {self.nonce!r}; use one of {', '.join(get_args(NonceRule))}.")
        if self.publisher_id and not re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", self.publisher_id):
            raise ConfigError(f"koppeltaal: publisher_id is {self.publisher_id!r}; write 64 letters or digits at most.")
        for name in sorted(set(self.clients_start) - set(self.activities)):
            raise ConfigError(f"koppeltaal: clients_start has {name!r}, which is not among the activities.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamHere:
    """A team that has a page of its own: its id in our addresses, its name, and what it is in the record.

    `references` are `Organization/<id>` or `CareTeam/<id>`. What is said of it here is about the first of them; what
    `verstel team report --keep` kept about any of them is shown.
    """

    id: str
    name: str
    references: tuple[str, ...]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9-]{1,40}", self.id):
            raise ConfigError(f"teams: id is {self.id!r}; write up to 40 small letters, digits and hyphens.")
        if not self.name.strip():
            raise ConfigError(f"teams: {self.id} has no name; write the one that clients know it by.")
        if not self.references:
            raise ConfigError(f"teams: {self.id} has no references; write Organization/… or CareTeam/….")
        for reference in self.references:
            try:
                Team(reference, self.name)
            except ValueError as error:
                raise ConfigError(f"teams: {self.id}: references has {reference!r}: {error}.") from error

    @property
    def team(self) -> Team:
        """Return the team as what is said here is about it."""
        return Team(self.references[0], self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """One EHR or portal that may launch this app: what `iss` must be, letter for letter, and how we sign in there."""

    base: str
    name: str
    client_id: str
    auth: AuthMethod = "public"
    client_secret: str | None = field(default=None, repr=False)
    secret_as: SecretAs = "basic"
    """How the secret travels: in the header as RFC 6749 writes it, there without its encoding, or in the form."""
    dpop: Use = "offered"
    """Whether its tokens are bound to a key (RFC 9449): where it offers that, always, or never."""
    par: Use = "offered"
    """Whether what we ask of it is pushed to it, and not carried by the browser (RFC 9126)."""
    authorize: AuthorizeBy = "get"
    """How the browser carries what is not pushed: in an address, or in a form of a page between."""
    scopes: str = DEFAULT_SCOPES
    openid_issuer: str | None = None
    """What the authorization server must call itself; None accepts any name on the hosts of this issuer."""
    hosts: tuple[str, ...] = ()
    """Hosts that its smart-configuration may name, beside those of the base and of `openid_issuer`."""
    acr: tuple[str, ...] = ()
    """How strongly people must have signed in there, any of these values; empty leaves that to the EHR."""
    max_age: int | None = None
    """For how many seconds a sign-in there counts before people must sign in anew; None leaves that to the EHR."""
    aliases: tuple[str, ...] = ()
    """Other addresses by which its server writes itself. They are only read: nothing is ever asked there."""
    key: str = ""
    """Names this issuer in our database; defaults to the base. Keep it when the address changes."""
    frame_ancestors: tuple[str, ...] = ()
    companion: str | None = None
    caseload_scopes: str = ""
    """What is asked where professionals open the list of their own clients, without a patient; "": there is no list."""
    chart_url: str = ""
    """Where the chart of a person is opened there, with `{patient}` for their id; "" where there is no such address."""
    search: SearchMethod = "get"
    """How its records and those of its companion are searched: "post" keeps the ids of people out of addresses."""
    emergency_line: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    """What its codes mean, by `system|code`: which role who carries such a code has here."""
    team: TeamRule = "follow"
    """ "ignore": its care teams are not kept, so nobody is outside the team because they are not in one."""
    teams: tuple[TeamHere, ...] = ()
    """The teams that have a page of their own, for clients and staff; none: there are no such pages. It says nothing of
    who is in them, as `team` does."""
    hooks: Hooks | None = None
    """How it asks our CDS Hooks services; None: it is told nothing there."""
    messages_client_id: str = ""
    """As what we sign in there without anybody, to put a message into the portal; "": no messages there."""
    messages_scope: str = "system/Communication.c"
    """What is asked for that."""
    documents: DocumentShape = "pdf+fhir"
    """What the plan is as a document there: a PDF with the plan as FHIR beside it, or by IHE MHD the PDF alone."""
    custodian: Custodian | None = None
    """Who answers for documents that are published by IHE MHD; None: none of them names a custodian."""
    koppeltaal: Koppeltaal | None = None
    """It is a domain of Koppeltaal: nothing clinical goes there."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self.key or self.base)
        where = f"issuer {self.base!r}"
        self._as_domain(where)
        checked_base(self.base, where)
        self._check_client(where)
        if self.companion is not None:
            checked_base(self.companion, f"{where}: companion")
        if any(not value or " " in value for value in self.acr):
            raise ConfigError(f"{where}: acr holds an empty value or one with a space; write each value apart.")
        if self.max_age is not None and self.max_age < 0:
            raise ConfigError(f"{where}: max_age is {self.max_age}; write a number of seconds.")
        for host in self.hosts:
            if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", host) or is_inside(host):
                raise ConfigError(f"{where}: hosts holds {host!r}; write the public name of a host, login.example.org.")
        # Each goes into the Content-Security-Policy, where a space or a semicolon would begin something else.
        for ancestor in self.frame_ancestors:
            if not is_origin(ancestor):
                raise ConfigError(f"{where}: frame_ancestors holds {ancestor!r}; write an origin, https://host.")
        self._check_aliases(where)
        self._check_roles(where)
        self._check_caseload(where)
        self._check_teams(where)

    def _check_client(self, where: str) -> None:
        if self.auth not in get_args(AuthMethod):
            raise ConfigError(f"{where}: auth is {self.auth!r}; use one of {', '.join(get_args(AuthMethod))}.")
        if (self.auth == "client_secret") != bool(self.client_secret):
            raise ConfigError(f"{where}: a client secret belongs to auth = 'client_secret', and only to that.")
        for name, chosen, of in (
            ("dpop", self.dpop, Use),
            ("par", self.par, Use),
            ("authorize", self.authorize, AuthorizeBy),
        ):
            if chosen not in get_args(of):
                raise ConfigError(f"{where}: {name} is {chosen!r}; use one of {', '.join(get_args(of))}.")
        if self.secret_as not in get_args(SecretAs):
            raise ConfigError(f"{where}: secret_as is {self.secret_as!r}; use one of {', '.join(get_args(SecretAs))}.")
        if self.secret_as != "basic" and self.auth != "client_secret":
            raise ConfigError(f"{where}: secret_as belongs to auth = 'client_secret', and only to that.")
        if self.secret_as == "basic-raw" and ":" in self.client_id:
            raise ConfigError(
                f"{where}: client_id is {self.client_id!r}; with secret_as = 'basic-raw' nothing tells where it ends."
            )

    def _check_aliases(self, where: str) -> None:
        for alias in self.aliases:
            checked_base(alias, f"{where}: aliases")
        if len({normal(base).rstrip("/") for base in self.bases}) < len(self.bases):
            raise ConfigError(f"{where}: aliases holds one address twice, or that of the issuer itself.")

    def _as_domain(self, where: str) -> None:
        """Check a Koppeltaal domain, and fill in what is the same for each."""
        if self.koppeltaal is None:
            return
        if self.auth != "private_key_jwt":
            raise ConfigError(f"{where}: a Koppeltaal domain knows us by our key: set auth = 'private_key_jwt'.")
        # A launch there gives no access of its own, and what people write belongs to us and to no third place.
        without = {
            "scopes": self.scopes not in (DEFAULT_SCOPES, KOPPELTAAL_LAUNCH),
            "caseload_scopes": bool(self.caseload_scopes),
            "companion": self.companion is not None,
            "messages_client_id": bool(self.messages_client_id),
            "hooks": self.hooks is not None,
            "dpop": self.dpop == "required",
        }
        for name in (name for name, said in without.items() if said):
            raise ConfigError(f"{where}: a Koppeltaal domain has no {name}; take it away.")
        object.__setattr__(self, "scopes", KOPPELTAAL_LAUNCH)
        object.__setattr__(self, "dpop", "off")  # its token is none
        object.__setattr__(self, "roles", {**access.table().domain_role_codes(), **self.roles})

    def _check_roles(self, where: str) -> None:
        for code, role in self.roles.items():
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s|]+\|[^\s|]+", code):
                raise ConfigError(f"{where}: roles has {code!r}; write a code with its system, http://…|code.")
            if role not in _MAPPED:
                raise ConfigError(f"{where}: roles: {code!r} is {role!r}; use one of {', '.join(_MAPPED)}.")
        if self.documents not in get_args(DocumentShape):
            allowed = ", ".join(get_args(DocumentShape))
            raise ConfigError(f"{where}: documents is {self.documents!r}; use one of {allowed}.")
        if self.team not in get_args(TeamRule):
            raise ConfigError(f"{where}: team is {self.team!r}; use one of {', '.join(get_args(TeamRule))}.")

    def _check_teams(self, where: str) -> None:
        ids = [one.id for one in self.teams]
        for id_ in sorted({one for one in ids if ids.count(one) > 1}):
            raise ConfigError(f"{where}: teams has two with the id {id_!r}; give each an id of its own.")
        references = [reference for one in self.teams for reference in one.references]
        for reference in sorted({one for one in references if references.count(one) > 1}):
            # What is said of one would be said of the other, and figures could be taken away from each other.
            raise ConfigError(f"{where}: teams has {reference!r} twice; leave it with one team, and once.")

    def _check_caseload(self, where: str) -> None:
        asked = self.caseload_scopes.split()
        if asked and not {"openid", "fhirUser"} <= set(asked):
            raise ConfigError(f"{where}: caseload_scopes has to hold openid and fhirUser: they say whose clients.")
        # Whoever asks for a patient gets one, and a list of one client would look like all of them.
        about_one = [scope for scope in asked if scope == "launch/patient" or scope.startswith("patient/")]
        if about_one:
            raise ConfigError(f"{where}: caseload_scopes holds {about_one[0]!r}; ask for user/… and for no patient.")
        if asked and not any(scope.startswith("user/") for scope in asked):
            raise ConfigError(f"{where}: caseload_scopes holds no user/… scope, such as user/Patient.rs.")
        if self.chart_url:
            # The host must stand there as it is: what is filled in may lead to another chart and to no other place.
            before, there, after = self.chart_url.partition(_PATIENT)
            if not there or _PATIENT in after or "/" not in urlsplit(before).path or not self.trusts(before):
                raise ConfigError(
                    f"{where}: chart_url is {self.chart_url!r}; write an https address on a host of this issuer, with "
                    f"{_PATIENT} once in its path or query."
                )

    @property
    def bases(self) -> tuple[str, ...]:
        """Return every address by which this server writes itself: its base first."""
        return (self.base, *self.aliases)

    def chart_of(self, patient_id: str) -> str:
        """Return where the chart of a person is opened, "" where this issuer has no address for it."""
        return self.chart_url.replace(_PATIENT, quote(patient_id, safe=""))

    def trusts(self, url: str) -> bool:
        """Tell whether this issuer may name this URL as part of itself: https, and on one of its own hosts.

        Only an issuer on this machine may name other addresses of this machine.
        """
        if is_loopback(self.base) and is_loopback(url):
            return True
        parts = urlsplit(url)
        own = {urlsplit(one).hostname for one in (self.base, self.openid_issuer or "")}
        return parts.scheme == "https" and parts.hostname in own | set(self.hosts)


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("it is empty")
    return value.strip()


def _url(value: str) -> str:
    # Without the slash at its end: addresses are made by adding a path to it.
    return checked_base(value.strip().rstrip("/"), "the value")


def _public_url(value: str) -> str:
    address = _url(value)
    if len(address) > LONGEST_PUBLIC_URL:
        raise ValueError(f"it has {len(address)} characters; at most {LONGEST_PUBLIC_URL}, or no link fits behind it")
    return address


def _whole_number(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number


def _minutes(value: str) -> int:
    number = _whole_number(value)
    if number == 0:
        raise ValueError("0 would end every session at once")
    return number


def _yes_no(value: str) -> bool:
    known = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}
    if value.strip().lower() not in known:
        raise ValueError(f"{value!r} is not yes or no")
    return known[value.strip().lower()]


def _keys(value: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in re.split("[,\n]", value) if key.strip())
    if not keys:
        raise ValueError("it holds no key")
    return keys


def secret_keys_in(value: str) -> tuple[str, ...]:
    """Return the keys that sign forms, from their text. Raises ValueError where one is none."""
    keys = _keys(value)
    if min(map(len, keys)) < 32:
        raise ValueError("a key is shorter than 32 characters (a comma ends a key)")
    return keys


def encryption_keys_in(value: str) -> tuple[str, ...]:
    """Return the keys that seal, from their text. Raises ValueError where one is none."""
    keys = _keys(value)
    for key in keys:
        try:
            Fernet(key)
        except ValueError as error:
            raise ValueError("a key is not 32 url-safe base64-encoded bytes") from error
    return keys


def _form_of_address(value: str) -> FormOfAddress:
    if value not in get_args(FormOfAddress):
        raise ValueError(f"{value!r} is not je or u")
    return cast(FormOfAddress, value)


def _time_zone(value: str) -> str:
    try:
        return zoneinfo.ZoneInfo(value.strip()).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{value!r} is not a time zone such as Europe/Amsterdam") from error


def _path(value: str) -> Path:
    return Path(_text(value))


_MAILBOX: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")


def mailbox(value: str) -> str:
    """Return the address of a mailbox, as SMTP takes it without extensions. Raises ValueError."""
    address = value.strip()
    # What begins an encoded word is read as other signs where it stands in a header: a comma, or the end of a line.
    if len(address) > 254 or "=?" in address or not _MAILBOX.fullmatch(address):
        raise ValueError("it is not an address such as name@example.org")
    return address


def _sender(value: str) -> str:
    name, address = parseaddr(_text(value))
    return formataddr((name, mailbox(address)))


def _smtp_security(value: str) -> SmtpSecurity:
    if value.strip() not in get_args(SmtpSecurity):
        raise ValueError(f"{value!r} is not starttls, tls or none")
    return cast(SmtpSecurity, value.strip())


def _port(value: str) -> int:
    number = _whole_number(value)
    if not 1 <= number <= 65_535:
        raise ValueError(f"{number} is no port")
    return number


def _token(value: str) -> str:
    # It travels in a header.
    if not re.fullmatch(r"[\x21-\x7e]+", value.strip()):
        raise ValueError("it holds a space or a sign that no header can carry")
    return value.strip()


def _unproven_postgresql_host(url: str) -> str:
    """Return another machine that need not prove who it is before a database address sends everything there, or ""."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    # A service names a host too, in a file or a variable that is not ours to read.
    named = [*query.get("hostaddr", []), *(f"service {name}" for name in query.get("service", []))]
    hosts = {*query.get("host", [parts.hostname or ""]), *named} - LOOPBACK
    # No host and a path are this machine's socket.
    away = [host for host in hosts if host and not host.startswith("/")]
    # "prefer", the default, takes plain text for an answer; "require" takes whoever speaks TLS.
    proven = query.get("sslmode") == ["verify-full"]
    return away[0] if parts.scheme.startswith("postgres") and away and not proven else ""


def _setting(
    env: str,
    parse: Callable[[str], Any],
    help_text: str,
    *,
    example: str,
    default: Any = dataclasses.MISSING,
    secret: bool = False,
    shown: bool = False,
) -> Any:
    """Declare one setting: its variable, how its text is read, and what `.env.example` says about it.

    `shown`: it is set there, though the app could do without. For a secret without a default `example` names its file.
    """
    metadata = {"env": env, "parse": parse, "help": help_text, "example": example, "secret": secret, "shown": shown}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one running app."""

    public_url: str = _setting(
        "VERSTEL_PUBLIC_URL",
        _public_url,
        "The address people and EHRs reach the app at. The redirect URI to register is this plus /callback.",
        example="https://verstel.example.org",
    )
    secret_keys: tuple[str, ...] = _setting(
        "VERSTEL_SECRET_KEY",
        secret_keys_in,
        "Signs the tokens in forms. The first key signs, all keys prove, so a new key goes in front (comma between "
        "them). Make the file: verstel keys new secret --file secret-keys",
        example="secret-keys",
        secret=True,
    )
    encryption_keys: tuple[str, ...] = _setting(
        "VERSTEL_ENCRYPTION_KEYS",
        encryption_keys_in,
        "Encrypt tokens at rest. The first key writes, all keys read, so a new key goes in front (comma between them). "
        "Make the file: verstel keys new encryption --file encryption-keys",
        example="encryption-keys",
        secret=True,
    )
    issuers: tuple[Issuer, ...] = field(default=(), metadata={})
    issuers_file: Path | None = _setting(  # noqa: RUF009  (a field, not a value)
        "VERSTEL_ISSUERS_FILE",
        _path,
        "The EHRs and portals that may launch the app; issuers.example.toml shows every key.",
        example="issuers.toml",
        default=None,
        shown=True,
    )
    offer: tuple[Offered, ...] = field(default=(), metadata={})
    offer_for_loved_ones: tuple[Offered, ...] = field(default=(), metadata={})
    offer_file: Path | None = _setting(  # noqa: RUF009  (a field, not a value)
        "VERSTEL_OFFER_FILE",
        _path,
        "What this place has to offer after a first conversation; smartapp/offer.example.toml shows every key. Without "
        "one, people choose a kind of help and write down which.",
        example="offer.toml",
        default=None,
    )
    signing_keys_file: Path | None = _setting(  # noqa: RUF009  (a field, not a value)
        "VERSTEL_SIGNING_KEYS_FILE",
        _path,
        "A JSON Web Key Set with our private keys (RS384 or ES384), for issuers with auth = 'private_key_jwt'. "
        "The first key signs; all public halves are published at /.well-known/jwks.json.",
        example="signing-keys.json",
        default=None,
    )
    database_url: str = _setting(
        "VERSTEL_DATABASE_URL",
        _text,
        "SQLite file or PostgreSQL database for sessions, drafts, the outbox, the log and our own records. PostgreSQL "
        "on another machine needs ?sslmode=verify-full at its end, and &sslrootcert=FILE (or system).",
        example="sqlite:///verstel.sqlite3",
        default="sqlite:///verstel.sqlite3",
        secret=True,
    )
    database_without_tls: bool = _setting(
        "VERSTEL_DATABASE_WITHOUT_TLS",
        _yes_no,
        "yes: PostgreSQL on another machine may be reached without TLS, or with a certificate that nobody checks "
        "(sslmode=require): the network between is protected itself.",
        example="no",
        default=False,
    )
    companion_url: str | None = _setting(
        "VERSTEL_COMPANION_FHIR_URL",
        _url,
        "A FHIR server for what an EHR does not accept; an issuer may name its own. Without one: our own store.",
        example="https://fhir.example.org/r4",
        default=None,
    )
    companion_token: str | None = _setting(
        "VERSTEL_COMPANION_TOKEN",
        _token,
        "Bearer token for the companion FHIR server.",
        example="",
        default=None,
        secret=True,
    )
    emergency_line_nl: str = _setting(
        "VERSTEL_EMERGENCY_LINE_NL",
        _text,
        "Shown beside every text field, in Dutch: whom to call when it cannot wait. An issuer may have its own.",
        example=_EMERGENCY_LINE_NL,
        default=_EMERGENCY_LINE_NL,
    )
    emergency_line_en: str = _setting(
        "VERSTEL_EMERGENCY_LINE_EN",
        _text,
        "The same in English.",
        example="Do you need help now? Call your care team. If life is in danger: call 112.",
        default="Do you need help now? Call your care team. If life is in danger: call 112.",
    )
    form_of_address: FormOfAddress = _setting(  # noqa: RUF009  (a field, not a value)
        "VERSTEL_FORM_OF_ADDRESS",
        _form_of_address,
        "How Dutch pages address the client: je or u.",
        example="je",
        default="je",
    )
    inactivity_minutes: int = _setting(
        "VERSTEL_INACTIVITY_MINUTES",
        _minutes,
        "A session ends after this many minutes without a request. What was typed is kept.",
        example="30",
        default=30,
    )
    absolute_minutes: int = _setting(
        "VERSTEL_ABSOLUTE_MINUTES",
        _minutes,
        "A session ends this many minutes after sign-in, whatever happens.",
        example="480",
        default=480,
    )
    draft_days: int = _setting(
        "VERSTEL_DRAFT_DAYS",
        _whole_number,
        "Drafts and unsaved words of a plan that nobody touched for so many days are deleted. 0 keeps them.",
        example="0",
        default=0,
    )
    audit_keep_days: int = _setting(
        "VERSTEL_AUDIT_KEEP_DAYS",
        _whole_number,
        "Rows of the log of who looked that are older than so many days are removed, which is a row itself. 0 keeps "
        "them; how long they must be kept is for the law and your organisation to say.",
        example="0",
        default=0,
    )
    time_zone: str = _setting(
        "VERSTEL_TIME_ZONE",
        _time_zone,
        "The organisation's time zone, for dates and times on pages.",
        example="Europe/Amsterdam",
        default="Europe/Amsterdam",
    )
    smtp_host: str | None = _setting(
        "VERSTEL_SMTP_HOST",
        _text,
        "Your own mail server, for reminders that a client asked for. Without one nobody can choose mail.",
        example="smtp.example.org",
        default=None,
    )
    smtp_port: int = _setting(
        "VERSTEL_SMTP_PORT",
        _port,
        "Its port: 587 for starttls, mostly 465 for tls.",
        example="587",
        default=587,
    )
    smtp_security: SmtpSecurity = _setting(  # noqa: RUF009  (a field, not a value)
        "VERSTEL_SMTP_SECURITY",
        _smtp_security,
        "starttls or tls, with a certificate that this machine trusts (SSL_CERT_FILE names an authority of your own); "
        "none for a server on this machine only.",
        example="starttls",
        default="starttls",
    )
    smtp_user: str | None = _setting(
        "VERSTEL_SMTP_USER", _text, "Who we are to the mail server, where it asks that.", example="", default=None
    )
    smtp_password: str | None = _setting(
        "VERSTEL_SMTP_PASSWORD", _text, "The password that goes with it.", example="", default=None, secret=True
    )
    smtp_from: str | None = _setting(
        "VERSTEL_SMTP_FROM",
        _sender,
        "Who reminders are from. A name that tells of care (GGZ Noord <…>) tells it to whoever sees the mail too: take "
        "one that does not.",
        example="no-reply@example.org",
        default=None,
    )
    sign_in_url: str | None = _setting(
        "VERSTEL_SIGN_IN_URL",
        _url,
        "Where clients sign in by themselves, such as your portal, as a reminder tells them; VERSTEL_PUBLIC_URL where "
        "it is not set.",
        example="https://portal.example.org",
        default=None,
    )
    mail_folder: Path | None = field(default=None, metadata={})
    """Where mails are put instead of being sent: for demonstrations."""
    trusted_proxies: int = _setting(
        "VERSTEL_TRUSTED_PROXIES",
        _whole_number,
        "How many reverse proxies are in front of the app and set X-Forwarded-For and X-Forwarded-Proto.",
        example="0",
        default=0,
    )
    sign_ins_per_minute: int = _setting(
        "VERSTEL_SIGN_INS_PER_MINUTE",
        _whole_number,
        "How many requests of a sign-in one network address may make a minute (a sign-in takes two; twice as many may "
        "come at once). 0 is without a limit. A whole hospital may come from one address.",
        example="300",
        default=300,
    )
    pages_per_minute: int = _setting(
        "VERSTEL_PAGES_PER_MINUTE",
        _whole_number,
        "The same for all other requests; somebody who fills in a questionnaire makes about forty a minute.",
        example="12000",
        default=12000,
    )
    refusals_per_minute: int = _setting(
        "VERSTEL_REFUSALS_PER_MINUTE",
        _whole_number,
        "How many requests of one network address may be refused a minute, before those without a session wait.",
        example="60",
        default=60,
    )
    several_users_per_browser: bool = _setting(
        "VERSTEL_SEVERAL_USERS_PER_BROWSER",
        _yes_no,
        "no: signing in as someone else ends the launches of the person before. yes is for demonstrations only.",
        example="no",
        default=False,
    )

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for issuer in self.issuers:
            if issuer.base in seen:
                raise ConfigError(f"issuer {issuer.base!r} is listed twice.")
            seen.add(issuer.base)
        self._check_aliases()
        if len({issuer.key for issuer in self.issuers}) < len(self.issuers):
            raise ConfigError("Two issuers have the same key: their people would share one record.")
        if any(issuer.auth == "private_key_jwt" for issuer in self.issuers) and self.signing_keys_file is None:
            raise ConfigError("An issuer uses auth = 'private_key_jwt': set VERSTEL_SIGNING_KEYS_FILE.")
        if any(issuer.messages_client_id for issuer in self.issuers) and self.signing_keys_file is None:
            raise ConfigError(
                "An issuer has messages_client_id, which signs in by a key: set VERSTEL_SIGNING_KEYS_FILE."
            )
        callers: dict[str, Hooks] = {}
        for hooks in (issuer.hooks for issuer in self.issuers if issuer.hooks is not None):
            first = callers.setdefault(hooks.iss, hooks)
            # Who a token is from is found by its `iss`, before anything else of it is believed.
            if (first.jku, first.keys) != (hooks.jku, hooks.keys):
                raise ConfigError(f"hooks: {hooks.iss!r} has other keys at one issuer than at another.")
        self._check_mail()
        unproven = "" if self.database_without_tls else _unproven_postgresql_host(self.database_url)
        if unproven:
            raise ConfigError(
                f"VERSTEL_DATABASE_URL: what is sent to PostgreSQL on {unproven} names people, and whoever answers "
                "there need not prove to be it. Put ?sslmode=verify-full at its end, and &sslrootcert=FILE with the "
                "certificate of its authority (sslrootcert=system: those that this machine knows). Or set "
                "VERSTEL_DATABASE_WITHOUT_TLS=yes where the network between is protected itself."
            )

    def _check_aliases(self) -> None:
        for issuer in self.issuers:
            others = [base for one in self.issuers if one is not issuer for base in one.bases]
            for alias in issuer.aliases:
                # A person written below it would be of the one and of the other.
                taken = next((other for other in others if overlap(alias, other)), None)
                if taken is not None:
                    raise ConfigError(f"issuer {issuer.base!r}: aliases: {alias!r} is another issuer's: {taken!r}.")

    def _check_mail(self) -> None:
        if (self.smtp_host is None) != (self.smtp_from is None):
            raise ConfigError("VERSTEL_SMTP_HOST and VERSTEL_SMTP_FROM belong together: set both, or neither.")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ConfigError("VERSTEL_SMTP_USER and VERSTEL_SMTP_PASSWORD belong together: set both, or neither.")
        if self.smtp_security == "none" and self.smtp_host not in {None, *LOOPBACK}:
            raise ConfigError("VERSTEL_SMTP_SECURITY=none is for a mail server on this machine only.")

    @property
    def mails(self) -> bool:
        """Tell whether there is a way to send mail."""
        return self.smtp_host is not None or self.mail_folder is not None

    @property
    def https(self) -> bool:
        """Tell whether people reach the app over https."""
        return self.public_url.startswith("https:")

    @property
    def redirect_uri(self) -> str:
        """Return the one redirect URI, as it must be registered in each EHR."""
        return f"{self.public_url}/callback"

    def signatures(self, text: str) -> tuple[bytes, ...]:
        """Return what proves that we wrote a text, one per key: the first is for what is made now, any proves it."""
        return tuple(hmac.digest(key.encode(), text.encode(), "sha256") for key in self.secret_keys)

    def issuer(self, base: str) -> Issuer | None:
        """Return the issuer whose base equals `base` letter for letter, or None."""
        return next((issuer for issuer in self.issuers if issuer.base == base), None)

    def launched_from(self, iss: str) -> Issuer | None:
        """Return the issuer that a launch names, letter for letter, by its base or by one of its aliases, or None."""
        return next((issuer for issuer in self.issuers if iss in issuer.bases), None)

    def bases(self, base: str) -> tuple[str, ...]:
        """Return every address of the issuer at `base`; that alone where it is not in the settings any more."""
        issuer = self.issuer(base)
        return issuer.bases if issuer else (base,)

    def issuer_key(self, base: str) -> str:
        """Return what names an issuer in our database."""
        issuer = self.issuer(base)
        return issuer.key if issuer else base

    def emergency_line(self, language: str, issuer: Issuer | None = None) -> str:
        """Return whom to call when it cannot wait, at this issuer and in this language."""
        own = issuer.emergency_line.get(language) if issuer else None
        if own:
            return own
        if language == "en":
            return self.emergency_line_en
        # A place that wrote a line of its own wrote it in its own form of address.
        ours = self.emergency_line_nl == _EMERGENCY_LINE_NL
        return _EMERGENCY_LINE_NL_U if ours and self.form_of_address == "u" else self.emergency_line_nl

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read all settings from the environment.

        Raises ConfigError that lists every setting that is missing or wrong at once, each with what would be right.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        problems: list[str] = []
        for setting in _settings():
            try:
                raw = _raw(setting, environ)
                # Compose files and service managers can only empty a variable, not take it away.
                if raw == "" and setting.default is dataclasses.MISSING:
                    problems.append(f"{setting.metadata['env']} is not set. {setting.metadata['help']}")
                elif raw != "":
                    values[setting.name] = setting.metadata["parse"](raw)
            except ValueError as error:
                problems.append(f"{setting.metadata['env']}: {str(error).rstrip('.')}. {setting.metadata['help']}")
        # A misspelt name would leave its setting at the default without anyone noticing.
        known = {name for setting in _settings() for name in _variables(setting)}
        problems += [
            f"{name} is not a setting of Verstel. Known: {', '.join(sorted(known))}."
            for name in sorted(environ)
            if name.startswith("VERSTEL_") and name not in known | _ELSEWHERE
        ]
        if "issuers_file" in values:
            try:
                values["issuers"] = read_issuers(values["issuers_file"], environ)
            except ConfigError as error:
                problems.append(str(error))
        if "offer_file" in values:
            path = values["offer_file"]
            try:
                values["offer"] = read_offer(path)
                values["offer_for_loved_ones"] = read_offer_for_loved_ones(path)
            except DefinitionError as error:
                problems.append(f"{path.parent / str(error)}.")
        if problems:
            raise ConfigError("\n".join(problems))
        return cls(**values)


_FOLDERS = {
    "VERSTEL_DEFINITIONS": "/etc/verstel/questionnaires",
    "VERSTEL_MAPS": "/etc/verstel/maps",
    "VERSTEL_PROGRAMMES": "/etc/verstel/programmes",
}
"""Variables that name a folder of the place, each with an example; the catalogue reads them, and so every command."""

_ELSEWHERE = frozenset({*_FOLDERS, "VERSTEL_CANONICAL_BASE", "VERSTEL_TOKEN"})
"""Variables with our prefix that another part of the product reads."""


def _settings() -> list[dataclasses.Field[Any]]:
    return [each for each in dataclasses.fields(Settings) if each.metadata]


def _variables(setting: dataclasses.Field[Any]) -> tuple[str, ...]:
    """Return the variables of a setting: its own, and for a secret the one that names a file which holds it."""
    name = setting.metadata["env"]
    return (name, f"{name}_FILE") if setting.metadata["secret"] else (name,)


def _raw(setting: dataclasses.Field[Any], environ: Mapping[str, str]) -> str:
    """Return a setting as it was given, "" where it was not. Raises ConfigError."""
    given = {name: environ[name] for name in _variables(setting) if environ.get(name)}
    if len(given) > 1:
        raise ConfigError(f"both {' and '.join(given)} are set; take one of them away.")
    [(name, value)] = given.items() or [("", "")]
    return read_secret(Path(value)) if name.endswith("_FILE") and setting.metadata["secret"] else value


def read_secret(path: Path) -> str:
    """Return the secret in a file, without the line end after it. Raises ConfigError, which never quotes it."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a text.") from None
    if not text:
        raise ConfigError(f"{path} is empty.")
    return text


class _EmergencyLine(Strict, frozen=True):
    nl: OneLine = ""
    en: OneLine = ""


class _HooksTable(Strict, frozen=True):
    iss: OneLine
    jku: OneLine | None = None
    jwks_file: OneLine | None = None
    origins: tuple[OneLine, ...] = ()
    language: Language | None = None


class _CustodianTable(Strict, frozen=True):
    name: OneLine
    system: OneLine
    value: OneLine


class _KoppeltaalTable(Strict, frozen=True):
    device: OneLine | None = None
    nonce: NonceRule = "any"
    standalone: bool = False
    backend_scope: str = "system/*.cruds"
    activities: tuple[OneLine, ...] = ()
    clients_start: tuple[OneLine, ...] = ()
    publisher_id: OneLine = ""


class _TeamTable(Strict, frozen=True):
    id: OneLine
    name: OneLine
    references: tuple[OneLine, ...]


class _IssuerTable(Strict, frozen=True):
    base: OneLine
    name: OneLine
    client_id: OneLine
    auth: AuthMethod = "public"
    client_secret_env: OneLine | None = None
    client_secret_file: OneLine | None = None
    secret_as: SecretAs = "basic"
    dpop: Use = "offered"
    par: Use = "offered"
    authorize: AuthorizeBy = "get"
    scopes: OneLine = DEFAULT_SCOPES
    openid_issuer: OneLine | None = None
    hosts: tuple[OneLine, ...] = ()
    acr: tuple[OneLine, ...] = ()
    max_age: int | None = None
    aliases: tuple[OneLine, ...] = ()
    key: OneLine = ""
    frame_ancestors: tuple[OneLine, ...] = ()
    companion: OneLine | None = None
    caseload_scopes: OneLine = ""
    chart_url: OneLine = ""
    search: SearchMethod = "get"
    emergency_line: _EmergencyLine = _EmergencyLine()
    roles: dict[OneLine, OneLine] | None = None
    team: TeamRule = "follow"
    teams: tuple[_TeamTable, ...] = ()
    hooks: _HooksTable | None = None
    messages_client_id: OneLine = ""
    messages_scope: OneLine = "system/Communication.c"
    documents: DocumentShape = "pdf+fhir"
    custodian: _CustodianTable | None = None
    koppeltaal: _KoppeltaalTable | None = None


class _IssuersTable(Strict, frozen=True):
    issuer: tuple[_IssuerTable, ...] = ()


def read_issuers(path: Path, environ: Mapping[str, str]) -> tuple[Issuer, ...]:
    """Read the file of issuers; a secret is in the variable or the file that `client_secret_env` or `_file` names.

    Raises ConfigError that names the file, the issuer and the key.
    """
    try:
        tables = read(path, _IssuersTable).issuer
    except DefinitionError as error:
        raise ConfigError(f"{path.parent / str(error)}.") from error
    if not tables:
        raise ConfigError(f"{path}: has no [[issuer]]; add a table for each EHR or portal that may launch Verstel.")
    found = []
    for number, table in enumerate(tables, start=1):
        where = f"{path}: issuer[{number}]"
        secret, hooks = _client_secret(table, where, path.parent, environ), _hooks(table.hooks, where, path.parent)
        found.append(_issuer(table, where, secret, hooks))
    return tuple(found)


def _client_secret(table: _IssuerTable, where: str, folder: Path, environ: Mapping[str, str]) -> str | None:
    # The file of issuers says where a secret is, so that it holds none itself.
    variable, file = table.client_secret_env, table.client_secret_file
    if variable is not None and file is not None:
        raise ConfigError(f"{where}: has both client_secret_env and client_secret_file; take one of them away.")
    if file is not None:
        try:
            return read_secret(folder / file)
        except ConfigError as error:
            raise ConfigError(f"{where}: client_secret_file: {error}") from error
    if variable is not None and not environ.get(variable):
        raise ConfigError(f"{where}: the environment variable {variable} with the client secret is not set.")
    return None if variable is None else environ[variable]


def _hooks(table: _HooksTable | None, where: str, folder: Path) -> Hooks | None:
    if table is None:
        return None
    try:
        keys = None if table.jwks_file is None else orjson.loads(read_secret(folder / table.jwks_file))
        return Hooks(iss=table.iss, jku=table.jku, keys=keys, origins=table.origins, language=table.language)
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{where}: hooks: jwks_file: {table.jwks_file} is not JSON.") from error
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _custodian(table: _CustodianTable | None) -> Custodian | None:
    if table is None:
        return None
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", table.system):
        raise ConfigError(f"custodian.system is {table.system!r}; write an address, http://… or urn:oid:….")
    return Custodian(table.name, table.system, table.value)


def _koppeltaal(table: _IssuerTable) -> Koppeltaal | None:
    said = table.koppeltaal
    if said is None:
        return None
    # TOP-KT-007: the Device of an application is named by its client id, where the domain does not say otherwise.
    device = said.device or f"Device/{table.client_id}"
    return Koppeltaal(
        device=device,
        nonce=said.nonce,
        standalone=said.standalone,
        backend_scope=said.backend_scope.strip(),
        activities=said.activities,
        clients_start=said.clients_start,
        publisher_id=said.publisher_id,
    )


def _issuer(table: _IssuerTable, where: str, client_secret: str | None, hooks: Hooks | None) -> Issuer:
    try:
        return Issuer(
            base=table.base,
            name=table.name,
            client_id=table.client_id,
            auth=table.auth,
            client_secret=client_secret,
            secret_as=table.secret_as,
            dpop=table.dpop,
            par=table.par,
            authorize=table.authorize,
            scopes=table.scopes,
            openid_issuer=table.openid_issuer,
            hosts=table.hosts,
            acr=table.acr,
            max_age=table.max_age,
            aliases=table.aliases,
            key=table.key,
            frame_ancestors=table.frame_ancestors,
            companion=table.companion,
            caseload_scopes=table.caseload_scopes,
            chart_url=table.chart_url,
            search=table.search,
            emergency_line={"nl": table.emergency_line.nl, "en": table.emergency_line.en},
            roles=cast(dict[str, Role], table.roles or {}),  # it says itself which of them are none
            team=table.team,
            teams=tuple(TeamHere(id=one.id, name=one.name, references=one.references) for one in table.teams),
            hooks=hooks,
            messages_client_id=table.messages_client_id,
            messages_scope=table.messages_scope,
            documents=table.documents,
            custodian=_custodian(table.custodian),
            koppeltaal=_koppeltaal(table),
        )
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def env_example() -> str:
    """Return the text of `.env.example`: every setting, what it means, and its default or an example."""
    lines = [
        "# Settings of `verstel serve`. Copy to .env, fill in, and load it into the environment of the process.",
        "# A secret may be in a file instead, which the variable with _FILE at its end names. docs/operators.md has",
        "# the commands that make the two that are named here.",
    ]
    for setting in _settings():
        about = setting.metadata
        needed = setting.default is dataclasses.MISSING
        in_file = needed and about["secret"]
        value = "" if in_file else _quoted(about["example"])
        off = "" if (needed and not in_file) or about["shown"] else "# "
        lines += [
            "",
            *textwrap.wrap(about["help"], 110, initial_indent="# ", subsequent_indent="# "),
            f"{off}{about['env']}={value}",
            *(
                f"{name}={about['example']}" if in_file else f"# {name}=/run/secrets/{setting.name}"
                for name in _variables(setting)[1:]
            ),
        ]
    lines += [
        "",
        "# Folders of this place's own, beside what Verstel has; questionnaires/README.md says what goes into each.",
    ]
    lines += [f"# {name}={_FOLDERS[name]}" for name in sorted(_FOLDERS)]
    return "\n".join(lines) + "\n"


def _quoted(example: str) -> str:
    """Quote a value with spaces: a shell would run what comes after the first."""
    return f'"{example}"' if " " in example else example
