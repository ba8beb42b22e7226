"""What is published is what the definitions say: valid R4, in two languages, scored alike by anyone's engine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given
from hypothesis import strategies as st

from mappers.scoring import score, score_by
from questionnaires.canonical import BASE
from questionnaires.catalogue import Catalogue, UnknownInstrument, catalogue
from questionnaires.expressions import NotExpressible, calculated_expression
from questionnaires.model import VARIANTS, Instrument, RoundingRule, Text
from questionnaires.publish import published, questionnaire, resource_bytes, terminology
from smartapp.commands.questionnaires import PUBLISHED, stale_files
from tests.conformance.renderers.cases import expected_scores, form_of, response_of

KNOWN = Catalogue()
INSTRUMENTS = [pytest.param(instrument, id=instrument.id) for instrument in KNOWN.instruments.values()]
SCORED = [
    pytest.param(instrument, id=instrument.id)
    for instrument in KNOWN.instruments.values()
    if any(rule.published for rule in instrument.scores)
]
EVERYTHING = {(variant, name): made for variant in VARIANTS for name, made in published(variant).items()}
FORMS = [pytest.param(questionnaire(i, v), id=f"{i.id}-{v}") for i in KNOWN.instruments.values() for v in VARIANTS]
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
# Item types and extensions that a Dutch personal health environment shows; with any other it refuses the whole form.
MEDMIJ_TYPES = {"group", "display", "boolean", "string", "text", "integer", "decimal", "date", "time", "choice"}
MEDMIJ_EXTENSIONS = {"http://hl7.org/fhir/StructureDefinition/questionnaire-itemControl"}
MEDMIJ_ELEMENTS = {"linkId", "text", "type", "item", "answerOption", "extension", "enableWhen", "repeats", "required"}


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object in a resource."""
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from walk(part)


def items(form: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for part in walk(form["item"]) if "linkId" in part]


def expressions(form: dict[str, Any]) -> dict[str, str]:
    """Return the FHIRPath of each calculated item by the code of its score."""
    return {
        item["code"][0]["code"]: extension["valueExpression"]["expression"]
        for item in items(form)
        for extension in item.get("extension", [])
        if "valueExpression" in extension
    }


# ---- files -----------------------------------------------------------------------------------------------------------


def test_publishing_again_gives_the_same_bytes():
    assert list(stale_files()) == []


def test_a_published_file_that_was_touched_is_noticed(monkeypatch: pytest.MonkeyPatch):
    """The comparison above can fail: here the committed bytes are compared with other ones."""
    monkeypatch.setattr("smartapp.commands.questionnaires.resource_bytes", lambda _: b"{}")
    assert "questionnaires/published/Questionnaire-hoop.json: is not what the definitions produce" in "".join(
        stale_files()
    )


@pytest.mark.parametrize(("variant", "name"), EVERYTHING)
def test_it_is_structurally_valid_r4(variant, name):
    made = EVERYTHING[variant, name]
    get_fhir_model_class(made["resourceType"]).model_validate(made)


@pytest.mark.parametrize(("variant", "name"), EVERYTHING)
def test_nothing_is_empty(variant, name):
    """FHIR allows no empty string, list or object."""
    empty = [part for part in walk(EVERYTHING[variant, name]) for v in [part, *part.values()] if v in ("", [], {})]
    assert not empty


@pytest.mark.parametrize(("variant", "name"), EVERYTHING)
def test_every_coding_has_system_code_and_display(variant, name):
    """But for our own codings where there is no wording: see below for what those have."""
    wordless = f"{BASE}/" if variant == "structure" else "no system"
    codings = [part for part in walk(EVERYTHING[variant, name]) if "system" in part and "code" in part]
    codings = [coding for coding in codings if not coding["system"].startswith(wordless)]
    assert not [coding for coding in codings if "display" not in coding and "unit" not in coding]


@pytest.mark.parametrize(("variant", "name"), EVERYTHING)
def test_every_resource_names_a_profile(variant, name):
    assert EVERYTHING[variant, name]["meta"]["profile"]


def test_variants_have_addresses_of_their_own_and_derive_from_the_default():
    for instrument in KNOWN.instruments.values():
        for variant in VARIANTS[1:]:
            form = questionnaire(instrument, variant)
            assert form["url"] == f"{instrument.url}-{variant}"
            assert form["derivedFrom"] == [instrument.canonical]


@pytest.mark.parametrize("variant", VARIANTS)
def test_answers_to_a_variant_are_answers_to_the_instrument(variant):
    form = questionnaire(KNOWN.instrument("mansa-short"), variant)
    assert catalogue().by_canonical(f"{form['url']}|{form['version']}").id == "mansa-short"


@pytest.mark.parametrize("name", ["mansa-short-default", "mansa-short-plain-template", "short-plain", "structure"])
def test_what_is_no_variant_is_not_taken_for_one(name):
    with pytest.raises(UnknownInstrument):
        catalogue().by_canonical(f"{BASE}/Questionnaire/{name}")


def test_there_is_no_other_variant():
    choices = "default, template, plain, structure"
    with pytest.raises(ValueError, match=f"there is no variant 'fancy'; choose one of {choices}"):
        questionnaire(KNOWN.instrument("hoop"), "fancy")


# ---- questions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_link_ids_are_unique(form):
    link_ids = [item["linkId"] for item in items(form)]
    assert len(set(link_ids)) == len(link_ids)


@pytest.mark.parametrize("form", FORMS)
def test_questions_stand_in_groups_one_level_deep(form):
    assert all(group["type"] == "group" for group in form["item"])
    assert all("item" not in question for group in form["item"] for question in group["item"])


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_required_of_a_person(form):
    assert not [item["linkId"] for item in items(form) if item.get("required")]


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_every_text_has_its_english_beside_it(instrument: Instrument):
    form = questionnaire(instrument)
    for part in walk(form):
        for element in ("title", "text", "description", "copyright"):
            # The same word in both languages, such as "Scores", needs no translation.
            if isinstance(part.get(element), str) and part[element] not in {"Scores"}:
                [translation] = part[f"_{element}"]["extension"]
                assert translation["url"] == TRANSLATION
                assert translation["extension"][0] == {"url": "lang", "valueCode": "en"}


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_answer_options_are_codings_with_their_weight_on_the_coding(instrument: Instrument):
    """On the answerOption a renderer prints the weight to the person who answers (facts: sdc-markup 2)."""
    for item in items(questionnaire(instrument)):
        for option in item.get("answerOption", []):
            assert set(option) == {"valueCoding"}
            weights = [e["valueDecimal"] for e in option["valueCoding"].get("extension", [])]
            counts = option["valueCoding"]["code"] != "na" and not option["valueCoding"]["system"].endswith(
                "life-domain"
            )
            assert len(weights) == counts


def test_the_weights_of_a_reversed_item_run_down():
    """HOOP 3 is reversed: strongly disagree counts 4."""
    [item] = [item for item in items(questionnaire(KNOWN.instrument("hoop"))) if item["linkId"] == "hoop-03"]
    weights = [option["valueCoding"]["extension"][0]["valueDecimal"] for option in item["answerOption"]]
    assert weights == [4, 3, 2, 1]


def test_the_stem_of_the_mhcs_stands_with_its_group():
    [group, _] = questionnaire(KNOWN.instrument("mhcs"))["item"]
    assert group["text"] == "Vertrouwen in jezelf. Hoeveel vertrouwen heeft u erin dat u …"


def test_medication_questions_are_asked_only_of_who_uses_medication():
    form = questionnaire(KNOWN.instrument("sdm-visit"))
    conditions = {item["linkId"]: item["enableWhen"] for item in items(form) if "enableWhen" in item}
    assert len(conditions) == 6
    assert all(
        condition == [{"question": "sdm-visit-medication-uses", "operator": "=", "answerBoolean": True}]
        for condition in conditions.values()
    )


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_a_form_says_what_its_wording_is(instrument: Instrument):
    form = questionnaire(instrument)
    assert {"url": f"{BASE}/StructureDefinition/wording-status", "valueCode": "working"} in form["extension"]
    assert form["status"] == "draft"
    assert instrument.wording_note.nl in form["description"]
    assert form["copyright"] == instrument.copyright.nl


def test_a_provisional_score_says_so_in_the_form():
    assert "nel-total, regel 1" in questionnaire(KNOWN.instrument("nel"))["description"]
    assert "voorlopig" in questionnaire(KNOWN.instrument("nel"))["description"]


def what_a_portal_refuses(form: dict[str, Any]) -> set[str]:
    """Return what in a form is outside the item types, elements and extensions that MedMij tests a portal with."""
    return (
        {item["type"] for item in items(form)} - MEDMIJ_TYPES
        | {element for item in items(form) for element in item} - MEDMIJ_ELEMENTS
        | {part["url"] for part in walk(form["item"]) if "url" in part} - MEDMIJ_EXTENSIONS
        | {element for element in ("extension", "contained", "code") if element in form}
        | {element for part in walk(form) for element in part if element.startswith("_")}
        | {form["language"]} - {"nl-NL"}
    )


@pytest.mark.parametrize("path", sorted((PUBLISHED / "variants" / "plain").iterdir()), ids=lambda path: path.stem)
def test_the_plain_files_have_only_what_every_dutch_portal_shows(path: Path):
    assert what_a_portal_refuses(json.loads(path.read_text(encoding="utf-8"))) == set()


@pytest.mark.parametrize("instrument", SCORED)
def test_the_other_variants_have_what_a_portal_refuses(instrument: Instrument):
    """The test above can fail: calculated, translated and hidden items are just what a portal does not take."""
    refused = what_a_portal_refuses(questionnaire(instrument))
    assert {"readOnly", "code", "_text", "extension", "nl", TRANSLATION} <= refused


def asked(form: dict[str, Any], *, words: bool = True) -> list[tuple[Any, ...]]:
    """Return the questions of a form, without those items that only show words where `words` do not count."""
    return [
        (
            item["linkId"],
            item["type"],
            item["text"] if words else None,
            [o["valueCoding"]["code"] for o in item.get("answerOption", [])],
        )
        for item in items(form)
        if "-score" not in item["linkId"] and (words or item["type"] != "display")
    ]


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_all_variants_ask_the_same(instrument: Instrument):
    form = questionnaire(instrument)
    assert asked(form) == asked(questionnaire(instrument, "plain"))
    assert asked(form) == asked(questionnaire(instrument, "template"))
    assert asked(form, words=False) == asked(questionnaire(instrument, "structure"), words=False)


# ---- structure without wording ---------------------------------------------------------------------------------------

SENTINEL = "WORDS"


def with_sentinels(value: Any) -> Any:
    """Return a definition in which each text that people read says where it stands: `WORDS` and its own words.

    Three things are not wording: what an instrument is called, whose it is, and our sentence about its arithmetic.
    """
    if isinstance(value, Text):
        return Text(f"{SENTINEL} {value.nl}", f"{SENTINEL} {value.en}")
    if isinstance(value, tuple):
        return tuple(with_sentinels(one) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        names = {one.name for one in fields(value) if one.init} - {"title", "copyright", "method"}
        if not isinstance(value, Instrument):
            names |= {"title"} & {one.name for one in fields(value)}
        return replace(value, **{name: with_sentinels(getattr(value, name)) for name in names})
    return value


@pytest.mark.parametrize("instrument", INSTRUMENTS)
@pytest.mark.parametrize("wording", ["working", "official"])
def test_no_word_of_a_definition_is_in_its_structure(instrument: Instrument, wording):
    """Official wording that an organisation applied would be in the same places: none of it is published with this."""
    worded = replace(with_sentinels(instrument), wording=wording)
    assert SENTINEL not in json.dumps(questionnaire(worded, "structure"))
    assert json.dumps(questionnaire(worded)).count(SENTINEL) > len(instrument.items)


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_a_structure_says_that_it_has_no_wording_and_is_never_more_than_a_draft(instrument: Instrument):
    form = questionnaire(replace(instrument, wording="official"), "structure")
    assert {"url": f"{BASE}/StructureDefinition/wording-status", "valueCode": "none"} in form["extension"]
    assert form["status"] == "draft"
    assert questionnaire(replace(instrument, wording="official"))["status"] == "active"
    assert form["description"].startswith("Alleen de opbouw")
    assert form["title"] == instrument.title.nl
    assert form["copyright"] == instrument.copyright.nl


def arithmetic(form: dict[str, Any]) -> list[Any]:
    """Return all that a program computes with: codes, weights, conditions, expressions and how to extract."""
    kept = ("linkId", "type", "repeats", "readOnly")
    return [
        (
            {key: item.get(key) for key in kept},
            [(coding["system"], coding["code"]) for coding in item.get("code", [])],
            item.get("extension"),
            [{**option["valueCoding"], "display": None, "_display": None} for option in item.get("answerOption", [])],
            [
                (one["question"], one.get("answerBoolean"), one.get("answerCoding", {}).get("code"))
                for one in item.get("enableWhen", [])
            ],
        )
        for item in items(form)
        if item["type"] != "display"
    ]


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_a_structure_computes_as_the_form_does(instrument: Instrument):
    form = questionnaire(instrument)
    wordless = [
        (kept, codes, extension, [{"display": None, "_display": None, **option} for option in options], conditions)
        for kept, codes, extension, options, conditions in arithmetic(questionnaire(instrument, "structure"))
    ]
    assert wordless == arithmetic(form)
    assert expressions(questionnaire(instrument, "structure")) == expressions(form)


@pytest.mark.parametrize("instrument", SCORED)
def test_answers_to_a_structure_are_scored_by_their_codes_alone(instrument: Instrument):
    """A program that has only the structure sends codes without words."""
    worded, wordless = (form_of(questionnaire(instrument, variant)) for variant in ("default", "structure"))
    values = {one.link_id: one.numbered[-1] for one in worded.questions if one.kind == "choice"}
    response = response_of(wordless, values, "codes only")
    assert "display" not in json.dumps(response["item"])
    expected = expected_scores(worded, response_of(worded, values, "worded"), KNOWN)
    assert expected_scores(wordless, response, KNOWN) == expected
    assert expected


# ---- scores ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("instrument", SCORED)
def test_scores_stand_in_a_hidden_group_at_the_end(instrument: Instrument):
    group = questionnaire(instrument)["item"][-1]
    assert group["linkId"] == f"{instrument.id}-scores"
    assert group["extension"][0]["valueBoolean"] is True
    assert [item["linkId"] for item in group["item"]] == [
        f"{instrument.id}-score-{rule.scale}" for rule in instrument.scores if rule.published
    ]
    assert all(item["type"] == "decimal" and item["readOnly"] for item in group["item"])


@pytest.mark.parametrize("instrument", SCORED)
def test_the_code_of_a_score_item_is_the_code_of_its_observation(instrument: Instrument):
    codes = [item["code"][0]["code"] for item in questionnaire(instrument)["item"][-1]["item"]]
    assert codes == [rule.code for rule in instrument.scores if rule.published]


@pytest.mark.parametrize("instrument", SCORED)
def test_only_one_way_of_extraction_stands_on_a_form(instrument: Instrument):
    """Both on one form give every Observation twice (facts: sdc-markup 4)."""
    default = json.dumps(questionnaire(instrument))
    template = json.dumps(questionnaire(instrument, "template"))
    assert "observationExtract" in default
    assert "templateExtract" not in default
    assert "templateExtract" in template
    assert "observationExtract" not in template


@pytest.mark.parametrize("instrument", SCORED)
def test_every_template_that_is_named_is_contained(instrument: Instrument):
    form = questionnaire(instrument, "template")
    named = {part["valueReference"]["reference"] for part in walk(form["item"]) if "valueReference" in part}
    assert named == {f"#{contained['id']}" for contained in form["contained"]}


def test_both_mansa_rules_stand_in_the_form():
    assert set(expressions(questionnaire(KNOWN.instrument("mansa")))) == {
        rule.code for rule in KNOWN.instrument("mansa").scores
    }


def test_the_rounded_rules_are_expressed_in_whole_numbers():
    """35 over 8 answers: 35 × 12 / 8 = 52.5, half away from zero 53; 53 / 12 = 4.4166…, rounded 4.42."""
    mansa = KNOWN.instrument("mansa")
    scored = mansa.score("mansa-sum-rounded").items
    values = dict(zip(scored[:8], "55544444", strict=True))
    assert evaluate(calculated_expression(mansa, mansa.score("mansa-sum-rounded")), values) == 53
    assert evaluate(calculated_expression(mansa, mansa.score("mansa-mean-of-rounded-sum")), values) == 4.42


@pytest.mark.parametrize(
    ("aggregate", "rounding"),
    [
        ("sum", RoundingRule(decimals=0)),
        ("mean", RoundingRule(decimals=1)),
        ("mean", RoundingRule(sum_decimals=1)),
        ("mean", RoundingRule(sum_decimals=0, decimals=2)),
        ("mean-times-n", RoundingRule(sum_decimals=1)),
        ("mean-times-n", RoundingRule(sum_decimals=1, decimals=0)),
    ],
)
@given(data=st.data())
def test_any_rounding_is_expressed_as_the_scorer_rounds(aggregate, rounding, data: st.DataObject):
    mansa = KNOWN.instrument("mansa")
    minimum = 12 if aggregate == "sum" else 1
    rule = replace(mansa.score("mansa-mean"), aggregate=aggregate, rounding=rounding, minimum_answered=minimum)
    values = data.draw(answers(mansa))
    assert evaluate(calculated_expression(mansa, rule), values) == score_by(mansa, rule, values).value


def test_a_rule_that_rounds_below_zero_has_no_expression():
    mansa = KNOWN.instrument("mansa")
    with pytest.raises(NotExpressible, match="mansa-sum-rounded rounds and can be below zero"):
        calculated_expression(mansa, replace(mansa.score("mansa-sum-rounded"), low=-1))


@pytest.mark.parametrize("instrument", SCORED)
def test_expressions_use_only_what_computes_everywhere(instrument: Instrument):
    for expression in expressions(questionnaire(instrument)).values():
        assert set(re.findall(r"(\w+)\(", expression)) == {"iif", "where", "count"}
        assert "valueCoding" not in expression


COUNT = re.compile(r"%resource\.item\.item\.where\(([^)]*)\)\.answer\.value\.where\(([^)]*)\)\.count\(\)")


def evaluate(expression: str, values: Mapping[str, str | bool]) -> float | None:
    """Compute a counted expression: a small reading of our own, independent of how it was written.

    Engines of others compute the same files in tests/conformance.
    """

    def counted(match: re.Match[str]) -> str:
        link_ids, codes = (set(re.findall(r"'([^']*)'", match[group])) for group in (1, 2))
        return str(sum(code in codes for link_id, code in values.items() if link_id in link_ids))

    [(condition, value)] = re.findall(r"iif\((.*?), (.*), \{\}\)", COUNT.sub(counted, expression))
    assert re.fullmatch(r"[-0-9 .+*/()<>=]+", condition.replace(" and ", "") + value.replace(" div ", ""))
    value = value.replace(" div ", " // ")
    return eval(value) if eval(condition) else None


@st.composite
def answers(draw: st.DrawFn, instrument: Instrument) -> dict[str, str | bool]:
    """Draw answers to an instrument: often complete, sometimes with gaps, sometimes not applicable, sometimes none."""
    asked = [item for item in instrument.items if item.kind != "text"]
    missing = draw(
        st.sets(st.sampled_from([item.link_id for item in asked]), max_size=draw(st.sampled_from([0, 3, 40])))
    )
    return {
        item.link_id: draw(st.sampled_from([o.code for o in item.scale.options]) if item.scale else st.booleans())
        for item in asked
        if item.link_id not in missing
    }


@pytest.mark.parametrize("instrument", SCORED)
@given(data=st.data())
def test_the_expression_and_the_scorer_find_the_same_double(instrument: Instrument, data: st.DataObject):
    values = data.draw(answers(instrument))
    written = expressions(questionnaire(instrument))
    computed = {one.rule.code: one.value for one in score(instrument, values) if one.rule.published}
    assert {code: evaluate(expression, values) for code, expression in written.items()} == computed


@pytest.mark.parametrize("instrument", SCORED)
def test_no_answer_gives_no_score(instrument: Instrument):
    assert {evaluate(expression, {}) for expression in expressions(questionnaire(instrument)).values()} == {None}


# ---- terminology -----------------------------------------------------------------------------------------------------


def test_every_code_that_a_form_uses_stands_in_a_code_system():
    systems = {
        made["url"]: {concept["code"]: concept["display"] for concept in made["concept"]}
        for (_, _), made in EVERYTHING.items()
        if made["resourceType"] == "CodeSystem"
    }
    used = {
        (part["system"], part["code"], part["display"])
        for made in EVERYTHING.values()
        for part in walk(made)
        if str(part.get("system", "")).startswith(BASE) and "display" in part
    }
    assert used
    assert not [(system, code) for system, code, display in used if systems[system].get(code) != display]


def test_every_score_and_panel_has_a_code():
    codes = {concept["code"] for concept in published()["CodeSystem-score.json"]["concept"]}
    assert {"hoop-panel", "hoop-total", "nel-own-wisdom", "mansa-sum-rounded"} <= codes


def test_the_life_domains_are_all_in_their_code_system():
    concepts = published()["CodeSystem-life-domain.json"]["concept"]
    assert [concept["code"] for concept in concepts] == [domain.code for domain in KNOWN.life_domains]


def _shared(known: Catalogue) -> dict[str, str]:
    """The versions of the terminology that belongs to no single instrument, by kind and id."""
    names = ("score", "score-rule", "life-domain", "plan")
    return {f"{one['resourceType']} {one['id']}": one["version"] for one in terminology(known) if one["id"] in names}


def test_terminology_with_other_content_has_another_version(monkeypatch: pytest.MonkeyPatch):
    """A server knows a CodeSystem by address and version: the same version never means two things."""
    before = _shared(KNOWN)
    assert before == _shared(Catalogue())
    pets = replace(KNOWN.life_domains[0], code="pets")
    monkeypatch.setattr(Catalogue, "life_domains", (*KNOWN.life_domains, pets))
    after = _shared(Catalogue())
    assert {name for name in before if before[name] != after[name]} == {
        "CodeSystem life-domain",
        "ValueSet life-domain",
    }


def test_another_word_for_a_code_gives_another_version_too(monkeypatch: pytest.MonkeyPatch):
    before = _shared(KNOWN)
    first = replace(KNOWN.life_domains[0], title=Text("Huis", "Housing"))
    monkeypatch.setattr(Catalogue, "life_domains", (first, *KNOWN.life_domains[1:]))
    assert _shared(Catalogue())["CodeSystem life-domain"] != before["CodeSystem life-domain"]


def test_a_value_set_offers_exactly_the_options_of_its_scale():
    made = published()
    plain = made["ValueSet-answer-nel-agreement.json"]["compose"]["include"][0]["concept"]
    wide = made["ValueSet-answer-nel-agreement-or-na.json"]["compose"]["include"][0]["concept"]
    assert [concept["code"] for concept in plain] == ["1", "2", "3", "4", "5"]
    assert [concept["code"] for concept in wide] == ["1", "2", "3", "4", "5", "na"]


def test_files_are_json_that_ends_with_a_line():
    content = (PUBLISHED / "Questionnaire-hoop.json").read_bytes()
    assert content.endswith(b"}\n")
    assert resource_bytes(json.loads(content)) == content


def test_a_life_domain_keeps_the_handbooks_word_and_has_its_plain_name_as_designations():
    concepts = {one["code"]: one for one in published()["CodeSystem-life-domain.json"]["concept"]}
    assert concepts["daytime-activity"] == {
        "code": "daytime-activity",
        "display": "Dagbesteding",
        "designation": [
            {"language": "en", "value": "Daytime activity"},
            {"language": "nl", "value": "Wat ik overdag doe"},
            {"language": "en", "value": "What I do during the day"},
        ],
    }
    assert concepts["housing"]["designation"] == [{"language": "en", "value": "Housing"}]
