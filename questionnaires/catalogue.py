"""Read the instruments and the life domains by looking in the folder `definitions/`; strict about every key.

An instrument is read when it is first asked for: `verstel score` on one instrument does not pay for the others.
Definitions with official wording (made by `verstel wording apply`) are in a folder named by the environment
variable VERSTEL_DEFINITIONS; there they are called `<id>@<version>.toml` and replace our working wording,
which stays readable under its own version, for the responses that were given to it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path

from questionnaires.canonical import BASE, questionnaire_url
from questionnaires.living import LIFE_DOMAIN, PlanPart, check_ends, check_names, check_offer, check_was, plan_parts
from questionnaires.living import check as check_living
from questionnaires.maps import Maps, read_maps
from questionnaires.maps import folder_of_the_place as maps_folder
from questionnaires.model import (
    DEFAULT_ROWS,
    NOT_APPLICABLE,
    AnswerScale,
    Certainty,
    Citation,
    EnableWhen,
    Fact,
    Group,
    Instrument,
    Item,
    LifeDomain,
    Option,
    PlanQuestion,
    ReferenceNumber,
    RoundingRule,
    ScoreRule,
    Source,
    Text,
    WorkedExample,
    instrument_id,
)
from questionnaires.reading import DefinitionError, FilePlace, convert, parse_toml, read, read_text
from questionnaires.tables import (
    ConditionTable,
    ExampleTable,
    FactTable,
    GroupTable,
    InstrumentTable,
    ItemTable,
    LifeDomainsTable,
    ReferenceNumberTable,
    ScaleTable,
    ScoreTable,
)

__all__ = ["Catalogue", "DefinitionError", "UnknownInstrument", "catalogue", "read_instrument", "read_life_domains"]

HERE = Path(__file__).parent
DEFINITIONS = HERE / "definitions"
LIFE_DOMAINS = HERE / "life_domains.toml"

_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(-[A-Za-z0-9.-]+)?")
# What must be said, with a source, about every score before it may be computed.
SCORE_FACTS = ("membership", "reversal", "aggregate", "range", "missing")


class UnknownInstrument(LookupError):
    """An unknown questionnaire, or an unknown version of one; the message lists the known ones."""


# ---- facts and sources -----------------------------------------------------------------------------------------------


def _source(
    place: FilePlace, key: str, citations: Mapping[str, Citation], *, certainty: Certainty = "sure", note: str = ""
) -> Source:
    if key not in citations:
        raise place.error("source", f"is {key!r}; [sources] has {', '.join(citations) or 'none'}")
    return Source(key=key, citation=citations[key].text, certainty=certainty, note=note)


def _optional_source(
    place: FilePlace, table: ItemTable | ExampleTable, citations: Mapping[str, Citation]
) -> Source | None:
    if table.source is not None:
        return _source(place, table.source, citations, note=table.note)
    if table.note:
        raise place.error("note", "is about the source, but there is none; name the source or leave the note out")
    return None


def _fact(place: FilePlace, table: FactTable, citations: Mapping[str, Citation]) -> Fact:
    certainty, keys = table.certainty, table.sources
    if table.verified and certainty not in ("sure", "triangulated"):
        raise place.error("verified", f"can't be true for a fact that is {certainty!r}; only what was read is verified")
    _refuse_repeats(place, "sources", keys)
    unknown = [key for key in keys if key not in citations]
    if unknown:
        raise place.error("sources", f"names {unknown[0]!r}; [sources] has {', '.join(citations) or 'none'}")
    if certainty in ("sure", "triangulated", "inferred") and not keys:
        raise place.error("sources", f"is empty, but the fact is {certainty!r}; name where it was read")
    if certainty == "triangulated" and len(keys) < 2:
        raise place.error("sources", "is one source, but the fact is 'triangulated'; name all that force it together")
    if certainty in ("recalled", "own") and keys:
        raise place.error("sources", f"names {keys[0]!r}, but the fact is {certainty!r}; leave it empty")
    return Fact(
        about=table.about,
        statement=table.statement,
        sources=tuple(Source(key=key, citation=citations[key].text, certainty=certainty) for key in keys),
        certainty=certainty,
        verified=table.verified,
    )


def _facts(place: FilePlace, tables: tuple[FactTable, ...], citations: Mapping[str, Citation]) -> tuple[Fact, ...]:
    return tuple(_fact(one, table, citations) for one, table in place.each("facts", tables))


def _reference_number(
    place: FilePlace, table: ReferenceNumberTable, citations: Mapping[str, Citation]
) -> ReferenceNumber:
    return ReferenceNumber(
        population=table.population,
        n=table.n,
        statistic=table.statistic,
        source=_source(place, table.source, citations, certainty=table.certainty, note=table.note),
    )


def _refuse_repeats(place: FilePlace, key: str, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise place.error(key, f"names {', '.join(twice)} more than once")


# ---- items -----------------------------------------------------------------------------------------------------------


def _scale(place: FilePlace, table: ScaleTable, instrument: str) -> tuple[AnswerScale, Option | None]:
    """Return a scale, and its "not applicable" option where it has one."""
    # Systems send the code or the number. As long as they are the same text, the two can't contradict each other.
    for one, option in place.each("options", table.options):
        if option.code != str(option.value):
            problem = f"is {option.code!r} but the value is {option.value}; the code is the value as text"
            raise one.error("code", problem)
    # Without a gap, lowest + highest − value is always one of the options: that is what reversing counts on.
    values = [option.value for option in table.options]
    if len(values) < 2 or values != list(range(values[0], values[0] + len(values))):
        raise place.error("options", f"have the values {values}; write at least two, each one more than the one before")
    options = tuple(Option(code=option.code, value=option.value, text=option.text) for option in table.options)
    words = table.not_applicable
    not_applicable = None if words is None else Option(code=NOT_APPLICABLE, value=None, text=words)
    return AnswerScale(id=f"{instrument}-{table.name}", options=options), not_applicable


class _Items:
    """Makes groups and items, and knows the scales, linkIds and items that were read so far."""

    def __init__(self, top: FilePlace, table: InstrumentTable, citations: Mapping[str, Citation]) -> None:
        self.instrument = table.id
        self.citations = citations
        self.link_ids: set[str] = set()
        self.items: dict[str, Item] = {}
        self.scales: dict[str, tuple[AnswerScale, Option | None]] = {}
        for place, scale in top.each("scales", table.scales):
            if scale.name == LIFE_DOMAIN:
                raise place.error("name", f"is {LIFE_DOMAIN!r}, which is kept for the life domains; choose another")
            if scale.name in self.scales:
                raise place.error("name", f"{scale.name!r} appears twice")
            self.scales[scale.name] = _scale(place, scale, table.id)

    def link_id(self, place: FilePlace, name: str) -> str:
        link_id = f"{self.instrument}-{name}"
        if name == "scores" or name.startswith("score-"):
            raise place.error("id", f"is {name!r}, which is kept for the calculated scores; choose another")
        if link_id in self.link_ids:
            raise place.error("id", f"gives the linkId {link_id!r}, which appears twice; linkIds are unique in a form")
        self.link_ids.add(link_id)
        return link_id

    def _scale_of(self, place: FilePlace, table: ItemTable) -> AnswerScale | None:
        if table.kind != "choice":
            for key in ("scale", "not_applicable"):
                if getattr(table, key) is not None:
                    raise place.error(key, f"is for choice items; this one is {table.kind}")
            return None
        if table.scale is None:
            raise place.error("scale", "is missing; a choice item names one of [[scales]]")
        if table.scale == LIFE_DOMAIN:
            scale, not_applicable = life_domain_scale(), None
        elif table.scale in self.scales:
            scale, not_applicable = self.scales[table.scale]
        else:
            raise place.error("scale", f"is {table.scale!r}; [[scales]] has {', '.join(self.scales) or 'none'}")
        if not table.not_applicable:
            return scale
        if not_applicable is None:
            problem = f"is true, but scale {table.scale!r} has no words for it (not_applicable)"
            raise place.error("not_applicable", problem)
        # The id stays: both sets of options are one code system.
        return replace(scale, options=(*scale.options, not_applicable))

    def _enable_when(self, place: FilePlace, condition: ConditionTable | None) -> EnableWhen | None:
        if condition is None:
            return None
        link_id, answer = f"{self.instrument}-{condition.item}", condition.answer
        # Only items read so far, so that no condition points forward or at itself.
        if link_id not in self.items:
            raise place.error("item", f"refers to {link_id!r}, which does not appear before this item")
        asked = self.items[link_id]
        fits = (
            isinstance(answer, bool)
            if asked.kind == "boolean"
            else asked.scale is not None and isinstance(answer, str) and asked.scale.option(answer) is not None
        )
        if not fits:
            raise place.error("answer", f"is {answer!r}, which is not an answer to {link_id}")
        return EnableWhen(item=link_id, answer=answer)

    def _item(self, place: FilePlace, table: ItemTable) -> Item:
        if table.quoted and table.source is None:
            raise place.error("source", "is missing; a quoted text names the source that it is quoted from")
        item = Item(
            link_id=self.link_id(place, table.id),
            kind=table.kind,
            text=table.text,
            subject=table.subject,
            scale=self._scale_of(place, table),
            help=table.help,
            quoted=table.quoted,
            source=_optional_source(place, table, self.citations),
            enable_when=self._enable_when(place.at("enable_when"), table.enable_when),
            many=table.many,
            who=table.who,
            prompts=table.prompts,
            rows=table.rows if table.rows is not None else DEFAULT_ROWS,
            today=table.today,
            day=table.day,
            card=table.card,
            off_card=table.off_card or "",
            becomes=table.becomes or "",
            offer=table.offer,
            changes_goal=table.changes_goal or "",
            ends_goal=table.ends_goal or "",
            was=table.was or "",
        )
        if item.prompts:
            self.link_id(place, f"{table.id}-prompts")
        self.items[item.link_id] = item
        return item

    def group(self, place: FilePlace, table: GroupTable) -> Group:
        if not table.items:
            raise place.error("items", "is empty; a group has at least one item")
        if table.quoted and (table.help is None or table.source is None):
            missing = "help" if table.help is None else "source"
            raise place.error(missing, "is missing; a quoted group has a help, and names the source of it")
        return Group(
            link_id=self.link_id(place, table.id),
            title=table.title,
            help=table.help,
            items=tuple(self._item(one, item) for one, item in place.each("items", table.items)),
            quoted=table.quoted,
            source=None if table.source is None else _source(place, table.source, self.citations),
            many=table.many,
            per=table.per,
            ordered=table.ordered,
            add=table.add,
            columns=table.columns,
        )


# ---- scores ----------------------------------------------------------------------------------------------------------


def _members(place: FilePlace, key: str, names: tuple[str, ...], items: _Items) -> tuple[str, ...]:
    _refuse_repeats(place, key, names)
    link_ids = tuple(f"{items.instrument}-{name}" for name in names)
    for link_id in link_ids:
        if link_id not in items.items:
            raise place.error(key, f"names {link_id!r}, which is not an item of {items.instrument}")
        if items.items[link_id].scale is None:
            kind = items.items[link_id].kind
            raise place.error(key, f"names {link_id!r}, which is {kind} and has no number to score")
    return link_ids


def _check_rounding(place: FilePlace, table: ScoreTable) -> None:
    rule = table.rounding
    if rule is None:
        return
    if rule == RoundingRule():
        raise place.error("rounding", "rounds nothing; leave it out for full precision")
    if any(decimals is not None and not 0 <= decimals <= 6 for decimals in (rule.sum_decimals, rule.decimals)):
        raise place.error("rounding", "has fewer than 0 or more than 6 decimals")
    if table.published and table.low < 0:
        problem = "is true, but no expression rounds the same way below zero in every renderer; set it to false"
        raise place.error("published", problem)


def _reachable(aggregate: str, scales: list[AnswerScale]) -> tuple[float, float]:
    """Return the lowest and highest score that this arithmetic can give."""
    lows, highs = [scale.low for scale in scales], [scale.high for scale in scales]
    if aggregate == "sum":
        return sum(lows), sum(highs)
    times = len(scales) if aggregate == "mean-times-n" else 1
    return min(lows) * times, max(highs) * times


def _method(rule: ScoreRule) -> Text:
    """Write the rule as a sentence, so that what is said and what is computed can't drift apart."""
    count, least = len(rule.items), rule.minimum_answered
    aggregate_nl = {"sum": "som", "mean": "gemiddelde", "mean-times-n": f"gemiddelde × {count}"}[rule.aggregate]
    aggregate_en = {"sum": "sum", "mean": "mean", "mean-times-n": f"mean × {count}"}[rule.aggregate]
    numbers = ", ".join(link_id.rsplit("-", 1)[1] for link_id in rule.items if link_id in rule.reversed)
    nl = [f"{rule.code}, regel {rule.version}: {aggregate_nl} van {count} antwoorden"]
    en = [f"{rule.code}, rule {rule.version}: {aggregate_en} of {count} answers"]
    if numbers:
        nl.append(f"omgekeerd geteld: {numbers}")
        en.append(f"reversed: {numbers}")
    nl.append("alle antwoorden nodig" if least == count else f"minstens {least} antwoorden nodig")
    en.append("all answers needed" if least == count else f"at least {least} answers needed")
    if rule.rounding is None:
        nl.append("niet afgerond")
        en.append("not rounded")
    else:
        if rule.rounding.sum_decimals is not None:
            nl.append(f"eerst gemiddelde × {count} afgerond op {rule.rounding.sum_decimals} decimalen")
            en.append(f"first mean × {count} rounded to {rule.rounding.sum_decimals} decimals")
        if rule.rounding.decimals is not None:
            nl.append(f"afgerond op {rule.rounding.decimals} decimalen, half van nul af")
            en.append(f"rounded to {rule.rounding.decimals} decimals, half away from zero")
    if not rule.verified:
        nl.append("voorlopig: niet alles aan deze regel is nagelezen")
        en.append("provisional: not everything about this rule was verified")
    return Text(nl="; ".join(nl) + ".", en="; ".join(en) + ".")


def _check_arithmetic(place: FilePlace, table: ScoreTable, scales: list[AnswerScale]) -> None:
    """Refuse a minimum, an aggregate or a range that the items can't give."""
    if not 1 <= table.minimum_answered <= len(scales):
        raise place.error("minimum_answered", f"is {table.minimum_answered}; there are {len(scales)} items")
    if table.aggregate == "sum" and table.minimum_answered < len(scales):
        problem = f"is {table.minimum_answered}, but a sum of fewer than {len(scales)} answers is too low"
        raise place.error("minimum_answered", problem)
    if table.aggregate == "sum" and any(scale.has_not_applicable for scale in scales):
        problem = 'is "sum", but an item offers "not applicable", which a sum can\'t carry; use a mean'
        raise place.error("aggregate", problem)
    # Stated and computed must agree: a difference betrays a misread item, scale or range.
    reach = _reachable(table.aggregate, scales)
    if (table.low, table.high) != reach:
        problem = f"and high are {table.low}–{table.high}, but the arithmetic reaches {reach[0]}–{reach[1]}"
        raise place.error("low", problem)


def _score(place: FilePlace, table: ScoreTable, items: _Items) -> ScoreRule:
    members = _members(place, "items", table.items, items)
    if not members:
        raise place.error("items", "is empty; a score needs items")
    reversed_ = frozenset(_members(place, "reversed", table.reversed, items))
    for link_id in sorted(reversed_ - set(members)):
        raise place.error("reversed", f"names {link_id!r}, which is not among the items of this score")
    _check_arithmetic(place, table, [scale for link_id in members if (scale := items.items[link_id].scale) is not None])
    _check_rounding(place, table)
    missing = [about for about in SCORE_FACTS if about not in {fact.about for fact in table.facts}]
    if missing:
        raise place.error("facts", f"say nothing about {', '.join(missing)}; each needs a statement and its certainty")
    rule = ScoreRule(
        code=f"{items.instrument}-{table.scale}",
        scale=table.scale,
        title=table.title,
        items=members,
        reversed=reversed_,
        aggregate=table.aggregate,
        minimum_answered=table.minimum_answered,
        rounding=table.rounding,
        low=table.low,
        high=table.high,
        version=table.version,
        default=table.default,
        published=table.published,
        method=Text("", ""),
        facts=_facts(place, table.facts, items.citations),
        note=table.note,
    )
    # The sentence is made from the finished rule, `verified` included.
    return replace(rule, method=_method(rule))


def _scores(top: FilePlace, tables: tuple[ScoreTable, ...], items: _Items) -> tuple[ScoreRule, ...]:
    names = [table.scale for table in tables]
    for name in names:
        if names.count(name) > 1:
            raise top.error("scores", f"has {name!r} twice; a score's name is unique in an instrument")
    return tuple(_score(place, table, items) for place, table in top.each("scores", tables))


# ---- worked examples -------------------------------------------------------------------------------------------------


def _answers(place: FilePlace, table: ExampleTable, items: _Items) -> dict[str, str | bool]:
    """Return the answers of an example: those of `all`, overruled by the single ones, without the unanswered."""
    answers: dict[str, str | bool] = {}
    if (code := table.all) is not None:
        answers = {
            item.link_id: code for item in items.items.values() if item.scale is not None and item.scale.option(code)
        }
        if not answers:
            raise place.error("all", f"is {code!r}, which no item offers")
    for name, answer in table.answers.items():
        link_id = f"{items.instrument}-{name}"
        if link_id not in items.items:
            raise place.at("answers").error(name, f"refers to {link_id!r}, which is not an item of {items.instrument}")
        answers[link_id] = answer
    for name in table.unanswered:
        if answers.pop(f"{items.instrument}-{name}", None) is None:
            raise place.error("unanswered", f"names {name!r}, which has no answer to take away")
    return answers


def _example(place: FilePlace, table: ExampleTable, items: _Items, scores: tuple[ScoreRule, ...]) -> WorkedExample:
    if not table.scores:
        raise place.error("scores", "is empty; an example expects something")
    for name in table.scores:
        if name not in {rule.scale for rule in scores}:
            raise place.at("scores").error(name, f"is not a score of {items.instrument}")
    return WorkedExample(
        title=table.title,
        answers=tuple(_answers(place, table, items).items()),
        # `false` is how a file writes "no score"; a 0 is a score.
        scores=tuple((name, None if value is False else value) for name, value in table.scores.items()),
        working=table.working,
        source=_optional_source(place, table, items.citations),
    )


# ---- whole files -----------------------------------------------------------------------------------------------------


def _check_of_team(top: FilePlace, table: InstrumentTable) -> None:
    """Refuse what a form about a team can't have: an owner who comes back to it, and scores that become Observations.

    R4's Observation is about a person, a group, a place or a device, never about an organisation or a care team.
    """
    if table.kind == "living":
        raise top.error("subject", 'is "team", but a living form is of one person; choose another kind')
    for place, score in top.each("scores", table.scores):
        if score.published:
            problem = "is true, but no Observation can be about a team; set it to false"
            raise place.error("published", problem)


def instrument_from(data: Mapping[str, object], file: str) -> Instrument:
    """Return the instrument that the data of a definition describes; DefinitionError names file and key."""
    top = FilePlace(file)
    table = convert(data, InstrumentTable, top)
    if not _VERSION.fullmatch(table.version):
        raise top.error("version", f"is {table.version!r}; write it as 1.0.0, or 1.0.0-something")
    if instrument_id(table.id) != table.id:
        raise top.error("id", f"is {table.id!r}; the variants of a form end like that, so choose another")
    if not table.groups:
        raise top.error("groups", "is missing; an instrument asks something")
    if table.kind != "questionnaire" and table.scores:
        raise top.error("scores", f'are given, but a definition of kind "{table.kind}" measures nothing')
    if table.subject == "team":
        _check_of_team(top, table)
    if table.minutes < 1:
        raise top.error("minutes", "is less than 1; say about how many minutes it takes")
    check_living(top, table)
    citations = {key: Citation(key=key, text=one.citation, read=one.read) for key, one in table.sources.items()}
    items = _Items(top, table, citations)
    groups = tuple(items.group(place, group) for place, group in top.each("groups", table.groups))
    scores = _scores(top, table.scores, items)
    return Instrument(
        id=table.id,
        version=table.version,
        title=table.title,
        subtitle=table.subtitle,
        intro=table.intro,
        minutes=table.minutes,
        note=table.note,
        groups=groups,
        scores=scores,
        copyright=table.copyright,
        wording=table.wording,
        wording_note=table.wording_note,
        citations=tuple(citations.values()),
        facts=_facts(top, table.facts, citations),
        reference_numbers=tuple(
            _reference_number(place, number, citations)
            for place, number in top.each("reference_numbers", table.reference_numbers)
        ),
        examples=tuple(_example(place, one, items, scores) for place, one in top.each("examples", table.examples)),
        derived_from=table.derived_from,
        kind=table.kind,
        subject=table.subject,
        living=table.living,
    )


def read_instrument(path: Path) -> Instrument:
    """Return the instrument in one definition file, whose name must be its id, or `<id>@<version>`."""
    return _instrument_in(path.name, read_text(path))


# By what the file says: every catalogue of a process (one per folder of definitions) has most of its files in common.
@lru_cache(maxsize=256)
def _instrument_in(file: str, text: str) -> Instrument:
    instrument = instrument_from(parse_toml(text, file), file)
    if Path(file).stem not in (instrument.id, f"{instrument.id}@{instrument.version}"):
        problem = f"is {instrument.id!r} (version {instrument.version}); the file's name must say the same"
        raise FilePlace(file).error("id", problem)
    return instrument


def read_life_domains(path: Path = LIFE_DOMAINS) -> tuple[tuple[LifeDomain, ...], tuple[PlanQuestion, ...]]:
    """Return the life domains in order and the questions that are asked about each."""
    table = read(path, LifeDomainsTable)
    for kind, codes in (("domains", [d.code for d in table.domains]), ("questions", [q.code for q in table.questions])):
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise FilePlace(path.name).error(kind, f"has {twice[0]!r} twice")
        if not codes:
            raise FilePlace(path.name).error(kind, "has no entry; write at least one")
    domains = tuple(
        LifeDomain(
            code=domain.code,
            title=domain.title,
            question=domain.question,
            help=domain.help,
            family=domain.family,
            order=number,
            plain=domain.plain,
        )
        for number, domain in enumerate(table.domains, start=1)
    )
    return domains, tuple(PlanQuestion(one.code, one.text, one.help, one.plain) for one in table.questions)


@lru_cache(maxsize=1)
def life_domain_scale() -> AnswerScale:
    """Return the choice of a life domain, by the codes and the words that records keep; none counts for a number."""
    domains, _ = read_life_domains()
    options = tuple(Option(code=domain.code, value=None, text=domain.title) for domain in domains)
    return AnswerScale(id=LIFE_DOMAIN, options=options, codes=LIFE_DOMAIN)


# ---- the catalogue ---------------------------------------------------------------------------------------------------


class _Shelf(Mapping[str, Instrument]):
    """The current version of each instrument, by id, read when it is first asked for."""

    def __init__(self, files: Mapping[str, tuple[Path, ...]]) -> None:
        self._files = files
        self._read: dict[Path, Instrument] = {}

    def versions(self, identifier: str) -> Iterator[Instrument]:
        """Yield all versions of an instrument, the current one first."""
        for path in self._files[identifier]:
            if path not in self._read:
                self._read[path] = read_instrument(path)
            yield self._read[path]

    def file(self, identifier: str) -> str:
        """Return the name of the file that the current version of an instrument is in."""
        return self._files[identifier][0].name

    def __getitem__(self, identifier: str) -> Instrument:
        return next(self.versions(identifier))

    def __contains__(self, identifier: object) -> bool:
        # Mapping's own would read the file to answer.
        return identifier in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def _version_order(path: Path) -> tuple[tuple[int, ...], str]:
    """Sort `hoop@1.10.0.toml` after `hoop@1.9.0.toml`."""
    numbers, _, rest = path.stem.partition("@")[2].partition("-")
    return tuple(int(number) for number in numbers.split(".") if number.isdigit()), rest


def _own_files(definitions: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(definitions.glob("*.toml"))}


def _find_files(own: Mapping[str, Path], applied: Path | None) -> dict[str, tuple[Path, ...]]:
    files: dict[str, tuple[Path, ...]] = {identifier: (path,) for identifier, path in own.items()}
    if applied is not None:
        if not applied.is_dir():
            raise DefinitionError(str(applied), "", "is not a folder; VERSTEL_DEFINITIONS must name one that exists")
        for path in sorted(applied.glob("*@*.toml"), key=_version_order):
            identifier = path.stem.partition("@")[0]
            # Oldest first, each put in front: the newest version ends up as the current one.
            files[identifier] = (path, *files.get(identifier, ()))
    return files


class Catalogue:
    """All instruments and life domains that are known here."""

    def __init__(
        self, applied: Path | None = None, definitions: Path = DEFINITIONS, *, maps: Path | None = None
    ) -> None:
        """Look for definitions in our own folder and in `applied`, and for maps in `maps`; nothing is parsed yet."""
        self._own = _own_files(definitions)
        self._shelf = _Shelf(_find_files(self._own, applied))
        self._life_domains: tuple[tuple[LifeDomain, ...], tuple[PlanQuestion, ...]] | None = None
        self._maps = maps

    @cached_property
    def maps(self) -> Maps:
        """Return the place's maps of other people's forms. DefinitionError names file and key of one that can't be."""
        return read_maps(self._maps, self.versions) if self._maps else {}

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Return the current version of each instrument by its id."""
        return self._shelf

    @cached_property
    def _of_persons(self) -> Mapping[str, Instrument]:
        return {name: one for name, one in self._shelf.items() if one.subject == "person"}

    @cached_property
    def asked(self) -> Mapping[str, Instrument]:
        """Return the instruments that a client can be asked to fill in, about themselves.

        No record of a conversation, no living form, and nothing about a team.
        """
        return {name: one for name, one in self._of_persons.items() if one.kind == "questionnaire"}

    @cached_property
    def scored(self) -> Mapping[str, Instrument]:
        """Return the instruments that give scores of a person."""
        return {name: one for name, one in self._of_persons.items() if one.scores}

    @cached_property
    def of_teams(self) -> Mapping[str, Instrument]:
        """Return the forms about a team."""
        return {name: one for name, one in self._shelf.items() if one.subject == "team"}

    @cached_property
    def living(self) -> Mapping[str, Instrument]:
        """Return the living forms in the order in which they are shown, those of the same order by id.

        DefinitionError where two items have one linkId, where the words of one would go to an item that is not there,
        where two ask what the client chooses of what the place has, and where two take over the same words of a plan.
        """
        forms = [(one.living.order, name, one) for name, one in self._shelf.items() if one.living is not None]
        found = {name: one for _, name, one in sorted(forms, key=lambda each: each[:2])}
        in_files = [(self._shelf.file(name), one) for name, one in found.items()]
        check_names(in_files)
        check_ends(in_files)
        check_offer(in_files)
        check_was(in_files)
        return found

    def versions(self, identifier: str) -> tuple[Instrument, ...]:
        """Return every known version of an instrument, the current one first."""
        self._known(identifier, identifier)
        return tuple(self._shelf.versions(identifier))

    def working_definition(self, identifier: str) -> Path | None:
        """Return the file with our own working wording of an instrument, or None if we have none."""
        return self._own.get(identifier)

    def _known(self, identifier: str, asked: str) -> None:
        if identifier not in self._shelf:
            raise UnknownInstrument(f"{asked} is not a known questionnaire; the known ones are {self._list()}")

    def _list(self) -> str:
        # The part that all share once: a log has this line for every response of another product.
        return f"{questionnaire_url('…')} with one of {', '.join(self._shelf)}"

    def instrument(self, identifier: str) -> Instrument:
        """Return the current version of an instrument by its id; UnknownInstrument lists what is known."""
        if identifier not in self._shelf:
            known = ", ".join(self._shelf)
            raise UnknownInstrument(f"there is no instrument {identifier!r}; choose one of {known}")
        return self._shelf[identifier]

    def by_canonical(self, canonical: str) -> Instrument:
        """Return the instrument that a response's `questionnaire` means.

        Without a version the current one is meant; a variant (`hoop-plain`) means the instrument itself.
        UnknownInstrument says what is known.
        """
        url, _, version = canonical.partition("|")
        prefix = f"{BASE}/Questionnaire/"
        identifier = url.removeprefix(prefix) if url.startswith(prefix) else ""
        # The variants ask and score the same: their answers are this instrument's.
        identifier = instrument_id(identifier)
        self._known(identifier, canonical)
        if not version:
            return self._shelf[identifier]
        versions = tuple(self._shelf.versions(identifier))
        for instrument in versions:
            if instrument.version == version:
                return instrument
        known = ", ".join(instrument.version for instrument in versions)
        raise UnknownInstrument(f"version {version} of {url} is not known; the known versions are {known}")

    @property
    def life_domains(self) -> tuple[LifeDomain, ...]:
        """Return the life domains of a plan, in order, those of family teams last."""
        return self._plan_words()[0]

    @property
    def plan_questions(self) -> tuple[PlanQuestion, ...]:
        """Return the four questions about each chosen life domain, in order: now, change, how, support."""
        return self._plan_words()[1]

    def _plan_words(self) -> tuple[tuple[LifeDomain, ...], tuple[PlanQuestion, ...]]:
        if self._life_domains is None:
            self._life_domains = read_life_domains()
        return self._life_domains

    @cached_property
    def plan_parts(self) -> tuple[PlanPart, ...]:
        """Return what plans of before there were living forms have in extensions, in the order of the forms."""
        return tuple(plan_parts(self.living.values()))


# By folders, so that another VERSTEL_DEFINITIONS or VERSTEL_MAPS in this process gets a catalogue of its own.
_catalogue = lru_cache(maxsize=8)(Catalogue)


def applied_folder() -> Path | None:
    """Return the folder that VERSTEL_DEFINITIONS names, or None where the variable is not set."""
    named = os.environ.get("VERSTEL_DEFINITIONS", "")
    return Path(named) if named else None


def catalogue() -> Catalogue:
    """Return the catalogue of this process: our definitions, those in `applied_folder()`, and the maps of the place."""
    return _catalogue(applied_folder(), maps=maps_folder())
