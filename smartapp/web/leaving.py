"""What is left of a session in the browser, taken away: the cookie, and whatever the browser stored."""

from __future__ import annotations

from typing import Final

from flask import Response, g

from smartapp.web import copies, current
from smartapp.web.guard import cookie_name

CLEAR: Final = '"cache", "cookies", "storage"'
CLEAR_BUT_COPIES: Final = '"cache"'
"""Where somebody keeps a copy in this browser on purpose: that lies in the storage, and a cookie tells of it."""


def wiped(response: Response) -> Response:
    """Return an answer with which a browser forgets the session, which has ended."""
    settings = current.services().settings
    https = settings.https
    # Named as it was set: browsers take nothing back in a frame that is less than that.
    response.delete_cookie(
        cookie_name(settings),
        path="/",
        secure=https,
        httponly=True,
        samesite="None" if https else "Lax",
        partitioned=https,
    )
    response.headers["Clear-Site-Data"] = CLEAR_BUT_COPIES if copies.are_here() else CLEAR
    g.session = None
    return response
