"""What a form held that could not be taken is kept for its writer, until they sign in again.

By then the session may be wiped, and the cookie tells nothing any more. So each form carries a proof of whose it is:
a keyed digest of the issuer, the person and the user of its launch, signed together with the id of that launch. Nobody
else can write one, it says nothing to who reads it, and what is kept with it is shown to that one user alone.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flask import request

from smartapp.errors import AppError, BadRequest, NotAllowed, NotFoundPage, NotTogether, StaleForm, WrongPerson
from smartapp.storage.kept_words import KEPT_SECONDS, Kept
from smartapp.web import current
from smartapp.web.masking import masked, unmasked

if TYPE_CHECKING:
    from flask import Response

    from smartapp.storage.launches import Launch

log = logging.getLogger(__name__)

PROOF = "_keep"
_OWNER, _MADE = 32, 8  # bytes
OURS = frozenset({"_csrf", "_for", PROOF})
"""The fields that every form of a record carries."""


SECRETS = frozenset({"link", "passcode", "find"})
"""The fields that are kept nowhere: a link holds the key to what was shared by it, and a search somebody's name."""

_LAUNCH = frozenset({"launch", "iss"})
"""The fields of the form with which a portal launches us: nobody typed them, and a token tells who somebody is."""


# The names that our forms use for themselves; a test compares them with the templates.
_HIDDEN = frozenset(
    {
        *OURS,
        *SECRETS,
        *_LAUNCH,
        "card",
        "changing",
        "confirmed",
        "family",
        "from",
        "from_review",
        "handed",
        "identifier",
        "key",
        "order",
        "put-back",
        "remark",
        "round",
        "show",
    }
    | {"seen", "sketch", "taken-from", "taken-words", "undo", "topic", "version", "was"}
)
_BUTTONS = frozenset(
    {
        "add",
        "begin",
        "clear",
        "hand-over",
        "keep",
        "look",
        "mark",
        "next",
        "pause",
        "press",
        "previous",
        "remove",
        "reply",
        "send",
        "stop",
        "tick",
    }
    | {"unmark", "went", "what"}
)
_STARTS = ("seen-", "asked-", "choice-", "went-", "outcome-", "reads", "types")


def typed_text(form: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the (field, text) pairs a person typed, so that an error page can give them back.

    Hidden fields and buttons are ours: among the person's own words they would only frighten.
    """
    ours = _HIDDEN | _BUTTONS
    return [(name, text) for name, text in form if name not in ours and not name.startswith(_STARTS) and text.strip()]


def owner_of(launch: Launch) -> str:
    """Return what names the user of a launch and whom it is about; only we can make it from what it is made of."""
    issuer = current.services().settings.issuer_key(launch.issuer)
    # With the key of the database, since it is looked up there: VERSTEL_SECRET_KEY may be another by then.
    return current.services().kept_words.owner(issuer, launch.patient_id, launch.user.subject)


def proof_of(launch: Launch) -> str:
    """Return what a form of this launch carries: its owner, when the launch began, and our signature for both."""
    said = bytes.fromhex(owner_of(launch)) + launch.made.to_bytes(_MADE)
    return masked(said + _signatures(launch.id, said)[0])


def keep(error: AppError, sent: Sequence[tuple[str, str]]) -> bool:
    """Keep the fields of a form that an error has stopped; tell whether they are kept.

    Not where the form is the mistake: of another person, of a page that does not exist or is not for this reader.
    """
    if isinstance(error, BadRequest | NotFoundPage | WrongPerson) or error.code == "foreign-origin":
        return False
    if isinstance(error, NotAllowed) and not isinstance(error, StaleForm | NotTogether):
        return False
    owner = _proven_owner(dict(sent).get(PROOF, ""))
    if owner is None or request.url_rule is None:
        return False
    try:
        current.services().kept_words.keep(owner, _page(), [field for field in sent if field[0] not in OURS | SECRETS])
    except Exception as broken:  # noqa: BLE001  (a database that is gone must not take the page with the words along)
        log.error("typed words could not be kept: %s", type(broken).__name__)  # noqa: TRY400
        return False
    return True


def waiting(launch: Launch) -> list[Kept]:
    """Return the forms that are kept for the user of a launch, about the person of this launch."""
    return current.services().kept_words.of(owner_of(launch))


def forget_what_is_saved(response: Response) -> None:
    """Drop what was kept of a form once the same words were taken after all; other words stay for their writer."""
    launch = current.launch_or_none()
    if request.method != "POST" or response.status_code != 303 or launch is None or PROOF not in request.form:
        return
    kept, owner = current.services().kept_words, owner_of(launch)
    of_page = kept.of_page(owner, _page())
    if of_page is not None and set(typed_text(of_page.fields)) <= set(request.form.items(multi=True)):
        kept.drop(owner, of_page.id)


def _page() -> str:
    """Return the address of this page within the record: the same in every launch, and for the script that saves."""
    path = "/".join(request.path.split("/")[3:]).removesuffix("/autosave")
    query = request.query_string.decode("ascii", "replace")
    return f"{path}?{query}" if query else path


def _proven_owner(proof: str) -> str | None:
    """Return the owner whom a form of this launch proves; None for no proof, a forged one, and one of long ago."""
    given = unmasked(proof)
    said, signature = given[: _OWNER + _MADE], given[_OWNER + _MADE :]
    launch_id = request.path.split("/")[2] if request.path.startswith("/l/") else ""
    if not any(hmac.compare_digest(signature, one) for one in _signatures(launch_id, said)):
        return None
    made = int.from_bytes(said[_OWNER:])
    return said[:_OWNER].hex() if made > current.services().clock() - KEPT_SECONDS else None


def _signatures(launch_id: str, said: bytes) -> tuple[bytes, ...]:
    return current.services().settings.signatures(f"kept|proof|{launch_id}|{said.hex()}")
