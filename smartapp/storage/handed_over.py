"""Words that a professional typed with the client, and that wait for the client's yes on a screen of their own.

They stand among the drafts, sealed, as belonging to the person that they are about. They wait fourteen days; after
that, and once the client has answered, only what became of them is kept, for as long again.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from smartapp.storage.database import reading, writing
from smartapp.storage.drafts import DRAFTS, HANDED_OVER, Drafts
from smartapp.storage.vault import Vault

DAYS: Final = 14
_SECONDS: Final = DAYS * 86_400

State = Literal["waiting", "confirmed", "changed", "refused", "over"]
"""`changed`: the client took the words over and says them in another way; `over`: nobody answered in time."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What was typed in one form. `form` names that form alike in every launch, `page` is its address in the record.

    `fields` is what the form held, nothing once it is answered. `typist` and `name` are who typed it (a reference, and
    how they are called), `writer` is a digest of that user. Times are in seconds since 1970. `mark` is of these words
    and no others: the same user may put others in their place while the client reads. `words` names the fields that
    hold words, and no choice or date.
    """

    id: str
    form: str
    page: str
    title: str
    typist: str
    name: str
    writer: str
    made: int
    fields: Mapping[str, str] = field(default_factory=dict)
    state: State = "waiting"
    answered: int = 0
    mark: str = ""
    words: Sequence[str] = ()

    @property
    def until(self) -> int:
        """Return until when it waits."""
        return self.made + _SECONDS


class Waiting:
    """What was handed over to one person. `drafts` belong to them and to no author; `clock`: seconds since 1970."""

    def __init__(self, drafts: Drafts, clock: Callable[[], float]) -> None:
        self._drafts, self._clock = drafts, clock

    def hand_over(self, words: HandedOver) -> HandedOver:
        """Let words wait, in the place of what the same user handed over of this form before."""
        mark = uuid.uuid4().hex[:12]
        made = replace(words, id=name_of(words.writer, words.form), made=int(self._clock()), mark=mark)
        self._drafts.change(made.id, lambda _before: asdict(made))
        return made

    def all(self) -> list[HandedOver]:
        """Return what waits, and what became of the rest, the newest first."""
        found = (_read(one.resource) for one in self._drafts.all() if one.questionnaire.startswith(HANDED_OVER))
        return [self._by_now(one) for one in found]

    def waiting(self, id_: str) -> HandedOver | None:
        """Return what waits under an id, None where it does not (any more)."""
        draft = self._drafts.get(id_) if id_.startswith(HANDED_OVER) else None
        found = self._by_now(_read(draft.resource)) if draft else None
        return found if found is not None and found.state == "waiting" else None

    def answer(self, id_: str, state: State, mark: str) -> None:
        """Say what became of the words with this mark; they go. What is answered already stays as it was answered."""

        def update(there: Mapping[str, Any] | None) -> dict[str, Any]:
            if there is None or there.get("mark", "") != mark or self._by_now(_read(there)).state != "waiting":
                raise _AnsweredAlready
            return _answered(there, state, int(self._clock()))

        with contextlib.suppress(_AnsweredAlready):
            self._drafts.change(id_, update)

    def withdraw(self, writer: str, form: str) -> None:
        """Let it wait no longer: who typed it took it back, or had the client read it beside them."""
        self._drafts.delete(name_of(writer, form))

    def _by_now(self, one: HandedOver) -> HandedOver:
        if one.state == "waiting" and one.until <= self._clock():
            return replace(one, state="over", fields={}, answered=one.until)
        return one


def name_of(writer: str, form: str) -> str:
    """Return the id of what one user hands over of one form."""
    return f"{HANDED_OVER}{writer[:24]}{form[:24]}"


def forget_old(engine: Engine, vault: Vault, now: float) -> None:
    """Wipe the words that have waited long enough, and all of what was answered, or over, as long ago."""
    old = (DRAFTS.c.questionnaire.startswith(HANDED_OVER, autoescape=True), DRAFTS.c.changed <= int(now) - _SECONDS)
    with reading(engine) as connection:
        rows = connection.execute(sa.select(DRAFTS).where(*old)).all()
    for row, values in zip(rows, vault.open_any([row.sealed for row in rows]), strict=True):
        this = (*old, DRAFTS.c.owner == row.owner, DRAFTS.c.questionnaire == row.questionnaire)
        change: sa.Update | sa.Delete = DRAFTS.delete()
        if values is not None and values.get("state") == "waiting":
            over = _answered(values, "over", row.changed + _SECONDS)
            change = DRAFTS.update().values(sealed=vault.seal(over), changed=int(now), version=row.version + 1)
        with writing(engine, on=row.owner) as connection:
            connection.execute(change.where(*this, DRAFTS.c.version == row.version))


def _answered(there: Mapping[str, Any], state: State, when: int) -> dict[str, Any]:
    return {**there, "state": state, "fields": {}, "answered": when}


class _AnsweredAlready(Exception):
    """It does not wait any more."""


def _read(kept: Mapping[str, Any]) -> HandedOver:
    return HandedOver(**kept)
