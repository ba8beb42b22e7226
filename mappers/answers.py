"""QuestionnaireResponse ↔ answers: what a response says, checked against the questionnaire that it answers.

EHRs rewrite what they store, so the same answer is accepted in several forms: `valueCoding` with or without system,
display or translation; `valueInteger`; a whole `valueDecimal`; items inside their groups or flat. Anything that
could give a wrong score is refused with a reason: an unknown linkId, one that appears twice, two answers, an answer
outside the options or of another code system, a number as text, another questionnaire or version.
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
from mappers.tolerant import text_in
from questionnaires.canonical import identifier_system, structure_url
from questionnaires.catalogue import Catalogue, UnknownInstrument
from questionnaires.fhir import Resource, translated
from questionnaires.model import AnswerScale, Instrument, InstrumentKind, Item, Option

PROFILE: Final = structure_url("recovery-response")
IDENTIFIER_SYSTEM: Final = identifier_system("response")
STATUSES: Final = frozenset({"in-progress", "completed", "amended", "entered-in-error", "stopped"})
_FINISHED: Final = frozenset({"completed", "amended"})

FHIR_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
_DATE_TIME: Final = re.compile(
    r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9]))?)?)?"
)
_WHOLE_DATE: Final = len("2026-05-31")
LONGEST_IDENTIFIER: Final = 256
_SHOWN: Final = 200  # characters of a canonical that a message may repeat


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
    """The answers of one response: linkId → code, boolean or text; what is not answered is not in it."""

    instrument: Instrument
    values: Mapping[str, str | bool]
    response: ResponseRef


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
    if not _DATE_TIME.fullmatch(text):
        return False
    # The pattern can't know which months have 31 days.
    try:
        date.fromisoformat(f"{text}-01-01"[:_WHOLE_DATE])
    except ValueError:
        return False
    return True


# --- response → answers ----------------------------------------------------------------------------------------


def is_finished(response: Resource) -> bool:
    """Tell whether a response was sent in and stands: what is still being filled in is the client's own."""
    return text_in(response, "status") in _FINISHED


def asked_in(response: Resource, catalogue: Catalogue) -> Instrument | None:
    """Return the form that a response answers in whatever version, as it is today; None for one not known here."""
    try:
        return catalogue.by_canonical(text_in(response, "questionnaire").partition("|")[0])
    except UnknownInstrument:
        return None


def kind_of(response: Resource, catalogue: Catalogue) -> InstrumentKind | None:
    """Return what kind of form a response answers, in whatever version; None for a form that is not known here."""
    asked = asked_in(response, catalogue)
    return asked.kind if asked else None


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
    about = _about(response)
    instrument = instrument_of(about.canonical, catalogue)
    if instrument.kind == "living":
        raise LivingForm(
            f"{instrument.canonical} is a living form: it measures nothing, and has no scores",
            where="questionnaire",
            advice="Leave it out",
        )
    return Answers(instrument, _values(response, instrument), about)


def instrument_of(canonical: str, catalogue: Catalogue) -> Instrument:
    """Return the instrument that a response answers.

    Without a version this works only while a single version is known: a guess could give a wrong score.
    Raises OtherQuestionnaire.
    """
    try:
        instrument = catalogue.by_canonical(canonical)
        if "|" not in canonical and len(catalogue.versions(instrument.id)) > 1:
            known = ", ".join(one.canonical for one in catalogue.versions(instrument.id))
            raise OtherQuestionnaire(
                "the questionnaire's version is missing, and more than one is known",
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


def _values(response: Resource, instrument: Instrument) -> dict[str, str | bool]:
    form = form_of(instrument)
    # Apart from `values`: an item without an answer also counts as there, or the second of two would decide.
    seen: set[str] = set()
    values: dict[str, str | bool] = {}
    for link_id, item in _flat(response.get("item", []), form):
        if link_id in seen:
            raise RefusedItem(f"{shown(link_id)} appears twice", where="item", advice="Keep one of the two")
        seen.add(link_id)
        if link_id in form.items:
            value = _answer(item, form.items[link_id])
            if value is not None:
                values[link_id] = value
        elif link_id not in form.score_items and link_id not in form.groups:
            raise RefusedItem(
                f"{instrument.canonical} has no item {shown(link_id)}",
                where="item",
                advice="Use the linkIds of the published Questionnaire",
            )
    return values


def _flat(items: Any, form: FormLayout) -> Iterator[tuple[str, Resource]]:
    """Yield the items of a response, groups first and then what is in them; there is one level of groups."""
    for item in _list(items, "item"):
        link_id = _link_id(item)
        yield link_id, item
        if link_id in form.groups:
            if item.get("answer"):
                raise RefusedItem(f"the group {shown(link_id)} has an answer of its own", where="item")
            for inner in _list(item.get("item", []), link_id):
                inner_id = _link_id(inner)
                if inner_id in form.groups or inner.get("item"):
                    raise RefusedItem(f"{shown(inner_id)} is nested too deep", where=link_id, advice="Nest one level")
                yield inner_id, inner
        elif item.get("item"):
            raise RefusedItem(f"{shown(link_id)} has items in it", where="item", advice="Nest items in groups only")


def _list(items: Any, where: str) -> list[Resource]:
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise NotAResponse("item is not a list of objects", where=where)
    return items


def _link_id(item: Resource) -> str:
    link_id = item.get("linkId")
    if not isinstance(link_id, str):
        raise RefusedItem("an item has no linkId", where="item", advice="Give each item its linkId")
    return link_id


def _answer(item: Resource, asked: Item) -> str | bool | None:
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
    return _choice(name, value, asked)


def _text(name: str, value: Any, where: str) -> str | None:
    if name != "valueString" or not isinstance(value, str):
        raise RefusedAnswer("the answer is not text", where=where, advice="Give valueString")
    return value if value.strip() else None


def _choice(name: str, value: Any, asked: Item) -> str:
    scale = asked.scale
    if scale is None:  # the catalogue refuses such a definition
        raise TypeError(f"{asked.link_id} is a choice without answer scale")
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
