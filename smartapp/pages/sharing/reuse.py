"""What the client said about reuse of their answers, in our own store: nothing until they say so themselves."""

from __future__ import annotations

from collections.abc import Collection

from mappers.human_name import reference_to
from mappers.identity import URN
from mappers.reuse import IDENTIFIER_SYSTEM, PURPOSES, Reuse, consent_of, is_reuse, name_of, reuse_of
from smartapp.fhir.store import Conflict, Query, Stored, Write
from smartapp.web import current
from smartapp.web.forms import ATTEMPTS
from smartapp.web.language import language


def said() -> Reuse:
    """Return what the person of this launch said; of several Consents, only what all of them allow."""
    found = [reuse_of(one.resource) for one in _kept()]
    if not found or not all(one.purposes for one in found):
        return Reuse()
    purposes = frozenset(PURPOSES).intersection(*(one.purposes for one in found))
    return Reuse(purposes, max(one.since for one in found)) if purposes else Reuse()


def say(purposes: Collection[str]) -> None:
    """Keep for what answers may be used from now on; none takes it back. Raises what `Records.save` does."""
    reuse = Reuse(frozenset(one for one in PURPOSES if one in purposes), current.now().isoformat())
    for attempt in range(ATTEMPTS):
        kept = _kept()
        if not kept and not reuse.purposes:  # nothing was said, and nothing has to be kept of that
            return
        try:
            current.records().save(_writes(kept, reuse))
        except Conflict:
            if attempt == ATTEMPTS - 1:
                raise
            continue
        return


def _writes(kept: list[Stored], reuse: Reuse) -> list[Write]:
    launch = current.launch()
    name = name_of(launch.issuer_key, launch.patient.reference)
    patient = reference_to(launch.patient.reference, launch.patient.display, language())
    if not kept:
        made = consent_of(reuse, name=name, patient=patient)
        token = f"{IDENTIFIER_SYSTEM}|{name}"
        return [Write.once(made, identifier=token, full_url=f"{URN}{name}", only_here=True)]
    return [
        Write(
            "update",
            consent_of(reuse, name=name, patient=patient, before=one.resource),
            if_match=one.etag,
            only_here=True,
        )
        for one in kept
    ]


def _kept() -> list[Stored]:
    # By whom it is about, and not by its name alone: that is made of the issuer's key, which may be new since then.
    launch = current.launch()
    own = current.services().own_store(launch.issuer)
    found = own.search(Query.of("Consent", patient=launch.patient.reference))
    return [one for one in found if is_reuse(one.resource)]
