"""What a definition owes its readers: each of ours does, and a spoilt one is told what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from questionnaires.catalogue import Catalogue, instrument_from
from questionnaires.demands import DEMANDS, unmet
from questionnaires.model import Citation, Instrument, Text
from smartapp.commands import questionnaires as command
from tests.new_form import garden_data

KNOWN = Catalogue()
HOOP = KNOWN.instrument("hoop")


def _with_text(place: int, text: str) -> Instrument:
    [group, *_] = HOOP.groups
    items = list(group.items)
    items[place] = replace(items[place], text=Text(text, text))
    return replace(HOOP, groups=(replace(group, items=tuple(items)),))


def _with_long_prompt() -> Instrument:
    data = garden_data()
    data["groups"][0]["items"][0]["prompts"][0]["nl"] = "Kort. " + "woord " * 14 + "woord"
    return instrument_from(data, "garden.toml")


SPOILT = {
    "unworked_scores": (
        replace(HOOP, examples=HOOP.examples[:1], scores=(*HOOP.scores, replace(HOOP.scores[0], scale="joy"))),
        "hoop: no worked example gives joy a number",
    ),
    "no_example_of_too_few": (
        replace(HOOP, examples=tuple(one for one in HOOP.examples if all(v is not None for _, v in one.scores))),
        "hoop: no worked example has too few answers",
    ),
    "unused_sources": (
        replace(HOOP, citations=(*HOOP.citations, Citation("book", "A book", "nothing"))),
        "hoop: [sources] has book, which nothing refers to",
    ),
    "repeated_texts": (
        _with_text(1, HOOP.items[0].text.nl),
        "hoop: hoop-02 has the same text as hoop-01",
    ),
    "long_sentences": (_with_text(2, "woord " * 15), "hoop: hoop-03 has 15 words in Dutch"),
    "long_words_around": (_with_long_prompt(), "garden: garden-story prompt 1 has a sentence of 15 words in Dutch"),
    "je_without_u": (_with_text(2, "Wat hoop je?"), "hoop: “Wat hoop je?” says je; add u = "),
    "no_facts": (replace(HOOP, facts=()), "hoop: no fact says where its items come from"),
}


@pytest.mark.parametrize("instrument", KNOWN.instruments.values(), ids=lambda instrument: instrument.id)
def test_a_definition_of_ours_owes_nothing(instrument: Instrument):
    assert list(unmet(instrument)) == []


def test_each_demand_has_a_bad_example():
    assert [demand.__name__ for demand in DEMANDS] == list(SPOILT)


@pytest.mark.parametrize(("instrument", "line"), SPOILT.values(), ids=SPOILT)
def test_what_is_missing_is_said(instrument: Instrument, line: str):
    assert any(found.startswith(line) for found in unmet(instrument))


def test_official_wording_is_taken_as_it_is():
    instrument, _ = SPOILT["long_sentences"]
    assert list(unmet(replace(instrument, wording="official"))) == []


def test_the_command_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(command, "unmet", lambda _: iter(["hoop: no worked example has too few answers"]))
    with pytest.raises(SystemExit) as ended:
        command.command.main(["check"])
    assert ended.value.code == 1
    assert "hoop: no worked example has too few answers" in capsys.readouterr().err
