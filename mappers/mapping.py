"""A response to an EHR's own form → a response to one of our instruments, as a map of the place says.

Only what a map names is taken: a question by its linkId or its text, an answer by its code, text, number or yes/no.
Everything else that was answered is refused with the reason, unless the map leaves it out by name: it could be what a
score needs. So a form that its maker changed gives no scores until somebody looked at the map again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mappers.errors import NotAResponse, RefusedAnswer, RefusedItem, shown
from mappers.tolerant import objects_in, text_in
from questionnaires.fhir import Resource
from questionnaires.maps import FormMap, MapAnswer, MapItem, Maps, MapScale, OursAnswer, plain
from questionnaires.model import Item

_MOST_DEEP: Final = 10  # levels of items that are looked into
_CHANGE_THE_MAP: Final = "Look at the form and add it to the map"


def ours(response: Any, maps: Maps) -> Any:
    """Return a response as an answer to a form of ours: mapped where a map reads it, else as it is.

    Raises RefusedResponse where a map reads its form but not what it says.
    """
    made = mapped(response, maps)
    return response if made is None else made


def mapped(response: Any, maps: Maps) -> Resource | None:
    """Return the response that a map makes of this one, or None where no map reads its form.

    It is the same response in all that is no answer, its id and identifier included. Raises RefusedResponse.
    """
    form = map_of(response, maps)
    if form is None or not isinstance(response, dict):
        return None
    values = _values(response, form)
    instrument = form.instrument
    groups = [
        {"linkId": group.link_id, "item": items}
        for group in instrument.groups
        if (items := [_item(one, values[one.link_id]) for one in group.items if one.link_id in values])
    ]
    # Not its text: that is the words of the other form, and says what the other items were.
    kept = {name: value for name, value in response.items() if name not in ("item", "text", "_questionnaire")}
    return {**kept, "questionnaire": instrument.canonical, "item": groups}


def map_of(response: Any, maps: Maps) -> FormMap | None:
    """Return the map that reads a response, by what it says to answer; one for its very version comes first."""
    said = _form_in(response)
    return maps.get(said) or maps.get(said.partition("|")[0]) if maps and said else None


def answered_in(response: Any) -> int:
    """Return how many items of a response have an answer with a value."""
    return sum(1 for item in _walked(response) if _given(item))


def disagreements(form: FormMap, questionnaire: Any) -> list[str]:
    """Say in English in what a map and the EHR's own Questionnaire do not agree, so that responses would be refused."""
    url, version = text_in(questionnaire, "url"), text_in(questionnaire, "version")
    named = f"{url}|{version}" if version else url
    said = [] if {url, named} & set(form.table.questionnaires) else [f"this map does not read {named or 'it: no url'}"]
    found: set[str] = set()
    for item in _walked(questionnaire):
        link_id, asked = text_in(item, "linkId"), text_in(item, "type") not in ("group", "display")
        try:
            one = _found({**item, "answer": [{"valueBoolean": True}] if asked else []}, form)
        except RefusedItem as refused:
            said.append(refused.reason)
            one = None
            found |= {each.ours for each in form.table.items if each.link_id == link_id}
        if one is not None:
            found.add(one.ours)
            said += [f"{one.ours}: {reason}" for reason in _unread(item, one, form)]
            if text_in(item, "answerValueSet"):
                said.append(f"{one.ours}: the answers to {shown(link_id)} are in a value set, which is not looked into")
    said += [f"{one.ours}: the form does not have it" for one in form.table.items if one.ours not in found]
    return said


def _unread(item: Resource, one: MapItem, form: FormMap) -> list[str]:
    """Return why answers that an item of a Questionnaire offers are not read, each reason once."""
    reasons = []
    for number, option in enumerate(objects_in(item, "answerOption"), start=1):
        try:
            _value({"answer": [option]}, one, form)
        except RefusedAnswer as refused:
            reasons.append(f"option {number} of {_called(item)}: {refused.reason}")
    return reasons


def _form_in(response: Any) -> str:
    """Return the canonical of the form that a response answers; that of a contained form is its own."""
    said = text_in(response, "questionnaire")
    for form in objects_in(response, "contained") if said.startswith("#") else ():
        if form.get("resourceType") == "Questionnaire" and f"#{form.get('id')}" == said:
            version = text_in(form, "version")
            return text_in(form, "url") + (f"|{version}" if version else "")
    return said


def _values(response: Resource, form: FormMap) -> dict[str, OursAnswer]:
    """Return the answers by our linkIds; RefusedResponse for what the map does not name."""
    # Apart from what is returned: an item without an answer also counts as there, or the second of two would decide.
    seen: dict[str, OursAnswer | None] = {}
    for item in _walked(response):
        one = _found(item, form)
        if one is None:
            continue
        value = _value(item, one, form)
        if one.ours in seen and seen[one.ours] != value:
            raise RefusedItem(f"{_called(item)} appears twice", where="item", advice="Keep one of the two")
        seen[one.ours] = value
    return {link_id: value for link_id, value in seen.items() if value is not None}


def _walked(value: Any, most_deep: int = _MOST_DEEP) -> Iterator[Resource]:
    """Yield the items in a response, in an item, or in an answer, and all that are nested in them."""
    items = value.get("item", []) if isinstance(value, dict) else []
    if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise NotAResponse("item is not a list of objects", where="item")
    if items and most_deep == 0:
        raise RefusedItem("items are nested too deep", where="item")
    for item in items:
        yield item
        yield from _walked(item, most_deep - 1)
        for answer in objects_in(item, "answer"):
            yield from _walked(answer, most_deep - 1)


def _found(item: Resource, form: FormMap) -> MapItem | None:
    """Return what the map says of an item; None for one that it leaves out, and for one without an answer."""
    link_id, text = text_in(item, "linkId"), plain(text_in(item, "text"))
    if one := form.by_link_id.get(link_id):
        # A form whose questions were renumbered has the same linkIds, and asks something else by them.
        if one.text is not None and text and text != plain(one.text):
            raise RefusedItem(
                f"{_called(item)} asks something else than the map {form.id} says",
                where="item",
                advice="Compare the form and the map",
            )
        return one
    if one := form.by_text.get(text):
        return one
    if not _given(item) or link_id in form.left_out or text in form.left_out:
        return None
    raise RefusedItem(
        f"the map {form.id} does not say what {_called(item)} is",
        where="item",
        advice=f"{_CHANGE_THE_MAP}: to items, or to left_out",
    )


def _called(item: Resource) -> str:
    return shown(item.get("linkId"))


def _given(item: Resource) -> list[tuple[str, Any]]:
    """Return the values of an item's answers, each with its kind; an answer may hold only extensions."""
    answers = item.get("answer", [])
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        raise RefusedAnswer("answer is not a list of objects", where="item")
    return [(name, value) for answer in answers for name, value in answer.items() if name.startswith("value")]


def _value(item: Resource, one: MapItem, form: FormMap) -> OursAnswer | None:
    """Return the answer of ours that an item's answer means; None if it says nothing."""
    given = _given(item)
    if not given:
        return None
    if len(given) > 1:
        raise RefusedAnswer(f"{len(given)} answers to one question", where=one.ours, advice="Give one")
    name, value = given[0]
    if one.scale is None:
        if name != "valueString" or not isinstance(value, str):
            raise RefusedAnswer("the answer is not text", where=one.ours, advice="Give valueString")
        return value if value.strip() else None
    scale = form.scales[one.scale]
    if _says_nothing(name, value, scale):
        return None
    answer = _meant(name, value, scale, one.ours)
    if answer is None:
        raise RefusedAnswer(
            f"the scale {scale.name!r} of the map {form.id} does not have this answer",
            where=one.ours,
            advice=_CHANGE_THE_MAP,
        )
    return answer.ours


def _says_nothing(name: str, value: Any, scale: MapScale) -> bool:
    if name == "valueCoding":
        code = text_in(value, "code")
        return code in scale.unanswered if code else _in(text_in(value, "display"), scale.unanswered)
    return name == "valueString" and isinstance(value, str) and (not value.strip() or _in(value, scale.unanswered))


def _meant(name: str, value: Any, scale: MapScale, where: str) -> MapAnswer | None:
    """Return the answer of the scale that a value means, None where the scale has none. Kinds are told by type."""
    match name:
        case "valueCoding" if isinstance(value, dict):
            return _coded(value, scale, where)
        case "valueString" if isinstance(value, str):
            return next((one for one in scale.answers if _in(value, one.texts)), None)
        case "valueBoolean" if isinstance(value, bool):
            return next((one for one in scale.answers if value in one.booleans), None)
        # True is an int to Python, and equals 1.
        case "valueInteger" | "valueDecimal" if type(value) in (int, float):
            return next((one for one in scale.answers if value in one.numbers), None)
    raise RefusedAnswer("an answer of a kind that no map reads", where=where)


def _coded(coding: Resource, scale: MapScale, where: str) -> MapAnswer | None:
    code, system, display = (text_in(coding, name) for name in ("code", "system", "display"))
    # Some EHRs drop the system; the same code of another system means another thing.
    if system and system != scale.system:
        raise RefusedAnswer(
            "a code of another code system", where=where, advice=f"Name it in the scale {scale.name!r}: system"
        )
    by_text = next((one for one in scale.answers if display and _in(display, one.texts)), None)
    if not code:
        return by_text
    by_code = next((one for one in scale.answers if code in one.codes), None)
    if by_code is not None and by_text is not None and by_code is not by_text:
        raise RefusedAnswer("its code says another answer than its words do", where=where, advice="Look at the form")
    return by_code


def _in(text: str, texts: tuple[str, ...]) -> bool:
    return plain(text) in map(plain, texts)


def _item(asked: Item, value: OursAnswer) -> Resource:
    if asked.scale is not None and isinstance(value, str):
        option = asked.scale.option(value)
        coding = {"system": asked.scale.system, "code": value, **({"display": option.text.nl} if option else {})}
        return {"linkId": asked.link_id, "answer": [{"valueCoding": coding}]}
    kind = "valueBoolean" if isinstance(value, bool) else "valueString"
    return {"linkId": asked.link_id, "answer": [{kind: value}]}
