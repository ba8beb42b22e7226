"""The scores of the two auditors of a team in a year: apart until both are sent, then in our own store.

Until then they are in no store that a page reads, so there is nothing of them to see for anybody but who typed them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mappers.answers import IDENTIFIER_SYSTEM
from mappers.team import team_response
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument
from smartapp.fhir.store import Query, Stored, Write
from smartapp.pages.team.found import ROPI, form_of, own
from smartapp.settings import TeamHere
from smartapp.storage.launches import NOBODY
from smartapp.storage.team_audits import PLACES, Sent, TeamAudits
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
        # That somebody sent scores, and not which of the two they are.
        current.services().audit.record(current.launch().about(NOBODY), "create", ["ropi.mine"])
        self._settle(sent)

    def take_back(self) -> Sent | None:
        """Give this user their own back, as long as the other has not sent theirs."""
        return _audits().take_back(self._key, self._me)

    def settle(self) -> None:
        """Make readable what both sent, where a process was ended just before that."""
        self._settle(_audits().sent(self._key))

    def _settle(self, sent: tuple[Sent, ...]) -> None:
        if len(sent) < len(PLACES):
            return
        writes = [self._write(one) for one in sent]
        own().write_all(writes)
        _audits().done(self._key)

    def _write(self, one: Sent) -> Write:
        form = next((each for each in catalogue().versions(ROPI) if each.canonical == one.form), form_of(ROPI))
        name = self.identifier(one.place)
        response = team_response(
            {**one.answers, SCORER: str(one.place)},
            form,
            self.team.team,
            authored=one.moment,
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
