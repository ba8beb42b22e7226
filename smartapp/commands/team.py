"""`verstel team`: figures about teams, of enough people only."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import orjson

from mappers.bulk import Refusal
from mappers.small_cells import FEWEST
from mappers.team import Figure, YearFigures, score_report, yearly
from questionnaires.catalogue import Catalogue, catalogue
from questionnaires.model import ScoreRule
from smartapp.populations.reading import STDIN, Source, Unfinished, exported
from smartapp.populations.teams import Scores, Teams, read_teams

if TYPE_CHECKING:
    from questionnaires.fhir import Resource

_EPILOG: Final = """\b
Examples:
  verstel team report export-folder/ --teams Patient.ndjson > reports.ndjson
  verstel team report --format table responses.ndjson.gz --teams Patient.ndjson --teams Organization.ndjson
  verstel team report export-folder/ --teams Patient.ndjson --keep --issuer north

Exit code 0: all was read. 1: some input was refused. 2: wrong usage.
"""


@click.group()
def command() -> None:
    """Give figures about teams, each of enough people.

    \b
    Example:
      verstel team report export-folder/ --teams Patient.ndjson
    """  # noqa: D301


@command.command(epilog=_EPILOG)
@click.argument("files", nargs=-1, required=True, metavar="FILE…|-", type=click.Path(exists=True, allow_dash=True))
@click.option(
    "--teams",
    "of_teams",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False),
    help="Who belongs to which team: Patients with a managingOrganization, Groups or CareTeams, as NDJSON (also .gz). "
    "Organizations in it give the teams their names. May be given more than once.",
)
@click.option(
    "--score",
    "code",
    default="nel-professional-help",
    show_default=True,
    metavar="CODE",
    help="The score, by its code: what the NEL says of the care on offer, or any other.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["ndjson", "table"]),
    default="ndjson",
    show_default=True,
    help="FHIR MeasureReports for machines, or a table for people.",
)
@click.option(
    "--this-year",
    is_flag=True,
    help="Also report the year that is not over. Of two reports of it, the one before and the one after one more "
    "answer, that answer can be computed; so give nobody both.",
)
@click.option(
    "--keep",
    is_flag=True,
    help="Put the reports of the teams into our own store, each once; the page of a team shows them (issuer.teams).",
)
@click.option("--issuer", metavar="KEY", help="With --keep: the key of the issuer whose teams these are.")
def report(
    files: tuple[str, ...],
    of_teams: tuple[str, ...],
    code: str,
    form: str,
    *,
    this_year: bool,
    keep: bool,
    issuer: str | None,
) -> None:
    """Give the mean and spread of one score per team and year.

    Each FILE is what `verstel score` takes. Of each person the newest score of a year counts. A team of fewer than six
    people is not shown, nor a second one where the first would follow from all teams together.
    """
    if keep is not (issuer is not None):
        raise click.UsageError("--keep and --issuer go together.")
    known = catalogue()
    rule = _rule(code, known)
    refused = Refused()
    teams = read_teams(map(Source, of_teams), refused)
    if not teams.members:
        raise click.UsageError(
            f"No file of --teams says of anybody which team is theirs: {', '.join(of_teams)}. "
            "Give Patients with a managingOrganization, Groups with members, or CareTeams."
        )
    scores = Scores(rule, teams)
    now = dt.datetime.now(dt.UTC)
    sources = sources_of(files)
    with _progress(sources) as taken:
        years = yearly(scores.read(sources, known, refused, taken))
    reported = [one for one in years if this_year or one.year < now.year]
    if len(reported) < len(years):
        click.echo(f"{now.year} is not over, and left out; --this-year has it.", err=True)
    if scores.outside:
        click.echo(f"{len(scores.outside)} people with this score are in no team of --teams, and left out.", err=True)
    if form == "table":
        _table(rule, reported, teams)
    else:
        _write(_reports(rule, reported, teams, now))
    if issuer is not None:
        _keep(issuer, [one for one in _reports(rule, reported, teams, now) if "subject" in one])
    sys.exit(1 if refused.count else 0)


def _rule(code: str, known: Catalogue) -> ScoreRule:
    rules = {rule.code: rule for one in known.scored.values() for rule in one.scores}
    if code not in rules:
        raise click.UsageError(f"There is no score {code!r}. Choose one of: {', '.join(rules)}.")
    return rules[code]


def sources_of(names: Sequence[str]) -> list[Source]:
    """Return the files that these names mean, those of a bulk export for a folder."""
    found: list[Source] = []
    for name in names:
        if name != STDIN and Path(name).is_dir():
            try:
                inside = exported(Path(name))
            except Unfinished as error:
                raise click.UsageError(str(error)) from error
            if not inside:
                raise click.UsageError(f"{name}: no file called *QuestionnaireResponse*.ndjson in this folder.")
            found += inside
        else:
            found.append(Source(name))
    return found


@contextmanager
def _progress(sources: Sequence[Source]) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how much of the files has been read."""
    size = sum(one.size for one in sources)
    if not sys.stderr.isatty() or not size:
        yield lambda _taken: None
        return
    with click.progressbar(length=size, label="read", file=sys.stderr) as bar:
        yield bar.update


class Refused:
    """Says on standard error what was refused, and counts it."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, source: Source, refusal: Refusal) -> None:
        """Say that a line of a file was refused, and why."""
        self.count += 1
        click.echo(f"{source.shown}:{refusal.line}: {refusal}", err=True)


# ---- what comes out --------------------------------------------------------------------------------------------------


def _reports(rule: ScoreRule, years: Iterable[YearFigures], teams: Teams, now: dt.datetime) -> Iterable[Resource]:
    made = now.isoformat(timespec="seconds")
    for year in years:
        for reference, figure in year.teams.items():
            yield score_report(rule, teams.team(reference), year.year, figure, made=made)
        yield score_report(rule, None, year.year, year.together, made=made)


def _write(reports: Iterable[Resource]) -> None:
    for one in reports:
        click.echo(orjson.dumps(one))


def _table(rule: ScoreRule, years: Iterable[YearFigures], teams: Teams) -> None:
    click.echo(f"{rule.title.nl} ({rule.code}, rule {rule.version}, {rule.low:g} to {rule.high:g})")
    for year in years:
        click.echo(f"\n{year.year}")
        named = [(teams.team(reference).name, figure) for reference, figure in _by_name(year, teams)]
        for name, figure in [*named, ("all teams together", year.together)]:
            click.echo(f"  {name:<40} {_said(figure)}")


def _by_name(year: YearFigures, teams: Teams) -> Iterable[tuple[str, Figure]]:
    return sorted(year.teams.items(), key=lambda one: teams.team(one[0]).name.casefold())


def _said(figure: Figure) -> str:
    if figure.people is None or figure.mean is None or figure.spread is None:
        return f"–  (fewer than {FEWEST} people, or it would follow from the others)"
    return f"n {figure.people:>5}   mean {figure.mean:>6.2f}   sd {figure.spread:>5.2f}"


def _keep(issuer: str, reports: Sequence[Resource]) -> None:
    """Put reports into our own store of an issuer; one that is there already becomes what it is now."""
    from smartapp import create_app
    from smartapp.commands.erase import issuer_of
    from smartapp.commands.serve import opened_again, settings_from_environment
    from smartapp.fhir.store import Query, Write
    from smartapp.services import KEY

    settings = settings_from_environment()
    known = issuer_of(settings, issuer)
    engine = opened_again(settings)
    try:
        store = create_app(settings, engine=engine).extensions[KEY].own_store(known.base)
        for one in reports:
            name = one["identifier"][0]
            there = store.search(Query.of("MeasureReport", identifier=f"{name['system']}|{name['value']}"))
            if there:
                store.write(Write("update", {**one, "id": there[0].resource["id"]}, if_match=there[0].etag))
            else:
                store.write(Write("create", one, if_none_exist=f"identifier={name['system']}|{name['value']}"))
    finally:
        engine.dispose()
    click.echo(f"{len(reports)} reports are kept for {known.name}.", err=True)
