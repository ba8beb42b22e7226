"""Is this valid FHIR R4? Asked of what we author just before it leaves, and of what reaches the embedded EHR.

An EHR that answers 422 to a slip of ours does not say that it will not take the type; so the slip must not get there.
The models of `fhir.resources` check shapes, cardinalities and primitive values. They let emptiness pass (`[]`, `{}`,
null), which FHIR forbids; those are rules of our own. Problems say where and why, and never quote a value: it may be
what a person typed.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from mappers import fhir_text
from questionnaires.fhir import Resource

_ONE_AT_A_TIME = threading.Lock()
"""Models are made when they are first used, out of each other: that is no work for two threads at once.

It costs nothing to wait: checking is computing, and only one thread does that at a time.
"""

_NUMBER = re.compile(r"\[\d+\]")
_ODD = "has a shape that FHIR does not allow, such as a number where a text belongs"


def problems(resource: Resource, before: Resource | None = None) -> list[str]:
    """Return what is wrong with a resource of ours, one line each with its place; [] if nothing is.

    Of an update, `before` is the version that the server gave: what was wrong in there already is not ours to refuse,
    also where it has another number in its list by now.
    """
    found = [*model_problems(resource), *_emptiness(resource, resource["resourceType"])]
    if not found or before is None:
        return found
    known = Counter(_anywhere(one) for one in problems(before))
    # As often as it was wrong before, wherever in its list: what others wrote moves when we add or take out before it.
    seen: Counter[str] = Counter()
    new = []
    for one in found:
        seen[_anywhere(one)] += 1
        if seen[_anywhere(one)] > known[_anywhere(one)]:
            new.append(one)
    return new


def _anywhere(problem: str) -> str:
    """Return a problem without the numbers of its place."""
    place, said, why = problem.partition(": ")
    return _NUMBER.sub("[]", place) + said + why


def prepare() -> None:
    """Load the models of what we write, so that the first one who saves does not wait for it."""
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415 - a quarter of a second

    for type_ in ("CarePlan", "Goal", "Observation", "Provenance", "QuestionnaireResponse", "Task"):
        with _ONE_AT_A_TIME:
            get_fhir_model_class(type_).model_fields  # noqa: B018 - that is what makes the model


def model_problems(resource: Resource) -> list[str]:
    """Return what the models of `fhir.resources` find wrong, one line each with its place."""
    with _ONE_AT_A_TIME:
        return _model_problems(resource)


def _model_problems(resource: Resource) -> list[str]:
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415 - a quarter of a second, only for who writes
    from pydantic import ValidationError  # noqa: PLC0415

    type_ = resource["resourceType"]
    try:
        model = get_fhir_model_class(type_)
    except (KeyError, ValueError):
        return [f"resourceType {type_[:64]!r} is not a type of FHIR R4"]
    try:
        model.model_validate(_without_extension_primitives(resource))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return [f"{_place(type_, one['loc'])}: {one['msg']}" for one in found]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):  # the models trip over some shapes
        return [f"{type_}: {_ODD}"]
    return []


def _place(type_: str, path: tuple[str | int, ...]) -> str:
    return type_ + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def _without_extension_primitives(node: Any, *, in_extension: bool = False) -> Any:
    """Return a copy without `_value…` inside extensions: R4 allows it there, but the models lack it (issue 204)."""
    if isinstance(node, list):
        return [_without_extension_primitives(element, in_extension=in_extension) for element in node]
    if isinstance(node, dict):
        return {
            name: _without_extension_primitives(value, in_extension=name in ("extension", "modifierExtension"))
            for name, value in node.items()
            if not (in_extension and name.startswith("_value"))
        }
    return node


def _emptiness(node: Any, place: str) -> Iterator[str]:
    """Yield a line for each value that says nothing, and each text with characters that FHIR has no place for."""
    if isinstance(node, str):
        if not node or fhir_text.typed(node) != node:
            yield f"{place}: has no visible character, or a control character"
    elif node is None or node in ({}, []):  # FHIR has null in one place, beside extensions of primitives; we do not
        yield f"{place}: is empty; leave it out"
    elif isinstance(node, dict):
        for name, value in node.items():
            yield from _emptiness(value, f"{place}.{name}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _emptiness(value, f"{place}[{number}]")
