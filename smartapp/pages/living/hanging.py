"""A new row that is begun on the page of a goal or a life domain: it hangs on that, and saving it leads back there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import url_for

from questionnaires.catalogue import catalogue
from questionnaires.model import Group, Item
from smartapp.pages.living.earlier import typed_by_client
from smartapp.pages.living.service import Opened
from smartapp.web.about import Subject
from smartapp.web.editing import Form
from smartapp.web.fields import Link
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of


@dataclass(frozen=True, slots=True)
class Hook:
    """A goal or a life domain: its `name`, the item it is chosen in, and the ways to its page, also after a save."""

    name: str
    item: Item
    back: Link
    after: str

    def around(self, form: Form) -> Form:
        """Return the form of a new row, with this chosen in it, which leads back to it."""
        proposed = {**form.proposed, self.item.link_id: self.name}
        return replace(form, back=self.back, after=self.after, stays={"about": self.name}, proposed=proposed)


def hook(name: str, group: Group, opened: Opened) -> Hook | None:
    """Return what a new row of a group is to hang on, by its `name`; None where the plan or the group has none such.

    A row of a group that has one for each of them (`per`) hangs on nothing: it is about that alone.
    """
    if group.per:
        return None
    saved, items = opened.stored.form.id, typed_by_client(group)
    asks_goal = next((item for item in items if Subject("goal", ()).is_named_by(item)), None)
    goal = opened.plan.goal_named(name) if name in opened.content.goals else None
    if asks_goal and goal:
        back = Link(_("Back to this goal"), url_for("plan.goal", goal_id=goal.id))
        return Hook(name, asks_goal, back, url_for("plan.goal_by_key", key=name, saved=saved))
    asks_domain = next((item for item in items if Subject("domain", ()).is_named_by(item)), None)
    if asks_domain and any(one.domain == name for one in opened.plan.plan.domains):
        called = next((text_of(one.name) for one in catalogue().life_domains if one.code == name), name)
        back = Link(_("Back to “%(form)s”", form=called), url_for("plan.domain", code=name))
        return Hook(name, asks_domain, back, url_for("plan.domain", code=name, saved=saved))
    return None
