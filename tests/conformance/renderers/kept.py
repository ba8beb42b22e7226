"""Living forms in the engines of others: every question is there, and a response with rows comes back as it went in."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Error as PlaywrightError

from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.publish import questionnaire
from tests.conformance.renderers.cases import AUTHORED, CLIENT, Case, Form, form_of
from tests.conformance.renderers.engines import Answer, LhcForms
from tests.conformance.renderers.tools import DriverError
from tests.conformance.rows import filled, said
from tests.new_form import garden


def living_forms(folder: Path, known: Catalogue) -> dict[str, Form]:
    """Return the published living forms, and a made-up one that has one of everything."""
    paths = {name: folder / f"Questionnaire-{name}.json" for name in known.living}
    published = {name: form_of(json.loads(path.read_text(encoding="utf-8"))) for name, path in paths.items()}
    return {**published, "garden": form_of(questionnaire(garden()))}


def complaints(answer: Answer, form: Form) -> list[str]:
    """Return what an engine loses of a living form: a row, an answer or their order, or a question that nobody sees."""
    response = response_with_rows(form)
    found = lost(response, _given_back(answer, form, response))
    if isinstance(answer, LhcForms):
        words = answer.page.evaluate("words()")
        found += [f"{one.link_id}: nobody sees “{one.text}”" for one in form.questions if one.text not in words]
    return found


def not_noticed(answer: Answer) -> list[str]:
    """Return what is wrong with this check in front of an engine: a form without a group can't give back its rows."""
    whole = questionnaire(garden())
    shorter = form_of({**whole, "item": whole["item"][:-1]})
    response = response_with_rows(form_of(whole))
    try:
        noticed = lost(response, _given_back(answer, shorter, response))
    except PlaywrightError:  # LHC-Forms does not open such a response at all
        return []
    return [] if noticed else ["rows of a group that the form does not have came back, and were not missed"]


def _given_back(answer: Answer, form: Form, response: Resource) -> Resource:
    """Return a response as an engine gives it back; DriverError where it says that it can't."""
    if isinstance(answer, LhcForms):
        answer.reopen(form, response)
        kept: Resource = answer.page.evaluate("kept()")
        return kept
    [result], _seconds = answer(form, [Case("rows", response, {})], False)
    if "error" in result:
        raise DriverError(result["error"])
    return dict(result["response"])


def response_with_rows(form: Form) -> Resource:
    """Return a response to every question of a form, with two rows wherever there can be rows."""
    return filled(form.questionnaire, id="rows", subject=CLIENT, authored=AUTHORED)


def lost(went_in: Resource, came_out: Resource) -> list[str]:
    """Return a line for each group of a response, row by row, that did not come back as it went in."""
    before, after = said(went_in), said(came_out)
    lines = [f"went in and did not come out: {one}" for one in before if one not in after]
    lines += [f"came out and did not go in: {one}" for one in after if one not in before]
    # Rows that a client put in order may all be there, and yet be mixed up.
    return lines or ([] if before == after else [f"came out in another order: {after}"])
