"""What the client said about reuse of their answers, in our own store: nothing until they say so themselves."""

from __future__ import annotations

from collections.abc import Collection

from mappers.human_name import reference_to
from mappers.identity import URN
from mappers.reuse import IDENTIFIER_SYSTEM, PURPOSES, Reuse, consent_of, is_reuse, name_of, reuse_of
from smartapp.fhir.store import Conflict, Query, Stored, Write
from smartapp.pages.sharing.keeping import ChangedMeanwhile
from smartapp.web import current, typed
from smartapp.web.forms import ATTEMPTS
from smartapp.web.language import language


def said() -> Reuse:
    """Return what the person of this launch said; of several Consents, only what all of them allow."""
    return _said_in(_kept())


def digest_of(reuse: Reuse) -> str:
    """Return what stands in a page for what was said, to see later whether it is still the same."""
    return typed.digest(" ".join((*sorted(reuse.purposes), reuse.since)))


def _said_in(kept: list[Stored]) -> Reuse:
    found = [reuse_of(one.resource) for one in kept]
    if not found or not all(one.purposes for one in found):
        return Reuse()
    purposes = frozenset(PURPOSES).intersection(*(one.purposes for one in found))
    return Reuse(purposes, max(one.since for one in found)) if purposes else Reuse()


def say(purposes: Collection[str], seen: str) -> None:
    """Keep for what answers may be used from now on, by who saw `seen` (a `digest_of`); none takes it back.

    A yes from a page that shows what holds no longer would bring back what was taken back: it raises ChangedMeanwhile.
    To take it back is always right. Raises what `Records.save` does too.
    """
    reuse = Reuse(frozenset(one for one in PURPOSES if one in purposes), current.now().isoformat())
    for attempt in range(ATTEMPTS):
        kept = _kept()
        if _is_kept(kept, reuse):  # as after a second press
            return
        if reuse.purposes and digest_of(_said_in(kept)) != seen:
            raise ChangedMeanwhile
        try:
            current.records().save(_writes(kept, reuse))
        except Conflict:
            if attempt == ATTEMPTS - 1:
                raise
            continue
        return


def _is_kept(kept: list[Stored], reuse: Reuse) -> bool:
    """Tell whether all that is kept says this already; where nothing is, nothing has to be kept of a no."""
    if not reuse.purposes:
        return all(one.resource.get("status") == "inactive" for one in kept)
    return bool(kept) and all(reuse_of(one.resource).purposes == reuse.purposes for one in kept)


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
