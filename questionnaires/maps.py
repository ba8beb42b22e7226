"""Maps as data: how an EHR's own form becomes answers to one of our instruments.

A place has its maps in the folder that the environment variable VERSTEL_MAPS names, one file each; we ship none, for
what another's form means is known at the place that has it. A map names each question and each answer by hand, so that
no number comes out of it that nobody wrote down. How it is applied is in `mappers.mapping`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from questionnaires.canonical import questionnaire_url
from questionnaires.model import AnswerScale, Instrument, Item
from questionnaires.reading import DefinitionError, FilePlace, Name, OneLine, Strict, read

OursAnswer = str | bool
_FORMS = questionnaire_url("")


class MapAnswer(Strict, frozen=True):
    """One answer of ours, and everything in the EHR's form that means it."""

    ours: OursAnswer
    codes: tuple[OneLine, ...] = ()
    texts: tuple[OneLine, ...] = ()
    numbers: tuple[int | float, ...] = ()
    booleans: tuple[bool, ...] = ()


class MapScale(Strict, frozen=True):
    """`[[scales]]`: the answers of some of the EHR's items. `unanswered` are codes and texts that say nothing."""

    name: Name
    answers: tuple[MapAnswer, ...]
    system: OneLine | None = None
    unanswered: tuple[OneLine, ...] = ()


class MapItem(Strict, frozen=True):
    """`[[items]]`: one item of ours, and how to find it in the EHR's form: by its linkId, by its text, or by both."""

    ours: OneLine
    link_id: OneLine | None = None
    text: OneLine | None = None
    scale: Name | None = None


class MapTable(Strict, frozen=True):
    """The whole file."""

    id: Name
    about: OneLine
    instrument: Name
    version: OneLine
    questionnaires: tuple[OneLine, ...]
    items: tuple[MapItem, ...]
    scales: tuple[MapScale, ...] = ()
    left_out: tuple[OneLine, ...] = ()


class FormMap:
    """A map that was read: the file's table, the instrument that it leads to, and both ways to find things in it."""

    def __init__(self, table: MapTable, instrument: Instrument) -> None:
        """Index the table by what a response may say."""
        self.table = table
        self.instrument = instrument
        self.scales: Mapping[str, MapScale] = {one.name: one for one in table.scales}
        self.by_link_id: Mapping[str, MapItem] = {one.link_id: one for one in table.items if one.link_id is not None}
        # An item that is found by both is looked up by its linkId, and its text is compared.
        self.by_text: Mapping[str, MapItem] = {
            plain(one.text): one for one in table.items if one.text is not None and one.link_id is None
        }
        self.left_out = frozenset({*table.left_out, *map(plain, table.left_out)})

    @property
    def id(self) -> str:
        """Return the name of the map, which is that of its file."""
        return self.table.id


Maps = Mapping[str, FormMap]
"""Maps by the canonical of the form that they read, with or without version."""
Versions = Callable[[str], Sequence[Instrument]]
"""Every known version of an instrument, by its id; raises LookupError (as `Catalogue.versions` does)."""


def plain(text: str) -> str:
    """Return a text as texts are compared: white space and capitals make no difference."""
    return " ".join(text.split()).casefold()


# ---- reading ---------------------------------------------------------------------------------------------------------


def read_map(path: Path, versions: Versions) -> FormMap:
    """Return what a file says. DefinitionError names file and key where that can't be."""
    table, place = read(path, MapTable), FilePlace(path.name)
    if table.id != path.stem:
        raise place.error("id", f"is {table.id!r}; the file is called {path.stem!r}, which must be the same")
    instrument = _instrument(place, table, versions)
    _check_questionnaires(place, table)
    scales = _checked_scales(place, table)
    _check_items(place, table, instrument, scales)
    return FormMap(table, instrument)


def _instrument(place: FilePlace, table: MapTable, versions: Versions) -> Instrument:
    """Return the one version that the map was made for: in another, the same linkId may ask something else."""
    try:
        known = versions(table.instrument)
    except LookupError as error:
        raise place.error("instrument", f"is {table.instrument!r}: {error}") from error
    found = next((one for one in known if one.version == table.version), None)
    if found is None:
        have = ", ".join(one.version for one in known)
        raise place.error("version", f"is {table.version!r}; the known versions of {table.instrument} are {have}")
    if found.kind != "questionnaire":
        raise place.error("instrument", f"is {table.instrument!r}, which nobody fills in as a questionnaire")
    return found


def _check_questionnaires(place: FilePlace, table: MapTable) -> None:
    if not table.questionnaires:
        raise place.error("questionnaires", "is empty; name the form as responses to it do")
    _refuse_repeats(place, "questionnaires", table.questionnaires)
    for one in table.questionnaires:
        if one.startswith(_FORMS):
            raise place.error("questionnaires", f"has {one!r}, which is ours; responses to it are read without a map")


def _checked_scales(place: FilePlace, table: MapTable) -> Mapping[str, MapScale]:
    found: dict[str, MapScale] = {}
    for where, scale in place.each("scales", table.scales):
        if scale.name in found:
            raise where.error("name", f"is {scale.name!r}, which an earlier scale has already")
        found[scale.name] = scale
        _check_answers(where, scale)
    return found


def _check_answers(place: FilePlace, scale: MapScale) -> None:
    if not scale.answers:
        raise place.error("answers", "is empty; say for each answer of ours what means it")
    # Apart by type, because true equals 1 to Python.
    _refuse_repeats(place, "answers", [f"ours = {one.ours!r}" for one in scale.answers])
    for where, one in place.each("answers", scale.answers):
        if not (one.codes or one.texts or one.numbers or one.booleans):
            raise where.error("", "names nothing of theirs; give codes, texts, numbers or booleans")
        for number in one.numbers:
            if not math.isfinite(number):
                raise where.error("numbers", f"has {number!r}; no answer is that")
    answers = scale.answers
    _refuse_repeats(place, "answers", [*(code for one in answers for code in one.codes), *scale.unanswered])
    texts = [plain(text) for one in answers for text in one.texts]
    _refuse_repeats(place, "answers", [*texts, *map(plain, scale.unanswered)])
    _refuse_repeats(place, "answers", [f"{number:g}" for one in answers for number in one.numbers])
    _refuse_repeats(place, "answers", [str(each).lower() for one in answers for each in one.booleans])


def _check_items(place: FilePlace, table: MapTable, instrument: Instrument, scales: Mapping[str, MapScale]) -> None:
    ours = {item.link_id: item for item in instrument.items}
    seen: set[str] = set()
    used: set[str] = set()
    if not table.items:
        raise place.error("items", "is empty; a map says at least one of them")
    for where, one in place.each("items", table.items):
        if one.ours not in ours:
            raise where.error("ours", f"is {one.ours!r}; {instrument.id} has {', '.join(ours)}")
        if one.ours in seen:
            raise where.error("ours", f"is {one.ours!r}, which an earlier item has already")
        seen.add(one.ours)
        if one.link_id is None and one.text is None:
            raise where.error("link_id", "is missing; say by which linkId, or else by which text, the item is found")
        used |= _check_scale(where, one, ours[one.ours], scales)
    link_ids = [one.link_id for one in table.items if one.link_id is not None]
    _refuse_repeats(place, "items", link_ids)
    texts = [plain(one.text) for one in table.items if one.text is not None and one.link_id is None]
    _refuse_repeats(place, "items", texts)
    for left in table.left_out:
        if left in link_ids or plain(left) in texts:
            raise place.error("left_out", f"has {left!r}, which is one of the items")
    for where, scale in place.each("scales", table.scales):
        if scale.name not in used:
            raise where.error("name", f"is {scale.name!r}, which no item uses")


def _check_scale(place: FilePlace, one: MapItem, item: Item, scales: Mapping[str, MapScale]) -> set[str]:
    """Check that the answers of an item's scale are answers to our item; return the names of the scales it uses."""
    if item.kind == "text":
        if one.scale is not None:
            raise place.error("scale", f"is for answers that are chosen; {item.link_id} is answered in words")
        return set()
    if one.scale is None:
        raise place.error("scale", f"is missing; say what the answers to {item.link_id} mean")
    if one.scale not in scales:
        raise place.error("scale", f"is {one.scale!r}; [[scales]] has {', '.join(scales) or 'none'}")
    for answer in scales[one.scale].answers:
        if not _fits(answer.ours, item.scale):
            can = "true, false" if item.scale is None else ", ".join(option.code for option in item.scale.options)
            raise place.error("scale", f"gives {answer.ours!r}, which is no answer to {item.link_id}; it has {can}")
    return {one.scale}


def _fits(answer: OursAnswer, scale: AnswerScale | None) -> bool:
    if scale is None:
        return isinstance(answer, bool)
    return isinstance(answer, str) and scale.option(answer) is not None


def _refuse_repeats(place: FilePlace, key: str, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise place.error(key, f"has {twice[0]!r} more than once")


def read_maps(folder: Path, versions: Versions) -> Maps:
    """Return the maps in a folder by the form that each reads. DefinitionError, also where two read the same form."""
    if not folder.is_dir():
        raise DefinitionError(str(folder), "", "is not a folder; VERSTEL_MAPS must name one that exists")
    return by_form(read_map(path, versions) for path in sorted(folder.glob("*.toml")))


def by_form(maps: Iterable[FormMap]) -> Maps:
    """Return maps by the form that each reads. DefinitionError where two read the same."""
    found: dict[str, FormMap] = {}
    for one in maps:
        for form in one.table.questionnaires:
            if form in found:
                problem = f"has {form!r}, which {found[form].id}.toml reads already"
                raise FilePlace(f"{one.id}.toml").error("questionnaires", problem)
            found[form] = one
    return found


def folder_of_the_place() -> Path | None:
    """Return the folder that VERSTEL_MAPS names, or None where the variable is not set."""
    named = os.environ.get("VERSTEL_MAPS", "")
    return Path(named) if named else None


# ---- what a map leaves open ------------------------------------------------------------------------------------------


def gaps(form: FormMap) -> list[str]:
    """Say in English what a map leaves open: items, scores that can never come, answers that nothing leads to."""
    mapped, instrument = {one.ours: one for one in form.table.items}, form.instrument
    missing = [item.link_id for item in instrument.items if item.link_id not in mapped]
    said = [f"not mapped: {', '.join(missing)}"] if missing else []
    said += [
        f"never a score: {rule.code} (needs {rule.minimum_answered} of its {len(rule.items)} items)"
        for rule in instrument.scores
        if len(set(rule.items) & set(mapped)) < rule.minimum_answered
    ]
    for item in instrument.items:
        one = mapped.get(item.link_id)
        if one is not None and one.scale is not None and item.scale is not None:
            reached = {answer.ours for answer in form.scales[one.scale].answers}
            unreached = [option.code for option in item.scale.options if option.code not in reached]
            said += [f"nothing leads to: {item.link_id} {', '.join(unreached)}"] if unreached else []
    return said
