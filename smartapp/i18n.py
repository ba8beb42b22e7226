"""Dutch and English: the sentences of the app, read from its catalogues. This module knows of no request.

The English sentence in the code is the key; the Dutch one is in `nl.po`, in the package of the page. All those files
are read into memory at first use, so there is nothing to compile and nothing to forget. A test demands that every key
has a Dutch text, and that no two pages translate one key differently. `nl-u.po` holds the same sentences with *u*, for
organisations that prefer it. Which language a reader gets is decided in `smartapp.web.language`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from babel.messages.pofile import read_po

from questionnaires.model import Language

LANGUAGES: Final[Mapping[Language, str]] = {"nl": "Nederlands", "en": "English"}
DEFAULT: Final[Language] = "nl"
COOKIE: Final = "verstel-language"
"""The cookie that remembers the language a reader chose; the sandbox's pages follow it too."""


def cookie_name(*, https: bool) -> str:
    """Return the name of that cookie; `__Host-` has browsers keep it for this host, and send it over https only."""
    return f"__Host-{COOKIE}" if https else COOKIE


class Messages:
    """The Dutch text of every English key, with its plural form where it has one."""

    def __init__(self, texts: Mapping[str, tuple[str, ...]]) -> None:
        self.texts = texts

    @classmethod
    def read(cls, *files: Path) -> Messages:
        """Merge `.po` files; if two have the same key the first one wins (a test forbids that they differ)."""
        texts: dict[str, tuple[str, ...]] = {}
        for file in files:
            with file.open("rb") as stream:
                for message in read_po(stream, locale="nl"):
                    key = message.id[0] if isinstance(message.id, tuple | list) else message.id
                    found = message.string if isinstance(message.string, tuple | list) else (message.string,)
                    # Half a translation is worse than the English sentence, and fuzzy means that nobody checked it.
                    if key and all(found) and not message.fuzzy:
                        texts.setdefault(key, tuple(str(form) for form in found))
        return cls(texts)

    def one(self, key: str) -> str:
        """Return the Dutch text, or the key itself if there is none."""
        return self.texts.get(key, (key,))[0]

    def many(self, singular: str, plural: str, number: int) -> str:
        """Return the Dutch singular or plural for a number."""
        forms = self.texts.get(singular)
        if forms is None:
            return singular if number == 1 else plural
        return forms[0] if number == 1 else forms[-1]


@functools.cache
def messages() -> Messages:
    """Read every `nl.po` of the app, once."""
    return Messages.read(*sorted(Path(__file__).parent.rglob("nl.po")))


@functools.cache
def formal_messages() -> Messages:
    """Read the Dutch with *u*: the texts of `nl-u.po`, and `messages()` for every sentence that needs no other."""
    formal = Messages.read(Path(__file__).with_name("nl-u.po"))
    return Messages({**messages().texts, **formal.texts})


def known_language(tag: str | None) -> Language | None:
    """Return the language that a tag such as `nl-NL` asks for, or None if we do not speak it."""
    primary = (tag or "").replace("_", "-").partition("-")[0].lower()
    return cast("Language", primary) if primary in LANGUAGES else None


def message(key: str, /) -> str:
    """Mark a constant as a key to translate later (`_(CONSTANT)`), so that the test on missing Dutch finds it."""
    return key
