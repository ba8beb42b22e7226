"""What one EHR accepts, from its CapabilityStatement and SMART configuration, and where each artefact would live.

The same `ladder` decides here and in the app, so this report cannot promise what the app will not do. It only knows
what the server *says*: the scopes granted at a launch, or the first real refusal, can still move an artefact on to the
next place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mappers.tolerant import object_in, text_in, texts_in
from smartapp.errors import EhrTrouble
from smartapp.fhir.capabilities import Capability, Interaction, read_offered
from smartapp.fhir.scopes import Scopes
from smartapp.records.placement import Place, can_live_in_ehr, ladder
from smartapp.settings import DEFAULT_SCOPES, ConfigError, Issuer, is_inside
from smartapp.smart.discovery import PAR_ENDPOINT, other_hosts, pushes, read_configuration
from smartapp.smart.proofs import ALGORITHM

# What people call it, the FHIR type that carries it, and whether it is part of a plan: the parts of a plan stay
# together, so an EHR that refuses one of them gets none.
ARTEFACTS: tuple[tuple[str, str, bool], ...] = (
    ("answers to a questionnaire", "QuestionnaireResponse", False),
    ("scores", "Observation", False),
    ("the plan", "CarePlan", True),
    ("goals", "Goal", True),
    ("steps of a goal", "Task", True),
    ("assignments", "Task", False),
)
DOCUMENT = ("the plan as a document", "DocumentReference")
"""For the chart of an EHR that keeps no plans. It is made of the plan, so it lives in the EHR or nowhere."""
INTERACTIONS: tuple[Interaction, ...] = ("read", "search-type", "create", "update")


@dataclass(frozen=True, slots=True)
class LaunchCheck:
    """One thing that the app cannot do without, or that changes how people sign in."""

    name: str
    met: bool
    needed: bool  # without it the app cannot be launched
    found: str  # what the server says about it


@dataclass(frozen=True, slots=True)
class Artefact:
    """One kind of thing that people make, what the server offers for it, and where it would live."""

    name: str
    type: str
    offered: tuple[Interaction, ...]
    place: Place | None  # None: it is not made there


@dataclass(frozen=True, slots=True)
class Report:
    """What one EHR accepts."""

    base: str
    software: str
    fhir_version: str
    requirements: tuple[LaunchCheck, ...]
    artefacts: tuple[Artefact, ...]
    transaction: bool

    @property
    def usable(self) -> bool:
        """Tell whether the app can be launched there at all."""
        return all(requirement.met for requirement in self.requirements if requirement.needed)


def report(base: str, statement: Any, smart: Any, *, scopes: str = DEFAULT_SCOPES, companion: bool = False) -> Report:
    """Judge an EHR by its CapabilityStatement and its smart-configuration, both as parsed.

    `smart` may be a text instead: the reason why there is no smart-configuration. Neither is trusted to have the right
    shape. `scopes` are those that a launch is expected to be granted.
    """
    capability = Capability(read_offered(statement), Scopes.parse(scopes))

    def home(kind: str, *, with_plan: bool = False) -> Place:
        return ladder(kind, capability, companion=companion, with_plan=with_plan)[0]

    has_document = home("CarePlan") != "ehr" and can_live_in_ehr(DOCUMENT[1], capability)
    return Report(
        base=base,
        software=text_in(object_in(statement, "software"), "name"),
        fhir_version=text_in(statement, "fhirVersion"),
        requirements=(*_fhir(statement, capability), *_smart(base, smart)),
        artefacts=(
            *(
                Artefact(name, kind, _offered(capability, kind), home(kind, with_plan=with_plan))
                for name, kind, with_plan in ARTEFACTS
            ),
            Artefact(*DOCUMENT, _offered(capability, DOCUMENT[1]), "ehr" if has_document else None),
        ),
        transaction=capability.offered.transaction,
    )


def _offered(capability: Capability, kind: str) -> tuple[Interaction, ...]:
    return tuple(one for one in INTERACTIONS if capability.offered.offers(kind, one))


def _fhir(statement: Any, capability: Capability) -> tuple[LaunchCheck, ...]:
    version = text_in(statement, "fhirVersion")
    reads_patient = capability.offered.offers("Patient", "read")
    return (
        LaunchCheck("FHIR R4", version.startswith("4.0"), True, version or "no fhirVersion in the CapabilityStatement"),
        LaunchCheck(
            "read Patient",
            reads_patient,
            True,
            "offered" if reads_patient else "not in the CapabilityStatement",
        ),
    )


def _smart(base: str, smart: Any) -> tuple[LaunchCheck, ...]:
    if not isinstance(smart, Mapping):
        why = f" ({smart})" if isinstance(smart, str) else ""
        return (LaunchCheck("SMART configuration", False, True, f"no .well-known/smart-configuration{why}"),)
    # The reader that the app signs in with. Whom to trust is for the operator to say, so here the hosts are only named.
    hosts = tuple(host for host in other_hosts(smart, base) if not is_inside(host))
    try:
        read_configuration(smart, Issuer(base=base, name=base, client_id="check", hosts=hosts))
        listed = f"; hosts to list for this issuer: {', '.join(hosts)}" if hosts else ""
        signing_in = LaunchCheck("SMART configuration", True, True, f"complete{listed}")
    except EhrTrouble as error:
        signing_in = LaunchCheck("SMART configuration", False, True, str(error.code))
    except ConfigError as error:
        signing_in = LaunchCheck("SMART configuration", False, True, str(error))
    capabilities = set(texts_in(smart, "capabilities"))
    launches = sorted(capabilities & {"launch-ehr", "launch-standalone"})
    return (
        signing_in,
        LaunchCheck(
            "a way to launch", bool(launches), True, ", ".join(launches) or "neither EHR nor standalone launch"
        ),
        *(
            LaunchCheck(what, code in capabilities, False, code if code in capabilities else f"{code} is not listed")
            for what, code in (
                ("who the user is", "sso-openid-connect"),
                ("client with a key", "client-confidential-asymmetric"),
                ("refresh without the user", "permission-offline"),
                ("scopes of SMART 2", "permission-v2"),
                ("requests by a form", "authorize-post"),
            )
        ),
        _bound(smart),
        _pushed(smart),
    )


def _bound(smart: Mapping[str, Any]) -> LaunchCheck:
    """Say whether tokens would be bound to a key there. Whether the FHIR server takes them only a sign-in shows."""
    listed = texts_in(smart, "dpop_signing_alg_values_supported")
    if ALGORITHM in listed:
        found = 'offered, so used; where the FHIR server knows bearer tokens only (dpop-not-taken), set dpop = "off"'
    else:
        found = f"not for {ALGORITHM}" if listed else "dpop_signing_alg_values_supported is not listed"
    return LaunchCheck("tokens bound to a key", ALGORITHM in listed, False, found)


def _pushed(smart: Mapping[str, Any]) -> LaunchCheck:
    """Say whether what is asked at a sign-in goes to the server itself there, and not by the browser."""
    needed = smart.get("require_pushed_authorization_requests") is True
    how = ("required" if needed else "offered") if pushes(smart) else f"{PAR_ENDPOINT} is not listed"
    return LaunchCheck("pushed requests", pushes(smart), needed, how)
