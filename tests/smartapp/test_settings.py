"""Settings: every wrong one is named, with what would be right."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet
from joserfc.jwk import ECKey, KeySet

from mappers.medmij import Custodian
from smartapp.commands.publish import SCOPE as PUBLISHING
from smartapp.commands.serve import command as serve
from smartapp.fhir.scopes import Scopes
from smartapp.settings import (
    _ELSEWHERE,
    CASELOAD_SCOPES,
    DEFAULT_SCOPES,
    ConfigError,
    Hooks,
    Issuer,
    Koppeltaal,
    Settings,
    _HooksTable,
    _IssuerTable,
    _KoppeltaalTable,
    _TeamTable,
    env_example,
    is_inside,
    read_issuers,
)
from smartapp.storage.database import open_database
from smartapp.web.guard import form_token, is_form_token

ROOT = Path(__file__).parents[2]
GOOD = {
    "VERSTEL_PUBLIC_URL": "https://verstel.example.org/",
    "VERSTEL_SECRET_KEY": "0123456789" * 4,
    "VERSTEL_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
}
ISSUER = '[[issuer]]\nbase = "https://ehr.example/fhir"\nname = "E"\nclient_id = "v"\n'


def test_three_settings_are_enough():
    settings = Settings.from_env(GOOD)
    assert settings.redirect_uri == "https://verstel.example.org/callback"
    assert settings.inactivity_minutes == 30


def test_the_example_file_names_every_setting_as_it_is_read():
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == env_example()


def test_the_example_file_names_the_folders_of_a_place_too():
    named = set(re.findall(r"(?m)^(?:# )?(VERSTEL_\w+)=", env_example()))
    # The other two are for commands: under whose name forms are built, and a token that is used once.
    assert _ELSEWHERE - named == {"VERSTEL_CANONICAL_BASE", "VERSTEL_TOKEN"}


def test_a_shell_reads_every_line_of_the_example_as_we_write_it(tmp_path):
    """A value with spaces and no quotes would be run as a command by `. ./.env`."""
    example = tmp_path / ".env"
    example.write_text(env_example().replace("# VERSTEL_", "VERSTEL_"))
    script = f'set -a; . {example}; printf %s "$VERSTEL_EMERGENCY_LINE_NL"'
    read = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert (read.stdout, read.stderr) == (Settings.from_env(GOOD).emergency_line_nl, "")


def team_lines(team: Mapping[str, object]) -> str:
    """Return the lines of a team; of what it does not say, those of one that is right."""
    whole = {"id": "fact", "name": "FACT Noord", "references": ["Organization/1"]} | team
    return "\n".join(["[[issuer.teams]]", *(f"{name} = {json.dumps(value)}" for name, value in whole.items()), ""])


def test_teams_of_a_place_are_read_in_the_order_of_the_file(tmp_path):
    two = [{}, {"id": "ward-2", "name": "Zuid", "references": ["CareTeam/2", "Organization/3"]}]
    file = tmp_path / "issuers.toml"
    file.write_text(ISSUER + "".join(map(team_lines, two)))
    [issuer] = read_issuers(file, {})
    assert [(one.id, one.name, one.team.reference) for one in issuer.teams] == [
        ("fact", "FACT Noord", "Organization/1"),
        ("ward-2", "Zuid", "CareTeam/2"),
    ]
    file.write_text(ISSUER)
    assert read_issuers(file, {})[0].teams == ()


def test_the_example_of_the_issuers_is_read_as_it_stands():
    [issuer] = read_issuers(ROOT / "issuers.example.toml", {})
    assert (issuer.base, issuer.auth, issuer.hooks) == ("https://ehr.example.org/fhir", "public", None)


def test_the_example_of_the_issuers_names_every_key():
    text = (ROOT / "issuers.example.toml").read_text("utf-8")
    named = set(re.findall(r"(?m)^(?:# |## or )?(?:\[{1,2}issuer\.)?(\w+)(?= = |\]{1,2}$)", text))
    tables = (_IssuerTable, _HooksTable, _KoppeltaalTable, _TeamTable)
    keys = {key for one in tables for key in one.__struct_fields__}
    assert keys - named == set()


def test_the_example_of_the_issuers_is_read_with_all_that_is_optional(tmp_path):
    file = tmp_path / "issuers.toml"
    file.write_text(
        re.sub(r"(?m)^# (?=[\[\"]|\w+ = )", "", (ROOT / "issuers.example.toml").read_text("utf-8")), "utf-8"
    )
    issuers = read_issuers(file, {"PORTAL_CLIENT_SECRET": "secret"})
    assert [issuer.auth for issuer in issuers] == ["private_key_jwt", "client_secret", "private_key_jwt"]
    assert issuers[0].key == "example-ehr"
    assert issuers[1].key == issuers[1].base
    assert "user/Patient.rs" in issuers[0].caseload_scopes
    assert issuers[0].chart_of("a/b") == "https://ehr.example.org/chart?patient=a%2Fb"
    assert (issuers[1].caseload_scopes, issuers[1].chart_of("a")) == ("", "")
    assert (set(issuers[0].roles.values()), issuers[0].team) == ({"peer-worker", "responsible"}, "follow")
    assert (issuers[1].roles, issuers[1].team) == ({}, "ignore")
    assert issuers[0].hooks == Hooks(
        iss="https://ehr.example.org/cds-client",
        jku="https://ehr.example.org/cds-client/jwks",
        origins=("https://ehr.example.org",),
        language="nl",
    )
    assert issuers[1].hooks is None
    assert issuers[1].koppeltaal is None
    assert issuers[2].koppeltaal == Koppeltaal(
        device="Device/0f1f2a3b-0000-4000-8000-000000000000",
        activities=("hoop", "plan"),
        clients_start=("hoop",),
        publisher_id="verstel",
    )
    assert issuers[0].custodian == Custodian("Example organisation", "http://fhir.nl/fhir/NamingSystem/ura", "00000000")
    assert (issuers[0].documents, issuers[1].documents, issuers[1].custodian) == ("pdf+fhir", "pdf+fhir", None)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('documents = "paper"', "documents"),
        ('[issuer.custodian]\nname = "North"\nsystem = "ura"\nvalue = "1"', "custodian.system is 'ura'"),
        ('[issuer.custodian]\nname = "North"\nvalue = "1"', "system"),
    ],
)
def test_documents_and_their_custodian_are_read_strictly(tmp_path, more, said):
    path = tmp_path / "issuers.toml"
    path.write_text(f'[[issuer]]\nbase = "https://ehr.example"\nname = "E"\nclient_id = "v"\n{more}\n')
    with pytest.raises(ConfigError, match=said) as caught:
        read_issuers(path, {})
    assert str(caught.value).count("issuers.toml") == 1


def test_the_keys_of_a_cds_client_may_be_in_a_file_beside_the_issuers(tmp_path):
    file = tmp_path / "issuers.toml"
    file.write_text(f'{ISSUER}[issuer.hooks]\niss = "https://ehr.example/cds"\njwks_file = "keys.json"\n')
    (tmp_path / "keys.json").write_text('{"keys": []}')
    assert read_issuers(file, {})[0].hooks == Hooks(iss="https://ehr.example/cds", keys={"keys": []})
    for wrong, complaint in (
        ('jwks_file = "none.json"', "none.json cannot be read"),
        ('jwks_file = "issuers.toml"', "is not JSON"),
        ("", "where the keys are"),
        ('jku = "https://ehr.example/jwks"\njwks_file = "keys.json"', "where the keys are"),
        ('jku = "http://ehr.example/jwks"', "plain http"),
        ('jku = "https://ehr.example/jwks"\norigins = ["ehr.example"]', "write an origin"),
        ('jku = "https://ehr.example/jwks"\nlanguage = "fr"', "language"),
    ):
        file.write_text(f'{ISSUER}[issuer.hooks]\niss = "https://ehr.example/cds"\n{wrong}\n')
        with pytest.raises(ConfigError, match=rf"issuer.*{complaint}"):
            read_issuers(file, {})


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("VERSTEL_PUBLIC_URL", "", "VERSTEL_PUBLIC_URL is not set"),
        ("VERSTEL_PUBLIC_URL", "http://verstel.example.org", "plain http"),
        ("VERSTEL_PUBLIC_URL", "verstel.example.org", "not an absolute https URL"),
        ("VERSTEL_PUBLIC_URL", "https://user@verstel.example.org", "user name"),
        ("VERSTEL_PUBLIC_URL", f"https://{'x' * 73}", "it has 81 characters; at most 80"),
        ("VERSTEL_SECRET_KEY", "short", "a key is shorter than 32 characters"),
        ("VERSTEL_ENCRYPTION_KEYS", "x", "not 32 url-safe base64-encoded bytes"),
        ("VERSTEL_ENCRYPTION_KEYS", " , ", "holds no key"),
        ("VERSTEL_INACTIVITY_MINUTES", "0", "end every session at once"),
        ("VERSTEL_ABSOLUTE_MINUTES", "long", "VERSTEL_ABSOLUTE_MINUTES: invalid literal"),
        ("VERSTEL_TRUSTED_PROXIES", "-1", "negative"),
        ("VERSTEL_FORM_OF_ADDRESS", "jij", "not je or u"),
        ("VERSTEL_SEVERAL_USERS_PER_BROWSER", "maybe", "not yes or no"),
        ("VERSTEL_TIME_ZONE", "Amsterdam", "not a time zone"),
        ("VERSTEL_COMPANION_TOKEN", "tok\u0142n", "no header can carry"),
        ("VERSTEL_DATABASE_WITHOUT_TLS", "perhaps", "not yes or no"),
        ("VERSTEL_INACTIVITY_MINUTE", "5", "VERSTEL_INACTIVITY_MINUTE is not a setting"),
        ("VERSTEL_ISSUERS_FILE", "/nowhere.toml", "/nowhere.toml: can't be read"),
    ],
)
def test_a_wrong_setting_is_named(name, value, complaint):
    with pytest.raises(ConfigError, match=complaint):
        Settings.from_env({**GOOD, name: value})


def test_all_wrong_settings_are_named_at_once():
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({"VERSTEL_TRUSTED_PROXIES": "x"})
    named = str(caught.value)
    assert all(name in named for name in (*GOOD, "VERSTEL_TRUSTED_PROXIES"))


def test_a_variable_that_another_command_reads_is_not_wrong():
    """`verstel publish` takes its token from the same environment."""
    assert Settings.from_env({**GOOD, "VERSTEL_TOKEN": "t"}).public_url == "https://verstel.example.org"


def test_a_secret_is_not_in_what_a_log_would_show():
    shown = repr(Settings.from_env(GOOD)) + repr(
        Issuer(base="https://e.example", name="E", client_id="v", auth="client_secret", client_secret="s3cret")
    )
    assert "s3cret" not in shown
    assert not [value for name, value in GOOD.items() if name != "VERSTEL_PUBLIC_URL" and value in shown]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("", r"issuers\.toml: has no \[\[issuer\]\]"),
        ("other = 1\n" + ISSUER, r"issuers\.toml: other: is not a known key; the keys here are issuer\."),
        (ISSUER + "colour = 1\n", r"issuers\.toml: issuer\[1\]\.colour: is not a known key"),
        (ISSUER + 'emergency_line = { fr = "x" }\n', r"issuer\[1\]\.emergency_line\.fr: is not a known key"),
        (ISSUER + "scopes = 1\n", r"issuer\[1\]\.scopes: is 1; it must be a text"),
        ('[[issuer]]\nbase = "https://ehr.example/fhir"\n', r"issuer\[1\]\.name: is missing"),
        (ISSUER.replace("https", "http"), "plain http"),
        (ISSUER + 'auth = "password"\n', r"issuer\[1\]\.auth: is 'password'; it must be one of"),
        (ISSUER + 'auth = "client_secret"\n', "client secret belongs"),
        (ISSUER + 'auth = "client_secret"\nclient_secret_env = "NOT_SET"\n', "NOT_SET"),
        (ISSUER + 'secret_as = "query"\n', r"issuer\[1\]\.secret_as: is 'query'; it must be one of"),
        (ISSUER + 'authorize = "put"\n', r"issuer\[1\]\.authorize: is 'put'; it must be one of"),
        (ISSUER + 'par = "yes"\n', r"issuer\[1\]\.par: is 'yes'; it must be one of"),
        (ISSUER + 'dpop = "always"\n', r"issuer\[1\]\.dpop: is 'always'; it must be one of"),
        (ISSUER + 'secret_as = "post"\n', "secret_as belongs to auth = 'client_secret'"),
        (
            ISSUER.replace('client_id = "', 'client_id = "a:')
            + 'auth = "client_secret"\nclient_secret_env = "SECRET"\nsecret_as = "basic-raw"\n',
            "with secret_as = 'basic-raw' nothing tells where it ends",
        ),
        (ISSUER + 'frame_ancestors = ["*"]\n', "frame_ancestors"),
        (ISSUER + 'caseload_scopes = "user/Patient.rs"\n', "has to hold openid and fhirUser"),
        (ISSUER + 'caseload_scopes = "openid fhirUser launch/patient user/Task.rs"\n', "holds 'launch/patient'"),
        (ISSUER + 'caseload_scopes = "openid fhirUser patient/Task.rs user/Task.rs"\n', "holds 'patient/Task.rs'"),
        (ISSUER + 'caseload_scopes = "openid fhirUser"\n', "holds no user/… scope"),
        *(
            (ISSUER + f'chart_url = "{wrong}"\n', "write an https address on a host of this issuer")
            for wrong in (
                "https://elsewhere.example/chart/{patient}",
                "http://ehr.example/chart/{patient}",
                "https://{patient}.ehr.example/",
                "https://ehr.example{patient}/",
                "https://ehr.example/chart",
                "https://ehr.example/{patient}/{patient}",
                "javascript:alert('{patient}')",
            )
        ),
        (ISSUER + 'team = "no"\n', r"issuer\[1\]\.team: is 'no'; it must be one of"),
        *(
            (ISSUER + "".join(map(team_lines, teams)), complaint)
            for teams, complaint in (
                ([{"id": "FACT Noord"}], "id is 'FACT Noord'; write up to 40 small letters, digits and hyphens"),
                ([{"id": "a" * 41}], "write up to 40 small letters"),
                ([{"id": "../x"}], "write up to 40 small letters"),
                ([{"name": " "}], "name"),
                ([{"references": []}], "fact has no references; write Organization/… or CareTeam/…"),
                ([{"references": ["Practitioner/1"]}], "has 'Practitioner/1': a team is Organization/… or CareTeam/…"),
                ([{"references": ["Organization/a b"]}], "has 'Organization/a b': a team is"),
                (
                    [{"references": ["https://ehr.example/fhir/Organization/1"]}],
                    "a team is Organization/… or CareTeam/…",
                ),
                ([{}, {"references": ["Organization/2"]}], "two with the id 'fact'; give each an id of its own"),
                ([{}, {"id": "ward"}], "has 'Organization/1' twice; leave it with one team, and once"),
                ([{"references": ["Organization/1"] * 2}], "has 'Organization/1' twice; leave it with one team"),
                ([{"members": ["Practitioner/1"]}], "members"),
            )
        ),
        (ISSUER + '[[issuer.teams]]\nid = "fact"\nname = "FACT"\n', "references"),
        (ISSUER + 'roles = "clinician"\n', r"issuer\[1\]\.roles: is 'clinician'"),
        (ISSUER + 'roles = { "ED" = "peer-worker" }\n', "roles has 'ED'; write a code with its system"),
        (ISSUER + 'roles = { "http://x|" = "peer-worker" }\n', r"roles has 'http://x\|'"),
        (ISSUER + 'roles = { "http://x|a|b" = "peer-worker" }\n', "roles has"),
        (ISSUER + 'roles = { "http://x|ED" = "boss" }\n', "is 'boss'; use one of clinician, responsible"),
        (ISSUER + 'roles = { "http://x|ED" = "client" }\n', "is 'client'; use one of"),
        (ISSUER + 'roles = { "http://x|ED" = "guest" }\n', "is 'guest'; use one of"),
        (ISSUER + 'search = "put"\n', r"issuer\[1\]\.search: is 'put'; it must be one of"),
        (ISSUER + 'aliases = ["ehr.inside"]\n', "aliases: 'ehr.inside' is not an absolute https URL"),
        (ISSUER + 'aliases = ["http://ehr.inside/fhir"]\n', "aliases: 'http://ehr.inside/fhir' uses plain http"),
        (
            ISSUER + 'aliases = ["https://EHR.example:443/fhir/"]\n',
            "aliases holds one address twice, or that of the issuer",
        ),
        (ISSUER + 'aliases = ["https://b.example", "https://b.example/"]\n', "aliases holds one address twice"),
        (ISSUER + 'hosts = ["https://login.example"]\n', "hosts holds 'https://login.example'; write the public name"),
        (ISSUER + 'hosts = ["*.example"]\n', "hosts holds"),
        (ISSUER + 'acr = ["loa3 loa4"]\n', "acr holds"),
        (ISSUER + "max_age = -1\n", "max_age is -1"),
        (ISSUER + 'max_age = "an hour"\n', r"max_age: is 'an hour'"),
        (ISSUER + 'hosts = ["10.0.0.5"]\n', "hosts holds"),
        (ISSUER + 'hosts = ["localhost"]\n', "hosts holds"),
        (ISSUER + 'frame_ancestors = ["https://a.example; script-src *"]\n', "frame_ancestors"),
        ("[[issuer", "is not TOML"),
    ],
)
def test_a_wrong_file_of_issuers_is_named_with_issuer_and_key(tmp_path, lines, complaint):
    file = tmp_path / "issuers.toml"
    file.write_text(lines)
    with pytest.raises(ConfigError, match=complaint):
        read_issuers(file, {"SECRET": "s3cret"})


def test_a_client_secret_travels_as_its_issuer_says(tmp_path):
    file = tmp_path / "issuers.toml"
    file.write_text(ISSUER + 'auth = "client_secret"\nclient_secret_env = "SECRET"\nsecret_as = "post"\n')
    assert read_issuers(file, {"SECRET": "s3cret"})[0].secret_as == "post"


def test_bound_tokens_and_pushed_requests_are_settings_of_the_issuer(tmp_path):
    file = tmp_path / "issuers.toml"
    file.write_text(ISSUER)
    assert read_issuers(file, {})[0].dpop == "offered"
    file.write_text(ISSUER + 'dpop = "required"\n')
    assert read_issuers(file, {})[0].dpop == "required"
    assert read_issuers(file, {})[0].par == "offered"
    assert read_issuers(file, {})[0].authorize == "get"
    file.write_text(ISSUER + 'authorize = "post"\n')
    assert read_issuers(file, {})[0].authorize == "post"
    file.write_text(ISSUER + 'par = "off"\n')
    assert read_issuers(file, {})[0].par == "off"
    with pytest.raises(ConfigError, match="dpop is 'always'; use one of offered, required, off"):
        Issuer(base="https://a.example", name="A", client_id="v", dpop="always")


def test_nothing_that_we_ask_for_may_delete():
    """No page of ours deletes anything in a record, so that right would only be there to be misused."""
    asked = Scopes.parse(f"{DEFAULT_SCOPES} {CASELOAD_SCOPES} {PUBLISHING}")
    assert asked.allows("Goal", "u")
    assert not {letter for _type, letter in asked.granted} & {"d"}


@pytest.mark.parametrize(("second", "complaint"), [({}, "listed twice"), ({"base": "https://b.example"}, "same key")])
def test_two_issuers_never_share_a_record(second, complaint):
    first = {"base": "https://a.example", "name": "A", "client_id": "v", "key": "a"}
    values = {
        "public_url": "https://x.example",
        "secret_keys": ("x" * 32,),
        "encryption_keys": (GOOD["VERSTEL_ENCRYPTION_KEYS"],),
    }
    with pytest.raises(ConfigError, match=complaint):
        Settings(**values, issuers=(Issuer(**first), Issuer(**{**first, **second})))


@pytest.mark.parametrize(
    "alias", ["https://b.example/fhir", "https://B.example:443/fhir/", "https://b.example", "https://b.example/fhir/x"]
)
@pytest.mark.parametrize("of", ["base", "alias"])
def test_an_alias_that_reaches_into_another_issuer_is_refused(alias, of):
    other = {"base": "https://b.example/fhir"}
    if of == "alias":
        other = {"base": "https://c.example", "aliases": ("https://b.example/fhir",)}
    issuers = (
        Issuer(base="https://a.example", name="A", client_id="v", aliases=(alias,)),
        Issuer(name="B", client_id="v", **other),
    )
    values = {
        "public_url": "https://x.example",
        "secret_keys": ("x" * 32,),
        "encryption_keys": (GOOD["VERSTEL_ENCRYPTION_KEYS"],),
    }
    with pytest.raises(ConfigError, match="is another issuer's"):
        Settings(**values, issuers=issuers)


def test_an_issuer_is_found_by_its_addresses_letter_for_letter():
    beside = Issuer(base="https://a.example", name="A", client_id="v", aliases=("https://a.inside/fhir",))
    found = Settings(
        public_url="https://x.example",
        secret_keys=("x" * 32,),
        encryption_keys=(GOOD["VERSTEL_ENCRYPTION_KEYS"],),
        issuers=(beside,),
    )
    assert [found.launched_from(iss) for iss in beside.bases] == [beside, beside]
    assert found.launched_from("https://a.inside/fhir/") is None
    assert found.bases("https://a.example") == ("https://a.example", "https://a.inside/fhir")
    assert found.bases("https://gone.example") == ("https://gone.example",)


INSIDE = "localhost LOCALHOST. a.localhost 127.0.0.1 127.9.9.9 127.1 2130706433 0x7f.1 0.0.0.0 10.1.2.3 172.16.0.1"
INSIDE_TOO = "192.168.1.1 169.254.169.254 100.64.0.1 ::1 :: fe80::1%eth0 fd00::1 ::ffff:127.0.0.1"


@pytest.mark.parametrize("host", f"{INSIDE} {INSIDE_TOO}".split())
def test_an_address_inside_is_known_however_it_is_written(host):
    assert is_inside(host)


@pytest.mark.parametrize(
    "host", ["ehr.example", "localhost.example", "8.8.8.8", "2001:4860:4860::8888", "4you.example"]
)
def test_an_address_of_the_internet_is_not_inside(host):
    assert not is_inside(host)


@pytest.mark.parametrize(
    ("base", "url", "trusted"),
    [
        ("https://ehr.example/fhir", "https://ehr.example:8443/token", True),
        ("https://ehr.example/fhir", "https://EHR.example/token", True),
        ("https://ehr.example/fhir", "https://login.example/token", True),
        ("https://ehr.example/fhir", "https://sso.example", True),
        ("https://ehr.example/fhir", "http://ehr.example/token", False),
        ("https://ehr.example/fhir", "https://ehr.example.evil.example/token", False),
        ("https://ehr.example/fhir", "https://ehr.example@evil.example/token", False),
        ("https://ehr.example/fhir", "http://localhost/token", False),
        ("https://10.0.0.5/fhir", "https://10.0.0.5/token", True),
        ("https://10.0.0.5/fhir", "https://10.0.0.6/token", False),
        ("http://localhost:8000/fhir", "http://127.0.0.1:9/token", True),
        ("http://localhost:8000/fhir", "https://login.example/token", True),
        ("http://localhost:8000/fhir", "https://evil.example/token", False),
    ],
)
def test_an_issuer_names_https_on_its_own_hosts_and_only_one_on_this_machine_this_machine(base, url, trusted):
    issuer = Issuer(base=base, name="E", client_id="v", hosts=("login.example",), openid_issuer="https://sso.example")
    assert issuer.trusts(url) is trusted


SECRETS = {
    "VERSTEL_SECRET_KEY": ("x" * 32, lambda settings: settings.secret_keys[0]),
    "VERSTEL_ENCRYPTION_KEYS": (Fernet.generate_key().decode(), lambda settings: settings.encryption_keys[0]),
    "VERSTEL_COMPANION_TOKEN": ("t0ken", lambda settings: settings.companion_token),
    "VERSTEL_DATABASE_URL": ("postgresql+psycopg://v:hush@localhost/v", lambda settings: settings.database_url),
}


class TestSecretsFromFiles:
    @pytest.mark.parametrize("name", SECRETS)
    def test_a_file_holds_what_the_variable_would(self, tmp_path, name):
        secret, read = SECRETS[name]
        (tmp_path / "secret").write_text(f"{secret}\n")
        environ = {**GOOD, name: "", f"{name}_FILE": str(tmp_path / "secret")}
        assert read(Settings.from_env(environ)) == secret

    def test_keys_in_a_file_may_stand_below_each_other(self, tmp_path):
        keys = [Fernet.generate_key().decode() for _ in range(2)]
        (tmp_path / "keys").write_text("\n".join(keys))
        environ = {**GOOD, "VERSTEL_ENCRYPTION_KEYS": "", "VERSTEL_ENCRYPTION_KEYS_FILE": str(tmp_path / "keys")}
        assert Settings.from_env(environ).encryption_keys == tuple(keys)

    @pytest.mark.parametrize(
        ("content", "also", "complaint"),
        [
            (None, "", r"VERSTEL_SECRET_KEY: .*/key cannot be read \(No such file or directory\)"),
            (b"\n", "", r"/key is empty"),
            (b"\xff\xfe", "", r"/key is not a text"),
            (b"hush", "", r"VERSTEL_SECRET_KEY: a key is shorter than 32"),
            (b"x" * 32, "y" * 32, "both VERSTEL_SECRET_KEY and VERSTEL_SECRET_KEY_FILE are set"),
        ],
    )
    def test_a_file_that_will_not_do_is_named_and_never_quoted(self, tmp_path, content, also, complaint):
        if content is not None:
            (tmp_path / "key").write_bytes(content)
        environ = {**GOOD, "VERSTEL_SECRET_KEY": also, "VERSTEL_SECRET_KEY_FILE": str(tmp_path / "key")}
        with pytest.raises(ConfigError, match=complaint) as caught:
            Settings.from_env(environ)
        assert "hush" not in str(caught.value)

    def test_what_is_no_secret_is_in_no_file(self):
        with pytest.raises(ConfigError, match="VERSTEL_TIME_ZONE_FILE is not a setting"):
            Settings.from_env({**GOOD, "VERSTEL_TIME_ZONE_FILE": "/run/zone"})

    def test_a_client_secret_is_in_a_file_beside_that_of_the_issuers(self, tmp_path):
        (tmp_path / "portal-secret").write_text("s3cret\n")
        file = tmp_path / "issuers.toml"
        file.write_text(f'{ISSUER}auth = "client_secret"\nclient_secret_file = "portal-secret"\n')
        assert read_issuers(file, {})[0].client_secret == "s3cret"

    @pytest.mark.parametrize(
        ("lines", "complaint"),
        [
            ('client_secret_file = "none"', r"issuer\[1\]: client_secret_file: .*none cannot be read"),
            ('client_secret_file = "none"\nclient_secret_env = "HOME"', r"issuer\[1\]: has both"),
        ],
    )
    def test_a_client_secret_that_is_not_there_is_named(self, tmp_path, lines, complaint):
        file = tmp_path / "issuers.toml"
        file.write_text(f'{ISSUER}auth = "client_secret"\n{lines}\n')
        with pytest.raises(ConfigError, match=complaint):
            read_issuers(file, {"HOME": "x"})


def test_a_key_that_was_replaced_still_proves_what_it_signed():
    old, new = "o" * 32, "n" * 32
    before, during, after = (
        Settings.from_env({**GOOD, "VERSTEL_SECRET_KEY": given}) for given in (old, f"{new}, {old}", new)
    )
    token = form_token(before, "session", "launch")
    assert is_form_token(token, during, "session", "launch")
    assert not is_form_token(token, after, "session", "launch")
    assert is_form_token(form_token(during, "session", "launch"), after, "session", "launch")


PLAIN = "postgresql+psycopg://v:hush@db.example/v"


@pytest.mark.parametrize(
    "url",
    [
        PLAIN,
        f"{PLAIN}?sslmode=prefer",
        f"{PLAIN}?sslmode=require",
        f"{PLAIN}?sslmode=verify-ca",
        "postgresql://v@/v?host=db.example",
        "postgresql://v@127.0.0.1/v?hostaddr=db.example",
    ],
)
def test_postgresql_on_another_machine_that_need_not_prove_who_it_is_is_refused(url):
    with pytest.raises(ConfigError, match=r"PostgreSQL on db\.example names people.*sslmode=verify-full") as caught:
        Settings.from_env({**GOOD, "VERSTEL_DATABASE_URL": url})
    assert "hush" not in str(caught.value)


def test_a_service_may_be_anywhere_so_it_has_to_prove_who_it_is_too():
    with pytest.raises(ConfigError, match="PostgreSQL on service prod names people"):
        Settings.from_env({**GOOD, "VERSTEL_DATABASE_URL": "postgresql:///v?service=prod"})


@pytest.mark.parametrize(
    ("url", "more"),
    [
        (f"{PLAIN}?sslmode=verify-full", {}),
        (f"{PLAIN}?sslmode=verify-full&sslrootcert=system", {}),
        (f"{PLAIN}?sslmode=require", {"VERSTEL_DATABASE_WITHOUT_TLS": "yes"}),
        (PLAIN, {"VERSTEL_DATABASE_WITHOUT_TLS": "yes"}),
        ("postgresql+psycopg://v@127.0.0.1:5432/v", {}),
        ("postgresql+psycopg:///v", {}),
        ("postgresql+psycopg:///v?host=/run/postgresql", {}),
        ("sqlite:////var/lib/verstel.db", {}),
    ],
)
def test_a_database_that_is_near_or_proves_who_it_is_is_accepted(url, more):
    assert Settings.from_env({**GOOD, "VERSTEL_DATABASE_URL": url, **more}).database_url == url


def test_a_place_has_its_own_emergency_line():
    issuer = Issuer(base="https://a.example", name="A", client_id="v", emergency_line={"nl": "Bel 000."})
    settings = Settings.from_env(GOOD)
    assert settings.emergency_line("nl", issuer) == "Bel 000."
    assert settings.emergency_line("en", issuer) == settings.emergency_line_en


SERVED_ONCE = """
import sys
import smartapp.commands.serve as serve
def one_request(_serving, app, *_more):
    client, base = app.test_client(), "https://verstel.example.org"
    client.get("/launch?launch=x&iss=https://nobody.example", base_url=base)
    for path in ("/sandbox/", "/sandbox/fhir/metadata", "/components"):
        print(client.get(path, base_url=base).status_code, end=" ")
    print(*(name for name in sys.modules if name.split(".")[0] in ("tests", "pytest") or "sandbox" in name))
serve._Serving.run = one_request
serve.command(["--listen", "127.0.0.1:0"])
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A process of its own: pytest sets up logging and imports too."""
    env = {**os.environ, **TestServe().env(tmp_path_factory.mktemp("served-once"))}
    return subprocess.run([sys.executable, "-c", SERVED_ONCE], env=env, capture_output=True, text=True, check=True)


class TestServe:
    def env(self, tmp_path):
        (tmp_path / "issuers.toml").write_text(ISSUER)
        return {
            **GOOD,
            "VERSTEL_ISSUERS_FILE": str(tmp_path / "issuers.toml"),
            "VERSTEL_DATABASE_URL": f"sqlite:///{tmp_path / 'verstel.db'}",
        }

    def run(self, tmp_path, **changes):
        return CliRunner(env={**self.env(tmp_path), **changes}).invoke(serve, ["--check"])

    def test_why_a_launch_was_refused_is_in_the_log(self, ran):
        """The page shows no reason, so the log must."""
        assert "INFO smartapp.web.error_pages: 400 unknown-issuer" in ran.stderr

    def test_neither_the_sandbox_nor_the_page_of_all_components_is_there(self, ran):
        assert ran.stdout == "404 404 404 \n"

    def test_a_second_one_on_the_same_file_is_refused_and_a_check_is_not(self, tmp_path):
        first = open_database(f"sqlite:///{tmp_path / 'verstel.db'}", alone=True)
        result = CliRunner(env=self.env(tmp_path)).invoke(serve, [])
        assert result.exit_code == 2
        assert f"Another process of Verstel is running on {tmp_path / 'verstel.db'}" in result.output
        assert self.run(tmp_path).exit_code == 0
        first.dispose()

    def test_complete_settings_are_enough_to_start(self, tmp_path):
        result = self.run(tmp_path)
        assert result.exit_code == 0, result.output
        assert result.output.splitlines() == [
            "The settings are complete. To register at each EHR or portal:",
            "  launch URL: https://verstel.example.org/launch",
            "  redirect URI: https://verstel.example.org/callback",
        ]

    @pytest.mark.parametrize(
        ("lines", "named"),
        [
            ('messages_client_id = "m"\n', "  keys of ours (JWKS): https://verstel.example.org/.well-known/jwks.json"),
            (
                'caseload_scopes = "openid fhirUser user/Patient.rs"\n',
                "  launch URL of the list of own clients: https://verstel.example.org/caseload",
            ),
        ],
    )
    def test_what_an_issuer_uses_is_named_among_what_is_registered(self, tmp_path, lines, named):
        without = self.run(tmp_path).output.splitlines()
        file = tmp_path / "more.toml"
        file.write_text(f"{ISSUER}{lines}")
        keys = tmp_path / "keys.json"
        keys.write_text(json.dumps(KeySet([ECKey.generate_key("P-384")]).as_dict(private=True)))
        result = self.run(tmp_path, VERSTEL_ISSUERS_FILE=str(file), VERSTEL_SIGNING_KEYS_FILE=str(keys))
        assert result.exit_code == 0, result.output
        assert named in result.output.splitlines()
        assert named not in without

    @pytest.mark.parametrize(
        ("changes", "complaint"),
        [
            ({"VERSTEL_PUBLIC_URL": None}, "VERSTEL_PUBLIC_URL is not set"),
            ({"VERSTEL_ISSUERS_FILE": None}, "nobody can sign in"),
            ({"VERSTEL_DATABASE_URL": "nonsense"}, "database address"),
            ({"VERSTEL_DATABASE_URL": "postgresql+nonsense:///x"}, "database or driver that we do not know"),
            ({"VERSTEL_DATABASE_URL": "mysql+pymysql://v:hush@db/x"}, "database driver pymysql is not installed"),
            ({"VERSTEL_DATABASE_URL": f"sqlite:///{__file__}"}, "cannot be opened: file is not a database"),
            ({"VERSTEL_DATABASE_URL": "sqlite:////dev/null/x/verstel.db"}, "cannot be opened: Not a directory"),
        ],
    )
    def test_without_them_it_does_not_start_and_says_why(self, tmp_path, changes, complaint):
        result = self.run(tmp_path, **changes)
        assert result.exit_code == 2
        assert complaint in result.output
        assert "hush" not in result.output
        assert type(result.exception) is SystemExit
