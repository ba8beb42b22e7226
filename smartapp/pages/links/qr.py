"""A link as a QR code: on a page as SVG, and for paper as what is dark in each of its rows."""

from __future__ import annotations

from itertools import groupby
from typing import Final

import segno
from markupsafe import Markup

_QUIET: Final = 4
"""Light modules around a code, as its standard asks."""


def on_page(link: str, title: str) -> Markup:
    """Return the QR code as an SVG for a page, as large as its box; `title` says what it is to who can't see it."""
    drawn = _made(link).svg_inline(
        border=_QUIET, omitsize=True, svgclass="qr", lineclass=None, dark="#000", light="#fff", title=title
    )
    return Markup(drawn.replace("<svg ", '<svg role="img" ', 1))  # noqa: S704  (segno escapes the title)


def dark_runs(link: str) -> list[list[tuple[int, int]]]:
    """Return, for each row of the QR code, where dark modules begin and how many there are, without a border."""
    return [list(_runs(row)) for row in _made(link).matrix]


def _runs(row: bytearray) -> list[tuple[int, int]]:
    found, at = [], 0
    for dark, group in groupby(row, key=bool):
        length = len(list(group))
        if dark:
            found.append((at, length))
        at += length
    return found


def _made(link: str) -> segno.QRCode:
    # Level M, as the specification of SMART Health Links recommends.
    return segno.make(link, error="m", micro=False, boost_error=False)
