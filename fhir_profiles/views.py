"""What the app writes as tables: ViewDefinitions of SQL on FHIR, for who asks a database, not a FHIR server. Pure.

Written for HL7's SQL on FHIR 2.0 and what is balloted of 3.0: only what a shareable view may use, so no constants, no
`repeat`, and no function of FHIRPath beyond the required ones. No server of FHIR R4 knows the resource, so the views
lie in the package's folder `other/` and are never published to a server.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from questionnaires import __version__, canonical
from questionnaires.fhir import NETHERLANDS, Resource

FOLDER: Final = "other"
"""The folder of the package in which the views lie."""
FHIR_VERSION: Final = "4.0.1"

_SCORE: Final = canonical.code_system_url("score")
_RULE: Final = canonical.code_system_url("score-rule")
_PLAN: Final = canonical.code_system_url("plan")
_DOMAIN: Final = canonical.code_system_url("life-domain")
_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_ACHIEVEMENT: Final = "http://terminology.hl7.org/CodeSystem/goal-achievement"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in SQL, the FHIRPath that fills it, and the FHIR type of what is in it.

    `own_words`: it holds free words or a name, which who makes data for research leaves out.
    """

    name: str
    path: str
    type: str
    description: str
    own_words: bool = False

    def as_fhir(self) -> Resource:
        """Return the column as part of a ViewDefinition."""
        words = f"{self.description} Free words." if self.own_words else self.description
        return {"name": self.name, "path": self.path, "type": self.type, "description": words}


@dataclass(frozen=True, slots=True)
class Select:
    """Columns, once for each of what `each` finds ("": once); `or_null`: also once, empty, where it finds nothing.

    `selects` are crossed with the columns; of `union` each gives rows with the same columns.
    """

    columns: tuple[Column, ...] = ()
    each: str = ""
    or_null: bool = False
    selects: tuple[Select, ...] = ()
    union: tuple[Select, ...] = ()

    def as_fhir(self) -> Resource:
        """Return the select as part of a ViewDefinition."""
        made: Resource = {"forEachOrNull" if self.or_null else "forEach": self.each} if self.each else {}
        parts: dict[str, Sequence[Column | Select]] = {
            "column": self.columns,
            "select": self.selects,
            "unionAll": self.union,
        }
        return made | {name: [one.as_fhir() for one in part] for name, part in parts.items() if part}

    def all_columns(self) -> Iterator[Column]:
        """Yield the columns of its rows, in order."""
        yield from self.columns
        for one in (*self.selects, *self.union[:1]):
            yield from one.all_columns()


@dataclass(frozen=True, slots=True)
class View:
    """A table made of all resources of one type for which each of `where` is true."""

    id: str
    resource: str
    title: str
    description: str
    selects: tuple[Select, ...]
    where: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the name of the table."""
        return f"verstel_{self.id.replace('-', '_')}"

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns, in order."""
        return tuple(column for one in self.selects for column in one.all_columns())

    def as_fhir(self) -> Resource:
        """Return the ViewDefinition."""
        made: Resource = {
            "resourceType": "ViewDefinition",
            "id": self.id,
            "url": f"{canonical.BASE}/ViewDefinition/{self.id}",
            "version": __version__,
            "name": self.name,
            "title": self.title,
            "status": "draft",
            "publisher": "Verstel",
            "description": self.description,
            "jurisdiction": [NETHERLANDS],
            "copyright": "CC0-1.0",
            "resource": self.resource,
            "fhirVersion": [FHIR_VERSION],
            "select": [one.as_fhir() for one in self.selects],
        }
        return made | ({"where": [{"path": path} for path in self.where]} if self.where else {})


# ---- paths -----------------------------------------------------------------------------------------------------------


def _code(element: str, system: str) -> str:
    return f"{element}.coding.where(system = '{system}').code.first()"


def _named(*names: str, element: str = "identifier") -> str:
    """Return the path of the first identifier that we gave out under one of these names."""
    systems = " or ".join(f"system = '{canonical.identifier_system(name)}'" for name in names)
    return f"{element}.where({systems}).value.first()"


def _key_of(element: str, kind: str) -> str:
    # Some engines stop at a reference without an address, as of somebody who is only named.
    return f"{element}.where(reference.exists()).first().getReferenceKey({kind})"


def _extensions(url: str) -> str:
    # Not `extension(url)`: some engines stop at the first.
    return f"extension.where(url = '{url}')"


def _is(element: str, system: str, *codes: str) -> str:
    """Return a condition that is always one Boolean: views whose condition is empty differ between engines."""
    wanted = " or ".join(f"code = '{code}'" for code in codes)
    return f"{element}.coding.where(system = '{system}' and ({wanted})).exists()"


# ---- columns that several views have ---------------------------------------------------------------------------------


def _own(what: str, identifier: str, subject: str = "subject") -> tuple[Column, ...]:
    """Return what each view says of its resource and its client, before anything else."""
    return (
        Column(f"{what}_key", "getResourceKey()", "string", "Key of the row's resource; only joins with other keys."),
        Column(f"{what}_id", "id", "id", "The id on the server."),
        Column(f"{what}_identifier", identifier, "string", "The identifier that stays when the resource moves."),
        Column("status", "status", "code", "The status, as stored: views leave nothing out by status."),
        Column("patient_key", _key_of(subject, "Patient"), "string", "Key of the client's Patient."),
        Column("subject_reference", f"{subject}.reference", "string", "The reference to the client, as stored."),
    )


def _with_status(columns: Sequence[Column], path: str) -> tuple[Column, ...]:
    return tuple(Column(one.name, path, one.type, one.description) if one.name == "status" else one for one in columns)


def _said_in() -> tuple[Column, ...]:
    said = f"{_extensions(canonical.structure_url('said-in'))}.first()"
    response = f"{said}.{_extensions('response')}.value.ofType(Reference).reference.first()"
    item = f"{said}.{_extensions('linkId')}.value.ofType(string).first()"
    return (
        Column("said_in_response", response, "string", "The response from whose answer it came, as stored."),
        Column("said_in_link_id", item, "string", "The item of that answer."),
    )


# ---- the views -------------------------------------------------------------------------------------------------------


def _answer_values() -> Select:
    return Select(
        each="answer",
        columns=(
            Column("value_code", "value.ofType(Coding).code", "code", "The chosen answer."),
            Column("value_system", "value.ofType(Coding).system", "uri", "The code system of the chosen answer."),
            Column("value_boolean", "value.ofType(boolean)", "boolean", "Yes or no."),
            Column("value_integer", "value.ofType(integer)", "integer", "A whole number, where the form asks one."),
            Column("value_decimal", "value.ofType(decimal)", "decimal", "A number; a score, in items `…-score-…`."),
            Column("value_date", "value.ofType(date)", "date", "A day."),
            Column("value_string", "value.ofType(string)", "string", "What was written.", own_words=True),
        ),
    )


def _answered(row: str, group: str) -> tuple[Column, ...]:
    return (
        Column("row_id", row, "string", "Which row of a repeated group; null where the group does not say."),
        Column("group_link_id", group, "string", "The group of the item; null where it stands in none."),
    )


_LINK_ID: Final = Column("link_id", "linkId", "string", "The item that was answered.")


def _answer_rows() -> Select:
    """Return a row per answer of items that stand in no group, in a group, and in a group within a group."""
    inside = Select(each="item", columns=(_LINK_ID,), selects=(_answer_values(),))
    grouped = Select(each="item", columns=_answered("id", "linkId"), selects=(inside,))
    # There is no group to name: an empty path of the same type as in the other branches.
    alone = (*_answered("id.where(false)", "linkId.where(false)"), _LINK_ID)
    return Select(
        union=(
            Select(each="item", columns=alone, selects=(_answer_values(),)),
            grouped,
            Select(each="item", selects=(grouped,)),
        )
    )


DEEPEST: Final = 3
"""How deep the items may stand whose answers have a row; what stands deeper has none. Our own forms have two levels."""


def views() -> tuple[View, ...]:
    """Return the views: answers, scores, goals, steps, plans with their life domains, and the goals of plans."""
    return (_answers(), _scores(), _goals(), _steps(), _plans(), _plan_goals())


def _answers() -> View:
    return View(
        "answers",
        "QuestionnaireResponse",
        "Answers",
        "One row per answer, to any form and in any status. Items at most three levels deep: what an EHR puts deeper,"
        " or below an answer, has no row. Answers of other kinds than the columns name have a row without a value.",
        (
            Select(
                (
                    *_own("response", "identifier.value"),
                    Column("questionnaire", "questionnaire", "canonical", "The form with its version, as stored."),
                    Column("authored", "authored", "dateTime", "When the answers were given."),
                    Column("response_language", "language", "code", "The language in which it was asked."),
                    Column("author_reference", "author.reference", "string", "Who typed, as stored."),
                    Column("source_reference", "source.reference", "string", "Whose answers they are, as stored."),
                )
            ),
            _answer_rows(),
        ),
    )


def _scores() -> View:
    return View(
        "scores",
        "Observation",
        "Scores",
        "One row per stored score, or per reason why there is none. Panels are left out. Scores that others extracted"
        " from our published forms are rows too; those have no `score_identifier`, and their rule in `rule_in_code`.",
        (
            Select(
                (
                    *_own("score", _named("score")),
                    Column("code", _code("code", _SCORE), "code", "Which score."),
                    Column("score_value", "value.ofType(Quantity).value", "decimal", "The score; null: there is none."),
                    Column(
                        "score_integer", "value.ofType(integer)", "integer", "The score, where another wrote it so."
                    ),
                    Column("absent_code", _code("dataAbsentReason", _ABSENT), "code", "Why there is none, as code."),
                    Column("reason", "dataAbsentReason.text", "string", "Why there is none, in our own words."),
                    Column(
                        "rule", _code("method", _RULE), "code", "The rule with its version, such as `hoop-total@1`."
                    ),
                    Column("rule_in_code", _code("code", _RULE), "code", "The same, where a form engine extracted it."),
                    Column("score_date", "effective.ofType(dateTime)", "dateTime", "When the answers were given."),
                    Column(
                        "response_key",
                        _key_of("derivedFrom", "QuestionnaireResponse"),
                        "string",
                        "Key of the response that was scored.",
                    ),
                    Column("response_reference", "derivedFrom.reference.first()", "string", "The same, as stored."),
                    Column(
                        "response_identifier",
                        _named("response", element="derivedFrom.identifier"),
                        "string",
                        "The identifier of the response that was scored.",
                    ),
                )
            ),
        ),
        (f"code.coding.where(system = '{_SCORE}').exists()", "hasMember.empty()"),
    )


def _goals() -> View:
    progress = _code("achievementStatus", _ACHIEVEMENT)
    due = "target.where(measure.empty()).due.ofType(date).first()"
    return View(
        "goals",
        "Goal",
        "Goals",
        "One row per goal. Goals of other programs are rows too, without a life domain.",
        (
            Select(
                (
                    *_with_status(_own("goal", _named("goal")), "lifecycleStatus"),
                    Column("domain", _code("category", _DOMAIN), "code", "The life domain."),
                    Column("progress", progress, "code", "How it goes, as the client says it."),
                    Column("progress_date", "statusDate", "date", "The day on which the client said so."),
                    Column("start_date", "start.ofType(date)", "date", "The day on which it began."),
                    Column("due_date", due, "date", "The day that the client chose."),
                    Column("goal_text", "description.text", "string", "The goal.", own_words=True),
                    Column("expressed_by_reference", "expressedBy.reference", "string", "Whose goal, as stored."),
                    *_said_in(),
                )
            ),
        ),
    )


def _steps() -> View:
    return View(
        "steps",
        "Task",
        "Steps and agreements",
        "One row per step of a goal, and per agreement of a conversation: `kind` tells them apart.",
        (
            Select(
                (
                    *_own("step", _named("step", "agreement"), "for"),
                    Column("kind", _code("code", _PLAN), "code", "`recovery-step` or `agreed-step`."),
                    Column("goal_key", _key_of("focus", "Goal"), "string", "Key of the goal that it is for."),
                    Column("goal_reference", "focus.reference", "string", "The same, as stored."),
                    Column("step_text", "description", "string", "What will be done.", own_words=True),
                    Column("owner_display", "owner.display", "string", "Who does it, as named.", own_words=True),
                    Column("owner_reference", "owner.reference", "string", "The same, where it is a reference."),
                    Column("requester_reference", "requester.reference", "string", "Who wrote it down, as stored."),
                    Column("due", "restriction.period.end", "dateTime", "By when."),
                    Column("authored_on", "authoredOn", "dateTime", "When it was written down."),
                    Column("changed_on", "lastModified", "dateTime", "When it last changed."),
                    *_said_in(),
                )
            ),
        ),
        (_is("code", _PLAN, "recovery-step", "agreed-step"),),
    )


_PLANS_ONLY: Final = (_is("category", _PLAN, "recovery-plan"),)


def _plan() -> Select:
    return Select(
        (
            *_own("plan", _named("plan")),
            Column("created", "created", "dateTime", "When the plan was begun."),
            Column("author_reference", "author.reference", "string", "Who wrote it, as stored."),
        )
    )


def _plans() -> View:
    def words(part: str, description: str) -> Column:
        path = f"{_extensions(part)}.value.ofType(string).first()"
        return Column(f"answer_{part}", path, "string", description, own_words=True)

    domain = f"{_extensions('domain')}.value.ofType(Coding).code.first()"
    return View(
        "plans",
        "CarePlan",
        "Plans with their life domains",
        "One row per plan and life domain that the client chose; a plan without any has one row.",
        (
            _plan(),
            Select(
                each=_extensions(canonical.structure_url("life-domain-answers")),
                or_null=True,
                columns=(
                    Column("domain", domain, "code", "The life domain."),
                    words("now", "How it is now."),
                    words("change", "What the client wants to change."),
                    words("how", "How."),
                    words("support", "What or who helps."),
                ),
            ),
        ),
        _PLANS_ONLY,
    )


def _plan_goals() -> View:
    key = "where(reference.exists()).first().getReferenceKey(Goal)"
    return View(
        "plan-goals",
        "CarePlan",
        "Goals of plans",
        "One row per plan and goal that it names: which goals belong to a plan stands nowhere else.",
        (
            _plan(),
            Select(
                each="goal",
                columns=(
                    Column("goal_key", key, "string", "Key of the goal."),
                    Column("goal_reference", "reference", "string", "The same, as stored."),
                ),
            ),
        ),
        _PLANS_ONLY,
    )


def definitions() -> list[Resource]:
    """Return the ViewDefinitions, in order."""
    return [one.as_fhir() for one in views()]
