"""`verstel export`: what Verstel keeps, handed out: to the person, as their PGO asks for it, or for research."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mappers.bulk import Refusal
from mappers.small_cells import FEWEST
from questionnaires.catalogue import catalogue
from questionnaires.model import Language
from smartapp.commands import about_person, named
from smartapp.commands.serve import opened_again, settings_from_environment

if TYPE_CHECKING:
    from mappers.reuse import Purpose
    from smartapp.commands.team import Refused
    from smartapp.errors import NotTypeset
    from smartapp.populations.research import Gathered, Register
    from smartapp.populations.research_tables import Days
    from smartapp.populations.reuse import ReuseRegister
    from smartapp.settings import Issuer
    from smartapp.storage.launches import Person


@click.group(epilog="Example:  verstel export person --issuer north --patient 12345 --out anna.pdf")
def command() -> None:
    """Hand out what Verstel keeps of somebody.

    Uses the database and the keys of `verstel serve`: set the same environment variables.
    """


@command.command(epilog="Example:  verstel export person --issuer north --patient 12345 --out anna.pdf")
@about_person
@named(what_for="another place knows by it whose file it is")
@click.option("--language", type=click.Choice(["nl", "en"]), default="nl", show_default=True, help="Of the PDF.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="FILE.pdf, to read and with the FHIR inside, or FILE.json, the FHIR alone. It must not be there yet.",
)
def person(*, issuer: str, patient: str, name: str, born: str, language: Language, out: Path) -> None:
    """Write all of one person as one file, which they can take to another place with Verstel.

    There is no sign-in here, so what is at the EHR is not read: only what our own store has, and a companion server.
    Whoever has the file can read it. The person finds under who looked that it was made.

    Exit code 1: the file can't be made or written, or a server does not answer. 2: wrong usage.
    """
    from smartapp.errors import NotTypeset
    from smartapp.pages.take_along import by_operator
    from smartapp.web.language import kept_in

    if out.suffix not in (".pdf", ".json"):
        raise click.UsageError(f"--out {out.name}: end it with .pdf or .json.")
    try:
        with (
            _sentences("the file was not made"),
            opened_about(issuer, patient, name, born) as (known, whose),
            kept_in(language),
        ):
            content, count = by_operator.made(as_pdf=out.suffix == ".pdf")
        _write(out, content)
    except FileExistsError as error:
        raise click.ClickException(f"{out} is there already. Name another file.") from error
    except (NotTypeset, OSError) as error:
        instead = "; take .json" if isinstance(error, NotTypeset) else ""
        raise click.ClickException(f"the file was not made: {_reason(error)}{instead}") from error
    click.echo(f"{out}: {count} parts. Not in it: what is at {known.name}, since nobody signed in.", err=True)
    if not whose.display or not whose.birth_date:
        click.echo("Without --name and --born another place can't tell whose file it is, and refuses it.", err=True)


@command.command(
    epilog="Example:  verstel export medmij --issuer north --patient 12345 --base https://dva.example/fhir --out anna"
)
@about_person
@named()
@click.option("--base", required=True, metavar="URL", help="The address at which the answers will be served.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder to make, with one file for each answer. It must not be there yet.",
)
def medmij(*, issuer: str, patient: str, name: str, born: str, base: str, out: Path) -> None:
    """Write what a PGO gets of one person: the answer to each query of MedMij, and the papers.

    Who serves a PGO (a DVA) takes part in MedMij; Verstel does not, and gives what such a party can serve. The file
    index.json says of each query what of it is ours, and why not. There is no sign-in here, so what is at the EHR is
    not read. Whoever has the folder can read it. The person finds under who looked that it was made.

    Exit code 1: it can't be made or written, or a server does not answer. 2: wrong usage.
    """
    from smartapp.errors import NotTypeset
    from smartapp.pages.take_along import by_operator
    from smartapp.settings import ConfigError, checked_base

    try:
        checked_base(base, "--base")
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    if out.exists():
        raise click.ClickException(f"{out} is there already. Name another folder.")
    try:
        with _sentences("the answers were not made"), opened_about(issuer, patient, name, born) as (known, _whose):
            made = by_operator.files(base.rstrip("/"), known.custodian)
        out.mkdir(mode=0o700)
        for file, content in made.items():
            _write(out / file, content)
    except (NotTypeset, OSError) as error:
        raise click.ClickException(f"the answers were not made: {_reason(error)}") from error
    papers = sum(1 for file in made if file.startswith("Binary-"))
    click.echo(f"{out}: {len(made)} files, {papers} papers. Not in it: what is at {known.name}.", err=True)


_ROOM: Final = (
    "What was read is held in a file without a name, in the folder that SQLITE_TMPDIR or TMPDIR names: make room "
    "there, or name another."
)
_RESEARCH: Final = """\b
Examples:
  verstel export research export-folder/ --consents Consent.ndjson --to study --format all --by "D. Manager" \\
    --purpose "recovery 2026" --key-for age1… --key-holder "K. Holder" --key-out ../safe/study.age
  verstel export research export-folder/ … --key ../safe/study.age --identity holder.txt --key-out ../safe/again.age

Exit code 0: all was read. 1: some input was refused, or too few people are left. 2: wrong usage.
"""


@command.command(epilog=_RESEARCH)
@click.argument("files", nargs=-1, metavar="FILE…|-", type=click.Path(exists=True, allow_dash=True))
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="The folder to make.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    required=True,
    type=click.Choice(["csv", "parquet", "xlsx", "sav", "all"]),
    help="May be given more than once. sav is for SPSS, and made in memory.",
)
@click.option(
    "--consents",
    type=click.Path(exists=True, dir_okay=False),
    help="FHIR Consents to research as NDJSON (also .gz): only who consents is in. The newest of each person decides.",
)
@click.option(
    "--issuer",
    metavar="KEY",
    help="Or: the key of the issuer whose clients said in the app what their answers may be used for. Without FILE the "
    "answers in our own store are exported. Uses the database and the keys of `verstel serve`.",
)
@click.option(
    "--use",
    type=click.Choice(["research", "quality"]),
    default="research",
    show_default=True,
    help="With --issuer: for research by others, or by this place, to improve its care.",
)
@click.option("--by", required=True, metavar="WHO", help="Who exports; the codebook says it.")
@click.option("--purpose", required=True, help="What for; the codebook and the key say it.")
@click.option(
    "--key-for", required=True, metavar="RECIPIENT", help="To whom the key is encrypted: age1… or an SSH public key."
)
@click.option("--key-holder", required=True, metavar="NAME", help="The one person who keeps the key.")
@click.option(
    "--key-out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the encrypted key: not in the folder of --to. It must not be there yet.",
)
@click.option(
    "--key",
    "earlier",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The key of an earlier export: the same people get the same numbers.",
)
@click.option(
    "--identity",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --key: the file with the identity (age or SSH, without passphrase) of who keeps it.",
)
@click.option("--language", type=click.Choice(["nl", "en"]), default="nl", show_default=True, help="Of the labels.")
@click.option(
    "--days",
    type=click.Choice(["since-first", "month", "exact"]),
    default="since-first",
    show_default=True,
    help="When something was sent in: days since the first response of that person, the month, or the day.",
)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day on which a traject started for all: begin, middle and end are then within 2 months, at about 18 and "
    "about 30 months after it. Without it they are each person's own first, nearest the middle, and last.",
)
@click.option("--free-text", is_flag=True, help="Put the person's own words in too. They may say who somebody is.")
def research(
    *,
    files: tuple[str, ...],
    folder: Path,
    formats: tuple[str, ...],
    consents: str | None,
    issuer: str | None,
    use: str,
    by: str,
    purpose: str,
    key_for: str,
    key_holder: str,
    key_out: Path,
    earlier: Path | None,
    identity: Path | None,
    language: Language,
    days: Days,
    start: datetime | None,
    free_text: bool,
) -> None:
    """Write files for research: answers and scores by respondent number, with labels and a codebook.

    Each FILE is what `verstel score` takes. In the files are no names, ids or dates (see --days), and only people who
    consented. Who has which number stands in the key, encrypted to one person. What fewer than six people sent in at
    one moment is left out. How many responses were left out, and why, is said on standard error.
    """
    import sqlite3

    from smartapp.commands.team import Refused
    from smartapp.populations import research as population
    from smartapp.populations import research_files, research_tables

    if (consents is None) is (issuer is None):
        raise click.UsageError(
            "Only who consented may be in the files: name the Consents of another system in --consents FILE (FHIR, as "
            "NDJSON), or in --issuer KEY the issuer whose clients were asked in the app."
        )
    if issuer is not None and free_text:
        raise click.UsageError("--free-text: what clients allow in the app is never their own words. Leave it out.")
    _check_places(files or ("own",) if issuer else files, folder, key_out)
    if (earlier is None) is not (identity is None):
        raise click.UsageError("--key and --identity go together.")
    wanted = research_files.FORMATS if "all" in formats else tuple(dict.fromkeys(formats))
    try:
        recipient = population.recipient_of(key_for)
        known = {} if earlier is None or identity is None else population.unsealed(earlier, identity)
    except population.NotReadable as error:
        raise click.UsageError(str(error)) from error
    refused = Refused()
    gathered = population.Gathered(population.Numbers(known), free_text=free_text)
    choices = research_tables.Choices(
        language=language,
        days=days,
        start=start.date() if start else None,
        free_text=free_text,
        about=(("purpose", purpose), ("exported by", by), ("key kept by", key_holder)),
    )
    try:
        with (
            _sentences("nothing was written"),
            _consented(issuer, use, consents, refused) as register,
            _no_key_alone(key_out),
            research_tables.new_folder(folder) as part,
        ):
            _gather(gathered, files, register, refused)
            with research_files.opened(wanted, part) as written:
                made = research_tables.write(gathered, catalogue(), written, part, choices)
            in_it = {patient for patient, number in gathered.numbers.of_patient.items() if number in made.respondents}
            in_key = {
                one: number for one, number in gathered.numbers.of_patient.items() if one in in_it or one in known
            }
            register.tell(by=by, what=f"{purpose}, {', '.join(wanted)}", patients=in_it)
            _write(key_out, population.sealed(in_key, key_holder, purpose, recipient))
    except (research_tables.TooFew, research_files.NotInstalled) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"nothing was written: {where}{error.strerror or error}") from error
    except sqlite3.Error as error:
        raise click.ClickException(f"nothing was written: {error}. {_ROOM}") from error
    finally:
        gathered.close()
    for canonical, moment in made.withheld:
        click.echo(f"left out: {canonical.rpartition('/')[2]}, {moment}: fewer than {FEWEST} people", err=True)
    words = " Free text is in it." if free_text else ""
    click.echo(f"{folder}: {len(made.respondents)} people, {made.long} answers and scores.{words}", err=True)
    click.echo(f"{key_out}: the key; only {key_holder} can open it.", err=True)
    sys.exit(1 if refused.count else 0)


def _check_places(files: tuple[str, ...], folder: Path, key_out: Path) -> None:
    """Raise UsageError for files that are not named, and for places where something is already."""
    from smartapp.populations.research_tables import part_of

    if not files:
        raise click.UsageError("Name a FILE, a folder, or - for standard input.")
    if folder.exists():
        raise click.UsageError(f"--to {folder} is there already. Name another folder.")
    if key_out.exists():
        raise click.UsageError(f"--key-out {key_out} is there already. Name another file.")
    if not {folder.resolve(), part_of(folder).resolve()}.isdisjoint(key_out.resolve().parents):
        raise click.UsageError(
            "--key-out is in the folder of --to: who gets the files would get the key. Name another."
        )


@contextmanager
def _no_key_alone(key_out: Path) -> Iterator[None]:
    """Take away a key that was begun where the files don't get their name."""
    try:
        yield
    except FileExistsError:  # then it may be somebody else's
        raise
    except BaseException:
        key_out.unlink(missing_ok=True)
        raise


@contextmanager
def _consented(issuer: str | None, use: str, consents: str | None, refused: Refused) -> Iterator[Register]:
    """Open who consented: in the app, or in a file of another system."""
    from smartapp.populations.reading import Source
    from smartapp.populations.research import ConsentsOfFile
    from smartapp.populations.teams import resources_of

    if issuer is not None:
        with opened_for_reuse(issuer, "HRESCH" if use == "research" else "HQUALIMP") as register:
            yield register
    elif consents is not None:
        today = datetime.now(UTC).date().isoformat()
        of_file = ConsentsOfFile((one for _, one in resources_of(Source(consents), refused)), today)
        if refused.count:
            raise click.ClickException(
                "nothing was written: not all of --consents can be read, and a refusal may be in what can't. Mend it."
            )
        yield of_file


def _gather(gathered: Gathered, files: tuple[str, ...], register: Register, refused: Refused) -> None:
    """Read the responses, of files or else of our own store; say how many were left out and why."""
    from mappers.errors import RefusedResponse
    from smartapp.commands.team import sources_of
    from smartapp.populations.reading import Source
    from smartapp.populations.teams import resources_of

    known = catalogue()
    read = ((source, resources_of(source, refused)) for source in sources_of(files)) if files else ()
    own = () if files else ((Source("own store"), enumerate(register.responses(), 1)),)
    for source, found in (*own, *read):
        for line, response in found:
            try:
                gathered.add(response, known, register)
            except RefusedResponse as error:
                refused(source, Refusal(line, None, str(error)))
    for why, number in sorted(gathered.left_out.items()):
        click.echo(f"left out: {number} responses: {why}", err=True)


@contextmanager
def opened_about(issuer: str, patient: str, name: str, born: str) -> Iterator[tuple[Issuer, Person]]:
    """Open the app for work on what it keeps of one person, without a sign-in; yield their issuer and who they are.

    Raises RecordError where a companion server does not answer.
    """
    from smartapp import create_app
    from smartapp.commands.erase import issuer_of
    from smartapp.pages.take_along import by_operator
    from smartapp.services import KEY

    settings = settings_from_environment()
    known = issuer_of(settings, issuer)
    engine = opened_again(settings)
    try:
        app = create_app(settings, engine=engine)
        services = app.extensions[KEY]
        whose = by_operator.known_person(services, known, patient, name, born)
        with by_operator.opened(app, services, known, whose):
            yield known, whose
    finally:
        engine.dispose()


@contextmanager
def opened_for_reuse(issuer: str, purpose: Purpose) -> Iterator[ReuseRegister]:
    """Open who of an issuer allows that their answers are used again for one purpose, and the log to tell it in."""
    from smartapp import create_app
    from smartapp.commands.erase import issuer_of
    from smartapp.populations.reuse import ReuseRegister
    from smartapp.services import KEY

    settings = settings_from_environment()
    known = issuer_of(settings, issuer)
    engine = opened_again(settings)
    try:
        services = create_app(settings, engine=engine).extensions[KEY]
        yield ReuseRegister(known, purpose, services.own_store(known.base), services.audit)
    finally:
        engine.dispose()


def _write(out: Path, content: bytes) -> None:
    """Write a new file that only its owner can read."""
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


@contextmanager
def _sentences(what: str) -> Iterator[None]:
    """End the command with a sentence where a store or the database fails: `what` did not happen, and why."""
    from sqlalchemy.exc import SQLAlchemyError

    from smartapp.fhir.store import RecordError
    from smartapp.storage.vault import SealBroken

    try:
        yield
    except RecordError as error:
        raise click.ClickException(f"{what}: {error.message}") from error
    except SealBroken as error:
        raise click.ClickException(
            f"{what}: a row in the database of VERSTEL_DATABASE_URL was sealed with a key that is not in "
            "VERSTEL_ENCRYPTION_KEYS. Put that key behind those that are there."
        ) from error
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", None) or type(error).__name__).partition("\n")[0]  # the rest may quote a row
        raise click.ClickException(
            f"{what}: the database of VERSTEL_DATABASE_URL failed ({why}). Mend that, and run it again."
        ) from error


def _reason(error: NotTypeset | OSError) -> str:
    """Return why, in words that quote nothing that a person wrote."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "it can't be made into a PDF"
