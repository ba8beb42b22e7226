"""Fills the sandbox with made-up people. Their history is real input: the mappers score it and write the plans.

What the files hold is in `person_files.py`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources as package_data
from pathlib import Path

from mappers.agreements import IDENTIFIER_SYSTEM as AGREEMENT_SYSTEM
from mappers.agreements import Agreement, task_of_agreement, with_progress
from mappers.answers import IDENTIFIER_SYSTEM as RESPONSE_SYSTEM
from mappers.answers import Answers, ResponseRef, response_from, response_of
from mappers.assignment import assignment_identifier, task_of
from mappers.circle import IDENTIFIER_SYSTEM as CIRCLE_SYSTEM
from mappers.circle import Circle, Member, circle_identifier, team_of
from mappers.conversation import Conversation, as_encounter
from mappers.decisions import DECISION, Decision, values_of
from mappers.human_name import ASSEMBLY_ORDER, OWN_NAME, OWN_PREFIX, PARTNER_NAME, QUALIFIER
from mappers.living import Written, form_identifier
from mappers.living import response_of as response_of_form
from mappers.living.linking import linked
from mappers.own_notes import name_beside, observation_of
from mappers.phase import Marking
from mappers.phase import observation_of as marking_observation
from mappers.plan import DomainAnswers, Goal, PersonRef, Plan, Remark, Step, resources_of
from mappers.reuse import IDENTIFIER_SYSTEM as REUSE_SYSTEM
from mappers.reuse import Purpose, Reuse
from mappers.reuse import consent_of as reuse_consent
from mappers.reuse import name_of as reuse_name
from mappers.said_in import SaidIn
from mappers.sharing import Choice, Sharing, consent_of
from mappers.sharing.consent import name_of as consent_name
from mappers.submission import submission_of
from mappers.talking import discussed
from mappers.talking import task_of as talking_task
from questionnaires.canonical import code_system_url, identifier_system, structure_url
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument
from smartapp.access import table
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import NotFound, RecordStore, Stored, Write
from smartapp.sandbox.courses import CourseSeeder, Sent
from smartapp.sandbox.living import FormReader
from smartapp.sandbox.person_files import (
    Agreed,
    Asked,
    DomainEntry,
    FilledIn,
    GoalEntry,
    LivingEntry,
    MarkedPhase,
    Medication,
    Named,
    PersonFile,
    PlanEntry,
    Planned,
    Practitioner,
    Related,
    SeedError,
    read_people,
    read_practitioners,
)
from smartapp.sandbox.server import Sandbox

PEOPLE = Path(__file__).with_name("people")

# Identifiers follow from names in it, so that seeding again finds what it wrote before.
_NAMESPACE = uuid.UUID("6d0f6a0e-5f0e-4c58-9d0e-5b1c0f6f3a11")
_BOOLEANS = {"y": True, "n": False}

# Puts a draft where the app looks for it: patient reference, questionnaire id, the in-progress response.
KeepDraft = Callable[[str, str, Resource], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """What `seed` did: the people it added, none if all were there already."""

    added: tuple[str, ...]


@cache
def people() -> Mapping[str, PersonFile]:
    """Return what `people/*.toml` says of each person, by id, in the order in which they are shown."""
    return read_people(PEOPLE)


@cache
def practitioners() -> Mapping[str, Practitioner]:
    """Return the made-up professionals by id."""
    return read_practitioners(Path(__file__).with_name("practitioners.toml"))


def about(patient: str, language: str) -> str:
    """Return the sentence that the sandbox page shows about a person, or "" for someone it does not know."""
    return people()[patient].about.get(language) if patient in people() else ""


def seed(
    sandbox: Sandbox,
    now: datetime,
    *,
    own: RecordStore | None = None,
    keep_draft: KeepDraft | None = None,
    only: Collection[str] | None = None,
    issuer: str = "",
) -> Filled:
    """Add the people that are not there yet, or `only` these. Starting again half way adds nothing twice.

    What this kind of EHR would not have taken from the app goes to `own`, the app's own store, where the app would have
    put it; without `own` everything goes to the EHR. `keep_draft` stores unfinished questionnaires, if given. `issuer`
    is the key under which the app knows the sandbox, where that is not its address.
    """
    seeder = _Seeder(sandbox, now, own, keep_draft, issuer or sandbox.base)
    seeder.write(
        now,
        [Write("update", made) for one in practitioners().values() for made in (_practitioner(one), _works_as(one))],
        ehr=True,
    )
    # The other kinds play EHRs that have their own questionnaires and not ours.
    if sandbox.kind.name == "full":
        seeder.write(now, [Write("update", resource) for resource in published()], ehr=True)
    added = [patient for patient in (people() if only is None else only) if not seeder.has(patient)]
    for patient in added:
        seeder.person(people()[patient])
    return Filled(tuple(added))


def published() -> list[Resource]:
    """Return our published Questionnaires and terminology, with ids by which they can be updated."""
    folder = package_data.files("questionnaires") / "published"
    found = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".json"):
            resource = json.loads(path.read_text(encoding="utf-8"))
            found.append({**resource, "id": resource.get("id") or path.name.removesuffix(".json").partition("-")[2]})
    return found


def answers(instrument: Instrument, signs: str, where: str = "") -> dict[str, str | bool]:
    """Read a line of answers (see `person_files.py`) into linkId → code or boolean. Raises SeedError."""
    values: dict[str, str | bool] = {}
    given = signs.replace(" ", "")
    items = [item for item in instrument.items if item.kind != "text"]
    if len(given) > len(items):
        raise SeedError(f"{where}: {len(given)} answers for the {len(items)} items of {instrument.id}")
    # A draft ends before its questionnaire does.
    for item, sign in zip(items, given, strict=False):
        if sign == ".":
            continue
        if item.kind == "boolean":
            if sign not in _BOOLEANS:
                raise SeedError(f"{where}: {item.link_id} is yes or no; {sign!r} is neither y nor n")
            values[item.link_id] = _BOOLEANS[sign]
            continue
        code = "na" if sign == "x" else sign
        if item.scale is None or item.scale.option(code) is None:
            raise SeedError(f"{where}: {item.link_id} has no option {code!r}")
        values[item.link_id] = code
    return values


@dataclass(frozen=True, slots=True)
class _Seeder:
    sandbox: Sandbox
    now: datetime
    own: RecordStore | None
    keep_draft: KeepDraft | None
    issuer: str

    def has(self, patient: str) -> bool:
        try:
            self.sandbox.store.read("Patient", patient)
        except NotFound:
            return False
        return True

    def write(self, moment: datetime, writes: Sequence[Write], *, ehr: bool = False) -> list[Stored]:
        """Store a unit at its moment in the past."""
        return self.store(moment, writes, ehr=ehr).write_all(writes)

    def store(self, moment: datetime, writes: Sequence[Write], *, ehr: bool = False) -> RecordStore:
        """Return where a unit is kept: in the EHR, at a moment in the past; or in the own store if it is not taken."""
        takes = all(
            self.sandbox.kind.offers(write.resource["resourceType"], letter)
            for write in writes
            for letter in ("cu" if write.living else "c")
        )
        if ehr or self.own is None or (takes and not self.sandbox.kind.rules):
            # The same records, by a clock that reads this moment: meta.lastUpdated tells the history too.
            return OwnStore(
                self.sandbox.engine, self.sandbox.store.base_url, tenant=self.sandbox.store.tenant, clock=lambda: moment
            )
        return self.own

    def moment(self, days_ago: float) -> datetime:
        day = self.now.astimezone(UTC) - timedelta(days=days_ago)
        # During office hours, but never later than now.
        morning = day.replace(hour=9, minute=20, second=0, microsecond=0)
        return min(morning, self.now)

    def person(self, person: PersonFile) -> None:
        """Add one person with their whole history; the Patient last, so that one half added is added again."""
        where = f"people/{person.id}.toml"
        patient = _reference("Patient", person)
        sent = [self.response(patient, entry, where) for entry in person.response]
        if person.plan is not None or person.living:
            self.plan(patient, person)
        for asked in person.assignment:
            self.assignment(patient, asked)
        seeder = CourseSeeder(
            store=self.store,
            moment=self.moment,
            professional=lambda id_: _reference("Practitioner", practitioners()[id_]),
            patient=patient,
            where=where,
        )
        for course in person.course:
            seeder.add(course, sent)
        for agreed in person.agreement:
            self.agreement(patient, agreed)
        for marked in person.phase:
            self.phase(patient, marked)
        if person.draft is not None and self.keep_draft is not None:
            draft = self.filled_in(patient, person.draft, where, status="in-progress")
            self.keep_draft(patient["reference"], person.draft.questionnaire, response_from(draft))
        if person.circle and self.own is not None:
            self.circle(patient, person)
        if person.reuse and self.own is not None:
            self.own.write_all([self.reuse(patient, person.reuse)])
        around = [
            *(_related(one, patient) for one in person.related),
            *self.medication(patient, person.medication),
            _care_team(person, patient),
            *self.appointments(patient, person.appointment),
            _patient(person),
        ]
        self.write(self.now, [Write("update", resource) for resource in around], ehr=True)

    def circle(self, patient: Resource, person: PersonFile) -> None:
        """Add the person's own people to the app's own store, and what they share with them: no EHR has either."""
        related = {one.id: _reference("RelatedPerson", one) for one in person.related}
        team = {id_: _reference("Practitioner", practitioners()[id_]) for id_ in person.team}
        members = [(entry, {**team, **related}.get(entry.who or "", {})) for entry in person.circle]
        circle = Circle(
            tuple(
                Member(
                    id=_name(patient, "circle", number),
                    name=entry.name or who["display"],
                    relation=entry.relation,
                    role=entry.role,
                    reference=who.get("reference", ""),
                    phone=entry.phone,
                    since=self.day(entry.days_ago),
                    until=_instant(self.moment(entry.until_days_ago)) if entry.until_days_ago is not None else "",
                    supports=entry.supports,
                )
                for number, (entry, who) in enumerate(members, start=1)
            )
        )
        name = circle_identifier(self.issuer, patient["reference"])
        made = team_of(circle, patient=patient, identifier=name, language="nl")
        writes = [Write.once(made, identifier=f"{CIRCLE_SYSTEM}|{name}")]
        readers: dict[str, frozenset[str]] = {}
        for entry, who in members:
            for part in entry.reads:
                readers[part] = readers.get(part, frozenset()) | {who["reference"]}
        if readers:
            writes.append(self.sharing(patient, readers, {one.reference: one.name for one in circle.people}))
        if self.own is not None:
            self.own.write_all(writes)

    def sharing(self, patient: Resource, readers: Mapping[str, frozenset[str]], names: Mapping[str, str]) -> Write:
        """Return the Consent by which people read these parts, besides those who read them in the record."""
        known, access = catalogue(), table()
        choices = {part: Choice(readers=who) for part, who in readers.items()}
        made = consent_of(
            Sharing(choices, _instant(self.now)),
            name=consent_name(self.issuer, patient["reference"]),
            patient=patient,
            titles={part: access.part_title(part, known).nl for part in choices},
            displays={"record": "Wie het dossier mag openen", **names},
        )
        return Write("create", made)

    def reuse(self, patient: Resource, purposes: frozenset[Purpose]) -> Write:
        """Return the Consent by which somebody's answers may be used again: in the app's own store, at no EHR."""
        name = reuse_name(self.issuer, patient["reference"])
        made = reuse_consent(Reuse(purposes, _instant(self.now)), name=name, patient=patient)
        return Write.once(made, identifier=f"{REUSE_SYSTEM}|{name}")

    def appointments(self, patient: Resource, planned: Sequence[Planned]) -> list[Resource]:
        """Return the appointments to come; none where this kind of EHR shows none."""
        if not self.sandbox.kind.offers("Appointment", "s"):
            return []
        return [self.appointment(patient, entry) for entry in planned]

    def appointment(self, patient: Resource, entry: Planned) -> Resource:
        start = self.now.astimezone(UTC).replace(hour=9, minute=30, second=0, microsecond=0)
        start += timedelta(days=entry.in_days)
        people = [patient, _reference("Practitioner", practitioners()[entry.by])]
        return {
            "resourceType": "Appointment",
            "id": _name(patient, "appointment", entry.in_days),
            "status": "booked",
            "start": _instant(start),
            "end": _instant(start + timedelta(minutes=45)),
            "participant": [{"actor": actor, "status": "accepted"} for actor in people],
        }

    def filled_in(self, patient: Resource, entry: FilledIn, where: str, *, status: str) -> Answers:
        instrument = catalogue().instruments[entry.questionnaire]
        place = f"{where}: {instrument.id}, {entry.days_ago} days ago"
        values = entry.texts or answers(instrument, entry.answers, place)
        about = ResponseRef(
            status=status,
            identifier=_name(patient, "response", instrument.id, entry.days_ago),
            authored=_instant(self.moment(entry.days_ago)),
            subject=patient,
            author=patient,
            source=patient,
        )
        return Answers(instrument, values, about)

    def response(self, patient: Resource, entry: FilledIn, where: str) -> Sent:
        """Add a response with its scores, made as the app makes them when a client sends answers in."""
        filled_in = self.filled_in(patient, entry, where, status="completed")
        made = submission_of(filled_in)
        writes = [Write.once(one.resource, identifier=one.identifier, full_url=one.full_url) for one in made]
        reference = self.write(self.moment(entry.days_ago), writes)[0].reference
        for link_id in (*entry.marked, *entry.discussed):
            point = self.talking_point(patient, filled_in, link_id)
            self.once(self.moment(entry.days_ago), [discussed(point) if link_id in entry.discussed else point])

        if entry.note:
            self.once(self.moment(entry.days_ago), [self.own_note(patient, filled_in, entry.note)])
        return Sent(filled_in.instrument, entry.days_ago, reference)

    def own_note(self, patient: Resource, filled_in: Answers, text: str) -> Resource:
        """Return what a person wrote beside the scores of one response."""
        instrument, about = filled_in.instrument, filled_in.response
        return observation_of(
            text,
            instrument,
            response="",
            name=name_beside(patient["reference"], instrument.id, about.identifier),
            patient=patient,
            written_on=about.authored,
            language="nl",
        )

    def talking_point(self, patient: Resource, filled_in: Answers, link_id: str) -> Resource:
        """Return the mark of a person on one of their answers."""
        item, value = filled_in.instrument.item(link_id), filled_in.values[link_id]
        option = item.scale.option(value) if item.scale and isinstance(value, str) else None
        about = filled_in.response
        return talking_task(
            SaidIn(link_id, identifier=about.identifier),
            # As a page of ours says it: after a question no colon.
            words=f"{item.text.nl}{'' if item.text.nl[-1] in '?.' else ':'} {option.text.nl if option else value}",
            patient=patient,
            requester=patient,
            marked_on=about.authored,
            language="nl",
        )

    def phase(self, patient: Resource, entry: MarkedPhase) -> None:
        """Add where a person said to be, at one moment."""
        moment = self.moment(entry.days_ago)
        name = _name(patient, "phase", entry.days_ago)
        marking = Marking(entry.code, entry.words, _instant(moment), name)
        self.once(moment, [marking_observation(marking, patient=patient, language="nl")])

    def assignment(self, patient: Resource, entry: Asked) -> None:
        instrument = catalogue().instruments[entry.questionnaire]
        asked_on = _instant(self.moment(entry.days_ago))
        identifier = assignment_identifier(patient["reference"], instrument.canonical, asked_on)
        task = task_of(
            questionnaire=instrument.canonical,
            title=instrument.title.nl,
            patient=patient,
            requester=_reference("Practitioner", practitioners()[entry.by]),
            asked_on=asked_on,
            identifier=identifier,
            due=self.day(-entry.due_in_days),  # days ahead are negative days ago
            message=entry.message,
        )
        self.once(self.moment(entry.days_ago), [task])

    def agreement(self, patient: Resource, entry: Agreed) -> None:
        """Add a decision of an earlier conversation, with what was agreed."""
        who, key = PersonRef(patient["reference"], patient["display"]), _name(patient, "agreed", entry.topic)
        professional = _reference("Practitioner", practitioners()[entry.by])
        moment = self.moment(entry.days_ago)
        decided = response_of(
            values_of(Decision(entry.topic, outcome="agreed", words=entry.words)),
            catalogue().instrument(DECISION),
            status="completed",
            authored=_instant(moment),
            subject=patient,
            author=professional,
            source=patient,
            identifier=key,
        )
        talk = Conversation(_name(patient, "conversation", str(entry.days_ago)), _instant(moment))
        decided["encounter"] = as_encounter(talk)
        agreed = Agreement(
            key,
            entry.words,
            who=who.display,
            who_reference=who.reference,
            due="" if entry.due_in_days is None else self.day(-entry.due_in_days),
            made=_instant(moment),
        )
        author = PersonRef(professional["reference"], professional["display"])
        task = task_of_agreement(agreed, patient=who, author=author, topic=entry.topic)
        if entry.remark:
            said_on = _instant(self.moment(entry.remark_days_ago))
            task = with_progress(task, "done" if entry.done else "doing", entry.remark, by=author, now=said_on)
        self.write(
            moment,
            [
                Write.once(decided, identifier=f"{RESPONSE_SYSTEM}|{key}", full_url=f"urn:uuid:{key}"),
                Write.once(task, identifier=f"{AGREEMENT_SYSTEM}|{key}"),
            ],
        )

    def medication(self, patient: Resource, entries: Sequence[Medication]) -> list[Resource]:
        if not self.sandbox.kind.offers("MedicationRequest", "r"):
            return []
        return [
            {
                "resourceType": "MedicationRequest",
                "id": _name(patient, "medication", entry.name),
                "status": "active",
                "intent": "order",
                "medicationCodeableConcept": {"text": entry.name},
                "subject": patient,
                "authoredOn": _instant(self.moment(entry.days_ago)),
                **({"dosageInstruction": [{"text": entry.dosage}]} if entry.dosage else {}),
            }
            for entry in entries
        ]

    def plan(self, patient: Resource, person: PersonFile) -> None:
        """Add the plan and the living forms, which it names: the first thing in a form begins a plan too."""
        who, forms = PersonRef(patient["reference"], patient["display"]), person.living
        entry = person.plan or PlanEntry(max(form.days_ago for form in forms.values()))
        plan = Plan(
            id=f"urn:uuid:{_name(patient, 'plan')}",
            texts={code: (texts,) if isinstance(texts, str) else texts for code, texts in entry.texts.items()},
            domains=tuple(_domain(domain) for domain in entry.domain),
            goals=tuple(self.goal(patient, number, goal) for number, goal in enumerate(entry.goal)),
            created=_instant(self.moment(entry.days_ago)),
        )
        # A plan is stored whole, at the moment of its last change.
        changed = [goal.progress_days_ago for goal in entry.goal if goal.progress_days_ago is not None]
        made = resources_of(plan, patient=who, author=who, known=catalogue())
        names = {goal.id.removeprefix("urn:uuid:"): goal.text for goal in plan.goals}
        for form_id, written in forms.items():
            form = self.living(patient, form_id, written, names, f"people/{person.id}.toml")
            made = [linked(one, *form) if one["resourceType"] == "CarePlan" else one for one in made]
        self.once(self.moment(min([entry.days_ago, *changed])), made)

    def living(
        self, patient: Resource, form_id: str, entry: LivingEntry, goals: Mapping[str, str], where: str
    ) -> tuple[Instrument, str]:
        """Add what a person wrote in a living form; return the form, and the name of its response."""
        form, place = catalogue().living.get(form_id), f"{where}: living.{form_id}"
        if form is None:
            raise SeedError(f"{place}: there is no such living form; those are {', '.join(catalogue().living)}")

        def key(group: str, number: int) -> str:
            return _name(patient, "living", form_id, group, number)

        content = FormReader(form, goals, self.day, key, place).content(entry)
        who, moment = PersonRef(patient["reference"], patient["display"]), self.moment(entry.days_ago)
        written = Written(who, self.typist(entry, who, place), _instant(moment))
        name = form_identifier(self.issuer, patient["reference"], form)
        made = response_of_form(content, written, identifier=name)
        token = f"{RESPONSE_SYSTEM}|{name}"
        self.write(moment, [Write.once(made, identifier=token, full_url=f"urn:uuid:{name}", living=True)])
        return form, name

    def typist(self, entry: LivingEntry, client: PersonRef, place: str) -> PersonRef:
        """Return who typed in a living form."""
        if not entry.typed_by:
            return client
        if entry.typed_by not in practitioners():
            known = ", ".join(practitioners())
            raise SeedError(f"{place}: typed_by is {entry.typed_by!r}; the professionals are {known}")
        found = _reference("Practitioner", practitioners()[entry.typed_by])
        return PersonRef(found["reference"], found["display"])

    def goal(self, patient: Resource, number: int, entry: GoalEntry) -> Goal:
        return Goal(
            id=f"urn:uuid:{_name(patient, 'goal', number)}",
            text=entry.text,
            domain=entry.domain,
            start=self.day(entry.start_days_ago),
            due=None if entry.due_in_days is None else self.day(-entry.due_in_days),
            progress=entry.progress,
            progress_date="" if entry.progress_days_ago is None else self.day(entry.progress_days_ago),
            remarks=tuple(Remark(one.text, _instant(self.moment(one.days_ago))) for one in entry.remark),
            active=entry.active,
            steps=tuple(
                Step(
                    id=f"urn:uuid:{_name(patient, 'step', number, place)}",
                    text=step.text,
                    status=step.status,
                    who=step.who,
                )
                for place, step in enumerate(entry.step)
            ),
        )

    def once(self, moment: datetime, resources: Sequence[Resource]) -> None:
        """Write resources in a way that changes nothing when it is repeated: each has an identifier of ours."""
        writes = []
        for resource in resources:
            identifier = next(
                one for one in resource["identifier"] if one["system"].startswith(identifier_system("").rstrip("/"))
            )
            writes.append(
                Write.once(
                    resource,
                    identifier=f"{identifier['system']}|{identifier['value']}",
                    # By this the parts of a plan refer to each other.
                    full_url=f"urn:uuid:{identifier['value']}",
                )
            )
        self.write(moment, writes)

    def day(self, days_ago: float) -> str:
        return (self.now - timedelta(days=days_ago)).date().isoformat()


def _domain(entry: DomainEntry) -> DomainAnswers:
    return DomainAnswers(domain=entry.code, now=entry.now, change=entry.change, how=entry.how, support=entry.support)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _name(patient: Resource, *parts: object) -> str:
    return str(uuid.uuid5(_NAMESPACE, "|".join(map(str, (patient["reference"], *parts)))))


def _full_name(person: Named) -> str:
    return " ".join([*person.given, person.whole_family])


def _human_name(person: Named) -> list[Resource]:
    """Return a name as nl-core has it: each first name marked as one, and the family name by its parts too."""
    parts = ((OWN_PREFIX, person.prefix), (OWN_NAME, person.family), (PARTNER_NAME, person.partner))
    name: Resource = {
        "use": "official",
        "text": _full_name(person),
        "family": person.whole_family,
        "_family": {"extension": [{"url": url, "valueString": text} for url, text in parts if text]},
        "given": list(person.given),
        "_given": [{"extension": [{"url": QUALIFIER, "valueCode": "BR"}]} for _ in person.given],
    }
    # Only where there is another name that they could go by does the record have to say which.
    return [{"extension": [{"url": ASSEMBLY_ORDER, "valueCode": "NL1"}], **name} if person.partner else name]


def _identifier(person: Named) -> list[Resource]:
    # Made-up people have a made-up number of this sandbox; there are no numbers of citizens or of care here.
    return [{"system": identifier_system("sandbox-person"), "value": f"oefen-{person.id}"}]


def _reference(type_: str, person: Named) -> Resource:
    return {"reference": f"{type_}/{person.id}", "display": _full_name(person)}


def _patient(person: PersonFile) -> Resource:
    return {
        "resourceType": "Patient",
        "id": person.id,
        "identifier": _identifier(person),
        "active": True,
        "name": _human_name(person),
        "gender": person.gender,
        "birthDate": person.birth_date,
        # No language is said: nl-core and R4 want codes of two lists, and who knows one of them refuses the other.
        "generalPractitioner": [_reference("Practitioner", practitioners()[person.clinician])],
    }


def _practitioner(person: Practitioner) -> Resource:
    return {
        "resourceType": "Practitioner",
        "id": person.id,
        "identifier": _identifier(person),
        "active": True,
        "name": _human_name(person),
        "qualification": [{"code": {"text": person.occupation}}],
    }


def _works_as(person: Practitioner) -> Resource:
    return {
        "resourceType": "PractitionerRole",
        "id": person.id,
        "active": True,
        "practitioner": _reference("Practitioner", person),
        "code": [_role(person.role, person.occupation)],
    }


def _related(person: Related, patient: Resource) -> Resource:
    return {
        "resourceType": "RelatedPerson",
        "id": person.id,
        "active": True,
        "patient": patient,
        "relationship": [_role(person.role, person.relationship)],
        "name": _human_name(person),
    }


def _care_team(person: PersonFile, patient: Resource) -> Resource:
    # The client is a member like the others: a plan is made together.
    professionals = [practitioners()[id_] for id_ in person.team]
    members = [
        _member("client", "Cliënt", patient),
        *(_member(one.role, one.relationship, _reference("RelatedPerson", one)) for one in person.related),
        *(
            _member(person.roles.get(one.id, one.role), one.occupation, _reference("Practitioner", one))
            for one in professionals
        ),
    ]
    team: Resource = {
        "resourceType": "CareTeam",
        "id": f"team-{person.id}",
        "meta": {"profile": [structure_url("recovery-care-team")]},
        "status": "active",
        "name": f"De mensen om {person.given[0]} heen",
        "subject": patient,
        "participant": members,
    }
    if person.family_team:
        family = {"system": code_system_url("plan"), "code": "family-team", "display": "Family team"}
        team["category"] = [{"coding": [family], "text": "Gezinsteam"}]
    return team


def _member(role: str, text: str, member: Resource) -> Resource:
    return {"role": [_role(role, text)], "member": member}


def _role(role: str, text: str) -> Resource:
    displays = {
        "client": "Client",
        "loved-one": "Loved one",
        "representative": "Legal representative",
        "clinician": "Regular clinician",
        "responsible": "Responsible clinician",
        "case-manager": "Case manager",
        "peer-worker": "Peer worker",
    }
    return {
        "coding": [{"system": code_system_url("care-team-role"), "code": role, "display": displays[role]}],
        "text": text,
    }
