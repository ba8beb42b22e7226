"""The three names by which Koppeltaal follows what belongs together through all programs of a domain (TOP-KT-006).

Each request has a number of its own (`X-Request-Id`); all that one launch brings about has one trace (`X-Trace-Id`);
and what a request follows on directly is its correlation (`X-Correlation-Id`), which the first one does not have.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Final

from mappers.tolerant import text_in

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
"""An AuditEvent holds these names as FHIR ids."""


def trace_of(token: str | None) -> str:
    """Return the trace that a launch belongs to: the `jti` of its HTI token, or a new one where that is no FHIR id.

    Nothing is believed of the token, which only the domain can prove: this is a name to look things up by.
    """
    try:
        claims = json.loads(base64.urlsafe_b64decode((token or "").split(".")[1] + "=="))
    except (IndexError, ValueError, RecursionError):
        claims = None
    jti = text_in(claims, "jti")
    return jti if _ID.fullmatch(jti) else str(uuid.uuid4())


@dataclass(slots=True)
class Tracing:
    """The headers of requests that belong together, and the number of the last one."""

    trace: str
    correlation: str = ""
    last: str = field(default="", init=False)

    def headers(self) -> dict[str, str]:
        """Return the headers of one request more."""
        self.last = str(uuid.uuid4())
        said = {"X-Request-Id": self.last, "X-Trace-Id": self.trace}
        return {**said, "X-Correlation-Id": self.correlation} if self.correlation else said

    def following(self) -> Tracing:
        """Return the headers of what follows on the last request."""
        return Tracing(self.trace, self.last)
