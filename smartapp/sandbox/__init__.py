"""The embedded EHR: a SMART authorization server and a FHIR R4 API over our own store, with made-up people.

For demonstrations and tests. It refuses what a careful EHR refuses, because the launchers one can download do not
(no token needed, scopes and patients not enforced), and an app that was only tried there proves nothing.

`server` is the sandbox itself, `app` puts its parts together: `api` (FHIR), `authorization` (SMART), `portal` (pages).
"""

from smartapp.sandbox.app import init_sandbox, sandbox_app
from smartapp.sandbox.server import Client, Sandbox, make_sandbox

__all__ = ["Client", "Sandbox", "init_sandbox", "make_sandbox", "sandbox_app"]
