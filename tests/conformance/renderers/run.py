"""Let three form engines compute our scores and demand our numbers. Run as `python -m tests.conformance.renderers.run`.

Exit codes: 0 all agree; 1 a disagreement, or the harness did not notice a wrong expression; 3 nothing disagreed, but an
engine could not run because something can't be installed here.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Error as PlaywrightError

from questionnaires.catalogue import catalogue
from tests.conformance import strangers
from tests.conformance.renderers import by_hand, exports, kept, report, selftest, tools
from tests.conformance.renderers.cases import Case, Form, cases_of, form_of, wordless
from tests.conformance.renderers.compare import EMPTY_ITEMS, WITHDRAWN, Tally, observations_agree, scores_agree
from tests.conformance.renderers.engines import ENGINES, LHC_FORMS, MEDPLUM, SMART_FORMS, Answer, Engine, LhcForms
from tests.conformance.sizes import WHOLE, size
from tests.conftest import serve

PUBLISHED: Final = Path("questionnaires/published")
TEMPLATES: Final = PUBLISHED / "variants" / "template"
STRUCTURES: Final = PUBLISHED / "variants" / "structure"
RESULTS: Final = Path(".cache/conformance/renderers.json")
PAGE: Final = Path("docs/renderers.md")
LIMITS: Final = Path(__file__).parent / "known_limits.json"
RESPONSES: Final = size("responses per instrument in a renderer")
EXTRACTIONS: Final = 40
WORDLESS: Final = 40
"""How many of the responses are also given to the structure, which has no wording."""
AGREED, DISAGREED, NOT_RUN = 0, 1, 3

# Two lanes for two cores; Smart Forms parses each expression anew for each response and fills one of them.
LANES: Final = ((LHC_FORMS, MEDPLUM), (SMART_FORMS,))


@dataclass(frozen=True, slots=True)
class Work:
    """A published form, its variants for extraction by template and without wording, and the cases to answer."""

    form: Form
    template: Form
    structure: Form
    cases: list[Case]


@dataclass(slots=True)
class Outcome:
    """What one engine did: tallies by instrument, or why it did not run."""

    scores: dict[str, Tally] = field(default_factory=dict)
    extractions: dict[str, Tally] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    read: int = 0
    """How many scores of its exports were looked up in the app."""
    missing: str = ""


def published_forms(folder: Path) -> dict[str, Form]:
    """Return the published forms by instrument."""
    forms = [form_of(json.loads(path.read_text())) for path in sorted(folder.glob("Questionnaire-*.json"))]
    return {form.id.removesuffix(f"-{folder.name}"): form for form in forms}


def scored_forms(folder: Path) -> dict[str, Form]:
    """Return the published forms that compute a score, by instrument."""
    return {name: form for name, form in published_forms(folder).items() if form.scores}


def variants() -> dict[str, dict[str, Form]]:
    """Return the forms of instruments with scores in each variant that has words, by instrument."""
    scored = scored_forms(PUBLISHED)
    folders = {"default": PUBLISHED, "template": TEMPLATES, "plain": PUBLISHED / "variants" / "plain"}
    found = {name: published_forms(folder) for name, folder in folders.items()}
    return {name: {one: forms[one] for one in scored} for name, forms in found.items()}


def examine(engine: Engine, work: Mapping[str, Work]) -> Outcome:
    """Let one engine answer everything."""
    outcome = Outcome()
    limits = frozenset(one["limit"] for one in known_limits() if one["renderer"] == engine.name)
    try:
        with engine.open() as answer:
            outcome.complaints = [f"self-test, {engine.name}: {one}" for one in selftest.complaints(answer)]
            for name, one in work.items():
                _examine_form(engine, answer, one, limits, outcome)
                tally = outcome.scores[name]
                print(f"{engine.name}, {name}: {tally.cases} responses, {tally.seconds:.0f} s", flush=True)
            outcome.complaints += _living(engine, answer)
            _read_in_app(engine, answer, work, outcome)
            if isinstance(answer, LhcForms):
                outcome.complaints += _by_hand(answer)
    except tools.MissingToolError as missing:
        outcome.missing = f"{engine.name}: {missing}"
    except (tools.DriverError, PlaywrightError) as error:
        outcome.complaints.append(f"{engine.name}: {error}")
    outcome.complaints += _past_limits(engine, limits, outcome)
    return outcome


def _past_limits(engine: Engine, limits: frozenset[str], outcome: Outcome) -> list[str]:
    """Return the limits that an engine had the occasion to show but did not."""
    scores, extractions = outcome.scores.values(), outcome.extractions.values()
    shows = {
        WITHDRAWN: any(one.known for one in scores) or not any(one.withdrawn for one in scores),
        EMPTY_ITEMS: any(one.valueless for one in extractions) or not extractions,
    }
    return [f"{engine.name} no longer shows {one}: take it out of {LIMITS.name}" for one in limits if not shows[one]]


def _living(engine: Engine, answer: Answer) -> list[str]:
    """Give every living form with its rows to an engine, and ask for them back."""
    found = [f"self-test, {engine.name}: {one}" for one in kept.not_noticed(answer)]
    for name, form in kept.living_forms(PUBLISHED, catalogue()).items():
        found += [f"{engine.name}, {name}: {one}" for one in kept.complaints(answer, form)]
        print(f"{engine.name}, {name}: two rows of everything", flush=True)
    return found


def _read_in_app(engine: Engine, answer: Answer, work: Mapping[str, Work], outcome: Outcome) -> None:
    """Let an engine fill in every variant of the forms, and read its exports in the app."""
    forms = {name: {one: each[one] for one in work} for name, each in variants().items()}
    exported = exports.exports_of(engine.name, answer, forms)
    for server in serve():
        outcome.complaints += exports.unread(server, exported, catalogue())
    outcome.read = sum(len(one.scores) for one in exported)
    print(f"{engine.name}: {len(exported)} exports read in the app, {outcome.read} scores", flush=True)


def _by_hand(engine: LhcForms) -> list[str]:
    """Let every published form be filled in by clicking, those without scores included, but for those with rows."""
    found = []
    for name, form in published_forms(PUBLISHED).items():
        if name in catalogue().living:
            continue
        started = time.perf_counter()
        found += [f"LHC-Forms, by hand: {one}" for one in by_hand.complaints(engine, form, catalogue())]
        print(f"LHC-Forms, {name} by hand: {time.perf_counter() - started:.0f} s", flush=True)
    return found


def _examine_form(engine: Engine, answer: Answer, work: Work, limits: frozenset[str], outcome: Outcome) -> None:
    form, cases = work.form, work.cases
    extracts_by_item = engine.extracts == "observationExtract"
    results, seconds = answer(form, cases, extracts_by_item)
    tally = outcome.scores[form.id] = scores_agree(form.scores, cases, results, limits)
    tally.seconds = seconds
    bare = [wordless(one, work.structure) for one in cases[:WORDLESS]]
    of_codes, _seconds = answer(work.structure, bare, False)
    tally.differences += scores_agree(work.structure.scores, bare, of_codes, limits).differences
    if extracts_by_item:
        outcome.extractions[form.id] = observations_agree(cases, results)
    elif engine.extracts == "templateExtract":
        some = cases[:EXTRACTIONS]
        results, seconds = answer(work.template, some, True)
        tally = outcome.extractions[form.id] = observations_agree(some, results)
        tally.differences += scores_agree(form.scores, some, results, limits).differences
        tally.seconds = seconds


def known_limits() -> list[dict[str, str]]:
    """Return what is known about the engines and can't be helped by markup."""
    limits: list[dict[str, str]] = json.loads(LIMITS.read_text())
    return limits


def examine_all(work: Mapping[str, Work], engines: Sequence[Engine]) -> dict[str, Outcome]:
    """Let the engines work side by side, one lane per core; outcomes in the engines' own order."""

    def lane(its_engines: Sequence[Engine]) -> dict[str, Outcome]:
        return {one.name: examine(one, work) for one in its_engines if one in engines}

    with ThreadPoolExecutor(len(LANES)) as pool:
        found = {name: outcome for part in pool.map(lane, LANES) for name, outcome in part.items()}
    return {engine.name: found[engine.name] for engine in engines}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.renderers.run", description=__doc__)
    parser.add_argument("--responses", type=int, default=RESPONSES, help="per instrument (default %(default)s)")
    parser.add_argument("--engine", action="append", choices=[one.name for one in ENGINES], help="only this one")
    parser.add_argument("--instrument", action="append", help="only this one")
    parser.add_argument("--seed", default="1", help="other made-up answers (default %(default)s)")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    forms = _wanted(scored_forms(PUBLISHED), options.instrument)
    templates = _wanted(scored_forms(TEMPLATES), options.instrument)
    structures = _wanted(scored_forms(STRUCTURES), options.instrument)
    if not forms or not forms.keys() == templates.keys() == structures.keys():
        print(f"{PUBLISHED} and its variants must hold the same scored forms: run `verstel questionnaires build`")
        return DISAGREED
    work = {
        name: Work(
            form, templates[name], structures[name], cases_of(form, catalogue(), options.responses, options.seed)
        )
        for name, form in forms.items()
    }
    engines = [one for one in ENGINES if not options.engine or one.name in options.engine]
    outcomes = examine_all(work, engines)
    every = not (options.engine or options.instrument) and options.responses == RESPONSES and options.seed == "1"
    return conclude(outcomes, list(forms), time.monotonic() - started, whole=every and WHOLE)


def _wanted(forms: Mapping[str, Form], names: Sequence[str] | None) -> dict[str, Form]:
    return {name: form for name, form in forms.items() if not names or name in names}


def conclude(outcomes: Mapping[str, Outcome], instruments: Sequence[str], seconds: float, *, whole: bool) -> int:
    """Print the tables and the first disagreement, write the results, and return the exit code."""
    scores = {name: outcome.scores for name, outcome in outcomes.items() if outcome.scores}
    extractions = {name: outcome.extractions for name, outcome in outcomes.items() if outcome.extractions}
    differences = [
        report.told(engine, instrument, difference)
        for kind in (scores, extractions)
        for engine, by_instrument in kind.items()
        for instrument, tally in by_instrument.items()
        for difference in tally.differences
    ]
    complaints = [one for outcome in outcomes.values() for one in outcome.complaints]
    missing = [outcome.missing for outcome in outcomes.values() if outcome.missing]
    if whole:
        for engine in ENGINES:
            if engine.name in outcomes:
                _report(engine, outcomes[engine.name])
    results: dict[str, Any] = {
        "versions": tools.versions(),
        "seconds": round(seconds, 1),
        "scores": report.as_json(scores),
        "extractions": report.as_json(extractions),
        "complaints": complaints,
        "not_run": missing,
        "disagreements": differences,
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    print("\nscores: agreed of compared\n", *report.table(scores, instruments), sep="\n")
    print(
        "\nextracted Observations: responses that agreed of compared\n",
        *report.table(extractions, instruments),
        sep="\n",
    )
    print(f"\n{seconds:.0f} s; everything in {RESULTS}")
    if differences:
        print(f"\n{len(differences)} disagreements; the first in full:")
        print(json.dumps(differences[0], indent=1, ensure_ascii=False))
    for one in complaints:
        print(one)
    for one in missing:
        print(f"did not run: {one}")
    if differences or complaints:
        return DISAGREED
    if missing:
        return NOT_RUN
    if whole:
        made = report.page(scores, extractions, instruments, tools.versions(), known_limits())
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(made)
    return AGREED


def _report(engine: Engine, outcome: Outcome) -> None:
    if outcome.missing:
        strangers.missing(engine.name, outcome.missing)
        return
    tallies = [*outcome.scores.items(), *outcome.extractions.items()]
    failed = [f"{one}: {len(tally.differences)} results differ" for one, tally in tallies for _ in tally.differences]
    known = sum(tally.known for _one, tally in tallies)
    strangers.held(
        engine.name,
        sum(tally.compared - tally.known for _one, tally in tallies) + max(outcome.read, len(outcome.complaints)),
        [*failed, *outcome.complaints],
        version=tools.versions()[engine.package],
        note=f"{known} results are a known limit of the engine: see [renderers.md](renderers.md)." if known else "",
    )


if __name__ == "__main__":
    sys.exit(main())
