"""PDF from a typst template and data: tagged, with a title and a language, and the same bytes each time.

Each is PDF/UA-1, so that it can be read aloud, and PDF/A-2a, so that it can be kept: it needs nothing from outside
itself. A text with a character for private use, such as an icon of somebody's own font, makes it PDF/A-2u instead:
what such a character says is agreed with nobody, and level a asks for its meaning in words. With a file inside it is
PDF/A-3, which is the same but for that.

Texts of people travel as data, never as markup, so nothing in them can mean anything to the typesetter. A character for
which no font has a shape is drawn as a box by our last resort, `fonts/last-resort.ttf`, and can be copied and read
aloud all the same; a control character of another system becomes U+FFFD. Install fonts on the machine, such as Debian's
`fonts-noto-core`, and those of `FONTS` are used.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import typst
from flask import Response

from smartapp.errors import NotTypeset
from smartapp.fhir.workplaces import elsewhere
from smartapp.storage.launches import Person
from smartapp.web.language import gettext as _
from smartapp.web.language import language
from smartapp.web.sheet import sheet_head

log = logging.getLogger(__name__)

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
# PDF cannot carry these, or they are no letters.
_NOT_PDF: Final = re.compile("[\0-\x08\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_BYTE_ORDER_MARK: Final = "\ufeff"
_LINE_ENDS: Final = re.compile("[\n-\r\x1c-\x1e\x85\u2028\u2029]+")
_DIRECTIONS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_EMBEDDINGS: Final = ("\u202a\u202b\u202d\u202e", "\u202c")
_ISOLATES: Final = ("\u2066\u2067\u2068", "\u2069")
# The typesetter breaks down over some 60 directions within each other, in all texts of one paragraph together.
_DEEPEST: Final = 15
_LONG_RUN: Final = re.compile(r"[^\s\u200b]{30}(?=[^\s\u200b])")
# A PDF gives the words of a heading a second time, as a string, and a long one can't be kept as PDF/A.
_LONGEST_HEADING: Final = 280
_LONGEST_NAME: Final = 120
_WITHOUT_WIDTH: Final = frozenset({"Mn", "Me", "Cf", "Cc"})
# So many signs without width more than two per letter: no script and no emoji is written so.
_MOST_WITHOUT_WIDTH: Final = 400
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})


@cache
def _fonts() -> typst.Fonts:
    # Looked up once: the folders of a machine may hold hundreds.
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=[_FOLDER])


@dataclass(frozen=True, slots=True)
class Inside:
    """A file in a PDF: UTF-8 text as bytes, its name, its media type, and what a reader of the PDF is told of it."""

    name: str
    content: bytes
    kind: str
    about: str


def pdf(
    title: str,
    template: Path,
    data: Mapping[str, Any],
    *,
    person: Person,
    made: dt.datetime,
    inside: Inside | None = None,
) -> bytes:
    """Return the PDF about a person that a typst template makes of `data`, in the language of the reader.

    `made` is when the document says it was made. What all papers share, `sheet.typ`, stands before the template, which
    is for what goes between head and foot; with a file `inside`, it attaches that. Raises NotTypeset.
    """
    inputs = _inputs(title, data, person, made)
    with _typesetter(template):
        content = typst.compile(
            _source(template),
            sys_inputs={"data": inputs, **_given(inside)},
            font_paths=_fonts(),
            pdf_standards=["ua-1", _archived(inputs, with_file=inside is not None)],
            timestamp=int(made.timestamp()),
        )
    if not isinstance(content, bytes):
        raise NotTypeset("the typesetter gave no document")
    return content


def told_by(
    title: str, template: Path, data: Mapping[str, Any], label: str, *, person: Person, made: dt.datetime
) -> str:
    """Return as JSON what the paper that `pdf` would make tells of itself under a label: what it had no room for, say.

    Raises NotTypeset.
    """
    inputs = _inputs(title, data, person, made)
    with _typesetter(template):
        return typst.query(
            _source(template), label, field="value", one=True, sys_inputs={"data": inputs}, font_paths=_fonts()
        )


def _archived(inputs: str, *, with_file: bool) -> Literal["a-2a", "a-2u", "a-3a", "a-3u"]:
    """Return which PDF/A a paper is; see the module."""
    if _for_private_use(inputs):
        return "a-3u" if with_file else "a-2u"
    return "a-3a" if with_file else "a-2a"


def _given(inside: Inside | None) -> dict[str, str]:
    if inside is None:
        return {}
    return {
        "inside": inside.content.decode(),
        "inside-name": inside.name,
        "inside-kind": inside.kind,
        "inside-about": inside.about,
    }


def _source(template: Path) -> bytes:
    return _SHEET.read_bytes() + template.read_bytes()


def _inputs(title: str, data: Mapping[str, Any], person: Person, made: dt.datetime) -> str:
    """Return all that a template reads, as JSON."""
    named = replace(person, display=_shortened(person.display))
    head = sheet_head(named, made.date())
    sheet = {
        "title": title,
        "author": named.display,
        "whose": head.whose,
        "day": head.day,
        "made": [made.year, made.month, made.day],
        "of": _("of"),
        "language": language(),
        "fonts": FONTS,
    }
    return json.dumps(_printable_everywhere({**data, "sheet": sheet}), ensure_ascii=False)


@contextlib.contextmanager
def _typesetter(template: Path) -> Iterator[None]:
    """Have the typesetter work beside other requests, and whatever it stumbles over be NotTypeset."""
    try:
        with elsewhere():  # some hundred milliseconds, none of them Python's
            yield
    except BaseException as error:
        # Where the typesetter breaks down that is no Exception, but no reason to end a request or a thread either.
        if not isinstance(error, typst.TypstError) and type(error).__module__ != "pyo3_runtime":
            raise
        log.warning("the paper %s/%s could not be made", template.parent.name, template.stem)
        raise NotTypeset(str(error)) from error


def _printable_everywhere(value: Any) -> Any:
    """Make every text fit to be drawn, wherever it stands: other systems send anything."""
    if isinstance(value, str):
        return _printable(value)
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
    return {
        "lines": [part for line in text.splitlines() for part in _with_width(line)],
        "rtl": _is_right_to_left(text),
    }


def heading_lines(text: str) -> dict[str, Any]:
    """Return a person's text for a template that makes it a heading: `head`, and `rest` where it is too long for one.

    Both are as `lines` returns them; `rest` is None if nothing is left. Together they are the whole text.
    """
    text = text.strip()
    if len(text) <= _LONGEST_HEADING:
        return {"head": lines(text), "rest": None}
    at = max(text.rfind(space, 0, _LONGEST_HEADING + 1) for space in " \n") + 1 or _LONGEST_HEADING
    return {"head": lines(text[:at].rstrip()), "rest": lines(text[at:])}


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1].rstrip()}…"


def _with_width(line: str) -> list[str]:
    """Cut a line where nothing but signs without width follow each other.

    A line is set until it is full; one that never gets full is set from its beginning at each place where it could end,
    which took minutes for a letter with 30,000 accents.
    """
    parts, begin, surplus = [], 0, 0
    for at, character in enumerate(line):
        surplus = surplus + 1 if unicodedata.category(character) in _WITHOUT_WIDTH else max(0, surplus - 2)
        if surplus == _MOST_WITHOUT_WIDTH:
            parts.append(line[begin:at])
            begin, surplus = at, 0
    return [*parts, line[begin:]]


def _printable(line: str) -> str:
    """Replace what no font can draw and no PDF can carry, and let a word without end be broken."""
    line = _NOT_PDF.sub("\ufffd", _LINE_ENDS.sub(" ", line.replace(_BYTE_ORDER_MARK, ""))).replace("\t", "    ")
    if _depth(line, *_EMBEDDINGS) + _depth(line, *_ISOLATES) > _DEEPEST:
        line = _DIRECTIONS.sub("", line)
    return _LONG_RUN.sub(_breakable, line)


def _depth(line: str, opening: str, closing: str) -> int:
    """Return how many directions lie within each other at most."""
    deepest = depth = 0
    for character in _DIRECTIONS.findall(line):
        depth = depth + 1 if character in opening else max(0, depth - (character == closing))
        deepest = max(deepest, depth)
    return deepest


def _breakable(run: re.Match[str]) -> str:
    """Let a word, an address say, be broken invisibly, or it runs off its column; not between letter and accent."""
    word, following = run[0], run.string[run.end()]
    at = len(word) - 1 if _is_mark(following) and not _is_mark(word[-1]) else len(word)
    return f"{word[:at]}\u200b{word[at:]}"


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _is_right_to_left(text: str) -> bool:
    """Tell it by the first letter that has a direction, as browsers do with `dir="auto"`."""
    directions = (unicodedata.bidirectional(character) for character in text)
    return next((one in _RIGHT_TO_LEFT for one in directions if one in {"L", *_RIGHT_TO_LEFT}), False)
