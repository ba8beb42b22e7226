"""Scores → FHIR Observations, one per score and a panel that holds them together; and Observations → points of a trend.

Identity. The identifier of an Observation (system `identifier/score`) is the response's own identifier, or else its
reference, with `/` and the score's code: scoring the same response again gives the same identifier, so a conditional
create or update writes once. Within a transaction the panel refers to its members by `urn:uuid:` (`full_url`), made
from the same identifier: the first 80 bits from the response, the last 48 from the score's code, version 8 of RFC 9562.

An amended response gives `corrected` Observations, one entered in error gives `entered-in-error` ones. No performer,
no interpretation, no reference range: a computed number, and how it was computed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from mappers.answers import IDENTIFIER_SYSTEM as RESPONSE_SYSTEM
from mappers.answers import Answers, ResponseRef
from mappers.errors import NotScorable, shown
from mappers.identity import values_in
from mappers.scoring import Score
from mappers.tolerant import code_in, object_in, objects_in, text_in
from questionnaires.canonical import code_system_url, identifier_system, structure_url
from questionnaires.fhir import SURVEY, UCUM, Resource
from questionnaires.model import Text

SCORE_PROFILE: Final = structure_url("recovery-score")
PANEL_PROFILE: Final = structure_url("recovery-score-panel")
PROVENANCE_PROFILE: Final = structure_url("score-provenance")
SCORE_SYSTEM: Final = code_system_url("score")
RULE_SYSTEM: Final = code_system_url("score-rule")
IDENTIFIER_SYSTEM: Final = identifier_system("score")
UNIT: Final = "{score}"
ABSENT_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
# The same number under its two names.
BSN_SYSTEMS: Final = frozenset({"http://fhir.nl/fhir/NamingSystem/bsn", "urn:oid:2.16.840.1.113883.2.4.6.3"})

STATUS_OF_SCORES: Final = {"completed": "final", "amended": "corrected", "entered-in-error": "entered-in-error"}
# The displays are those of HL7's code systems.
_ABSENT_DISPLAY: Final = {"unknown": "Unknown", "not-applicable": "Not Applicable"}
_CLIENT: Final = Text("cliënt", "client")


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """One stored score as a trend needs it; points of another `rule_version` do not belong in the same line.

    `value` is None if there is no score; `reason` says why, in the words that are stored (`scoring.reason_of`). `date`
    is the FHIR dateTime of the answers. `code` is the score's code (`hoop-total`), `id` the Observation's id or "".
    `rule_version` is "" where the Observation does not say by which rule it was made. `ours` if this program made it:
    then it has our identifier. `sources` are the names of the responses it comes from, as `names_of` gives them.
    """

    code: str
    value: float | int | None
    reason: str
    date: str
    response_reference: str
    rule_version: str
    status: str
    id: str
    ours: bool = True
    sources: tuple[str, ...] = ()


def observations_of(answers: Answers, scores: Sequence[Score], *, response_reference: str = "") -> list[Resource]:
    """Return the panel and then one Observation per score; nothing for an instrument without scores, or about a team.

    No Observation of R4 can be about a team: what its answers come to is in `mappers.team`.

    `response_reference` is what `derivedFrom` says (`QuestionnaireResponse/ID`, or a `urn:uuid:` in a transaction);
    without it, the response's own reference. Give the scores of `mappers.scoring.score`, or some of them.

    Raises NotScorable: a response that is not finished, has no date, no client, or nothing to identify it by.
    """
    if not scores or answers.instrument.subject == "team":
        return []
    frame = _frame(answers, response_reference or answers.response.reference)
    members = [_score(frame, one) for one in scores]
    return [_panel(frame, answers, scores), *members]


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all Observations of one response share."""

    key: str
    urn: str
    status: str
    subject: Resource
    effective: str
    derived: Resource
    language: str


def _frame(answers: Answers, reference: str) -> _Frame:
    about = answers.response
    if about.status not in STATUS_OF_SCORES:
        # Some form programs leave it so when a form is sent; only whoever runs them can know that it was.
        sent = ": if they were sent in, have the form program set 'completed'" if about.status == "in-progress" else ""
        raise NotScorable(
            f"the response is {shown(about.status)}",
            where="status",
            advice=f"Only completed answers are scored{sent}",
        )
    if not about.authored:
        raise NotScorable("the response has no date", where="authored", advice="Add when the answers were given")
    key = response_key(about, reference)
    display = answers.instrument.title.get(about.language)
    derived: Resource = {"reference": reference} if reference else {}
    # The identifier stays true when the response moves to another server; the reference may not.
    if about.identifier:
        derived["identifier"] = {"system": RESPONSE_SYSTEM, "value": about.identifier}
    return _Frame(
        key=key,
        urn=urn_start(key),
        status=STATUS_OF_SCORES[about.status],
        subject=_subject(about),
        effective=about.authored,
        derived={**derived, "display": display},
        language=about.language,
    )


def response_key(about: ResponseRef, reference: str) -> str:
    """Return what the identifiers of a response's Observations start with; NotScorable if it has nothing."""
    key = about.identifier or reference
    if not key:
        raise NotScorable(
            "the response has neither id nor identifier",
            where="id",
            advice="Give it one, so that scoring it twice writes one set of scores",
        )
    return key


def _subject(about: ResponseRef) -> Resource:
    """Return the client's reference; a BSN is never copied, and a reference always has a display.

    A conditional reference (`Patient?identifier=…`) is a search still to be done, often for a BSN; it names no client.
    """
    subject = about.subject or {}
    kept = {
        name: subject[name] for name in ("reference", "type") if isinstance(subject.get(name), str) and subject[name]
    }
    if "?" in kept.get("reference", ""):
        del kept["reference"]
    identifier = object_in(subject, "identifier")
    is_bsn = identifier.get("system") in BSN_SYSTEMS
    if identifier and not is_bsn and "reference" not in kept:
        kept["identifier"] = identifier
    if "reference" not in kept and "identifier" not in kept:
        found = (
            "only a BSN says whose it is, and a BSN is not copied"
            if is_bsn
            else "the response does not say whose it is"
        )
        raise NotScorable(found, where="subject", advice="Add a subject reference")
    display = subject.get("display")
    return {**kept, "display": display if isinstance(display, str) and display else _CLIENT.get(about.language)}


def _common(frame: _Frame, profile: str, code: str, title: Text) -> Resource:
    return {
        "resourceType": "Observation",
        "meta": {"profile": [profile]},
        "identifier": [{"system": IDENTIFIER_SYSTEM, "value": f"{frame.key}/{code}"}],
        "status": frame.status,
        "category": [SURVEY],
        "code": {
            "coding": [{"system": SCORE_SYSTEM, "code": code, "display": title.nl}],
            "text": title.get(frame.language),
        },
        "subject": frame.subject,
        "effectiveDateTime": frame.effective,
    }


def _panel(frame: _Frame, answers: Answers, scores: Sequence[Score]) -> Resource:
    instrument = answers.instrument
    members = [
        {
            "reference": _urn(frame.urn, one.rule.code),
            "identifier": {"system": IDENTIFIER_SYSTEM, "value": f"{frame.key}/{one.rule.code}"},
            "display": one.rule.title.get(frame.language),
        }
        for one in scores
    ]
    made = _common(frame, PANEL_PROFILE, instrument.panel_code, instrument.title)
    return {**made, "hasMember": members, "derivedFrom": [frame.derived]}


def _score(frame: _Frame, score: Score) -> Resource:
    rule = score.rule
    made = _common(frame, SCORE_PROFILE, rule.code, rule.title)
    if score.value is None:
        coding = {"system": ABSENT_SYSTEM, "code": score.absent, "display": _ABSENT_DISPLAY[score.absent]}
        words = score.reason.get(frame.language) if score.reason else ""
        made["dataAbsentReason"] = {"coding": [coding], "text": words}
    else:
        made["valueQuantity"] = {"value": score.value, "unit": "score", "system": UCUM, "code": UNIT}
    # The display is that of our published CodeSystem, which is in Dutch; the text is for the readers of this response.
    method = {"system": RULE_SYSTEM, "code": f"{rule.code}@{rule.version}", "display": rule.method.nl}
    made["method"] = {"coding": [method], "text": rule.method.get(frame.language)}
    made["derivedFrom"] = [frame.derived]
    return made


# --- urn:uuid ---------------------------------------------------------------------------------------------------

# RFC 9562 fixes two bits of the seventeenth digit, which leaves it 8, 9, a or b.
_VARIANT: Final = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def urn_start(key: str) -> str:
    """Return the part of the `urn:uuid:` that all Observations of one response share (80 bits of SHA-1, version 8)."""
    # SHA-1 makes a name here and protects nothing. "replace", because half a surrogate pair in an id has no UTF-8.
    digest = hashlib.sha1(f"{IDENTIFIER_SYSTEM}|{key}".encode(errors="replace"), usedforsecurity=False).hexdigest()
    return f"urn:uuid:{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-{_VARIANT[digest[16]]}{digest[17:20]}-"


def urn_end(code: str) -> str:
    """Return the part of the `urn:uuid:` that all Observations with one code share (48 bits)."""
    return hashlib.sha1(code.encode(), usedforsecurity=False).hexdigest()[:12]


def _urn(start: str, code: str) -> str:
    return f"{start}{urn_end(code)}"


def full_url(observation: Resource) -> str:
    """Return the `fullUrl` of one of our Observations in a transaction; the panel's `hasMember` uses the same."""
    for identifier in objects_in(observation, "identifier"):
        if identifier.get("system") == IDENTIFIER_SYSTEM:
            key, _, code = text_in(identifier, "value").rpartition("/")
            return _urn(urn_start(key), code)
    raise NotScorable("an Observation without a score identifier", where="identifier")


# --- Observations → points -------------------------------------------------------------------------------------


def scores_from(observations: Iterable[Any]) -> list[ScorePoint]:
    """Return our scores among Observations of any kind, oldest first, without panels and those entered in error."""
    points = [point for one in observations if (point := _point(one)) is not None]
    return sorted(points, key=lambda point: (moment_of(point.date), point.code))


def _point(observation: Any) -> ScorePoint | None:
    code = code_in(observation, "code", SCORE_SYSTEM)
    status = text_in(observation, "status")
    is_score = text_in(observation, "resourceType") == "Observation" and "hasMember" not in observation
    # FHIR has an extension that may change what a number means understood, or the number left alone.
    if not code or not is_score or status in ("entered-in-error", "cancelled") or observation.get("modifierExtension"):
        return None
    quantity = object_in(observation, "valueQuantity")
    # "Less than 4" is no number to draw, nor is one in another unit; extraction may say no unit at all.
    is_plain = "comparator" not in quantity and text_in(quantity, "code") in ("", UNIT, "1")
    value = quantity.get("value", observation.get("valueInteger")) if is_plain else None
    derived = objects_in(observation, "derivedFrom")
    return ScorePoint(
        code=code,
        # By type, because True is an int to Python.
        value=value if type(value) in (int, float) else None,
        reason=text_in(object_in(observation, "dataAbsentReason"), "text"),
        date=text_in(observation, "effectiveDateTime"),
        response_reference=text_in(derived[0], "reference") if derived else "",
        rule_version=_version_in(rule_in(observation), code),
        status=status,
        id=text_in(observation, "id"),
        ours=bool(values_in(observation, IDENTIFIER_SYSTEM)),
        sources=tuple(name for source in derived for name in names_in(source)),
    )


def _version_in(rule: str, code: str) -> str:
    """Return the version of the rule of a score; a rule of another score counts as one that we do not know."""
    name, _, version = rule.rpartition("@")
    return version if name == code else rule


def rule_in(observation: Any) -> str:
    """Return the rule that made a score (`hoop-total@1`), "" where the Observation does not say.

    Extraction by definition cannot fill in `method`; what it copies is the item's code, which names the rule too.
    """
    return code_in(observation, "method", RULE_SYSTEM) or code_in(observation, "code", RULE_SYSTEM)


def names_of(response: Any) -> list[str]:
    """Return what an Observation may call the response that it comes from: its reference, and our identifier."""
    id_, ours = text_in(response, "id"), text_in(object_in(response, "identifier"), "value")
    has_ours = object_in(response, "identifier").get("system") == RESPONSE_SYSTEM and ours
    return [*([f"QuestionnaireResponse/{id_}"] if id_ else []), *([f"identifier {ours}"] if has_ours else [])]


def names_in(source: Any) -> list[str]:
    """Return the names (`names_of`) of a response that a reference of `derivedFrom` may have."""
    identifier = object_in(source, "identifier")
    ours = text_in(identifier, "value") if identifier.get("system", RESPONSE_SYSTEM) == RESPONSE_SYSTEM else ""
    reference = unversioned(text_in(source, "reference"))
    return [*([reference] if reference else []), *([f"identifier {ours}"] if ours else [])]


def unversioned(reference: str) -> str:
    """Return a reference as `Type/id`: servers may make references absolute or versioned."""
    return "/".join(reference.partition("/_history/")[0].split("/")[-2:])


def moment_of(date: str) -> datetime:
    """Return a FHIR dateTime as a moment to sort by; a partial date is its beginning, an unreadable one comes first."""
    # fromisoformat wants at least a day.
    for form in ("%Y", "%Y-%m"):
        try:
            return datetime.strptime(date, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# --- Provenance ------------------------------------------------------------------------------------------------


def provenance_of(
    observations: Sequence[Resource], *, recorded: str, software: str, version: str, response_reference: str = ""
) -> Resource:
    """Say which software made these Observations from which response, as a FHIR Provenance (profile score-provenance).

    Observations without id are referred to by their `full_url`. `recorded` is an instant; `software` and `version` name
    the program, which the Provenance contains as a Device. The source is `response_reference`, or else what the
    Observations themselves say they derive from.
    """
    derived = observations[0]["derivedFrom"][0]
    targets = [
        {
            "reference": f"Observation/{one['id']}" if one.get("id") else full_url(one),
            "display": one["code"].get("text", ""),
        }
        for one in observations
    ]
    device = {
        "resourceType": "Device",
        "id": "software",
        "deviceName": [{"name": software, "type": "model-name"}],
        "version": [{"value": version}],
    }
    assembler = {
        "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
        "code": "assembler",
        "display": "Assembler",
    }
    return {
        "resourceType": "Provenance",
        "meta": {"profile": [PROVENANCE_PROFILE]},
        "contained": [device],
        "target": targets,
        "recorded": recorded,
        "agent": [
            {"type": {"coding": [assembler]}, "who": {"reference": "#software", "display": f"{software} {version}"}}
        ],
        "entity": [
            {
                "role": "source",
                "what": {**derived, "reference": response_reference} if response_reference else derived,
            }
        ],
    }
