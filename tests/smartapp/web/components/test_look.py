"""The look keeps its promises: contrast in both schemes, nothing inline, sizes for fingers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smartapp.web.components.frame import STATIC, digest

APP = Path(__file__).parents[4] / "smartapp"
SHEET = (APP / "web/components/static/app.css").read_text()
TEMPLATES = sorted(APP.rglob("templates/**/*.html"))

# WCAG 2.2: 4.5 for text (1.4.3), 3 for what shows a control or its state (1.4.11).
TEXT = [
    ("ink", "paper"),
    ("ink", "sheet"),
    ("ink", "denim-tint"),
    ("ink", "thread-tint"),
    ("ink-soft", "paper"),
    ("ink-soft", "sheet"),
    ("ink-soft", "line"),
    ("thread", "paper"),
    ("thread", "sheet"),
    ("thread", "thread-tint"),
    ("denim", "paper"),
    ("denim", "sheet"),
    ("denim", "denim-tint"),
    ("denim", "thread-tint"),
    ("denim-deep", "denim-tint"),
    ("on-denim", "denim"),
    ("on-denim", "denim-deep"),
]
SHAPES = [
    ("line-strong", "paper"),
    ("line-strong", "sheet"),
    ("denim", "paper"),
    ("denim", "sheet"),
    ("thread", "sheet"),
]


def colours(scheme: str) -> dict[str, str]:
    """Return the custom properties of a scheme; dark ones stand on top of the light ones."""
    light, dark = re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)[:2]
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    return found if scheme == "light" else found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark))


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_ruler_is_right():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)  # WCAG's own definition
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # known to fail just so


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_can_be_read(scheme, text, ground):
    shades = colours(scheme)
    assert contrast(shades[text], shades[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_controls_can_be_seen(scheme, shape, ground):
    shades = colours(scheme)
    assert contrast(shades[shape], shades[ground]) >= 3


# A page that is read without us has all in it, by digest in its policy: tests/smartapp/pages/living/test_copy.py.
ALL_IN_IT = APP / "pages" / "living" / "templates" / "living" / "copy.html"


@pytest.mark.parametrize(
    "template", [file for file in TEMPLATES if file != ALL_IN_IT], ids=lambda file: str(file.relative_to(APP))
)
def test_a_template_has_nothing_inline(template):
    text = template.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", text, re.IGNORECASE)


def test_the_base_size_is_eighteen_pixels():
    assert "font-size: 112.5%" in SHEET  # 16 px × 1.125 = 18 px


def smaller(sheet: str) -> list[tuple[str, float]]:
    """Return what has letters smaller than the base, by its selector, in rem."""
    return [
        (selector.strip().splitlines()[-1].strip(), float(size))
        for selector, size in re.findall(r"([^{}]+)\{[^{}]*font-size: (0\.\d+)rem", sheet)
    ]


def test_no_letter_outside_a_chart_is_smaller_than_the_base():
    on_screen, _, on_paper = SHEET.partition("/* ---- print")
    # The page before a conversation has all on one screen of a professional: 16 px there, and no letter below 14 px.
    small = [(selector, size) for selector, size in smaller(on_screen) if not selector.startswith(".chart")]
    assert all(selector.startswith(".consult") and size >= 0.8 for selector, size in small)
    assert "html { font-size: 10pt" in on_paper
    assert all(size * 10 >= 9 for _, size in smaller(on_paper))  # pt: no smaller than the small print of a letter


def test_the_sheet_fetches_nothing_from_elsewhere():
    addresses = [address.strip('"') for address in re.findall(r"url\(([^)]*)\)", SHEET)]
    names = [address.partition("?")[0] for address in addresses]
    assert set(names) == {"stitch.svg", "fraunces-latin.woff2", "fraunces-latin-ext.woff2"}
    # With its fingerprint, browsers keep a file for a year.
    assert addresses == [f"{name}?v={digest(name)}" for name in names]
    assert "@import" not in SHEET


def test_the_face_of_the_headings_is_small_and_brings_its_licence():
    files = sorted(STATIC.glob("fraunces-*"))
    assert [file.name for file in files] == ["fraunces-latin-ext.woff2", "fraunces-latin.woff2", "fraunces-licence.txt"]
    assert sum(file.stat().st_size for file in files if file.suffix == ".woff2") <= 60_000
    assert "SIL Open Font License, Version 1.1" in files[-1].read_text()


def test_each_letter_is_in_one_file_of_the_face_at_most():
    ranges = re.findall(r"unicode-range: ([^;]*);", SHEET)
    letters = [set[int]() for _ in ranges]
    for found, text in zip(letters, ranges, strict=True):
        for part in text.split(", "):
            first, _, last = part.removeprefix("U+").partition("-")
            found.update(range(int(first, 16), int(last or first, 16) + 1))
    main, more = letters
    assert not main & more
    assert {ord(letter) for letter in "éëïöüÉñç€“”‘’–…"} <= main
    assert {ord(letter) for letter in "ąćęłńśźżğışőűčřťžșț"} - main <= more
