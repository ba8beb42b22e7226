"""Research files: what one response gives, which measurement it was, how people changed, and what nobody may be told.

A cell is one answer or one score with its number, or why there is none. Nothing here knows a name or an id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any, Final, Literal

from mappers.reuse import is_reuse, patient_of, reuse_of
from mappers.scoring import Score, score
from mappers.small_cells import FEWEST, enough
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.model import NOT_APPLICABLE, EnableWhen, Instrument, Item, ScoreRule, Text

Level = Literal["nominal", "ordinal", "scale"]
Values = Mapping[str, str | bool]


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a number is not there: a code, a name for machines, and words."""

    code: int
    name: str
    text: Text


NOT_ANSWERED: Final = Missing(-1, "not-answered", Text("niet beantwoord", "not answered"))
DOES_NOT_APPLY: Final = Missing(-2, "not-applicable", Text("niet van toepassing", "not applicable"))
TOO_FEW: Final = Missing(-3, "too-few", Text("geen score: te weinig beantwoord", "no score: too little answered"))
NOT_SENT: Final = Missing(-4, "not-sent", Text("vragenlijst nooit ingestuurd", "form never sent in"))
NOT_THEN: Final = Missing(-5, "not-then", Text("op dit moment niet ingestuurd", "form not sent in at this moment"))
NOT_ASKED: Final = Missing(-6, "not-asked", Text("niet gevraagd", "not asked, after an earlier answer"))
MISSING: Final = (NOT_ANSWERED, DOES_NOT_APPLY, TOO_FEW, NOT_SENT, NOT_THEN, NOT_ASKED)
"""All reasons. Their codes are below zero, where no answer and no score is (a test holds that)."""

# --- which measurement it was -----------------------------------------------------------------------------------

BEGIN, MIDDLE, END, OTHER = "begin", "middle", "end", "other"
MOMENTS: Final = (BEGIN, MIDDLE, END)
MONTH: Final = 365.25 / 12
"""Days of a month, on average."""


@dataclass(frozen=True, slots=True)
class Window:
    """A moment of a traject, in months after its start: about when, and from when until when it counts."""

    moment: str
    about: float
    first: float
    last: float


WINDOWS: Final = (Window(BEGIN, 0, 0, 2), Window(MIDDLE, 18, 15, 21), Window(END, 30, 27, 33))
"""Within 2 months, about 18 and about 30 months: the handbook. Three months to either side of these is our choice."""


def moments_of(days: Sequence[int], start: int | None = None) -> list[str]:
    """Return which moment each response of one person to one form was, "other" for none; `days` in order of time.

    With the day a traject started: in each window of the handbook the response nearest to what it names. Without: their
    own first, their own last on a later day, and the one nearest the middle between these. The earlier one of two that
    are as near. One response has a begin only.
    """
    made = [OTHER] * len(days)
    if start is None:
        if days:
            made[0] = BEGIN
            if days[-1] > days[0]:
                made[-1] = END
                _mark(made, days, MIDDLE, about=(days[0] + days[-1]) / 2, within=(days[0] + 1, days[-1] - 1))
        return made
    for window in WINDOWS:
        about, first, last = (start + months * MONTH for months in (window.about, window.first, window.last))
        _mark(made, days, window.moment, about=about, within=(first, last))
    return made


def _mark(made: list[str], days: Sequence[int], moment: str, *, about: float, within: tuple[float, float]) -> None:
    first, last = within
    inside = [at for at, day in enumerate(days) if first <= day <= last and made[at] == OTHER]
    if inside:
        made[min(inside, key=lambda at: abs(days[at] - about))] = moment


# --- what one response gives --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """An answer or a score: its number, or why it is missing; or the words of a free text."""

    code: str
    kind: Literal["answer", "score", "text"]
    value: float | int | None
    missing: Missing | None = None
    text: str = ""


def has_number(item: Item) -> bool:
    """Tell whether an item's answers are numbers in a file; words and dates are not."""
    return item.scale is not None or item.kind == "boolean"


def cells_of(instrument: Instrument, values: Values, *, free_text: bool = False) -> Iterator[Cell]:
    """Yield a cell for each item and each score, answered or not, in the definition's order."""
    for item in instrument.items:
        given = values.get(item.link_id)
        if has_number(item):
            yield _answer(item, given, values)
        elif free_text and item.kind != "date":
            missing = None if given else NOT_ANSWERED
            yield Cell(item.link_id, "text", None, missing, str(given or ""))
    for one in score(instrument, values):
        yield Cell(one.rule.code, "score", one.value, _why(one))


def _answer(item: Item, given: str | bool | None, values: Values) -> Cell:
    if given is None or given == "":
        asked = item.enable_when is None or _enabled(item.enable_when, values)
        return Cell(item.link_id, "answer", None, NOT_ANSWERED if asked else NOT_ASKED)
    if item.scale is None:
        return Cell(item.link_id, "answer", int(given is True))
    if given == NOT_APPLICABLE and item.scale.has_not_applicable:
        return Cell(item.link_id, "answer", None, DOES_NOT_APPLY)
    return Cell(item.link_id, "answer", _numbers(item)[str(given)])


def _enabled(when: EnableWhen, values: Values) -> bool:
    return values.get(when.item) == when.answer


def _why(one: Score) -> Missing | None:
    if one.value is not None:
        return None
    return DOES_NOT_APPLY if one.absent == "not-applicable" else TOO_FEW


def _numbers(item: Item) -> dict[str, int]:
    """Return the number of each answer: what it counts for, or its place from 1 where the answers count for nothing."""
    options = [one for one in item.scale.options if one.code != NOT_APPLICABLE] if item.scale else []
    counted = all(one.value is not None for one in options)
    return {one.code: one.value if counted and one.value is not None else place for place, one in enumerate(options, 1)}


# --- what a column is ------------------------------------------------------------------------------------------


_YES: Final = Text("ja", "yes")
_NO: Final = Text("nee", "no")


@dataclass(frozen=True, slots=True)
class Variable:
    """A column of a file, or what one code in the long file stands for."""

    name: str
    label: str
    type: Literal["number", "text"] = "number"
    level: Level = "nominal"
    values: tuple[tuple[int, str], ...] = ()
    missing: tuple[Missing, ...] = ()
    low: float | None = None
    high: float | None = None
    source: str = ""
    rule: str = ""
    rule_version: str = ""
    certainty: str = ""
    verified: str = ""
    wording: str = ""


def variables_of(instrument: Instrument, language: str, *, free_text: bool = False) -> dict[str, Variable]:
    """Return what each code of an instrument stands for, by code, in the order of `cells_of`."""
    made = {
        item.link_id: _of_item(instrument, item, language)
        for item in instrument.items
        if has_number(item) or (free_text and item.kind != "date")
    }
    return made | {rule.code: _of_rule(rule, language) for rule in instrument.scores}


def _of_item(instrument: Instrument, item: Item, language: str) -> Variable:
    missing = [NOT_ANSWERED, NOT_SENT, NOT_THEN]
    if item.scale is not None and item.scale.has_not_applicable:
        missing.append(DOES_NOT_APPLY)
    if item.enable_when is not None:
        missing.append(NOT_ASKED)
    made = Variable(
        item.link_id,
        item.text.get(language),
        missing=tuple(missing),
        source=item.source.citation if item.source else "",
        certainty=item.source.certainty if item.source else "",
        wording=instrument.wording,
    )
    if not has_number(item):
        return replace(made, type="text")
    if item.scale is None:
        return replace(made, values=((0, _NO.get(language)), (1, _YES.get(language))), low=0, high=1)
    numbers = _numbers(item)
    texts = {one.code: one.text.get(language) for one in item.scale.options}
    return replace(
        made,
        level="ordinal" if item.scale.numbers else "nominal",
        values=tuple(sorted((number, texts[code]) for code, number in numbers.items())),
        low=min(numbers.values()),
        high=max(numbers.values()),
    )


def _of_rule(rule: ScoreRule, language: str) -> Variable:
    certainties = sorted({fact.certainty for fact in rule.facts})
    return Variable(
        rule.code,
        rule.title.get(language),
        level="scale",
        missing=(TOO_FEW, DOES_NOT_APPLY, NOT_SENT, NOT_THEN),
        low=rule.low,
        high=rule.high,
        source="; ".join(source.citation for source in rule.sources),
        rule=rule.method.get(language),
        rule_version=rule.version,
        certainty=", ".join(certainties),
        verified="yes" if rule.verified else "no",
    )


def column(code: str, moment: str, version: str = "") -> str:
    """Return the name of a column of the wide file: letters, digits and _, as SPSS wants it (at most 64).

    `version` is that of the instrument where it is not the current one: its numbers have columns of their own.
    """
    return re.sub(r"\W", "_", "_".join(part for part in (code, version and f"v{version}", moment) if part))


# --- tables: of enough people only ----------------------------------------------------------------------------


def suppressed(counts: Mapping[Any, int]) -> dict[Any, int | None]:
    """Return how many people gave each answer, None where that is not said.

    Of fewer than six nothing is said. The total is known, so what it leaves over must be six people or more and two
    answers or more: as many of the smallest other counts as that takes are not said either.
    """
    hidden = {value for value, number in counts.items() if number > 0 and not enough(number)}
    rest = sorted((number, str(value), value) for value, number in counts.items() if value not in hidden and number)
    while hidden and rest and (len(hidden) < 2 or sum(counts[value] for value in hidden) < FEWEST):
        hidden.add(rest.pop(0)[2])
    return {value: None if value in hidden else number for value, number in counts.items()}


@dataclass(frozen=True, slots=True)
class Change:
    """How those who have both changed from begin to end: all None where they are fewer than six.

    `sd` is the sample standard deviation (n - 1) of the changes. `reliable` is what a change must at least be to be
    more than chance, from a source, or that there is none.
    """

    n: int | None
    begin: float | None
    end: float | None
    change: float | None
    sd: float | None
    reliable: str = "no source"


def change_of(pairs: Sequence[tuple[float, float]]) -> Change:
    """Return the paired change of (begin, end) of each person, one pair per person.

    No definition has a figure for reliable change: none was found in a source that was read.
    """
    if not enough(len(pairs)):
        return Change(None, None, None, None, None)
    changes = [end - begin for begin, end in pairs]
    means = (fmean(begin for begin, _ in pairs), fmean(end for _, end in pairs), fmean(changes))
    return Change(len(pairs), *means, stdev(changes))


# --- who consented, where another system asked -------------------------------------------------------------------

_SCOPES: Final = "http://terminology.hl7.org/CodeSystem/consentscope"


def consent_to_research(consent: Any, on: str) -> tuple[str, str, bool] | None:
    """Return whose consent it is, its date ("" if unknown) and whether it permits research on a day (YYYY-MM-DD).

    It permits only what says so plainly: an active Consent with scope `research`, whose provision permits, has no
    exceptions in it, and covers that day; or one of our own about reuse that allows it. None for what is no Consent
    to research, or is nobody's.
    """
    if text_in(consent, "resourceType") != "Consent":
        return None
    if is_reuse(consent):
        return patient_of(consent), text_in(consent, "dateTime"), reuse_of(consent).allows("HRESCH")
    scope = objects_in(object_in(consent, "scope"), "coding")
    patient = text_in(object_in(consent, "patient"), "reference")
    if not patient or not any(
        text_in(one, "system") == _SCOPES and text_in(one, "code") == "research" for one in scope
    ):
        return None
    provision = object_in(consent, "provision")
    period = object_in(provision, "period")
    covers = text_in(period, "start")[:10] <= on <= (text_in(period, "end")[:10] or on)
    plain = set(provision) <= {"type", "period", "id"} and not consent.get("modifierExtension")
    permits = text_in(consent, "status") == "active" and text_in(provision, "type") == "permit" and covers and plain
    return patient, text_in(consent, "dateTime"), permits
