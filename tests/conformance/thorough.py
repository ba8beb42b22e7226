"""What `make test` leaves out because it takes long (`thorough`), and the random examples of rules: all of them here.

Exit codes: 0 all of it holds, 1 something does not.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.examples import ALL

PASSED, FAILED = 0, 1


def main() -> int:
    """Run the thorough tests, and those that hypothesis makes examples for, on all cores; return the exit code."""
    chosen = ["-m", "hypothesis or thorough", "-n", "3", "--dist", "loadfile", "-p", "no:cacheprovider"]
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", *chosen], env={**os.environ, ALL: "1"}, check=False)
    return PASSED if done.returncode == 0 else FAILED


if __name__ == "__main__":
    sys.exit(main())
