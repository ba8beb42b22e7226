"""The tables of research files, made from what was gathered: long, wide, change, frequencies and the codebook."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final, Literal

from mappers.research import (
    BEGIN,
    END,
    MOMENTS,
    NOT_SENT,
    NOT_THEN,
    OTHER,
    Cell,
    Missing,
    Variable,
    cells_of,
    change_of,
    column,
    suppressed,
    variables_of,
)
from mappers.small_cells import FEWEST, enough
from questionnaires.catalogue import Catalogue
from questionnaires.model import Instrument, Language
from smartapp.populations.research import Gathered, Read
from smartapp.populations.research_files import Files, Value

Days = Literal["since-first", "month", "exact"]


class TooFew(Exception):
    """Fewer than six people are left, so there is nothing that may be given."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What was asked for: `start` the day a traject started, or None; `about` is told in the codebook."""

    language: Language = "nl"
    days: Days = "since-first"
    start: date | None = None
    free_text: bool = False
    about: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Written:
    """What was written: people and rows of the long file, and which measurements of how few people were left out."""

    respondents: set[int] = field(default_factory=set)
    long: int = 0
    withheld: list[tuple[str, str]] = field(default_factory=list)


def write(gathered: Gathered, catalogue: Catalogue, files: Files, folder: Path, choices: Choices) -> Written:
    """Write long, wide, change, frequencies and codebook. Raises TooFew if no measurement has six people."""
    gathered.decide_moments(choices.start.toordinal() if choices.start else None)
    people = gathered.people()
    kept = {cell for cell, number in people.items() if enough(number)}
    if not kept:
        raise TooFew(f"no questionnaire was sent in at one moment by {FEWEST} people or more, so nothing is given")
    made = Written(withheld=sorted(set(people) - kept))
    tables = _Tables(gathered, catalogue, kept, choices)
    long = files.table("long", tables.long_variables, choices.language)
    wide = files.table("wide", tables.wide_variables, choices.language)
    pairs: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    counts: dict[tuple[str, str, str], Counter[int]] = defaultdict(Counter)
    for found in gathered.by_person():
        # What is left out is not told by the rest either: not by the day it was, nor by that it was sent in at all.
        person = [one for one in found if tables.has(one)]
        if not person:
            continue
        first = min(one.day for one in person)
        cells = [(one, list(tables.cells(one))) for one in person]
        made.respondents.add(person[0].respondent)
        for one, given in cells:
            for cell in given:
                long(tables.long_row(one, cell, first))
                made.long += 1
                if one.moment in MOMENTS and cell.kind == "answer":
                    value = cell.missing.code if cell.missing else int(cell.value or 0)
                    counts[one.instrument.canonical, one.moment, cell.code][value] += 1
        wide(tables.wide_row(person, cells, first))
        for scored, pair in _pairs(cells):
            pairs[scored].append(pair)
    tables.write_change(files, pairs)
    tables.write_frequencies(files, counts)
    tables.write_codebook(files)
    (folder / "codebook.md").write_text(tables.readable(made), encoding="utf-8")
    return made


def _pairs(cells: Sequence[tuple[Read, list[Cell]]]) -> Iterator[tuple[tuple[str, str], tuple[float, float]]]:
    """Yield begin and end of each score of one person, by the same version of its instrument."""
    scores = {
        (one.instrument.canonical, cell.code, one.moment): cell.value
        for one, given in cells
        for cell in given
        if cell.kind == "score" and cell.value is not None
    }
    for (canonical, code, moment), begin in scores.items():
        end = scores.get((canonical, code, END))
        if moment == BEGIN and begin is not None and end is not None:
            yield (canonical, code), (begin, end)


def _text(name: str, label: str) -> Variable:
    return Variable(name, label, "text")


_CHANGE: Final = (
    _text("instrument", "Instrument"),
    _text("version", "Version of the instrument"),
    _text("code", "Score"),
    _text("rule_version", "Version of the score's rule"),
    Variable("n", "People with this score at begin and at end", level="scale"),
    Variable("mean_begin", "Mean at begin", level="scale"),
    Variable("mean_end", "Mean at end", level="scale"),
    Variable("mean_change", "Mean of end - begin", level="scale"),
    Variable("sd_change", "Standard deviation of end - begin (n - 1)", level="scale"),
    _text("reliable_change", "Smallest change that is more than chance, from a source"),
    _text("remark", "Why a number is not given"),
)
_FREQUENCIES: Final = (
    _text("instrument", "Instrument"),
    _text("version", "Version of the instrument"),
    _text("moment", "Moment"),
    _text("code", "Question"),
    Variable("value", "Answer, or the code of why it is missing", level="ordinal"),
    _text("label", "What the value means"),
    Variable("people", "People who gave this answer; empty where that is not said", level="scale"),
    _text("remark", "Why a number is not given"),
)
_CODEBOOK: Final = (
    "file", "variable", "label", "type", "level", "values", "missing", "low", "high",
    "source", "rule", "rule_version", "certainty", "verified", "wording",
)  # fmt: skip
_BY_START: Final = (
    "By a traject that started on one day for all: begin is within 2 months after it, middle at about 18 months (15 to "
    "21), end at about 30 months (27 to 33); each time the response nearest to that. The 2, 18 and 30 months are the "
    "handbook's; the three months to either side are a choice of Verstel."
)
_BY_PERSON: Final = (
    "Per person and instrument: begin is the first response, end the last one on a later day, middle the one nearest "
    "the middle between these. One response has a begin only. This is a choice of Verstel."
)
_FEW: Final = f"fewer than {FEWEST} people"


class _Tables:
    def __init__(self, gathered: Gathered, catalogue: Catalogue, kept: set[tuple[str, str]], choices: Choices) -> None:
        self._kept, self._choices = kept, choices
        self._instruments = [
            one
            for one in gathered.instruments()
            if any((one.canonical, moment) in kept for moment in (*MOMENTS, OTHER))
        ]
        self._variables = {
            one.canonical: variables_of(one, choices.language, free_text=choices.free_text) for one in self._instruments
        }
        self._old = {one.canonical for one in self._instruments if catalogue.instrument(one.id).version != one.version}
        self._left_out = gathered.left_out
        reasons = {why for known in self._variables.values() for one in known.values() for why in one.missing}
        self._reasons = tuple(sorted(reasons - {NOT_SENT, NOT_THEN}, key=lambda why: -why.code))
        day = {
            "since-first": Variable(
                "day", "Days since the first response of this person in these files", level="scale"
            ),
            "month": _text("day", "Month"),
            "exact": _text("day", "Day"),
        }[choices.days]
        self.long_variables = (
            Variable("respondent", "Respondent number"),
            _text("moment", "Moment: begin, middle, end, other"),
            day,
            _text("instrument", "Instrument"),
            _text("version", "Version of the instrument"),
            _text("kind", "answer, score or text"),
            _text("code", "Question or score; what it is stands in the codebook"),
            Variable("value", "Number", level="scale", missing=self._reasons),
            _text("missing", "Why there is no number"),
            *([_text("text", "The person's own words")] if choices.free_text else []),
        )
        self._day = day
        self._columns = [
            (one, moment)
            for one in self._instruments
            for moment in MOMENTS
            if (one.canonical, moment) in kept
        ]  # fmt: skip
        self.wide_variables = (self.long_variables[0], *self._wide())

    def _name(self, code: str, one: Instrument, moment: str) -> str:
        return column(code, moment, one.version if one.canonical in self._old else "")

    def _wide(self) -> Iterator[Variable]:
        for one, moment in self._columns:
            label = f"{one.title.get(self._choices.language)}, {moment}"
            yield _renamed(
                self._day, self._name(f"{one.id}_day", one, moment), f"{label}: {self._day.label}", (NOT_SENT, NOT_THEN)
            )
            for code, variable in self._variables[one.canonical].items():
                yield _renamed(
                    variable, self._name(code, one, moment), f"{variable.label} ({moment})", variable.missing
                )

    def has(self, one: Read) -> bool:
        """Tell whether enough people sent in this instrument at this moment."""
        return (one.instrument.canonical, one.moment) in self._kept

    def cells(self, one: Read) -> Iterator[Cell]:
        return cells_of(one.instrument, one.values, free_text=self._choices.free_text)

    def _when(self, day: int, first: int) -> int | str:
        if self._choices.days == "since-first":
            return day - first
        written = date.fromordinal(day).isoformat()
        return written[:7] if self._choices.days == "month" else written

    def long_row(self, one: Read, cell: Cell, first: int) -> list[Value | Missing]:
        missing = cell.missing
        return [
            one.respondent,
            one.moment,
            self._when(one.day, first),
            one.instrument.id,
            one.instrument.version,
            cell.kind,
            cell.code,
            missing or cell.value,
            missing.name if missing else "",
            *([cell.text] if self._choices.free_text else []),
        ]

    def wide_row(
        self, person: Sequence[Read], cells: Sequence[tuple[Read, list[Cell]]], first: int
    ) -> list[Value | Missing]:
        given = {(one.instrument.canonical, one.moment): (one, made) for one, made in cells}
        ever = {one.instrument.id for one in person}
        row: list[Value | Missing] = [person[0].respondent]
        for instrument, moment in self._columns:
            found = given.get((instrument.canonical, moment))
            if found is None:
                why = NOT_THEN if instrument.id in ever else NOT_SENT
                row.extend([why] * (1 + len(self._variables[instrument.canonical])))
                continue
            one, made = found
            row.append(self._when(one.day, first))
            row.extend(cell.text if cell.text else cell.missing or cell.value for cell in made)
        return row

    # -- tables that may be passed on

    def write_change(self, files: Files, pairs: Mapping[tuple[str, str], Sequence[tuple[float, float]]]) -> None:
        put = files.table("change", _CHANGE, self._choices.language)
        for one in self._instruments:
            for rule in one.scores:
                made = change_of(pairs.get((one.canonical, rule.code), ()))
                numbers = (made.n, made.begin, made.end, made.change, made.sd, made.reliable)
                put([one.id, one.version, rule.code, rule.version, *numbers, "" if made.n else _FEW])

    def write_frequencies(self, files: Files, counts: Mapping[tuple[str, str, str], Counter[int]]) -> None:
        put = files.table("frequencies", _FREQUENCIES, self._choices.language)
        for one, moment in self._columns:
            for code, variable in self._variables[one.canonical].items():
                found = counts.get((one.canonical, moment, code))
                if found is None:
                    continue
                known = dict(variable.values) | {
                    why.code: why.text.get(self._choices.language) for why in variable.missing
                }
                for value, number in sorted(suppressed(found).items(), key=lambda each: (each[0] < 0, abs(each[0]))):
                    remark = _FEW if number is None else ""
                    put([one.id, one.version, moment, code, value, known.get(value, ""), number, remark])

    # -- the codebook

    def _codebook(self) -> Iterator[tuple[str, Variable]]:
        yield from (("long", one) for one in self.long_variables)
        for one in self._instruments:
            yield from (("long: code", variable) for variable in self._variables[one.canonical].values())
        yield from (("wide", one) for one in self.wide_variables)
        yield from (("change", one) for one in _CHANGE)
        yield from (("frequencies", one) for one in _FREQUENCIES)

    def write_codebook(self, files: Files) -> None:
        put = files.table("codebook", [_text(name, name) for name in _CODEBOOK], self._choices.language)
        for file, one in self._codebook():
            low, high = ("" if end is None else f"{end:g}" for end in (one.low, one.high))
            values = "; ".join(f"{number} = {text}" for number, text in one.values)
            missing = "; ".join(f"{why.code} = {why.text.get(self._choices.language)}" for why in one.missing)
            told = (one.source, one.rule, one.rule_version, one.certainty, one.verified, one.wording)
            put([file, one.name, one.label, one.type, one.level, values, missing, low, high, *told])

    def readable(self, made: Written) -> str:
        """Return how the files were made, to read; what each variable is stands in the codebook table."""
        choices = self._choices
        moments = _BY_START if choices.start else _BY_PERSON
        lines = ["# Codebook", "", *(f"- {name}: {value}" for name, value in choices.about), ""]
        lines += ["## Moments", "", moments, "Responses at no moment are in the long file as `other`.", ""]
        lines += ["## What is not in it", ""]
        for why, number in sorted(self._left_out.items()):
            lines.append(f"- {why}: {number if enough(number) else f'fewer than {FEWEST}'} responses")
        titles = {canonical: canonical.rpartition("/")[2].replace("|", " ") for canonical, _ in made.withheld}
        lines += [f"- {titles[canonical]}, {moment}: {_FEW} sent it in" for canonical, moment in made.withheld]
        free = "is in it, because it was asked for" if choices.free_text else "is not in it"
        lines += [f"- free text {free}; dates that people filled in are not in it", ""]
        lines += ["## Missing numbers", "", "| code | why |", "|---|---|"]
        lines += [f"| {why.code} | {why.text.get(choices.language)} |" for why in (*self._reasons, NOT_SENT, NOT_THEN)]
        lines += [
            "",
            "## Instruments and scores",
            "",
            "| instrument | version | wording | scores |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {one.id} | {one.version} | {one.wording} | {', '.join(rule.code for rule in one.scores) or 'none'} |"
            for one in self._instruments
        ]
        told = "What each variable is (label, values, missing, source, rule, certainty) stands in the table `codebook`."
        reliable = "No source that was read gives a figure for reliable change, so none is given."
        answers = "Answers stand as they were given: a score turns the reversed ones around by itself."
        return "\n".join([*lines, "", told, answers, reliable, ""])


def _renamed(one: Variable, name: str, label: str, missing: tuple[Missing, ...]) -> Variable:
    return replace(one, name=name, label=label, missing=missing)


def part_of(folder: Path) -> Path:
    """Return where a folder is made before it has its name."""
    return folder.with_name(f".{folder.name}.part")


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Make a folder that only its owner can read; it has its name once all is in it, and is gone if that fails.

    Raises OSError.
    """
    part = part_of(folder)
    part.mkdir(mode=0o700)
    try:
        yield part
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
