"""Apply official wording to an instrument: read a licensed text file, say what does not fit, make a new version.

The definition that comes out has the same linkIds, answer codes and score codes. Where the file brings another
structure (which item belongs to which dimension, which are reversed, which offer "not applicable"), the scores that it
touches get a new rule version, so that old and new scores never share a trend line. Our own working definition
is never changed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from questionnaires.catalogue import Catalogue, instrument_from
from questionnaires.model import AnswerScale, Instrument, ScoreRule
from questionnaires.reading import DefinitionError, read, read_toml
from questionnaires.tables import WordingTable

_YES_NO = {"yes": True, "ja": True, "true": True, "1": True, "no": False, "nee": False, "false": False, "0": False}
_META = ("instrument", "version", "copyright", "source")
_STRUCTURE = ("dimension", "reversed", "not_applicable")
_COLUMNS = ("item", "nl", "en", *_STRUCTURE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Problem:
    """What does not fit, in which row (0: the file as a whole), and what to do."""

    row: int
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.reason}" if self.row else self.reason


class WordingRefused(ValueError):
    """A wording file does not fit its instrument; `problems` lists every row and reason."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Row:
    """One text: of an item (`03`), an answer (`agreement/1`) or a group's explanation (`confidence`).

    `number` is the line of the CSV file, or the position in the TOML file. Structure is None where the file is silent.
    """

    number: int
    key: str
    nl: str
    en: str = ""
    dimension: str | None = None
    reversed: bool | None = None
    not_applicable: bool | None = None


@dataclass(frozen=True, slots=True)
class WordingFile:
    """Official texts for one instrument, the version they make of it, and whose they are."""

    instrument: str
    version: str
    copyright: Mapping[str, str]
    source: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """The definition that a wording file makes, as TOML data and as an instrument, and what happened to each score."""

    data: dict[str, Any]
    instrument: Instrument
    scores: tuple[str, ...] = field(default=())

    @property
    def file_name(self) -> str:
        """Return the name that the catalogue looks for in VERSTEL_DEFINITIONS."""
        return f"{self.instrument.id}@{self.instrument.version}.toml"


# ---- reading ---------------------------------------------------------------------------------------------------------


def read_wording(path: Path) -> WordingFile:
    """Return a wording file, TOML or CSV by its name; WordingRefused or DefinitionError if it can't be read."""
    if path.suffix.lower() == ".toml":
        return _read_toml(path)
    if path.suffix.lower() == ".csv":
        return _read_csv(path)
    raise WordingRefused([Problem(0, "is neither .toml nor .csv; save it as one of these")])


def _read_toml(path: Path) -> WordingFile:
    table = read(path, WordingTable)
    return WordingFile(
        instrument=table.instrument,
        version=table.version,
        copyright={"nl": table.copyright.nl, "en": table.copyright.en or table.copyright.nl},
        source=table.source,
        rows=tuple(
            Row(
                number=number,
                key=row.item,
                nl=row.nl,
                en=row.en,
                dimension=row.dimension,
                reversed=row.reversed,
                not_applicable=row.not_applicable,
            )
            for number, row in enumerate(table.items, start=1)
        ),
    )


def _read_csv(path: Path) -> WordingFile:
    try:
        # A spreadsheet writes a byte order mark; utf-8-sig takes it or leaves it.
        lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    except OSError as error:
        raise DefinitionError(path.name, "", f"can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise WordingRefused([Problem(0, "is not UTF-8; save it as 'CSV UTF-8'")]) from error
    meta: dict[str, str] = {}
    first = 0
    for first, line in enumerate(lines):  # noqa: B007  (used after the loop: where the table begins)
        cell = _above_the_table(line)
        if cell and not cell.startswith("#"):
            break
        if cell:
            key, _, value = cell.lstrip("# ").partition(":")
            meta[key.strip().lower()] = value.strip()
    problems = [
        Problem(0, f"there is no line '# {key}: …' above the table; add it") for key in _META if not meta.get(key)
    ]
    problems += [
        Problem(0, f"'# {key}:' is not a known line; the lines are {', '.join(_META)}")
        for key in meta
        if key not in _META
    ]
    if problems:
        raise WordingRefused(problems)
    return WordingFile(
        instrument=meta["instrument"],
        version=meta["version"],
        copyright={"nl": meta["copyright"], "en": meta["copyright"]},
        source=meta["source"],
        rows=_csv_rows("".join(lines[first:]), first),
    )


def _above_the_table(line: str) -> str:
    """Return the text of a row above the table; "" for a blank one.

    A spreadsheet pads short rows with delimiters, and quotes a cell that has one in it, as most citations do.
    """
    cell = line.strip().rstrip(";,\t ")
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"'
    return cell[1:-1].replace('""', '"') if quoted else cell


def _csv_rows(table: str, skipped: int) -> tuple[Row, ...]:
    """Return the rows of the table that begins after `skipped` lines; WordingRefused lists all that are wrong."""
    reader = _csv_reader(table, skipped)
    rows: list[Row] = []
    problems: list[Problem] = []
    try:
        for entry in reader:
            number = skipped + reader.line_num
            try:
                rows += _csv_row(entry, number)
            except ValueError as error:
                problems.append(Problem(number, str(error)))
    except csv.Error as error:
        problems.append(Problem(skipped + reader.line_num, f"is not CSV: {error}"))
    if problems:
        raise WordingRefused(problems)
    return tuple(rows)


def _csv_reader(table: str, skipped: int) -> csv.DictReader[str]:
    """Return a reader of the table, once its columns are known to be right."""
    # A Dutch spreadsheet separates with semicolons; the header, which has no texts in it, shows which it was.
    delimiter = max(",;\t", key=table.partition("\n")[0].count)
    reader = csv.DictReader(io.StringIO(table), delimiter=delimiter, strict=True, restkey="more")
    try:
        columns = tuple(reader.fieldnames or ())
    except csv.Error as error:
        raise WordingRefused([Problem(skipped + 1, f"is not CSV: {error}")]) from error
    unknown = [column for column in columns if column not in _COLUMNS]
    if unknown or "item" not in columns or "nl" not in columns or len(set(columns)) < len(columns):
        found = ", ".join(columns)
        reason = f"the columns are {found}; they must be item and nl, and may be {', '.join(_COLUMNS[2:])}"
        raise WordingRefused([Problem(skipped + 1, reason)])
    return reader


def _csv_row(entry: Mapping[str, object], number: int) -> list[Row]:
    """Return the row that a line of the table holds, none for a blank one; ValueError says what is wrong with it."""
    cells = {key: value.strip() for key, value in entry.items() if isinstance(value, str)}
    if not any(cells.values()):
        return []
    if "more" in entry:
        raise ValueError('has more cells than there are columns; put texts in "quotes"')
    row = Row(
        number=number,
        key=cells.get("item", ""),
        nl=cells.get("nl", ""),
        en=cells.get("en", ""),
        dimension=cells.get("dimension") or None,
        reversed=_yes_or_no(cells, "reversed"),
        not_applicable=_yes_or_no(cells, "not_applicable"),
    )
    return [row]


def _yes_or_no(cells: Mapping[str, str], column: str) -> bool | None:
    value = cells.get(column, "").lower()
    if not value:
        return None
    if value not in _YES_NO:
        raise ValueError(f"{column} is {value!r}; write yes or no")
    return _YES_NO[value]


# ---- fitting ---------------------------------------------------------------------------------------------------------


class _Fit:
    """Matches the rows of a file with the parts of a definition, and gathers every problem."""

    def __init__(self, wording: WordingFile, base: Instrument) -> None:
        self.base = base
        self.problems: list[Problem] = []
        self.items: dict[str, Row] = {}
        self.answers: dict[tuple[str, str], Row] = {}
        self.groups: dict[str, Row] = {}
        self.all_items = [item.link_id.removeprefix(f"{base.id}-") for item in base.items]
        self.dimensions = _dimensions(base)
        for row in wording.rows:
            self._row(row)
        given = set(self.items)
        missing = [name for name in self.all_items if name not in given]
        if missing:
            self.problem(0, f"there is no row for {', '.join(missing)}; official wording has every item")
        self._structure()

    def problem(self, row: int, reason: str) -> None:
        self.problems.append(Problem(row, reason))

    def _row(self, row: Row) -> None:
        name = row.key.removeprefix(f"{self.base.id}-")
        # A spreadsheet turns 03 into 3.
        if name.isdecimal() and name.zfill(2) in self.all_items:
            name = name.zfill(2)
        self._texts(row)
        scale, _, code = name.partition("/")
        if name in self.all_items:
            self._once(self.items, name, row)
        elif code and self._is_answer(scale, code):
            self._once(self.answers, (scale, code), row)
        elif name in {group.link_id.removeprefix(f"{self.base.id}-") for group in self.base.groups}:
            self._once(self.groups, name, row)
        else:
            self.problem(
                row.number,
                f"{row.key!r} is not an item, answer or group of {self.base.id}; see `verstel wording template`",
            )
            return
        if name not in self.all_items and any(getattr(row, key) is not None for key in _STRUCTURE):
            self.problem(row.number, f"{row.key!r} is not an item; only items have {', '.join(_STRUCTURE)}")

    def _is_answer(self, scale: str, code: str) -> bool:
        return any(one.id == f"{self.base.id}-{scale}" and one.option(code) for one in _own_scales(self.base))

    @property
    def has_every_answer(self) -> bool:
        return all(
            (scale.id.removeprefix(f"{self.base.id}-"), option.code) in self.answers
            for scale in _own_scales(self.base)
            for option in scale.options
        )

    def _once(self, found: dict[Any, Row], key: object, row: Row) -> None:
        if key in found:
            self.problem(row.number, f"{row.key!r} is in row {found[key].number} already")
        # The first one stays: a third row is then compared with it too.
        found.setdefault(key, row)

    def _texts(self, row: Row) -> None:
        if not row.nl:
            self.problem(row.number, f"{row.key!r} has no Dutch text")
        for language, text in (("nl", row.nl), ("en", row.en)):
            if _CONTROL.search(text):
                self.problem(
                    row.number, f"the {language} text has a line break or control character; write it on one line"
                )
            if len(text) > _LONGEST:
                self.problem(row.number, f"the {language} text has {len(text)} characters; at most {_LONGEST} fit")

    # -- structure --

    @property
    def brings_dimensions(self) -> bool:
        return any(row.dimension is not None for row in self.items.values())

    def _structure(self) -> None:
        needed = _needed_columns(self.base)
        for column in _STRUCTURE:
            self._column(column, needed=column in needed)
        for name, row in self.items.items():
            if row.dimension is not None:
                self._dimension(row)
            self._scale_of(name, row)
        # Rows that were refused may be the very ones that a dimension misses, so those come first.
        if self.brings_dimensions and not self.problems:
            empty = [scale for scale in self.dimensions if not any(r.dimension == scale for r in self.items.values())]
            if empty:
                self.problem(0, f"no item has the dimension {', '.join(empty)}; each dimension has at least one")

    def _scale_of(self, name: str, row: Row) -> None:
        """Refuse structure for an item without an answer scale, and "not applicable" where the scale can't say it."""
        scale = self.base.item(f"{self.base.id}-{name}").scale
        if scale is None and any(getattr(row, column) is not None for column in _STRUCTURE):
            self.problem(row.number, f"{row.key!r} has no answer scale; leave {', '.join(_STRUCTURE)} empty there")
        elif row.not_applicable and scale is not None and not _offers_not_applicable(self.base, scale.id):
            self.problem(row.number, f"{row.key!r} can't be not applicable: its answer scale has no words for that")

    def _column(self, column: str, *, needed: bool) -> None:
        """Refuse a column that is filled in for some items only, or not at all where only the file can say it."""
        scored = {link_id for rule in self.base.scores for link_id in rule.items}
        rows = [row for name, row in self.items.items() if f"{self.base.id}-{name}" in scored]
        blank = [row for row in rows if getattr(row, column) is None]
        if needed and len(blank) == len(rows):
            self.problem(
                0,
                f"the items have no {column}; for {self.base.id} that is our own choice in the working wording,"
                " so a file with the official wording must say it",
            )
        elif len(blank) < len(rows):
            for row in blank:
                self.problem(row.number, f"{row.key!r} has no {column}, but other rows have one; fill it in everywhere")

    def _dimension(self, row: Row) -> None:
        if not self.dimensions:
            self.problem(row.number, f"{self.base.id} has no dimensions; leave that column out")
        elif row.dimension not in self.dimensions:
            known = ", ".join(self.dimensions)
            self.problem(row.number, f"the dimension is {row.dimension!r}; {self.base.id} has {known}")


def _dimensions(base: Instrument) -> dict[str, ScoreRule]:
    """Return the scores that divide the scored items among them, by scale; none where they overlap."""
    scored = {link_id for rule in base.scores for link_id in rule.items}
    parts = {rule.scale: rule for rule in base.scores if rule.default and set(rule.items) != scored}
    members = sorted(link_id for rule in parts.values() for link_id in rule.items)
    return parts if members == sorted(scored) else {}


def _own_membership(rule: ScoreRule) -> bool:
    return any(fact.about == "membership" and fact.certainty == "own" for fact in rule.facts)


def _offers_not_applicable(base: Instrument, scale_id: str) -> bool:
    """Tell whether a scale has words for "not applicable", for some of the items that use it."""
    return any(scale.id == scale_id and scale.has_not_applicable for scale in base.scales)


def _own_scales(base: Instrument) -> tuple[AnswerScale, ...]:
    """Return the answer scales that are this definition's; what others name, such as life domains, has its own file."""
    return tuple(scale for scale in base.scales if not scale.codes)


def _needed_columns(base: Instrument) -> tuple[str, ...]:
    """Return the columns that a file must fill in: the template offers exactly what the check demands.

    Where membership is our own choice, our items are not the official ones, so only the file can say how those count. A
    column that this instrument has no use for is not among them.
    """
    if not any(_own_membership(rule) for rule in base.scores):
        return ()
    useful = {
        "dimension": bool(_dimensions(base)),
        "reversed": True,
        "not_applicable": any(scale.has_not_applicable for scale in base.scales),
    }
    return tuple(column for column in _STRUCTURE if useful[column])


# ---- applying --------------------------------------------------------------------------------------------------------


def apply_wording(wording: WordingFile, known: Catalogue) -> Applied:
    """Return our definition with official wording applied to it; WordingRefused lists every row and reason."""
    working = known.working_definition(wording.instrument)
    if working is None:
        there = ", ".join(known.instruments)
        raise WordingRefused([Problem(0, f"there is no instrument {wording.instrument!r}; choose one of {there}")])
    versions = known.versions(wording.instrument)
    base = versions[-1]
    fit = _Fit(wording, base)
    if wording.version in {version.version for version in versions}:
        taken = ", ".join(version.version for version in versions)
        fit.problem(0, f"version {wording.version} is taken ({taken}); responses refer to it, so choose a new one")
    if fit.problems:
        raise WordingRefused(fit.problems)
    data = read_toml(working)
    _set_texts(data, wording, fit, base)
    _set_structure(data, wording, fit)
    try:
        # Built twice: its arithmetic decides the rule versions, which then go into the data.
        instrument = instrument_from(data, f"{wording.instrument}@{wording.version}.toml")
        instrument, notes = _set_rule_versions(data, instrument, versions)
    except DefinitionError as error:
        raise WordingRefused([Problem(0, str(error))]) from error
    return Applied(data=data, instrument=instrument, scores=notes)


def _words(row: Row) -> dict[str, str]:
    # Where there is no official English, English readers see the official Dutch, not our own English.
    return {"nl": row.nl, "en": row.en or row.nl}


def _set_texts(data: dict[str, Any], wording: WordingFile, fit: _Fit, base: Instrument) -> None:
    data["version"] = wording.version
    data["wording"] = "official"
    data["derived_from"] = base.canonical
    data["copyright"] = dict(wording.copyright)
    data["wording_note"] = {
        "nl": f"Officiële tekst, ingevoegd door deze organisatie. Bron: {wording.source}",
        "en": f"Official wording, put in by this organisation. Source: {wording.source}",
    }
    data.pop("note", None)
    data["sources"] = {
        **data["sources"],
        "wording-file": {"citation": wording.source, "read": "the texts that were applied"},
    }
    texts = {
        "about": "item texts",
        "statement": "Official wording, applied from a file.",
        "sources": ["wording-file"],
        "certainty": "sure",
        "verified": True,
    }
    replaced = {"item texts", "item subjects"} | ({"answer texts"} if fit.has_every_answer else set())
    data["facts"] = [fact for fact in data["facts"] if fact["about"] not in replaced] + [texts]
    for group in data["groups"]:
        if group["id"] in fit.groups:
            group["help"] = _words(fit.groups[group["id"]])
            group.pop("quoted", None)
            group.pop("source", None)
        for item in group["items"]:
            item["text"] = _words(fit.items[item["id"]])
            # What explained or quoted our working wording goes with it.
            for key in ("help", "quoted", "source", "note"):
                item.pop(key, None)
    for scale in data.get("scales", []):
        for option in scale["options"]:
            if (scale["name"], option["code"]) in fit.answers:
                option["text"] = _words(fit.answers[scale["name"], option["code"]])
        if (scale["name"], "na") in fit.answers:
            scale["not_applicable"] = _words(fit.answers[scale["name"], "na"])


def _file_fact(about: str, statement: str) -> dict[str, Any]:
    return {
        "about": about,
        "statement": statement,
        "sources": ["wording-file"],
        "certainty": "sure",
        "verified": True,
    }


def _set_reversed(score: dict[str, Any], turned: set[str]) -> None:
    score.pop("reversed", None)
    members = [name for name in score["items"] if name in turned]
    if members:
        score["reversed"] = members


def _replace_facts(score: dict[str, Any], about: set[str], facts: list[dict[str, Any]]) -> None:
    score["facts"] = facts + [fact for fact in score["facts"] if fact["about"] not in about]


def _items_of(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for group in data["groups"] for item in group["items"]}


def _set_structure(data: dict[str, Any], wording: WordingFile, fit: _Fit) -> None:
    _set_not_applicable(data, fit)
    if any(row.reversed is not None for row in fit.items.values()):
        _set_directions(data, fit)
    if fit.brings_dimensions:
        _set_dimensions(data, fit)
    order = [name for row in wording.rows for name, mine in fit.items.items() if mine is row]
    if order != list(_items_of(data)):
        _set_order(data, order)


def _set_not_applicable(data: dict[str, Any], fit: _Fit) -> None:
    items = _items_of(data)
    said = {name: row.not_applicable for name, row in fit.items.items() if row.not_applicable is not None}
    for name, offered in said.items():
        items[name].pop("not_applicable", None)
        if offered:
            items[name]["not_applicable"] = True
    if said:
        # The file says it now, so the fact that it was our own choice no longer holds.
        data["facts"] = [fact for fact in data["facts"] if fact["about"] != "not applicable"]


def _set_directions(data: dict[str, Any], fit: _Fit) -> None:
    turned = {name for name, row in fit.items.items() if row.reversed}
    for score in data["scores"]:
        _set_reversed(score, turned)
        _replace_facts(score, {"reversal"}, [_file_fact("reversal", "As the official wording file gives it.")])


def _set_dimensions(data: dict[str, Any], fit: _Fit) -> None:
    for score in data["scores"]:
        if score["scale"] in fit.dimensions:
            members = [
                name for name in fit.all_items if name in fit.items and fit.items[name].dimension == score["scale"]
            ]
            turned = {name for entry in data["scores"] for name in entry.get("reversed", [])}
            _set_members(score, members, fit.base)
            _set_reversed(score, turned)
    data["facts"] = [
        fact
        for fact in data["facts"]
        if fact["about"] != "order" and not (fact["about"] == "dimensions" and not fact["verified"])
    ]


def _set_members(score: dict[str, Any], members: list[str], base: Instrument) -> None:
    # A mean stays within its scale; the range of the other scores grows with the number of items.
    if score["aggregate"] != "mean":
        scale = base.item(f"{base.id}-{members[0]}").scale
        if scale is not None:
            score["low"], score["high"] = len(members) * scale.low, len(members) * scale.high
    score["items"] = members
    score["minimum_answered"] = len(members)
    statement = f"{len(members)} items, as the official wording file gives them."
    _replace_facts(score, {"membership", "item count"}, [_file_fact("membership", statement)])


def _set_order(data: dict[str, Any], order: list[str]) -> None:
    """Put the items in the file's order: inside their groups where that is possible, else in one group.

    Groups keep their titles and explanations as long as the official order leaves their items together.
    """
    items = _items_of(data)
    rank = {name: place for place, name in enumerate(order)}
    for group in data["groups"]:
        group["items"].sort(key=lambda item: rank[item["id"]])
    data["groups"].sort(key=lambda group: rank[group["items"][0]["id"]])
    if list(_items_of(data)) != order:
        data["groups"] = [{"id": "all", "title": data["title"], "items": [items[name] for name in order]}]


def _arithmetic(instrument: Instrument, rule: ScoreRule) -> tuple[object, ...]:
    """Return all that decides the score of given answers; equal for two rules whose scores may share a trend line."""
    numbers = []
    for link_id in sorted(rule.items):
        scale = instrument.item(link_id).scale
        options = () if scale is None else tuple((option.code, option.value) for option in scale.options)
        numbers.append((link_id, link_id in rule.reversed, options))
    return tuple(numbers), rule.aggregate, rule.minimum_answered, rule.rounding


def _set_rule_versions(
    data: dict[str, Any], instrument: Instrument, versions: tuple[Instrument, ...]
) -> tuple[Instrument, tuple[str, ...]]:
    """Give every score whose arithmetic no earlier version has the new instrument's version as its rule version."""
    notes = []
    for score, rule in zip(data.get("scores", []), instrument.scores, strict=True):
        same = _same_rule(instrument, rule, versions)
        if same is None:
            score["version"] = instrument.version
            notes.append(f"{rule.code}: new rule version {instrument.version}; not in one trend with earlier scores")
        else:
            score["version"] = same
            notes.append(f"{rule.code}: rule version {same}, as before")
    if any(
        rule.version != score["version"] for score, rule in zip(data.get("scores", []), instrument.scores, strict=True)
    ):
        # The worked examples belong to the old structure.
        data["examples"] = []
    return instrument_from(data, f"{instrument.id}@{instrument.version}.toml"), tuple(notes)


def _same_rule(instrument: Instrument, rule: ScoreRule, versions: tuple[Instrument, ...]) -> str | None:
    """Return the rule version of an earlier score with the same arithmetic over the same questions, or None."""
    for version in versions:
        # Our working items of an instrument whose membership is our own are other questions than the official ones.
        ours = version.wording == "working" and any(_own_membership(one) for one in version.scores)
        earlier = {one.code: one for one in version.scores}.get(rule.code)
        if not ours and earlier is not None and _arithmetic(version, earlier) == _arithmetic(instrument, rule):
            return earlier.version
    return None


# ---- a file to fill in -----------------------------------------------------------------------------------------------


def wording_template(base: Instrument) -> str:
    """Return a CSV file with a row for every text of an instrument, to be filled in with the official wording."""
    structure = _needed_columns(base)
    out = io.StringIO()
    out.write(f"# instrument: {base.id}\n# version: \n# copyright: \n# source: \n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["item", "nl", "en", *structure])
    empty = [""] * (2 + len(structure))
    for item in base.items:
        writer.writerow([item.link_id, *empty])
    for scale in {scale.id: scale for scale in sorted(_own_scales(base), key=lambda one: len(one.options))}.values():
        for option in scale.options:
            writer.writerow([f"{scale.id.removeprefix(f'{base.id}-')}/{option.code}", *empty])
    for group in base.groups:
        if group.help is not None:
            writer.writerow([group.link_id, *empty])
    return out.getvalue()
