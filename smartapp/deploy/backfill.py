"""The scores that a whole FHIR server misses: of every response that it keeps, what its answers give and nobody stored.

It may be stopped at any moment and run again: what is stored is looked up before each write, also again before a write
that got no answer is tried once more, and every write is conditional on our identifier where the server does that. A
page of responses and what is stored of them is all that is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from mappers.answers import answers_of, asked_in, is_finished
from mappers.errors import RefusedResponse
from mappers.identity import values_in
from mappers.observations import (
    IDENTIFIER_SYSTEM,
    SCORE_SYSTEM,
    full_url,
    moment_of,
    names_in,
    names_of,
    observations_of,
)
from mappers.read_scores import ReadScore, is_given_by, read_scores
from mappers.scoring import score
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from smartapp.fhir.capabilities import Offered, read_offered
from smartapp.fhir.references import renamed
from smartapp.fhir.remote import RemoteStore
from smartapp.fhir.store import Conflict, Forbidden, Query, RecordError, Refused, Unauthorized, Write

LOOKED_UP: Final = 30
"""Responses whose scores are asked for at once: their references must fit into one address."""
MOST_TRIES: Final = 3
FIRST_WAIT_SECONDS: Final = 2

_NOT_FOUND: Final = "subject: names nobody by a reference, and this server finds stored scores by their client only"

Outcome = Literal["scored", "there", "other-form", "no-scores", "refused"]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one response: `written` Observations of `instrument`, or the reason why there are none."""

    reference: str
    outcome: Outcome
    instrument: str = ""
    written: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DonePage:
    """What became of one page of responses; `total` is how many there are in all, where the server says so.

    All that was changed before `until` has been read, if the server gives responses in that order; else "".
    """

    done: tuple[Done, ...]
    total: int | None
    until: str


@dataclass(slots=True)
class Backfill:
    """One run. `wait` (seconds) is how it waits before it tries again; with `dry_run` nothing is written.

    `page` is how many responses are asked for at once.
    """

    store: RemoteStore
    catalogue: Catalogue
    wait: Callable[[float], None]
    dry_run: bool = False
    page: int = 100
    _offered: Offered = field(default_factory=Offered)

    def run(self, since: str = "") -> Iterator[DonePage]:
        """Fill in what is missing of the responses that were changed since then (an instant), and tell page by page.

        Raises RecordError where the server does not let us read, or no longer answers. What it told before holds.
        """
        self._offered = read_offered(self.store.capabilities())
        changed = (("_lastUpdated", f"ge{since}"),) if since else ()
        params = (("status", "completed,amended"), *changed, ("_sort", "_lastUpdated"), ("_count", str(self.page)))
        latest: str | None = since
        for page in self.store.pages(Query("QuestionnaireResponse", params)):
            responses = [one.resource for one in page.found]
            latest = _latest(latest, responses) if page.sorted else None
            yield DonePage(tuple(self._done(responses)), page.total, latest or "")

    def _done(self, responses: Sequence[Resource]) -> Iterator[Done]:
        """Fill in one page. A server may take no notice of a status that it was asked for."""
        ours = []
        for one in filter(is_finished, responses):
            asked = asked_in(one, self.catalogue)
            if asked is None:
                yield Done(_reference(one), "other-form")
            elif not asked.scores or asked.subject == "team":  # no Observation is about a team
                yield Done(_reference(one), "no-scores", asked.id)
            elif not self._finds_by_response and not _client(one):
                yield Done(_reference(one), "refused", asked.id, reason=_NOT_FOUND)
            else:
                ours.append(one)
        for start in range(0, len(ours), LOOKED_UP):
            some = ours[start : start + LOOKED_UP]
            stored = self._stored(some)
            for one in some:
                yield self._of(one, [each for each in stored if _is_of(each, one)])

    def _of(self, response: Resource, stored: Sequence[Resource]) -> Done:
        """Fill in one response. A write without an answer may have been done: what is stored is asked again first."""
        reference, to_write = _reference(response), 0
        for tried in range(1, MOST_TRIES + 1):
            try:
                instrument, missing = missing_of(response, stored, self.catalogue)
            except RefusedResponse as refused:
                return Done(reference, "refused", reason=str(refused))
            to_write = to_write or len(missing)
            if not missing:
                return Done(reference, "scored" if to_write else "there", instrument, to_write)
            if self.dry_run:
                return Done(reference, "scored", instrument, len(missing))
            try:
                self._write(missing, stored)
            except (Conflict, Refused) as error:
                return Done(reference, "refused", instrument, reason=error.message)
            except (Unauthorized, Forbidden):
                raise
            except RecordError:
                if tried == MOST_TRIES:
                    raise
                self.wait(FIRST_WAIT_SECONDS**tried)
                stored = [each for each in self._stored([response]) if _is_of(each, response)]
            else:
                return Done(reference, "scored", instrument, to_write)
        raise AssertionError("the last try returns or raises")

    # ---- what is stored

    def _stored(self, responses: Sequence[Resource]) -> list[Resource]:
        """Return the Observations that may be scores of these responses: too many rather than too few."""
        try:
            return [one.resource for one in self.store.search(self._query(responses))]
        except Refused:
            # More than one answer may hold, or an address that is too long: fewer at a time.
            if len(responses) == 1:
                raise
            half = len(responses) // 2
            return [*self._stored(responses[:half]), *self._stored(responses[half:])]

    @property
    def _finds_by_response(self) -> bool:
        return self._offered.searches_by("Observation", "derived-from")

    def _query(self, responses: Sequence[Resource]) -> Query:
        if self._finds_by_response:
            return Query("Observation", (("derived-from", ",".join(map(_reference, responses))), ("_count", "500")))
        patients = dict.fromkeys(map(_client, responses))
        codes = {
            f"{SCORE_SYSTEM}|{code}"
            for one in responses
            if (asked := asked_in(one, self.catalogue))
            for code in (asked.panel_code, *(rule.code for rule in asked.scores))
        }
        params = (("patient", ",".join(patients)), ("code", ",".join(sorted(codes))), ("_count", "500"))
        return Query("Observation", params)

    # ---- writing

    def _write(self, observations: Sequence[Resource], stored: Sequence[Resource]) -> None:
        """Write what belongs together: at once where the server does that, else the panel after what it names."""
        # A run that was cut short has written some of them: the panel names those by their place.
        named = {full_url(one): f"Observation/{one['id']}" for one in stored if values_in(one, IDENTIFIER_SYSTEM)}
        known = [renamed(one, lambda reference: named.get(reference, reference)) for one in observations]
        if self._offered.transaction:
            self.store.write_all([self._once(one) for one in known])
            return
        for one in known:
            to_write = renamed(one, lambda reference: named.get(reference, reference))
            named[full_url(one)] = self.store.write(self._once(to_write)).reference

    def _once(self, observation: Resource) -> Write:
        """Return the create; conditional where the server does that: two runs at once then still write each once."""
        identifier = f"{IDENTIFIER_SYSTEM}|{observation['identifier'][0]['value']}"
        write = Write.once(observation, identifier=identifier, full_url=full_url(observation))
        return write if "Observation" in self._offered.conditional_create else replace(write, if_none_exist=None)


def missing_of(response: Resource, stored: Sequence[Resource], catalogue: Catalogue) -> tuple[str, list[Resource]]:
    """Return the instrument of a response and the Observations that are not stored of it, the panel last.

    `stored` are the Observations of this response. A score that another program stored counts if its answers give it;
    one that somebody took back is not made again. Raises RefusedResponse, also where what we stored is no longer what
    the answers give: then somebody changed them, and a person must look.
    """
    answers = answers_of(response, catalogue)
    read = read_scores(stored, [response], catalogue)
    _check_unchanged(read)
    ours = {one.point.code for one in read if one.origin in ("stored", "answers")}
    scores = [one for one in score(answers.instrument, answers.values) if one.rule.code in ours]
    there = {value for one in stored for value in values_in(one, IDENTIFIER_SYSTEM)}
    made = observations_of(answers, scores)
    return answers.instrument.id, [one for one in reversed(made) if one["identifier"][0]["value"] not in there]


class Changed(RefusedResponse):
    """A response whose stored scores are not what its answers give."""


def _check_unchanged(read: Sequence[ReadScore]) -> None:
    for one in read:
        if one.origin != "stored" or one.answers is None:
            continue
        rule = next((rule for rule in one.answers.instrument.scores if rule.code == one.point.code), None)
        same_rule = rule is not None and one.point.rule_version in ("", rule.version)
        if rule is not None and same_rule and not is_given_by(one.answers, rule, one.point.value):
            raise Changed(
                f"the stored {rule.code} is not what the answers give", advice="Look with verstel score --verify"
            )


def _client(response: Resource) -> str:
    return text_in(object_in(response, "subject"), "reference")


def _reference(response: Resource) -> str:
    return f"QuestionnaireResponse/{text_in(response, 'id')}"


def _is_of(observation: Resource, response: Resource) -> bool:
    names = {name for source in objects_in(observation, "derivedFrom") for name in names_in(source)}
    return not names.isdisjoint(names_of(response))


def _latest(before: str | None, responses: Sequence[Resource]) -> str | None:
    """Return when the last of these was changed; None once a server turns out to give them in another order."""
    for one in responses:
        changed = text_in(object_in(one, "meta"), "lastUpdated")
        if before is None or not changed or moment_of(changed) < moment_of(before):
            return None
        before = changed
    return before
