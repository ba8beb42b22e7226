"""Clients read in their own log that they stood on a list: a row for each part of them, once in a launch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import session

from smartapp.access import CASELOAD
from smartapp.storage.launches import Launch
from smartapp.web import current


def tell(shown: Mapping[str, tuple[Launch, Sequence[str]]]) -> None:
    """Write for each client what of them is shown now and was not before in this launch, before anybody sees it.

    `shown` has by the id of a client the launch of the reader as one about them, and the parts of them that are shown.
    """
    key = f"caseload-{current.launch().id}"
    before: dict[str, list[str]] = session.get(key, {})
    new = {id_: each for id_, each in shown.items() if not set(each[1]) <= set(before.get(id_, ()))}
    if not new:
        return
    current.services().audit.shown(new, CASELOAD)
    told = {id_: sorted({*before.get(id_, ()), *parts}) for id_, (_launch, parts) in new.items()}
    session[key] = {**before, **told}
