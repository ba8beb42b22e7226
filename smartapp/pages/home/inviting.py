"""One living form that asks to be looked at again, said kindly on the start page; *not now* keeps it away for a while.

That somebody does not want to be asked is theirs alone: it is kept beside their unsaved words, and is in no record.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import abort, redirect
from flask.typing import ResponseReturnValue

from questionnaires.catalogue import catalogue
from smartapp.storage.not_now import is_not_now, say_not_now
from smartapp.web import current, forms
from smartapp.web.components.frame import record_address
from smartapp.web.living import StoredForm
from smartapp.web.living_views import FormView, form_view
from smartapp.web.roles import role


def invitation(living: Mapping[str, StoredForm]) -> FormView | None:
    """Return the first living form that asks to be looked at and may be named, None where there is none."""
    today = current.now().date()
    asking = (view for one in living.values() if (view := form_view(one, today)).asks)
    return next((view for view in asking if not is_not_now(forms.sketches(), _name(view.form.id), today)), None)


@role("client")
def not_now(form_id: str) -> ResponseReturnValue:
    """Do not name a form on the start page for a while."""
    if form_id not in catalogue().living:
        abort(404)
    say_not_now(forms.sketches(), _name(form_id), current.now().date())
    return redirect(record_address(), 303)


def _name(form_id: str) -> str:
    return forms.sketch_name(f"not now/{form_id}")
