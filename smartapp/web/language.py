"""The language of the reader: texts, dates and numbers as their pages show them."""

from __future__ import annotations

import contextlib
import contextvars
import datetime as dt
import zoneinfo
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol
from urllib.parse import urlencode

import babel.dates
import babel.lists
import babel.numbers
from flask import has_app_context, has_request_context, request

from questionnaires.model import FORMAL, Language
from smartapp.i18n import DEFAULT, LANGUAGES, Messages, cookie_name, formal_messages, known_language, messages
from smartapp.web import current
from smartapp.web.framing import OF_THE_SITE, issuer_here

if TYPE_CHECKING:
    from flask import Flask, Response

# The parameters of a sign-in are secrets, or texts that others wrote: no link on a page may repeat them.
_NOT_KEPT: Final = frozenset({"lang", "code", "state", "launch", "iss", "error", "error_description", "error_uri"})
_YEAR: Final = 365 * 24 * 3600
_LOCALES: Final[Mapping[Language, str]] = {"nl": "nl_NL", "en": "en_GB"}
_kept: contextvars.ContextVar[Language | None] = contextvars.ContextVar("kept_language", default=None)


class TwoLanguages(Protocol):
    """A text that carries its own translations, such as a question."""

    def get(self, language: str, /) -> str:
        """Return the text in a language, `nl` or `en`."""


def language() -> Language:
    """Return the language of the reader: `?lang=`, else their cookie, else the launch's, else Dutch."""
    return _kept.get() or _wished()


@current.once_a_request
def _wished() -> Language:
    if not has_request_context():
        return DEFAULT
    launch = current.launch_or_none()
    chosen = request.cookies.get(cookie_name(https=_https()))
    wishes = (request.args.get("lang"), chosen, launch.language if launch else None)
    for wish in wishes:
        known = known_language(wish)
        if known:
            return known
    return DEFAULT


@contextlib.contextmanager
def kept_in(chosen: Language) -> Iterator[None]:
    """Have all texts in this block in one language: for what is kept, and so must not depend on who reads the page."""
    token = _kept.set(chosen)
    try:
        yield
    finally:
        _kept.reset(token)


def _dutch() -> Messages:
    """Return the Dutch of this organisation, with *je* or *u* (`form_of_address` in the settings)."""
    return formal_messages() if _says_u() else messages()


def _says_u() -> bool:
    return has_app_context() and current.services().settings.form_of_address == "u"


def _sentence(key: str) -> str:
    """Return a sentence in the reader's language, with its `%(name)s` not filled in yet."""
    return _dutch().one(key) if language() == "nl" else key


def _sentences(singular: str, plural: str, number: int) -> str:
    """Return the singular or plural sentence for a number, with its `%(name)s` not filled in yet."""
    if language() == "nl":
        return _dutch().many(singular, plural, number)
    return singular if number == 1 else plural


def gettext(key: str, /, **values: object) -> str:
    """Return a sentence in the reader's language, with `%(name)s` filled in (a percent sign is `%%`)."""
    return _sentence(key) % values


def ngettext(singular: str, plural: str, number: int, /, **values: object) -> str:
    """Return the singular or plural sentence for a number; `%(num)s` is the number itself."""
    return _sentences(singular, plural, number) % {"num": number, **values}


_ = gettext


def wording() -> str:
    """Return which words of a data file this reader gets: a language, or FORMAL where the place says *u*."""
    return FORMAL if language() == "nl" and _says_u() else language()


def text_of(text: TwoLanguages | None) -> str:
    """Return a text from a data file in the reader's language, with *je* or *u* where it has both; empty for None."""
    return "" if text is None else text.get(wording())


def format_number(value: float, decimals: int = 2, *, fixed: bool = False) -> str:
    """Return a number with at most `decimals` decimals, or `fixed` so many, in the reader's notation (`3,25`)."""
    pattern = "#,##0." + ("0" if fixed else "#") * decimals if decimals else "#,##0"
    return str(babel.numbers.format_decimal(value, format=pattern, locale=_LOCALES[language()]))


def format_date(value: str | dt.date | None, width: Literal["full", "long", "medium"] = "long") -> str:
    """Return a day (`3 maart 2026`), month (`maart 2026`) or year, as precise as the FHIR date; "" for no date."""
    moment = moment_of(value)
    if moment is None:
        return ""
    locale = _LOCALES[language()]
    if isinstance(value, str) and len(value) == 4:
        return value
    if isinstance(value, str) and len(value) == 7:
        return str(babel.dates.format_skeleton("yMMMM", moment, locale=locale))
    return str(babel.dates.format_date(moment, format=width, locale=locale))


def format_month(day: dt.date) -> str:
    """Return a month in short (`mrt 2026`), to fit below a chart."""
    return str(babel.dates.format_skeleton("yMMM", day, locale=_LOCALES[language()]))


def format_datetime(value: str | dt.datetime | None) -> str:
    """Return a day with its time (`3 maart 2026, 14:05`) in the organisation's time zone; "" for no date."""
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


def coming(day: str | None) -> str:
    """Return a FHIR day that is not over, "" for one that is, so that nobody is asked for what can't be done any more.

    A month or a year is over after its last day.
    """
    if not day:
        return ""
    written = str(day_of(day)) if "T" in day else day
    return day if written >= current.today()[: len(written)] else ""


def place_zone() -> zoneinfo.ZoneInfo:
    """Return the time zone of the organisation, from the settings; outside a request that of the Netherlands."""
    return zoneinfo.ZoneInfo(current.services().settings.time_zone if has_request_context() else "Europe/Amsterdam")


def day_of(value: str | dt.date | None) -> dt.date | None:
    """Return the day that a FHIR date or instant was in the organisation's time zone.

    A month or a year is taken as its first day; None for anything that `moment_of` cannot read.
    """
    moment = moment_of(value)
    return moment.date() if isinstance(moment, dt.datetime) else moment


def moment_of(value: str | dt.date | None) -> dt.date | None:
    """Return the date or zoned instant that a FHIR text or Python value stands for; None if it is not a date."""
    try:
        if isinstance(value, str):
            if "T" not in value:
                # FHIR dates may stop at the year or the month.
                return dt.date.fromisoformat((value + "-01-01")[:10]) if value else None
            value = dt.datetime.fromisoformat(value)
        if isinstance(value, dt.datetime) and value.tzinfo is not None:
            return value.astimezone(place_zone())
    except (ValueError, OverflowError):  # records of other systems may hold anything here
        return None
    return value


def switch_links() -> list[dict[str, Any]]:
    """Return for each language what the switch in the header needs: code, name, address and whether it is current."""
    here = language()
    # A page of the site inside a frame stays there: then `iss` is one of ours, and no text that others wrote.
    dropped = _NOT_KEPT - ({"iss"} if request.endpoint in OF_THE_SITE and issuer_here() else set())
    kept = [(key, value) for key, value in request.args.items(multi=True) if key not in dropped]
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
    """Give the templates `_`, `ngettext`, dates and numbers, and have `?lang=` remembered in a cookie."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    # Jinja's new style fills in and escapes the values itself, so it gets the bare sentences.
    app.jinja_env.install_gettext_callables(_sentence, _sentences, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.filters.update(
        date=format_date,
        datetime=format_datetime,
        number=format_number,
        text=text_of,
        listed=format_list,
        coming=coming,
    )
    app.context_processor(lambda: {"language": language(), "language_switch": switch_links()})
    app.after_request(_remember_language)


def _remember_language(response: Response) -> Response:
    """Set the language cookie when the reader switched."""
    wish, https = known_language(request.args.get("lang")), _https()
    if wish and wish != request.cookies.get(cookie_name(https=https)):
        # In an EHR's iframe only a SameSite=None cookie arrives, and browsers accept that one only over https.
        response.set_cookie(
            cookie_name(https=https),
            wish,
            max_age=_YEAR,
            path="/",
            secure=https,
            httponly=True,
            samesite="None" if https else "Lax",
            partitioned=https,
        )
    return response


def _https() -> bool:
    return current.services().settings.https
