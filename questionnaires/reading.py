"""Strict reading of TOML: a file into a type, where every problem names the file and the key and says what to do.

The types say which keys there are, so that a misspelt key is refused instead of silently meaning nothing. Every data
file of this repository is read here. What a value means is up to the caller, who reports a bad one with `Place.error`,
so that all problems look the same.
"""

from __future__ import annotations

import re
import threading
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from reprlib import Repr
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import inspect

T = TypeVar("T")

# ---- types of values -------------------------------------------------------------------------------------------------
# The description is what we say of a text that does not match; {value} is that text. msgspec searches for the pattern,
# so each is anchored at both ends; `$` would let a final newline pass.

OneLine = Annotated[
    str,
    msgspec.Meta(pattern=r"(?s)\A\S(.*\S)?\Z", description="is empty or has space at its ends; write the text itself"),
]
"""A text with something in it, and no space around it."""
Name = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A[a-z0-9]+(-[a-z0-9]+)*\Z", description="is {value!r}; use small letters, digits and single hyphens"
    ),
]
"""A name that can be part of an address."""


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table whose keys are exactly the fields of the type. Subclasses keep that promise for their own fields."""


# ---- problems --------------------------------------------------------------------------------------------------------


class DefinitionError(ValueError):
    """A data file says something that can't be: the message names file and key and says what to do."""

    def __init__(self, file: str, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}" if key else f"{file}: {problem}")
        self.file = file
        self.key = key
        self.problem = problem

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild across processes (`verstel score --jobs`) from the parts, not from the message."""
        return DefinitionError, (self.file, self.key, self.problem)


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Where a table is in its file, so that messages can name it: `hoop.toml`, `groups[1].items[2]`."""

    file: str
    path: str = ""

    def at(self, name: str) -> FilePlace:
        """Return the place of a key of this table."""
        return FilePlace(self.file, f"{self.path}.{name}" if self.path else name)

    def each(self, name: str, entries: Iterable[T]) -> Iterator[tuple[FilePlace, T]]:
        """Yield the entries of a list, each with its place; the first is number 1, as a reader counts."""
        for number, entry in enumerate(entries, start=1):
            yield self.at(f"{name}[{number}]"), entry

    def error(self, name: str, problem: str) -> DefinitionError:
        """Return an error about one of this table's keys; without a name, about the table itself."""
        return DefinitionError(self.file, self.at(name).path if name else self.path, problem)


# ---- reading ---------------------------------------------------------------------------------------------------------


def read(path: Path, kind: type[T]) -> T:
    """Return what a TOML file says, as `kind`; DefinitionError where it says anything else."""
    return convert(read_toml(path), kind, FilePlace(path.name))


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file as plain data; DefinitionError where it can't be read or is not TOML."""
    return parse_toml(read_text(path), path.name)


def read_text(path: Path) -> str:
    """Return the text of a file; DefinitionError where it can't be read or is not UTF-8."""
    try:
        # With or without the byte order mark that some editors put in front.
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DefinitionError(path.name, "", f"can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DefinitionError(path.name, "", f"is not TOML in UTF-8: {error}") from error


def parse_toml(text: str, file: str) -> dict[str, Any]:
    """Return what a TOML text says as plain data; DefinitionError names the file where it is not TOML."""
    try:
        return tomllib.loads(text)
    # RecursionError: tomllib recurses into nested arrays, and a file may nest them absurdly deep.
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DefinitionError(file, "", f"is not TOML in UTF-8: {error}") from error


_ONE_AT_A_TIME = threading.Lock()
"""msgspec learns what a type asks for when it first meets it; two threads that meet one together end the process."""


def convert(data: Any, kind: type[T], place: FilePlace) -> T:
    """Return the plain data found at `place` as `kind`; DefinitionError names the key that does not fit."""
    try:
        with _ONE_AT_A_TIME:
            return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise _explained(str(error), data, kind, place) from error


# ---- what does not fit -----------------------------------------------------------------------------------------------

_WHERE = re.compile(r"(?s).* - at `\$(?P<path>.*)`\Z")
_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<number>\d+)\]|\[\.\.\.\]")
_FIELD = re.compile(r"(?s)Object (?P<problem>contains unknown|missing required) field `(?P<name>.*?)`( - at .*)?\Z")
KeyStep = str | int
# Where a number was expected, a table or a long text is quoted by its beginning only.
_SHORT = Repr()
_SHORT.maxstring = 60


def _explained(message: str, data: Any, kind: Any, place: FilePlace) -> DefinitionError:
    """Explain what msgspec found in this project's words, with the keys as the file has them."""
    steps = _steps(message, data, kind)
    here = _kind_at(inspect.type_info(kind), steps)
    table = FilePlace(place.file, _path(place, steps))
    if found := _FIELD.match(message):
        fields = (
            {field.encode_name: field.type for field in here.fields} if isinstance(here, inspect.StructType) else {}
        )
        if found["problem"] == "missing required":
            return table.error(found["name"], f"is missing; it must be {_described(fields[found['name']])}")
        return table.error(found["name"], f"is not a known key; the keys here are {', '.join(sorted(fields))}")
    value = _value_at(data, steps)
    if isinstance(here, inspect.Metadata):
        said = (here.extra_json_schema or {}).get("description")
        # What is said of a text is about its form; a number in its place is told that a text was expected.
        if said and ("matching regex" in message or not isinstance(here.type, inspect.StrType)):
            return table.error("", said.format(value=value))
    return table.error("", f"is {_SHORT.repr(value)}; it must be {_described(here)}")


def _steps(message: str, data: Any, kind: Any) -> tuple[KeyStep, ...]:
    """Return the path to the value that was refused; for a key that is not a field msgspec writes only [...]."""
    where = _WHERE.match(message)
    steps: tuple[KeyStep, ...] = ()
    for step in _STEP.finditer(where["path"] if where else ""):
        if step["name"]:
            steps += (step["name"],)
        elif step["number"]:
            steps += (int(step["number"]),)
        else:
            # The key is the one that, left alone in its table, is refused with the very same message.
            keys = _value_at(data, steps)
            steps += (next(key for key in keys if _refusal(_with_only(data, steps, key), kind) == message),)
    return steps


def _refusal(data: Any, kind: Any) -> str:
    try:
        msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _with_only(data: Any, steps: Sequence[KeyStep], key: str) -> Any:
    """Return the data with only one key left in the table that the steps lead to."""
    if not steps:
        return {key: data[key]}
    first, *rest = steps
    changed = _with_only(data[first], rest, key)
    if isinstance(data, dict):
        return {**data, first: changed}
    return [changed if number == first else value for number, value in enumerate(data)]


def _value_at(data: Any, steps: Sequence[KeyStep]) -> Any:
    for step in steps:
        data = data[step]
    return data


def _path(place: FilePlace, steps: Sequence[KeyStep]) -> str:
    path = place.path
    for step in steps:
        path += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _kind_at(kind: inspect.Type, steps: Sequence[KeyStep]) -> inspect.Type:
    """Return the type that the value at the end of the steps must have."""
    kind = _required(kind)
    if not steps:
        return kind
    if isinstance(kind, inspect.Metadata):
        return _kind_at(kind.type, steps)
    if isinstance(kind, inspect.UnionType):
        # Of what a value may be, only one has the kind of steps that was taken.
        steppable = inspect.CollectionType if isinstance(steps[0], int) else (inspect.StructType, inspect.DictType)
        return _kind_at(next(one for one in kind.types if isinstance(one, steppable)), steps)
    if isinstance(kind, inspect.StructType):
        [inner] = [field.type for field in kind.fields if field.encode_name == steps[0]]
    else:
        inner = kind.value_type if isinstance(kind, inspect.DictType) else kind.item_type  # type: ignore[attr-defined]
    return _kind_at(inner, steps[1:])


def _required(kind: inspect.Type) -> inspect.Type:
    """Return a type without the None of a key that may be left out: TOML can't write that."""
    if not isinstance(kind, inspect.UnionType):
        return kind
    kinds = tuple(one for one in kind.types if not isinstance(one, inspect.NoneType))
    return kinds[0] if len(kinds) == 1 else inspect.UnionType(kinds)


_DESCRIBED: tuple[tuple[type[inspect.Type], str], ...] = (
    (inspect.StrType, "a text"),
    (inspect.IntType, "a whole number"),
    (inspect.FloatType, "a number"),
    (inspect.BoolType, "true or false"),
    (inspect.CollectionType, "a list"),
    (inspect.DictType, "a table"),
    (inspect.StructType, "a table"),
)


def _described(kind: inspect.Type) -> str:
    kind = _required(kind)
    if isinstance(kind, inspect.Metadata):
        return _described(kind.type)
    if isinstance(kind, inspect.LiteralType):
        # "" is what a key is that is left out: nobody writes it.
        values = [value for value in kind.values if value != ""]
        return f"one of {', '.join(str(value).lower() if value is False else str(value) for value in values)}"
    if isinstance(kind, inspect.UnionType):
        return " or ".join(_described(one) for one in kind.types)
    return next((words for one, words in _DESCRIBED if isinstance(kind, one)), "something else")
