"""What docs/deploy sets: which settings the app gets in each way to run it, and from which files."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "docs" / "deploy"
OURS: Final = re.compile(r"VERSTEL_[A-Z_]*[A-Z]")
"""What reads as one of our settings, wherever it stands."""


@dataclass(frozen=True)
class Deployment:
    """One way to run the app: its environment with the paths of this machine, and the command that it runs."""

    name: str
    environment: dict[str, str]
    command: list[str]


def site(folder: Path, *arguments: str) -> Path:
    """Run prepare.sh on a copy in `folder`, with the command line of this checkout, and return the site it made."""
    shutil.copytree(DEPLOY, folder / "docs" / "deploy", ignore=shutil.ignore_patterns("site", ".env"))
    shutil.copy(ROOT / "issuers.example.toml", folder)
    verstel = shlex.join([sys.executable, "-m", "smartapp"])
    subprocess.run(
        ["/bin/sh", str(folder / "docs" / "deploy" / "prepare.sh"), *arguments],
        check=True,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "VERSTEL": verstel, "PYTHONPATH": str(ROOT)},
    )
    return folder / "docs" / "deploy" / "site"


def documents(path: Path) -> list[dict[str, Any]]:
    """Return the documents of a YAML file."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def env_file(path: Path) -> dict[str, str]:
    """Return the NAME=value lines of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def compose() -> dict[str, Any]:
    """Return the compose file."""
    [found] = documents(DEPLOY / "compose.yaml")
    return found


def kubernetes() -> dict[str, list[dict[str, Any]]]:
    """Return what the Kubernetes files make, by kind."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for one in documents(path):
            found.setdefault(one["kind"], []).append(one)
    return found


def unit() -> list[tuple[str, str]]:
    """Return the lines of the systemd unit: name and value, each as often as it stands there."""
    lines = (DEPLOY / "verstel.service").read_text(encoding="utf-8").splitlines()
    return [(name, value) for name, _, value in (line.partition("=") for line in lines) if value or "=" in name]


def containerfile() -> list[tuple[str, str]]:
    """Return the instructions of the Containerfile, with continued lines in one."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\s*\\\n\s*", " ", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines) if word.isupper()]


def deployments(made: Path) -> list[Deployment]:
    """Return each way to run the app, with the site that prepare.sh made."""
    return [_of_compose(made), _of_systemd(made), _of_kubernetes(made)]


def image_command() -> list[str]:
    """Return what the image runs where nobody says otherwise, after `verstel`."""
    words: list[str] = yaml.safe_load(dict(containerfile())["CMD"])
    return words


def _of_compose(made: Path) -> Deployment:
    app = compose()["services"]["app"]
    places = {"/run/secrets": made / "secrets", "/etc/verstel": made}
    given = {**env_file(made / "verstel.env"), **app["environment"]}
    return Deployment("compose", _here(given, places), image_command())


def _of_systemd(made: Path) -> Deployment:
    lines = unit()
    places = {"%d": made / "secrets", "/etc/verstel": made}
    given = dict(value.split("=", 1) for name, value in lines if name == "Environment")
    command = next(value for name, value in lines if name == "ExecStart")
    return Deployment("systemd", _here({**env_file(made / "verstel.env"), **given}, places), shlex.split(command)[1:])


def _of_kubernetes(made: Path) -> Deployment:
    [container] = kubernetes()["Deployment"][0]["spec"]["template"]["spec"]["containers"]
    places = {"/run/secrets/verstel": made / "secrets", "/etc/verstel": made}
    given = {**env_file(made / "verstel.env"), **{one["name"]: one["value"] for one in container["env"]}}
    return Deployment("kubernetes", _here(given, places), container["args"])


def _here(given: dict[str, str], places: dict[str, Path]) -> dict[str, str]:
    found = {}
    for name, value in given.items():
        place = next((one for one in places if value.startswith(f"{one}/")), None)
        found[name] = str(places[place]) + value.removeprefix(place) if place else value
    return found
