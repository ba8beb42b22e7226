"""Research files of a whole population: who is in, under which number, which measurements, and what is left out.

Responses become rows of a private temporary database without a name on disk, by respondent number: it has no id of a
person or a response. Once all are read it is known how many people are behind each measurement, and the files are
written from it in order of number. So memory grows with the number of people (their numbers), not with their answers;
only an SPSS file is made in memory whole.

A number is drawn at random. Which person has which number is known in memory and in the key, and the key is only ever
written encrypted to the one person who keeps it.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from mappers.answers import answers_of, is_date_time
from mappers.errors import LivingForm, RefusedResponse
from mappers.observations import moment_of
from mappers.research import (
    consent_to_research,
    moments_of,
)
from mappers.tolerant import object_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.model import Instrument

Number = int

_LOWEST, _NUMBERS = 10_000_000, 90_000_000  # eight digits
_FINISHED: Final = ("completed", "amended")
_LENGTHS: Final = {  # what a date without its month, day or time may span, by how long it is written
    len("2026"): timedelta(days=366),
    len("2026-05"): timedelta(days=31),
    len("2026-05-31"): timedelta(days=1, seconds=-1),
}


class NotReadable(Exception):
    """A key or a file of consents cannot be used; the message says why and what to do."""


class Register(Protocol):
    """Who consents to reuse of their answers; and who was told that they were taken."""

    def person(self, reference: str) -> str:
        """Return whom a reference in a response means, as the register itself writes them; "" for nobody it knows."""

    def full(self, patient: str) -> str:
        """Return the name in the key of whom `person` returned: the same id at two issuers is two people."""

    def may(self, patient_reference: str, instrument: str = "") -> bool:
        """Tell whether this person's answers may be used: those to an instrument, or ("") any at all."""

    def responses(self) -> Iterator[Any]:
        """Yield the responses that are kept where people were asked."""

    def tell(self, *, by: str, what: str, patients: Iterable[str]) -> None:
        """Keep in the log who exports what, and of whom."""


# --- consent in a file of another system ------------------------------------------------------------------------


class ConsentsOfFile:
    """The newest Consent to research of each person decides; where dates don't tell which is newer, a refusal does."""

    def __init__(self, resources: Iterable[Any], on: str) -> None:
        """Read FHIR Consents; `on` is today (YYYY-MM-DD)."""
        newest: dict[str, tuple[datetime, bool]] = {}
        for one in resources:
            if (found := consent_to_research(one, on)) is not None:
                patient, dated, permits = found
                said = (_said_at(dated, late=not permits), not permits)
                newest[patient] = max(newest.get(patient, said), said)
        self._permits = {patient for patient, (_, refuses) in newest.items() if not refuses}

    def person(self, reference: str) -> str:
        """Return a reference as it is written, without a version: whose server it is of, no file of Consents says."""
        return reference.partition("/_history/")[0]

    def full(self, patient: str) -> str:
        """Return the reference as it is."""
        return patient

    def may(self, patient_reference: str, instrument: str = "") -> bool:  # noqa: ARG002 - it is about all answers
        """Tell whether this person's newest consent permits."""
        return patient_reference in self._permits

    def responses(self) -> Iterator[Any]:
        """Yield none: a file of Consents has no answers."""
        return iter(())

    def tell(self, *, by: str, what: str, patients: Iterable[str]) -> None:
        """Keep nothing: the log of the system that asked is not ours to write."""


def _said_at(dated: str, *, late: bool) -> datetime:
    """Return the first moment that a FHIR dateTime can mean, or, of what must not be missed, the last (`late`)."""
    if not is_date_time(dated):
        return datetime(9999, 12, 31, tzinfo=UTC) if late else datetime(1, 1, 1, tzinfo=UTC)
    return moment_of(dated) + (_LENGTHS.get(len(dated), timedelta()) if late else timedelta())


# --- numbers, and the key ---------------------------------------------------------------------------------------


class Numbers:
    """Respondent numbers: drawn at random for who has none yet, never made from what is known of a person."""

    def __init__(self, known: Mapping[str, Number] | None = None) -> None:
        """Begin with the numbers of an earlier export."""
        self.of_patient = dict(known or {})
        self._taken = set(self.of_patient.values())

    def number(self, patient: str) -> Number:
        """Return the number of a person."""
        if patient not in self.of_patient:
            drawn = _LOWEST + secrets.randbelow(_NUMBERS)
            while drawn in self._taken:
                drawn = _LOWEST + secrets.randbelow(_NUMBERS)
            self._taken.add(drawn)
            self.of_patient[patient] = drawn
        return self.of_patient[patient]


def _age() -> Any:
    try:
        import pyrage  # noqa: PLC0415 - only this command needs it
    except ImportError as error:
        raise NotReadable("a key needs pyrage, which is not installed here: pip install 'verstel[research]'") from error
    return pyrage


def recipient_of(text: str) -> Any:
    """Return to whom a key is encrypted: `age1…`, or an SSH public key. Raises NotReadable."""
    pyrage = _age()

    kind = pyrage.x25519 if text.startswith("age1") else pyrage.ssh
    try:
        return kind.Recipient.from_str(text.strip())
    except (pyrage.RecipientError, ValueError) as error:
        raise NotReadable(
            "--key-for is no age recipient (age1…) and no SSH public key (ssh-ed25519, ssh-rsa)"
        ) from error


def sealed(numbers: Mapping[str, Number], holder: str, purpose: str, recipient: Any) -> bytes:
    """Return the key, encrypted: which person has which number, who keeps it, and what it was made for."""
    pyrage = _age()

    told = {"holder": holder, "purpose": purpose, "numbers": dict(numbers)}
    encrypted: bytes = pyrage.encrypt(orjson.dumps(told, option=orjson.OPT_SORT_KEYS), [recipient])
    return encrypted


def unsealed(key: Path, identity: Path) -> dict[str, Number]:
    """Return the numbers of an earlier key, decrypted with the identity of its holder. Raises NotReadable."""
    pyrage = _age()

    try:
        text = identity.read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-")]
        whose = pyrage.x25519.Identity.from_str(lines[0]) if lines else pyrage.ssh.Identity.from_buffer(text.encode())
        read = orjson.loads(pyrage.decrypt(key.read_bytes(), [whose]))
        return {str(patient): int(number) for patient, number in read["numbers"].items()}
    except (
        pyrage.IdentityError,
        pyrage.DecryptError,
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        raise NotReadable(
            "--key can't be opened with this --identity; the holder of that key has the right one"
        ) from error


# --- responses in -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Gathered:
    """What was read, by respondent number, and how many responses were left out, by reason."""

    numbers: Numbers
    free_text: bool = False
    left_out: Counter[str] = field(default_factory=Counter)
    _instruments: dict[str, Instrument] = field(default_factory=dict)
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _rows: sqlite3.Connection = field(default_factory=lambda: sqlite3.connect(""))

    def __post_init__(self) -> None:
        # Without a name SQLite keeps it in memory, and what does not fit there in a file that is deleted at once.
        self._rows.execute(
            "CREATE TABLE response (respondent INT, instrument TEXT, day INT, which BLOB UNIQUE,"
            " answers BLOB, moment TEXT DEFAULT '')"
        )
        self._rows.execute("CREATE TABLE seen (which BLOB PRIMARY KEY, updated REAL, version INT) WITHOUT ROWID")

    def close(self) -> None:
        """Let go of everything that was read."""
        self._rows.close()

    def add(self, response: Any, catalogue: Catalogue, register: Register) -> None:
        """Take in one response; of one in several versions the newest. Raises RefusedResponse.

        The newest has the higher `meta.lastUpdated`, or else the higher `meta.versionId`, where both say it; otherwise
        it is the later one.
        """
        if text_in(response, "resourceType") != "QuestionnaireResponse":
            self.left_out["another kind of resource"] += 1
            return
        try:
            answers = answers_of(response, catalogue)
        except LivingForm:
            self.left_out["a form that measures nothing"] += 1
            return
        except RefusedResponse:
            if text_in(response, "status") not in _FINISHED:  # it takes back an earlier one, whatever is in it now
                patient = register.person(text_in(object_in(response, "subject"), "reference"))
                named = self._which(f"{patient} QuestionnaireResponse/{text_in(response, 'id')}")
                if self._is_newest(named, response):
                    self._rows.execute("DELETE FROM response WHERE which = ?", (named,))
            raise
        about, instrument = answers.response, answers.instrument
        patient = register.person(text_in(about.subject, "reference"))
        which = (
            self._which(f"{patient} {about.reference or about.identifier}")
            if about.reference or about.identifier
            else None
        )
        if which and not self._is_newest(which, response):
            return
        if about.status not in _FINISHED:
            self._rows.execute("DELETE FROM response WHERE which = ?", (which,))
        if why := _left_out(instrument, about.status, patient, about.authored, register):
            self.left_out[why] += 1
            return
        self._instruments[instrument.canonical] = instrument
        kept = {
            item.link_id: answers.values[item.link_id]
            for item in instrument.items
            if item.link_id in answers.values and (item.scale or item.kind == "boolean" or self.free_text)
        }
        day = date.fromisoformat(about.authored[:10]).toordinal()
        row = (self.numbers.number(register.full(patient)), instrument.canonical, day, which, orjson.dumps(kept))
        self._rows.execute(
            "INSERT OR REPLACE INTO response (respondent, instrument, day, which, answers) VALUES (?,?,?,?,?)", row
        )

    def _is_newest(self, which: bytes, response: Any) -> bool:
        """Tell whether no newer version of a response was read before, and remember this one if so.

        Also of one that was taken back: an older version that comes after it stays out.
        """
        updated, version = _version_of(response)
        found = self._rows.execute("SELECT updated, version FROM seen WHERE which = ?", (which,)).fetchone()
        if found and _is_older((updated, version), found):
            return False
        self._rows.execute("INSERT OR REPLACE INTO seen VALUES (?,?,?)", (which, updated, version))
        return True

    def _which(self, response: str) -> bytes:
        # The secret is forgotten with this object, so that what is on disk leads to no response.
        return blake2b(response.encode(), key=self._secret, digest_size=16).digest()

    def decide_moments(self, start: int | None) -> None:
        """Say of each response which moment it was: per person and instrument, in whatever version."""
        # Sorted, all rows are read before the first comes out, so that they may be changed under way.
        rows = self._rows.execute(
            "SELECT respondent, day, rowid, instrument FROM response ORDER BY respondent, day, rowid"
        )
        for _, of_person in groupby(rows, key=itemgetter(0)):
            forms: dict[str, list[tuple[int, int]]] = defaultdict(list)
            for _, day, rowid, canonical in of_person:
                forms[self._instruments[canonical].id].append((day, rowid))
            for found in forms.values():
                moments = moments_of([day for day, _ in found], start)
                self._rows.executemany(
                    "UPDATE response SET moment = ? WHERE rowid = ?",
                    [(moment, rowid) for moment, (_, rowid) in zip(moments, found, strict=True)],
                )

    def people(self) -> dict[tuple[str, str], int]:
        """Return how many people are behind each measurement: (canonical, moment) → people."""
        rows = self._rows.execute(
            "SELECT instrument, moment, COUNT(DISTINCT respondent) FROM response GROUP BY instrument, moment"
        )
        return {(canonical, moment): people for canonical, moment, people in rows}

    def instruments(self) -> list[Instrument]:
        """Return the instruments that were answered, in order of id, each version by itself."""
        return sorted(self._instruments.values(), key=lambda one: (one.id, one.version))

    def by_person(self) -> Iterator[list[Read]]:
        """Yield the responses of one person after another, in order of number, then of day."""
        rows = self._rows.execute(
            "SELECT respondent, instrument, day, moment, answers FROM response"
            " ORDER BY respondent, day, instrument, moment, answers"
        )
        group: list[Read] = []
        for respondent, canonical, day, moment, answers in rows:
            if group and group[0].respondent != respondent:
                yield group
                group = []
            group.append(Read(respondent, self._instruments[canonical], day, moment, orjson.loads(answers)))
        if group:
            yield group


_Version = tuple[float | None, int | None]
_LARGEST: Final = 18  # digits of a number that SQLite keeps


def _version_of(response: Any) -> _Version:
    """Return when a server last wrote a resource, in seconds since 1970, and the number of its version, as it says."""
    meta = object_in(response, "meta")
    updated, version = text_in(meta, "lastUpdated"), text_in(meta, "versionId")
    try:
        when = datetime.fromisoformat(updated).timestamp() if "T" in updated and is_date_time(updated) else None
    except ValueError:  # a leap second
        when = None
    return when, int(version) if version.isascii() and version.isdigit() and len(version) <= _LARGEST else None


def _is_older(one: _Version, other: _Version) -> bool:
    """Tell whether what both versions say proves that one is older."""
    for mine, theirs in zip(one, other, strict=True):
        if mine is not None and theirs is not None and mine != theirs:
            return mine < theirs
    return False


def _left_out(instrument: Instrument, status: str, patient: str, authored: str, register: Register) -> str:
    """Return why a response is not in the files, "" if it is."""
    if instrument.kind != "questionnaire" or instrument.subject != "person":
        return "a form that measures nothing"
    if not patient:
        return "it is about nobody who is known here"
    if not register.may(patient, instrument.id):
        return "no consent to reuse"
    if status not in _FINISHED:
        return "not finished, or entered in error"
    return "" if len(authored) >= len("2026-05-31") else "it does not say on which day"


@dataclass(frozen=True, slots=True)
class Read:
    """One response as it is in the files: `day` as an ordinal; `values` without what may not be in them."""

    respondent: int
    instrument: Instrument
    day: int
    moment: str
    values: dict[str, str | bool]
