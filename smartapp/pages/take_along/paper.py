"""All of a person's own on paper, with the same as FHIR inside: to read, to keep, and to bring in elsewhere."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from mappers.agreements import agreements_in
from mappers.answers import kind_of
from mappers.assignment import assignment_of, is_assignment
from mappers.circle import circle_of
from mappers.own_notes import notes_about
from mappers.phase import history_of
from mappers.talking import talking_point_of
from mappers.trends import measured
from questionnaires import __version__
from questionnaires.catalogue import Catalogue, catalogue
from questionnaires.fhir import Resource
from smartapp.pages.answers.finding import Sent, readable
from smartapp.pages.answers.paper import contents as answers_contents
from smartapp.pages.answers.views import response_page
from smartapp.pages.course.found import courses_in
from smartapp.pages.course.views import told
from smartapp.pages.living.paper import contents as form_contents
from smartapp.pages.plan.paper import contents as plan_contents
from smartapp.pages.scores.asking import in_reach
from smartapp.pages.scores.paper import all_panels
from smartapp.pages.take_along.gathering import Gathered
from smartapp.records import Record
from smartapp.storage.launches import Person
from smartapp.web import current
from smartapp.web.language import day_of, format_date, format_datetime, text_of
from smartapp.web.language import gettext as _
from smartapp.web.pdf import Inside, lines, pdf
from smartapp.web.plan_views import STATUS_TEXTS
from smartapp.web.written import whose_words, written_groups

TEMPLATE: Final = Path(__file__).with_name("templates") / "take_along" / "paper.typ"
FILE_NAME: Final = "verstel.fhir.json"
"""What the file in the paper is called: the same for everybody, so that it can be found."""


def paper_of(gathered: Gathered, bundle: bytes) -> bytes:
    """Return all of the person of this launch as a PDF, made now and here. Raises NotTypeset."""
    now = current.now()
    where = current.services().settings.public_url
    origin = origin_of(gathered, installation=where, version=__version__, made=now)
    return paper(gathered, bundle, origin=origin, client=current.launch().patient, made=now)


def paper(gathered: Gathered, bundle: bytes, *, origin: Sequence[str], client: Person, made: dt.datetime) -> bytes:
    """Return all of it as a PDF, in the language of the reader, with the file (`bundle`, FHIR as JSON) inside.

    `origin` are the sentences about where it comes from. Raises NotTypeset.
    """
    inside = Inside(FILE_NAME, bundle, "application/fhir+json", _("All of this as FHIR, for a computer"))
    data = contents(gathered, catalogue(), client=client, origin=origin)
    return pdf(_("All that is mine"), TEMPLATE, data, person=client, made=made, inside=inside)


def contents(gathered: Gathered, known: Catalogue, *, client: Person, origin: Sequence[str]) -> dict[str, Any]:
    """Return what the template puts on paper: the plan, what is written, answers, scores, and where it is from."""
    tasks = [one.resource for one in gathered.of("Task")]
    observations = [one.resource for one in gathered.of("Observation")]
    return {
        "about": [
            _("This holds all that is yours in Verstel. Whoever has this file can read it. Nobody has signed it."),
            _("Inside is the same for a computer. Another place with Verstel can take it over from there."),
        ],
        "plan-title": _("My plan"),
        "plan": {**plan_contents(gathered.plan.plan, known, client.display, {}), "parts": []},
        "forms": _forms(gathered, known, client.display),
        "phase-title": _("Where I was"),
        "phases": [_phase(one.display, one.marked_on, one.words) for one in history_of(observations)],
        "answers-title": _("What I sent in"),
        "answers": [_answers(one) for one in _sent(gathered.of("QuestionnaireResponse"), known)],
        "scores-title": _("My scores"),
        "about-scores": _("A score is a number that comes from your own answers. It does not say who you are."),
        "scores": _scores(gathered, known),
        "programmes-title": _("My programme"),
        "programmes": list(_programmes(gathered)),
        "agreed-title": _("What was agreed and asked"),
        "agreed": list(_agreed(tasks, known)),
        "people-title": _("The people around me"),
        "people": list(_people(gathered.of("CareTeam"))),
        "origin-title": _("Where this comes from"),
        "origin": list(origin),
    }


def _forms(gathered: Gathered, known: Catalogue, client: str) -> list[dict[str, Any]]:
    made = []
    for one in gathered.plan.forms.values():
        content = gathered.plan.content_of(one.form.id)
        if content:
            groups = written_groups(content, known)
            said = form_contents(groups, one.changed, client)
            made.append({**said, "title": text_of(one.form.title), "whose": whose_words(groups, client)})
    return made


def _phase(title: str, day: str, words: str) -> dict[str, Any]:
    return {"title": title, "day": format_date(day), "words": lines(words) if words else None}


def _sent(responses: Iterable[Record], known: Catalogue) -> list[Sent]:
    """Return what was sent in or written down together, the newest first: all but living forms, which stand before."""
    others = (one for one in responses if kind_of(one.resource, known) != "living")
    return sorted((Sent(one, readable(one)) for one in others), key=lambda one: one.authored, reverse=True)


def _answers(sent: Sent) -> dict[str, Any]:
    page = response_page(
        sent, own=True, earlier=(), beside=None, points={}, readings=(), correctable=False, state=sent.record.state
    )
    return {**answers_contents(page), "title": page.title or _("Answers")}


def _scores(gathered: Gathered, known: Catalogue) -> list[dict[str, Any]]:
    observations = [one.resource for one in gathered.of("Observation")]
    # It is the client's own, who sees all of it.
    responses = [one.resource for one in gathered.of("QuestionnaireResponse")]
    there = in_reach(observations, responses, cut=gathered.cut)
    found = measured(observations, there, known, day_of, computes=True)
    notes = {one.instrument.id: notes_about(observations, one.instrument.id) for one in found}
    return [{**panel, "level": 2} for panel in all_panels(found, notes, own=True)]


def _agreed(tasks: Sequence[Resource], known: Catalogue) -> Iterable[dict[str, Any]]:
    """Yield what was agreed, what was asked, and what the person wants to talk about: words, and how it stands."""
    for one in agreements_in(tasks):
        yield _line(one.text, _(STATUS_TEXTS[one.status]), one.who, format_date(one.due))
    for task in tasks:
        if is_assignment(task):
            asked = assignment_of(task)
            about = known.asked.get(asked.instrument)
            title = text_of(about.title) if about else asked.instrument
            days = {"first": format_date(asked.opens), "last": format_date(asked.due)}
            when = _("For %(first)s to %(last)s", **days) if asked.opens and asked.due else ""
            yield _line(title, _("Asked on %(day)s", day=format_date(asked.asked_on)), when, asked.asked_by)
        elif (point := talking_point_of(task)) is not None:
            yield _line(point.words, _("You want to talk about this") if point.waiting else _("Talked about"))


def _programmes(gathered: Gathered) -> Iterable[dict[str, Any]]:
    """Yield the programmes that are or were followed, the last first: each moment, when it is and where it stands."""
    responses = (one.resource for one in gathered.of("QuestionnaireResponse"))
    for one in courses_in(gathered.of("CarePlan"), gathered.of("Task"), responses):
        course = told(one, current.now().date(), own=True)
        moments = [_line(each.title, each.when, each.says, each.done) for each in course.moments]
        yield {"title": course.title, "says": course.says, "moments": moments}


def _line(words: str, *facts: str) -> dict[str, Any]:
    return {"words": lines(words), "facts": [fact for fact in facts if fact]}


def _people(teams: Iterable[Record]) -> Iterable[str]:
    for team in teams:
        for member in circle_of(team.resource).people:
            until = _("until %(day)s", day=format_date(member.until)) if member.until else ""
            yield ", ".join(part for part in (member.name, member.relation, member.phone, until) if part)


def origin_of(gathered: Gathered, *, installation: str, version: str, made: dt.datetime) -> list[str]:
    """Return the sentences that say where a file is from, and what is not in it."""
    count = Counter(one.place for one in gathered.records)
    kept = {
        _("In the record of your care provider: %(number)s.", number=count["ehr"]): count["ehr"],
        _("With your care provider, outside the record: %(number)s.", number=count["companion"]): count["companion"],
        _("In Verstel itself: %(number)s.", number=count["own"]): count["own"],
    }
    return [
        _(
            "Made on %(moment)s, with Verstel %(version)s, at %(where)s.",
            moment=format_datetime(made),
            version=version,
            where=installation,
        ),
        _("This is how many parts it has, and where each is kept."),
        *(sentence for sentence, number in kept.items() if number),
        *not_in_it(gathered),
    ]


def not_in_it(gathered: Gathered) -> list[str]:
    """Return the sentences that say what a file has not."""
    missing = [
        _("Not in it: what you typed and did not save, and what others wrote in your record without Verstel."),
        _("Not in it either: who looked. That list stays with the place that keeps it."),
    ]
    if gathered.refused:
        missing.append(_("Your record did not let us read everything: %(kinds)s.", kinds=", ".join(gathered.refused)))
    if gathered.cut:
        missing.append(_("There is more than we can read at once. The oldest answers are not in it."))
    return missing
