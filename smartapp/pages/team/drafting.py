"""What is typed in a form of a team and not sent yet: kept for its writer alone, while they type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flask import redirect, request
from flask.typing import ResponseReturnValue

from smartapp.pages.team import asking
from smartapp.pages.team.asking import KEY, VERSION, Section
from smartapp.settings import TeamHere
from smartapp.storage.drafts import Drafts
from smartapp.web import current, forms


@dataclass(frozen=True, slots=True)
class Typed:
    """Values by the name of a field, and what the form says beside them: its key, or the version that it changes."""

    values: Mapping[str, str]
    beside: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What somebody typed in one form of a team, by the `name` of that form."""

    team: TeamHere
    name: str

    def answered(self, asked: Iterable[Section], stands: Mapping[str, str]) -> ResponseReturnValue | None:
        """Answer the script that keeps what is typed, and the button that throws it away; None for all else.

        What stands already is not kept beside it: of marks it would be a copy that says whose they are.
        """
        if request.method != "POST":
            return None
        if request.form.get("sketch") == "discard":
            self.forget()
            return redirect(request.script_root + request.path, 303)
        if forms.is_autosave():
            fields = tuple(asked)
            if (values := asking.posted(fields)) == stands:
                self.forget()
            else:
                self.keep(values)
            return forms.kept([one.name for one in asking.fields_of(fields)], request.form)
        return None

    def kept(self) -> Typed | None:
        """Return what is kept of it, None where nothing is."""
        draft = self._drafts().get(self._name())
        return Typed(draft.resource["values"], draft.resource["beside"]) if draft else None

    def keep(self, values: Mapping[str, str]) -> None:
        """Keep what was typed, with what the form of this request says beside it."""
        beside = {name: request.form[name] for name in (KEY, VERSION) if name in request.form}
        self._drafts().change(self._name(), lambda _before: {"values": dict(values), "beside": beside})

    def forget(self) -> None:
        """Forget what was typed."""
        self._drafts().delete(self._name())

    def _drafts(self) -> Drafts:
        here, services = current.launch(), current.services()
        if here.user.role == "client":  # theirs goes with all else of them, should they leave
            return services.sketches(here)
        return services.drafts_of(here.issuer_key, f"team/{self.team.id}", f"{here.user.key} team")

    def _name(self) -> str:
        return forms.sketch_name(f"team/{self.team.id}/{self.name}")
