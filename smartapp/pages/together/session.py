"""What is typed during one conversation and is not in the record yet: one sketch, of which each screen is a part.

It survives a closed browser, and ends when the two people say so. Nothing here knows of a request.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from mappers.conversation import Conversation
from mappers.decisions import MOST_OPTIONS, Decision, Option, Outcome
from smartapp.storage.drafts import Drafts
from smartapp.web.typed import clean, digest

MOST_TOPICS: Final = 4
OUTCOMES: Final[tuple[Outcome, ...]] = ("agreed", "differ", "later")
WHO: Final = ("client", "professional", "other")
_PARTS: Final = ("what", "brings", "costs")
_WORDS: Final = ("words-", "client-view-", "professional-view-", "who-name-", "option-", "medicine-", "note-")


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation: `key` names it, `begun` is when it began, `fields` is what was typed, by name.

    `begun` is a FHIR dateTime; in what an older version kept it is the day.
    """

    key: str
    begun: str
    fields: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return what was typed in a field, "" where nothing was."""
        return self.fields.get(name, "")

    @property
    def topics(self) -> dict[int, str]:
        """Return what there is to talk about, by its place on the list."""
        return {n: text for n in range(1, MOST_TOPICS + 1) if (text := self.text(f"topic-{n}").strip())}

    @property
    def free(self) -> int | None:
        """Return the first place on the list where nothing stands, None where it is full."""
        return next((n for n in range(1, MOST_TOPICS + 1) if n not in self.topics), None)

    def key_of(self, part: str) -> str:
        """Return the identifier of what this session makes of a part, such as a topic: the same each time."""
        return str(uuid.uuid5(uuid.UUID(self.key), part))

    def topic_key(self, number: int) -> str:
        """Return the identifier of the decision about a topic. A place that was emptied and filled anew is another."""
        return self.key_of(f"topic-{number}-{self.text(f'turn-{number}')}")

    @property
    def conversation(self) -> Conversation:
        """Return what names this conversation in the record."""
        return Conversation(self.key_of("conversation"), self.begun)

    @property
    def unsaved(self) -> tuple[str, ...]:
        """Return the words that were typed and are not in the record, but for the topics themselves."""
        return tuple(text for name, text in self.fields.items() if name.startswith(_WORDS) and text.strip())

    def decision(self, number: int) -> Decision:
        """Return the decision about a topic as far as it is typed."""
        outcome = self.text(f"outcome-{number}")
        return Decision(
            topic=self.text(f"topic-{number}"),
            options=tuple(
                Option(*(self.text(option_field(number, place, part)) for part in _PARTS))
                for place in range(1, MOST_OPTIONS + 1)
            ),
            outcome=next((one for one in OUTCOMES if one == outcome), ""),
            words=self.text(f"words-{number}"),
            client_view=self.text(f"client-view-{number}"),
            professional_view=self.text(f"professional-view-{number}"),
        )


def option_field(topic: int, place: int, part: str) -> str:
    """Return the name of the field of an option of a topic; `part` is what, brings or costs."""
    return f"option-{topic}-{place}-{part}"


def topic_fields() -> tuple[str, ...]:
    """Return the names of the fields with what there is to talk about."""
    return tuple(f"topic-{n}" for n in range(1, MOST_TOPICS + 1))


def option_fields(topic: int) -> tuple[str, ...]:
    """Return the names of the fields of all options of a topic."""
    return tuple(option_field(topic, place, part) for place in range(1, MOST_OPTIONS + 1) for part in _PARTS)


def decision_fields(topic: int) -> tuple[str, ...]:
    """Return the names of the fields with what comes of a topic."""
    names = ("outcome", "words", "who", "who-name", "due", "client-view", "professional-view")
    return tuple(f"{name}-{topic}" for name in names)


def unwritten_fields(topic: int, decision: Decision, who: str) -> frozenset[str]:
    """Return the names of the fields that a decision has no place for, given its outcome and who does it."""
    names = () if decision.outcome == "agreed" else ("words", "who", "who-name", "due")
    return frozenset(f"{name}-{topic}" for name in (*names, *([] if who == "other" else ["who-name"])))


def medicine_fields(medicine: str) -> tuple[str, ...]:
    """Return the names of the fields about a medicine, given by its key; that of a new one has a name too."""
    names = ("use", "benefit", "burden", *(["name"] if medicine == "new" else []))
    return tuple(f"medicine-{medicine}-{name}" for name in names)


def progress_fields(agreement: str) -> tuple[str, str]:
    """Return the names of the fields that say how an agreement, given by its id, went."""
    return (f"went-{agreement}", f"note-{agreement}")


def sent_field(agreement: str) -> str:
    """Return the name under which the words are kept that were sent about an agreement and had to wait."""
    return f"sent-{agreement}"


# --- changing it ----------------------------------------------------------------------------------------------------


def with_typed(session: Session, form: Mapping[str, str], names: Iterable[str]) -> Session:
    """Return the session with what a form changed of these fields.

    A form says with each field on which text it was based. What it did not change stays as it is stored now, because
    another tab may have changed that.
    """
    typed = {name: clean(form[name]) for name in names if name in form}
    changed = {name: text for name, text in typed.items() if digest(text) != form.get(f"seen-{name}", "")}
    return Session(session.key, session.begun, {**session.fields, **changed})


def with_fields(session: Session, fields: Mapping[str, str]) -> Session:
    """Return the session with these fields set."""
    return Session(session.key, session.begun, {**session.fields, **fields})


def without_fields(session: Session, names: Iterable[str]) -> Session:
    """Return the session without these fields, such as those of what is in the record now."""
    gone = frozenset(names)
    return Session(
        session.key, session.begun, {name: text for name, text in session.fields.items() if name not in gone}
    )


def after_saying(session: Session, agreement: str, words: str, *, arrived: bool) -> Session:
    """Return the session after words were saved about an agreement; those that wait stay until the record has them."""
    sent = sent_field(agreement)
    if not arrived:
        return with_fields(session, {sent: words})
    return without_fields(session, [progress_fields(agreement)[1], sent])


def without_topic(session: Session, number: int) -> Session:
    """Return the session without a topic and all that was typed about it; its place can be used again, by another."""
    gone = {f"topic-{number}", f"from-{number}", *option_fields(number), *decision_fields(number)}
    return with_fields(without_fields(session, gone), {f"turn-{number}": uuid.uuid4().hex})


# --- keeping it -----------------------------------------------------------------------------------------------------


_Change = Callable[[Session], Session]


@dataclass(frozen=True, slots=True)
class Begun:
    """A conversation that somebody has begun and not closed: their name, and when they last opened it on that day."""

    name: str
    at: str


class Begins:
    """Who has begun a conversation about one person today, for whoever opens one too; nothing of what they type.

    `drafts` belong to the person and to no author; `me` says nothing of who this user is to who cannot know.
    """

    def __init__(self, drafts: Drafts, me: str, name: str, now: dt.datetime) -> None:
        self._drafts, self._me, self._name, self._now = drafts, me, name, now

    def begin(self) -> None:
        """Say that this user has a conversation going on."""
        mine = {"name": self._name, "at": self._now.isoformat()}
        self._drafts.change(_BEGUN, lambda stored: {**_today(stored, self._now), self._me: mine})

    def end(self) -> None:
        """Say that this user closed it."""
        if self._drafts.get(_BEGUN) is not None:
            self._drafts.change(
                _BEGUN,
                lambda stored: {me: one for me, one in _today(stored, self._now).items() if me != self._me},
            )

    def others(self) -> tuple[Begun, ...]:
        """Return who else began a conversation today and did not close it, the first begun first."""
        draft = self._drafts.get(_BEGUN)
        found = _today(draft.resource if draft else None, self._now)
        others = (Begun(one["name"], one["at"]) for me, one in found.items() if me != self._me)
        return tuple(sorted(others, key=lambda one: one.at))


_BEGUN: Final = "begun"


def _today(stored: Mapping[str, object] | None, now: dt.datetime) -> dict[str, dict[str, str]]:
    found = {
        me: {str(name): str(text) for name, text in one.items()}
        for me, one in (stored or {}).items()
        if isinstance(one, dict)
    }
    return {me: one for me, one in found.items() if one.get("at", "")[:10] == now.date().isoformat()}


class Sessions:
    """The session of one user about one person, in their sketches under `name`, which says nothing of either.

    `begins` tells others that it goes on, None where that is nobody's business.
    """

    def __init__(self, drafts: Drafts, name: str, now: dt.datetime, begins: Begins | None = None) -> None:
        self._drafts, self._name, self._now, self._begins = drafts, name, now, begins

    def get(self) -> Session:
        """Return the session that goes on, or an empty one that is not kept yet."""
        draft = self._drafts.get(self._name)
        return _session(draft.resource) if draft else self._new()

    def goes_on(self) -> bool:
        """Tell whether anything is kept of a conversation."""
        return self._drafts.get(self._name) is not None

    def keep(self, form: Mapping[str, str], names: Iterable[str]) -> Session:
        """Keep what a form changed; see `with_typed`."""
        wanted = tuple(names)
        return self.change(lambda session: with_typed(session, form, wanted))

    def change(self, change: _Change) -> Session:
        """Keep the session as changed, with no other change in between."""
        new, today, on_day = self._new(), self._now.date().isoformat(), ""

        def update(stored: Mapping[str, object] | None) -> dict[str, object]:
            nonlocal on_day
            on_day = str(stored.get("day", "")) if stored else ""
            session = change(_session(stored) if stored else new)
            return {"key": session.key, "begun": session.begun, "fields": dict(session.fields), "day": today}

        kept = _session(self._drafts.change(self._name, update).resource)
        if self._begins is not None and on_day != today:  # begun, or gone on with on another day
            self._begins.begin()
        return kept

    def forget(self, names: Iterable[str]) -> Session:
        """Forget these fields of what is kept. Whoever only opens a page goes on with no conversation by that."""
        gone = tuple(names)

        def update(stored: Mapping[str, object] | None) -> dict[str, object]:
            if stored is None:
                return {"key": new.key, "begun": new.begun, "fields": {}}
            return {**stored, "fields": dict(without_fields(_session(stored), gone).fields)}

        new = self._new()
        return _session(self._drafts.change(self._name, update).resource)

    def end(self) -> None:
        """Forget it: all of it is in the record, or was let go."""
        self._drafts.delete(self._name)
        if self._begins is not None:
            self._begins.end()

    def _new(self) -> Session:
        return Session(str(uuid.uuid4()), self._now.isoformat())


def _session(stored: Mapping[str, object]) -> Session:
    fields = stored.get("fields")
    kept = {str(name): str(text) for name, text in fields.items()} if isinstance(fields, dict) else {}
    return Session(str(stored["key"]), str(stored["begun"]), kept)
