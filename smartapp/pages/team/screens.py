"""A page with a form about a team: shown, taken, or sent back with the reason and with every word that was typed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smartapp.pages.team import asking, keeping
from smartapp.pages.team.asking import KEY, VERSION, Section
from smartapp.pages.team.drafting import Unfinished
from smartapp.pages.team.keeping import Clash, Kept, Kind, TakenAway, Values
from smartapp.pages.team.kinds import as_kept
from smartapp.settings import TeamHere
from smartapp.web.language import gettext as _

NEW: Final = "new"
"""Where an address names what is written, this stands for what is not there yet."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The fields of a form of a team."""

    team: TeamHere
    sections: tuple[Section, ...]

    @property
    def summary(self) -> tuple[dict[str, str], ...]:
        """Return what has to be put right."""
        return asking.summary(self.sections)


@dataclass(frozen=True, slots=True)
class Shown(Screen):
    """A form with what it is called; of a clash, what `stands` there now, by the name of each field that differs.

    `beside` goes along unseen, `earlier` is what became of it until now (when, and what), `draft`: it opens with what
    was typed before and not saved, `taken_away`: what it was about is there no more.
    """

    title: str
    lead: str
    address: str
    beside: Mapping[str, str]
    clash: bool = False
    stands: Mapping[str, str] = field(default_factory=dict)
    earlier: tuple[tuple[str, str], ...] = ()
    draft: bool = False
    taken_away: bool = False
    removable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FormScreen:
    """One thing about a team that is written: its `id`, or NEW; `name` is what its identifier begins with.

    `opens` stands in a new one, `needed` and `wrong` say what has to be put right, `address` is where the form of an id
    is. There may be many of its name, or but the one that an `identifier` names.
    """

    team: TeamHere
    kind: Kind
    id: str
    name: str
    title: str
    lead: str
    asked: tuple[Section, ...]
    needed: Mapping[str, str] = field(default_factory=dict)
    wrong: Callable[[tuple[Section, ...], Values], dict[str, str]] | None = None
    opens: Values = field(default_factory=dict)
    earlier: Callable[[str], tuple[tuple[str, str], ...]] | None = None
    address: Callable[[str], str]
    identifier: str = ""
    removable: bool = False

    def answered(self) -> ResponseReturnValue:
        """Answer the request: the form, or what became of what was sent."""
        draft = Unfinished(self.team, f"{self.name}/{self.id}")
        kept = None if self.id == NEW else keeping.find(self.kind, self.id)
        there = kept.values if kept else self.opens
        if (answer := draft.answered(self.asked, there)) is not None:
            return answer
        if kept is None and self.id != NEW:
            return self._taken_away(draft) if keeping.was_there(self.kind, self.id) else abort(404)
        if request.method == "GET":
            typed = draft.kept()
            if typed is None or typed.values == there:
                return self._page(there, {VERSION: kept.version} if kept else {KEY: _key()})
            return self._page(typed.values, typed.beside, draft=True)
        if kept is not None and self.removable and "remove" in request.form:
            return self._removed(kept, draft)
        return self._taken(kept, draft)

    def _taken(self, kept: Kept | None, draft: Unfinished) -> ResponseReturnValue:
        values = as_kept(self.asked, asking.posted(self.asked))
        beside = {name: request.form[name] for name in (KEY, VERSION) if name in request.form}
        problems = self.wrong(self.asked, values) if self.wrong else asking.problems(self.asked, values, self.needed)
        if problems:
            draft.keep(values)
            return self._page(values, beside, problems=problems), 422
        try:
            if kept is None:
                keeping.make(self.kind, values, self.identifier or f"{self.name}/{_key()}")
            else:
                keeping.change(self.kind, kept.id, values, request.form.get(VERSION, ""))
        except Clash as clash:
            draft.keep(values)
            # What one of two left open is no answer of theirs: saved again it would wipe out what the other wrote.
            both = {**clash.kept.values, **values}
            return self._page(both, {VERSION: clash.kept.version}, clash=clash.kept), 409
        except TakenAway:
            return self._taken_away(draft)
        draft.forget()
        return redirect(url_for("team.mirror", team_id=self.team.id, said="saved", _anchor=self.name), 303)

    def _removed(self, kept: Kept, draft: Unfinished) -> ResponseReturnValue:
        try:
            keeping.remove(self.kind, kept.id, request.form.get(VERSION, ""))
        except Clash as clash:  # who takes it away has not read what stands there now
            return self._page(clash.kept.values, {VERSION: clash.kept.version}, clash=clash.kept), 409
        except TakenAway:
            pass
        draft.forget()
        return redirect(url_for("team.mirror", team_id=self.team.id, said="removed"), 303)

    def _taken_away(self, draft: Unfinished) -> ResponseReturnValue:
        """Give the words back to who was writing in what somebody took away: saved now, they make a new one."""
        if request.method == "POST":
            typed = as_kept(self.asked, asking.posted(self.asked))
            if self.removable and "remove" in request.form:
                return redirect(url_for("team.mirror", team_id=self.team.id, said="removed"), 303)
        else:
            before = draft.kept()
            typed = dict(before.values) if before else {}
        if not typed:
            abort(404)
        draft.keep(typed)
        anew = replace(self, id=NEW, earlier=None)
        return anew._page(typed, {KEY: str(uuid.uuid4())}, taken_away=True), 409

    def _page(
        self,
        values: Values,
        beside: Mapping[str, str],
        *,
        problems: Mapping[str, str] | None = None,
        clash: Kept | None = None,
        draft: bool = False,
        taken_away: bool = False,
    ) -> str:
        id_ = clash.id if clash else self.id
        shown = Shown(
            team=self.team,
            sections=asking.filled(self.asked, values, problems),
            title=self.title,
            lead=self.lead,
            address=self.address(id_),
            beside=beside,
            clash=clash is not None,
            stands=self._stands(clash.values, values) if clash else {},
            earlier=self.earlier(id_) if self.earlier and id_ != NEW else (),
            draft=draft,
            taken_away=taken_away,
            removable=self.removable and id_ != NEW,
        )
        return render_template("team/form.html", screen=shown)

    def _stands(self, there: Values, typed: Values) -> dict[str, str]:
        """Return what stands in each field that differs, as a person reads it."""
        fields = asking.fields_of(self.asked)
        return {
            one.name: one.shown(there.get(one.name, "")) or _("(empty)")
            for one in fields
            if there.get(one.name, "") != typed.get(one.name, "")
        }


def _key() -> str:
    """Return what makes what is sent the same however often: as the form says, else a new one."""
    try:
        return str(uuid.UUID(request.form.get(KEY, "")))
    except ValueError:
        return str(uuid.uuid4())
