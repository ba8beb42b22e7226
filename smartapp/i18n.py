"""Dutch and English: texts, dates and numbers in the reader's language.

The English sentence in the code is the key; the Dutch one stands in `nl.po` in the package of the page. All
those files are read into memory at first use, so there is nothing to compile and nothing to forget. A test
demands that every key has a Dutch text and that two pages never translate one key differently. `nl-u.po` holds the same
sentences with *u* for places that prefer it.
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, cast
from urllib.parse import urlencode

import babel.dates
import babel.lists
import babel.numbers
from babel.messages.pofile import read_po
from flask import current_app, g, has_app_context, has_request_context, request

if TYPE_CHECKING:
    from flask import Flask, Response

Language = Literal["nl", "en"]
LANGUAGES: Final[Mapping[Language, str]] = {"nl": "Nederlands", "en": "English"}
DEFAULT: Final[Language] = "nl"
COOKIE: Final = "verstel-language"
# Parameters of a sign-in are secrets or text of others: they go onto no page.
_NOT_KEPT: Final = frozenset({"lang", "code", "state", "launch", "iss", "error", "error_description", "error_uri"})
_YEAR: Final = 365 * 24 * 3600
_LOCALES: Final[Mapping[Language, str]] = {"nl": "nl_NL", "en": "en_GB"}


class TwoLanguages(Protocol):
    """A text that knows its own translations, such as a question."""

    def get(self, language: str, /) -> str:
        """Return the text in a language."""


class Messages:
    """The Dutch text of every English key, with its plural form where it has one."""

    def __init__(self, texts: Mapping[str, tuple[str, ...]]) -> None:
        self.texts = texts

    @classmethod
    def read(cls, *files: Path) -> Messages:
        """Merge the given `.po` files; where two give one key the first stays (a test forbids that)."""
        texts: dict[str, tuple[str, ...]] = {}
        for file in files:
            with file.open("rb") as stream:
                for message in read_po(stream, locale="nl"):
                    key = message.id[0] if isinstance(message.id, tuple | list) else message.id
                    found = message.string if isinstance(message.string, tuple | list) else (message.string,)
                    if key and all(found) and not message.fuzzy:
                        texts.setdefault(key, tuple(str(form) for form in found))
        return cls(texts)

    def one(self, key: str) -> str:
        """Return the Dutch text, or the key itself where there is none."""
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


def language() -> Language:
    """Return the language of this reader: `?lang=`, else their cookie, else the launch's, else Dutch."""
    if not has_request_context():
        return DEFAULT
    launch = getattr(g, "launch", None)
    wishes = (request.args.get("lang"), request.cookies.get(COOKIE), getattr(launch, "language", None))
    for wish in wishes:
        known = _known(wish)
        if known:
            return known
    return DEFAULT


def _known(wish: str | None) -> Language | None:
    """Return the language a tag such as `nl-NL` asks for, or None where we do not speak it."""
    primary = (wish or "").replace("_", "-").partition("-")[0].lower()
    return cast("Language", primary) if primary in LANGUAGES else None


@functools.cache
def formal_messages() -> Messages:
    """Read the Dutch that says *u*: the texts of `nl-u.po`, and for all others those of `messages()`."""
    formal = Messages.read(Path(__file__).with_name("nl-u.po"))
    return Messages({**messages().texts, **formal.texts})


def _dutch() -> Messages:
    """Return the Dutch of this place, which says *je* or *u* (`form_of_address` in the settings)."""
    settings = getattr(current_app.extensions.get("verstel"), "settings", None) if has_app_context() else None
    return formal_messages() if getattr(settings, "form_of_address", "je") == "u" else messages()


def _sentence(key: str) -> str:
    """Return a sentence in the reader's language, its `%(name)s` still open."""
    return _dutch().one(key) if language() == "nl" else key


def _sentences(singular: str, plural: str, number: int) -> str:
    """Return the singular or plural sentence for a number, its `%(name)s` still open."""
    if language() == "nl":
        return _dutch().many(singular, plural, number)
    return singular if number == 1 else plural


def gettext(key: str, /, **values: object) -> str:
    """Return a sentence in the reader's language, with `%(name)s` filled in (a percent sign is `%%`)."""
    return _sentence(key) % values


def ngettext(singular: str, plural: str, number: int, /, **values: object) -> str:
    """Return the singular or plural sentence for a number; `%(num)s` is the number itself."""
    return _sentences(singular, plural, number) % {"num": number, **values}


def message(key: str, /) -> str:
    """Mark a constant as a key to translate later (`_(CONSTANT)`); the test on missing Dutch looks for it."""
    return key


_ = gettext


def text_of(text: TwoLanguages | None) -> str:
    """Return a two-language text of a questionnaire in the reader's language; empty for None."""
    return text.get(language()) if text is not None else ""


def format_number(value: float, decimals: int = 2) -> str:
    """Return a number with at most so many decimals, in the reader's notation (`3,25`)."""
    pattern = "#,##0." + "#" * decimals if decimals else "#,##0"
    return str(babel.numbers.format_decimal(value, format=pattern, locale=_LOCALES[language()]))


def format_date(value: str | dt.date | None, width: Literal["full", "long", "medium"] = "long") -> str:
    """Return a day (`3 maart 2026`), month (`maart 2026`) or year of a FHIR date or instant; "" where there is none."""
    moment = moment_of(value)
    if moment is None:
        return ""
    locale = _LOCALES[language()]
    if isinstance(value, str) and len(value) == 4:
        return value
    if isinstance(value, str) and len(value) == 7:
        return str(babel.dates.format_skeleton("yMMMM", moment, locale=locale))
    return str(babel.dates.format_date(moment, format=width, locale=locale))


def format_datetime(value: str | dt.datetime | None) -> str:
    """Return a day with its time (`3 maart 2026, 14:05`) in the place's own time zone; empty for None."""
    moment = moment_of(value)
    if moment is None:
        return ""
    if not isinstance(moment, dt.datetime):
        return format_date(value)
    clock = babel.dates.format_time(moment, format="HH:mm", tzinfo=moment.tzinfo, locale=_LOCALES[language()])
    return f"{format_date(moment)}, {clock}"


def format_list(parts: list[str]) -> str:
    """Return `a, b en c`."""
    return str(babel.lists.format_list(parts, locale=_LOCALES[language()])) if parts else ""


def place_zone() -> zoneinfo.ZoneInfo:
    """Return the time zone of the people at this place: the app's `TIME_ZONE`, else the Netherlands."""
    config = current_app.config if has_request_context() else {}
    return zoneinfo.ZoneInfo(config.get("TIME_ZONE", "Europe/Amsterdam"))


def day_of(value: str | dt.date | None) -> dt.date | None:
    """Return the day at this place of what `moment_of` reads; a month or year is its first day."""
    moment = moment_of(value)
    return moment.date() if isinstance(moment, dt.datetime) else moment


def moment_of(value: str | dt.date | None) -> dt.date | None:
    """Return the date or zoned instant that a FHIR text or Python value means; None for nothing or what is no date."""
    try:
        if isinstance(value, str):
            if "T" not in value:
                return dt.date.fromisoformat((value + "-01-01")[:10]) if value else None
            value = dt.datetime.fromisoformat(value)
        if isinstance(value, dt.datetime) and value.tzinfo is not None:
            return value.astimezone(place_zone())
    except (ValueError, OverflowError):  # in a record of somebody else there may stand anything
        return None
    return value


def switch_links() -> list[dict[str, Any]]:
    """Return per language what the switch in the header shows: code, name, address, whether it is current."""
    here = language()
    kept = [(key, value) for key, value in request.args.items(multi=True) if key not in _NOT_KEPT]
    return [
        {
            "code": code,
            "name": name,
            "href": "?" + urlencode([*kept, ("lang", code)]),
            "current": code == here,
        }
        for code, name in LANGUAGES.items()
    ]


def init_i18n(app: Flask) -> None:
    """Give the templates `_`, `ngettext`, dates and numbers, and let `?lang=` be remembered in a cookie."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    # Jinja's new style fills in and escapes the values itself, so it gets the bare sentences.
    app.jinja_env.install_gettext_callables(_sentence, _sentences, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.filters.update(
        date=format_date, datetime=format_datetime, number=format_number, text=text_of, listed=format_list
    )
    app.context_processor(lambda: {"language": language(), "language_switch": switch_links()})
    app.after_request(_remember_language)


def _remember_language(response: Response) -> Response:
    """Set the language cookie when the reader switched."""
    wish = _known(request.args.get("lang"))
    if wish and wish != request.cookies.get(COOKIE):
        secure = request.is_secure
        # In an EHR's iframe only a SameSite=None cookie arrives; a browser refuses that one without https.
        response.set_cookie(
            COOKIE,
            wish,
            max_age=_YEAR,
            secure=secure,
            httponly=True,
            samesite="None" if secure else "Lax",
            partitioned=secure,
        )
    return response
