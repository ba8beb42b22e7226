"""Measure a PDF: how large its letters are and where they stand, and which lines are drawn."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pypdfium2
import pypdfium2.raw as pdfium

MM = 72 / 25.4  # pt


def letters_of(content: bytes) -> list[tuple[float, tuple[float, float, float, float]]]:
    """Return for each run of letters its size in pt and its box (left, bottom, right, top), without white space."""
    return list(_parts(content, pdfium.FPDF_PAGEOBJ_TEXT))


def lines_of(content: bytes) -> list[tuple[float, float, float, float]]:
    """Return the box of each line that is drawn."""
    return [box for _size, box in _parts(content, pdfium.FPDF_PAGEOBJ_PATH)]


def _parts(content: bytes, kind: int) -> Iterator[tuple[float, tuple[float, float, float, float]]]:
    document = pypdfium2.PdfDocument(content)
    try:
        for page in document:
            for number in range(pdfium.FPDFPage_CountObjects(page)):
                part = pdfium.FPDFPage_GetObject(page, number)
                if pdfium.FPDFPageObj_GetType(part) == kind:
                    sides = [ctypes.c_float() for _side in range(4)]
                    pdfium.FPDFPageObj_GetBounds(part, *sides)
                    left, bottom, right, top = (side.value for side in sides)
                    yield _size(part) if kind == pdfium.FPDF_PAGEOBJ_TEXT else 0.0, (left, bottom, right, top)
            page.close()
    finally:
        document.close()


def _size(part: object) -> float:
    size, matrix = ctypes.c_float(), pdfium.FS_MATRIX()
    pdfium.FPDFTextObj_GetFontSize(part, size)
    pdfium.FPDFPageObj_GetMatrix(part, matrix)
    return round(size.value * matrix.a, 2)
