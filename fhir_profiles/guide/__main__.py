"""Write the guide, or keep what this version promises.

python -m fhir_profiles.guide FOLDER            writes all pages into a folder; open index.html
python -m fhir_profiles.guide record DAY NAME   keeps a digest of this version, for the page of differences
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from fhir_profiles import tgz
from fhir_profiles.guide.pages import pages
from fhir_profiles.guide.versions import digest, keep, kept


def main(arguments: Sequence[str]) -> int:
    """Do what is asked; return the exit code: 2 for wrong usage."""
    files = tgz.files()
    match arguments:
        case ["record", day, name] if _is_day(day):
            resources = {path: json.loads(content) for path, content in files.items() if path.endswith(".json")}
            del resources["package.json"], resources[".index.json"]
            print(keep(day, name, digest(resources)))
        case [folder] if folder != "record":
            made = pages(files, kept())
            target = Path(folder)
            target.mkdir(parents=True, exist_ok=True)
            for path, content in made.items():
                (target / path).write_bytes(content)
            print(f"{len(made)} files; begin at {target / 'index.html'}")
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


def _is_day(text: str) -> bool:
    """Tell whether a text is a day that exists, written as 2027-01-31: the pages are sorted by it."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
