"""The reverse of `reading.py`, for definitions: data as TOML, in the layout of our own files.

`verstel wording apply` writes with it, so that an organisation's definition reads like ours and a diff shows its texts.
"""

from __future__ import annotations

import json
from typing import Any

# Lists of tables that get a heading of their own; every other list of tables has one table per line.
_HEADED = {"scales", "groups", "groups.items", "scores", "examples"}


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        # A TOML basic string is a JSON string, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        if value and all(isinstance(entry, dict) for entry in value):
            return "[\n" + "".join(f"  {_inline(entry)},\n" for entry in value) + "]"
        return "[" + ", ".join(_inline(entry) for entry in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_inline(entry)}" for key, entry in value.items()) + " }"
    raise TypeError(f"{value!r} can't be part of a definition")


def _table(heading: str, table: dict[str, Any]) -> list[str]:
    headed = [key for key in table if f"{heading}.{key}".lstrip(".") in _HEADED]
    # What reads best one per line, under a heading; elsewhere `sources` is a list of keys.
    listed = [key for key in ("sources", "living") if isinstance(table.get(key), dict)]
    lines = [f"{key} = {_inline(value)}" for key, value in table.items() if key not in (*headed, *listed)]
    for key in listed:
        lines += ["", f"[{key}]", *(f"{name} = {_inline(value)}" for name, value in table[key].items())]
    for key in headed:
        path = f"{heading}.{key}".lstrip(".")
        for entry in table[key]:
            lines += ["", f"[[{path}]]", *_table(path, entry)]
    return lines


def definition_toml(data: dict[str, Any], comment: str = "") -> str:
    """Return a definition's data as TOML; reading it again gives equal data. `comment` comes first, as # lines."""
    head = [f"# {line}".rstrip() for line in comment.splitlines()]
    return "\n".join([*head, *([""] if head else []), *_table("", data)]) + "\n"
