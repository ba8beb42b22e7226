"""One living form that asks to be looked at again, said kindly on the start page; *not now* keeps it away for a while.

That somebody does not want to be asked is theirs alone: it is kept beside their unsaved words, and is in no record.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from flask import abort, redirect
from flask.typing import ResponseReturnValue

from questionnaires.catalogue import catalogue
from smartapp.web import current, forms
from smartapp.web.components.frame import record_address
from smartapp.web.living import StoredForm
from smartapp.web.living_views import FormView, form_view
from smartapp.web.roles import role

QUIET: Final = dt.timedelta(days=30)
"""How long a form is not named here after *not now*."""
_UNTIL: Final = "until"


def invitation(living: Mapping[str, StoredForm]) -> FormView | None:
    """Return the first living form that asks to be looked at and may be named, None where there is none."""
    today = current.now().date()
    asking = (view for one in living.values() if (view := form_view(one, today)).asks)
    return next((view for view in asking if not _is_quiet(view.form.id, today)), None)


@role("client")
def not_now(form_id: str) -> ResponseReturnValue:
    """Do not name a form on the start page for a while."""
    if form_id not in catalogue().living:
        abort(404)
    until = (current.now().date() + QUIET).isoformat()
    forms.sketches().change(_name(form_id), lambda _before: {_UNTIL: until})
    return redirect(record_address(), 303)


def _is_quiet(form_id: str, today: dt.date) -> bool:
    kept = forms.sketches().get(_name(form_id))
    return kept is not None and str(kept.resource.get(_UNTIL, "")) > today.isoformat()


def _name(form_id: str) -> str:
    return forms.sketch_name(f"not now/{form_id}")
