"""The fast way from a response's bytes to its Observations' bytes, compiled from the plain way.

The plain way (`mappers.answers`, `scoring`, `observations`) goes through dicts, one response at a time. In a file of
a hundred thousand responses almost everything it does is the same each time: the same forty linkIds are looked up and
the same Observations are written, with another client and other numbers. So that work is done once per version of an
instrument, and kept as a `_Compiled`.

**Reading.** The ordinary shape of a response becomes a msgspec type: the groups of the published Questionnaire, one
`valueCoding` or `valueBoolean` per answer, finished, with a date and a client. Only the instrument's own linkIds, codes
and systems decode. There are two such types: a narrow one for choices that are all answered, and a wide one that also
takes yes/no items, items without an answer, and the calculated scores that form renderers add.

**Recalling.** A program writes the same answer to the same item in the same bytes every time. So a line is cut before
each `{"linkId":`, and each cut that decodes by itself, as an item or as the beginning of a group, is remembered with
what it is worth and what it closes (`_Cuts`). A line of known cuts, in an order in which they close what they open, is
what was decoded before in another arrangement: only its beginning (name, client, date) has to be decoded.

**Adding up.** `scoring.outcome` needs three numbers per score rule: how many items are answered, how many of them
count ("not applicable" is an answer that does not), and the sum. They are packed into one integer per answer, so that
one addition per answer advances every count of every rule at once:

    high bits                                                                             low bits
    … | rule 2: sum, counted, answered | rule 1: sum, counted, answered | one bit per item and per group of the form

Each field is wide enough for the highest value a response can reach, so no field spills into the next. The bits at the
bottom detect what appears twice: n powers of two add up to a number with n bits set only when no two are equal.
They are the lowest because sums carry upwards only: whatever happens above cannot hide what happened there.

**Writing.** The plain way writes the Observations once, with a marker wherever responses differ, and its output is cut
at those markers (`_template`). Filling in is choosing pieces; whoever has the pieces of many responses joins them once,
for each join copies all bytes. The part of an Observation that states its score depends on the rule's bits and the
language alone; it is made by `scoring.outcome` and the plain way when first needed, and kept.

**Giving up.** Whatever does not fit returns None: other shapes, drafts, unknown questionnaires, invalid dates,
duplicates. The plain way then decides, and words the refusal. Nothing here refuses a response, and nothing here raises
because of what is in one.

The bytes equal the plain way's because they are the plain way's: no rule and no label is written down a second time
here, only identifiers, the client and the date are filled in. `tests/mappers/test_fast.py` holds the two together, byte
for byte, on generated responses: ordinary ones (`test_both_ways_give_the_same_bytes`), and bent ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
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
# What may change the meaning of what holds it: the plain way refuses it where these stand.
_OTHER_MEANING: Final[list[Any]] = [("modifierExtension", *_NEVER), ("implicitRules", *_NEVER)]


def _decoder(instrument: Instrument, *, wide: bool) -> Callable[[bytes], Any]:
    """Return a decoder for the ordinary shape of a response; anything else raises msgspec.MsgspecError.

    The narrow decoder, which is faster, takes choices only, each with its answer. Elements that never affect a score
    (`text`, `extension`, `meta`, …) are skipped, as in the plain way.
    """
    return _decode(_response_type(instrument, _group_type(instrument, _item_type(instrument, wide=wide))))


def _decode(kind: Any) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(kind).decode


def _item_type(instrument: Instrument, *, wide: bool) -> Any:
    """Return the type of one item with its answer. Raises NoFastWay for more than one code system."""
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
    return defstruct("Item", [("linkId", _one_of(link_ids)), *answers, ("item", *_NEVER), *_OTHER_MEANING], gc=False)


def _group_type(instrument: Instrument, item: Any) -> Any:
    """Return the type of one group of items of a type."""
    return defstruct(
        "Group",
        [
            ("linkId", _one_of(form_of(instrument).groups)),
            ("item", list[item]),
            ("answer", *_NEVER),
            *_OTHER_MEANING,
        ],
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
            *_OTHER_MEANING,
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
        """What is left of a sum when all but this rule's fields are blotted out."""
        return (1 << self.width) - 1 << self.shift

    def of(self, number: int | None) -> int:
        """Return what one answer adds: 1 answered, 1 counted unless `number` is None, and the number itself."""
        counts = 0 if number is None else 1
        return (1 | counts << self.count | (number or 0) << 2 * self.count) << self.shift

    def score(self, bits: int) -> Score:
        """Return the score that this rule's bits, masked, stand for."""
        counts, bits = (1 << self.count) - 1, bits >> self.shift
        return outcome(self.rule, bits & counts, bits >> self.count & counts, bits >> 2 * self.count)


def _bits(instrument: Instrument) -> tuple[_Bits, ...]:
    """Lay out the fields of every rule, above the bits of the items and groups."""
    layout: list[_Bits] = []
    form = form_of(instrument)
    shift = len(form.items) + len(form.score_items) + len(form.groups)
    for rule in instrument.scores:
        # Wide enough for every item answered with its highest number; duplicates, which could exceed that, are refused.
        highest = [max(number or 0 for number in worth.values()) for worth in numbers(instrument, rule).values()]
        made = _Bits(rule, shift, len(rule.items).bit_length(), sum(highest).bit_length())
        layout.append(made)
        shift += made.width
    return tuple(layout)


# linkId → answer (None: not answered) → its number. That of a group is of None.
_Worth = dict[str, dict[str | bool | None, int]]


def _worth(instrument: Instrument, layout: tuple[_Bits, ...]) -> tuple[_Worth, int]:
    """Return what each answer is worth, and the mask of the own bits of items and groups."""
    table: _Worth = {}
    own = 1
    for item in instrument.items:
        # Also for "not answered": an item that appears once with and once without an answer appears twice.
        table[item.link_id] = dict.fromkeys((None, *_answers(item)), own)
        own <<= 1
        for bits in layout:
            for answer, number in numbers(instrument, bits.rule).get(item.link_id, {}).items():
                table[item.link_id][answer] += bits.of(number)
    # Calculated scores are worth nothing, for we always compute them ourselves, but they too may appear only once.
    form = form_of(instrument)
    for link_id in (*sorted(form.score_items), *sorted(form.groups)):
        table[link_id] = {None: own}
        own <<= 1
    return table, own - 1


def _answers(item: Item) -> tuple[str | bool, ...]:
    if item.scale is not None:
        return tuple(option.code for option in item.scale.options)
    return (True, False) if item.kind == "boolean" else ()


def _code(item: Any) -> str:
    """Return the code of an item that the narrow decoder took."""
    code: str = item.answer[0].valueCoding.code
    return code


def _value(item: Any) -> str | bool | None:
    """Return the value of an item that the wide decoder took; None for no answer."""
    if item.answer is UNSET:
        return None
    (answer,) = item.answer
    given = [one for one in (answer.valueCoding, answer.valueBoolean, answer.valueDecimal) if one is not UNSET]
    if len(given) != 1 or answer.valueDecimal is not UNSET:
        raise KeyError("no value, two values, or a number")
    found: str | bool = given[0] if answer.valueCoding is UNSET else given[0].code
    return found


# --- recalling: what was decoded before --------------------------------------------------------------------------

_CUT: Final = b'{"linkId":'  # within a string its quotation marks are escaped, so in JSON this always begins an object
# What the beginning of a response ends with, and that of a group. Many programs write a space after colons and commas.
_OPEN: Final = (b'"item":[', b'"item": [')
# What may follow on an item: another one; the next group; nothing more. The letters stand for it in `_ORDER`.
_AFTER: Final = (
    ("i", b","),
    ("i", b", "),
    ("g", b"]},"),
    ("g", b"]}, "),
    ("e", b"]}]}"),
    ("e", b"]}]}\r"),
)
_ORDER: Final = re.compile("(oi*g)*oi*e")  # o opens a group
# The letter of a number of three bits; 0: this linkId is not there. Above 4 only where one is there twice.
_LETTERS: Final = "-oige???"
_KIND_BITS: Final = 3
_MOST_CUTS: Final = 4096  # remembered cuts; every answer to the NEL, each in its three places, is 600
_LONGEST_CUT: Final = 4096  # bytes


class _Cuts:
    """The cuts of one instrument's responses that are known by their bytes.

    Each is known by one number: what it is worth; above that its kind, in bits of its linkId's own; and above these the
    place of its linkId in the form. So in a response that follows the form the numbers rise, and then their sum tells
    what each linkId in turn closes: whether they fit together has to be found out once for each such row of kinds.
    """

    def __init__(self, instrument: Instrument, worth: _Worth, width: int) -> None:
        """`width`: the bits of the highest sum of worths."""
        item = _item_type(instrument, wide=True)
        self._item, self._group = _decode(item), _decode(_group_type(instrument, item))
        form = form_of(instrument)
        self._score_items = form.score_items
        self._table = worth
        in_order = [
            name for group in instrument.groups for name in (group.link_id, *(one.link_id for one in group.items))
        ]
        in_order += sorted(form.groups.difference(in_order)) + sorted(form.score_items)
        self._places = {name: place for place, name in enumerate(in_order)}
        self._kinds_at = width
        self._place_at = width + _KIND_BITS * len(in_order)
        self._kinds = (1 << self._place_at) - (1 << width)
        self._known: dict[bytes, int] = {}
        self._in_order = lru_cache(maxsize=4096)(self._fit)

    def sum(self, cuts: list[bytes]) -> int:
        """Return what cuts are worth, below other bits. Raises KeyError for an unknown one, and if they do not fit."""
        found = [*map(self._known.__getitem__, cuts)]
        total = sum(found)
        if found == sorted(found):
            fits = self._in_order(total & self._kinds)
        else:  # not in the order of the form
            fits = _ORDER.fullmatch("".join(map(self._letter, found))) is not None
        if not fits:
            raise KeyError("not in order")
        return total

    def _fit(self, kinds: int) -> bool:
        """Tell whether cuts in the order of the form close all that they open and nothing else."""
        every = kinds >> self._kinds_at
        letters = (_LETTERS[every >> _KIND_BITS * place & 7] for place in range(len(self._places)))
        return _ORDER.fullmatch("".join(letters).replace("-", "")) is not None

    def _letter(self, found: int) -> str:
        place = found >> self._place_at
        return _LETTERS[found >> self._kinds_at + _KIND_BITS * place & 7]

    def learn(self, cuts: list[bytes]) -> None:
        """Remember the cuts of a response that was decoded; when there are enough of them, no more."""
        for cut in cuts:
            if len(self._known) < _MOST_CUTS and len(cut) <= _LONGEST_CUT and cut not in self._known:
                for kind, link_id, worth in self._meanings(cut):
                    place = self._places[link_id]
                    number = _LETTERS.index(kind) << self._kinds_at + _KIND_BITS * place
                    self._known[cut] = place << self._place_at | number | worth

    def _meanings(self, cut: bytes) -> Iterator[tuple[str, str, int]]:
        """Yield kind, linkId and worth of a cut that decodes by itself: none, or the only ones that there can be."""
        try:
            if cut.endswith(_OPEN):
                link_id = self._group(_CUT + cut + b"]}").linkId
                yield "o", link_id, self._table[link_id][None]
        except (msgspec.MsgspecError, KeyError, RecursionError, ValueError):
            return
        for kind, end in _AFTER:
            if cut.endswith(end):
                try:
                    item = self._item(_CUT + cut.removesuffix(end))
                    given = None if item.linkId in self._score_items else _value(item)
                    yield kind, item.linkId, self._table[item.linkId][given]
                except (msgspec.MsgspecError, KeyError, RecursionError, ValueError):
                    continue


# --- writing: the plain way's output, cut where responses differ -------------------------------------------------

# Letters and @ only, so that JSON writes them as they are and no instrument's own text holds them.
_REFERENCE, _KEY, _WHO, _NAME, _WHEN, _WHY = (f"@@{name}@@" for name in ("ref", "key", "who", "name", "when", "why"))
# The elements of an Observation that depend on its score and on the language, and on nothing else.
_SAID: Final = ("valueQuantity", "dataAbsentReason", "method")


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


# Where each value is in the list that `_Compiled.pieces` makes; from the last one on there is one per score.
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
    frame = _members({name: made[0][name] for name in ("subject", "effectiveDateTime")}) + b","
    # A `urn:uuid:` is a digest of the key, so it carries no marker: what the marked key digests to is one itself.
    places = {
        frame: _FRAME_AT,
        urn_start(key).encode(): _URN_AT,
        _KEY.encode(): _KEY_AT,
        _REFERENCE.encode(): _REFERENCE_AT,
    }
    # The scores come in the order of the rules, in `made` as in the layout; each says by which rule it was made.
    places |= {_said(one): _SCORES_AT + number for number, one in enumerate(made[1:])}
    # Splitting on a group keeps what was split on: fixed pieces and places alternate, a fixed piece first and last.
    cut = re.split(b"(" + b"|".join(re.escape(place) for place in places) + b")", lines)
    fixed = [piece for piece in cut[::2] if piece]
    # One itemgetter over `fixed + values` picks everything in order, without a loop in Python per response.
    numbers_of_fixed = iter(range(len(fixed)))
    order = [len(fixed) + places[piece] if piece in places else next(numbers_of_fixed) for piece in cut if piece]
    return _Template(fixed, itemgetter(*order))


def _said(observation: Mapping[str, Any]) -> bytes:
    """Return the members that state a score, or why there is none, and by which rule."""
    return _members({name: observation[name] for name in observation if name in _SAID})


def _members(elements: Mapping[str, Any]) -> bytes:
    """Return elements as JSON without the braces, as they appear within a larger object."""
    return orjson.dumps(elements)[1:-1]


# --- all together ------------------------------------------------------------------------------------------------


class _Pieces(dict[int, bytes]):
    """How one score is stated in one language, by the bits that it comes from; made when first asked for, and kept."""

    def __init__(self, instrument: Instrument, bits: _Bits, language: str) -> None:
        super().__init__()
        self._bits = bits
        self._answers = _marked(instrument, _Shape("completed", language, has_id=True, has_identifier=True))

    def __missing__(self, found: int) -> bytes:
        # A mean over many items has many values; starting over is simpler than evicting, and hardly ever happens.
        if len(self) >= _MOST_PIECES:
            self.clear()
        (_, made) = observations_of(self._answers, [self._bits.score(found)])
        self[found] = piece = _said(made)
        return piece


@dataclass(slots=True)
class _Compiled:
    """Everything that can be known beforehand about the responses to one version of one instrument."""

    instrument: Instrument
    narrow: Callable[[bytes], Any] | None  # None: it has items that only the wide decoder takes
    wide: Callable[[bytes], Any]
    score_items: frozenset[str]
    worth: _Worth
    own_bits: int
    cuts: _Cuts
    pieces: dict[str, list[tuple[int, _Pieces]]]  # by language, per rule: the mask of its bits, and what these say
    templates: dict[tuple[str, str, bool, bool], _Template] = field(default_factory=dict)

    @classmethod
    def of(cls, instrument: Instrument) -> _Compiled:
        """Compile an instrument. Raises NoFastWay for one without scores, about a team, or of several code systems."""
        layout = _bits(instrument)
        # Of a form about a team nobody's record has a score: the plain way writes none.
        if not layout or instrument.subject != "person":
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
            cuts=_Cuts(instrument, worth, layout[-1].shift + layout[-1].width),
            pieces={
                language: [(bits.mask, _Pieces(instrument, bits, language)) for bits in layout]
                for language in _LANGUAGES
            },
        )

    def read(self, line: bytes) -> tuple[Any, int] | None:
        """Return a response and the sum of the numbers of its answers; None leaves it to the plain way."""
        head, *cuts = line.split(_CUT)
        recalled = self.recall(head, cuts)
        if recalled is not None or not _is_utf8(line):
            return recalled
        for decode, value_of in ((self.narrow, _code), (self.wide, self.value)):
            if decode is None:
                continue
            try:
                response = decode(line)
                total = self.sum(response, value_of)
            except (msgspec.MsgspecError, KeyError, RecursionError, ValueError):
                continue
            self.cuts.learn(cuts)
            return response, total
        return None

    def recall(self, head: bytes, cuts: list[bytes]) -> tuple[Any, int] | None:
        """Return the same of a line by what is known of its cuts; None for a line that has to be decoded."""
        # An open list, closed at once, makes the head a whole response only if it is the response's own list.
        if not head.endswith(_OPEN) or not _is_utf8(head):
            return None
        try:
            response = (self.narrow or self.wide)(head + b"]}")
            total = self.cuts.sum(cuts)
            self.refuse_twice(total, len(cuts))
        except (msgspec.MsgspecError, KeyError, RecursionError, ValueError):
            return None
        return response, total

    def sum(self, response: Any, value_of: Callable[[Any], str | bool | None]) -> int:
        """Return the sum of the numbers of all answers. Raises KeyError for an answer that does not fit its item."""
        worth, total, count = self.worth, 0, 0
        for group in response.item:
            items = group.item
            total += worth[group.linkId][None]
            count += len(items) + 1
            for item in items:
                # The type knows all codes and all linkIds; only this look-up knows which code belongs to which item.
                total += worth[item.linkId][value_of(item)]
        self.refuse_twice(total, count)
        return total

    def refuse_twice(self, total: int, count: int) -> None:
        """Raise KeyError where the sum of this many items and groups holds two of the same."""
        # Fewer own bits than items: two of them were equal powers of two, and carried.
        if (total & self.own_bits).bit_count() != count:
            raise KeyError("an item or group appears twice")

    def value(self, item: Any) -> str | bool | None:
        """Return the value of an item that the wide decoder took; None for no answer and for a calculated score."""
        return None if item.linkId in self.score_items else _value(item)

    def pieces_of(self, line: bytes) -> tuple[bytes, ...] | None:
        """Return the Observations in pieces; None leaves it to the plain way. Never raises for what is in a line."""
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
            b'"subject":{"reference":%b,"display":%b},"effectiveDateTime":"%b",'
            % (orjson.dumps(subject.reference), orjson.dumps(subject.display), authored.encode()),
        ]
        values += [pieces[total & mask] for mask, pieces in self.pieces[language]]
        return template.choose(template.fixed + values)


def _is_utf8(text: bytes) -> bool:
    """Tell whether all of it is UTF-8: msgspec does not decode what it skips, orjson refuses bad UTF-8 anywhere."""
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


class FastScorer:
    """Scores lines of JSON, compiling each version of an instrument when its first response comes along."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._compiled: dict[str, _Compiled | None] = {}
        self._last: _Compiled | None = None

    def observations(self, line: bytes) -> bytes | None:
        """Return one response's Observations as NDJSON, byte for byte what the plain way gives, or None."""
        pieces = self.pieces_of(line)
        return None if pieces is None else b"".join(pieces)

    def pieces_of(self, line: bytes) -> tuple[bytes, ...] | None:
        """Return the same in pieces, for whoever joins those of many responses at once."""
        # The lines of a file mostly answer one instrument, so trying the last one first saves the search.
        if self._last is not None:
            made = self._last.pieces_of(line)
            if made is not None:
                return made
        compiled = self._compiled_for(line)
        if compiled is None or compiled is self._last:
            return None
        self._last = compiled
        return compiled.pieces_of(line)

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
