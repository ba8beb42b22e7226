"""`verstel validate`: resources against FHIR's structure and our profiles, without Java."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import orjson

from fhir_profiles.checking import claimed, problems
from mappers.tolerant import object_in, text_in

ENGINE = (
    "Checked here: FHIR's structure and what our profiles say. For everything (FHIR's own rules, all code systems, "
    "answers against their questionnaire) run HL7's validator in a checkout: python -m tests.conformance.validate FILE"
)


_ABSTRACT = frozenset({"Resource", "DomainResource"})


@click.command(epilog="Example:  verstel validate plan.json responses.ndjson")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--quiet", is_flag=True, help="Do not list resources in which nothing is wrong.")
def command(files: tuple[Path, ...], *, quiet: bool) -> None:
    """Check resources, Bundles and NDJSON against the profiles they claim in meta.profile.

    Exit code 0: nothing is wrong. 1: something is. 2: wrong usage.
    """
    wrong = total = 0
    for path in files:
        for place, resource, unreadable in resources_of(path):
            total += 1
            found, about = ([unreadable], "") if unreadable else check(resource)
            wrong += bool(found)
            if found:
                click.echo(f"{place}: {about or 'refused'}")
            elif not quiet:
                click.echo(f"{place}: {about}: nothing wrong")
            for line in found:
                click.echo(f"    {line}")
    click.echo(f"{total} resources, {wrong} with something wrong. {ENGINE}", err=True)
    sys.exit(1 if wrong else 0)


def resources_of(path: Path) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield (place, resource, "") for each resource in a file, or (place, {}, reason) if it cannot be read.

    A Bundle is yielded first, and then each resource in it.
    """
    content = path.read_bytes()
    is_lines = path.suffix == ".ndjson"
    texts = [line for line in content.splitlines() if line.strip()] if is_lines else [content]
    for number, text in enumerate(texts, start=1):
        place = f"{path}:{number}" if is_lines else str(path)
        try:
            read = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            yield place, {}, f"not JSON: {error}"
            continue
        if not text_in(read, "resourceType"):
            yield place, {}, "not a FHIR resource: there is no resourceType"
            continue
        yield place, read, ""
        if read["resourceType"] == "Bundle":
            entries = read.get("entry")
            for at, entry in enumerate(entries if isinstance(entries, list) else []):
                inside = object_in(entry, "resource")
                if text_in(inside, "resourceType"):
                    yield f"{place}#entry[{at}]", inside, ""


def check(resource: dict[str, Any]) -> tuple[list[str], str]:
    """Return what is wrong with a resource, one line each, and a phrase that says what it was checked as."""
    # Imported here because it takes a second, for which `verstel --help` must not wait.
    from fhir.resources.R4B import get_fhir_model_class
    from fhir.resources.R4B.resource import Resource
    from pydantic import ValidationError

    kind = resource["resourceType"]
    named = claimed(resource)
    about = f"{kind} as {', '.join(url.rpartition('/')[2] for url in named)}" if named else f"{kind} as FHIR R4"
    try:
        model = get_fhir_model_class(kind)
    except (KeyError, ValueError):
        model = None
    # The library has a model for each data type too, such as HumanName.
    if model is None or not issubclass(model, Resource) or kind in _ABSTRACT:
        return [f"{kind[:64]} is not a resource of FHIR R4"], about
    try:
        model.model_validate(resource)
    except ValidationError as error:
        # Place and reason only: pydantic would repeat the value, and a value can be what a person typed.
        return [_structure(kind, one) for one in error.errors(include_input=False, include_url=False)], about
    except RecursionError:
        return ["nested too deeply to be checked"], about
    except (TypeError, AttributeError):  # the models trip over some shapes, such as a resourceType that is a number
        return ["something in it has a shape that FHIR does not allow, such as a number where a text belongs"], about
    return [line for url in named for line in problems(resource, url)], about


def _structure(kind: str, error: Any) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
    return f"{kind}{place}: {error['msg']}"
