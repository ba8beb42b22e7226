"""Hold what an engine computed against what we computed: equal numbers, and no score where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mappers.observations import rule_in
from tests.conformance.renderers.cases import Case

WITHDRAWN: Final = "withdrawn-score"
EMPTY_ITEMS: Final = "empty-items"


@dataclass(frozen=True, slots=True)
class Difference:
    """One score, or one case as a whole, on which an engine does not agree with us."""

    case: Case
    item: str
    expected: object
    got: object


@dataclass(slots=True)
class Tally:
    """What came of all cases of one instrument in one engine."""

    cases: int = 0
    compared: int = 0
    scores: int = 0
    withdrawn: int = 0  # no score now, but one before the answers were amended
    valueless: int = 0  # responses that give an Observation without a value, as long as empty items are left in
    known: int = 0
    differences: list[Difference] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def agreed(self) -> int:
        """Return how many comparisons came out equal."""
        return self.compared - self.known - len(self.differences)


def scores_agree(
    link_ids: Iterable[str],
    cases: Sequence[Case],
    results: Sequence[Mapping[str, Any]],
    limits: frozenset[str] = frozenset(),
) -> Tally:
    """Compare every score item of every case; `limits` are known limits of the engine, not counted as wrong."""
    tally = Tally(cases=len(cases))
    items = list(link_ids)
    for case, result in zip(cases, results, strict=True):
        if result["name"] != case.name:
            raise ValueError(f"the driver answered {result['name']} where {case.name} was asked")
        if "error" in result:
            tally.compared += 1
            tally.differences.append(Difference(case, "the whole case", dict(case.scores), result["error"]))
            continue
        for item in items:
            expected, got = case.scores.get(item), result["scores"].get(item)
            tally.compared += 1
            tally.scores += expected is not None
            tally.withdrawn += expected is None and item in case.earlier
            if same(expected, got):
                continue
            if WITHDRAWN in limits and expected is None and same(case.earlier.get(item), got):
                tally.known += 1
            else:
                tally.differences.append(Difference(case, item, expected, got))
    return tally


def same(expected: object, got: object) -> bool:
    """Tell whether both are the same number, or both no score. 4 equals 4.0; text, NaN and true equal nothing."""
    if expected is None or got is None:
        return expected is None and got is None
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (expected, got))
    return numbers and expected == got


def observations_agree(cases: Sequence[Case], results: Sequence[Mapping[str, Any]]) -> Tally:
    """Compare the Observations that an engine extracted from each response with ours: code, number, unit and rule.

    By its rule a score stands in the line of those that we stored. Where we say why there is no score
    (`dataAbsentReason`), an engine makes no Observation at all.
    """
    tally = Tally(cases=len(cases))
    for case, result in zip(cases, results, strict=True):
        expected = sorted(map(coded_value, (one for one in case.observations if "valueQuantity" in one)))
        got = result.get("error")
        tally.compared += 1
        tally.scores += len(expected)
        if got is None:
            got = sorted(map(coded_value, observations_in(result["extracted"])))
            as_it_stands = observations_in(result.get("extractedFromEmptyItems"))
            tally.valueless += any("value" not in one.get("valueQuantity", {}) for one in as_it_stands)
        if got != expected:
            tally.differences.append(Difference(case, "the Observations", expected, got))
    return tally


def observations_in(extracted: object) -> list[dict[str, Any]]:
    """Return the Observations among resources, lists and Bundles of them, nested as they may be."""
    if isinstance(extracted, list):
        return [one for part in extracted for one in observations_in(part)]
    if not isinstance(extracted, Mapping):
        return []
    if extracted.get("resourceType") == "Observation":
        return [dict(extracted)]
    return observations_in([entry.get("resource") for entry in extracted.get("entry", [])])


def coded_value(observation: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return code, number, unit and rule of an Observation as texts that sort; what is missing shows as such."""
    code = observation.get("code", {}).get("coding", [{}])[0]
    quantity = observation.get("valueQuantity", {})
    number = quantity.get("value")
    return (
        f"{code.get('system')}#{code.get('code')}",
        repr(float(number)) if isinstance(number, int | float) else repr(number),
        f"{quantity.get('system')}#{quantity.get('code')}",
        rule_in(observation),
    )
