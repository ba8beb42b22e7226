"""What one condition of a search means for the index, said once for both ways of answering it.

`sql` turns a `Presence` into terms and statements, `matching` judges it in memory. All knowledge of FHIR's search is in
here: they know columns and comparisons only, and so cannot come to differ about what a token or a date is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from smartapp.fhir.own.index import folded, relative
from smartapp.fhir.own.search import Criterion, dated, split

Column = Literal["value", "system", "low", "high"]
Comparison = Literal["equals", "starts with", "contains", "ends with", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Compare:
    """A column of the index compared with a text. Moments are texts of one width, so they compare as text too."""

    column: Column
    how: Comparison
    text: str


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a test."""

    test: Test


@dataclass(frozen=True, slots=True)
class Every:
    """All of these tests hold."""

    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of these tests holds."""

    tests: tuple[Test, ...]


Test: TypeAlias = Compare | Not | Every | Some


@dataclass(frozen=True, slots=True)
class Presence:
    """A resource has (`wanted`) or has not a row of `param` for which `test` holds; without a test: any row of it."""

    param: str
    test: Test | None = None
    wanted: bool = True


def meaning(criterion: Criterion, base: str) -> Presence:
    """Return what a criterion requires of the index; `base` is the address that references may start with."""
    name = criterion.parameter.name
    match criterion.modifier:
        case "missing":
            return Presence(name, wanted=criterion.values == ("false",))
        case "identifier":
            return Presence(f"{name}:identifier", Some(tuple(map(_token, criterion.values))))
        case modifier:
            # `:not` is about the resource, not about a row: one that has no such element at all is found too.
            test = Some(tuple(_test(criterion, value, base) for value in criterion.values))
            return Presence(name, test, wanted=modifier != "not")


def _test(criterion: Criterion, value: str, base: str) -> Test:
    match criterion.parameter.kind:
        case "token":
            return _token(value)
        case "reference":
            return _reference(criterion.parameter.target, relative(value, base))
        case "date":
            return _date(*dated(criterion.parameter.name, value))
        case "string":
            return Compare("value", "contains" if criterion.modifier == "contains" else "starts with", folded(value))
        case "canonical" if "|" in value:
            return Every((Compare("system", "equals", value), Compare("value", "equals", value.partition("|")[0])))
        case "canonical" | "uri":
            return Compare("value", "equals", value)


def _token(value: str) -> Test:
    r"""Read `code`, `system|code`, `|code` (without a system) or `system|`; a code may hold `\|`."""
    system, *rest = split(value, "|")
    if not rest:
        return Compare("value", "equals", system)
    code = "|".join(rest)
    in_system = Compare("system", "equals", system)
    return Every((in_system, Compare("value", "equals", code))) if code else in_system


def _reference(target: str | None, reference: str) -> Test:
    if "/" in reference:
        return Compare("value", "equals", reference)
    if target:
        return Compare("value", "equals", f"{target}/{reference}")
    return Compare("value", "ends with", f"/{reference}")


def _date(prefix: str, low: str, high: str) -> Test:
    """Return what FHIR's prefixes mean between two periods: the one searched for, and the one in the resource."""
    within = Every((Compare("low", ">=", low), Compare("high", "<=", high)))
    meanings: dict[str, Test] = {
        "eq": within,
        "ne": Not(within),
        "gt": Compare("high", ">", high),
        "lt": Compare("low", "<", low),
        "ge": Some((Compare("high", ">", high), within)),
        "le": Some((Compare("low", "<", low), within)),
        "sa": Compare("low", ">", high),
        "eb": Compare("high", "<", low),
        "ap": Every((Compare("low", "<=", high), Compare("high", ">=", low))),
    }
    return meanings[prefix]
