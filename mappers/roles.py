"""The roles that somebody can have towards the client: what they are called in our data, everywhere the same."""

from __future__ import annotations

from typing import Final, Literal, get_args

Role = Literal[
    "client",
    "clinician",
    "responsible",
    "case-manager",
    "peer-worker",
    "loved-one",
    "representative",
    "outside",
    "guest",
]
"""What each may, `smartapp/access.toml` says. `outside` is a professional outside the client's team, such as a
stand-in. `guest` has least rights: someone whose relation to this person we do not know. No page is theirs."""

ROLES: Final[tuple[Role, ...]] = get_args(Role)
