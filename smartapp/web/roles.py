"""What the reader's role may, by the one table of it: `smartapp/access.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from smartapp.access import CASELOAD, Access, Method, table
from smartapp.errors import Guest, NotAllowed, NotTogether
from smartapp.i18n import message
from smartapp.storage.launches import Handed, Launch
from smartapp.web import current, reading, with_client


def let_in(launch: Launch, endpoint: str, method: Method) -> None:
    """Let the user of a launch open or send a page.

    Raises Guest, NotAllowed, or NotTogether where the two can begin to write together. What they save there together is
    confirmed by the client: see `confirming`. In a launch about nobody there is no client, and nothing to open but the
    pages of that.
    """
    access, user = table(), launch.user
    if access.may(user.role, endpoint, method, nobody=launch.about_nobody):
        return
    if user.role == "guest":
        raise Guest(_WHY_GUEST.get(launch.why, _OF_NOBODY), code=f"guest-{launch.why}" if launch.why else "guest")
    if launch.about_nobody:
        why = _whose(access, endpoint) if access.page(endpoint).is_for(nobody=True) else _OF_A_RECORD
        raise NotAllowed(why if user.role in access.page(CASELOAD).get else _OF_NOBODY, code="no-client")
    if access.may_together(user.role, endpoint):
        if with_client.goes_on():
            if any(map(current.records().is_locked, reading.parts_here())):
                raise NotAllowed(_WITHOUT_YOU, code="part")
            return
        raise NotTogether(_OF_THE_CLIENT, code="role")
    raise NotAllowed(_whose(access, endpoint), code="role")


def let_device_in(handed: Handed, endpoint: str, method: Method, address: Mapping[str, Any]) -> None:
    """Let a device open or send a page of the one questionnaire that it was handed. Raises NotAllowed.

    `address` is what the address of the page has in it.
    """
    if not table().may_device(endpoint, method):
        raise NotAllowed(_OF_DEVICE, code="device")
    if address.get("instrument_id", handed.instrument) != handed.instrument:
        raise NotAllowed(_OF_DEVICE, code="other-questionnaire")


def may(endpoint: str, method: Method = "GET") -> bool:
    """Tell whether the reader may open or send a page, so that no page offers what is refused."""
    here = current.launch_or_none()
    if here is not None and here.handed:
        return table().may_device(endpoint, method)
    return here is not None and table().may(here.user.role, endpoint, method, nobody=here.about_nobody)


def _whose(access: Access, endpoint: str) -> str:
    """Return whose page it is, in one sentence."""
    page = access.page(endpoint)
    if page.about == "nobody":
        return _OF_YOUR_LIST
    readers = page.get | page.post
    if not readers:
        return ""
    if readers == {"client"}:
        return _OF_THE_CLIENT
    return _OF_THE_TEAM if all(access.roles[role].professional for role in readers) else _OF_OTHERS


_WITHOUT_YOU: Final = message("The client writes this part without you.")
_OF_THE_CLIENT: Final = message("This page is for the person it is about. You signed in with another role.")
_OF_THE_TEAM: Final = message("This page is for the care team. You signed in with another role.")
_OF_OTHERS: Final = message("You signed in with a role that does not have this page.")
_OF_A_RECORD: Final = message("This page is of one client. Open the record of that client in the record system.")
_OF_YOUR_LIST: Final = message("The list of your own clients is opened from the record system, outside a record.")
_OF_DEVICE: Final = message("This device was opened for one questionnaire only.")
_OF_NOBODY: Final = message("You signed in with a role that has no pages here.")
_WHY_GUEST: Final[Mapping[str, str]] = {
    "fhir-user-missing": message("The record system did not say who you are."),
    "fhir-user-unreadable": message("We could not read who you are from what the record system said."),
    "fhir-user-elsewhere": message("The record system says that you belong to an address that we do not know."),
    "fhir-user-type": message("You signed in with a kind of account that has no pages here."),
    "another-patient": message("You signed in as a client, and this record is of somebody else."),
    "related-person-unread": message("The record system did not tell how you know the person of this record."),
    "related-person-of-another": message("The record system knows you as somebody close to another person."),
    "related-person-over": message("According to the record system you are no longer a loved one here."),
    "practitioner-role-over": message("According to the record system your role as a care professional has ended."),
}
"""What a guest reads, by the code of `relation` and `identity`: never of whom else they are somebody."""
