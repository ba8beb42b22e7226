"""docs/deploy without a container engine: what the files set exists, fits together, and starts the app."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import click
import pytest

from smartapp import create_app
from smartapp.cli import main as verstel
from smartapp.settings import _ELSEWHERE, ConfigError, Settings, _settings, _variables
from smartapp.web.limits import SIGN_IN, UNCOUNTED
from smartapp.web.workers import DRAIN_SECONDS
from tests.deploy.reading import (
    DEPLOY,
    OURS,
    ROOT,
    Deployment,
    compose,
    containerfile,
    deployments,
    image_command,
    kubernetes,
    site,
    unit,
)

HOST = "verstel.example.org"
NAMED_BY = [*sorted(path for path in DEPLOY.rglob("*") if path.is_file()), *sorted((ROOT / "docs").glob("*.md"))]
FIVE_MB_AND_MORE = 6_000_000


WAYS = {"compose": (), "systemd": ("localhost",), "kubernetes": ("postgresql.example.org",)}
"""What docs/deploy/README.md gives prepare.sh in each way, after the host name."""


@pytest.fixture(scope="module")
def sites(tmp_path_factory) -> dict[str, Path]:
    return {way: site(tmp_path_factory.mktemp(way), HOST, *more) for way, more in WAYS.items()}


@pytest.fixture
def made(sites) -> Path:
    return sites["compose"]


def of(way: str, sites: dict[str, Path]) -> Deployment:
    return next(one for one in deployments(sites[way]) if one.name == way)


def test_the_document_prepares_each_way_as_it_is_tried_here():
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    given = re.findall(r"prepare\.sh verstel\.example\.org ?(\S*)", text)
    assert given == [" ".join(more) for more in WAYS.values()]


def test_every_setting_that_a_file_or_a_document_names_exists():
    known = {name for setting in _settings() for name in _variables(setting)} | _ELSEWHERE
    # Where `make conformance` finds programs that are on no registry.
    proofs = (ROOT / "tests" / "conformance").rglob("*.py")
    known |= {name for path in proofs for name in re.findall(rf'"({OURS.pattern})"', path.read_text(encoding="utf-8"))}
    named = {(path.name, name) for path in NAMED_BY for name in OURS.findall(path.read_text(encoding="utf-8"))}
    assert len(named) > 20
    # VERSTEL_SMTP_… stands for several.
    assert {one for one in named if not any(name.startswith(one[1]) for name in known)} == set()


@pytest.mark.parametrize("way", WAYS)
def test_the_app_starts_with_the_settings_of_each_way_to_run_it(sites, way, tmp_path):
    given = of(way, sites).environment
    settings = Settings.from_env(given)
    assert settings.public_url == f"https://{HOST}"
    assert settings.trusted_proxies == 1
    assert settings.issuers
    assert settings.signing_keys_file
    assert settings.database_url.startswith("postgresql+psycopg://verstel:")
    here = {name: value for name, value in given.items() if not name.startswith("VERSTEL_DATABASE")}
    app = create_app(Settings.from_env({**here, "VERSTEL_DATABASE_URL": f"sqlite:///{tmp_path / 'app.db'}"}))
    asked = app.test_client()
    # By the address of the process, as a probe asks, and by the name that people know.
    assert asked.get("/readyz", headers={"Host": "10.0.0.7:8000"}).status_code == 200
    assert asked.get("/", base_url=f"https://{HOST}").status_code == 200


@pytest.mark.parametrize("way", WAYS)
def test_each_takes_every_secret_from_a_file_and_says_which_is_missing(sites, way):
    given = of(way, sites).environment
    secrets = [setting for setting in _settings() if setting.metadata["secret"]]
    assert not [name for setting in secrets if (name := setting.metadata["env"]) in given]
    files = [name for name in given if name.endswith("_FILE") and "/secrets/" in given[name]]
    assert len(files) == 4
    for name in files:
        if name == "VERSTEL_SIGNING_KEYS_FILE":  # read by the app itself, where an issuer needs it
            continue
        with pytest.raises(
            ConfigError, match=f"{name.removesuffix('_FILE')}: .*{Path(given[name]).name}.gone cannot be read"
        ):
            Settings.from_env({**given, name: given[name] + ".gone"})


def test_a_database_on_another_machine_proves_who_it_is(sites):
    addresses = {way: (sites[way] / "secrets" / "database_url").read_text().strip() for way in sites}
    password = (sites["kubernetes"] / "secrets" / "verstel_database_password").read_text()
    assert addresses["kubernetes"].partition("//")[2] == (
        f"verstel:{password}@postgresql.example.org/verstel?sslmode=verify-full&sslrootcert=system"
    )
    assert [addresses[way].rpartition("@")[2] for way in ("compose", "systemd")] == ["db/verstel", "localhost/verstel"]


def test_what_was_made_is_never_made_again(made):
    before = {path.name: path.read_text() for path in (made / "secrets").iterdir()}
    script = made.parent / "prepare.sh"
    done = subprocess.run(
        ["/bin/sh", str(script), "other.example.org", "other"], check=True, capture_output=True, text=True
    )
    assert {path.name: path.read_text() for path in (made / "secrets").iterdir()} == before
    assert HOST in (made / "verstel.env").read_text()
    assert (made / "secrets").stat().st_mode & 0o077 == 0
    # What is to be registered is what the app will say, not what was asked for this time.
    assert f"https://{HOST}/callback" in done.stdout
    assert "other.example.org" not in done.stdout
    assert [line.partition(" ")[0] for line in done.stderr.splitlines()] == [
        ".env",
        "site/verstel.env",
        "site/secrets/database_url",
    ]


def commands() -> list[tuple[str, list[str]]]:
    """Return every `verstel …` that a file of docs/deploy or the document for operators runs, with where it stands."""
    found = [("Containerfile", image_command())]
    found += [("verstel.service", shlex.split(value)[1:]) for name, value in unit() if name.startswith("ExecStart")]
    for path in (DEPLOY / "README.md", DEPLOY / "prepare.sh", ROOT / "docs" / "operators.md"):
        text = path.read_text(encoding="utf-8")
        lines = re.findall(
            r"(?m)^(?:\$ |new \w+ )(?:\$\{VERSTEL:-verstel\}|verstel|docker compose run --rm app) (.*)$", text
        )
        found += [(path.name, shlex.split(line, comments=True)) for line in lines]
    return [*found, ("kubernetes", kubernetes()["Deployment"][0]["spec"]["template"]["spec"]["containers"][0]["args"])]


def read(words: list[str]) -> click.Context:
    """Have our own command line read a command, without running it."""
    context, command = click.Context(verstel, info_name="verstel"), verstel
    while isinstance(command, click.Group):
        name, command, words = command.resolve_command(context, words)
        assert command is not None
        if not isinstance(command, click.Group):
            return command.make_context(name, words, parent=context)
    return context


def test_every_command_is_one_that_our_command_line_has():
    assert len(commands()) > 8
    for where, words in commands():
        assert read(list(words)), where
    with pytest.raises(click.UsageError):
        read(["serve", "--port", "8000"])


@pytest.mark.parametrize("way", WAYS)
def test_each_gives_what_is_under_way_the_time_to_end(sites, way):
    announced = read(list(of(way, sites).command)).params["announce"]
    granted = {
        "compose": int(compose()["services"]["app"]["stop_grace_period"].removesuffix("s")),
        "systemd": int(dict(unit())["TimeoutStopSec"]),
        "kubernetes": kubernetes()["Deployment"][0]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"],
    }
    assert granted[way] >= announced + DRAIN_SECONDS + 10


# --- compose ----------------------------------------------------------------------------------------------------------


def test_compose_names_nothing_that_it_does_not_have(made):
    whole = compose()
    for name, service in whole["services"].items():
        secrets = [one if isinstance(one, str) else one["source"] for one in service.get("secrets", ())]
        assert set(secrets) <= whole["secrets"].keys(), name
        assert set(service.get("networks", ())) <= whole["networks"].keys(), name
        assert set(service.get("depends_on", ())) <= whole["services"].keys(), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (made.parent / source).exists() if source.startswith("./") else source in whole["volumes"], volume
    assert {one["file"].removeprefix("site/") for one in whole["secrets"].values()} == {
        f"secrets/{path.name}" for path in (made / "secrets").iterdir()
    }


def test_in_compose_only_the_proxy_is_reached_from_outside(sites):
    services = compose()["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert services["db"]["networks"] == ["back"]
    assert compose()["networks"]["back"]["internal"] is True
    # A companion speaks plain http: only on the loopback that it shares with the app.
    assert (services["hapi"]["network_mode"], services["hapi"]["environment"]["SERVER_ADDRESS"]) == (
        "service:app",
        "127.0.0.1",
    )
    told = re.search(r"`(VERSTEL_COMPANION_FHIR_URL)=(\S+)`", (DEPLOY / "README.md").read_text(encoding="utf-8"))
    settings = Settings.from_env({**of("compose", sites).environment, told[1]: told[2]})
    assert settings.companion_url == "http://localhost:8080/fhir"


def test_what_waits_for_a_healthy_service_waits_for_one_that_tells():
    services, tells = compose()["services"], {"app"}  # the image of the app has its check
    assert "HEALTHCHECK" in dict(containerfile())
    tells |= {name for name, service in services.items() if "healthcheck" in service}
    waits = {
        one
        for service in services.values()
        for one, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert waits == {"app", "db"} <= tells


def test_a_script_that_postgresql_runs_runs_by_itself_and_names_no_password_in_a_command(made, tmp_path):
    script = DEPLOY / "databases.sh"
    # The image of PostgreSQL would read one that can't be run into its own shell, with all that it sets there.
    assert os.access(script, os.X_OK)
    said = tmp_path / "said"
    psql = tmp_path / "psql"
    psql.write_text(f'#!/bin/sh\necho "$@" > {said}.command\ncat > {said}.sql\n')
    psql.chmod(0o700)
    (tmp_path / "verstel_database_password").write_text("it's $1 \\ `x` \"")
    (tmp_path / "hapi_database_password").write_text("plain")
    environment = {"PATH": "/usr/bin:/bin", "PSQL": f"env {psql}", "SECRETS": str(tmp_path)}
    subprocess.run(["/bin/sh", str(script)], check=True, env=environment)
    assert "CREATE ROLE verstel LOGIN PASSWORD 'it''s $1 \\ `x` \"';" in Path(f"{said}.sql").read_text()
    assert "PASSWORD 'plain';" in Path(f"{said}.sql").read_text()
    assert "plain" not in Path(f"{said}.command").read_text()


# --- the image --------------------------------------------------------------------------------------------------------


def test_the_image_is_made_of_files_that_exist_and_that_its_builder_gets():
    ignored = (DEPLOY / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    given = [line[1:] for line in ignored if line.startswith("!")]
    copied = [
        word for name, rest in containerfile() if name == "COPY" and "--from" not in rest for word in rest.split()[:-1]
    ]
    assert {word for word in copied if not (ROOT / word).exists()} == set()
    assert set(copied) == set(given)
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(packages["packages"]) <= set(copied)


def test_the_image_runs_as_nobody_and_holds_no_secret():
    lines = containerfile()
    assert [rest for name, rest in lines if name == "USER"] == ["10001:10001"]
    assert not [rest for name, rest in lines if name in {"ENV", "ARG"} and OURS.search(rest)]
    assert not [rest for name, rest in lines if name == "ADD"]
    installs = [rest for name, rest in lines if name == "RUN" and "pip install" in rest for rest in rest.split("&&")]
    assert all("--require-hashes" in one or "--no-deps" in one for one in installs if "pip install" in one)


# --- Kubernetes -------------------------------------------------------------------------------------------------------


def test_kubernetes_finds_the_pods_by_the_labels_that_they_have():
    made = kubernetes()
    deployment = made["Deployment"][0]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels
    assert made["Service"][0]["spec"]["selector"] == labels
    assert made["PodDisruptionBudget"][0]["spec"]["selector"]["matchLabels"] == labels
    assert made["NetworkPolicy"][0]["spec"]["podSelector"]["matchLabels"] == labels
    assert made["PodDisruptionBudget"][0]["spec"]["minAvailable"] < deployment["replicas"]


def test_kubernetes_names_ports_volumes_and_services_that_are_there():
    made = kubernetes()
    pod = made["Deployment"][0]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    told = read(list(container["args"])).params
    assert ports == {"http": told["listen"][1], "metrics": told["metrics"][1]}
    assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}
    assert pod["serviceAccountName"] == made["ServiceAccount"][0]["metadata"]["name"]
    [port] = made["Service"][0]["spec"]["ports"]
    assert port["targetPort"] in ports
    [rule] = made["Ingress"][0]["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": made["Service"][0]["metadata"]["name"], "port": {"name": port["name"]}}
    assert rule["host"] in made["Ingress"][0]["spec"]["tls"][0]["hosts"]
    probes = {container[one]["httpGet"]["path"] for one in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert probes == UNCOUNTED


def test_kubernetes_sets_no_variable_that_the_app_would_refuse(sites):
    pod = kubernetes()["Deployment"][0]["spec"]["template"]["spec"]
    assert pod["enableServiceLinks"] is False
    # What it would set for the Service `verstel`:
    with pytest.raises(ConfigError, match="VERSTEL_SERVICE_HOST is not a setting"):
        Settings.from_env({**of("kubernetes", sites).environment, "VERSTEL_SERVICE_HOST": "10.0.0.1"})


def test_kubernetes_gets_the_secrets_that_the_app_reads_and_no_other(sites):
    # The folder also has the password of PostgreSQL's superuser.
    [line] = re.findall(r"create secret generic .*", (DEPLOY / "README.md").read_text(encoding="utf-8"))
    given = {word.removeprefix("--from-file=site/secrets/") for word in shlex.split(line) if word.startswith("--")}
    read_by_app = {Path(value).name for value in of("kubernetes", sites).environment.values() if "/secrets/" in value}
    assert given == read_by_app


def test_the_pods_keep_to_what_the_namespace_enforces():
    pod = kubernetes()["Deployment"][0]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    # The user of the image, so that files of a Secret can be read.
    assert str(pod["securityContext"]["runAsUser"]) in dict(containerfile())["USER"]
    assert kubernetes()["Deployment"][0]["spec"]["strategy"] == {"type": "Recreate"}


# --- proxies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "size"),
    [("nginx.conf", r"client_max_body_size (\d+)m"), ("Caddyfile", r"max_size (\d+)MB")],
)
def test_a_proxy_lets_the_file_of_a_client_through_and_adds_no_header_of_its_own(file, size):
    text = re.sub(r"(?m)#.*$", "", (DEPLOY / file).read_text(encoding="utf-8"))
    assert int(re.search(size, text)[1]) * 1_000_000 > FIVE_MB_AND_MORE
    assert not re.search(r"add_header|header_down|X-Frame-Options|Content-Security-Policy|proxy_cache", text)
    assert "access_log off" in text or "log" not in text


def test_nginx_bounds_the_addresses_that_need_no_sign_in():
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    pattern = re.compile(re.search(r"location ~ (\S+)", text)[1])
    assert all(pattern.search(path) for path in SIGN_IN)
    assert not pattern.search("/l/1/launch")


# --- the document for operators, literally ----------------------------------------------------------------------------


def test_the_first_start_goes_as_it_is_written(tmp_path):
    text = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    block = re.search(r"```console\n(.*?)```", text, re.S)[1]
    lines = [line.removeprefix("$ ") for line in block.splitlines()]
    assert lines[0].startswith("pip install")
    assert lines[-1].startswith("verstel serve --listen")
    for file in (".env.example", "issuers.example.toml"):
        (tmp_path / file).write_bytes((ROOT / file).read_bytes())
    script = "set -e\n" + "\n".join(lines[1:-1]).replace("verstel ", f"{ROOT / '.venv/bin/verstel'} ")
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert (done.returncode, done.stdout) == (
        0,
        "The settings are complete. To register at each EHR or portal:\n"
        "  launch URL: https://verstel.example.org/launch\n"
        "  redirect URI: https://verstel.example.org/callback\n",
    ), done.stderr


def test_no_file_that_a_place_makes_can_be_committed():
    patterns = (DEPLOY / ".gitignore").read_text().split()
    assert all(any(fnmatch(name, pattern) for pattern in patterns) for name in (".env", "site/", "verstel.dump"))
