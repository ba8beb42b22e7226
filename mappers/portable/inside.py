"""The file inside a PDF, taken out of it without reading the PDF: whoever hands one in may have made it to do harm.

A file in a PDF is a stream of type EmbeddedFile, which no PDF hides within another stream. It is plain, or compressed
with zlib; then no more is unpacked than a file may hold.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Final

from mappers.portable.reading import NotAFile
from mappers.portable.shapes import MOST_BYTES

MOST_PDF_BYTES: Final = 5_000_000
MOST_FILES: Final = 20
_STREAM: Final = re.compile(rb"/EmbeddedFile\b(?P<rest>[^\r\n]{0,2000}?>>|.{0,2000}?>>)\s*stream(?:\r\n|\n)", re.DOTALL)
_END: Final = re.compile(rb"\r?\n?endstream")


def is_pdf(content: bytes) -> bool:
    """Tell whether this says that it is a PDF."""
    return content[:1024].lstrip().startswith(b"%PDF-")


def file_inside(content: bytes) -> bytes:
    """Return the JSON file inside a PDF. Raises NotAFile where there is none, or where it can't be had safely."""
    if len(content) > MOST_PDF_BYTES:
        raise NotAFile(f"it is larger than {MOST_PDF_BYTES // 1_000_000} MB", why="large")
    for found in _files(content):
        if found.lstrip().startswith(b"{"):
            return found
    raise NotAFile("there is no file of Verstel inside the PDF", why="nothing-inside")


def _files(content: bytes) -> Iterator[bytes]:
    for number, start in enumerate(_STREAM.finditer(content)):
        if number == MOST_FILES:
            return
        body = content[start.end() :]
        if b"FlateDecode" in start["rest"] or body[:1] == b"\x78":
            yield _unpacked(body)
        elif (end := _END.search(body)) is not None:
            yield body[: end.start()]


def _unpacked(body: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        found = unpacking.decompress(body, MOST_BYTES + 1)
    except zlib.error:
        return b""
    if len(found) > MOST_BYTES:
        raise NotAFile(f"what is inside is larger than {MOST_BYTES // 1_000_000} MB", why="large")
    return found
