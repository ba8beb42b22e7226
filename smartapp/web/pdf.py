"""PDF from a typst template and data: tagged, with a title and a language, and the same bytes each time.

Each is PDF/UA-1, so that it can be read aloud, and PDF/A-2a, so that it can be kept: it needs nothing from outside
itself. A text with a character for private use, such as an icon of somebody's own font, makes it PDF/A-2u instead: what
such a character says is agreed with nobody, and level a asks for its meaning in words.

Texts of people travel as data, never as markup, so nothing in them can mean anything to the typesetter. A character for
which no font has a shape is drawn as a box by our last resort, `fonts/last-resort.ttf`, and can be copied and read
aloud all the same. Install fonts on the machine, such as Debian's `fonts-noto-core`, and those of `FONTS` are used.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst
from flask import Response

from smartapp.fhir.workplaces import elsewhere
from smartapp.storage.launches import Person
from smartapp.web.language import gettext as _
from smartapp.web.language import language
from smartapp.web.sheet import sheet_head

# The first that has a shape for a character gives it. Those from outside typst come before its own that are poorer.
FONTS: Final = (
    "Libertinus Serif",
    "Noto Naskh Arabic",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Ethiopic",
    "Noto Sans Devanagari",
    "Noto Sans Bengali",
    "Noto Sans Tamil",
    "Noto Sans Thai",
    "Noto Sans Armenian",
    "Noto Sans Georgian",
    "Noto Sans CJK SC",
    "Noto Color Emoji",
    "DejaVu Sans",
    "DejaVu Sans Mono",
    "New Computer Modern",
    "New Computer Modern Math",
    "Verstel Last Resort",
)
_FOLDER: Final = Path(__file__).with_name("fonts")
_SHEET: Final = Path(__file__).with_name("sheet.typ")
# PDF cannot carry these; the first is a byte order mark, which says nothing within a text.
_NOT_PDF: Final = re.compile("[\0\ufffe\uffff]")
_BYTE_ORDER_MARK: Final = "\ufeff"
_LONG_RUN: Final = re.compile(r"\S{30}(?=\S)")
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})


class NotTypeset(Exception):
    """A document could not be made; the message is the typesetter's, and may hold what a person wrote."""


@cache
def _fonts() -> typst.Fonts:
    # Looked up once: the folders of a machine may hold hundreds.
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=[_FOLDER])


def pdf(title: str, template: Path, data: Mapping[str, Any], *, person: Person, made: dt.datetime) -> bytes:
    """Return the PDF about a person that a typst template makes of `data`, in the language of the reader.

    `made` is when the document says it was made. What all papers share, `sheet.typ`, stands before the template, which
    is for what goes between head and foot. Raises NotTypeset.
    """
    head = sheet_head(person, made.date())
    sheet = {
        "title": title,
        "author": person.display,
        "whose": _printable(head.whose),
        "day": head.day,
        "made": [made.year, made.month, made.day],
        "of": _("of"),
        "language": language(),
        "fonts": FONTS,
    }
    inputs = json.dumps(_printable_everywhere({**data, "sheet": sheet}), ensure_ascii=False)
    try:
        with elsewhere():  # some hundred milliseconds, none of them Python's
            content = typst.compile(
                _SHEET.read_bytes() + template.read_bytes(),
                sys_inputs={"data": inputs},
                font_paths=_fonts(),
                pdf_standards=["ua-1", "a-2u" if _for_private_use(inputs) else "a-2a"],
                timestamp=int(made.timestamp()),
            )
    except typst.TypstError as error:
        raise NotTypeset(str(error)) from error
    if not isinstance(content, bytes):
        raise NotTypeset("the typesetter gave no document")
    return content


def _printable_everywhere(value: Any) -> Any:
    """Replace what no font can draw and no PDF can carry, wherever it stands: other systems send anything."""
    if isinstance(value, str):
        return _NOT_PDF.sub("\ufffd", value.replace(_BYTE_ORDER_MARK, ""))
    if isinstance(value, Mapping):
        return {name: _printable_everywhere(part) for name, part in value.items()}
    return [_printable_everywhere(part) for part in value] if isinstance(value, list | tuple) else value


def _for_private_use(text: str) -> bool:
    return any(unicodedata.category(character) == "Co" for character in text)


def download(content: bytes, name: str) -> Response:
    """Answer with a PDF to keep. `name` ends up in folders and in mail: no name of a person belongs in it."""
    answer = Response(content, mimetype="application/pdf")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.pdf")
    return answer


def lines(text: str) -> dict[str, Any]:
    """Return a person's text for a template: its lines, and whether it is written from right to left."""
    return {"lines": [_printable(line) for line in text.splitlines()], "rtl": _is_right_to_left(text)}


def _printable(line: str) -> str:
    line = _NOT_PDF.sub("\ufffd", line.replace(_BYTE_ORDER_MARK, "")).replace("\t", "    ")
    # A word without end, an address say, would run off the page or its column: here it may be broken, invisibly.
    return _LONG_RUN.sub("\\g<0>\u200b", line)


def _is_right_to_left(text: str) -> bool:
    """Tell it by the first letter that has a direction, as browsers do with `dir="auto"`."""
    directions = (unicodedata.bidirectional(character) for character in text)
    return next((one in _RIGHT_TO_LEFT for one in directions if one in {"L", *_RIGHT_TO_LEFT}), False)
