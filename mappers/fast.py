"""The fast way from a response's bytes to its Observations' bytes, compiled from the plain way.

The plain way (`mappers.answers`, `scoring`, `observations`) goes through dicts, one response at a time. In a file of
a hundred thousand responses almost everything it does is the same each time: the same forty linkIds are looked up and
the same Observations are written, with another client and other numbers. So that work is done once per version of an
instrument, and kept as a `_Compiled`.

**Reading.** The ordinary shape of a response becomes a msgspec type: the groups of the published Questionnaire, one
`valueCoding` or `valueBoolean` per answer, finished, with a date and a client. Only the instrument's own linkIds, codes
and systems decode. There are two such types: a narrow one for choices that are all answered, and a wide one that also
takes yes/no items, items without an answer, and the calculated scores that form renderers add.

**Adding up.** `scoring.outcome` needs three numbers per score rule: how many items are answered, how many of them
count ("not applicable" is an answer that does not), and the sum. They are packed into one integer per answer, so that
one addition per answer advances every count of every rule at once:

    high bits                                                                             low bits
    … | rule 2: sum, counted, answered | rule 1: sum, counted, answered | one bit per item of the form

Each field is wide enough for the highest value a response can reach, so no field spills into the next. The bits at the
bottom detect an item that appears twice: n powers of two add up to a number with n bits set only when no two are equal.
They are the lowest because sums carry upwards only: whatever happens above cannot hide what happened there.

**Writing.** The plain way writes the Observations once, with a marker wherever responses differ, and its output is cut
at those markers (`_template`). Filling in is joining bytes. The part of an Observation that states its score depends on
the rule's bits and the language alone; it is made by `scoring.outcome` and the plain way when first needed, and kept.

**Giving up.** Whatever does not fit returns None: other shapes, drafts, unknown questionnaires, invalid dates,
duplicates. The plain way then decides, and words the refusal. Nothing here refuses a response, and nothing here raises
because of what is in one.

The bytes equal the plain way's because they are the plain way's: no rule and no label is written down a second time
here, only identifiers, the client and the date are filled in. `tests/mappers/test_fast.py` holds the two together, byte
for byte, on generated responses: ordinary ones (`test_both_ways_give_the_same_bytes`), and bent ones.
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

# Sought in the raw bytes, because the canonical decides which type a line is decoded with.
_CANONICAL: Final = re.compile(rb'"questionnaire"\s*:\s*"([^"\\]{1,400})"')
_MOST_PIECES: Final = 20_000  # remembered pieces of JSON per score rule; NEL's total needs a few hundred
_MOST_COMPILED: Final = 1000  # remembered canonicals, real or not
_LANGUAGES: Final = ("nl", "en")


class NoFastWay(Exception):
    """An instrument whose responses only the plain way reads."""


# --- reading: the shape a response may have ----------------------------------------------------------------------

# A number above and below 1, so no JSON fits: whatever fills an element of this type goes to the plain way. An absent
# element gets the default, which msgspec does not check.
_NEVER: Final[tuple[Any, Any]] = (Annotated[int, Meta(gt=1, lt=1)], 0)


def _decoder(instrument: Instrument, *, wide: bool) -> Callable[[bytes], Any]:
    """Return a decoder for the ordinary shape of a response; anything else raises msgspec.MsgspecError.

    The narrow decoder, which is faster, takes choices only, each with its answer. Elements that never affect a score
    (`text`, `extension`, `meta`, …) are skipped, as in the plain way.
    """
    return msgspec.json.Decoder(_response_type(instrument, _group_type(instrument, wide=wide))).decode


def _group_type(instrument: Instrument, *, wide: bool) -> Any:
    """Return the type of one group with its items and answers. Raises NoFastWay for more than one code system."""
    form = form_of(instrument)
    scales = instrument.scales
    systems = {scale.system for scale in scales}
    if len(systems) != 1:
        raise NoFastWay(instrument.canonical)
    (system,) = systems
    # gc=False throughout: what is decoded from JSON holds no cycles, so the collector need not track it.
    coding = defstruct(
        "Coding",
        [
            ("code", _one_of({option.code for scale in scales for option in scale.options})),
            ("system", _one_of(systems), system),
        ],
        gc=False,
    )
    link_ids = set(form.items)
    values: list[Any] = [("valueCoding", coding)]
    if wide:
        kinds = {"valueCoding": coding, "valueBoolean": bool, "valueDecimal": float}
        values = [(name, kind | UnsetType, UNSET) for name, kind in kinds.items()]
        link_ids |= form.score_items
    # Strict, unlike the other types: a value[x] that we do not know is an answer, and must not be skipped.
    answer = defstruct("Answer", values, forbid_unknown_fields=True, gc=False)
    answers: list[Any] = [("answer", tuple[answer] | UnsetType, UNSET)] if wide else [("answer", tuple[answer])]  # type: ignore[valid-type]
    item = defstruct("Item", [("linkId", _one_of(link_ids)), *answers, ("item", *_NEVER)], gc=False)
    return defstruct(
        "Group",
        [("linkId", _one_of(form.groups)), ("item", list[item]), ("answer", *_NEVER)],  # type: ignore[valid-type]
        gc=False,
    )


def _response_type(instrument: Instrument, group: Any) -> Any:
    """Return the type of a whole response, with exactly what the plain way copies into an Observation."""
    some = Annotated[str, Meta(min_length=1)]
    # Strict: a subject with an identifier or a type is written otherwise, and a BSN in it must never be copied.
    subject = defstruct("Subject", [("reference", some), ("display", some)], forbid_unknown_fields=True, gc=False)
    person = defstruct("Person", [("reference", str, "")], gc=False)
    value = Annotated[str, Meta(min_length=1, max_length=LONGEST_IDENTIFIER)]
    identifier = defstruct("Identifier", [("system", _one_of({RESPONSE_SYSTEM})), ("value", value)], gc=False)
    return defstruct(
        "Response",
        [
            ("resourceType", Literal["QuestionnaireResponse"]),
            ("questionnaire", _one_of({instrument.canonical})),
            ("status", _one_of(STATUS_OF_SCORES)),
            ("authored", str),
            ("subject", subject),
            ("item", list[group], msgspec.field(default_factory=list)),
            ("id", str, ""),
            ("identifier", identifier | UnsetType, UNSET),
            ("language", _one_of(_LANGUAGES), "nl"),
            # Not used, but the plain way refuses a response whose author or source is not an object.
            ("author", person | UnsetType, UNSET),
            ("source", person | UnsetType, UNSET),
        ],
        gc=False,
    )


def _one_of(names: Any) -> Any:
    """Return the type of exactly these strings. Decoding gives the very same objects, whose hash is known already."""
    return Literal[tuple(sorted(names))]


# --- adding up: what an answer is worth to every rule at once ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Bits:
    """Where one rule's three fields lie, in the number of an answer and in the sum of a whole response."""

    rule: ScoreRule
    shift: int
    count: int  # bits in each of the two counts
    total: int  # bits in the sum

    @property
    def width(self) -> int:
        return 2 * self.count + self.total

    @property
    def mask(self) -> int:
        return (1 << self.width) - 1

    def of(self, number: int | None) -> int:
        """Return what one answer adds: 1 answered, 1 counted unless `number` is None, and the number itself."""
        counts = 0 if number is None else 1
        return (1 | counts << self.count | (number or 0) << 2 * self.count) << self.shift

    def score(self, bits: int) -> Score:
        """Return the score that this rule's bits, shifted down and masked, stand for."""
        counts = (1 << self.count) - 1
        return outcome(self.rule, bits & counts, bits >> self.count & counts, bits >> 2 * self.count)


def _bits(instrument: Instrument) -> tuple[_Bits, ...]:
    """Lay out the fields of every rule, above the bits of the items."""
    layout: list[_Bits] = []
    form = form_of(instrument)
    shift = len(form.items) + len(form.score_items)
    for rule in instrument.scores:
        # Wide enough for every item answered with its highest number; duplicates, which could exceed that, are refused.
        highest = [max(number or 0 for number in worth.values()) for worth in numbers(instrument, rule).values()]
        made = _Bits(rule, shift, len(rule.items).bit_length(), sum(highest).bit_length())
        layout.append(made)
        shift += made.width
    return tuple(layout)


def _worth(instrument: Instrument, layout: tuple[_Bits, ...]) -> tuple[dict[str, dict[str | bool | None, int]], int]:
    """Return linkId → answer (None: not answered) → its number, and the mask of the items' own bits."""
    table: dict[str, dict[str | bool | None, int]] = {}
    own = 1
    for item in instrument.items:
        # Also for "not answered": an item that appears once with and once without an answer appears twice.
        table[item.link_id] = dict.fromkeys((None, *_answers(item)), own)
        own <<= 1
        for bits in layout:
            for answer, number in numbers(instrument, bits.rule).get(item.link_id, {}).items():
                table[item.link_id][answer] += bits.of(number)
    # Calculated scores are worth nothing, for we always compute them ourselves, but they too may appear only once.
    for link_id in sorted(form_of(instrument).score_items):
        table[link_id] = {None: own}
        own <<= 1
    return table, own - 1


def _answers(item: Item) -> tuple[str | bool, ...]:
    if item.scale is not None:
        return tuple(option.code for option in item.scale.options)
    return (True, False) if item.kind == "boolean" else ()


# --- writing: the plain way's output, cut where responses differ -------------------------------------------------

# Letters and @ only, so that JSON writes them as they are and no instrument's own text holds them.
_REFERENCE, _KEY, _WHO, _NAME, _WHEN, _WHY = (f"@@{name}@@" for name in ("ref", "key", "who", "name", "when", "why"))


@dataclass(frozen=True, slots=True)
class _Shape:
    """What, besides the instrument, decides which elements and words its Observations have."""

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


# Where each value is in the list that `_Compiled.observations` makes; from the last one on there is one per score.
_KEY_AT, _REFERENCE_AT, _URN_AT, _FRAME_AT, _SCORES_AT = range(5)


def _marked(instrument: Instrument, shape: _Shape) -> Answers:
    """Return answers as the plain way takes them, with a marker for everything that a response brings along."""
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
    """Let the plain way write the Observations with markers, and cut the result at each of them."""
    answers = _marked(instrument, shape)
    no_scores = [Score(rule, None, 0, 0, "unknown", Text(_WHY, _WHY)) for rule in instrument.scores]
    made = observations_of(answers, no_scores)
    lines = b"\n".join(orjson.dumps(one) for one in made) + b"\n"
    key = response_key(answers.response, answers.response.reference)
    frame = _members({name: made[0][name] for name in ("subject", "effectiveDateTime")})
    # A `urn:uuid:` is a digest of the key, so it carries no marker: what the marked key digests to is one itself.
    places = {
        _members({"dataAbsentReason": made[1]["dataAbsentReason"]}): _SCORES_AT,
        frame: _FRAME_AT,
        urn_start(key).encode(): _URN_AT,
        _KEY.encode(): _KEY_AT,
        _REFERENCE.encode(): _REFERENCE_AT,
    }
    # Splitting on a group keeps what was split on: fixed pieces and places alternate, a fixed piece first and last.
    cut = re.split(b"(" + b"|".join(re.escape(place) for place in places) + b")", lines)
    order = [places[place] for place in cut[1::2]]
    # The scores come in the order of the rules, in `made` as in the layout; each takes the next value.
    scores = iter(range(_SCORES_AT, _SCORES_AT + len(no_scores)))
    order = [next(scores) if place == _SCORES_AT else place for place in order]
    fixed = cut[::2]
    # One itemgetter over `fixed + values` picks everything in order, without a loop in Python per response.
    both = [number for pair in enumerate(len(fixed) + place for place in order) for number in pair]
    return _Template(fixed, itemgetter(*both, len(fixed) - 1))


def _members(elements: Mapping[str, Any]) -> bytes:
    """Return elements as JSON without the braces, as they appear within a larger object."""
    return orjson.dumps(elements)[1:-1]


# --- all together ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Compiled:
    """Everything that can be known beforehand about the responses to one version of one instrument."""

    instrument: Instrument
    narrow: Callable[[bytes], Any] | None  # None: it has items that only the wide decoder takes
    wide: Callable[[bytes], Any]
    score_items: frozenset[str]
    worth: dict[str, dict[str | bool | None, int]]
    own_bits: int
    layout: tuple[_Bits, ...]
    # Per rule: its bits, with the language as one more low bit → the members that state the score.
    pieces: list[dict[int, bytes]]
    templates: dict[tuple[str, str, bool, bool], _Template] = field(default_factory=dict)

    @classmethod
    def of(cls, instrument: Instrument) -> _Compiled:
        """Compile an instrument. Raises NoFastWay for one without scores or with several code systems."""
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
            pieces=[{} for _ in layout],
        )

    def read(self, line: bytes) -> tuple[Any, int] | None:
        """Return a response and the sum of the numbers of its answers; None leaves it to the plain way."""
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
        """Return the sum of the numbers of all answers. Raises KeyError for an answer that does not fit its item."""
        worth, total, count, groups = self.worth, 0, 0, set()
        for group in response.item:
            groups.add(group.linkId)
            items = group.item
            count += len(items)
            for item in items:
                # The type knows all codes and all linkIds; only this look-up knows which code belongs to which item.
                total += worth[item.linkId][value_of(item)]
        # Fewer own bits than items: two of them were equal powers of two, and carried.
        if len(groups) != len(response.item) or (total & self.own_bits).bit_count() != count:
            raise KeyError("an item or group appears twice")
        return total

    def value(self, item: Any) -> str | bool | None:
        """Return the value of an item that the wide decoder took; None for no answer and for a calculated score."""
        if item.answer is UNSET or item.linkId in self.score_items:
            return None
        (answer,) = item.answer
        given = [one for one in (answer.valueCoding, answer.valueBoolean, answer.valueDecimal) if one is not UNSET]
        if len(given) != 1 or answer.valueDecimal is not UNSET:
            raise KeyError("no value, two values, or a number")
        found: str | bool = given[0] if answer.valueCoding is UNSET else given[0].code
        return found

    def observations(self, line: bytes) -> bytes | None:
        """Return the Observations, or None to leave a line to the plain way; never raises for what is in a line."""
        read = self.read(line)
        if read is None:
            return None
        response, total = read
        ident, authored, language = response.id, response.authored, response.language
        # What the types cannot say. A reference with "?" is a search, often for a BSN: the plain way does not copy it.
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
        # In the order of _KEY_AT and its neighbours. orjson escapes what others chose; the id and the date, checked
        # above, hold nothing to escape.
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
        """Make and remember the members that state one score: its value, or why there is none."""
        # A mean over many items has many values; starting over is simpler than evicting, and hardly ever happens.
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
    """Scores lines of JSON, compiling each version of an instrument when its first response comes along."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._compiled: dict[str, _Compiled | None] = {}
        self._last: _Compiled | None = None

    def observations(self, line: bytes) -> bytes | None:
        """Return one response's Observations as NDJSON, byte for byte what the plain way gives, or None."""
        # msgspec does not decode what it skips, such as `text`; orjson, in the plain way, refuses bad UTF-8 anywhere.
        if not line.isascii():
            try:
                line.decode()
            except UnicodeDecodeError:
                return None
        # What may change the meaning of a response is in no type here: the plain way refuses it.
        if b"modifierExtension" in line or b"implicitRules" in line:
            return None
        # The lines of a file mostly answer one instrument, so trying the last one first saves the search.
        if self._last is not None:
            made = self._last.observations(line)
            if made is not None:
                return made
        compiled = self._compiled_for(line)
        if compiled is None or compiled is self._last:
            return None
        self._last = compiled
        return compiled.observations(line)

    def _compiled_for(self, line: bytes) -> _Compiled | None:
        # A guess from the first match is enough: the type that is chosen by it demands the canonical once more.
        match = _CANONICAL.search(line)
        canonical = match[1].decode(errors="replace") if match else ""
        if canonical not in self._compiled and "|" in canonical:
            if len(self._compiled) > _MOST_COMPILED:  # a file full of made-up questionnaires must not fill the memory
                self._compiled.clear()
            self._compiled[canonical] = self._compile(canonical)
        return self._compiled.get(canonical)

    def _compile(self, canonical: str) -> _Compiled | None:
        try:
            return _Compiled.of(self._catalogue.by_canonical(canonical))
        except (UnknownInstrument, NoFastWay):
            return None
