"""Read the instruments and the life domains, by looking in the folder `definitions/`; strict about every key.

An instrument is read when it is first asked for: `verstel score` on one instrument does not pay for the others.
Definitions with official wording (made by `verstel wording apply`) stand in a folder named by the environment
variable VERSTEL_DEFINITIONS; there they are called `<id>@<version>.toml` and take the place of our working wording,
which stays readable under its own version, for the responses that were given to it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import cast

from questionnaires.canonical import BASE, questionnaire_url
from questionnaires.model import (
    CERTAINTIES,
    NOT_APPLICABLE,
    Aggregate,
    AnswerScale,
    Certainty,
    Citation,
    EnableWhen,
    Fact,
    Group,
    Instrument,
    Item,
    ItemKind,
    LifeDomain,
    Option,
    PlanQuestion,
    ReferenceNumber,
    RoundingRule,
    ScoreRule,
    Source,
    Text,
    Wording,
    WorkedExample,
)
from questionnaires.reading import DefinitionError, Table, read_toml

__all__ = ["Catalogue", "DefinitionError", "UnknownInstrument", "catalogue", "read_instrument", "read_life_domains"]

HERE = Path(__file__).parent
DEFINITIONS = HERE / "definitions"
LIFE_DOMAINS = HERE / "life_domains.toml"

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(-[A-Za-z0-9.-]+)?")
# What must be said, with a source, about every score before it may be computed.
SCORE_FACTS = ("membership", "reversal", "aggregate", "range", "missing")


class UnknownInstrument(LookupError):
    """Nobody here knows this questionnaire or this version of it; the message lists what is known."""


# ---- facts and sources -----------------------------------------------------------------------------------------------


def _citations(top: Table) -> dict[str, Citation]:
    table = top.table("sources")
    citations = {}
    for key in table.names():
        entry = table.table(key)
        citations[key] = Citation(key=key, text=entry.string("citation"), read=entry.string("read"))
        entry.done()
    table.done()
    return citations


def _source(table: Table, citations: Mapping[str, Citation], certainty: Certainty) -> Source:
    key = table.string("source")
    if key not in citations:
        raise table.error("source", f"is {key!r}; [sources] has {', '.join(citations)}")
    return Source(key=key, citation=citations[key].text, certainty=certainty, note=table.string("note", ""))


def _certainty(table: Table) -> Certainty:
    return cast("Certainty", table.choice("certainty", CERTAINTIES))


def _fact(table: Table, citations: Mapping[str, Citation]) -> Fact:
    certainty = _certainty(table)
    verified = table.boolean("verified")
    if verified and certainty not in ("sure", "triangulated"):
        raise table.error("verified", f"can't be true for a fact that is {certainty!r}; only what was read is verified")
    keys = table.strings("sources")
    unknown = [key for key in keys if key not in citations]
    if unknown:
        raise table.error("sources", f"names {unknown[0]!r}; [sources] has {', '.join(citations)}")
    if certainty in ("sure", "triangulated", "inferred") and not keys:
        raise table.error("sources", f"is empty, but the fact is {certainty!r}; name where it was read")
    if certainty == "triangulated" and len(keys) < 2:
        raise table.error("sources", "is one source, but the fact is 'triangulated'; name all that force it together")
    if certainty in ("recalled", "own") and keys:
        raise table.error("sources", f"names {keys[0]!r}, but the fact is {certainty!r}; leave it empty")
    return Fact(
        about=table.string("about"),
        statement=table.string("statement"),
        sources=tuple(Source(key=key, citation=citations[key].text, certainty=certainty) for key in keys),
        certainty=certainty,
        verified=verified,
    )


def _reference_number(table: Table, citations: Mapping[str, Citation]) -> ReferenceNumber:
    return ReferenceNumber(
        population=table.string("population"),
        n=table.string("n"),
        statistic=table.string("statistic"),
        source=_source(table, citations, _certainty(table)),
    )


# ---- items -----------------------------------------------------------------------------------------------------------


def _scale(table: Table, instrument: str) -> tuple[str, AnswerScale, Option | None]:
    """Return the scale's name, the scale, and its "not applicable" option where it has one."""
    name = _name(table, "name")
    options = []
    for option in table.tables("options"):
        code = option.string("code")
        value = option.integer("value")
        if code != str(value):
            raise option.error("code", f"is {code!r} but the value is {value}; the code is the value as text")
        options.append(Option(code=code, value=value, text=option.text("text")))
    values = [option.value for option in options if option.value is not None]
    if len(values) < 2 or values != list(range(values[0], values[0] + len(values))):
        raise table.error("options", f"have the values {values}; write at least two, each one more than the one before")
    words = table.optional_text("not_applicable")
    not_applicable = None if words is None else Option(code=NOT_APPLICABLE, value=None, text=words)
    return name, AnswerScale(id=f"{instrument}-{name}", options=tuple(options)), not_applicable


def _name(table: Table, key: str) -> str:
    name = table.string(key)
    if not _NAME.fullmatch(name):
        raise table.error(key, f"is {name!r}; use small letters, digits and single hyphens")
    return name


class _Items:
    """Reads groups and items, and knows what was read so far: scales, linkIds, sources."""

    def __init__(self, top: Table, instrument: str, citations: Mapping[str, Citation]) -> None:
        self.instrument = instrument
        self.citations = citations
        self.link_ids: set[str] = set()
        self.items: dict[str, Item] = {}
        self.scales: dict[str, tuple[AnswerScale, Option | None]] = {}
        for table in top.tables("scales"):
            name, scale, not_applicable = _scale(table, instrument)
            if name in self.scales:
                raise table.error("name", f"{name!r} stands twice")
            self.scales[name] = (scale, not_applicable)

    def link_id(self, table: Table, key: str) -> str:
        name = _name(table, key)
        link_id = f"{self.instrument}-{name}"
        if name == "scores" or name.startswith("score-"):
            raise table.error(key, f"is {name!r}, which is kept for the calculated scores; choose another")
        if link_id in self.link_ids:
            raise table.error(key, f"gives the linkId {link_id!r}, which stands twice; linkIds are unique in a form")
        self.link_ids.add(link_id)
        return link_id

    def _scale_of(self, table: Table, kind: str) -> AnswerScale | None:
        if kind != "choice":
            for key in ("scale", "not_applicable"):
                if key in table:
                    raise table.error(key, f"is for choice items; this one is {kind}")
            return None
        name = table.string("scale")
        if name not in self.scales:
            raise table.error("scale", f"is {name!r}; [[scales]] has {', '.join(self.scales) or 'none'}")
        scale, not_applicable = self.scales[name]
        if not table.boolean("not_applicable", default=False):
            return scale
        if not_applicable is None:
            raise table.error("not_applicable", f"is true, but scale {name!r} has no words for it (not_applicable)")
        return replace(scale, options=(*scale.options, not_applicable))

    def _enable_when(self, table: Table) -> EnableWhen | None:
        if "enable_when" not in table:
            return None
        condition = table.table("enable_when")
        link_id = f"{self.instrument}-{condition.string('item')}"
        if link_id not in self.items:
            raise condition.error("item", f"means {link_id!r}, which does not stand before this item")
        answer = condition.answer("answer")
        condition.done()
        asked = self.items[link_id]
        fits = (
            isinstance(answer, bool)
            if asked.kind == "boolean"
            else asked.scale is not None and isinstance(answer, str) and asked.scale.option(answer) is not None
        )
        if not fits:
            raise condition.error("answer", f"is {answer!r}, which nobody can answer to {link_id}")
        return EnableWhen(item=link_id, answer=answer)

    def _item(self, table: Table) -> Item:
        link_id = self.link_id(table, "id")
        kind = table.choice("kind", ("choice", "boolean", "text"), "choice")
        quoted = table.boolean("quoted", default=False)
        source = _source(table, self.citations, "sure") if "source" in table else None
        if quoted and source is None:
            raise table.error("source", "is missing; a quoted text names where the quotation stands")
        item = Item(
            link_id=link_id,
            kind=cast("ItemKind", kind),
            text=table.text("text"),
            subject=table.string("subject"),
            scale=self._scale_of(table, kind),
            help=table.optional_text("help"),
            quoted=quoted,
            source=source,
            enable_when=self._enable_when(table),
        )
        self.items[link_id] = item
        return item

    def group(self, table: Table) -> Group:
        link_id = self.link_id(table, "id")
        group = Group(
            link_id=link_id,
            title=table.text("title"),
            help=table.optional_text("help"),
            items=tuple(self._item(item) for item in table.tables("items")),
        )
        if not group.items:
            raise table.error("items", "is empty; a group has at least one item")
        return group


# ---- scores ----------------------------------------------------------------------------------------------------------


def _members(table: Table, key: str, items: _Items) -> tuple[str, ...]:
    link_ids = tuple(f"{items.instrument}-{name}" for name in table.strings(key))
    for link_id in link_ids:
        if link_id not in items.items:
            raise table.error(key, f"names {link_id!r}, which is not an item of {items.instrument}")
        if items.items[link_id].scale is None:
            kind = items.items[link_id].kind
            raise table.error(key, f"names {link_id!r}, which is {kind} and has no number to score")
    return link_ids


def _rounding(table: Table) -> RoundingRule | None:
    if "rounding" not in table:
        return None
    entry = table.table("rounding")
    rule = RoundingRule(
        sum_decimals=entry.integer("sum_decimals") if "sum_decimals" in entry else None,
        decimals=entry.integer("decimals") if "decimals" in entry else None,
    )
    entry.done()
    if rule == RoundingRule():
        raise table.error("rounding", "rounds nothing; leave it out for full precision")
    if any(decimals is not None and not 0 <= decimals <= 6 for decimals in (rule.sum_decimals, rule.decimals)):
        raise table.error("rounding", "has fewer than 0 or more than 6 decimals")
    return rule


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


def _score(table: Table, items: _Items) -> ScoreRule:
    name = _name(table, "scale")
    members = _members(table, "items", items)
    if not members:
        raise table.error("items", "is empty; a score needs items")
    reversed_ = frozenset(_members(table, "reversed", items))
    for link_id in sorted(reversed_ - set(members)):
        raise table.error("reversed", f"names {link_id!r}, which is not among the items of this score")
    aggregate = table.choice("aggregate", ("sum", "mean", "mean-times-n"))
    minimum = table.integer("minimum_answered")
    if not 1 <= minimum <= len(members):
        raise table.error("minimum_answered", f"is {minimum}; there are {len(members)} items")
    scales = [scale for link_id in members if (scale := items.items[link_id].scale) is not None]
    if aggregate == "sum" and minimum < len(members):
        problem = f"is {minimum}, but a sum of fewer than {len(members)} answers is too low"
        raise table.error("minimum_answered", problem)
    if aggregate == "sum" and any(scale.has_not_applicable for scale in scales):
        problem = 'is "sum", but an item offers "not applicable", which a sum can\'t carry; use a mean'
        raise table.error("aggregate", problem)
    low, high = table.integer("low"), table.integer("high")
    if (low, high) != (reach := _reachable(aggregate, scales)):
        raise table.error("low", f"and high are {low}–{high}, but the arithmetic reaches {reach[0]}–{reach[1]}")
    facts = tuple(_fact(fact, items.citations) for fact in table.tables("facts"))
    missing = [about for about in SCORE_FACTS if about not in {fact.about for fact in facts}]
    if missing:
        raise table.error("facts", f"say nothing about {', '.join(missing)}; each needs a statement and its certainty")
    rule = ScoreRule(
        code=f"{items.instrument}-{name}",
        scale=name,
        title=table.text("title"),
        items=members,
        reversed=reversed_,
        aggregate=cast("Aggregate", aggregate),
        minimum_answered=minimum,
        rounding=_rounding(table),
        low=low,
        high=high,
        version=table.string("version"),
        default=table.boolean("default"),
        published=table.boolean("published"),
        method=Text("", ""),
        facts=facts,
        note=table.string("note", ""),
    )
    if rule.published and rule.rounding is not None and low < 0:
        problem = "is true, but no expression rounds alike below zero in every renderer; set it to false"
        raise table.error("published", problem)
    return replace(rule, method=_method(rule))


def _example(table: Table, items: _Items, scores: tuple[ScoreRule, ...]) -> WorkedExample:
    answers: dict[str, str | bool] = {}
    if "all" in table:
        code = table.string("all")
        answers = {
            item.link_id: code for item in items.items.values() if item.scale is not None and item.scale.option(code)
        }
        if not answers:
            raise table.error("all", f"is {code!r}, which no item offers")
    given = table.table("answers") if "answers" in table else Table({}, table.file)
    for name in given.names():
        link_id = f"{items.instrument}-{name}"
        if link_id not in items.items:
            raise given.error(name, f"means {link_id!r}, which is not an item of {items.instrument}")
        answers[link_id] = given.answer(name)
    for name in table.strings("unanswered"):
        if answers.pop(f"{items.instrument}-{name}", None) is None:
            raise table.error("unanswered", f"names {name!r}, which has no answer to take away")
    expected = table.table("scores")
    if not expected.names():
        raise table.error("scores", "is empty; an example expects something")
    for name in expected.names():
        if name not in {rule.scale for rule in scores}:
            raise expected.error(name, f"is not a score of {items.instrument}")
    return WorkedExample(
        title=table.string("title"),
        answers=tuple(answers.items()),
        scores=tuple((name, expected.number_or_false(name)) for name in expected.names()),
        working=table.string("working"),
        source=_source(table, items.citations, "sure") if "source" in table else None,
    )


# ---- whole files -----------------------------------------------------------------------------------------------------


def instrument_from(top: Table) -> Instrument:
    """Return the instrument that a definition's top table describes; DefinitionError names file and key."""
    identifier = _name(top, "id")
    version = top.string("version")
    if not _VERSION.fullmatch(version):
        raise top.error("version", f"is {version!r}; write it as 1.0.0, or 1.0.0-something")
    citations = _citations(top)
    items = _Items(top, identifier, citations)
    groups = tuple(items.group(table) for table in top.tables("groups"))
    if not groups:
        raise top.error("groups", "is missing; an instrument asks something")
    scores = tuple(_score(table, items) for table in top.tables("scores"))
    scales = [rule.scale for rule in scores]
    for scale in scales:
        if scales.count(scale) > 1:
            raise top.error("scores", f"has {scale!r} twice; a score's name is unique in an instrument")
    if top.integer("minutes") < 1:
        raise top.error("minutes", "is less than 1; say about how many minutes it takes")
    wording = top.choice("wording", ("working", "official"))
    instrument = Instrument(
        id=identifier,
        version=version,
        title=top.text("title"),
        subtitle=top.text("subtitle"),
        intro=top.text("intro"),
        minutes=top.integer("minutes"),
        note=top.string("note", ""),
        groups=groups,
        scores=scores,
        copyright=top.text("copyright"),
        wording=cast("Wording", wording),
        wording_note=top.text("wording_note"),
        citations=tuple(citations.values()),
        facts=tuple(_fact(table, citations) for table in top.tables("facts")),
        reference_numbers=tuple(_reference_number(table, citations) for table in top.tables("reference_numbers")),
        examples=tuple(_example(table, items, scores) for table in top.tables("examples")),
        derived_from=top.string("derived_from") if "derived_from" in top else None,
    )
    top.done()
    return instrument


def read_instrument(path: Path) -> Instrument:
    """Return the instrument in one definition file, whose name must be its id, or `<id>@<version>`."""
    top = read_toml(path)
    instrument = instrument_from(top)
    if path.stem not in (instrument.id, f"{instrument.id}@{instrument.version}"):
        raise top.error("id", f"is {instrument.id!r} (version {instrument.version}); the file's name must say the same")
    return instrument


def read_life_domains(path: Path = LIFE_DOMAINS) -> tuple[tuple[LifeDomain, ...], tuple[PlanQuestion, ...]]:
    """Return the life domains in order and the questions that are asked about each."""
    top = read_toml(path)
    domains = tuple(
        LifeDomain(
            code=_name(table, "code"),
            title=table.text("title"),
            question=table.text("question"),
            help=table.text("help"),
            family=table.boolean("family", default=False),
            order=number,
        )
        for number, table in enumerate(top.tables("domains"), start=1)
    )
    questions = tuple(
        PlanQuestion(code=_name(table, "code"), text=table.text("text"), help=table.text("help"))
        for table in top.tables("questions")
    )
    top.done()
    for kind, codes in (("domains", [d.code for d in domains]), ("questions", [q.code for q in questions])):
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise top.error(kind, f"has {twice[0]!r} twice")
    return domains, questions


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


def _find_files(applied: Path | None) -> dict[str, tuple[Path, ...]]:
    files: dict[str, tuple[Path, ...]] = {path.stem: (path,) for path in sorted(DEFINITIONS.glob("*.toml"))}
    if applied is not None:
        if not applied.is_dir():
            raise DefinitionError(str(applied), "", "is not a folder; VERSTEL_DEFINITIONS must name one that exists")
        for path in sorted(applied.glob("*@*.toml"), key=_version_order):
            identifier = path.stem.partition("@")[0]
            files[identifier] = (path, *files.get(identifier, ()))
    return files


class Catalogue:
    """All instruments and life domains that are known here."""

    def __init__(self, applied: Path | None = None) -> None:
        """Look for definitions in our own folder and in `applied`; nothing is parsed yet."""
        self._shelf = _Shelf(_find_files(applied))
        self._life_domains: tuple[tuple[LifeDomain, ...], tuple[PlanQuestion, ...]] | None = None

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Return the current version of each instrument by its id."""
        return self._shelf

    def versions(self, identifier: str) -> tuple[Instrument, ...]:
        """Return every known version of an instrument, the current one first."""
        self._known(identifier, identifier)
        return tuple(self._shelf.versions(identifier))

    def _known(self, identifier: str, asked: str) -> None:
        if identifier not in self._shelf:
            raise UnknownInstrument(f"{asked} is not a questionnaire that is known here; known are {self._list()}")

    def _list(self) -> str:
        return ", ".join(questionnaire_url(identifier) for identifier in self._shelf)

    def instrument(self, identifier: str) -> Instrument:
        """Return the current version of an instrument by its id; UnknownInstrument lists what is known."""
        if identifier not in self._shelf:
            known = ", ".join(self._shelf)
            raise UnknownInstrument(f"there is no instrument {identifier!r}; there are {known}")
        return self._shelf[identifier]

    def by_canonical(self, canonical: str) -> Instrument:
        """Return the instrument that a response's `questionnaire` means.

        Without a version the current one is meant; a variant (`hoop-plain`) means the instrument itself.
        UnknownInstrument says what is known.
        """
        url, _, version = canonical.partition("|")
        prefix = f"{BASE}/Questionnaire/"
        identifier = url.removeprefix(prefix) if url.startswith(prefix) else ""
        if identifier not in self._shelf:
            # The variants ask and score the same: their answers are this instrument's.
            identifier = identifier.removesuffix("-template").removesuffix("-plain")
        self._known(identifier, canonical)
        if not version:
            return self._shelf[identifier]
        versions = tuple(self._shelf.versions(identifier))
        for instrument in versions:
            if instrument.version == version:
                return instrument
        known = ", ".join(instrument.version for instrument in versions)
        raise UnknownInstrument(f"version {version} of {url} is not known here; known are {known}")

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

    def life_domain(self, code: str) -> LifeDomain:
        """Return a life domain by its code; LookupError lists the codes."""
        for domain in self.life_domains:
            if domain.code == code:
                return domain
        known = ", ".join(domain.code for domain in self.life_domains)
        raise LookupError(f"there is no life domain {code!r}; there are {known}")


@lru_cache(maxsize=8)
def _catalogue(applied: str) -> Catalogue:
    return Catalogue(Path(applied) if applied else None)


def catalogue() -> Catalogue:
    """Return the catalogue of this process: our definitions and those in the folder VERSTEL_DEFINITIONS names."""
    return _catalogue(os.environ.get("VERSTEL_DEFINITIONS", ""))
