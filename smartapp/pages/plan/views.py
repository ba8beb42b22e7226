"""What the pages of the plan show: one dataclass per page, its fields in the order a person reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from mappers.plan import QUESTIONS, DomainAnswers, Goal, OtherGoal, Plan, Step
from questionnaires.catalogue import Catalogue
from smartapp.i18n import message
from smartapp.records import Place
from smartapp.web.language import format_date, text_of
from smartapp.web.language import gettext as _

GOING_TEXTS: Final[Mapping[str, str]] = {
    "in-progress": message("I am working on it"),
    "improving": message("It is going the right way"),
    "no-change": message("It is about the same"),
    "worsening": message("It is harder at the moment"),
}
PROGRESS_TEXTS: Final[Mapping[str, str]] = {
    **GOING_TEXTS,
    "": "",
    "no-progress": message("It is standing still"),
    "sustaining": message("Reached, and I keep it up"),
    "achieved": message("Reached"),
    "not-achieved": message("Let go or changed"),
    "not-attainable": message("Not possible"),
}
ENDING_TEXTS: Final[Mapping[str, str]] = {
    "reached": message("I reached this goal"),
    "changed": message("My goal has changed"),
    "let-go": message("I let this goal go"),
}
STATUS_TEXTS: Final[Mapping[str, str]] = {
    "planned": message("Still to do"),
    "doing": message("Busy with it"),
    "done": message("Done"),
    "stopped": message("No longer needed"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the plan lives, whether part of it is still on its way there, and whether a change was refused."""

    place: Place
    on_its_way: bool
    refused: bool


@dataclass(frozen=True, slots=True)
class GoalView:
    """A goal as it is shown: in the client's words, with how it goes in words."""

    goal: Goal
    domain: str
    progress: str  # a sentence, or "" where nothing was said yet
    steps: tuple[StepView, ...]


@dataclass(frozen=True, slots=True)
class OtherGoalView:
    """A goal that another program keeps in the record, whose words it is in, and where it is."""

    text: str
    whose: str
    place: Place


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as it is shown."""

    step: Step
    status: str


@dataclass(frozen=True, slots=True)
class DomainView:
    """A chosen life domain: its answers, with the question above each, and how many goals it has."""

    code: str
    title: str
    answers: tuple[AnswerView, ...]
    goals: tuple[GoalView, ...]

    @property
    def answered(self) -> tuple[AnswerView, ...]:
        """Return the answers that say something."""
        return tuple(answer for answer in self.answers if answer.text)


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One of the four questions, with what was answered ("" is: not yet)."""

    name: str
    question: str
    text: str


@dataclass(frozen=True, slots=True)
class StartPage:
    """The start page of my plan."""

    story: str
    strengths: tuple[str, ...]
    stressors: tuple[str, ...]
    domains: tuple[DomainView, ...]
    goals: tuple[GoalView, ...]
    earlier: tuple[GoalView, ...]  # goals reached, changed or let go
    others: tuple[OtherGoalView, ...]
    updated: str  # when the plan was last changed, as the record says
    standing: Standing
    saved: str  # a sentence about what was just saved, or ""
    saved_at: str  # the section that was saved, where its reader lands; "" for the top of the page
    begun: bool


FieldKind = Literal["area", "line", "date", "choices"]


@dataclass(frozen=True, slots=True)
class Option:
    """One of the choices of a field."""

    value: str
    label: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in. `text` is what stands in it: what is stored, or what was typed and not yet saved."""

    name: str
    label: str
    kind: FieldKind = "area"
    help: str = ""
    options: tuple[Option, ...] = ()
    rows: int = 5
    text: str = ""
    seen: str = ""
    problem: str = ""

    def filled(self, text: str, seen: str, problem: str) -> Field:
        """Return the field with a text in it, the mark of what it was based on, and what is wrong with it."""
        return replace(self, text=text, seen=seen, problem=problem)

    def shown(self, text: str) -> str:
        """Return a value of this field as a person reads it: the label of a choice, a date in words."""
        if self.kind == "choices":
            return next((option.label for option in self.options if option.value == text), text)
        if self.kind == "date":
            try:
                return format_date(text)
            except ValueError:
                return text
        return text


@dataclass(frozen=True, slots=True)
class Link:
    """Somewhere else to go."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class FormPage:
    """A page with one thing to do. `key` names what a form makes, so that sending it twice makes it once."""

    title: str
    fields: tuple[Field, ...]
    back: Link
    save: str
    lead: str
    kicker: str
    words: str  # the goal that this page is about, in the client's words
    stop: str  # the label of a second button: save, and go no further
    key: str
    trouble: str  # why it could not be saved, though nothing is wrong with it
    sketch: bool  # the fields hold what was typed before and is not saved in the plan
    place: Place

    @property
    def problems(self) -> tuple[dict[str, str], ...]:
        """Return what is to be mended, for the summary on top."""
        return tuple(
            {
                "field": f"{field.name}-{field.options[0].value}" if field.options else field.name,
                "text": field.problem,
            }
            for field in self.fields
            if field.problem
        )


@dataclass(frozen=True, slots=True)
class ClashField:
    """A field of which two tabs, or two people, made two texts: the stored one and the one just typed."""

    field: Field
    stored: str
    typed: str

    @property
    def editable(self) -> bool:
        """Say whether the typed version is a text, so that the two can be made into one."""
        return self.field.kind in ("area", "line")


@dataclass(frozen=True, slots=True)
class ClashPage:
    """Both versions side by side. `kept` are the other fields of the form, which go along as typed."""

    title: str
    fields: tuple[ClashField, ...]
    kept: tuple[Field, ...]
    key: str
    unanswered: bool
    back: Link


@dataclass(frozen=True, slots=True)
class DomainsPage:
    """Choosing life domains. `chosen` are the codes that are ticked now, saved or not."""

    domains: tuple[Option, ...]
    family: tuple[Option, ...]  # empty unless they are to be shown
    chosen: tuple[str, ...]
    seen: str
    problem: str
    trouble: str
    show_family: bool
    elsewhere: tuple[str, ...]  # areas that were chosen in another tab in the meantime


@dataclass(frozen=True, slots=True)
class LeavePage:
    """Before words leave the plan: which life domains would go, with what stands in them."""

    leaving: tuple[DomainView, ...]
    chosen: tuple[str, ...]
    seen: str


@dataclass(frozen=True, slots=True)
class DomainPage:
    """One life domain: four answers, and its goals."""

    domain: DomainView
    in_plan: bool
    standing: Standing
    saved: str


@dataclass(frozen=True, slots=True)
class GoalPage:
    """One goal, its steps, and how it goes."""

    view: GoalView
    standing: Standing
    saved: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """The life domains and the four questions in the reader's language, each in its order."""

    domains: Mapping[str, str]
    family: frozenset[str]
    domain_help: Mapping[str, str]
    questions: Mapping[str, str]
    question_help: Mapping[str, str]

    @classmethod
    def of(cls, known: Catalogue) -> Words:
        """Read them from the catalogue."""
        return cls(
            domains={domain.code: text_of(domain.title) for domain in known.life_domains},
            family=frozenset(domain.code for domain in known.life_domains if domain.family),
            domain_help={domain.code: text_of(domain.help) for domain in known.life_domains},
            questions={question.code: text_of(question.text) for question in known.plan_questions},
            question_help={question.code: text_of(question.help) for question in known.plan_questions},
        )


def goal_view(goal: Goal, words: Words) -> GoalView:
    """Return a goal as pages show it."""
    said = PROGRESS_TEXTS.get(goal.progress, "")
    return GoalView(
        goal=goal,
        domain=words.domains.get(goal.domain, goal.domain),
        progress=_(said) if said else "",
        steps=tuple(StepView(step, _(STATUS_TEXTS[step.status])) for step in goal.steps),
    )


def other_goal_views(others: Iterable[tuple[OtherGoal, Place]], own: str) -> tuple[OtherGoalView, ...]:
    """Return goals of other programs as pages show them; `own` says that the client said it."""

    def whose(goal: OtherGoal) -> str:
        if goal.own:
            return own
        return _("In the words of %(name)s", name=goal.said_by) if goal.said_by else _("It does not say whose words.")

    return tuple(OtherGoalView(goal.text, whose(goal), place) for goal, place in others)


def domain_view(answers: DomainAnswers, plan: Plan, words: Words) -> DomainView:
    """Return a life domain of a plan as pages show it."""
    return DomainView(
        code=answers.domain,
        title=words.domains.get(answers.domain, answers.domain),
        answers=tuple(AnswerView(name, words.questions[name], getattr(answers, name)) for name in QUESTIONS),
        goals=tuple(goal_view(goal, words) for goal in plan.goals if goal.domain == answers.domain and goal.active),
    )


SECTIONS: Final = frozenset({"story", "strengths", "stressors", "goal", "domains", "ended"})


def start_page(
    plan: Plan,
    words: Words,
    *,
    standing: Standing,
    saved: str,
    saved_at: str,
    others: Iterable[tuple[OtherGoal, Place]],
) -> StartPage:
    """Return the start page of a plan; `others` are goals of other programs."""
    goals = [goal_view(goal, words) for goal in plan.goals]
    there = SECTIONS if any(not view.goal.active for view in goals) else SECTIONS - {"ended"}
    return StartPage(
        story=plan.story,
        strengths=plan.strengths,
        stressors=plan.stressors,
        domains=tuple(domain_view(answers, plan, words) for answers in plan.domains),
        goals=tuple(view for view in goals if view.goal.active),
        earlier=tuple(view for view in goals if not view.goal.active),
        others=other_goal_views(others, _("In your own words")),
        updated=plan.updated,
        standing=standing,
        saved=saved,
        saved_at=saved_at if saved_at in there else "",
        begun=bool(plan.story or plan.strengths or plan.stressors or plan.domains or plan.goals),
    )


def options(texts: Mapping[str, str], offered: Iterable[str]) -> tuple[Option, ...]:
    """Return choices with their sentences in the reader's language."""
    return tuple(Option(value, _(texts[value])) for value in offered)
