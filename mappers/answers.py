"""QuestionnaireResponse ↔ answers: what a response says, checked against the questionnaire that it answers.

EHRs rewrite what they store, so the same answer is accepted in several forms: `valueCoding` with or without system,
display or translation; `valueInteger`; a whole `valueDecimal`; items inside their groups, flat, or in groups of the
EHR's own; a group in two pieces; the same answer twice; a questionnaire named by its address at the EHR or contained in
the response; items of the EHR's own beside ours. A response to a form of the EHR's own is read where a map of the place
says how (`mappers.mapping`). Anything that could give a wrong score is refused with a reason: a linkId of ours that the
form does not have, two different answers, an answer outside the options or of another code system, a number as text,
another questionnaire or version, an item of the EHR's own that may be one of ours, an extension that changes meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

from mappers.errors import LivingForm, NotAResponse, OtherQuestionnaire, RefusedAnswer, RefusedItem, shown
from mappers.helper import Helper, as_extension, helper_in
from mappers.mapping import answered_in, map_of, ours
from mappers.tolerant import object_in, objects_in, text_in, texts_in
from questionnaires.canonical import code_system_url, identifier_system, questionnaire_url, structure_url
from questionnaires.catalogue import Catalogue, UnknownInstrument
from questionnaires.fhir import Resource, translated
from questionnaires.model import AnswerScale, Instrument, InstrumentKind, Item, Option

PROFILE: Final = structure_url("recovery-response")
IDENTIFIER_SYSTEM: Final = identifier_system("response")
STATUSES: Final = frozenset({"in-progress", "completed", "amended", "entered-in-error", "stopped"})
_FINISHED: Final = frozenset({"completed", "amended"})

FHIR_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
_DATE_TIME: Final = re.compile(
    r"[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01])"
    r"(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]{1,9})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9]))?"
    r")?)?"
)
_WHOLE_DATE: Final = len("2026-05-31")
LONGEST_IDENTIFIER: Final = 256
_SHOWN: Final = 200  # characters of a canonical that a message may repeat
_FORMS: Final = questionnaire_url("")
_SYSTEMS: Final = code_system_url("")
_MOST_DEEP: Final = 10  # levels of groups that are looked into; our forms have one
# Kinds of answers that no item with a number takes, in whatever form an EHR writes it.
_NEVER_COUNTED: Final = frozenset(
    f"value{kind}" for kind in ("Boolean", "Date", "DateTime", "Time", "Uri", "Attachment", "Reference")
)


@dataclass(frozen=True, slots=True)
class ResponseRef:
    """What is known about a response beside its answers; "" and None where the response is silent.

    `reference` is `QuestionnaireResponse/ID`; `identifier` the value of our own business identifier, which stays the
    same when a draft moves to another server; `authored` a FHIR dateTime; `canonical` url|version; `helper` who helped,
    if the client said so.
    """

    status: str
    reference: str = ""
    identifier: str = ""
    authored: str = ""
    subject: Mapping[str, Any] | None = None
    author: Mapping[str, Any] | None = None
    source: Mapping[str, Any] | None = None
    canonical: str = ""
    language: str = "nl"
    helper: Helper | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one response: linkId → code, boolean or text; what is not answered is not in it.

    `others` counts what was answered beside them, to items of an EHR's own: that is in the response alone.
    """

    instrument: Instrument
    values: Mapping[str, str | bool]
    response: ResponseRef
    others: int = 0


@dataclass(frozen=True, slots=True)
class FormLayout:
    """Which linkIds may appear in the responses to one instrument, and as what."""

    items: Mapping[str, Item]
    groups: frozenset[str]
    score_items: frozenset[str]


@lru_cache(maxsize=64)
def form_of(instrument: Instrument) -> FormLayout:
    """Return the linkIds of an instrument: its items, its groups with that of the scores, and the calculated items."""
    scores = {f"{instrument.id}-score-{rule.scale}" for rule in instrument.scores}
    groups = {group.link_id for group in instrument.groups} | {f"{instrument.id}-scores"}
    return FormLayout({item.link_id: item for item in instrument.items}, frozenset(groups), frozenset(scores))


def is_date_time(text: str) -> bool:
    """Tell whether a text is a FHIR dateTime (R4: with seconds and zone where it has a time) of a day that exists."""
    return _DATE_TIME.fullmatch(text) is not None and _exists(text[:_WHOLE_DATE])


@lru_cache(maxsize=4096)  # ten years of days; a whole population answers on few
def _exists(day: str) -> bool:
    """Tell whether a day, month or year exists: the pattern can't know which months have 31 days."""
    try:
        date.fromisoformat(f"{day}-01-01"[:_WHOLE_DATE])
    except ValueError:
        return False
    return True


# --- response → answers ----------------------------------------------------------------------------------------


def is_finished(response: Resource) -> bool:
    """Tell whether a response was sent in and stands: what is still being filled in is the client's own."""
    return text_in(response, "status") in _FINISHED


def asked_in(response: Resource, catalogue: Catalogue) -> Instrument | None:
    """Return what form a response answers, as it is today; None for a form that is not known here."""
    try:
        return catalogue.by_canonical(named_in(response, catalogue).canonical.partition("|")[0])
    except UnknownInstrument:
        return None


def kind_of(response: Resource, catalogue: Catalogue) -> InstrumentKind | None:
    """Return what kind of form a response answers, in whatever version; None for a form that is not known here."""
    asked = asked_in(response, catalogue)
    return asked.kind if asked else None


@dataclass(frozen=True, slots=True)
class Named:
    """The questionnaire that a response names: our `canonical`, or what it says where that is none of ours.

    `by_address`: it is named by where an EHR keeps it, so that it is ours is only as sure as the codes of its answers.
    """

    canonical: str
    by_address: bool = False


def named_in(response: Any, catalogue: Catalogue) -> Named:
    """Return which questionnaire a response names: by its canonical, contained, or by where an EHR keeps our form.

    A contained form counts by its own canonical, or by ours that it says it derives from. A form that a map of the
    place reads (`mappers.mapping`) is the one that the map leads to.
    """
    if form := map_of(response, catalogue.maps):
        return Named(form.instrument.canonical)
    said = text_in(response, "questionnaire")
    if said.startswith("#"):
        return _contained(response, said)
    if said.startswith(_FORMS):
        return Named(said)
    address, _, version = said.partition("|")
    type_, _, id_ = address.rpartition("/")
    # Another's form may have the name of one of ours; codes of our own systems are in no other form.
    if type_.rpartition("/")[2] == "Questionnaire" and _has_our_codes(response.get("item"), _MOST_DEEP):
        try:
            catalogue.by_canonical(f"{_FORMS}{id_}")
        except UnknownInstrument:
            return Named(said)
        return Named(f"{_FORMS}{id_}{'|' if version else ''}{version}", by_address=True)
    return Named(said)


def _contained(response: Any, said: str) -> Named:
    for form in objects_in(response, "contained"):
        if form.get("resourceType") == "Questionnaire" and f"#{form.get('id')}" == said:
            version = text_in(form, "version")
            own = text_in(form, "url") + (f"|{version}" if version else "")
            derived = [one for one in texts_in(form, "derivedFrom") if one.startswith(_FORMS)]
            return Named(own) if own.startswith(_FORMS) or not derived else Named(derived[0], by_address=True)
    return Named(said)


def _has_our_codes(items: Any, most_deep: int) -> bool:
    """Tell whether an answer in these items has a code of one of our code systems."""
    return most_deep > 0 and any(
        any(text_in(object_in(answer, "valueCoding"), "system").startswith(_SYSTEMS) for answer in given)
        or _has_our_codes(one.get("item"), most_deep - 1)
        for one in objects_in({"item": items}, "item")
        for given in [objects_in(one, "answer")]
    )


def answers_of(response: Any, catalogue: Catalogue) -> Answers:
    """Read the answers out of a QuestionnaireResponse, drafts included.

    Calculated scores in the response are ignored: scores are always computed from the answers. An answer without a
    value, or with empty text, counts as not given.

    Raises RefusedResponse: NotAResponse, OtherQuestionnaire, LivingForm, RefusedItem, RefusedAnswer (tree in
    `mappers.errors`).
    """
    if not isinstance(response, dict):
        raise NotAResponse("this is not a JSON object", advice="Give one QuestionnaireResponse")
    if response.get("resourceType") != "QuestionnaireResponse":
        raise NotAResponse(
            f"this is a resource of type {shown(response.get('resourceType'))}", advice="Give a QuestionnaireResponse"
        )
    _refuse_other_meaning(response, _MOST_DEEP)
    given, response = response, ours(response, catalogue.maps)
    about, named = _about(response), named_in(response, catalogue)
    instrument = instrument_of(named.canonical, catalogue)
    if instrument.kind == "living":
        raise LivingForm(
            f"{instrument.canonical} is a living form: it measures nothing, and has no scores",
            where="questionnaire",
            advice="Leave it out",
        )
    values, others = _values(response, instrument, catalogue, with_system=named.by_address)
    # Of a response that was mapped, the record has no item of ours: all that was answered is the EHR's own.
    return Answers(instrument, values, about, others if response is given else answered_in(given))


def _refuse_other_meaning(node: Any, most_deep: int) -> None:
    """Refuse what may mean something else than it says: FHIR has it understood or left alone."""
    for name in ("modifierExtension", "implicitRules"):
        if isinstance(node, dict) and node.get(name):
            raise NotAResponse(
                f"{name} may change what it means", where=text_in(node, "linkId") or name, advice="Look what it says"
            )
    for inside in (*objects_in(node, "item"), *objects_in(node, "answer")) if most_deep > 0 else ():
        _refuse_other_meaning(inside, most_deep - 1)


def instrument_of(canonical: str, catalogue: Catalogue) -> Instrument:
    """Return the instrument that a response answers.

    Without a version this works only while all known versions ask and count the same: a guess could give a wrong score.
    Raises OtherQuestionnaire.
    """
    try:
        instrument = catalogue.by_canonical(canonical)
        if "|" not in canonical and len({_meaning(one) for one in catalogue.versions(instrument.id)}) > 1:
            known = ", ".join(one.canonical for one in catalogue.versions(instrument.id))
            raise OtherQuestionnaire(
                "the questionnaire's version is missing, and not all that are known count the same",
                where="questionnaire",
                advice=f"Name one of {known}",
            )
    except UnknownInstrument as unknown:
        # The sender wrote the canonical: a long one is not repeated into messages and logs.
        message = str(unknown) if len(canonical) < _SHOWN else "this questionnaire is not known here"
        raise OtherQuestionnaire(
            message, where="questionnaire", advice="Score it where its questionnaire is known"
        ) from None
    return instrument


def _meaning(instrument: Instrument) -> tuple[object, ...]:
    """Return all of an instrument that makes its numbers; its wording is left out."""
    items = tuple(
        (
            item.link_id,
            item.kind,
            item.scale and (item.scale.system, [(one.code, one.value) for one in item.scale.options]),
        )
        for item in instrument.items
    )
    rules = tuple(
        (one.code, one.version, one.items, sorted(one.reversed), one.aggregate, one.minimum_answered, one.rounding)
        for one in instrument.scores
    )
    return (repr(items), repr(rules))


def _about(response: Resource) -> ResponseRef:
    status = response.get("status")
    if not isinstance(status, str) or status not in STATUSES:
        raise NotAResponse(
            f"no such status: {shown(status)}", where="status", advice=f"FHIR has {', '.join(sorted(STATUSES))}"
        )
    canonical = response.get("questionnaire")
    if not isinstance(canonical, str) or not canonical:
        raise OtherQuestionnaire(
            "the response does not say which questionnaire it answers",
            where="questionnaire",
            advice="Add the questionnaire's address and version",
        )
    authored = response.get("authored", "")
    if not isinstance(authored, str) or (authored and not is_date_time(authored)):
        raise NotAResponse("not a FHIR dateTime", where="authored", advice="Write it as 2026-05-31T10:00:00+02:00")
    ident = response.get("id", "")
    if not isinstance(ident, str) or (ident and not FHIR_ID.fullmatch(ident)):
        raise NotAResponse("not a FHIR id", where="id", advice="Use at most 64 letters, digits, '-' and '.'")
    language = response.get("language", "nl")
    # en-US and en-GB are both English to us.
    spoken = language.partition("-")[0].lower() if isinstance(language, str) else "nl"
    return ResponseRef(
        status=status,
        reference=f"QuestionnaireResponse/{ident}" if ident else "",
        identifier=_identifier(response),
        authored=authored,
        subject=_reference(response, "subject"),
        author=_reference(response, "author"),
        source=_reference(response, "source"),
        canonical=canonical,
        language=spoken,
        helper=helper_in(response),
    )


def _identifier(response: Resource) -> str:
    # Another system's identifier is not ours to use: what we make from it could clash with what they make.
    identifier = response.get("identifier")
    if not isinstance(identifier, dict) or identifier.get("system") != IDENTIFIER_SYSTEM:
        return ""
    value = identifier.get("value")
    if not isinstance(value, str) or not value or len(value) > LONGEST_IDENTIFIER:
        raise NotAResponse("the response's identifier has no usable value", where="identifier")
    return value


def _reference(response: Resource, name: str) -> Mapping[str, Any] | None:
    reference = response.get(name)
    if reference is None:
        return None
    if not isinstance(reference, dict) or not isinstance(reference.get("reference", ""), str):
        raise NotAResponse("not a FHIR Reference", where=name, advice="Give reference and display")
    return reference


def _values(
    response: Resource, instrument: Instrument, catalogue: Catalogue, *, with_system: bool
) -> tuple[dict[str, str | bool], int]:
    """Return the checked answers and how many others there are; `with_system` if a code must say that it is ours."""
    form = form_of(instrument)
    # Apart from `values`: an item without an answer also counts as there, or the second of two would decide.
    seen: dict[str, str | bool | None] = {}
    others: list[Resource] = []
    for link_id, item in _flat(response.get("item", []), form, _MOST_DEEP):
        if link_id in form.items:
            value = _answer(item, form.items[link_id], with_system=with_system)
            if link_id in seen and seen[link_id] != value:
                raise RefusedItem(f"{shown(link_id)} appears twice", where="item", advice="Keep one of the two")
            seen[link_id] = value
        elif link_id not in form.score_items:
            others.append(item)
    values = {link_id: value for link_id, value in seen.items() if value is not None}
    return values, _others(others, instrument, catalogue, values)


def _flat(items: Any, form: FormLayout, most_deep: int) -> Iterator[tuple[str, Resource]]:
    """Yield the items of a response that are no groups. A group may be the form's or the EHR's own: it says nothing."""
    if most_deep == 0:
        raise RefusedItem("items are nested too deep", where="item", advice="Nest items in the form's groups")
    for item in _list(items, "item"):
        link_id = _link_id(item)
        if link_id in form.groups and item.get("answer"):
            raise RefusedItem(f"the group {shown(link_id)} has an answer of its own", where="item")
        if link_id in form.groups or (item.get("item") and not item.get("answer") and link_id not in form.items):
            yield from _flat(item.get("item", []), form, most_deep - 1)
        elif item.get("item"):
            raise RefusedItem(f"{shown(link_id)} has items in it", where="item", advice="Nest items in groups only")
        else:
            yield link_id, item


def _others(
    items: list[Resource], instrument: Instrument, catalogue: Catalogue, values: Mapping[str, str | bool]
) -> int:
    """Return how many of these items, which the form does not have, are answered. Refuse one that may be ours.

    An EHR puts items of its own into a form, such as a department. But an answer of ours under another name, or of
    another version of the form, would leave a score too low or absent. It is none of these if it is not named as ours
    are, has no code of ours, and either every answer that counts is there already, or it is of a kind that none has.
    """
    missing = {link_id for rule in instrument.scores for link_id in rule.items} - set(values)
    count = 0
    for item in items:
        link_id = item["linkId"]
        answers = item.get("answer", [])
        if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
            raise RefusedAnswer("answer is not a list of objects", where="item")
        kinds = {name for answer in answers for name in answer if name.startswith("value")}
        is_ours = link_id.startswith(tuple(f"{name}-" for name in catalogue.instruments)) or _has_our_codes([item], 1)
        nested = any(answer.get("item") for answer in answers)
        if is_ours or nested or (missing and not kinds <= _NEVER_COUNTED):
            raise RefusedItem(
                f"{instrument.canonical} has no item {shown(link_id)}"
                + ("" if is_ours or nested else f", which may be one of the {len(missing)} that are not answered"),
                where="item",
                advice="Use the linkIds of the published Questionnaire",
            )
        count += bool(kinds)
    return count


def _list(items: Any, where: str) -> list[Resource]:
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise NotAResponse("item is not a list of objects", where=where)
    return items


def _link_id(item: Resource) -> str:
    link_id = item.get("linkId")
    if not isinstance(link_id, str):
        raise RefusedItem("an item has no linkId", where="item", advice="Give each item its linkId")
    return link_id


def _answer(item: Resource, asked: Item, *, with_system: bool) -> str | bool | None:
    """Return the answer as code, boolean or text; None if there is none."""
    where = asked.link_id
    answers = item.get("answer", [])
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        raise RefusedAnswer("answer is not a list of objects", where=where)
    if len(answers) > 1:
        raise RefusedAnswer(f"{len(answers)} answers to one question", where=where, advice="Give one")
    # An answer may hold only extensions, such as the reason why it has no value: then nothing was given.
    given = [name for answer in answers for name in answer if name.startswith("value")]
    if not given:
        return None
    if len(given) > 1:
        raise RefusedAnswer("an answer with more than one value", where=where, advice="Give one value[x]")
    if answers[0].get("item"):
        raise RefusedItem("items inside an answer", where=where, advice="Nest items in groups only")
    name, value = given[0], answers[0][given[0]]
    if asked.kind == "text":
        return _text(name, value, where)
    if asked.kind == "boolean":
        if name != "valueBoolean" or not isinstance(value, bool):
            raise RefusedAnswer("the answer is not yes or no", where=where, advice="Give valueBoolean")
        return value
    return _choice(name, value, asked, with_system=with_system)


def _text(name: str, value: Any, where: str) -> str | None:
    if name != "valueString" or not isinstance(value, str):
        raise RefusedAnswer("the answer is not text", where=where, advice="Give valueString")
    return value if value.strip() else None


def _choice(name: str, value: Any, asked: Item, *, with_system: bool) -> str:
    scale = asked.scale
    if scale is None:  # the catalogue refuses such a definition
        raise TypeError(f"{asked.link_id} is a choice without answer scale")
    if with_system and text_in(value, "system") != scale.system:
        raise RefusedAnswer(
            "a code that does not say that it is ours, in a form that is named by its address",
            where=asked.link_id,
            advice=f"Name the form by {_FORMS}…, or give codes with their system {scale.system}",
        )
    if name == "valueCoding" and isinstance(value, dict):
        option = _coded(value, scale, asked.link_id)
    elif _is_whole_number(name, value):
        option = next((one for one in scale.options if one.value is not None and one.value == value), None)
    else:
        raise RefusedAnswer(
            "an answer of another kind", where=asked.link_id, advice="Give valueCoding with one of the options' codes"
        )
    if option is None:
        codes = ", ".join(one.code for one in scale.options)
        raise RefusedAnswer(
            "the answer is not one of the options", where=asked.link_id, advice=f"The options are {codes}"
        )
    return option.code


def _coded(coding: Resource, scale: AnswerScale, where: str) -> Option | None:
    # Some EHRs drop the system, so a code without one is read as ours; the same code of another system means another
    # thing, such as 1 for "very much".
    system, code = coding.get("system"), coding.get("code")
    if system is not None and system != scale.system:
        raise RefusedAnswer("a code of another code system", where=where, advice=f"Use {scale.system}")
    return scale.option(code) if isinstance(code, str) else None


def _is_whole_number(name: str, value: Any) -> bool:
    # By type, because True is an int to Python; and `value // 1` is NaN for NaN and infinity, which equals nothing.
    if name == "valueInteger":
        return type(value) is int
    return name == "valueDecimal" and type(value) in (int, float) and value == value // 1


# --- answers → response ----------------------------------------------------------------------------------------


def response_of(
    values: Mapping[str, str | bool],
    instrument: Instrument,
    *,
    status: str,
    authored: str,
    subject: Mapping[str, Any],
    author: Mapping[str, Any],
    source: Mapping[str, Any],
    identifier: str,
    language: str = "nl",
) -> Resource:
    """Write answers as a QuestionnaireResponse in the questionnaire's groups; unanswered items are left out.

    `subject`, `author` (who typed) and `source` (whose answers) are FHIR References with a display; `identifier` is the
    value of our business identifier, which the caller makes once per response and keeps for its whole life.

    Raises RefusedItem for a linkId that the instrument does not have, RefusedAnswer for a value outside the options.
    """
    about = ResponseRef(
        status=status,
        identifier=identifier,
        authored=authored,
        subject=subject,
        author=author,
        source=source,
        language=language,
    )
    return response_from(Answers(instrument, values, about))


def response_from(answers: Answers) -> Resource:
    """Write answers, and what is known about their response, as a QuestionnaireResponse: the reverse of `answers_of`.

    The canonical is that of the instrument. Raises as `response_of` does.
    """
    instrument, about = answers.instrument, answers.response
    # The groups below only look for items that they know: a stray linkId would vanish without a word.
    known = form_of(instrument).items
    for link_id in answers.values:
        if link_id not in known:
            raise RefusedItem(f"{instrument.canonical} has no item {shown(link_id)}", where="values")
    groups = []
    for group in instrument.groups:
        items = [
            {
                "linkId": item.link_id,
                **translated("text", item.asked, about.language),
                "answer": [_written(item, value, about.language)],
            }
            for item in group.items
            if (value := answers.values.get(item.link_id)) is not None and value != ""
        ]
        if items:
            # The text is that of the published form, which HL7's validator compares; what was read is beside it.
            groups.append({"linkId": group.link_id, **translated("text", group.asked, about.language), "item": items})
    made: Resource = {
        "resourceType": "QuestionnaireResponse",
        "id": about.reference.rpartition("/")[2],
        "meta": {"profile": [PROFILE]},
        "language": about.language,
        "extension": [as_extension(about.helper)] if about.helper else None,
        "identifier": {"system": IDENTIFIER_SYSTEM, "value": about.identifier} if about.identifier else None,
        "questionnaire": instrument.canonical,
        "status": about.status,
        "subject": _filled(about.subject),
        "authored": about.authored,
        "author": _filled(about.author),
        "source": _filled(about.source),
        "item": groups,
    }
    return {name: value for name, value in made.items() if value}


def _filled(reference: Mapping[str, Any] | None) -> Resource:
    """Return a Reference without its empty elements, which are not FHIR: a draft may hold a name that was not known."""
    return {name: value for name, value in (reference or {}).items() if value}


def _written(item: Item, value: str | bool, language: str) -> Resource:
    if item.scale is not None:
        option = item.scale.option(value) if isinstance(value, str) else None
        if option is None:
            raise RefusedAnswer("the answer is not one of the options", where=item.link_id)
        coding = {"system": item.scale.system, "code": option.code, "display": option.text.get(language)}
        return {"valueCoding": coding}
    if isinstance(value, bool) != (item.kind == "boolean"):
        raise RefusedAnswer(f"the answer is not a {item.kind}", where=item.link_id)
    return {"valueBoolean": value} if isinstance(value, bool) else {"valueString": value}
