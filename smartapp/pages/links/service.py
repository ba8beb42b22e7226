"""Making a link: the document is encrypted with a key that stands in the link, and nowhere with us."""

from __future__ import annotations

import datetime as dt
import unicodedata
import uuid
from dataclasses import dataclass
from typing import Final

import orjson
from joserfc import jwe
from joserfc.jwk import OctKey

from mappers.health_link import CONTENT_TYPE, Payload, Whose, document_of
from mappers.plan import PersonRef
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.i18n import message
from smartapp.pages.links.content import Shareable, Writing, may_hold, sections_of
from smartapp.pages.plan.stored import StoredPlan
from smartapp.storage.health_links import LOGGED_AS, About, HealthLink, hashed, new_secret
from smartapp.web import current
from smartapp.web.language import format_date, language, place_zone
from smartapp.web.language import gettext as _

LASTING: Final = {
    "1": message("One day"),
    "7": message("One week"),
    "30": message("One month"),
    "365": message("One year"),
}
"""How many days a link can be opened, as its person chooses."""
SHORTEST_PASSCODE: Final = 6
LONGEST_PASSCODE: Final = 64


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that was made just now. `address` holds the key; it is shown once, and kept by nobody but its person.

    `passcode` is what was chosen just now, "" for none; on paper it does not stand.
    """

    address: str
    title: str
    until: dt.datetime
    passcode: str = ""
    asks_passcode: bool = False


def normal(passcode: str) -> str:
    """Return a passcode as it counts: without spaces, and the same in capitals, since people pass it on by mouth."""
    return "".join(unicodedata.normalize("NFKC", passcode).casefold().split())


def person_here() -> str:
    """Return what names the person of this launch among the links."""
    here = current.launch()
    return current.services().health_links.person(here.issuer_key, here.patient.reference)


def links_here() -> list[HealthLink]:
    """Return the links of the person of this launch, the newest first. The record is not asked."""
    return current.services().health_links.of(person_here())


def may_open(part: str) -> bool:
    """Tell whether there is a link of the person of this launch that can be opened, and can hold words of a part."""
    now = current.services().clock()
    return any(one.is_open(now) and may_hold(one.about.part, part, catalogue()) for one in links_here())


def make(what: Shareable, plan: StoredPlan, *, days: int, passcode: str, asked: str) -> NewLink | None:
    """Make a link to a part of the plan as it is now; None where this form made one before. Raises TooManyLinks."""
    core, here, now = current.services(), current.launch(), current.now()
    until = now + dt.timedelta(days=days)
    secret, key = new_secret(), new_secret()
    payload = Payload(manifest_url(secret), key, int(until.timestamp()), what.title, asks_passcode=bool(passcode))
    about = About(
        part=what.part,
        title=what.title,
        issuer=here.issuer,
        patient=here.patient.reference,
        **(hashed(normal(passcode)) if passcode else {}),
    )
    content = encrypted(document(what, plan, now), key)
    if not core.health_links.make(
        person_here(), about, asked=asked, secret=secret, content=content, until=int(until.timestamp())
    ):
        return None
    core.audit.record(here, "create", [LOGGED_AS], parts=[what.part])
    return NewLink(payload.link(viewer_url()), what.title, until, passcode, asks_passcode=bool(passcode))


def end(id_: str) -> bool:
    """End a link of the person of this launch; False where they have no such link. The record is not asked."""
    core, here = current.services(), current.launch()
    ended = core.health_links.end(person_here(), id_)
    if ended:
        core.audit.record(here, "update", [LOGGED_AS])
    return ended


def of_mine(address: str) -> NewLink | None:
    """Return the link that an address is, where its person is the one of this launch and it can be opened."""
    payload = Payload.of(address)
    before = manifest_url("")
    if payload is None or not payload.url.startswith(before) or not address.startswith(f"{viewer_url()}#"):
        return None
    found = current.services().health_links.find(payload.url.removeprefix(before))
    if found is None or found.person != person_here() or not found.is_open(current.services().clock()):
        return None
    until = dt.datetime.fromtimestamp(found.until, place_zone())
    return NewLink(address, found.about.title, until, asks_passcode=found.about.asks_passcode)


def viewer_url() -> str:
    """Return where a browser opens a link."""
    return f"{current.services().settings.public_url}/view"


def manifest_url(secret: str) -> str:
    """Return where the manifest of a link is asked for."""
    return f"{current.services().settings.public_url}/shl/{secret}"


def document(what: Shareable, plan: StoredPlan, now: dt.datetime) -> Resource:
    """Return the document about a part of the plan, as it is now."""
    person = current.launch().patient
    client = PersonRef(person.reference, person.display)
    return document_of(
        sections_of(what, plan, catalogue(), Writing(client, now.isoformat(), language())),
        id=str(uuid.uuid4()),
        title=what.title,
        about=_("The words of %(name)s, as they were on %(day)s.", name=person.display, day=format_date(now)),
        whose=Whose(person.reference, person.display, person.birth_date),
        made=now.isoformat(),
        language=language(),
    )


def encrypted(document: Resource, key: str) -> str:
    """Return a document as JWE in its compact form, as the specification says; `key` is 32 bytes in base64url."""
    header = {"alg": "dir", "enc": "A256GCM", "cty": CONTENT_TYPE}
    return jwe.encrypt_compact(header, orjson.dumps(document), OctKey.import_key({"kty": "oct", "k": key}))
