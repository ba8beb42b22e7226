"""What a process of the app has loaded when it is forked: all that `verstel serve` loads before it opens its database.

Loading takes over a second, and these processes are killed and started anew hundreds of times. `forkserver` loads this
module once, while it has one thread, and forks from there. What the app loads later, in threads, is not in here.
"""

from __future__ import annotations

import tempfile

import smartapp.commands.serve
import smartapp.courier
import smartapp.web.listening
import smartapp.web.logs
import smartapp.web.workers  # noqa: F401
from smartapp import create_app
from smartapp.settings import Settings
from smartapp.storage.database import open_database


def _load() -> None:
    """Make one app, and throw it away: translations, questionnaires and templates stay."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            public_url="http://localhost",
            secret_keys=("a secret that only tests know, 32 characters",),
            encryption_keys=("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",),
            database_url=f"sqlite:///{folder}/verstel.db",
        )
        engine = open_database(settings.database_url)
        create_app(settings, engine=engine)
        engine.dispose()


_load()
