"""The app factory: puts the parts together and finds the pages by looking in the folder."""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, Flask, g
from sqlalchemy.engine import Engine
from werkzeug.middleware.proxy_fix import ProxyFix

import smartapp
import smartapp.smart.routes
from smartapp.audit import Audit
from smartapp.config import Settings
from smartapp.core import KEY, Core
from smartapp.database import create_tables, open_database
from smartapp.errors import init_errors
from smartapp.i18n import init_i18n, language
from smartapp.launches import Launches
from smartapp.records.capabilities import Capabilities
from smartapp.records.outbox import Outbox
from smartapp.security import CarriedSessions, init_security
from smartapp.sessions import Sessions
from smartapp.smart.authorization import Authorizations
from smartapp.smart.discovery import Discovery
from smartapp.smart.identity import Identities
from smartapp.smart.keys import SigningKeys
from smartapp.smart.tokens import TokenEndpoint, TokenStore
from smartapp.vault import Vault

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NOT_A_PAGE = frozenset({"commands", "records", "sandbox", "smart", "templates"})
"""Folders of this package that are no pages. The sandbox is put in by `verstel demo` alone."""


def build(settings: Settings, engine: Engine | None, clock: Callable[[], float] | None) -> Flask:
    """Make the app; see `smartapp.create_app`."""
    engine = engine or open_database(settings.database_url)
    clock = clock or time.time
    absolute = settings.absolute_minutes * 60
    vault = Vault(settings.encryption_keys)
    keys, discovery = SigningKeys.read(settings.signing_keys_file), Discovery(clock)
    token_endpoint = TokenEndpoint(settings, discovery, keys, clock)
    core = Core(
        settings=settings,
        engine=engine,
        clock=clock,
        vault=vault,
        sessions=Sessions(engine, clock, inactivity=settings.inactivity_minutes * 60, absolute=absolute),
        launches=Launches(engine, vault, clock, absolute=absolute),
        keys=keys,
        discovery=discovery,
        authorizations=Authorizations(engine, vault, settings, clock),
        token_endpoint=token_endpoint,
        tokens=TokenStore(engine, vault, token_endpoint, clock),
        identities=Identities(clock),
        audit=Audit(engine, vault, clock),
        outbox=Outbox(engine, vault, clock),
        capabilities=Capabilities(engine, clock),
    )
    app = Flask("smartapp", static_folder=None)
    app.extensions[KEY] = core
    app.extensions["verstel_settings"] = settings
    app.config["TIME_ZONE"] = settings.time_zone
    app.session_interface = CarriedSessions(core)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.wsgi_app = _below(urlsplit(settings.public_url).path, app.wsgi_app)  # type: ignore[assignment,method-assign]
    init_security(app, core)
    init_errors(app)
    init_i18n(app)
    app.context_processor(lambda: _for_every_page(core))
    for package in page_packages():
        for blueprint, prefix in blueprints(package):
            app.register_blueprint(blueprint, url_prefix=prefix)
    create_tables(engine)  # also those of modules that only the pages import
    return app


def _below(prefix: str, app: WSGIApplication) -> WSGIApplication:
    """Serve an app below the path of its public address, whether the proxy before it takes that path off or not."""

    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        inside = path.removeprefix(prefix) if f"{path}/".startswith(f"{prefix}/") else path
        return app({**environ, "SCRIPT_NAME": prefix, "PATH_INFO": inside or "/"}, start_response)

    return served if prefix else app


def page_packages() -> Iterator[ModuleType]:
    """Import and yield every package of `smartapp` that exports a blueprint."""
    for found in sorted(pkgutil.iter_modules(smartapp.__path__), key=lambda found: found.name):
        if found.ispkg and found.name not in NOT_A_PAGE:
            yield importlib.import_module(f"smartapp.{found.name}")
    yield smartapp.smart.routes


def blueprints(package: ModuleType) -> Iterator[tuple[Blueprint, str | None]]:
    """Yield what a page package exports, each with the address it is registered at.

    `blueprint` is about one person and lives under `/l/<launch_id>`; `site_blueprint` is about nobody and lives at
    the root. Each brings its own `url_prefix`.
    """
    about_somebody = getattr(package, "blueprint", None)
    if about_somebody is not None:
        yield about_somebody, f"/l/<launch_id>{about_somebody.url_prefix or ''}"
    of_the_site = getattr(package, "site_blueprint", None)
    if of_the_site is not None:
        yield of_the_site, of_the_site.url_prefix


def _for_every_page(core: Core) -> dict[str, object]:
    launch = g.get("launch")
    issuer = core.settings.issuer(launch.issuer) if launch else None
    return {
        "launch": launch,
        "issuer": issuer,
        "settings": core.settings,
        "emergency_line": core.settings.emergency_line(language(), issuer),
    }
