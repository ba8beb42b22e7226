"""Write the font of last resort: a box for every character there is, so that no text of a person is left out of a PDF.

A PDF reader gets the characters from the glyphs. One glyph stands for almost all characters, and the PDF then says
beside each what it was; emoji have a glyph each, because not every reader looks there for what lies beyond the first
65,536 characters. The tables are those of the OpenType specification, each as small as it allows.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

FONT = Path(__file__).parents[1] / "smartapp" / "web" / "fonts" / "last-resort.ttf"
FAMILY = "Verstel Last Resort"
UNITS, ADVANCE, ASCENT, DESCENT = 1000, 600, 800, -200
BOX = (60, 0, 540, 700)
LINE = 50
EMOJI = range(0x1F000, 0x1FB00)
# All that may stand in a text: no halves of a surrogate pair. Control characters too, as the typesetter looks for a
# shape for the end of a line together with what follows it.
CHARACTERS = (range(0xD800), range(0xE000, EMOJI.start), range(EMOJI.stop, 0x110000))
_COMPOSITE_AT_XY = 0x0002


def font() -> bytes:
    """Return the font as a TrueType file."""
    glyphs = [b"", _box(), *([_same_box()] * len(EMOJI))]
    tables = {
        b"OS/2": _os2(),
        b"cmap": _cmap(),
        b"glyf": b"".join(glyphs),
        b"head": _head(),
        b"hhea": struct.pack(
            ">2H3hH3h3h8xhH", 1, 0, ASCENT, DESCENT, 0, ADVANCE, BOX[0], ADVANCE - BOX[2], BOX[2], 1, 0, 0, 0, 1
        ),
        b"hmtx": struct.pack(f">H{len(glyphs)}h", ADVANCE, 0, *([BOX[0]] * (len(glyphs) - 1))),
        b"loca": _loca(glyphs),
        b"maxp": struct.pack(">I14H", 0x10000, len(glyphs), 8, 2, 8, 2, 1, 0, 0, 0, 0, 0, 0, 1, 1),
        b"name": _name(),
        b"post": struct.pack(">IihhI16x", 0x30000, 0, -100, 50, 1),
    }
    return _file(tables)


def _box() -> bytes:
    """Return the outline: a rectangle, and within it another that runs the other way round and so is its hole."""
    left, bottom, right, top = BOX
    outer = [(left, bottom), (left, top), (right, top), (right, bottom)]
    inner = [
        (left + LINE, bottom + LINE),
        (right - LINE, bottom + LINE),
        (right - LINE, top - LINE),
        (left + LINE, top - LINE),
    ]
    points = [*outer, *inner]
    steps = [(x - a, y - b) for (x, y), (a, b) in zip(points, [(0, 0), *points], strict=False)]
    flags = b"\x01" * len(points)  # on the curve, both coordinates as 16-bit steps
    coordinates = struct.pack(f">{2 * len(steps)}h", *(x for x, _ in steps), *(y for _, y in steps))
    return _even(struct.pack(">5h3H", 2, *BOX, 3, 7, 0) + flags + coordinates)


def _same_box() -> bytes:
    return struct.pack(">5h2Hbb", -1, *BOX, _COMPOSITE_AT_XY, 1, 0, 0)


def _loca(glyphs: Sequence[bytes]) -> bytes:
    places = [sum(map(len, glyphs[:2])) + (number - 2) * len(glyphs[2]) for number in range(2, len(glyphs) + 1)]
    return struct.pack(f">{len(glyphs) + 1}I", 0, 0, *places)


def _cmap() -> bytes:
    """Return format 13, made for fonts like this: ranges of characters that share one glyph."""
    one_glyph = [(each.start, each.stop - 1, 1) for each in CHARACTERS]
    own_glyph = [(character, character, 2 + number) for number, character in enumerate(EMOJI)]
    groups = b"".join(struct.pack(">3I", *group) for group in sorted([*one_glyph, *own_glyph]))
    table = struct.pack(">2H3I", 13, 0, 16 + len(groups), 0, len(groups) // 12) + groups
    return struct.pack(">4HI", 0, 1, 0, 6, 12) + table


def _head() -> bytes:
    return struct.pack(">2HIII2H16x4h2H3h", 1, 0, 0x10000, 0, 0x5F0F3CF5, 3, UNITS, *BOX, 0, 8, 2, 1, 0)


def _os2() -> bytes:
    return struct.pack(
        ">HhHHH10hh10s16s4sHHHhhhHH8xhhHHH",
        *(4, ADVANCE, 400, 5, 0),
        *(650, 700, 0, 140, 650, 700, 0, 480, 50, 260),
        *(0, bytes(10), bytes(16), b"NONE", 0x40, 0x20, 0xFFFF),
        *(ASCENT, DESCENT, 0, ASCENT, -DESCENT),
        *(500, 700, 0, 0x20, 1),
    )


def _name() -> bytes:
    texts = {
        0: "CC0 1.0",
        1: FAMILY,
        2: "Regular",
        3: "verstel-last-resort-1",
        4: FAMILY,
        5: "Version 1.0",
        6: FAMILY.replace(" ", ""),
    }
    records, storage = b"", b""
    for number, text in texts.items():
        encoded = text.encode("utf-16-be")
        records += struct.pack(">6H", 3, 1, 0x409, number, len(encoded), len(storage))
        storage += encoded
    return struct.pack(">3H", 0, len(texts), 6 + len(records)) + records + storage


def _file(tables: dict[bytes, bytes]) -> bytes:
    start = 12 + 16 * len(tables)
    directory, body = b"", b""
    for tag, content in sorted(tables.items()):
        directory += struct.pack(">4s3I", tag, _checksum(content), start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    largest = 1 << (len(tables).bit_length() - 1)
    shape = (len(tables), largest * 16, largest.bit_length() - 1, (len(tables) - largest) * 16)
    made = struct.pack(">I4H", 0x10000, *shape) + directory + body
    adjusted = (0xB1B0AFBA - _checksum(made)) & 0xFFFFFFFF
    at = made.index(b"head", 12)
    place = int.from_bytes(made[at + 8 : at + 12], "big") + 8
    return made[:place] + adjusted.to_bytes(4, "big") + made[place + 4 :]


def _checksum(content: bytes) -> int:
    padded = content + bytes(-len(content) % 4)
    words = (padded[at : at + 4] for at in range(0, len(padded), 4))
    return sum(int.from_bytes(word, "big") for word in words) & 0xFFFFFFFF


def _even(content: bytes) -> bytes:
    return content + bytes(-len(content) % 2)


def stale() -> Iterator[str]:
    """Yield a line if the committed font is another one."""
    if not FONT.is_file() or FONT.read_bytes() != font():
        yield "smartapp/web/fonts/last-resort.ttf: is not what scripts/last_resort.py gives"


def main() -> int:
    """Write the font."""
    FONT.write_bytes(font())
    return 0
