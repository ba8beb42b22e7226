"""How a plan is shown, wherever it is: its texts, life domains and goals with words for people around the client's own.

The client's own pages and the clinician's overview show the same plan, and must not describe it differently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from mappers.plan import QUESTIONS, DomainAnswers, Goal, OtherGoal, Plan, Remark, Step
from mappers.plan.model import newest_first
from questionnaires.catalogue import Catalogue
from questionnaires.living import PlanPart
from questionnaires.model import Living
from smartapp.i18n import message
from smartapp.records import Place
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of
from smartapp.web.typed import digest

GOING_TEXTS: Final[Mapping[str, str]] = {
    "in-progress": message("I am working on it"),
    "improving": message("It is going in the right direction"),
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
FOR_LATER: Final = message("For later")
STATUS_TEXTS: Final[Mapping[str, str]] = {
    "planned": message("Still to do"),
    "doing": message("In progress"),
    "done": message("Done"),
    "stopped": message("No longer needed"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """The life domains and the four questions in the reader's language, each in its order.

    `domains` has plain names; `handbook` the word of the handbook where that is another one.
    """

    domains: Mapping[str, str]
    handbook: Mapping[str, str]
    family: frozenset[str]
    domain_help: Mapping[str, str]
    questions: Mapping[str, str]
    question_help: Mapping[str, str]

    @classmethod
    def of(cls, known: Catalogue) -> Words:
        """Read them from the catalogue."""
        return cls(
            domains={domain.code: text_of(domain.name) for domain in known.life_domains},
            handbook={domain.code: text_of(domain.title) for domain in known.life_domains if domain.plain},
            family=frozenset(domain.code for domain in known.life_domains if domain.family),
            domain_help={domain.code: text_of(domain.help) for domain in known.life_domains},
            questions={question.code: text_of(question.asked) for question in known.plan_questions},
            question_help={question.code: text_of(question.help) for question in known.plan_questions},
        )


# --- texts ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PartView:
    """Words that belong to a plan from the start, such as the story; no texts where nothing is written yet."""

    part: PlanPart
    texts: tuple[str, ...]

    @property
    def living(self) -> Living:
        """Return what the pages say around these words."""
        if self.part.form.living is None:
            raise TypeError(f"{self.part.code} is no living form")
        return self.part.form.living


def part_views(plan: Plan, known: Catalogue) -> tuple[PartView, ...]:
    """Return all of them in their order, the unwritten ones too."""
    return tuple(PartView(part, plan.texts.get(part.code, ())) for part in known.plan_parts)


# --- goals ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as it is shown."""

    step: Step
    status: str


@dataclass(frozen=True, slots=True)
class RemarkView:
    """Something said about a goal: by whom ("" where nobody is named), and when ("" where that is not known).

    `name` is what a form calls it.
    """

    text: str
    said: str
    own: bool
    by: str
    name: str


@dataclass(frozen=True, slots=True)
class GoalView:
    """A goal as it is shown, in the client's words."""

    goal: Goal
    domain: str
    progress: str  # a sentence, or "" while nothing has been said
    steps: tuple[StepView, ...]
    remarks: tuple[RemarkView, ...] = ()  # the newest first, those of others too
    began: str = ""  # the address of the words of a living form that it began with


@dataclass(frozen=True, slots=True)
class OtherGoalView:
    """A goal that another program keeps in the record, whose words it is in, and where it is."""

    text: str
    whose: str
    place: Place


def goal_view(goal: Goal, words: Words, began: str = "") -> GoalView:
    """Return a goal as pages show it; `began`: see `living_views.began_at`."""
    sentence = FOR_LATER if goal.active and goal.later else PROGRESS_TEXTS.get(goal.progress, "")
    return GoalView(
        goal=goal,
        domain=words.domains.get(goal.domain, goal.domain),
        progress=_(sentence) if sentence else "",
        steps=tuple(StepView(step, _(STATUS_TEXTS[step.status])) for step in goal.steps),
        remarks=tuple(
            remark_view(one, own=one in goal.remarks) for one in newest_first([*goal.remarks, *goal.of_others])
        ),
        began=began,
    )


def remark_view(remark: Remark, *, own: bool) -> RemarkView:
    """Return a remark as pages show it."""
    return RemarkView(remark.text, remark.said, own, remark.by, name_of(remark))


def name_of(remark: Remark) -> str:
    """Return what a form calls a remark: a note of a Goal has no id, so it goes by what it says, when and by whom."""
    return digest(f"{remark.said}\n{remark.by}\n{remark.text}")


def other_goal_views(others: Iterable[tuple[OtherGoal, Place]], own: str) -> tuple[OtherGoalView, ...]:
    """Return goals of other programs as pages show them; `own` is how a page says that the words are the client's."""

    def whose(goal: OtherGoal) -> str:
        if goal.own:
            return own
        return _("In the words of %(name)s", name=goal.said_by) if goal.said_by else _("It does not say whose words.")

    return tuple(OtherGoalView(goal.text, whose(goal), place) for goal, place in others)


# --- life domains -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One of the four questions, with its answer, "" where there is none yet."""

    name: str
    question: str
    text: str


@dataclass(frozen=True, slots=True)
class DomainView:
    """A chosen life domain: its answers, with the question above each, and its goals."""

    code: str
    title: str
    answers: tuple[AnswerView, ...]
    goals: tuple[GoalView, ...]
    handbook: str = ""  # the handbook's word for it, where the title is another

    @property
    def answered(self) -> tuple[AnswerView, ...]:
        """Return the answers that say something."""
        return tuple(answer for answer in self.answers if answer.text)


def domain_view(answers: DomainAnswers, plan: Plan, words: Words) -> DomainView:
    """Return a life domain of a plan as pages show it."""
    return DomainView(
        code=answers.domain,
        title=words.domains.get(answers.domain, answers.domain),
        answers=tuple(AnswerView(name, words.questions[name], getattr(answers, name)) for name in QUESTIONS),
        goals=tuple(goal_view(goal, words) for goal in plan.goals if goal.domain == answers.domain and goal.active),
        handbook=words.handbook.get(answers.domain, ""),
    )
