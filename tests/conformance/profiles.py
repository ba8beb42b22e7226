"""Compile the FHIR profiles from their source again, and demand the committed package, file by file."""

from __future__ import annotations

import json
import sys

from fhir_profiles.compile import FOLDER, PACKAGE, main
from tests.conformance import strangers

SUSHI = "SUSHI"


def checked() -> int:
    """Compile, report and return the exit code."""
    code = main(["--check"])
    lock = json.loads((FOLDER / "compiler" / "package-lock.json").read_text("utf-8"))
    if code == 3:
        strangers.missing(SUSHI, "npm can't install it here.")
    else:
        of = sum(1 for _file in PACKAGE.glob("*.json"))
        version = lock["packages"]["node_modules/fsh-sushi"]["version"]
        failed = ["the package is not what it compiles; the run says where"] if code else []
        strangers.held(SUSHI, of, failed, version=version)
    return code


if __name__ == "__main__":
    sys.exit(checked())
