"""The living forms of this launch: loading them, and saving a change of one so that nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mappers.errors import PlanError
from mappers.living import Content, Written
from mappers.living.in_plan import with_forms
from mappers.living.linking import linked
from mappers.plan import PersonRef
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument
from smartapp.fhir.store import Conflict, Forbidden, Refused, Write
from smartapp.pages.plan import document
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


def save_all(changed: Mapping[str, Content], plan: StoredPlan, *, naming: bool = True) -> Saved | Trouble:
    """Save several forms as one unit, and let the plan name them (`naming`).

    Words do not depend on their being named: where the plan can't be changed, they are saved without. Raises Conflict
    if someone else wrote in between.
    """
    if any(plan.forms[form].on_its_way for form in changed):
        return Trouble(_(ON_ITS_WAY), 409)
    contents = [(plan.forms[form], content) for form, content in changed.items()]
    found = [(content, write) for before, content in contents if (write := write_of(before, content, _written()))]
    if not found:
        return Saved(arrived=True)
    unit = [write for _content, write in found]
    link = _link(plan, [before for before, content in contents]) if naming else None
    try:
        records = current.records().save([*unit, *([link] if link else [])])
    except (Refused, Forbidden):
        if link is None:
            raise
        return save_all(changed, load(), naming=False)
    for (content, write), record in zip(found, records, strict=False):
        if write.method == "create" and record.state == "stored" and not says(record, content):
            raise Conflict("What this form makes was made a moment before, with other words.", None)
    _keep_in_chart(plan, changed, records)
    return Saved(arrived=all(one.state == "stored" for one in records))


def _keep_in_chart(plan: StoredPlan, changed: Mapping[str, Content], records: Sequence[Record]) -> None:
    """Have the document of the plan made anew, where the chart has one and the plan shows these words."""
    known = catalogue()
    after = with_forms(plan.plan, known.plan_parts, changed, ())
    home = plan.place or next((one.place for one in records if one.resource["resourceType"] == "CarePlan"), None)
    if home is not None and after.texts != plan.plan.texts:
        document.keep_in_chart(plan, after, home, language())


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


def _link(plan: StoredPlan, forms: Sequence[StoredForm]) -> Write | None:
    """Return the write that lets the plan name these forms; None where it does, or where it is still on its way.

    Then it is named at the next save: the words are in the response, and that is found without the plan. What the plan
    had of a form itself goes out of it once the response has arrived, and no sooner.
    """
    if plan.on_its_way:
        return None
    client = PersonRef(current.launch().patient.reference, current.launch().patient.display)
    try:
        resources = plan_stored.resources(
            plan, plan.plan, known=catalogue(), patient=client, author=with_client.author(), language=language()
        )
    except PlanError:  # such as six areas of life, of which its owner has to choose five first
        return None
    made = resources[-1]
    for one in forms:
        made = linked(made, one.form, one.identifier)
    return plan_stored.write_of(plan, made)
