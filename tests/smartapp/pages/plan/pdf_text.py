"""Read what a PDF says, as a screen reader does: the text beside a glyph counts, else what the glyph stands for."""

from __future__ import annotations

import ctypes
import struct
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

# With what the two halves of a letter beyond the first 65,536 begin in UTF-16; ten bits of each vary.
_FIRST_HALF, _SECOND_HALF = 0xD800 >> 10, 0xDC00 >> 10


def text_in(content: bytes) -> str:
    """Return the characters of a PDF in the order they were put there, without its white space."""
    document = pypdfium2.PdfDocument(content)
    try:
        return squeezed("".join(part for page in document for part in _parts(page)))
    finally:
        document.close()


def tags_in(content: bytes) -> list[tuple[str, str]]:
    """Return the tags of a PDF in reading order, each with its text for who cannot see it, "" where it has none."""
    document = pypdfium2.PdfDocument(content)
    found: list[tuple[str, str]] = []
    for page in document:
        tree = pdfium.FPDF_StructTree_GetForPage(page)
        for number in range(pdfium.FPDF_StructTree_CountChildren(tree)):
            found += _tags(pdfium.FPDF_StructTree_GetChildAtIndex(tree, number))
        pdfium.FPDF_StructTree_Close(tree)
        page.close()
    document.close()
    return found


def sheets_in(content: bytes) -> list[str]:
    """Return what stands on each sheet of a PDF, its white space as single spaces."""
    document = pypdfium2.PdfDocument(content)
    sheets = []
    for page in document:
        textpage = page.get_textpage()
        sheets.append(" ".join(textpage.get_text_bounded().split()))
        textpage.close()
        page.close()
    document.close()
    return sheets


def _tags(element: Any) -> Iterator[tuple[str, str]]:
    # What has no place on this page has no element here.
    if element:
        yield (
            _string(pdfium.FPDF_StructElement_GetType, element),
            _string(pdfium.FPDF_StructElement_GetAltText, element),
        )
        for number in range(pdfium.FPDF_StructElement_CountChildren(element)):
            yield from _tags(pdfium.FPDF_StructElement_GetChildAtIndex(element, number))


def _string(read: Any, element: Any) -> str:
    buffer = ctypes.create_string_buffer(read(element, None, 0))
    read(element, buffer, len(buffer))
    return buffer.raw.decode("utf-16-le").rstrip("\0")


def squeezed(text: str) -> str:
    """Return a text as it can be compared: no white space or invisible marks, ligatures and accents taken apart."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(one for one in plain if not one.isspace() and unicodedata.category(one) not in ("Cf", "Cc", "Zs"))


def _parts(page: pypdfium2.PdfPage) -> Iterator[str]:
    textpage, seen = page.get_textpage(), set[int]()
    for number in range(pdfium.FPDFPage_CountObjects(page)):
        part = pdfium.FPDFPage_GetObject(page, number)
        if pdfium.FPDFPageObj_GetType(part) == pdfium.FPDF_PAGEOBJ_TEXT:
            said = _actual_text(part, seen)
            yield _glyphs(part, textpage) if said is None else said
    textpage.close()
    page.close()


def _actual_text(part: Any, seen: set[int]) -> str | None:
    """Return the text beside a glyph, None where there is none; what stands beside several glyphs is said once."""
    for number in range(pdfium.FPDFPageObj_CountMarks(part)):
        mark = pdfium.FPDFPageObj_GetMark(part, number)
        length = ctypes.c_ulong()
        # Its bytes, because PDFium itself reads half of a character beyond the first 65,536.
        if pdfium.FPDFPageObjMark_GetParamBlobValue(mark, b"ActualText", None, 0, length):
            address = ctypes.cast(mark, ctypes.c_void_p).value or 0
            if address in seen:
                return ""
            seen.add(address)
            buffer = (ctypes.c_ubyte * length.value)()
            pdfium.FPDFPageObjMark_GetParamBlobValue(mark, b"ActualText", buffer, length.value, length)
            content = bytes(buffer)
            return content.decode("utf-16" if content.startswith(b"\xfe\xff") else "latin-1")
    return None


def _glyphs(part: Any, textpage: pypdfium2.PdfTextPage) -> str:
    length = pdfium.FPDFTextObj_GetText(part, textpage, None, 0)
    buffer = (ctypes.c_ushort * (length // 2))()
    pdfium.FPDFTextObj_GetText(part, textpage, buffer, length)
    # PDFium takes a hyphen at the end of a line for one that was put there to break a word.
    return _in_order(buffer).rstrip("\0").replace("\x02", "-")


def _in_order(units: Sequence[int]) -> str:
    """Return the text that UTF-16 units make; from right to left PDFium turns the halves of a letter round."""
    mended, at = list(units), 0
    while at + 1 < len(mended):
        first, second = mended[at : at + 2]
        if second >> 10 == _FIRST_HALF and first >> 10 == _SECOND_HALF:
            mended[at : at + 2] = second, first
        at += 2 if {first >> 10, second >> 10} == {_FIRST_HALF, _SECOND_HALF} else 1
    return struct.pack(f"<{len(mended)}H", *mended).decode("utf-16-le")
