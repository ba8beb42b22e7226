"""The catalogue reads what is in the folder, and refuses what can't be, naming file and key."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from questionnaires.canonical import BASE
from questionnaires.catalogue import (
    DEFINITIONS,
    LIFE_DOMAINS,
    Catalogue,
    DefinitionError,
    UnknownInstrument,
    catalogue,
    instrument_from,
    read_instrument,
    read_life_domains,
)
from questionnaires.model import Instrument
from questionnaires.writing import definition_toml

INSTRUMENTS = [pytest.param(instrument, id=instrument.id) for instrument in catalogue().instruments.values()]
NEL_DIMENSIONS = {
    "professional-help": 4,
    "social-support": 7,
    "own-wisdom": 12,
    "belonging": 6,
    "self-management": 5,
    "caring-community": 6,
}
COMPLETE = {
    ("hoop", "total"): (12, 48),
    ("mhcs", "total"): (16, 96),
    ("nel", "total"): (1, 5),
    ("mansa", "mean"): (1, 7),
    ("mansa", "sum"): (12, 84),
}


# ---- what is there ---------------------------------------------------------------------------------------------------


def test_every_file_in_the_folder_is_an_instrument():
    assert set(catalogue().instruments) == {path.stem for path in DEFINITIONS.glob("*.toml")}


def test_the_six_instruments_of_the_design_are_there():
    assert {"nel", "hoop", "mhcs", "mansa", "mansa-short", "sdm-visit"} <= set(catalogue().instruments)


@pytest.mark.parametrize(("identifier", "items"), [("nel", 40), ("hoop", 12), ("mhcs", 16), ("mansa", 16)])
def test_number_of_items(identifier, items):
    """Facts: NEL 40, HOOP 12, MHCS 16, MANSA 16."""
    assert len(catalogue().instrument(identifier).items) == items


@pytest.mark.parametrize(("key", "reach"), COMPLETE.items())
def test_range_of_the_main_scores(key, reach):
    rule = catalogue().instrument(key[0]).score("-".join(key))
    assert (rule.low, rule.high) == reach


def test_nel_has_4_7_12_6_5_6_items_per_dimension():
    nel = catalogue().instrument("nel")
    assert {rule.scale: len(rule.items) for rule in nel.scores if rule.scale != "total"} == NEL_DIMENSIONS


def test_the_nel_dimensions_share_no_item_and_leave_none_out():
    nel = catalogue().instrument("nel")
    members = [link_id for rule in nel.scores if rule.scale != "total" for link_id in rule.items]
    assert sorted(members) == [item.link_id for item in nel.items]


def test_hoop_reverses_3_and_6():
    assert catalogue().instrument("hoop").score("hoop-total").reversed == {"hoop-03", "hoop-06"}


@pytest.mark.parametrize(
    "scales",
    [
        ("view-on-life-and-future", "self-confidence-and-inner-strength"),
        ("temporality-and-future", "positive-readiness-and-expectancy", "interconnectedness"),
    ],
)
def test_each_factor_solution_of_the_hoop_divides_all_twelve(scales):
    hoop = catalogue().instrument("hoop")
    members = sorted(link_id for scale in scales for link_id in hoop.score(f"hoop-{scale}").items)
    assert members == [item.link_id for item in hoop.items]


def test_only_one_factor_solution_of_the_hoop_is_shown():
    hoop = catalogue().instrument("hoop")
    assert [rule.scale for rule in hoop.scores if not rule.default] == [
        "temporality-and-future",
        "positive-readiness-and-expectancy",
        "interconnectedness",
    ]


def test_mansa_asks_7_9_10_11_as_yes_or_no_and_never_scores_them():
    """A public script adds the yes/no columns to the total; here they have no number at all."""
    mansa = catalogue().instrument("mansa")
    yes_no = {item.link_id for item in mansa.items if item.kind == "boolean"}
    assert yes_no == {"mansa-07", "mansa-09", "mansa-10", "mansa-11"}
    assert all(yes_no.isdisjoint(rule.items) and len(rule.items) == 12 for rule in mansa.scores)


def test_the_two_mansa_rules_stand_under_their_own_names():
    mansa = catalogue().instrument("mansa")
    assert {rule.scale: (rule.minimum_answered, rule.default) for rule in mansa.scores} == {
        "mean": (10, True),
        "sum": (10, True),
        "sum-rounded": (8, False),
        "mean-of-rounded-sum": (8, False),
    }


@pytest.mark.parametrize("identifier", ["mansa-short", "sdm-visit"])
def test_conversation_forms_have_no_score(identifier):
    assert catalogue().instrument(identifier).scores == ()


def test_only_the_quotations_that_the_design_names_are_quoted():
    quoted = {i.link_id for instrument in catalogue().instruments.values() for i in instrument.items if i.quoted}
    changes = {
        f"mansa-short-{area}-change" for area in ("home", "social", "daytime", "health", "mind", "money", "safety")
    }
    assert quoted == {"nel-01", "nel-24", "hoop-01", "hoop-11", "mhcs-03", "mhcs-06", "mansa-short-01"} | changes


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_link_ids_are_unique_and_begin_with_the_instrument(instrument: Instrument):
    link_ids = [g.link_id for g in instrument.groups] + [i.link_id for g in instrument.groups for i in g.items]
    assert len(set(link_ids)) == len(link_ids)
    assert all(link_id.startswith(f"{instrument.id}-") for link_id in link_ids)


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_the_canonical_finds_the_instrument(instrument: Instrument):
    assert catalogue().by_canonical(instrument.canonical) is instrument
    assert catalogue().by_canonical(instrument.url) is instrument


# The plan of the SBWU in the handbook, section 10.5, in its order.
OF_THE_HANDBOOK = [
    *("housing", "daytime-activity", "social-contacts", "finances", "physical-health", "mental-health"),
    *("support", "substance-use", "justice", "meaning", "relationships", "parenting"),
]


def test_the_life_domains_of_the_handbook_are_there_in_its_order():
    codes = [domain.code for domain in catalogue().life_domains if not domain.family]
    assert [code for code in codes if code in OF_THE_HANDBOOK] == OF_THE_HANDBOOK


def test_life_domains_are_numbered_and_those_of_families_come_last():
    domains = catalogue().life_domains
    assert [domain.order for domain in domains] == list(range(1, len(domains) + 1))
    assert [domain.family for domain in domains] == sorted(domain.family for domain in domains)


def test_four_questions_are_asked_about_each_life_domain():
    assert [question.code for question in catalogue().plan_questions] == ["now", "change", "how", "support"]


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_an_unknown_questionnaire_lists_what_is_known():
    with pytest.raises(UnknownInstrument, match=f"phq-9 is not a known questionnaire; the known ones are {BASE}"):
        catalogue().by_canonical(f"{BASE}/Questionnaire/phq-9")


def test_an_unknown_version_lists_the_versions():
    with pytest.raises(UnknownInstrument, match=r"version 9\.9\.9 .* known versions are 1\.0\.0"):
        catalogue().by_canonical(f"{BASE}/Questionnaire/hoop|9.9.9")


def test_another_base_is_unknown():
    with pytest.raises(UnknownInstrument, match=r"https://example\.org/Questionnaire/hoop"):
        catalogue().by_canonical("https://example.org/Questionnaire/hoop")


def test_an_unknown_score_or_item_says_so():
    hoop = catalogue().instrument("hoop")
    with pytest.raises(KeyError, match="hoop has no score 'hoop-joy'; it has hoop-total"):
        hoop.score("hoop-joy")
    with pytest.raises(KeyError, match="hoop has no item 'hoop-13'"):
        hoop.item("hoop-13")


def small() -> dict[str, Any]:
    """Return the data of a valid instrument with one of everything, to be spoilt by one test each."""
    words = {"nl": "woord", "en": "word"}
    fact = {"statement": "Read.", "sources": ["paper"], "certainty": "sure", "verified": True}
    return {
        "id": "tiny",
        "version": "1.0.0",
        "minutes": 1,
        "wording": "working",
        "title": words,
        "subtitle": words,
        "intro": words,
        "wording_note": words,
        "copyright": words,
        "sources": {"paper": {"citation": "A paper", "read": "whole"}},
        "facts": [{"about": "items", **fact}],
        "scales": [
            {
                "name": "yes",
                "options": [{"code": "0", "value": 0, "text": words}, {"code": "1", "value": 1, "text": words}],
                "not_applicable": words,
            }
        ],
        "groups": [
            {
                "id": "all",
                "title": words,
                "items": [
                    {"id": "01", "scale": "yes", "subject": "one", "text": words},
                    {"id": "02", "scale": "yes", "subject": "two", "text": words},
                    {"id": "03", "kind": "boolean", "subject": "three", "text": words},
                    {"id": "04", "kind": "text", "subject": "four", "text": words},
                ],
            }
        ],
        "scores": [
            {
                "scale": "total",
                "title": words,
                "items": ["01", "02"],
                "reversed": ["02"],
                "aggregate": "sum",
                "minimum_answered": 2,
                "low": 0,
                "high": 2,
                "version": "1",
                "default": True,
                "published": True,
                "facts": [
                    {"about": about, **fact} for about in ("membership", "reversal", "aggregate", "range", "missing")
                ],
            }
        ],
        "examples": [{"title": "All", "all": "1", "scores": {"total": 1}, "working": "1 + (0 + 1 - 1) = 1"}],
    }


def spoilt(path: str, value: Any) -> dict[str, Any]:
    """Return the small instrument with one key set (or, for `...`, removed); a path such as `scores.0.low`."""
    data = small()
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    table: Any = data
    for step in parents:
        table = table[step]
    if value is ...:
        del table[last]
    else:
        table[last] = value
    return data


def test_the_small_instrument_is_read():
    assert instrument_from(small(), "tiny.toml").score("tiny-total").high == 2


FROM_MEMORY = {"about": "items", "statement": "Read.", "sources": ["paper"], "verified": False}

REFUSED = [
    ("kind", "record", 'scores: are given, but a definition of kind "record" measures nothing'),
    ("kind", "diary", "kind: is 'diary'"),
    ("colour", "red", r"tiny\.toml: colour: is not a known key"),
    ("groups.0.items.1.txt", "x", r"tiny\.toml: groups\[1\]\.items\[2\]\.txt: is not a known key"),
    ("scores.0.cutoff", 3, r"scores\[1\]\.cutoff: is not a known key"),
    ("id", ..., r"tiny\.toml: id: is missing"),
    ("id", "Tiny", r"id: is 'Tiny'; use small letters"),
    ("version", "one", r"version: is 'one'; write it as 1\.0\.0"),
    ("minutes", "five", r"minutes: is 'five'; it must be a whole number"),
    ("minutes", True, r"minutes: is True; it must be a whole number"),
    ("title", {"nl": "alleen"}, r"title\.en: is missing"),
    ("title", {"nl": "a", "en": " "}, r"title\.en: is empty or has space"),
    ("minutes", 0, r"minutes: is less than 1"),
    ("wording", "final", r"wording: is 'final'; it must be one of official, working"),
    ("groups", [], r"groups: is missing; an instrument asks something"),
    ("groups.0.items", [], r"groups\[1\]\.items: is empty"),
    ("groups.0.items.1.id", "01", r"groups\[1\]\.items\[2\]\.id: gives the linkId 'tiny-01', which appears twice"),
    ("groups.0.items.1.id", "all", r"linkId 'tiny-all', which appears twice"),
    (
        "groups.0.items.3.id",
        "score-total",
        r"items\[4\]\.id: is 'score-total', which is kept for the calculated scores",
    ),
    ("groups.0.id", "scores", r"groups\[1\]\.id: is 'scores', which is kept"),
    ("groups.0.items.0.scale", "no", r"items\[1\]\.scale: is 'no'; \[\[scales\]\] has yes"),
    ("groups.0.items.2.scale", "yes", r"items\[3\]\.scale: is for choice items; this one is boolean"),
    ("groups.0.items.0.quoted", True, r"items\[1\]\.source: is missing; a quoted text names"),
    ("groups.0.items.0.enable_when", {"item": "03", "answer": True}, "'tiny-03', which does not appear before"),
    ("groups.0.items.1.enable_when", {"item": "01", "answer": True}, "answer: is True, which is not an answer"),
    ("groups.0.items.1.enable_when", {"item": "01", "answer": "7"}, "answer: is '7', which is not an answer"),
    ("scales.0.options.1.code", "9", r"options\[2\]\.code: is '9' but the value is 1"),
    ("scales.0.options.1", {"code": "2", "value": 2, "text": {"nl": "a", "en": "b"}}, r"have the values \[0, 2\]"),
    ("scales", [small()["scales"][0]] * 2, r"scales\[2\]\.name: 'yes' appears twice"),
    ("scores.0.items", ["01", "09"], r"scores\[1\]\.items: names 'tiny-09', which is not an item of tiny"),
    ("scores.0.items", ["01", "03"], r"names 'tiny-03', which is boolean and has no number"),
    ("scores.0.items", ["01", "01"], r"names 01 more than once"),
    ("scores.0.items", [], r"items: is empty; a score needs items"),
    ("scores.0.items", ["01"], r"reversed: names 'tiny-02', which is not among the items"),
    ("scores.0.minimum_answered", 3, r"minimum_answered: is 3; there are 2 items"),
    ("scores.0.minimum_answered", 1, r"minimum_answered: is 1, but a sum of fewer than 2 answers is too low"),
    ("scores.0.high", 3, r"scores\[1\]\.low: and high are 0–3, but the arithmetic reaches 0–2"),
    ("scores.0.aggregate", "mean", r"low: and high are 0–2, but the arithmetic reaches 0–1"),
    ("scores.0.aggregate", "median", r"aggregate: is 'median'; it must be one of"),
    ("scores.0.facts", [], r"say nothing about membership, reversal, aggregate, range, missing"),
    ("scores.0.rounding", {}, r"rounding: rounds nothing"),
    ("scores", small()["scores"] * 2, r"scores: has 'total' twice"),
    ("facts.0.certainty", "maybe", r"facts\[1\]\.certainty: is 'maybe'"),
    ("facts.0.certainty", "recalled", r"verified: can't be true for a fact that is 'recalled'"),
    ("facts.0.sources", [], r"sources: is empty, but the fact is 'sure'"),
    ("facts.0.certainty", "triangulated", r"sources: is one source, but the fact is 'triangulated'"),
    ("facts.0", FROM_MEMORY | {"certainty": "recalled"}, r"sources: names 'paper', but the fact is 'recalled'"),
    ("facts.0", FROM_MEMORY | {"certainty": "own"}, r"sources: names 'paper', but the fact is 'own'"),
    ("facts.0.sources", ["book"], r"sources: names 'book'; \[sources\] has paper"),
    ("id", "tiny-plain", r"id: is 'tiny-plain'; the variants of a form end like that"),
    ("scores.0.rounding", {"decimals": 7}, r"rounding: has fewer than 0 or more than 6 decimals"),
    ("examples.0.all", "9", r"examples\[1\]\.all: is '9', which no item offers"),
    ("examples.0.scores", {}, r"examples\[1\]\.scores: is empty"),
    ("examples.0.scores", {"joy": 1}, r"examples\[1\]\.scores\.joy: is not a score of tiny"),
    ("examples.0.scores", {"total": True}, r"total: is True; it must be a number, or false"),
    ("examples.0.answers", {"08": "1"}, r"08: refers to 'tiny-08', which is not an item"),
    ("examples.0.unanswered", ["03"], r"unanswered: names '03', which has no answer to take away"),
]


@pytest.mark.parametrize(("path", "value", "message"), REFUSED, ids=[f"{p}={v!r}"[:50] for p, v, _ in REFUSED])
def test_a_spoilt_definition_is_refused_with_file_and_key(path, value, message):
    with pytest.raises(DefinitionError, match=message) as caught:
        instrument_from(spoilt(path, value), "tiny.toml")
    assert caught.value.file == "tiny.toml"


def _paths(value: Any, path: str = "") -> Iterator[str]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield f"{path}{key}"
        yield from _paths(part, f"{path}{key}.")


@pytest.mark.thorough
@pytest.mark.parametrize("value", [..., 1, -1, "x", "", [], {}, True, [1], [[]], {"a": 1}, 1.5], ids=repr)
def test_whatever_stands_at_any_key_is_read_or_refused_as_a_definition_error(value):
    """No spoilt file ends in another kind of error, which would not name file and key."""
    for path in _paths(small()):
        with contextlib.suppress(DefinitionError):
            instrument_from(spoilt(path, value), "tiny.toml")


def test_a_sum_may_not_have_an_item_that_offers_not_applicable():
    data = spoilt("groups.0.items.0.not_applicable", True)
    with pytest.raises(DefinitionError, match='aggregate: is "sum", but an item offers "not applicable"'):
        instrument_from(data, "tiny.toml")


def test_a_published_score_that_rounds_may_not_be_below_zero():
    """Half away from zero is half up only above zero, and the published expression rounds half up."""
    data = spoilt("scores.0.rounding", {"decimals": 0})
    words = {"nl": "a", "en": "b"}
    data["scales"][0]["options"] = [{"code": str(value), "value": value, "text": words} for value in (-1, 0)]
    data["scores"][0] |= {"low": -2, "high": 0}
    del data["examples"]
    with pytest.raises(
        DefinitionError, match=r"scores\[1\]\.published: is true, but no expression rounds the same way below zero"
    ):
        instrument_from(data, "tiny.toml")


def test_not_applicable_needs_words():
    data = spoilt("groups.0.items.0.not_applicable", True)
    del data["scales"][0]["not_applicable"]
    with pytest.raises(DefinitionError, match="has no words for it"):
        instrument_from(data, "tiny.toml")


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path):
    (tmp_path / "broken.toml").write_text("id = ")
    with pytest.raises(DefinitionError, match=r"broken\.toml: is not TOML"):
        read_instrument(tmp_path / "broken.toml")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(DefinitionError, match=r"absent\.toml: can't be read"):
        read_instrument(tmp_path / "absent.toml")


def test_the_name_of_the_file_must_be_the_id(tmp_path: Path):
    (tmp_path / "other.toml").write_text(definition_toml(small()))
    with pytest.raises(DefinitionError, match="the file's name must say the same"):
        read_instrument(tmp_path / "other.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "domains: has no entry"),
        ("domains = []", "domains: has no entry"),
        (
            f"[[domains]]{LIFE_DOMAINS.read_text(encoding='utf-8').partition('[[domains]]')[2]}",
            "questions: has no entry",
        ),
    ],
    ids=["nothing", "no-domains", "no-questions"],
)
def test_a_plan_without_life_domains_or_questions_is_refused(text: str, said: str, tmp_path: Path):
    (tmp_path / "life.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match=rf"life\.toml: {said}"):
        read_life_domains(tmp_path / "life.toml")


def test_a_life_domain_that_stands_twice_is_refused(tmp_path: Path):
    words = {"nl": "a", "en": "b"}
    domain = {"code": "housing", "title": words, "question": words, "help": words}
    (tmp_path / "life.toml").write_text(definition_toml({"questions": [], "domains": [domain, domain]}))
    with pytest.raises(DefinitionError, match=r"life\.toml: domains: has 'housing' twice"):
        read_life_domains(tmp_path / "life.toml")


# ---- definitions from another folder ---------------------------------------------------------------------------------


def _applied(folder: Path, version: str) -> None:
    data = tomllib.loads((DEFINITIONS / "hoop.toml").read_text())
    (folder / f"hoop@{version}.toml").write_text(definition_toml({**data, "version": version}))


def test_the_newest_applied_definition_is_current_and_the_others_stay_readable(tmp_path: Path):
    for version in ("2.10.0", "2.9.0"):
        _applied(tmp_path, version)
    known = Catalogue(tmp_path)
    assert [instrument.version for instrument in known.versions("hoop")] == ["2.10.0", "2.9.0", "1.0.0"]
    assert known.instruments["hoop"].version == "2.10.0"
    assert known.by_canonical(f"{BASE}/Questionnaire/hoop|1.0.0").version == "1.0.0"


def test_the_environment_names_the_other_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    _applied(tmp_path, "2.0.0")
    monkeypatch.setenv("VERSTEL_DEFINITIONS", str(tmp_path))
    assert catalogue().instrument("hoop").version == "2.0.0"


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path):
    with pytest.raises(DefinitionError, match="is not a folder"):
        Catalogue(tmp_path / "absent")


def test_nothing_is_parsed_before_it_is_asked_for(tmp_path: Path):
    (tmp_path / "hoop@2.0.0.toml").write_text("not TOML")
    known = Catalogue(tmp_path)
    assert "hoop" in known.instruments
    assert known.instrument("nel").id == "nel"


@pytest.mark.parametrize("path", sorted(DEFINITIONS.glob("*.toml")), ids=lambda path: path.stem)
def test_writing_a_definition_and_reading_it_gives_the_same(path: Path, tmp_path: Path):
    copy = tmp_path / path.name
    copy.write_text(definition_toml(tomllib.loads(path.read_text())))
    assert read_instrument(copy) == read_instrument(path)
