"""What form engines export, put into a record as a host saves it, is read in the app with our numbers.

`python -m tests.conformance.renderers.exports` asks the engines for a few exports of two forms and keeps them in
tests/data/exports, for the tests that need no engine.
"""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests
from babel.dates import get_month_names

from mappers.scoring import score
from questionnaires.catalogue import Catalogue, catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument
from smartapp.fhir.store import Write
from tests.conformance.renderers.cases import Case, Form, Number, Values, made_values, response_of
from tests.conformance.renderers.engines import ENGINES, Answer
from tests.conftest import Server

KEPT: Final = Path(__file__).parents[2] / "data" / "exports"
KEPT_INSTRUMENTS: Final = ("hoop", "nel")
KINDS: Final = ("all answered", "one missing", "not applicable")
FIRST_DAY: Final = dt.date(2025, 1, 1)
_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Export:
    """A response as an engine gives it to its host, and the scores of its answers by their codes (None: no score)."""

    engine: str
    instrument: str
    variant: str
    response: Resource
    scores: Mapping[str, Number | None]


def exports_of(engine: str, answer: Answer, variants: Mapping[str, Mapping[str, Form]]) -> list[Export]:
    """Let an engine fill in the forms of each variant (by instrument), and return what it gives. Raises DriverError."""
    found: list[Export] = []
    for variant, forms in variants.items():
        for name, form in forms.items():
            instrument = catalogue().instruments[name]
            values = [made_values(form, kind, f"{engine} {variant}") for kind in KINDS]
            cases = [_case(form, one, f"{kind} {variant}") for kind, one in zip(KINDS, values, strict=True)]
            results, _seconds = answer(form, cases, False)
            found += [
                Export(engine, name, variant, _whole(result), _scores(instrument, one))
                for result, one in zip(results, values, strict=True)
            ]
    return found


def _case(form: Form, values: Values, name: str) -> Case:
    return Case(name, response_of(form, values, name), {}, whole=True)


def _whole(result: Mapping[str, Any]) -> Resource:
    if "error" in result:
        raise ValueError(result["error"])
    return dict(result["response"])


def _scores(instrument: Instrument, values: Values) -> dict[str, Number | None]:
    return {one.rule.code: one.value for one in score(instrument, values)}


def as_saved(export: Export, number: int, patient: str) -> Resource:
    """Return an export as its host saves it: complete, about a person, and on a day of its own."""
    response = {name: value for name, value in export.response.items() if name not in ("id", "author", "source")}
    day = FIRST_DAY + dt.timedelta(days=number)
    about = {"reference": f"Patient/{patient}", "display": "Sam de Vries"}
    return {**response, "status": "completed", "subject": about, "authored": f"{day}T10:00:00+01:00"}


def unread(server: Server, exports: Sequence[Export], known: Catalogue) -> list[str]:
    """Put exports of one engine into the record of somebody new, and say what the client does not read in the app."""
    patient = re.sub(r"[^a-z]", "-", exports[0].engine.lower())
    person = {"resourceType": "Patient", "id": patient, "name": [{"text": "Sam de Vries"}]}
    server.sandbox.store.write(Write("update", person))
    for number, one in enumerate(exports):
        server.sandbox.store.write(Write("create", as_saved(one, number, patient)))
    with requests.Session() as browser:
        home = browser.get(f"{server.url}/sandbox/launch?role=client&patient={patient}", timeout=_SECONDS).url
        root = home[: home.index("/", home.index("/l/") + 3) + 1]
        pages = {
            name: numbers_on(browser.get(f"{root}scores/{name}/", timeout=_SECONDS).text)
            for name in dict.fromkeys(one.instrument for one in exports)
        }
    return [
        f"{one.engine}, {one.instrument} ({one.variant}), {rule.code}: {found!r} is shown, not {one.scores[rule.code]}"
        for number, one in enumerate(exports)
        for rule in known.instruments[one.instrument].scores
        for found in [pages[one.instrument].get((_said(FIRST_DAY + dt.timedelta(days=number)), rule.title.nl))]
        if not is_shown(found, one.scores[rule.code])
    ]


def is_shown(found: str | None, value: Number | None) -> bool:
    """Tell whether what a table says is this score, to the two decimals that it shows."""
    if found is None or value is None:
        return found == "geen" and value is None
    try:
        return abs(float(found.replace(",", ".")) - value) < 0.00501
    except ValueError:
        return False


def numbers_on(page: str) -> dict[tuple[str, str], str]:
    """Return what the tables of a page of scores say, by day and name of the score."""
    found = {}
    for moment in re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL):
        day, *rows = re.findall(r"<th [^>]*>(.*?)</th>(?:\s*<td[^>]*>(.*?)</td>)?", moment, re.DOTALL)
        for name, value in rows:
            found[_text(day[0]), _text(name)] = _text(value)
    return found


def _text(part: str) -> str:
    """Return what a cell says, without what stands beside it in small letters."""
    part = re.sub(r'<span class="soft small">.*?</span>', "", part, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", part)).split())


def _said(day: dt.date) -> str:
    return f"{day.day} {get_month_names(locale='nl')[day.month]} {day.year}"


def kept_exports() -> dict[str, list[Export]]:
    """Return the exports in tests/data, by engine."""
    read = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(KEPT.glob("*.json"))}
    return {name: [Export(**one) for one in exports] for name, exports in read.items()}


def keep(exports: Iterable[Export]) -> None:
    """Write exports into tests/data, a file for each engine."""
    KEPT.mkdir(exist_ok=True)
    by_engine: dict[str, list[Export]] = {}
    for one in exports:
        by_engine.setdefault(one.engine, []).append(one)
    for name, each in by_engine.items():
        text = json.dumps([{slot: getattr(one, slot) for slot in Export.__slots__} for one in each], ensure_ascii=False)
        (KEPT / f"{name.lower().replace(' ', '-')}.json").write_text(f"{text}\n", encoding="utf-8")


def main() -> None:
    """Ask every engine for exports, and keep them."""
    from tests.conformance.renderers.run import variants  # noqa: PLC0415  (which needs this module)

    forms = {name: {one: each[one] for one in KEPT_INSTRUMENTS} for name, each in variants().items()}
    for engine in ENGINES:
        with engine.open() as answer:
            keep(exports_of(engine.name, answer, forms))


if __name__ == "__main__":
    main()
