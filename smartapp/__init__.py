"""Verstel: the SMART-on-FHIR app, the embedded EHR and the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.engine import Engine

    from smartapp.settings import Settings


def create_app(settings: Settings, *, engine: Engine | None = None, clock: Callable[[], float] | None = None) -> Flask:
    """Make the app.

    `engine` (default: opened from `settings.database_url`) and `clock` (default: the system's, seconds since 1970)
    are for tests and the demo. Imported lazily, so that `verstel score` does not pay for Flask.
    """
    from smartapp.app import build

    return build(settings, engine, clock)
