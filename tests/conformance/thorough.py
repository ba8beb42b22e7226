"""What `make test` leaves out because it takes long (`thorough`), and in a whole run all random examples of rules.

Exit codes: 0 all of it holds, 1 something does not.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conformance.sizes import WHOLE
from tests.examples import ALL

PASSED, FAILED = 0, 1


def main() -> int:
    """Run the thorough tests, and perhaps those that hypothesis makes examples for; return the exit code."""
    which = "hypothesis or thorough" if WHOLE else "thorough"
    chosen = ["-m", which, "-n", "3", "--dist", "loadfile", "-p", "no:cacheprovider"]
    environment = {**os.environ, **({ALL: "1"} if WHOLE else {})}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", *chosen], env=environment, check=False)
    return PASSED if done.returncode == 0 else FAILED


if __name__ == "__main__":
    sys.exit(main())
