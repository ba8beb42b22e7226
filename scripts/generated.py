"""All files that are generated: renew them, or name those that are out of date.

Run as `make generate` (`python -m scripts.generated`), or with `--check` as `make lint` does: then nothing is written,
and each outdated file is named with the command that renews it. Only compiling the profiles needs more than Python, and
that is done only if one of their sources has changed. What has to be measured or looked at is not here: `make bench`,
`make conformance` and `make pictures` write pages of their own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import fhir_profiles.compile
from fhir_profiles import compiled_from
from questionnaires.reading import DefinitionError
from scripts import last_resort, privacy, security, view_tables
from smartapp.commands import questionnaires
from smartapp.settings import env_example

ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / ".env.example"


@dataclass(frozen=True, slots=True)
class Generated:
    """Files that are generated together: `stale` gives a line for each outdated one, `make` an exit code."""

    what: str
    stale: Callable[[], Iterable[str]]
    make: Callable[[], int]


def parts() -> tuple[Generated, ...]:
    """Return all parts, each after those that it is made from."""
    return (
        Generated("questionnaires and their pages", questionnaires.stale_files, _build_questionnaires),
        Generated("FHIR package", stale_package, lambda: fhir_profiles.compile.main([])),
        Generated(
            "page of tables",
            lambda: _differs(view_tables.PAGE, view_tables.fresh(), "fhir_profiles/views.py"),
            view_tables.main,
        ),
        Generated("example settings", lambda: _differs(SETTINGS, env_example(), "the settings"), _write_settings),
        Generated("font of last resort", last_resort.stale, last_resort.main),
        Generated(
            "privacy page", lambda: _differs(privacy.PAGE, privacy.fresh(), "smartapp/access.toml"), privacy.main
        ),
        Generated("what holds", lambda: _differs(security.PAGE, security.fresh(), "scripts/*.toml"), security.main),
    )


def stale_package() -> Iterator[str]:
    """Yield a line for each reason why the committed FHIR package is out of date, without compiling it."""
    yield from compiled_from.stale()
    made = fhir_profiles.compile.package_files(fhir_profiles.compile.made())
    for name in sorted(made.keys() - {"package.json"}):  # the record covers its sources
        path = fhir_profiles.compile.PACKAGE / name
        if not path.is_file() or path.read_bytes() != made[name]:
            yield f"{path.relative_to(ROOT).as_posix()}: is not what the questionnaires and views give"


def check(known: Iterable[Generated]) -> list[str]:
    """Return a line for each outdated file, with the command that renews it."""
    return [f"{line.partition('; run ')[0]}; run `make generate`" for part in known for line in part.stale()]


def make(known: Iterable[Generated]) -> int:
    """Renew what is out of date; return the exit code of the first part that fails, else 0."""
    for part in known:
        if not list(part.stale()):
            print(f"{part.what}: up to date")
        # Later parts are made from earlier ones, so there is no point in going on after a failure.
        elif code := part.make():
            print(f"{part.what}: could not be made; see above", file=sys.stderr)
            return code
        else:
            print(f"{part.what}: renewed")
    return 0


def _build_questionnaires() -> int:
    questionnaires.command.main(["build"], standalone_mode=False)
    return 0


def _differs(path: Path, made: str, source: str) -> Iterator[str]:
    if not path.is_file() or path.read_text(encoding="utf-8") != made:
        yield f"{path.relative_to(ROOT).as_posix()}: is not what {source} and the code give"


def _write_settings() -> int:
    SETTINGS.write_text(env_example(), encoding="utf-8")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Make or check all generated files; return the exit code: 1 if any is out of date, 3 without a compiler."""
    parser = argparse.ArgumentParser(prog="python -m scripts.generated", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; name what is out of date")
    try:
        if not parser.parse_args(arguments).check:
            return make(parts())
        old = check(parts())
    except DefinitionError as error:  # in what they are generated from
        old = [str(error)]
    for line in old:
        print(line, file=sys.stderr)
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
