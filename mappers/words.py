"""The words that a person wrote in a resource, to give them back as they were: for reading, never for deciding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource

_OWN_WORDS: Final = ("description", "note", "title", "statusReason", "detail", "progress")
"""Elements that hold what a person wrote; the rest of a resource is codes, names and moments."""


def words_of(resource: Resource) -> list[str]:
    """Return what a person wrote in a resource, in the order of the resource, each text once.

    Of a response each answer with its question; of anything else the texts of the elements for people, and those of
    extensions, which is where the questions about a life domain are kept.
    """
    found = _answers(resource) if text_in(resource, "resourceType") == "QuestionnaireResponse" else _texts(resource)
    return list(dict.fromkeys(text.strip() for text in found if text.strip()))


def _answers(node: Any) -> Iterator[str]:
    for item in objects_in(node, "item"):
        for answer in objects_in(item, "answer"):
            given = _shown(answer)
            if given:
                yield f"{text_in(item, 'text')}: {given}" if text_in(item, "text") else given
            yield from _answers(answer)
        yield from _answers(item)


def _shown(answer: Resource) -> str:
    value = next((value for name, value in answer.items() if name.startswith("value")), None)
    if isinstance(value, dict):
        return text_in(value, "display") or text_in(value, "code")
    return "" if value is None or isinstance(value, list | bool) else str(value)


def _texts(resource: Resource) -> Iterator[str]:
    for name in _OWN_WORDS:
        yield from _text_in(resource.get(name))
    yield from _extensions(resource)


def _text_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _text_in(each)
    elif isinstance(value, dict):
        yield text_in(value, "text")
        yield text_in(object_in(value, "detail"), "description")


def _extensions(node: Resource) -> Iterator[str]:
    for extension in objects_in(node, "extension"):
        yield text_in(extension, "valueString") or text_in(extension, "valueMarkdown")
        yield from _extensions(extension)
