"""The version of Verstel, written into the list of what it is made of.

`make sbom` has that list made of pyproject.toml, which leaves the version to the code (`questionnaires/__init__.py`). A
list that does not say of which version it is says nothing to who gets it beside others. Needs nothing but Python.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent


def of_version(bom: dict[str, Any], version: str) -> dict[str, Any]:
    """Return a CycloneDX list whose component says which version it is."""
    metadata = bom["metadata"]
    return {**bom, "metadata": {**metadata, "component": {**metadata["component"], "version": version}}}


def main(arguments: list[str]) -> int:
    """Write the version into the file that is named."""
    [file] = map(Path, arguments)
    found = re.search(r'(?m)^__version__ = "(.+)"$', (ROOT / "questionnaires" / "__init__.py").read_text("utf-8"))
    if found is None:
        raise ValueError("questionnaires/__init__.py names no version")
    bom = of_version(json.loads(file.read_text("utf-8")), found[1])
    file.write_text(json.dumps(bom, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
