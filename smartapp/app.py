"""The app factory: puts the parts together, and finds the pages by looking in their folder."""

from __future__ import annotations

import importlib
import pkgutil
import time
import zoneinfo
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, Flask
from sqlalchemy.engine import Engine
from werkzeug.middleware.proxy_fix import ProxyFix

import smartapp.web.components.routes
from smartapp.access import table
from smartapp.fhir.bulkheads import budget
from smartapp.fhir.capabilities import Capabilities
from smartapp.koppeltaal.domains import Domains
from smartapp.records.outbox import Outbox
from smartapp.services import KEY, Services, log_of
from smartapp.settings import Settings
from smartapp.smart.authorization import Authorizations
from smartapp.smart.callers import Callers
from smartapp.smart.discovery import Discovery
from smartapp.smart.identity import Identities
from smartapp.smart.keys import SigningKeys
from smartapp.smart.tokens import TokenEndpoint, TokenStore
from smartapp.storage.clock import DatabaseClock
from smartapp.storage.database import open_database
from smartapp.storage.doors import Doors
from smartapp.storage.health_links import HealthLinks
from smartapp.storage.hook_calls import HookCalls
from smartapp.storage.kept_words import KeptWords
from smartapp.storage.koppeltaal import KoppeltaalWrites
from smartapp.storage.launches import Launches
from smartapp.storage.marks import Marks
from smartapp.storage.reminders import Reminders
from smartapp.storage.sessions import Sessions
from smartapp.storage.team_audits import TeamAudits
from smartapp.storage.team_marks import TeamMarks
from smartapp.storage.vault import open_vault
from smartapp.web import current
from smartapp.web.compression import init_compression
from smartapp.web.error_pages import init_errors
from smartapp.web.framing import init_framing, issuer_here
from smartapp.web.guard import ServerSideSessions, caller_address, init_security
from smartapp.web.health import init_health, probed_by_address
from smartapp.web.language import init_i18n, language
from smartapp.web.limits import init_limits
from smartapp.web.logs import init_logs
from smartapp.web.with_client import init_writing_together

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PAGES = Path(__file__).with_name("pages")


def build(settings: Settings, engine: Engine | None, clock: Callable[[], float] | None) -> Flask:
    """Make the app; see `smartapp.create_app`."""
    engine = engine or open_database(settings.database_url)
    shared_clock = clock or DatabaseClock(engine)
    clock = clock or time.time
    absolute = settings.absolute_minutes * 60
    vault, marks = open_vault(engine, settings.encryption_keys), Marks(settings)
    keys, discovery = SigningKeys.read(settings.signing_keys_file), Discovery(clock)
    token_endpoint = TokenEndpoint(settings, discovery, keys, clock)
    audit = log_of(settings, engine, vault, clock, caller_address)
    launches = Launches(engine, vault, marks, clock, absolute=absolute, issuer_key=settings.issuer_key)
    services = Services(
        settings=settings,
        engine=engine,
        clock=clock,
        vault=vault,
        marks=marks,
        sessions=Sessions(engine, clock, inactivity=settings.inactivity_minutes * 60, absolute=absolute),
        launches=launches,
        keys=keys,
        discovery=discovery,
        authorizations=Authorizations(engine, vault, marks, settings, clock),
        token_endpoint=token_endpoint,
        tokens=TokenStore(engine, vault, token_endpoint, clock),
        identities=Identities(clock),
        audit=audit,
        outbox=Outbox(engine, vault, shared_clock),
        capabilities=Capabilities(engine, clock),
        kept_words=KeptWords(engine, vault, clock),
        health_links=HealthLinks(engine, vault, audit, clock),
        callers=Callers(settings, HookCalls(engine, clock), clock),
        reminders=Reminders(engine, vault, audit, shared_clock, zoneinfo.ZoneInfo(settings.time_zone)),
        doors=Doors(engine, vault, audit, clock, launches.read),
        domains=Domains(discovery, keys, clock),
        koppeltaal_writes=KoppeltaalWrites(engine, vault, clock),
        team_marks=TeamMarks(engine, vault),
        team_audits=TeamAudits(engine, vault),
    )
    services.renew_own_stores()  # before anybody asks: after an update there may be much to seal
    app = Flask("smartapp", static_folder=None)
    app.debug = False  # FLASK_DEBUG in the environment would let errors pass the pages that we have for them
    app.extensions[KEY] = services
    app.session_interface = ServerSideSessions(services)
    # Forwarded headers are believed for exactly as many proxies as are ours: further on anyone may write them.
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.wsgi_app = _within_budget(app.wsgi_app)  # type: ignore[assignment,method-assign]
    app.wsgi_app = probed_by_address(app.wsgi_app, settings.public_url)  # type: ignore[assignment,method-assign]
    app.wsgi_app = _below(urlsplit(settings.public_url).path, app.wsgi_app)  # type: ignore[assignment,method-assign]
    init_logs(app)
    init_compression(app)
    init_limits(app, services)
    init_security(app, services)
    init_writing_together(app)
    init_framing(app)
    init_errors(app)
    init_health(app, services)
    init_i18n(app)
    app.context_processor(lambda: _for_every_page(services))
    for routes in page_modules():
        for blueprint, prefix in blueprints(routes):
            app.register_blueprint(blueprint, url_prefix=prefix)
    table().check_pages(rule.endpoint for rule in app.url_map.iter_rules() if "launch_id" in rule.arguments)
    return app


def _below(prefix: str, app: WSGIApplication) -> WSGIApplication:
    """Serve an app below the path of its public address, whether or not the proxy in front strips that path."""

    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        inside = path.removeprefix(prefix) if f"{path}/".startswith(f"{prefix}/") else path
        return app({**environ, "SCRIPT_NAME": prefix, "PATH_INFO": inside or "/"}, start_response)

    return served if prefix else app


def _within_budget(app: WSGIApplication) -> WSGIApplication:
    """Bound what making one page may ask of other servers, in time and bytes; see `smartapp.fhir.bulkheads`."""

    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with budget():
            return app(environ, start_response)

    return served


def page_modules() -> Iterator[ModuleType]:
    """Import and yield the routes of every package in `pages/`, and those of the components they share."""
    for found in sorted(pkgutil.iter_modules([str(PAGES)]), key=lambda found: found.name):
        yield importlib.import_module(f"smartapp.pages.{found.name}.routes")
    yield smartapp.web.components.routes


def blueprints(routes: ModuleType) -> Iterator[tuple[Blueprint, str | None]]:
    """Yield the blueprints of a page, each with the address to register it at.

    `blueprint` is about one person and is served below `/l/<launch_id>`; `site_blueprint` is about no one and is served
    from the root. Each brings its own `url_prefix`.
    """
    about_someone = getattr(routes, "blueprint", None)
    if about_someone is not None:
        yield about_someone, f"/l/<launch_id>{about_someone.url_prefix or ''}"
    of_the_site = getattr(routes, "site_blueprint", None)
    if of_the_site is not None:
        yield of_the_site, of_the_site.url_prefix


def _for_every_page(services: Services) -> dict[str, object]:
    issuer = issuer_here()
    return {
        "launch": current.launch_or_none(),
        "issuer": issuer,
        "settings": services.settings,
        "emergency_line": services.settings.emergency_line(language(), issuer),
    }
