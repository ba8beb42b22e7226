"""Make the pictures in docs/: every page of the tour, wide and 320 px, and the first screen of the README.

python -m scripts.pictures [NAME…]   only the stops whose names begin with NAME
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from scripts.tour import STOPS, Demo, Stop, Visitor, chromium, close

DOCS = Path(__file__).parents[1] / "docs"
PICTURES = DOCS / "pictures"
WIDTHS = {"wide": 1200, "narrow": 320}
# Good enough to read every letter, small enough for a repository.
JPEG_QUALITY = 55


def main(names: list[str]) -> None:
    """Walk the tour and take a picture per width at each stop."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    chosen = [stop for stop in STOPS if not names or any(stop.name.startswith(name) for name in names)]
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        demo = Demo.start(Path(folder))
        try:
            for stop in chosen:
                take(browser, demo, stop)
        finally:
            demo.stop()
        # These two show all pictures, so a partial run leaves them as they are.
        if not names:
            first_screen(browser)
            write_gallery()


def take(browser: Browser, demo: Demo, stop: Stop) -> None:
    """Take the pictures of one stop."""
    # A context of its own per stop: no cookie of an earlier sign-in, and the same colours on every machine.
    context = browser.new_context(locale="nl-NL", color_scheme="light")
    visitor = Visitor(context.new_page(), demo)
    if stop.role != "nobody":
        visitor.launch(stop.role, stop.person)
    stop.way(visitor)
    for label, width in WIDTHS.items():
        visitor.page.set_viewport_size({"width": width, "height": 900})
        path = PICTURES / f"{stop.name}-{label}.jpg"
        visitor.page.screenshot(path=path, full_page=True, type="jpeg", quality=JPEG_QUALITY)
    close(context)


def first_screen(browser: Browser) -> None:
    """Put the client's phone and the clinician's page side by side, for the README."""

    def shown(name: str) -> str:
        return f"data:image/jpeg;base64,{base64.b64encode((PICTURES / name).read_bytes()).decode()}"

    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_content(f"""
        <style>
          body {{ margin: 0; height: 720px; display: flex; gap: 48px; align-items: flex-start; overflow: hidden;
                 padding: 40px 48px 0; box-sizing: border-box; background: #e9dcc8; }}
          figure {{ margin: 0; overflow: hidden; background: #faf4ea; box-shadow: 0 12px 40px #0004; }}
          .phone {{ width: 320px; height: 640px; border-radius: 28px; border: 8px solid #2a2522; flex: none; }}
          .chart {{ flex: 1; height: 720px; border-radius: 10px 10px 0 0; }}
          img {{ width: 100%; display: block; }}
        </style>
        <figure class="phone"><img src="{shown("plan-narrow.jpg")}"></figure>
        <figure class="chart"><img src="{shown("overview-wide.jpg")}"></figure>""")
    page.screenshot(path=PICTURES / "first-screen.png")
    page.close()


def write_gallery() -> None:
    """Write the page that shows all pictures."""
    rows = "\n".join(
        f"| {stop.name} | ![{stop.name}, wide](pictures/{stop.name}-wide.jpg) "
        f"| ![{stop.name}, 320 px](pictures/{stop.name}-narrow.jpg) |"
        for stop in STOPS
    )
    head = "# Every page\n\nMade by `make pictures` from the running demo.\n\n| page | wide | 320 px |\n|---|---|---|\n"
    (DOCS / "pages.md").write_text(f"{head}{rows}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
