"""What is there for who stands beside a client, whatever is shared: what they can do, and who supports them."""

from __future__ import annotations

from dataclasses import dataclass

from smartapp.web import current
from smartapp.web.fields import OfferView, offer_views
from smartapp.web.language import gettext as _


@dataclass(frozen=True, slots=True)
class Beside:
    """What the start page says. `says`: who the reader is here; `can`: what they can do; `own`: what is for them.

    `offer` is what the place has for loved ones.
    """

    name: str
    says: tuple[str, ...]
    can: tuple[str, ...]
    own: tuple[str, ...]
    offer: tuple[OfferView, ...]


def beside(client: str) -> Beside:
    """Return what the start page says to the reader of this launch; `client` is what the client is called."""
    here = current.launch()
    if here.user.role == "representative":
        says: tuple[str, ...] = (
            _("You are here as the legal representative of %(name)s.", name=client),
            _(
                "This page shows what %(name)s shares. Which decisions are yours, the law says, and not Verstel.",
                name=client,
            ),
            _("Do you need to know more? Ask %(name)s, or the care team.", name=client),
        )
    else:
        says = (_("It is good that you stand beside %(name)s.", name=client),)
    return Beside(
        name=here.user.address,
        says=says,
        can=(
            _("Ask what helps, and what does not. Then you need not guess."),
            _(
                "Talk with the care team together, if %(name)s wants that. Working together helps the treatment most.",
                name=client,
            ),
            _("%(name)s chooses who is told what. Respect that choice, also when it is hard.", name=client),
            _("Keep seeing what %(name)s can do. You often know that better than anyone.", name=client),
            _("Do something ordinary together. Not every talk has to be about how it goes."),
        ),
        own=(
            _("You carry something too: worry, grief, tiredness. That may be there."),
            _("What do you need to go on? Who listens to you? What gives you energy?"),
            _("Others who stand beside somebody know this. Talking with them can help."),
        ),
        offer=offer_views(current.services().settings.offer_for_loved_ones),
    )
