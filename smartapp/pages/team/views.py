"""What the page of a team shows, to clients and staff alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mappers.small_cells import FEWEST
from mappers.team import Action, AuditRound, PanelReport, RoundMarks, TeamScore, ToldBack
from mappers.team.marks import FORM as MARKS
from mappers.tolerant import object_in, text_in
from questionnaires.catalogue import catalogue
from questionnaires.model import ScoreRule
from smartapp.pages.team.drafting import Unfinished
from smartapp.pages.team.found import Known, given_of, open_round, teams_here
from smartapp.pages.team.kinds import STATES
from smartapp.settings import TeamHere
from smartapp.storage.team_marks import KeptRound
from smartapp.web import current
from smartapp.web.language import format_date, format_datetime, format_number, ngettext, text_of
from smartapp.web.language import gettext as _

OPEN_FIRST: Final = {"doing": 0, "planned": 1, "done": 2, "dropped": 3}


@dataclass(frozen=True, slots=True)
class ActionView:
    """An action as people read it."""

    id: str
    what: str
    who: str
    by_when: str
    state: str
    outcome: str
    over: bool


@dataclass(frozen=True, slots=True)
class MarkRow:
    """The mark for a theme in one round; `mean` is "" where too few people gave one."""

    round: str
    mean: str
    people: str


@dataclass(frozen=True, slots=True)
class ThemeView:
    """A theme over time, the newest round first, with what was written in the newest round that has words."""

    title: str
    rows: tuple[MarkRow, ...]
    of_round: str = ""
    why: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PanelView:
    """The report of a panel."""

    id: str
    day: str
    who: tuple[str, ...]
    said: tuple[tuple[str, str], ...]
    done_with_it: str
    told_back: str


@dataclass(frozen=True, slots=True)
class DimensionRow:
    """One dimension of the ROPI as each scored it, "–" where there is no number."""

    title: str
    first: str
    second: str
    agreed: str


@dataclass(frozen=True, slots=True)
class AuditView:
    """The ROPI of a year; `agreed`: there is an agreement, without which the dimensions have no outcome."""

    year: int
    setting: str
    information: str
    agreed: bool
    rows: tuple[DimensionRow, ...]


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A score of a team's clients in a year; `mean` is "" where it is left out."""

    year: int
    mean: str
    spread: str
    people: str


@dataclass(frozen=True, slots=True)
class ScoreView:
    """A score over the years, the newest first."""

    title: str
    range: str
    rows: tuple[ScoreRow, ...]


@dataclass(frozen=True, slots=True)
class TeamPage:
    """All that the page of one team shows."""

    team: TeamHere
    round: KeptRound | None
    rounds_over: bool
    told: tuple[ToldBack, ...]
    actions: tuple[ActionView, ...]
    themes: tuple[ThemeView, ...]
    panels: tuple[PanelView, ...]
    audits: tuple[AuditView, ...]
    scores: tuple[ScoreView, ...]
    changed: Mapping[str, str] = field(default_factory=dict)
    """When a message or the report of a panel was changed last, by its id; only of those that were changed."""
    several: bool = False
    """There are other teams here."""

    @property
    def nothing(self) -> bool:
        """Tell whether nothing is known of the team yet."""
        return not (self.told or self.actions or self.rounds_over or self.panels or self.audits or self.scores)


def page_of(team: TeamHere, known: Known) -> TeamPage:
    """Return the page of a team."""
    rounds: Sequence[RoundMarks] = known.mirrors[0].marks
    return TeamPage(
        team=team,
        round=open_round(team),
        rounds_over=bool(rounds),
        told=tuple(sorted(known.all("told"), key=lambda one: (one.day, one.id), reverse=True)),
        actions=tuple(sorted(map(_action, known.all("actions")), key=lambda one: one.over)),
        themes=tuple(_themes(rounds)),
        panels=tuple(map(_panel, sorted(known.all("panels"), key=lambda one: one.day, reverse=True))),
        audits=tuple(map(_audit, sorted(known.all("audits"), key=lambda one: one.year, reverse=True))),
        scores=tuple(_scores(known.all("scores"))),
        changed=dict(_changed(known.resources)),
        several=len(teams_here()) > 1,
    )


def _changed(resources: Iterable[Any]) -> Iterable[tuple[str, str]]:
    for one in resources:
        meta = object_in(one, "meta")
        if text_in(meta, "versionId") not in ("", "1"):
            yield text_in(one, "id"), format_datetime(text_in(meta, "lastUpdated"))


def _action(one: Action) -> ActionView:
    return ActionView(
        id=one.id,
        what=one.what,
        who=one.who,
        by_when=format_date(one.by_when),
        state=_(STATES[one.state]),
        outcome=one.outcome,
        over=one.state in ("done", "dropped"),
    )


def round_name(start: dt.date, end: dt.date, name: str) -> str:
    """Return what a round is called: its name, and from when to when it was."""
    days = _("%(first)s to %(last)s", first=format_date(start), last=format_date(end))
    return f"{name} ({days})" if name else days


def _themes(rounds: Sequence[RoundMarks]) -> Iterable[ThemeView]:
    newest = list(reversed(rounds))
    ids = {theme.id: theme for one in rounds for theme in one.themes}
    for id_, last in ids.items():
        found = [(one.round, theme) for one in newest for theme in one.themes if theme.id == id_]
        written = next(((round_, theme) for round_, theme in found if theme.why or theme.more), None)
        rows = tuple(
            MarkRow(
                round_name(round_.start, round_.end, round_.name),
                format_number(theme.mean, 1, fixed=True) if theme.mean is not None else "",
                people(theme.people) if theme.people is not None else too_few(),
            )
            for round_, theme in found
        )
        if written:
            round_, theme = written
            of_round = round_name(round_.start, round_.end, round_.name)
            yield ThemeView(text_of(last.theme), rows, of_round, theme.why, theme.more)
        else:
            yield ThemeView(text_of(last.theme), rows)


def people(number: int) -> str:
    """Return how many people something is of."""
    return ngettext("%(num)s person", "%(num)s people", number)


def too_few() -> str:
    """Return why there is no number."""
    return _("fewer than %(fewest)s people", fewest=FEWEST)


def _panel(one: PanelReport) -> PanelView:
    who = [
        ngettext("%(num)s client", "%(num)s clients", one.clients) if one.clients is not None else "",
        ngettext("%(num)s peer worker", "%(num)s peer workers", one.peer_workers)
        if one.peer_workers is not None
        else "",
    ]
    more = [
        _("How people were found: %(how)s.", how=text_of(one.recruited)) if one.recruited else "",
        one.recruited_how,
        _("Like all clients of the team: %(answer)s.", answer=text_of(one.representative))
        if one.representative
        else "",
        _("Who was not there: %(absent)s", absent=one.absent) if one.absent else "",
    ]
    there = ", ".join(filter(None, who))
    return PanelView(
        id=one.id,
        day=format_date(one.day),
        who=tuple(filter(None, (_("There were: %(who)s.", who=there) if there else "", *more))),
        said=tuple((text_of(each.topic), each.words) for each in one.said),
        done_with_it=one.done_with_it,
        told_back=one.told_back,
    )


def _audit(one: AuditRound) -> AuditView:
    return AuditView(
        year=one.year,
        setting=text_of(one.setting),
        information=one.information,
        agreed="agreed" in one.there,
        rows=tuple(
            DimensionRow(text_of(each.rule.title), number(each.first), number(each.second), number(each.agreed))
            for each in one.dimensions
        ),
    )


def number(value: float | None) -> str:
    """Return a mean as people read it, a dash where there is none."""
    return "–" if value is None else format_number(value, 1, fixed=True)


def _scores(found: Iterable[TeamScore]) -> Iterable[ScoreView]:
    rules: dict[str, ScoreRule] = {rule.code: rule for one in catalogue().scored.values() for rule in one.scores}
    by_score: dict[tuple[str, str], list[TeamScore]] = {}
    for one in found:
        by_score.setdefault((one.code, one.rule_version), []).append(one)
    for (code, _version), years in by_score.items():
        rule = rules.get(code)
        if rule is None:
            continue
        yield ScoreView(
            text_of(rule.title),
            _("from %(low)s to %(high)s", low=format_number(rule.low), high=format_number(rule.high)),
            tuple(_score(one) for one in sorted(years, key=lambda one: one.year, reverse=True)),
        )


def _score(one: TeamScore) -> ScoreRow:
    figure = one.figure
    if figure.people is None or figure.mean is None or figure.spread is None:
        return ScoreRow(one.year, "", "", _("left out: too few people, or it would follow from others"))
    return ScoreRow(one.year, format_number(figure.mean, 2), format_number(figure.spread, 2), people(figure.people))


@dataclass(frozen=True, slots=True)
class TeamLine:
    """A team in the list of teams; `until` is the last day on which marks can be given now, "" for none.

    `gave`: the client of this launch gave marks in this round; `begun`: they typed others, and did not give those yet.
    """

    id: str
    name: str
    until: str
    gave: bool = False
    begun: bool = False


def lines() -> tuple[TeamLine, ...]:
    """Return the teams of this place, in the order of their names."""
    return tuple(line(one) for one in teams_here())


def line(team: TeamHere) -> TeamLine:
    """Return a team of this place, with how far the client of this launch is."""
    now = open_round(team)
    if now is None:
        return TeamLine(team.id, team.name, "")
    until = format_date(now.round.end)
    if current.launch().user.role != "client":
        return TeamLine(team.id, team.name, until)
    given, typed = given_of(now), Unfinished(team, MARKS).kept()
    begun = typed is not None and typed.values != (given.answers if given else {})
    return TeamLine(team.id, team.name, until, gave=given is not None, begun=begun)
