"""Open pages on records that were changed at random; `make test` opens 150 of them."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conformance.sizes import size

TEST = "tests/smartapp/pages/test_mutated_record.py"


def main() -> int:
    """Return 0 if every page was a page or a foreseen error, else 1."""
    environment = {"MUTATED_PAGES": str(size("pages of mutated records")), **os.environ}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--timeout=1800", TEST], check=False, env=environment
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
