"""A file of elsewhere beside what is here: what is new, what is here already, and what says something else.

Nothing is written before the person has seen that and said yes. What is here stays as it is unless they chose
otherwise, part by part; and everything in the file becomes theirs here, or is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from mappers.answers import IDENTIFIER_SYSTEM as RESPONSE_SYSTEM
from mappers.answers import asked_in
from mappers.course import is_course
from mappers.identity import URN, Identifier, identifiers, own_identifier
from mappers.living import Content, Written, content_of, from_plan
from mappers.living.linking import linked
from mappers.plan import MOST_DOMAINS, DomainAnswers, Goal, PersonRef, Plan, plan_of
from mappers.plan.shapes import IDENTIFIER_SYSTEMS
from mappers.portable import Here, LeftOut, PersonFile, Why, names_of, taken, url_here
from mappers.portable.merging import both, both_answers, is_one_thing
from mappers.portable.naming import name_here
from mappers.reuse import is_reuse
from mappers.sharing.parts import COURSE
from mappers.tolerant import text_in
from questionnaires.canonical import identifier_system
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument
from smartapp.fhir.checked import problems
from smartapp.fhir.store import Write
from smartapp.pages.plan import stored
from smartapp.pages.take_along.gathering import Gathered
from smartapp.records import Record
from smartapp.web import current
from smartapp.web.language import format_date, language, text_of
from smartapp.web.living import write_of
from smartapp.web.plan_views import Words, goal_view
from smartapp.web.written import written_groups

Choice = Literal["mine", "theirs", "both"]
CHOICES: Final[tuple[Choice, ...]] = ("mine", "theirs", "both")
REUSE: Final = "reuse"
_GOING_ON: Final = frozenset({"active", "draft", "on-hold"})
_PLAN: Final = identifier_system("plan")


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is here and in the file, with other words in each; `joins`: both can stand together."""

    id: str
    title: str
    mine: str
    theirs: str
    joins: bool


@dataclass(frozen=True, slots=True)
class Brought:
    """What would happen to a file: `new` by its name in the file, how many are `here`, the clashes, what is left out.

    `forms` are those that are written here anew, `contents` and `domains` what the file says of what clashes.
    """

    file: PersonFile
    gathered: Gathered
    new: Mapping[str, Resource]
    here: int
    parts: tuple[Part, ...]
    left_out: Counter[Why]
    plan: Plan
    contents: Mapping[str, Content]

    @property
    def counts(self) -> Counter[str]:
        """Return how many of what is new, as the page names them."""
        return Counter(kind_of(one) for one in self.new.values())

    @property
    def changes_something(self) -> bool:
        """Tell whether there is anything to take over."""
        return bool(self.new or self.parts or self._new_domains or self._new_contents)

    @property
    def _new_domains(self) -> list[DomainAnswers]:
        known = {one.domain for one in self.gathered.plan.plan.domains}
        return [one for one in self.plan.domains if one.domain not in known and _said(one)]

    @property
    def _new_contents(self) -> dict[str, Content]:
        """Return what a file says in forms that say nothing here, and that are not taken over as they are."""
        forms = self.gathered.plan.forms
        whole = {form.id for one in self.new.values() if (form := _form_of(one)) is not None}
        return {id_: said for id_, said in self.contents.items() if id_ not in whole and not forms[id_].content}

    # --- what is written

    def writes(self, chosen: Mapping[str, Choice]) -> list[Write]:
        """Return all that has to be written as one unit, by what the person chose for each part.

        Raises PlanError where the plan of both would be none, such as with six areas of life.
        """
        forms = [self._of_form(form_id, content) for form_id, content in self._said_in_forms(chosen).items()]
        creates = [_create(one, living=_form_of(one) is not None) for one in self.new.values()]
        updates = self._of_plan(chosen) if self.gathered.plan.care_plan is not None else []
        return [*creates, *(one for one in forms if one), *updates]

    def _naming_forms(self, care_plan: Resource) -> Resource:
        for resource in self.new.values():
            form, own = _form_of(resource), own_identifier(resource)
            if form is not None and own is not None:
                care_plan = linked(care_plan, form, own.value)
        return care_plan

    def _said_in_forms(self, chosen: Mapping[str, Choice]) -> dict[str, Content]:
        """Return what forms that are here say from now on."""
        said = self._new_contents
        for form_id, content in self.contents.items():
            choice = chosen.get(f"form.{form_id}", "mine")
            if form_id not in said and choice != "mine":
                mine = self.gathered.plan.forms[form_id].content
                said[form_id] = both(mine, content) if choice == "both" else content
        return said

    def _of_form(self, form_id: str, content: Content) -> Write | None:
        launch = current.launch()
        client = PersonRef(launch.patient.reference, launch.patient.display)
        written = Written(client, client, current.now().isoformat(), language())
        return write_of(self.gathered.plan.forms[form_id], content, written)

    def _of_plan(self, chosen: Mapping[str, Choice]) -> list[Write]:
        """Return the changes of the plan that is here."""
        before, launch = self.gathered.plan, current.launch()
        place = before.place or "own"
        theirs = [one for one in self.new.values() if _is_part_of_plan(one)]
        beside = tuple(Record(one, None, place, "waiting") for one in theirs)
        client = PersonRef(launch.patient.reference, launch.patient.display)
        made = stored.resources(
            replace(before, records=(*before.records, *beside)),
            self._merged(chosen),
            known=catalogue(),
            patient=client,
            author=client,
            language=language(),
        )
        new = {own for one in theirs if (own := own_identifier(one))}
        changed = [self._naming_forms(one) if _is_plan(one) else one for one in made if own_identifier(one) not in new]
        return [write for one in changed if (write := stored.write_of(before, one)) is not None]

    def _merged(self, chosen: Mapping[str, Choice]) -> Plan:
        """Return the plan of here with what the file adds to it."""
        mine = self.gathered.plan.plan
        areas = {one.domain: one for one in self.plan.domains}
        domains = [self._area(one, areas.get(one.domain), chosen) for one in mine.domains]
        domains += self._new_domains[: max(0, MOST_DOMAINS - len(domains))]
        goals = [self._goal(one, chosen) for one in mine.goals]
        known = {goal.id for goal in goals}
        goals += [one for one in self.plan.goals if one.id not in known]
        return replace(mine, domains=tuple(domains), goals=tuple(goals))

    def _area(self, mine: DomainAnswers, theirs: DomainAnswers | None, chosen: Mapping[str, Choice]) -> DomainAnswers:
        if theirs is None or not _said(theirs):
            return mine
        if not _said(mine):
            return theirs
        choice = chosen.get(f"domain.{mine.domain}", "mine")
        return {"mine": mine, "theirs": theirs, "both": both_answers(mine, theirs)}[choice]

    def _goal(self, mine: Goal, chosen: Mapping[str, Choice]) -> Goal:
        theirs = next((one for one in self.plan.goals if one.id == mine.id), None)
        if theirs is None:
            return mine
        known = {step.id for step in mine.steps}
        steps = (*mine.steps, *(one for one in theirs.steps if one.id not in known))
        if chosen.get(f"goal.{mine.id}", "mine") == "mine":
            return replace(mine, steps=steps)
        return replace(theirs, steps=steps, of_others=mine.of_others, said_in=mine.said_in)


def prepare(file: PersonFile, gathered: Gathered) -> Brought:
    """Hold a file beside what is here; nothing is written. Raises PlanError where its plan is none."""
    left_out = list(file.left_out)
    file = replace(file, parts=_one_of_each(file.parts, left_out))
    here = _here(file, gathered)
    there = _there(file, gathered, here)
    wrong = [url for url, one in taken(file, here, there).items() if problems(one)]
    left_out += [LeftOut(file.parts[url]["resourceType"], "shape") for url in wrong]
    file = replace(file, parts={url: one for url, one in file.parts.items() if url not in wrong})
    contents = _contents(file, gathered)
    plan = _plan_in(file, here, there)
    return Brought(
        file=file,
        gathered=gathered,
        new={url: one for url, one in taken(file, here, there).items() if not _clashes_as_form(one, gathered)},
        here=sum(1 for url in there if url in file.parts),
        parts=tuple(_clashes(plan, contents, gathered)),
        left_out=Counter(one.why for one in left_out),
        plan=plan,
        contents=contents,
    )


def _clashes_as_form(resource: Resource, gathered: Gathered) -> bool:
    """Tell whether this is of a form of which the plan here has words, from before there were such forms."""
    form = _form_of(resource)
    return form is not None and bool(gathered.plan.forms[form.id].content)


def _one_of_each(parts: Mapping[str, Resource], left_out: list[LeftOut]) -> dict[str, Resource]:
    """Return the parts with one plan that goes on, and one response to each living form: the newest of each."""
    newest: dict[str, tuple[str, str]] = {}
    for url, one in parts.items():
        what = _alone(one)
        when = text_in(one, "authored") or text_in(one, "created")
        if what and (what not in newest or newest[what][0] < when):
            newest[what] = (when, url)
    kept = {}
    for url, one in parts.items():
        what = _alone(one)
        if what and newest[what][1] != url:
            left_out.append(LeftOut(one["resourceType"], "twice"))
        else:
            kept[url] = one
    return kept


def _alone(resource: Resource) -> str:
    """Return what a person has one of, where this is such a thing; else ""."""
    if _is_plan(resource):
        return "plan"
    form = _form_of(resource)
    return form.id if form else ""


def _is_plan(resource: Resource) -> bool:
    going_on = resource["resourceType"] == "CarePlan" and text_in(resource, "status") in _GOING_ON
    return going_on and not is_course(resource)  # of programmes somebody may follow several


def _is_part_of_plan(resource: Resource) -> bool:
    """Tell whether this is a goal or a step of a plan: they carry our identifier, and others of their types do not."""
    is_kind = resource["resourceType"] in ("Goal", "Task")
    return is_kind and any(own.system in IDENTIFIER_SYSTEMS for own in identifiers(resource))


def _form_of(resource: Resource) -> Instrument | None:
    asked = asked_in(resource, catalogue()) if resource["resourceType"] == "QuestionnaireResponse" else None
    return asked if asked and asked.kind == "living" else None


def kind_of(resource: Resource) -> str:
    """Return what pages call a resource: its type; "form" for what is written in a living form, COURSE or REUSE."""
    if is_course(resource):
        return COURSE
    if is_reuse(resource):
        return REUSE
    return "form" if _form_of(resource) else str(resource["resourceType"])


def _here(file: PersonFile, gathered: Gathered) -> Here:
    launch = current.launch()
    names: dict[str, Identifier] = {}
    for url, one in file.parts.items():
        form = _form_of(one)
        if form is not None and (stored_form := gathered.plan.forms.get(form.id)) is not None:
            names[url] = Identifier(RESPONSE_SYSTEM, stored_form.identifier)
        elif _is_plan(one) and gathered.plan.care_plan is None:
            names[url] = Identifier(_PLAN, gathered.plan.plan.id.removeprefix(URN))
    person = PersonRef(launch.patient.reference, launch.patient.display)
    return Here(person, f"{launch.issuer_key}|{launch.patient.reference}", names)


def _there(file: PersonFile, gathered: Gathered, here: Here) -> dict[str, str]:
    """Return the references of what is here already, by what it is called in the file."""
    known = {url: _reference(one) for url, one in names_of(one.resource for one in gathered.records).items()}
    own = {own: _reference(one.resource) for one in gathered.records if (own := own_identifier(one.resource))}
    found = {}
    for url, one in file.parts.items():
        was, form = own_identifier(one), _form_of(one)
        if form is not None:
            record = gathered.plan.forms[form.id].record
            reference = _reference(record.resource) if record else ""
        elif _is_plan(one):
            reference = _reference(gathered.plan.care_plan) if gathered.plan.care_plan else ""
        else:
            reference = known.get(url) or (own.get(name_here(here.key, was), "") if was else "")
        if reference:
            found[url] = reference
    return found


def _reference(resource: Resource) -> str:
    id_ = text_in(resource, "id")
    if id_:
        return f"{resource['resourceType']}/{id_}"
    own = own_identifier(resource)
    return url_here(resource["resourceType"], own) if own else ""


def _plan_in(file: PersonFile, here: Here, there: Mapping[str, str]) -> Plan:
    """Return the plan of a file, in which what is here already has the id that it has here."""
    everything = taken(file, here, {})
    care_plan = next((one for one in everything.values() if _is_plan(one)), None)
    if care_plan is None:
        return Plan(id="")
    ours = [one for one in everything.values() if _is_part_of_plan(one)]
    goals = [one for one in ours if one["resourceType"] == "Goal"]
    tasks = [one for one in ours if one["resourceType"] == "Task"]
    plan = plan_of(care_plan, goals, tasks, known=catalogue())
    ids = {_reference(one): there[url].rpartition("/")[2] for url, one in everything.items() if url in there}
    return replace(plan, goals=tuple(_called(goal, ids) for goal in plan.goals if goal.text and goal.domain))


def _called(goal: Goal, ids: Mapping[str, str]) -> Goal:
    steps = tuple(replace(step, id=ids.get(step.id, step.id)) for step in goal.steps if step.text)
    return replace(goal, id=ids.get(goal.id, goal.id), steps=steps)


def _contents(file: PersonFile, gathered: Gathered) -> dict[str, Content]:
    """Return what a file says in living forms.

    Also where a plan of before there were such forms says it; not where that plan is taken over, which has it itself.
    """
    is_here = gathered.plan.care_plan is not None
    plan = next((one for one in file.parts.values() if _is_plan(one) and is_here), None)
    found = {form.id: from_plan(plan, form) for form in catalogue().living.values()}
    for one in file.parts.values():
        if (form := _form_of(one)) is not None:
            found[form.id] = content_of(one, form)
    return {form_id: content for form_id, content in found.items() if content and form_id in gathered.plan.forms}


# --- what says something else -----------------------------------------------------------------------------------


def _clashes(plan: Plan, contents: Mapping[str, Content], gathered: Gathered) -> Iterable[Part]:
    for form_id, theirs in contents.items():
        mine = gathered.plan.forms[form_id].content
        if mine and not is_one_thing(mine, theirs):
            yield Part(f"form.{form_id}", text_of(mine.form.title), _words_of(mine), _words_of(theirs), joins=True)
    words = Words.of(catalogue())
    areas = {one.domain: one for one in plan.domains}
    for area in gathered.plan.plan.domains:
        other = areas.get(area.domain)
        if other is not None and _said(other) and _said(area) and _said(area) != _said(other):
            title = words.domains.get(area.domain, area.domain)
            yield Part(f"domain.{area.domain}", title, "\n".join(_said(area)), "\n".join(_said(other)), joins=True)
    goals = {one.id: one for one in plan.goals}
    for goal in gathered.plan.plan.goals:
        there = goals.get(goal.id)
        if there is not None and _facts(goal, words) != _facts(there, words):
            yield Part(f"goal.{goal.id}", goal.text, _facts(goal, words), _facts(there, words), joins=False)


def _words_of(content: Content) -> str:
    """Return what is written in a form, one answer a line."""
    lines = []
    for group in written_groups(content, catalogue()):
        lines += [f"{one.question} {'; '.join(one.texts)}" for one in group.answers]
        for row in group.rows:
            said = (f"{one.question} {'; '.join(one.texts)}" for one in row.answers)
            lines.append(" · ".join(part for part in (row.title, *said) if part))
    return "\n".join(lines)


def _said(answers: DomainAnswers) -> list[str]:
    return [text for text in (answers.now, answers.change, answers.how, answers.support) if text]


def _facts(goal: Goal, words: Words) -> str:
    view = goal_view(goal, words)
    due = format_date(goal.due) if goal.due else ""
    return "\n".join(part for part in (goal.text, view.progress, due, goal.note) if part)


def _create(resource: Resource, *, living: bool) -> Write:
    own = own_identifier(resource)
    if own is None:
        raise LookupError("what is taken over has a name of here")
    return Write.once(resource, identifier=own.token, full_url=url_here(resource["resourceType"], own), living=living)
