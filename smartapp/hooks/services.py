"""The services that an EHR can ask, as its discovery describes them (CDS Hooks 2.0.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mappers.talking import CODE
from questionnaires.canonical import code_system_url
from questionnaires.model import Language, Text

_PATIENT: Final = "{{context.patientId}}"
PREFETCH: Final[Mapping[str, str]] = {
    "user": "{{context.userId}}",
    "roles": "PractitionerRole?practitioner={{context.userId}}",
    "teams": f"CareTeam?patient={_PATIENT}",
    "patient": f"Patient/{_PATIENT}",
    "answers": f"QuestionnaireResponse?patient={_PATIENT}&_sort=-authored&_count=50",
    "points": f"Task?patient={_PATIENT}&code={code_system_url('plan')}|{CODE}&_count=50",
}
"""What the EHR is asked to send along. The first three say who asks, and are needed; the rest is what there may be."""
WHO_ASKS: Final = ("user", "roles", "teams")

_DESCRIPTION: Final = Text(
    "Zegt met een kaart of de cliënt het gesprek voorbereidde, of iets klaarzette om samen te bekijken. "
    "De kaart opent Verstel. Er staat geen inhoud op, geen score en geen advies.",
    "Says with a card whether the client prepared the conversation, or marked something to look at together. "
    "The card opens Verstel. It has no content on it, no score and no advice.",
)
_USAGE: Final = Text(
    "Vult de kaart alleen met wat is meegestuurd (prefetch): user, roles en teams zijn nodig om te weten wie vraagt.",
    "Knows only what is sent along (prefetch): user, roles and teams are needed to know who asks.",
)


@dataclass(frozen=True, slots=True)
class Service:
    """One service: `id` is the last part of its address, `needs` what the context of its hook must have as texts."""

    id: str
    hook: str
    title: Text
    needs: tuple[str, ...] = ("userId", "patientId")

    def described(self, language: Language) -> dict[str, Any]:
        """Return the service as discovery shows it."""
        return {
            "hook": self.hook,
            "title": self.title.get(language),
            "description": _DESCRIPTION.get(language),
            "id": self.id,
            "prefetch": dict(PREFETCH),
            "usageRequirements": _USAGE.get(language),
        }


SERVICES: Final[Mapping[str, Service]] = {
    one.id: one
    for one in (
        Service("verstel-patient-view", "patient-view", Text("Verstel bij het dossier", "Verstel beside the chart")),
        Service(
            "verstel-appointment-book",
            "appointment-book",
            Text("Verstel bij een afspraak", "Verstel beside an appointment"),
        ),
        Service(
            "verstel-encounter-start",
            "encounter-start",
            Text("Verstel bij het begin van een contact", "Verstel at the start of an encounter"),
            ("userId", "patientId", "encounterId"),
        ),
    )
}
