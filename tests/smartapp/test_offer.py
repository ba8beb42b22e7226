"""What a place has to offer: a data file of its own, in which every slip is named."""

from __future__ import annotations

import re

import pytest

from questionnaires.catalogue import catalogue
from questionnaires.model import FORMAL, Text
from questionnaires.reading import DefinitionError
from smartapp.offer import EXAMPLE, Offered, offered_at, question, read_offer, read_offer_for_loved_ones
from smartapp.settings import ConfigError, Settings
from tests.smartapp.test_settings import GOOD

ACADEMY = '[[offer]]\nchoice = "2"\nname = { nl = "Academie" }\n'


@pytest.fixture
def written(tmp_path):
    """Write a file with an offer and return its path."""

    def write(text: str):
        path = tmp_path / "offer.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_example_is_read_and_has_something_for_every_answer_but_nothing():
    entries = read_offer(EXAMPLE)
    assert {entry.choice for entry in entries} == {option.code for option in question().scale.options} - {"1"}
    assert any(not entry.url for entry in entries)


def test_what_is_for_loved_ones_belongs_to_no_answer_and_is_offered_to_no_client():
    theirs = read_offer_for_loved_ones(EXAMPLE)
    assert [one.name.nl for one in theirs] == ["Familie-ervaringsdeskundige", "Avond voor naasten"]
    assert not {one.name for one in theirs} & {one.name for one in read_offer(EXAMPLE)}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('for = "everybody"', "for: is 'everybody'; it can only be 'loved-ones'"),
        ('for = "loved-ones"\nchoice = "2"', "an entry has one of the two"),
        ("", "an entry has one of the two"),
    ],
)
def test_an_entry_is_for_an_answer_or_for_loved_ones(written, keys, said):
    path = written(f'[[offer]]\n{keys}\nname = {{ nl = "Groep" }}\n')
    for reads in (read_offer, read_offer_for_loved_ones):
        with pytest.raises(DefinitionError, match=re.escape(said)):
            reads(path)


def test_the_example_says_what_each_code_is():
    said = dict(re.findall(r"   (\d): ([a-z -]+?)(?= {3}|\n)", EXAMPLE.read_text(encoding="utf-8")))
    options = {option.code: option.text.en.partition(",")[0] for option in question().scale.options}
    assert said == options


def test_an_entry_keeps_its_words_its_place_and_its_page(written):
    help_text = 'help = { nl = "Je loopt binnen.", u = "U loopt binnen.", en = "Drop in." }\n'
    first, second = read_offer(
        written(f'{ACADEMY}{help_text}url = "https://academie.example.org/a?b=c#d"\n{ACADEMY.replace("2", "7")}')
    )
    assert first.help == Text("Je loopt binnen.", "Drop in.", "U loopt binnen.")
    assert (first.choice, first.url) == ("2", "https://academie.example.org/a?b=c#d")
    assert second == Offered("7", Text("Academie", "Academie"), None, "")


def test_words_in_dutch_only_are_shown_in_dutch(written):
    [entry] = read_offer(written(ACADEMY))
    assert {entry.name.get(tag) for tag in ("nl", "en", FORMAL)} == {"Academie"}


def test_what_a_place_has_stands_at_the_answer_that_it_belongs_to_and_at_no_other_question(written):
    offer = read_offer(written(ACADEMY + ACADEMY.replace('"2"', '"7"')))
    assert offered_at(question(), "2", offer) == offer[:1]
    assert offered_at(question(), "1", offer) == ()
    assert offered_at(catalogue().living["intake"].item("intake-role"), "2", offer) == ()


def test_an_empty_file_offers_nothing(written):
    assert read_offer(written("")) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            ACADEMY.replace('"2"', '"9"'),
            r"offer\[1\]\.choice: is '9'; the codes of intake-choice are 1 \(nothing now\)",
        ),
        (ACADEMY + ACADEMY.replace('"2"', '"academy"'), r"offer\[2\]\.choice: is 'academy'"),
        (ACADEMY.replace('"2"', "2"), r"offer\[1\]\.choice: is 2; it must be a text"),
        (ACADEMY.replace('choice = "2"\n', ""), r"offer\[1\]\.choice: and for: an entry has one of the two"),
        (ACADEMY.replace('name = { nl = "Academie" }\n', ""), r"offer\[1\]\.name: is missing"),
        (ACADEMY.replace('nl = "Academie"', 'en = "Academy"'), r"offer\[1\]\.name\.nl: is missing"),
        (ACADEMY.replace("Academie", " "), r"offer\[1\]\.name\.nl: is empty"),
        (ACADEMY.replace("nl =", "fr ="), r"offer\[1\]\.name\.fr: is not a known key; the keys here are en, nl, u"),
        (
            ACADEMY + 'price = "0"\n',
            r"offer\[1\]\.price: is not a known key; the keys here are choice, for, help, name, url",
        ),
        (ACADEMY.replace("[[offer]]", "[[offers]]"), r"offers: is not a known key; the keys here are offer$"),
        ("[[offer", "is not TOML"),
        *(
            (f"{ACADEMY}url = '{url}'\n", r"offer\[1\]\.url: is .* begins with https://")
            for url in (
                "http://academie.example.org",
                "javascript:alert(1)",
                "//academie.example.org",
                "academie.example.org",
                "https://",
                "https:///path",
                "https://[academie",
                "https://name:word@academie.example.org",
                "https://academie.example.org\\@other.example",
                "https://academie.example.org/a b",
                "https://academie.example.org/a\tb",
            )
        ),
    ],
)
def test_what_can_not_be_is_named_with_file_and_key(written, text, said):
    with pytest.raises(DefinitionError, match=rf"\Aoffer\.toml: {said}"):
        read_offer(written(text))


# ---- the setting -----------------------------------------------------------------------------------------------------


def test_without_a_file_nothing_is_offered():
    assert Settings.from_env(GOOD).offer == ()


def test_the_file_is_read_with_the_settings(written):
    settings = Settings.from_env({**GOOD, "VERSTEL_OFFER_FILE": str(written(ACADEMY))})
    assert [entry.name.nl for entry in settings.offer] == ["Academie"]


@pytest.mark.parametrize(("text", "said"), [(None, "can't be read"), ("[[offer]]\n", r"offer\[1\]\.name: is missing")])
def test_a_wrong_file_is_a_wrong_setting_named_beside_the_others(tmp_path, text, said):
    path = tmp_path / "offer.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"(?s)VERSTEL_TRUSTED_PROXIES.*{path}: {said}"):
        Settings.from_env({**GOOD, "VERSTEL_OFFER_FILE": str(path), "VERSTEL_TRUSTED_PROXIES": "x"})
