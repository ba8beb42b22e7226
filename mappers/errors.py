"""What the mappers refuse. Each error has a reason, a place and advice on what to do about it.

MapperError
├── RefusedResponse          a QuestionnaireResponse that gives no answers we may use
│   ├── NotAResponse         not a QuestionnaireResponse at all, or not readable
│   ├── OtherQuestionnaire   names no questionnaire and version that we know
│   ├── LivingForm           answers a living form, which has rows and no scores
│   ├── RefusedItem          an item that this questionnaire does not have, has elsewhere, or has twice
│   ├── RefusedAnswer        an answer of another kind, outside the options, or more than one
│   └── NotScorable          readable, but not finished, or without what a score must carry
├── NotAsked                 what a PGO may ask, and this is not
└── PlanError                a plan that cannot be written, or resources that are not a plan
    ├── TooManyDomains       more than five life domains, or one domain twice
    ├── UnknownDomain        a life domain that is not in the list
    ├── EmptyText            a goal or step without any text
    ├── RefusedValue         a date, progress or status outside its list
    └── NotAPlan             resources that do not form a recovery plan

No message repeats what a person typed or answered: errors end up in logs.
"""

from __future__ import annotations

import re

_PRINTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class MapperError(ValueError):
    """The base of them all.

    `reason` says what was found, `where` the place in the resource ("" if it is the whole), `advice` what to do.
    """

    def __init__(self, reason: str, *, where: str = "", advice: str = "") -> None:
        self.reason = reason
        self.where = where
        self.advice = advice
        super().__init__(reason, where, advice)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.reason}{'. ' if self.advice else ''}{self.advice}"

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild across processes (`verstel score --jobs`), where keyword arguments would be lost."""
        return _rebuild, (type(self), self.reason, self.where, self.advice)


def _rebuild(kind: type[MapperError], reason: str, where: str, advice: str) -> MapperError:
    return kind(reason, where=where, advice=advice)


class RefusedResponse(MapperError):
    """A QuestionnaireResponse that gives no answers we may use."""


class NotAResponse(RefusedResponse):
    """Not a QuestionnaireResponse at all, or not readable."""


class OtherQuestionnaire(RefusedResponse):
    """A response that names no questionnaire and version that we know."""


class LivingForm(RefusedResponse):
    """A response to a living form: its answers stand in rows, and nothing is measured by them."""


class RefusedItem(RefusedResponse):
    """An item that this questionnaire does not have, has elsewhere, or has twice."""


class RefusedAnswer(RefusedResponse):
    """An answer of another kind, outside the options, or more than one answer."""


class NotScorable(RefusedResponse):
    """A readable response that is not finished, or lacks what a score must carry."""


class NotAsked(MapperError):
    """A question that is none of those that a PGO asks, or with a filter that we do not know."""


class PlanError(MapperError):
    """A plan that cannot be written, or resources that are not a plan."""


class TooManyDomains(PlanError):
    """More than five life domains, or one domain twice."""


class UnknownDomain(PlanError):
    """A life domain that is not in the list."""


class EmptyText(PlanError):
    """A goal or step without any text."""


class RefusedValue(PlanError):
    """A date, progress or status outside its list."""


class NotAPlan(PlanError):
    """Resources that do not form a recovery plan."""


def shown(value: object) -> str:
    """Return an identifier in quotes for use in a message.

    A value that could hold anything at all, such as someone's name, is described instead: messages end up in logs.
    """
    if isinstance(value, str) and _PRINTABLE_ID.fullmatch(value):
        return f"'{value}'"
    return "(not shown: it is not a plain identifier)"
