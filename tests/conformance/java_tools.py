"""Build our small Java programs with Maven, and make the command that runs them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.conformance.turns import one_at_a_time

JAVA = Path(__file__).parent / "java"


class NotHereError(RuntimeError):
    """A tool or a registry is missing: this part can't run here. The message names it."""


class BuildError(RuntimeError):
    """Our own Java does not compile; the message holds Maven's words."""


def build(name: str) -> Path:
    """Build the program in `java/<name>`, unless its jar is newer than its sources, and return its `target` folder."""
    with one_at_a_time("maven"):
        return _built(JAVA / name)


def _built(folder: Path) -> Path:
    name = folder.name
    jar, class_path = folder / "target" / f"{name}.jar", folder / "target" / "classpath"
    sources = [folder / "pom.xml", *(folder / "src").rglob("*.*")]
    if jar.is_file() and class_path.is_file():
        jars = [Path(path) for path in class_path.read_text().split(":")]
        newest = max(path.stat().st_mtime for path in sources)
        if jar.stat().st_mtime > newest and all(path.is_file() for path in jars):
            return jar.parent
    command = ["mvn", "-B", "-q", "-f", str(folder / "pom.xml"), "package"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise NotHereError(f"Maven can't build {name}: {error}") from error
    if done.returncode != 0:
        words = "\n".join(line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line)[:3000]
        if "COMPILATION ERROR" in words:
            raise BuildError(words)
        raise NotHereError(f"Maven can't get what {name} needs (JDK 17 and a Maven registry):\n{words[:600]}")
    return jar.parent


def version(name: str, property_: str) -> str:
    """Return a version that the program in `java/<name>` asks for, such as `hapi.version`; "" if it names none."""
    found = re.search(f"<{property_}>(.*?)</{property_}>", (JAVA / name / "pom.xml").read_text("utf-8"))
    return found[1] if found else ""


def java(name: str, main: str, *options: str) -> list[str]:
    """Return the beginning of the command that runs class `main` of the program, after building it."""
    target = build(name)
    return ["java", *options, "-cp", f"{target / (name + '.jar')}:{(target / 'classpath').read_text()}", main]
