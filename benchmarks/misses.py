"""How a measurement says that something is not as it was promised, so that who runs several can gather it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

MISSED: Final = "Missed: "


def tell(found: Iterable[str]) -> int:
    """Print what is missed on standard error, a line each; return the exit code: 1 if there was anything."""
    code = 0
    for one in found:
        print(f"{MISSED}{one}", file=sys.stderr, flush=True)
        code = 1
    return code
