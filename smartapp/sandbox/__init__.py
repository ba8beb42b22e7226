"""The embedded EHR: a SMART authorization server and a FHIR R4 API over our own store, with made-up people.

For demonstrations and tests. It refuses what a careful EHR refuses, because the launchers one can download do not
(no token needed, scopes and patients not enforced), and an app that was only tried there proves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from smartapp.sandbox.server import PREFIX, Client, Sandbox, make_sandbox, sandbox_app

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["Client", "Sandbox", "init_sandbox", "make_sandbox", "sandbox_app"]


def init_sandbox(app: Flask, sandbox: Sandbox) -> None:
    """Put a sandbox at `/sandbox` of an app. It stays an app of its own: its errors, limits and cookies do not mix."""
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {PREFIX: sandbox_app(sandbox)})  # type: ignore[method-assign]
