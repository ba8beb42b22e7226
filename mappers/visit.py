"""A visit preparation → one page to look at together: what the client answered, in the client's words and order.

Nothing is summed up, ranked or shortened. What was not answered is left out, and so is an answer that no longer
belongs (about medication, when the client says to use none).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from mappers.answers import Answers, answers_of, asked_in, is_finished
from mappers.errors import NotScorable, RefusedResponse, shown
from mappers.tolerant import text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Item, Text

VISIT: Final = "sdm-visit"

LineKind = Literal["words", "choice", "yes-no"]

_FINISHED: Final = frozenset({"completed", "amended", "stopped"})
_KIND: Final[dict[str, LineKind]] = {"text": "words", "choice": "choice", "boolean": "yes-no"}
_YES, _NO = Text("Ja", "Yes"), Text("Nee", "No")


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One question and its answer as text for people; `value` is the answer itself: code, boolean, or the words."""

    link_id: str
    kind: LineKind
    question: str
    answer: str
    value: str | bool


@dataclass(frozen=True, slots=True)
class ReportSection:
    """The answered questions of one group."""

    link_id: str
    title: str
    lines: tuple[ReportLine, ...]

    @property
    def words(self) -> tuple[ReportLine, ...]:
        """Return what the client wrote, exactly as typed."""
        return tuple(line for line in self.lines if line.kind == "words")

    @property
    def chosen(self) -> tuple[ReportLine, ...]:
        """Return the questions that were answered with yes, such as what the client wants to talk about."""
        return tuple(line for line in self.lines if line.value is True)


@dataclass(frozen=True, slots=True)
class VisitReport:
    """What the page shows: when it was filled in, for whom, by whom, and the sections that have answers."""

    authored: str
    language: str
    subject: str
    author: str
    reference: str
    sections: tuple[ReportSection, ...]


def is_visit(response: Resource, known: Catalogue) -> bool:
    """Tell whether a response is to the form that prepares a visit, of whatever version or variant."""
    asked = asked_in(response, known)
    return asked is not None and asked.id == VISIT


def latest_visit(responses: Iterable[Resource], known: Catalogue, language: str) -> VisitReport | None:
    """Return the newest readable preparation of a visit that was sent in; None if there is none."""
    found = [one for one in responses if is_visit(one, known) and is_finished(one)]
    for response in sorted(found, key=lambda one: text_in(one, "authored"), reverse=True):
        try:
            return visit_of(answers_of(response, known), language)
        except RefusedResponse:  # one that we cannot read must not hide an older one that we can
            continue
    return None


def visit_of(answers: Answers, language: str = "") -> VisitReport:
    """Return the report of a finished visit preparation, in `language` or else that of the response.

    Works for any questionnaire without being told its questions. Raises NotScorable while the client is still filling
    it in: an unfinished preparation is the client's own.
    """
    about = answers.response
    if about.status not in _FINISHED:
        raise NotScorable(
            f"the preparation is {shown(about.status)}",
            where="status",
            advice="Show it when the client has finished it",
        )
    language = language or about.language
    sections = []
    for group in answers.instrument.groups:
        lines = tuple(
            _line(item, answers.values[item.link_id], language)
            for item in group.items
            if item.link_id in answers.values and _still_asked(item, answers)
        )
        # A title without a line under it would look as if something is missing.
        if lines:
            sections.append(ReportSection(group.link_id, group.title.get(language), lines))
    return VisitReport(
        authored=about.authored,
        language=language,
        subject=str((about.subject or {}).get("display", "")),
        author=str((about.author or {}).get("display", "")),
        reference=about.reference,
        sections=tuple(sections),
    )


def _still_asked(item: Item, answers: Answers) -> bool:
    """Tell whether an answer still belongs: only another answer to the question that it depends on takes it away."""
    condition = item.enable_when
    if condition is None:
        return True
    # Without an answer to that question the words stay: the client did write them.
    return answers.values.get(condition.item, condition.answer) == condition.answer


def _line(item: Item, value: str | bool, language: str) -> ReportLine:
    if isinstance(value, bool):
        words = (_YES if value else _NO).get(language)
    elif item.scale is not None:
        option = item.scale.option(value)
        words = option.text.get(language) if option else value
    else:
        words = value
    return ReportLine(item.link_id, _KIND[item.kind], item.text.get(language), words, value)
