"""The scores of the two auditors of a team in a year: apart until both are sent, then in our own store.

Until then they are in no store that a page reads, so there is nothing of them to see for anybody but who typed them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mappers.answers import IDENTIFIER_SYSTEM, answers_of
from mappers.team import team_response
from mappers.team.audit import FORM as ROPI
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument
from smartapp.fhir.store import Query, Stored, Write
from smartapp.pages.team.found import form_of, own
from smartapp.pages.team.keeping import note
from smartapp.settings import TeamHere
from smartapp.storage.team_audits import PLACES, NoPlace, Place, Sent, TeamAudits
from smartapp.web import current
from smartapp.web.language import language

SCORER: Final = f"{ROPI}-scorer"
AGREED: Final = "agreed"
_AGREED_CODE: Final = "3"


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of a team in one year, as the user of this launch meets it."""

    team: TeamHere
    year: int

    @property
    def _key(self) -> str:
        return _audits().audit(current.launch().issuer_key, self.team.id, self.year)

    @property
    def _me(self) -> str:
        return _audits().auditor(self._key, current.launch().user.key)

    def identifier(self, place: object) -> str:
        """Return what names the scores of an auditor (1 or 2) or of both together ("agreed") in our own store."""
        return f"{ROPI}/{self.team.id}/{self.year}/{place}"

    def sent(self) -> int:
        """Return how many auditors sent theirs, 0 to 2."""
        return len(PLACES) if self.stored(1) else len(_audits().sent(self._key))

    def mine(self) -> Sent | None:
        """Return what this user sent, as long as it waits for that of the other."""
        return next((one for one in _audits().sent(self._key) if one.auditor == self._me), None)

    def send(self, answers: Mapping[str, str]) -> None:
        """Send the scores of this user; with those of the other both become readable. Raises NoPlace."""
        sent = _audits().send(
            self._key,
            self._me,
            form=form_of(ROPI).canonical,
            answers=answers,
            moment=current.now().isoformat(),
            language=language(),
        )
        # Those of two stand there already, and freed their places. Asked after sending: before it, somebody could be
        # quicker.
        if len(sent) < len(PLACES) and self.stored(1) is not None:
            self.take_back()
            raise NoPlace
        # That somebody sent scores, and not which of the two they are.
        note("create", "ropi.mine")
        self._settle(sent)

    def has(self, answers: Mapping[str, str]) -> bool:
        """Tell whether these stand there already as what an auditor sent: so they do when somebody presses twice."""
        there = [answers_of(one.resource, catalogue()).values for place in PLACES if (one := self.stored(place))]
        return any({k: str(v) for k, v in one.items() if k != SCORER} == answers for one in there)

    def take_back(self) -> Sent | None:
        """Give this user their own back, as long as the other has not sent theirs."""
        return _audits().take_back(self._key, self._me)

    def settle(self) -> None:
        """Make readable what both sent, where a process was ended just before that."""
        self._settle(_audits().sent(self._key))

    def _settle(self, sent: tuple[Sent, ...]) -> None:
        if len(sent) < len(PLACES):
            return
        # In the order of their names, which is nobody's, and on one day: the log has who sent theirs, and when.
        apart = sorted(sent, key=lambda one: one.auditor)
        day = self._day(max(one.moment for one in sent))
        own().write_all([self._write(place, one, day) for place, one in zip(PLACES, apart, strict=True)])
        _audits().done(self._key)

    def _day(self, moment: str) -> str:
        """Return the day of a moment; of one after New Year the last of the year that the audit is about."""
        return min(moment[:10], f"{self.year}-12-31")

    def _write(self, place: Place, one: Sent, day: str) -> Write:
        form = next((each for each in catalogue().versions(ROPI) if each.canonical == one.form), form_of(ROPI))
        name = self.identifier(place)
        response = team_response(
            {**one.answers, SCORER: str(place)},
            form,
            self.team.team,
            authored=day,
            identifier=name,
            language=one.language,
        )
        return Write.once(response, identifier=f"{IDENTIFIER_SYSTEM}|{name}")

    def stored(self, place: object) -> Stored | None:
        """Return what stands in our own store of an auditor, or of both together, None where nothing does."""
        query = Query.of("QuestionnaireResponse", identifier=f"{IDENTIFIER_SYSTEM}|{self.identifier(place)}")
        return next(iter(own().search(query)), None)


def as_agreed(values: Mapping[str, str]) -> dict[str, str]:
    """Return answers as those that both agreed on."""
    return {**values, SCORER: _AGREED_CODE}


def is_agreed(values: Mapping[str, str]) -> bool:
    """Tell whether answers are what both agreed on."""
    return values.get(SCORER) == _AGREED_CODE


def scores_in(form: Instrument, values: Mapping[str, Any]) -> list[str]:
    """Return the linkIds of the items of dimensions that have a score."""
    return [name for rule in form.scores for name in rule.items if values.get(name)]


def _audits() -> TeamAudits:
    return current.services().team_audits
