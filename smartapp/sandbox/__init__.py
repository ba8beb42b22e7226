"""The embedded EHR: a SMART authorization server and a FHIR R4 API over our own store, with made-up people.

For demonstrations and tests. It refuses what a careful EHR refuses, because the launchers that can be downloaded do not
(no token needed, scopes and patients not enforced), and an app that was only tried there proves nothing.

`server` is the sandbox itself, `app` puts its parts together. FHIR: `api` has the addresses, `permissions` says what a
call may reach, `reading`, `writing` and `bundles` do it, `answers` says it. SMART: `discovery`, `authorization` and
`tokens`, with `tickets` for what must be remembered and `clients` for which app it is. People: `portal`, `identities`.
"""

from smartapp.sandbox.app import init_sandbox, sandbox_app
from smartapp.sandbox.server import Client, Sandbox, make_sandbox

__all__ = ["Client", "Sandbox", "init_sandbox", "make_sandbox", "sandbox_app"]
