"""What a process of the app has loaded when it is forked: all that `verstel serve` loads, and what it compiles.

Loading takes over a second, and these processes are killed and started anew hundreds of times. `forkserver` loads this
module once, while it has one thread, and forks from there. Questionnaires are read when they are first needed, in
threads, as in any start: there two threads once ended the process.
"""

from __future__ import annotations

import gc
import importlib
import tempfile

from flask import Flask

from smartapp import create_app
from smartapp.fhir.checked import prepare
from smartapp.settings import Settings
from smartapp.storage.database import open_database
from tests.faults.starting import TEMPLATES

for _name in (
    "smartapp.commands.serve",
    "smartapp.courier",
    "smartapp.web.listening",
    "smartapp.web.logs",
    "smartapp.web.workers",
    "tests.faults.processes",  # each process loads what whoever starts it has loaded
):
    importlib.import_module(_name)


def _load() -> None:
    """Make one app, make the models of FHIR and compile its templates for all that come, and throw it away."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": TEMPLATES}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            public_url="http://localhost",
            secret_keys=("a secret that only tests know, 32 characters",),
            encryption_keys=("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",),
            database_url=f"sqlite:///{folder}/verstel.db",
        )
        engine = open_database(settings.database_url)
        templates = create_app(settings, engine=engine).jinja_env
        engine.dispose()
    prepare()
    for name in templates.list_templates():
        templates.get_template(name)


_load()
# What is loaded stays: a start that looks through its garbage would copy all of it into memory of its own.
gc.collect()
gc.freeze()
