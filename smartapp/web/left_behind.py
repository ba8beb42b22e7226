"""What a client answered on a device that was handed to them and did not send: theirs, found in their own place."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from mappers.tolerant import objects_in
from questionnaires.catalogue import catalogue
from smartapp.storage.doors import Door
from smartapp.web import current
from smartapp.web.language import place_zone, text_of


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """Answers behind a door that ended without sending; `changed` is when the last was given (seconds since 1970)."""

    door: Door
    answers: int
    changed: int

    @property
    def title(self) -> str:
        """Return what the questionnaire is called."""
        return text_of(catalogue().asked[self.door.instrument].title)

    @property
    def when(self) -> dt.datetime:
        """Return when the last answer was given."""
        return dt.datetime.fromtimestamp(self.changed, place_zone())


@current.once_a_request
def left_behind() -> list[LeftBehind]:
    """Return them, the newest first; nothing to every reader but the client."""
    here = current.launch_or_none()
    if here is None or here.user.role != "client":
        return []
    core = current.services()
    now, found = core.clock(), []
    for door in core.doors.of(here.issuer_key, here.patient.reference):
        if door.opened is None or door.state(now) in ("opened", "sent") or door.instrument not in catalogue().asked:
            continue
        if draft := core.door_drafts(door).get(door.instrument):
            answers = sum(len(objects_in(group, "item")) for group in objects_in(draft.resource, "item"))
            found.append(LeftBehind(door, answers, draft.changed))
    return found
