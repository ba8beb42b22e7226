"""Errors as OAuth words them, and answers that no cache may keep."""

from __future__ import annotations

from flask import Response, jsonify


class OAuthError(Exception):
    """An OAuth error as the protocol names it, with a sentence for the developer of the app."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code, self.description, self.status = code, description, status


def oauth_answer(error: OAuthError) -> Response:
    """Return an error as RFC 6749, section 5.2, wants it."""
    response = no_store(jsonify({"error": error.code, "error_description": error.description}), error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="sandbox"'
    return response


def no_store(response: Response, status: int) -> Response:
    """Give the answer this status and keep it out of caches: it may hold a token."""
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response
