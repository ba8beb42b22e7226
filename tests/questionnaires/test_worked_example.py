"""The worked example of a living form in CONTRIBUTING.md is a definition that reads, as its readers will copy it."""

from __future__ import annotations

import re
from pathlib import Path

from questionnaires.catalogue import Catalogue

ROOT = Path(__file__).parents[2]


def test_the_example_is_a_definition_and_says_all_that_it_shows(tmp_path):
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("### A new part: a living form")[1]
    (tmp_path / "night.toml").write_text(re.search(r"```toml\n(.*?)```", text, re.S)[1], encoding="utf-8")
    form = Catalogue(definitions=tmp_path).living["night"]
    assert [group.many for group in form.groups] == [False, True]
    assert form.item("night-what").becomes == "goal"
