"""Changing a draft: what the page of one question sends, put into the draft as it is by then. Knows no request."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from mappers.answers import ResponseRef
from mappers.helper import Helper
from mappers.human_name import reference_to
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument, Item, Text
from smartapp.pages.questionnaire.filling import (
    Filling,
    NotOnListError,
    draft_of,
    filling_of,
    parse,
    with_answer,
    with_helper,
    with_ticks,
)
from smartapp.storage.drafts import Drafts
from smartapp.storage.launches import Launch
from smartapp.web.typed import clean, merge

NOT_SIGNED_IN: Final = Text("iemand op een ander toestel, niet ingelogd", "somebody on another device, not signed in")


class ChangedElsewhere(Exception):
    """Another tab saved another text for this question; `filling` is what is stored now."""

    def __init__(self, filling: Filling) -> None:
        super().__init__("Another tab saved another text for this question.")
        self.filling = filling


def about(launch: Launch, now: dt.datetime, language: str) -> ResponseRef:
    """Return what is known about a response that the user of this launch writes now; its identifier is for a new one.

    The answers are the client's, also when someone else types them. On a device that was handed to somebody nobody
    signed in: then nobody is named as who typed, and the words say so.
    """
    client = reference_to(launch.patient.reference, launch.patient.display, language)
    return ResponseRef(
        status="in-progress",
        identifier=str(uuid.uuid4()),
        authored=now.isoformat(),
        subject=client,
        author=_author(launch, language),
        source=client,
        language=language,
    )


def _author(launch: Launch, language: str) -> dict[str, str]:
    if launch.handed:
        return {"display": NOT_SIGNED_IN.get(language)}
    return reference_to(launch.user.reference, launch.user.display, language)


@dataclass(frozen=True, slots=True)
class Given:
    """What the form of one question sends.

    `answer` is its field, None to take the answer out; `based_on` is the digest of the text that the form showed, None
    for a form that does not say.
    """

    answer: str | None
    based_on: str | None


def keep_answer(
    drafts: Drafts, instrument: Instrument, item: Item, given: Given, *, about: ResponseRef, catalogue: Catalogue
) -> Filling:
    """Put an answer into the draft as it is stored now, and return the answers as they become.

    What stands there already is not written again: each write makes everybody wait for the disk. Raises AnswerError,
    OtherVersion or ChangedElsewhere; then the draft is as it was.
    """
    value = None if given.answer is None else parse(item, given.answer)
    draft = drafts.get(instrument.id)
    before = draft.resource if draft else None
    stands = filling_of(instrument, before, catalogue)
    if stands.values.get(item.link_id) == value:
        # As after most presses of Next, for the page saved it by then; and an empty field does not begin a draft.
        return stands
    # A list, because `change` calls back and returns the draft as stored, not the answers.
    kept: list[Filling] = []

    def update(now: Resource | None) -> Resource:
        filling = stands if now == before else filling_of(instrument, now, catalogue)
        if item.kind == "text" and not _replaces(given.based_on, filling.text(item), str(value or "")):
            raise ChangedElsewhere(filling)
        kept.append(with_answer(filling, item, value))
        return draft_of(kept[-1], about)

    drafts.change(instrument.id, update)
    return kept[-1]


def keep_ticks(
    drafts: Drafts,
    instrument: Instrument,
    items: Sequence[Item],
    ticked: Collection[str],
    *,
    whole: bool,
    about: ResponseRef,
    catalogue: Catalogue,
) -> Filling:
    """Put a list as it was ticked into the draft as it is stored now; see `with_ticks`.

    Raises OtherVersion. Raises NotOnListError after it has kept what is on the list: the person is still on it then, so
    what they did not tick is no answer yet.
    """
    known = {item.link_id for item in items}
    strange = [one for one in ticked if one not in known]
    if strange:
        keep_ticks(drafts, instrument, items, known & set(ticked), whole=False, about=about, catalogue=catalogue)
        raise NotOnListError(", ".join(strange))
    draft = drafts.get(instrument.id)
    stands = filling_of(instrument, draft.resource if draft else None, catalogue)
    if with_ticks(stands, items, ticked, whole=whole).values == stands.values:
        return stands
    kept: list[Filling] = []

    def update(now: Resource | None) -> Resource:
        kept.append(with_ticks(filling_of(instrument, now, catalogue), items, ticked, whole=whole))
        return draft_of(kept[-1], about)

    drafts.change(instrument.id, update)
    return kept[-1]


def keep_helper(
    drafts: Drafts, instrument: Instrument, helper: Helper | None, *, about: ResponseRef, catalogue: Catalogue
) -> Filling:
    """Put into the draft who helped, and return the answers as they stand. Without a draft there is nothing to help."""
    draft = drafts.get(instrument.id)
    stands = filling_of(instrument, draft.resource if draft else None, catalogue)
    if draft is None or stands.answers.response.helper == helper:
        return stands
    kept: list[Filling] = []

    def update(now: Resource | None) -> Resource:
        kept.append(with_helper(filling_of(instrument, now, catalogue), helper))
        return draft_of(kept[-1], about)

    drafts.change(instrument.id, update)
    return kept[-1]


def _replaces(based_on: str | None, stored: str, typed: str) -> bool:
    """Tell whether a typed text may replace the stored one.

    A page has one question, so if any of the stored text would stay, the person must see it before going on. A text
    that was emptied elsewhere has no words to lose.
    """
    if based_on is None or not stored:
        return True
    kept = merge(based_on, stored, typed)
    return kept is not None and clean(kept) == typed
