"""What the record holds of conversations: decisions, agreements, what was said of medicines, and on which days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mappers.agreements import Agreement, agreement_of
from mappers.answers import Answers, answers_of, is_finished
from mappers.conversation import Conversation, conversation_of
from mappers.decisions import DECISION, Decision, decision_of
from mappers.errors import RefusedResponse
from mappers.medicines import MEDICINE, Experience, experience_of
from mappers.tolerant import text_in
from questionnaires.catalogue import Catalogue
from smartapp.fhir.store import Query
from smartapp.records import Record

MOST: Final = 200
"""Decisions, and as many answers about medicines, that a page asks for: four topics a month, for four years."""


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """A decision in the record, under its key; `record` says where it is and whether it has arrived.

    `conversation` is None in what was written down before conversations had a name.
    """

    key: str
    decision: Decision
    authored: str
    record: Record
    conversation: Conversation | None = None


@dataclass(frozen=True, slots=True)
class KeptAgreement:
    """An agreement in the record."""

    agreement: Agreement
    record: Record


@dataclass(frozen=True, slots=True)
class Found:
    """All conversations, the newest first."""

    decisions: tuple[KeptDecision, ...] = ()
    agreements: tuple[KeptAgreement, ...] = ()
    experiences: tuple[Experience, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    """The version tag of what was said about a medicine, by its key."""
    said_in: Mapping[str, Conversation] = field(default_factory=dict)
    """The conversation in which something was said about a medicine, by the key of what was said."""

    @property
    def open(self) -> tuple[KeptAgreement, ...]:
        """Return the agreements that still go on, the oldest first: with those the next conversation opens."""
        return tuple(one for one in reversed(self.agreements) if one.agreement.open)

    @property
    def unsettled(self) -> tuple[KeptDecision, ...]:
        """Return the newest word about each topic, where it is that people differ or come back to it."""
        newest: dict[str, KeptDecision] = {}
        for one in self.decisions:
            newest.setdefault(one.decision.topic.strip().casefold(), one)
        return tuple(one for one in newest.values() if one.decision.outcome in ("differ", "later"))

    def decision(self, key: str) -> KeptDecision | None:
        """Return the decision with this key."""
        return next((one for one in self.decisions if one.key == key), None)

    def agreement(self, key: str) -> KeptAgreement | None:
        """Return the agreement of the decision with this key."""
        return next((one for one in self.agreements if one.agreement.key == key), None)


# --- asking ---------------------------------------------------------------------------------------------------------


def queries(patient: str, known: Catalogue) -> tuple[Query, Query, Query]:
    """Return the searches for a person's (`Patient/1`) decisions, what was said of medicines, and Tasks; at once."""
    decisions, said = (_responses(patient, known, form) for form in (DECISION, MEDICINE))
    return decisions, said, Query.of("Task", patient=patient)


def _responses(patient: str, known: Catalogue, form: str) -> Query:
    url = known.instrument(form).url
    return Query.newest(MOST, "QuestionnaireResponse", "authored", patient=patient, questionnaire=url)


def found_in(results: Sequence[Sequence[Record]], known: Catalogue) -> Found:
    """Return what the three `queries` found. What cannot be read hides nothing that can."""
    decisions, medicines, tasks = results
    kept = [
        KeptDecision(
            _key(answers, record),
            decision_of(answers),
            answers.response.authored,
            record,
            conversation_of(record.resource),
        )
        for record, answers in _read(decisions, known, DECISION)
    ]
    agreements = [
        KeptAgreement(read, one) for one in tasks if one.state != "refused" and (read := agreement_of(one.resource))
    ]
    said = list(_read(medicines, known, MEDICINE))
    return Found(
        tuple(sorted(kept, key=lambda one: one.authored, reverse=True)),
        tuple(sorted(agreements, key=lambda one: one.agreement.made, reverse=True)),
        tuple(experience_of(answers) for _record, answers in said),
        {answers.response.identifier: record.etag or "" for record, answers in said},
        {answers.response.identifier: one for record, answers in said if (one := conversation_of(record.resource))},
    )


def _key(answers: Answers, record: Record) -> str:
    return answers.response.identifier or text_in(record.resource, "id")


def _read(records: Iterable[Record], known: Catalogue, form: str) -> Iterable[tuple[Record, Answers]]:
    for record in records:
        if record.state == "refused" or not is_finished(record.resource):
            continue
        try:
            answers = answers_of(record.resource, known)
        except RefusedResponse:
            continue
        if answers.instrument.id == form:
            yield record, answers
