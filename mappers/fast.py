"""The fast way from a response's bytes to its Observations' bytes: compiled from the plain way, so one definition.

`FastScorer.observations` knows only the forms in which responses usually come: the groups of the published
Questionnaire, one `valueCoding` or `valueBoolean` per answer, finished, with date and client; with or without the
calculated scores that form renderers add, and questions without answer. For everything else it returns None and the
plain way decides (`mappers.answers`, `scoring`, `observations`), which also finds the words for a refusal.

Where the speed comes from, none of it a second set of rules:

- What may stand where is a msgspec type made from the instrument: only its linkIds, codes and systems decode.
- The Observations are the plain way's own, made once with markers where responses differ, and cut there.
- Every answer has a number in which each score rule owns some bits: how many are answered, how many count, their sum.
  These numbers are added up once per response, and each rule's bits say which piece of JSON belongs in its place. A
  piece that was not needed before is made by `scoring.outcome` and the plain way's Observation.
- Each answer's number also has a bit of its own, so that an item that stands twice shows in the number of bits. These
  bits are the lowest: sums carry upwards only, so no count of a rule can spill into them and hide it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Annotated, Any, Final, Literal

import msgspec
import orjson
from msgspec import UNSET, Meta, UnsetType, defstruct

from mappers.answers import FHIR_ID, LONGEST_IDENTIFIER, Answers, ResponseRef, form_of, is_date_time
from mappers.answers import IDENTIFIER_SYSTEM as RESPONSE_SYSTEM
from mappers.observations import STATUS_OF_SCORES, observations_of, response_key, urn_start
from mappers.scoring import Score, numbers, outcome
from questionnaires.catalogue import Catalogue, UnknownInstrument
from questionnaires.model import Instrument, Item, ScoreRule, Text

_CANONICAL: Final = re.compile(rb'"questionnaire"\s*:\s*"([^"\\]{1,400})"')
_MOST_PIECES: Final = 20_000  # remembered pieces of JSON per score rule; NEL's total needs some hundreds
_LANGUAGES: Final = ("nl", "en")


class NoFastWay(Exception):
    """An instrument whose responses only the plain way reads."""


# --- what a response may look like ------------------------------------------------------------------------------


def _decoder(instrument: Instrument, *, wide: bool) -> Callable[[bytes], Any]:
    """Return a decoder that takes the usual form of a response to this instrument and nothing else.

    The narrow one, which is faster, knows choices only, each with its answer. The wide one also knows yes/no items,
    items without answer, and the calculated scores.

    An element whose presence needs the plain way has a type that no JSON fits. Elements that never matter for a score
    (`text`, `extension`, `meta`, …) are skipped, as the plain way does.
    """
    form = form_of(instrument)
    scales = instrument.scales
    systems = {scale.system for scale in scales}
    if len(systems) != 1:
        raise NoFastWay(instrument.canonical)
    (system,) = systems
    never = (Annotated[int, Meta(gt=1, lt=1)], 0)  # no number is above and below 1
    coding = defstruct(
        "Coding",
        [
            ("code", _one_of({option.code for scale in scales for option in scale.options})),
            ("system", _one_of(systems), system),
        ],
        gc=False,
    )
    values: list[Any] = [("valueCoding", coding)]
    link_ids = set(form.items)
    if wide:
        kinds = {"valueCoding": coding, "valueBoolean": bool, "valueDecimal": float}
        values = [(name, kind | UnsetType, UNSET) for name, kind in kinds.items()]
        link_ids |= form.score_items
    answer = defstruct("Answer", values, forbid_unknown_fields=True, gc=False)
    answers: list[Any] = [("answer", tuple[answer] | UnsetType, UNSET)] if wide else [("answer", tuple[answer])]  # type: ignore[valid-type]
    item = defstruct("Item", [("linkId", _one_of(link_ids)), *answers, ("item", *never)], gc=False)
    group = defstruct(
        "Group",
        [("linkId", _one_of(form.groups)), ("item", list[item]), ("answer", *never)],  # type: ignore[valid-type]
        gc=False,
    )
    some = Annotated[str, Meta(min_length=1)]
    subject = defstruct("Subject", [("reference", some), ("display", some)], forbid_unknown_fields=True, gc=False)
    person = defstruct("Person", [("reference", str, "")], gc=False)
    value = Annotated[str, Meta(min_length=1, max_length=LONGEST_IDENTIFIER)]
    identifier = defstruct("Identifier", [("system", _one_of({RESPONSE_SYSTEM})), ("value", value)], gc=False)
    response = defstruct(
        "Response",
        [
            ("resourceType", Literal["QuestionnaireResponse"]),
            ("questionnaire", _one_of({instrument.canonical})),
            ("status", _one_of(STATUS_OF_SCORES)),
            ("authored", str),
            ("subject", subject),
            ("item", list[group], msgspec.field(default_factory=list)),  # type: ignore[valid-type]
            ("id", str, ""),
            ("identifier", identifier | UnsetType, UNSET),
            ("language", _one_of(_LANGUAGES), "nl"),
            ("author", person | UnsetType, UNSET),
            ("source", person | UnsetType, UNSET),
        ],
        gc=False,
    )
    return msgspec.json.Decoder(response).decode


def _one_of(names: Any) -> Any:
    """Return the type of exactly these strings; decoding gives the very same objects, whose hash is known."""
    return Literal[tuple(sorted(names))]


# --- what an answer is worth to every rule at once ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Bits:
    """Where one rule's three counts stand in the number of an answer, and in the sum of a whole response."""

    rule: ScoreRule
    shift: int
    count: int  # bits of each of the two counts
    total: int  # bits of the sum

    @property
    def width(self) -> int:
        return 2 * self.count + self.total

    @property
    def mask(self) -> int:
        return (1 << self.width) - 1

    def of(self, number: int | None) -> int:
        """Return the bits of one answer: answered, counts, and its number."""
        counts = 0 if number is None else 1
        return (1 | counts << self.count | (number or 0) << 2 * self.count) << self.shift

    def score(self, bits: int) -> Score:
        """Return the score of a response from this rule's bits."""
        counts = (1 << self.count) - 1
        return outcome(self.rule, bits & counts, bits >> self.count & counts, bits >> 2 * self.count)


def _bits(instrument: Instrument) -> tuple[_Bits, ...]:
    """Lay out the bits of every rule, above the own bits of the items."""
    layout: list[_Bits] = []
    form = form_of(instrument)
    shift = len(form.items) + len(form.score_items)
    for rule in instrument.scores:
        highest = [max(number or 0 for number in worth.values()) for worth in numbers(instrument, rule).values()]
        made = _Bits(rule, shift, len(rule.items).bit_length(), sum(highest).bit_length())
        layout.append(made)
        shift += made.width
    return tuple(layout)


def _worth(instrument: Instrument, layout: tuple[_Bits, ...]) -> tuple[dict[str, dict[str | bool | None, int]], int]:
    """Return linkId → answer (None: not answered) → its number, and the mask of the own bits in the sum of numbers."""
    table: dict[str, dict[str | bool | None, int]] = {}
    own = 1
    for item in instrument.items:
        table[item.link_id] = dict.fromkeys((None, *_answers(item)), own)
        own <<= 1
        for bits in layout:
            for answer, number in numbers(instrument, bits.rule).get(item.link_id, {}).items():
                table[item.link_id][answer] += bits.of(number)
    for link_id in sorted(form_of(instrument).score_items):
        table[link_id] = {None: own}
        own <<= 1
    return table, own - 1


def _answers(item: Item) -> tuple[str | bool, ...]:
    if item.scale is not None:
        return tuple(option.code for option in item.scale.options)
    return (True, False) if item.kind == "boolean" else ()


# --- where the pieces go -----------------------------------------------------------------------------------------

_REFERENCE, _KEY, _WHO, _NAME, _WHEN, _WHY = (f"@@{name}@@" for name in ("ref", "key", "who", "name", "when", "why"))


@dataclass(frozen=True, slots=True)
class _Shape:
    """What, beside the instrument, decides which words an Observation has."""

    status: str
    language: str
    has_id: bool
    has_identifier: bool


@dataclass(frozen=True, slots=True)
class _Template:
    """The Observations of one instrument in one shape: fixed pieces, and a choice that puts the values between them."""

    fixed: list[bytes]
    choose: Callable[[list[bytes]], tuple[bytes, ...]]

    def filled(self, values: list[bytes]) -> bytes:
        return b"".join(self.choose(self.fixed + values))


# The order of the values that go into the places; the scores' pieces follow.
_KEY_AT, _REFERENCE_AT, _URN_AT, _FRAME_AT, _SCORES_AT = range(5)


def _marked(instrument: Instrument, shape: _Shape) -> Answers:
    about = ResponseRef(
        status=shape.status,
        reference=_REFERENCE if shape.has_id else "",
        identifier=_KEY if shape.has_identifier else "",
        authored=_WHEN,
        subject={"reference": _WHO, "display": _NAME},
        canonical=instrument.canonical,
        language=shape.language,
    )
    return Answers(instrument, {}, about)


def _template(instrument: Instrument, shape: _Shape) -> _Template:
    answers = _marked(instrument, shape)
    no_scores = [Score(rule, None, 0, 0, "unknown", Text(_WHY, _WHY)) for rule in instrument.scores]
    made = observations_of(answers, no_scores)
    lines = b"\n".join(orjson.dumps(one) for one in made) + b"\n"
    key = response_key(answers.response, answers.response.reference)
    frame = _members({name: made[0][name] for name in ("subject", "effectiveDateTime")})
    places = {
        _members({"dataAbsentReason": made[1]["dataAbsentReason"]}): _SCORES_AT,
        frame: _FRAME_AT,
        urn_start(key).encode(): _URN_AT,
        _KEY.encode(): _KEY_AT,
        _REFERENCE.encode(): _REFERENCE_AT,
    }
    cut = re.split(b"(" + b"|".join(re.escape(place) for place in places) + b")", lines)
    order = [places[place] for place in cut[1::2]]
    scores = iter(range(_SCORES_AT, _SCORES_AT + len(no_scores)))
    order = [next(scores) if place == _SCORES_AT else place for place in order]
    fixed = cut[::2]
    both = [number for pair in enumerate(len(fixed) + place for place in order) for number in pair]
    return _Template(fixed, itemgetter(*both, len(fixed) - 1))


def _members(elements: Mapping[str, Any]) -> bytes:
    """Return elements as they stand between the braces of a JSON object."""
    return orjson.dumps(elements)[1:-1]


# --- all together ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Plan:
    """All that is known beforehand about the responses to one version of one instrument."""

    instrument: Instrument
    narrow: Callable[[bytes], Any] | None
    wide: Callable[[bytes], Any]
    score_items: frozenset[str]
    worth: dict[str, dict[str | bool | None, int]]
    own_bits: int
    layout: tuple[_Bits, ...]
    pieces: list[dict[int, bytes]]
    templates: dict[tuple[str, str, bool, bool], _Template] = field(default_factory=dict)

    @classmethod
    def of(cls, instrument: Instrument) -> _Plan:
        layout = _bits(instrument)
        if not layout:
            raise NoFastWay(instrument.canonical)
        worth, own_bits = _worth(instrument, layout)
        kinds = {item.kind for item in instrument.items}
        return cls(
            instrument=instrument,
            narrow=_decoder(instrument, wide=False) if kinds == {"choice"} else None,
            wide=_decoder(instrument, wide=True),
            score_items=form_of(instrument).score_items,
            worth=worth,
            own_bits=own_bits,
            layout=layout,
            # A piece depends on the language, which is the low bit of its key.
            pieces=[{} for _ in layout],
        )

    def read(self, line: bytes) -> tuple[Any, int] | None:
        """Return a response and the sum of the numbers of its answers; None where the plain way must look."""
        for decode, value_of in ((self.narrow, _code), (self.wide, self.value)):
            if decode is None:
                continue
            try:
                response = decode(line)
                return response, self.sum(response, value_of)
            except (msgspec.MsgspecError, KeyError, RecursionError, ValueError):
                continue
        return None

    def sum(self, response: Any, value_of: Callable[[Any], str | bool | None]) -> int:
        """Return the sum of the numbers of all answers; raises KeyError on an answer that does not fit its item."""
        worth, total, count, groups = self.worth, 0, 0, set()
        for group in response.item:
            groups.add(group.linkId)
            items = group.item
            count += len(items)
            for item in items:
                total += worth[item.linkId][value_of(item)]
        if len(groups) != len(response.item) or (total & self.own_bits).bit_count() != count:
            raise KeyError("an item or group stands twice")
        return total

    def value(self, item: Any) -> str | bool | None:
        """Return the one value of an item that the wide decoder took; None where there is none, or none that counts."""
        if item.answer is UNSET or item.linkId in self.score_items:
            return None
        (answer,) = item.answer
        given = [one for one in (answer.valueCoding, answer.valueBoolean, answer.valueDecimal) if one is not UNSET]
        if len(given) != 1 or answer.valueDecimal is not UNSET:
            raise KeyError("no value, two values, or a number")
        found: str | bool = given[0] if answer.valueCoding is UNSET else given[0].code
        return found

    def observations(self, line: bytes) -> bytes | None:
        """Return the Observations, or None where the plain way must look; never raises for what is in a line."""
        read = self.read(line)
        if read is None:
            return None
        response, total = read
        ident, authored, language = response.id, response.authored, response.language
        if not is_date_time(authored) or (ident and not FHIR_ID.fullmatch(ident)) or "?" in response.subject.reference:
            return None
        identifier = response.identifier
        has_identifier = identifier is not UNSET
        if not ident and not has_identifier:
            return None
        shape = (response.status, language, ident != "", has_identifier)
        template = self.templates.get(shape)
        if template is None:
            template = self.templates[shape] = _template(self.instrument, _Shape(*shape))
        reference = f"QuestionnaireResponse/{ident}"
        key = identifier.value if has_identifier else reference
        subject = response.subject
        values = [
            orjson.dumps(key)[1:-1],
            reference.encode(),
            urn_start(key).encode(),
            b'"subject":{"reference":%b,"display":%b},"effectiveDateTime":"%b"'
            % (orjson.dumps(subject.reference), orjson.dumps(subject.display), authored.encode()),
        ]
        english = language == "en"
        for bits, pieces in zip(self.layout, self.pieces, strict=True):
            found = (total >> bits.shift & bits.mask) << 1 | english
            piece = pieces.get(found)
            values.append(self.piece(bits, pieces, found) if piece is None else piece)
        return template.filled(values)

    def piece(self, bits: _Bits, pieces: dict[int, bytes], found: int) -> bytes:
        """Return (and remember) what one score's Observation says in the place of its value."""
        if len(pieces) >= _MOST_PIECES:
            pieces.clear()
        score = bits.score(found >> 1)
        shape = _Shape("completed", _LANGUAGES[found & 1], has_id=True, has_identifier=True)
        (_, made) = observations_of(_marked(self.instrument, shape), [score])
        said = {name: made[name] for name in made if name in ("valueQuantity", "dataAbsentReason")}
        pieces[found] = _members(said)
        return pieces[found]


def _code(item: Any) -> str:
    """Return the code of an item that the narrow decoder took."""
    code: str = item.answer[0].valueCoding.code
    return code


class FastScorer:
    """Scores lines of JSON by compiled plans, one per version of an instrument, made when first needed."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._plans: dict[str, _Plan | None] = {}
        self._last: _Plan | None = None

    def observations(self, line: bytes) -> bytes | None:
        """Return one response's Observations as NDJSON, byte for byte what the plain way gives, or None."""
        if not line.isascii():
            try:
                line.decode()
            except UnicodeDecodeError:
                return None
        if self._last is not None:
            made = self._last.observations(line)
            if made is not None:
                return made
        plan = self._plan_for(line)
        if plan is None or plan is self._last:
            return None
        self._last = plan
        return plan.observations(line)

    def _plan_for(self, line: bytes) -> _Plan | None:
        match = _CANONICAL.search(line)
        canonical = match[1].decode(errors="replace") if match else ""
        if canonical not in self._plans and "|" in canonical:
            if len(self._plans) > 1000:  # a file full of made-up questionnaires must not fill the memory
                self._plans.clear()
            self._plans[canonical] = self._compile(canonical)
        return self._plans.get(canonical)

    def _compile(self, canonical: str) -> _Plan | None:
        try:
            return _Plan.of(self._catalogue.by_canonical(canonical))
        except (UnknownInstrument, NoFastWay):
            return None
