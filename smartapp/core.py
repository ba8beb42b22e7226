"""The parts of one running app, made once by the factory and found again by `core()`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from flask import current_app
from sqlalchemy.engine import Engine

from smartapp.config import Settings
from smartapp.launches import Launch, Launches
from smartapp.records import Place, Records
from smartapp.records.drafts import Drafts
from smartapp.records.own import OwnStore
from smartapp.sessions import Sessions
from smartapp.vault import Vault

if TYPE_CHECKING:
    from smartapp.records.store import RecordStore

KEY = "verstel"


@dataclass(slots=True)
class Core:
    """Everything the pages and the launch need; `clock` returns seconds since 1970 and is the only clock."""

    settings: Settings
    engine: Engine
    clock: Callable[[], float]
    vault: Vault
    sessions: Sessions
    launches: Launches
    local_ehrs: dict[str, RecordStore] = field(default_factory=dict)
    """Issuers whose records are in this process: no HTTP between the app and them. For tests of pages."""

    def records(self, launch: Launch) -> Records:
        """Return the records of one launch: the EHR, the companion server if there is one, and our own store."""
        stores: dict[Place, RecordStore] = {"ehr": self.local_ehrs[launch.issuer], "own": self.own_store(launch.issuer)}
        return Records(launch, stores, drafts=self.drafts(launch))

    def own_store(self, issuer: str) -> OwnStore:
        """Return our own store for the people of one issuer; two issuers never share one."""
        return OwnStore(self.engine, f"{self.settings.public_url}/own", tenant=f"own|{issuer}")

    def drafts(self, launch: Launch) -> Drafts:
        """Return the unfinished questionnaires of this user about this person."""
        return Drafts(
            self.engine,
            self.vault,
            self.clock,
            issuer=launch.issuer,
            patient=launch.patient.reference,
            author=launch.user.reference,
        )


def core() -> Core:
    """Return the parts of the app that handles this request."""
    return cast(Core, current_app.extensions[KEY])
