"""The living forms of this launch: loading them, and saving a change of one so that nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from mappers.living import Content, Written
from mappers.living.linking import linked
from mappers.plan import PersonRef
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument
from smartapp.fhir.store import Conflict, Write
from smartapp.pages.plan import stored as plan_stored
from smartapp.pages.plan.service import ON_ITS_WAY, load
from smartapp.pages.plan.stored import StoredPlan
from smartapp.records import Record
from smartapp.web import current, forms, with_client
from smartapp.web.forms import Saved, Trouble
from smartapp.web.language import gettext as _
from smartapp.web.language import language
from smartapp.web.living import StoredForm, says, write_of
from smartapp.web.typed import Accepted, Clash, Wrong


@dataclass(frozen=True, slots=True)
class Opened:
    """One form, with the plan that it belongs to."""

    stored: StoredForm
    plan: StoredPlan

    @property
    def content(self) -> Content:
        """Return what is written in it, which names the goals of the plan as they are called now."""
        return self.plan.content_of(self.stored.form.id)


def open_form(form: Instrument) -> Opened:
    """Return a form of the person this launch is about."""
    plan = load()
    return Opened(plan.forms[form.id], plan)


def change(
    edit: Callable[[Opened], Accepted[Content] | Wrong | Clash], first: Opened
) -> Saved | Wrong | Clash | Trouble:
    """Apply an edit to a form as it is stored now (`first`), and save it; see `forms.merged`."""
    return forms.merged(edit, first, again=lambda: open_form(first.stored.form), write=_save)


def save_all(changed: Mapping[str, Content], plan: StoredPlan) -> Saved | Trouble:
    """Save several forms as one unit. Raises Conflict if someone else wrote in between."""
    if any(plan.forms[form].on_its_way for form in changed):
        return Trouble(_(ON_ITS_WAY), 409)
    contents = [(plan.forms[form], content) for form, content in changed.items()]
    found = [(content, write) for before, content in contents if (write := write_of(before, content, _written()))]
    if not found:
        return Saved(arrived=True)
    unit = [write for _content, write in found]
    link = _link(plan, [before for before, content in contents])
    records = current.records().save([*unit, *([link] if link else [])])
    for (content, write), record in zip(found, records, strict=False):
        if write.method == "create" and record.state == "stored" and not says(record, content):
            raise Conflict("What this form makes was made a moment before, with other words.", None)
    return Saved(arrived=all(one.state == "stored" for one in records))


def _save(before: Opened, after: Content) -> Saved | Trouble:
    return save_all({before.stored.form.id: after}, before.plan)


def _written() -> Written:
    launch = current.launch()
    return Written(
        client=PersonRef(launch.patient.reference, launch.patient.display),
        author=with_client.author(),
        when=current.now().isoformat(),
        language=language(),
    )


def _link(plan: StoredPlan, forms: list[StoredForm]) -> Write | None:
    """Return the write that lets the plan name these forms; None where it does, or where it is still on its way.

    Then it is named at the next save: the words are in the response, and that is found without the plan.
    """
    if plan.on_its_way:
        return None
    found = next((one for one in plan.records if one.resource["resourceType"] == "CarePlan"), None)
    if found is not None:
        return _named(found, forms)
    client, who = current.launch().patient, with_client.author()
    person = PersonRef(client.reference, client.display)
    [write] = plan_stored.writes(plan, plan.plan, known=catalogue(), patient=person, author=who, language=language())
    resource = write.resource
    for one in forms:
        resource = linked(resource, one.form, one.identifier, language=language())
    return replace(write, resource=resource)


def _named(care_plan: Record, forms: list[StoredForm]) -> Write | None:
    resource = care_plan.resource
    for one in forms:
        resource = linked(resource, one.form, one.identifier, language=language())
    return None if resource == care_plan.resource else Write("update", resource, if_match=care_plan.etag)
