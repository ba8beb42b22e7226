"""A made-up part of the plan, as one entry in the data file and nothing else: what must follow from it is tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from questionnaires import catalogue as reading
from questionnaires.catalogue import Catalogue
from questionnaires.plan_parts import PLAN_PARTS

# Nobody will ever ask this, so no real part gets in the way of these tests.
HARBOUR = """
[[parts]]
code = "harbour"
rows = 10
title = { nl = "Mijn haven", en = "My harbour" }
help = { nl = "Waar kom je tot rust?", u = "Waar komt u tot rust?", en = "Where do you find calm?" }
invitation = { nl = "Waar meer je aan?", u = "Waar meert u aan?", en = "Where do you moor?" }
write = { nl = "Mijn haven beschrijven", en = "Describe my harbour" }
change = { nl = "Mijn haven aanpassen", en = "Change my harbour" }
saved = { nl = "Je haven is bewaard.", u = "Uw haven is bewaard.", en = "Your harbour is saved." }

[parts.overview]
title = { nl = "Haven, in eigen woorden", en = "Harbour, in their own words" }
empty = { nl = "Nog geen haven beschreven.", en = "No harbour described yet." }

[parts.extension]
id = "safe-harbour"
title = "Safe harbour"
description = "Where the client finds calm, in their own words."
"""


def parts_with(folder: Path, entry: str = HARBOUR) -> Path:
    """Write our own parts and one more entry into a file and return its path."""
    path = folder / "plan_parts.toml"
    path.write_text(PLAN_PARTS.read_text(encoding="utf-8") + entry, encoding="utf-8")
    return path


def ask_also(monkeypatch: pytest.MonkeyPatch, folder: Path, entry: str = HARBOUR) -> None:
    """Let the whole process read one part more, until the test ends; the catalogue of other tests stays as it is."""
    monkeypatch.setattr(reading, "PLAN_PARTS", parts_with(folder, entry))
    known = Catalogue()
    monkeypatch.setattr(reading, "_catalogue", lambda _applied: known)
