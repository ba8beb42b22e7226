"""The supporters of the plan for good and hard days, who can be put into the circle without typing them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mappers.circle import Member
from smartapp.web.living import StoredForm

FORM: Final = "staying-well"
GROUP: Final = f"{FORM}-supporters"
NAME: Final = f"{FORM}-supporter"
_SAID_YES: Final = "2"
_SAID_NO: Final = "3"


def supporters_in(forms: Mapping[str, StoredForm]) -> tuple[Member, ...]:
    """Return the supporters, without those who said no; each has the key of its row as id, and their answer."""
    stored = forms.get(FORM)
    rows = stored.content.rows_of(GROUP) if stored else ()
    return tuple(
        Member(
            id=row.key,
            name=row.of(NAME),
            relation=row.of(f"{NAME}-relation"),
            role="loved-one",
            phone=row.of(f"{NAME}-telephone"),
            supports=row.of(f"{NAME}-answer") == _SAID_YES,
        )
        for row in rows
        if row.of(NAME) and row.of(f"{NAME}-answer") != _SAID_NO
    )
