"""One living form that asks to be looked at again, said kindly on the start page, and what its owner answers.

*Not now* keeps the question away for a while, *it is still so* until it is time again. What somebody answers is theirs
alone: it is kept beside their unsaved words, and is in no record.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from questionnaires.catalogue import catalogue
from smartapp.storage.not_now import is_not_now, say_not_now, say_still_so
from smartapp.web import current, forms
from smartapp.web.components.frame import record_address
from smartapp.web.living import StoredForm
from smartapp.web.living_views import FormView, about_asking, form_view


def invitation(living: Mapping[str, StoredForm]) -> FormView | None:
    """Return the first living form that asks to be looked at and may be named, None where there is none."""
    today = current.now().date()
    asking = (view for one in living.values() if (view := form_view(one, today)).asks)
    return next((view for view in asking if not is_not_now(forms.sketches(), about_asking(view.form.id), today)), None)


def not_now(form_id: str) -> ResponseReturnValue:
    """Do not name a form on the start page for a while."""
    if form_id not in catalogue().living:
        abort(404)
    say_not_now(forms.sketches(), about_asking(form_id), current.now().date())
    return redirect(record_address(), 303)


def still_so(form_id: str) -> ResponseReturnValue:
    """Do not ask for a look until it is time again: its owner looked, and it is still so.

    It leads back to where it was pressed: the start page, or the form's own (`?form=1`).
    """
    form = catalogue().living.get(form_id)
    if form is None or form.living is None or form.living.review is None or form.living.review.yes is None:
        abort(404)
    say_still_so(forms.sketches(), about_asking(form_id), current.now().date())
    return redirect(url_for("living.form", form_id=form_id) if "form" in request.args else record_address(), 303)
