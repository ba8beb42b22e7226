"""Instruments as FHIR R4: Questionnaires in four variants, and the CodeSystems and ValueSets they use. Pure.

- `default`: scores as calculated items that form renderers fill and extract as Observations (observationExtract, unit)
- `template`: the same, but extraction by template, for renderers that know only that; never both on one form
- `plain`: questions only, in Dutch, with item types and extensions that every Dutch portal can show; no scores
- `structure`: the default one without any wording of questions and answers: for a place that may compute with an
  instrument and not publish its sentences. It holds linkIds, codes, weights and expressions, and nobody can show it.

The variants have addresses of their own (`hoop-template`, `hoop-plain`, `hoop-structure`) and say that they derive from
the default one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Final

from questionnaires import __version__
from questionnaires.canonical import code_system_url, questionnaire_url, structure_url, value_set_url
from questionnaires.catalogue import Catalogue
from questionnaires.expressions import calculated_expression
from questionnaires.fhir import (
    NETHERLANDS,
    SDC_STRUCTURES,
    STRUCTURES,
    SURVEY,
    UCUM,
    Resource,
    coding,
    computer_name,
    concept,
    translated,
)
from questionnaires.model import (
    VARIANTS,
    AnswerScale,
    Group,
    Instrument,
    Item,
    ItemKind,
    Option,
    ScoreRule,
    Subject,
    Text,
    Variant,
)
from questionnaires.phases import CODE_SYSTEM, phases

# A goal's words are a text of one line: which goal they belong to is for the app to know.
_TYPES: Final[Mapping[ItemKind, str]] = {
    "choice": "choice",
    "boolean": "boolean",
    "date": "date",
    "text": "text",
    "line": "string",
    "goal": "string",
}

_SUBJECT_TYPES: Final[Mapping[Subject, tuple[str, ...]]] = {
    "person": ("Patient",),
    "team": ("Organization", "CareTeam"),
}

_CC0 = Text(
    "CC0-1.0: vrij voor elk gebruik. De vragenlijsten zelf zijn van hun makers.",
    "CC0-1.0: free for any use. The questionnaires themselves belong to their authors.",
)
_WORDLESS = Text(
    "Alleen de opbouw: plaatsen, codes en rekenregels, zonder de tekst van vragen en antwoorden. Niet om in te vullen.",
    "Structure only: places, codes and rules, without the text of questions and answers. Not for filling in.",
)
_SEMVER: Final[Resource] = {
    "url": f"{STRUCTURES}/artifact-versionAlgorithm",
    "valueCoding": coding("http://hl7.org/fhir/version-algorithm", "semver", "SemVer"),
}
"""How versions of a form count: SDC 4 wants to be told where a form has a version."""
_PLAN_CODES = (
    ("recovery-plan", Text("Herstelplan", "Recovery plan")),
    ("recovery-step", Text("Stap", "Step")),
    ("talking-point", Text("Hier wil ik over praten", "I want to talk about this")),
    ("own-note", Text("Wat dit voor mij betekent", "What this means to me")),
    ("agreed-step", Text("Afspraak van een gesprek", "Agreement of a conversation")),
    ("recovery-phase", Text("Waar ik nu sta", "Where I am now")),
    ("family-team", Text("Gezinsteam", "Family team")),
    ("programme", Text("Programma", "Programme")),
    ("moment-declined", Text("De cliënt zei hier nee tegen", "The client said no to this")),
    ("course-stopped", Text("Het programma is gestopt", "The programme was stopped")),
    ("course-paused", Text("Het programma staat op pauze", "The programme is paused")),
    ("conversation-report", Text("Verslag van een gesprek", "Report of a conversation")),
    ("team-told-back", Text("Teruggekoppeld", "Told back")),
    ("team-action", Text("Actie van een team", "Action of a team")),
    ("team-action-outcome", Text("Wat de actie opleverde", "What came of the action")),
    ("clients-of-team", Text("Cliënten van een team", "Clients of a team")),
)


# ---- questions -------------------------------------------------------------------------------------------------------


def _weight(instrument: Instrument, item: Item, option: Option) -> int | None:
    """Return what an answer counts for, or None where scores disagree about the item's direction."""
    # Two scores may count an item in opposite directions; a single weight would be wrong for one of them.
    directions = {item.link_id in rule.reversed for rule in instrument.scores if item.link_id in rule.items}
    if item.scale is None or option.value is None or len(directions) > 1:
        return None
    return item.scale.low + item.scale.high - option.value if directions == {True} else option.value


def _code(system: str, code: str, words: str, variant: Variant) -> Resource:
    """Return a Coding of ours; its display is wording too, which the structure alone does not have."""
    return {"system": system, "code": code} if variant == "structure" else coding(system, code, words)


def _coding(scale: AnswerScale, option: Option, variant: Variant) -> Resource:
    return _code(scale.system, option.code, option.text.nl, variant)


def _answer_option(
    instrument: Instrument, item: Item, scale: AnswerScale, option: Option, variant: Variant
) -> Resource:
    answer = _coding(scale, option, variant)
    if variant not in {"plain", "structure"}:
        answer |= translated("display", option.text)
    if variant != "plain":
        weight = _weight(instrument, item, option)
        if weight is not None:
            # On the Coding, not on the answerOption: there a renderer prints it to the person who answers.
            answer["extension"] = [{"url": f"{STRUCTURES}/itemWeight", "valueDecimal": weight}]
    return {"valueCoding": answer}


def _enable_when(instrument: Instrument, item: Item, variant: Variant) -> Resource:
    if item.enable_when is None:
        return {}
    condition: Resource = {"question": item.enable_when.item, "operator": "="}
    scale = instrument.item(item.enable_when.item).scale
    if isinstance(item.enable_when.answer, bool):
        condition["answerBoolean"] = item.enable_when.answer
    elif scale is not None and (option := scale.option(item.enable_when.answer)) is not None:
        condition["answerCoding"] = _coding(scale, option, variant)
    return {"enableWhen": [condition]}


def _about(element: str, text: Text, variant: Variant) -> Resource:
    """Return what is said about a form, in the languages of the variant."""
    return {element: text.nl} if variant == "plain" else translated(element, text)


def _text(text: Text, variant: Variant) -> Resource:
    """Return the words of an item, where the variant has any."""
    return {} if variant == "structure" else _about("text", text, variant)


def _item(instrument: Instrument, item: Item, variant: Variant) -> Resource:
    resource: Resource = {"linkId": item.link_id}
    if item.kind == "choice":
        code, words = ("check-box", "Check-box") if item.many else ("radio-button", "Radio Button")
        control = concept("http://hl7.org/fhir/questionnaire-item-control", code, words)
        resource["extension"] = [{"url": f"{STRUCTURES}/questionnaire-itemControl", "valueCodeableConcept": control}]
    resource |= {
        **_text(item.asked, variant),
        "type": _TYPES[item.kind],
        **_enable_when(instrument, item, variant),
        "required": item.required,
        **_repeats(item),
    }
    if item.scale is not None:
        resource["answerOption"] = [
            _answer_option(instrument, item, item.scale, option, variant) for option in item.scale.options
        ]
    return resource


def _repeats(one: Item | Group) -> Resource:
    return {"repeats": True} if one.many else {}


def _prompts(instrument: Instrument, item: Item, variant: Variant) -> list[Resource]:
    """Return the ideas for an answer as a text below its question, which is there when the question is."""
    # An item that only shows words is nothing without them.
    if not item.prompts or variant == "structure":
        return []
    nl, en = ("; ".join(prompt.get(language) for prompt in item.prompts) for language in ("nl", "en"))
    return [
        {
            "linkId": f"{item.link_id}-prompts",
            **_text(Text(f"Ideeën: {nl}", f"Ideas: {en}"), variant),
            "type": "display",
            **_enable_when(instrument, item, variant),
        }
    ]


def _group(instrument: Instrument, group: Group, variant: Variant) -> Resource:
    return {
        "linkId": group.link_id,
        **_text(group.asked, variant),
        "type": "group",
        **_repeats(group),
        "item": [
            one
            for item in group.items
            for one in (_item(instrument, item, variant), *_prompts(instrument, item, variant))
        ],
    }


# ---- scores ----------------------------------------------------------------------------------------------------------


def _score_coding(rule: ScoreRule, variant: Variant) -> Resource:
    return _code(code_system_url("score"), rule.code, rule.title.nl, variant)


def _rule_coding(rule: ScoreRule, variant: Variant) -> Resource:
    return _code(code_system_url("score-rule"), f"{rule.code}@{rule.version}", rule.method.nl, variant)


def _template_id(rule: ScoreRule) -> str:
    return f"template-{rule.code}"


def _score_item(instrument: Instrument, rule: ScoreRule, variant: Variant) -> Resource:
    expression = {"language": "text/fhirpath", "expression": calculated_expression(instrument, rule)}
    unit = coding(UCUM, "{score}", "score")
    extensions: list[Resource] = [
        {"url": f"{SDC_STRUCTURES}/sdc-questionnaire-calculatedExpression", "valueExpression": expression},
        {"url": f"{STRUCTURES}/questionnaire-unit", "valueCoding": unit},
    ]
    if variant == "template":
        template = {"url": "template", "valueReference": {"reference": f"#{_template_id(rule)}"}}
        extensions.append({"url": f"{SDC_STRUCTURES}/sdc-questionnaire-templateExtract", "extension": [template]})
    else:
        category = f"{SDC_STRUCTURES}/sdc-questionnaire-observation-extract-category"
        extensions += [
            {"url": f"{SDC_STRUCTURES}/sdc-questionnaire-observationExtract", "valueBoolean": True},
            {"url": category, "valueCodeableConcept": SURVEY},
        ]
    return {
        "extension": extensions,
        "linkId": f"{instrument.id}-score-{rule.scale}",
        # Extraction copies the codes into the Observation, and has no other way to say by which rule it was made.
        "code": [_score_coding(rule, variant), _rule_coding(rule, variant)],
        **_text(rule.title, variant),
        "type": "decimal",
        "readOnly": True,
    }


def _scores(instrument: Instrument, rules: list[ScoreRule], variant: Variant) -> Resource:
    return {
        # Renderers compute these items; there is nothing to fill in.
        "extension": [{"url": f"{STRUCTURES}/questionnaire-hidden", "valueBoolean": True}],
        "linkId": f"{instrument.id}-scores",
        **_text(Text("Scores", "Scores"), variant),
        "type": "group",
        "item": [_score_item(instrument, rule, variant) for rule in rules],
    }


def _extracted(path: str) -> Resource:
    value = {"url": f"{SDC_STRUCTURES}/sdc-questionnaire-templateExtractValue", "valueString": path}
    return {"extension": [value]}


def _observation_template(rule: ScoreRule) -> Resource:
    """Return the Observation that template extraction fills in, once per score item that has a value.

    The expressions are in extensions of the very elements that they fill, as SDC has it.
    """
    return {
        "resourceType": "Observation",
        "id": _template_id(rule),
        "status": "final",
        "category": [SURVEY],
        "code": {"coding": [_score_coding(rule, "template")], "text": rule.title.nl},
        "subject": {"_reference": _extracted("%resource.subject.reference")},
        "_effectiveDateTime": _extracted("%resource.authored"),
        "valueQuantity": {
            "_value": _extracted("answer.value"),
            "unit": "score",
            "system": UCUM,
            "code": "{score}",
        },
        "method": {"coding": [_rule_coding(rule, "template")], "text": rule.method.nl},
        "derivedFrom": [{"_reference": _extracted("'QuestionnaireResponse/' + %resource.id")}],
    }


# ---- the whole form --------------------------------------------------------------------------------------------------


def variant_id(instrument: Instrument, variant: Variant = "default") -> str:
    """Return the id of a variant's Questionnaire."""
    return instrument.id if variant == "default" else f"{instrument.id}-{variant}"


def _description(instrument: Instrument, rules: list[ScoreRule], variant: Variant) -> Text:
    """Say what the form is, what its wording is, and how each score is made and whether that was verified."""
    if variant == "structure":
        nl, en = [_WORDLESS.nl], [_WORDLESS.en]
    else:
        nl = [instrument.subtitle.nl + ".", instrument.intro.nl, instrument.wording_note.nl]
        en = [instrument.subtitle.en + ".", instrument.intro.en, instrument.wording_note.en]
    if rules:
        nl.append("Scores:\n\n" + "\n".join(f"- {rule.method.nl}" for rule in rules))
        en.append("Scores:\n\n" + "\n".join(f"- {rule.method.en}" for rule in rules))
    return Text("\n\n".join(nl), "\n\n".join(en))


def questionnaire(instrument: Instrument, variant: Variant = "default") -> Resource:
    """Return an instrument as an R4 Questionnaire; ValueError for an unknown variant."""
    if variant not in VARIANTS:
        raise ValueError(f"there is no variant {variant!r}; choose one of {', '.join(VARIANTS)}")
    rules = [] if variant == "plain" else [rule for rule in instrument.scores if rule.published]
    resource: Resource = {
        **_header(instrument, rules, variant),
        "code": [_panel_coding(instrument, variant)] if rules else [],
        "item": [
            *(_group(instrument, group, variant) for group in instrument.groups),
            *([_scores(instrument, rules, variant)] if rules else []),
        ],
    }
    # FHIR has no empty lists.
    return {name: value for name, value in resource.items() if value != []}


def _header(instrument: Instrument, rules: list[ScoreRule], variant: Variant) -> Resource:
    """Return all that is said about a form before what it asks."""
    plain = variant == "plain"
    identifier = variant_id(instrument, variant)
    wording = "none" if variant == "structure" else instrument.wording
    return {
        "resourceType": "Questionnaire",
        "id": identifier,
        # No profile of SDC is claimed, though its rules are kept: a server that lacks it may refuse the form, and the
        # only package of SDC 4 on npm is a ballot, whose extension for how versions count is another one.
        "meta": {"profile": [f"{STRUCTURES}/Questionnaire"]},
        "language": "nl-NL" if plain else "nl",
        "contained": [_observation_template(rule) for rule in rules if variant == "template"],
        "extension": [] if plain else [{"url": structure_url("wording-status"), "valueCode": wording}, _SEMVER],
        "url": questionnaire_url(identifier),
        "version": instrument.version,
        "name": computer_name(identifier),
        **_about("title", instrument.title, variant),
        "derivedFrom": _derived_from(instrument, variant),
        # A form in working wording is a draft, however sure its structure: its sentences were never validated.
        "status": "active" if wording == "official" else "draft",
        "experimental": False,
        "subjectType": list(_SUBJECT_TYPES[instrument.subject]),
        "publisher": "Verstel",
        **_about("description", _description(instrument, rules, variant), variant),
        "jurisdiction": [NETHERLANDS],
        **_about("copyright", instrument.copyright, variant),
    }


def _derived_from(instrument: Instrument, variant: Variant) -> list[str]:
    if variant != "default":
        return [instrument.canonical]
    return [instrument.derived_from] if instrument.derived_from is not None else []


def _panel_coding(instrument: Instrument, variant: Variant) -> Resource:
    return _code(code_system_url("score"), instrument.panel_code, instrument.title.nl, variant)


# ---- terminology -----------------------------------------------------------------------------------------------------


def _concept(code: str, text: Text, plain: Text | None = None) -> Resource:
    """Return a concept with its English; `plain`: what people call it, as further designations."""
    others = [{"language": "nl", "value": plain.nl}, {"language": "en", "value": plain.en}] if plain else []
    return {"code": code, "display": text.nl, "designation": [{"language": "en", "value": text.en}, *others]}


def _terminology(kind: str, identifier: str, title: Text, *, version: str, rights: Text) -> Resource:
    url = code_system_url(identifier) if kind == "CodeSystem" else value_set_url(identifier)
    return {
        "resourceType": kind,
        "id": identifier,
        "meta": {"profile": [f"{STRUCTURES}/{kind}"]},
        "language": "nl",
        "url": url,
        "version": version,
        "name": computer_name(identifier) + ("Codes" if kind == "CodeSystem" else ""),
        **translated("title", title),
        "status": "draft",
        "experimental": False,
        "publisher": "Verstel",
        **translated("description", title),
        "jurisdiction": [NETHERLANDS],
        **translated("copyright", rights),
    }


def _version_of(concepts: list[Resource]) -> str:
    """Return the version of terminology that belongs to no single instrument: ours, and a digest of what it says.

    Servers and readers know terminology by address and version, so other codes or words must never have the same
    version. Derived from the content, it can't be forgotten.
    """
    content = json.dumps(concepts, ensure_ascii=False, sort_keys=True).encode()
    return f"{__version__}-{hashlib.sha256(content).hexdigest()[:8]}"


def _code_system(
    identifier: str, title: Text, concepts: list[Resource], version: str = "", rights: Text = _CC0
) -> Resource:
    """Return a CodeSystem; without a version of its own it has one that follows from its content."""
    version = version or _version_of(concepts)
    resource = _terminology("CodeSystem", identifier, title, version=version, rights=rights)
    return resource | {
        "caseSensitive": True,
        "content": "complete",
        "count": len(concepts),
        "concept": concepts,
    }


def _value_set(identifier: str, title: Text, include: Resource, version: str, rights: Text = _CC0) -> Resource:
    resource = _terminology("ValueSet", identifier, title, version=version, rights=rights)
    return resource | {"compose": {"include": [include]}}


def _answer_terminology(instrument: Instrument) -> list[Resource]:
    """Return a CodeSystem per answer scale with all its options, and a ValueSet per set of options that is offered.

    Answers whose codes are elsewhere already, such as life domains, need neither.
    """
    title = Text(f"Antwoorden: {instrument.title.nl}", f"Answers: {instrument.title.en}")
    # Items with and without "not applicable" share a CodeSystem, which must hold the wider set.
    widest: dict[str, AnswerScale] = {}
    resources: list[Resource] = []
    for scale in instrument.scales:
        if scale.codes:
            continue
        if scale.id not in widest or scale.has_not_applicable:
            widest[scale.id] = scale
        codes = [{"code": option.code, "display": option.text.nl} for option in scale.options]
        identifier = scale.value_set.rsplit("/", 1)[1]
        include = {"system": scale.system, "concept": codes}
        resources.append(_value_set(identifier, title, include, instrument.version, instrument.copyright))
    for scale in widest.values():
        concepts = [_concept(option.code, option.text) for option in scale.options]
        resources.append(_code_system(f"answer-{scale.id}", title, concepts, instrument.version, instrument.copyright))
    return resources


def _score_concepts(instruments: Iterable[Instrument]) -> list[Resource]:
    """Return each scored instrument's panel, followed by its scores."""
    concepts: list[Resource] = []
    for instrument in instruments:
        if instrument.scores:
            concepts.append(_concept(instrument.panel_code, instrument.title))
            concepts += [_concept(rule.code, rule.title) for rule in instrument.scores]
    return concepts


def _rule_concepts(known: Catalogue) -> list[Resource]:
    """Return each version of each score's rule, those of earlier versions of an instrument included."""
    rules = {
        f"{rule.code}@{rule.version}": rule.method
        for identifier in known.instruments
        # The current version comes first and keeps its words; rules of older versions stay known.
        for version in reversed(known.versions(identifier))
        for rule in version.scores
    }
    return [_concept(code, method) for code, method in rules.items()]


def _phase_terminology() -> list[Resource]:
    """Return the phases of recovery, each with the sentence that explains it, and the ValueSet that has all of them."""
    known = phases()
    title = Text("Fasen van herstel, door de cliënt zelf gekozen", "Phases of recovery, chosen by the client")
    concepts = [_concept(one.code, one.title) | translated("definition", one.description) for one in known.phases]
    include = {"system": code_system_url(CODE_SYSTEM)}
    made = (
        _code_system(CODE_SYSTEM, title, concepts),
        _value_set(CODE_SYSTEM, title, include, _version_of(concepts)),
    )
    return [one | translated("description", known.about) for one in made]


def terminology(known: Catalogue) -> list[Resource]:
    """Return the CodeSystems and ValueSets that questionnaires, scores and plans use."""
    instruments = list(known.instruments.values())
    domains = [_concept(domain.code, domain.title, domain.plain) for domain in known.life_domains]
    life = Text("Levensgebieden van een herstelplan", "Life domains of a recovery plan")
    return [
        _code_system(
            "score",
            Text("Scores van herstelvragenlijsten", "Scores of recovery questionnaires"),
            _score_concepts(instruments),
        ),
        _code_system(
            "score-rule",
            Text("Rekenregels van scores, met versie", "Rules of scores, with their version"),
            _rule_concepts(known),
        ),
        _code_system("life-domain", life, domains),
        # It includes the whole CodeSystem, so its version follows the same content.
        _value_set("life-domain", life, {"system": code_system_url("life-domain")}, _version_of(domains)),
        _code_system(
            "plan",
            Text("Onderdelen van een herstelplan", "Parts of a recovery plan"),
            [_concept(code, text) for code, text in _PLAN_CODES],
        ),
        *_phase_terminology(),
        *(resource for instrument in instruments for resource in _answer_terminology(instrument)),
    ]


# ---- files -----------------------------------------------------------------------------------------------------------


def file_name(resource: Resource) -> str:
    """Return the name of a resource's file, as FHIR packages name them."""
    return f"{resource['resourceType']}-{resource['id']}.json"


def published(variant: Variant = "default", known: Catalogue | None = None) -> dict[str, Resource]:
    """Return what is published, by file name: the Questionnaires of a variant and, with `default`, the terminology.

    Without `known` these are our own definitions, without any wording that an organisation applied.
    """
    catalogue = known or Catalogue()
    forms = [questionnaire(instrument, variant) for instrument in catalogue.instruments.values()]
    extra = terminology(catalogue) if variant == "default" else []
    return {file_name(resource): resource for resource in (*forms, *extra)}


def resource_bytes(resource: Resource) -> bytes:
    """Return a resource as the bytes of its file: indented JSON in UTF-8."""
    return (json.dumps(resource, ensure_ascii=False, indent=2) + "\n").encode()
