"""A definition that is written as TOML reads back as it was, whatever its texts hold."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from questionnaires.writing import definition_toml

# TOML has no lone surrogates, as UTF-8 has none.
texts = st.text(st.characters(exclude_categories=["Cs"]))
words = st.fixed_dictionaries({"nl": texts, "en": texts})
items = st.lists(st.fixed_dictionaries({"id": texts, "text": words, "quoted": st.booleans()}), min_size=1)


@given(
    title=words,
    minutes=st.integers(min_value=-(2**63), max_value=2**63 - 1),
    number=st.floats(allow_nan=False),
    citation=texts,
    groups=st.lists(st.fixed_dictionaries({"id": texts, "items": items}), min_size=1),
)
def test_what_is_written_is_read(title, minutes, number, citation, groups):
    data = {
        "title": title,
        "minutes": minutes,
        "number": number,
        "facts": [{"about": citation, "sources": [citation, "a"], "verified": True}],
        "sources": {"a": {"citation": citation}},
        "groups": groups,
    }
    assert tomllib.loads(definition_toml(data, "A comment,\non two lines.")) == data
