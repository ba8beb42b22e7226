"""Strict reading of our TOML files: every problem is a DefinitionError that names the file and the key."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from questionnaires.model import LANGUAGES, Text


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


class Table:
    """One table of a TOML file that remembers which keys were read, so that an unknown key can be refused."""

    def __init__(self, data: dict[str, Any], file: str, path: str = "") -> None:
        self._data = data
        self._read: set[str] = set()
        self.file = file
        self.path = path

    def key(self, name: str) -> str:
        """Return the full name of one of this table's keys, for messages."""
        return f"{self.path}.{name}" if self.path else name

    def error(self, name: str, problem: str) -> DefinitionError:
        """Return an error about one of this table's keys."""
        return DefinitionError(self.file, self.key(name) if name else self.path, problem)

    def __contains__(self, name: str) -> bool:
        return name in self._data

    def names(self) -> tuple[str, ...]:
        """Return the keys that are there, in the order of the file."""
        return tuple(self._data)

    def _get(self, name: str, kind: type, described: str) -> Any:
        self._read.add(name)
        if name not in self._data:
            raise self.error(name, f"is missing; it must be {described}")
        value = self._data[name]
        # A TOML true is not a number, though Python's bool is an int.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(name, f"is {value!r}; it must be {described}")
        return value

    def string(self, name: str, default: str | None = None) -> str:
        """Return a text without space at its ends; an empty one is refused."""
        if default is not None and name not in self._data:
            return default
        value: str = self._get(name, str, "a text")
        if not value or value != value.strip():
            raise self.error(name, "is empty or has space at its ends; write the text itself")
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a whole number."""
        if default is not None and name not in self._data:
            return default
        value: int = self._get(name, int, "a whole number")
        return value

    def boolean(self, name: str, default: bool | None = None) -> bool:
        """Return true or false."""
        if default is not None and name not in self._data:
            return default
        value: bool = self._get(name, bool, "true or false")
        return value

    def answer(self, name: str) -> str | bool:
        """Return the answer to a question: a code or true/false."""
        return self.boolean(name) if isinstance(self._data.get(name), bool) else self.string(name)

    def number_or_false(self, name: str) -> float | None:
        """Return a number, or None where the file says false ("there is no score")."""
        self._read.add(name)
        value = self._data.get(name)
        if value is False:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(name, f"is {value!r}; it must be a number, or false for no score")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """Return a text that is one of `allowed`."""
        value = self.string(name, default)
        if value not in allowed:
            raise self.error(name, f"is {value!r}; it must be one of {', '.join(allowed)}")
        return value

    def text(self, name: str) -> Text:
        """Return words in every language; a missing language is refused."""
        table = self.table(name)
        words = {language: table.string(language) for language in LANGUAGES}
        table.done()
        return Text(**words)

    def optional_text(self, name: str) -> Text | None:
        """Return words in every language, or None where the key is absent."""
        return self.text(name) if name in self._data else None

    def strings(self, name: str) -> tuple[str, ...]:
        """Return a list of different texts; an absent key is an empty list."""
        if name not in self._data:
            return ()
        values = self._get(name, list, "a list of texts")
        for value in values:
            if not isinstance(value, str):
                raise self.error(name, f"holds {value!r}; each must be a text")
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise self.error(name, f"names {', '.join(twice)} more than once")
        return tuple(values)

    def table(self, name: str) -> Table:
        """Return a table inside this one."""
        return Table(self._get(name, dict, "a table"), self.file, self.key(name))

    def tables(self, name: str) -> Iterator[Table]:
        """Yield the tables of a list; an absent key is an empty list. Each is checked for unknown keys afterwards."""
        if name not in self._data:
            return
        for number, value in enumerate(self._get(name, list, "a list of tables"), start=1):
            path = f"{self.key(name)}[{number}]"
            if not isinstance(value, dict):
                raise DefinitionError(self.file, path, f"is {value!r}; it must be a table")
            table = Table(value, self.file, path)
            yield table
            table.done()

    def done(self) -> None:
        """Refuse the keys that nobody read."""
        unknown = [name for name in self._data if name not in self._read]
        if unknown:
            known = ", ".join(sorted(self._read))
            raise self.error(unknown[0], f"is not a key that is known here; known are {known}")


def read_toml(path: Path) -> Table:
    """Return the top table of a TOML file; DefinitionError where it can't be read or is not TOML."""
    try:
        return Table(tomllib.loads(path.read_text(encoding="utf-8")), path.name)
    except OSError as error:
        raise DefinitionError(path.name, "", f"can't be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DefinitionError(path.name, "", f"is not TOML in UTF-8: {error}") from error
