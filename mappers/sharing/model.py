"""Who may read and type what: a choice of the client for each part, or else what holds for everybody.

A reader is known by two names: a role (`peer-worker`), and who they are in the record (`RelatedPerson/7`). A choice
names either. What no choice and no rule says is not allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

CLIENT: Final = "client"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the client chose for one part.

    `record`: it is kept where the record is kept, and so whoever may open the record can read it there; here it is read
    by the roles that the part's rule names. `readers` read it besides, and `typists` are those of all who read it that
    may also type in it, together with the client; each is a role or a reference.
    """

    record: bool = True
    readers: frozenset[str] = frozenset()
    typists: frozenset[str] = frozenset()

    @property
    def only_me(self) -> bool:
        """Tell whether nobody but the client reads it."""
        return not self.record and not self.readers

    def without(self, name: str) -> Choice:
        """Return the choice without one reader."""
        return replace(self, readers=self.readers - {name}, typists=self.typists - {name})


RECORD: Final = Choice()
"""What holds for a part of which the client chose nothing: it is in the record, as the rest of it."""
ME: Final = Choice(record=False)
"""Only the client."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which roles read a part that is in the record, and which of them may type in it with the client."""

    readers: frozenset[str] = frozenset()
    typists: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who signed in: their role, and their reference (`Practitioner/7`), "" where the record has none."""

    role: str
    reference: str = ""

    @property
    def names(self) -> frozenset[str]:
        """Return what a choice may call them."""
        return frozenset({self.role, self.reference} - {""})


@dataclass(frozen=True, slots=True)
class Sharing:
    """All choices of one client, by part. `changed` is when one was made last, a FHIR dateTime, "" for never."""

    choices: Mapping[str, Choice] = field(default_factory=dict)
    changed: str = ""

    def of(self, part: str) -> Choice:
        """Return what holds for a part."""
        return self.choices.get(part, RECORD)

    def names(self, name: str) -> bool:
        """Tell whether a choice names a reader."""
        return any(name in one.readers | one.typists for one in self.choices.values())

    def may_read(self, part: str, reader: Reader, rule: Rule) -> bool:
        """Tell whether somebody may read a part."""
        if reader.role == CLIENT:
            return True
        choice = self.of(part)
        return (choice.record and reader.role in rule.readers) or bool(choice.readers & reader.names)

    def may_type(self, part: str, reader: Reader, rule: Rule) -> bool:
        """Tell whether somebody may type in a part, together with the client."""
        if reader.role == CLIENT:
            return True
        if not self.may_read(part, reader, rule):
            return False
        choice = self.of(part)
        return (choice.record and reader.role in rule.typists) or bool(choice.typists & reader.names)

    def with_choice(self, part: str, choice: Choice, changed: str) -> Sharing:
        """Return the choices with another one for a part, made at `changed`; typists who don't read it are left out."""
        # Who reads it through the record types by the rule; who is named here is named as a reader first.
        tidied = replace(choice, typists=choice.typists & choice.readers)
        others = {name: one for name, one in self.choices.items() if name != part}
        return Sharing(others if tidied == RECORD else {**others, part: tidied}, changed)

    def without(self, name: str, changed: str) -> Sharing:
        """Return the choices without one reader: at once and in every part. The same where nothing names them."""
        if not self.names(name):
            return self
        left = {part: one.without(name) for part, one in self.choices.items()}
        return Sharing({part: one for part, one in left.items() if one != RECORD}, changed)
