"""Every sentence of the app exists in Dutch, once."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

APP = Path(__file__).parents[2] / "smartapp"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "message": None}
SOURCES = sorted(file for pattern in ("*.py", "*.html") for file in APP.rglob(pattern))
CATALOGUES = sorted(APP.rglob("nl.po"))
FORMAL = APP / "nl-u.po"
JE = re.compile(r"\b(je|jij|jou|jouw|jezelf)\b", re.IGNORECASE)
U = re.compile(r"\b(u|uw|uzelf)\b", re.IGNORECASE)
PLACEHOLDER = re.compile(r"%\((\w+)\)")


@functools.cache
def keys_in(source: Path) -> frozenset[str]:
    """Return the English sentences that a file asks to translate."""
    method, options = ("python", {}) if source.suffix == ".py" else ("jinja2", {"silent": "false"})
    found = extract_from_file(method, source, KEYWORDS, (), options)
    return frozenset(entry[1][0] if isinstance(entry[1], tuple) else entry[1] for entry in found)


@functools.cache
def entries(catalogue: Path) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return per English key its forms and its Dutch forms."""
    with catalogue.open("rb") as stream:
        messages = [message for message in read_po(stream, locale="nl") if message.id]
    return {
        key[0]: (key, string) for message in messages for key, string in [(_forms(message.id), _forms(message.string))]
    }


def _forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


@pytest.fixture(scope="module")
def dutch() -> dict[str, tuple[str, ...]]:
    return {key: forms for file in CATALOGUES for key, (_, forms) in entries(file).items() if all(forms)}


@pytest.mark.parametrize("source", SOURCES, ids=lambda file: str(file.relative_to(APP)))
def test_every_sentence_of_a_file_has_a_dutch_text(source, dutch):
    assert sorted(keys_in(source) - dutch.keys()) == []


def test_no_key_has_two_dutch_texts():
    texts = defaultdict(set)
    for catalogue in CATALOGUES:
        for key, (_, forms) in entries(catalogue).items():
            texts[key].add(forms)
    assert {key: found for key, found in texts.items() if len(found) > 1} == {}


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda file: str(file.relative_to(APP)))
def test_every_text_with_je_has_one_with_u(catalogue):
    says_je = {key for key, (_, forms) in entries(catalogue).items() if JE.search(" ".join(forms))}
    assert sorted(says_je - entries(FORMAL).keys()) == []


def test_no_text_with_u_says_je():
    assert [key for key, (_, forms) in entries(FORMAL).items() if JE.search(" ".join(forms))] == []


def test_no_text_with_je_says_u(dutch):
    assert [key for key, forms in dutch.items() if U.search(" ".join(forms))] == []


def test_no_text_with_u_is_left_over(dutch):
    assert [key for key in entries(FORMAL) if not JE.search(" ".join(dutch.get(key, ())))] == []


@pytest.mark.parametrize("catalogue", [*CATALOGUES, FORMAL], ids=lambda file: str(file.relative_to(APP)))
def test_a_dutch_text_fills_in_the_same_values_as_its_key(catalogue):
    different = [
        key
        for key, (forms, dutch_forms) in entries(catalogue).items()
        if not set().union(*(PLACEHOLDER.findall(form) for form in dutch_forms))
        <= set().union(*(PLACEHOLDER.findall(form) for form in forms)) | {"num"}
    ]
    assert different == []


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda file: str(file.relative_to(APP)))
def test_no_dutch_text_is_left_over(catalogue):
    used = set().union(*(keys_in(source) for source in SOURCES))
    assert sorted(entries(catalogue).keys() - used) == []


@pytest.mark.parametrize("catalogue", [*CATALOGUES, FORMAL], ids=lambda one: str(one.relative_to(APP)))
def test_no_key_stands_twice_in_a_file(catalogue):
    keys = re.findall(r'^msgid "(.+)"$', catalogue.read_text(encoding="utf-8"), re.MULTILINE)
    assert [key for key in dict.fromkeys(keys) if keys.count(key) > 1] == []


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda file: str(file.relative_to(APP)))
def test_dutch_sentences_shout_at_nobody(catalogue):
    assert [text for _, forms in entries(catalogue).values() for text in forms if "!" in text] == []


@pytest.mark.parametrize("package", ["web/components", "pages/home", "pages/questionnaire", "pages/scores"])
def test_a_sentence_to_the_client_has_less_than_fifteen_words(package):
    long = [
        sentence
        for _, forms in entries(APP / package / "nl.po").values()
        for form in forms
        for sentence in re.split(r"(?<=[.?:])\s+", form)
        if len(sentence.split()) >= 15
    ]
    assert long == []


def test_this_test_sees_a_sentence_in_a_template_and_in_python(tmp_path):
    template, module = tmp_path / "a.html", tmp_path / "a.py"
    template.write_text('{{ _("Seen in a template") }}')
    module.write_text('_("Seen in Python"); ngettext("One", "Many", 2); message("A constant")')
    assert keys_in(template) | keys_in(module) == {"Seen in a template", "Seen in Python", "One", "A constant"}
