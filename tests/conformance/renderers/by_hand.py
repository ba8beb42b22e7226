"""Fill in each published form in LHC-Forms as a person does: look for the question, click an answer, type a text.

Then open it again from a response that holds the answers only, as our app saves it: the scores must be there again.
"""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Error as PlaywrightError

from questionnaires.catalogue import Catalogue
from tests.conformance.renderers.cases import CHOSEN_TEXT, Form, Question, Values, expected_scores, response_of
from tests.conformance.renderers.compare import same
from tests.conformance.renderers.engines import LhcForms

# LHC-Forms' own words; its user interface is in English.
_BOOLEAN: Final = {True: "Yes", False: "No"}
_PATIENCE: Final = 10_000  # milliseconds until a question or option counts as not there


def complaints(engine: LhcForms, form: Form, catalogue: Catalogue) -> list[str]:
    """Return what a person would miss: a question, the plain words of an option, an answer kept, or a score."""
    engine.render(form)
    values = _values(form)
    for question in form.questions:
        try:
            _answer(engine, question, values[question.link_id])
        except PlaywrightError as error:
            return [f"{question.link_id} can't be answered with {values[question.link_id]!r}: {error}"]
    shown = {one["text"]: one["options"] for one in engine.page.evaluate("seen()")}
    found = [problem for question in form.questions if (problem := _missing(question, shown))]
    found += [f"filled in by hand: {one}" for one in _otherwise(engine, form, values, catalogue)]
    response = response_of(form, values, "saved")
    engine.reopen(form, response)
    return found + [f"saved and opened again: {one}" for one in _otherwise(engine, form, values, catalogue)]


def _otherwise(engine: LhcForms, form: Form, values: Values, catalogue: Catalogue) -> list[str]:
    """Return in what the form's response differs from these answers and their scores."""
    standing = engine.page.evaluate("standing()")
    answers, scores = standing["answers"], standing["scores"]
    found = [
        f"{link_id} is {answers.get(link_id)!r}, not {values.get(link_id)!r}"
        for link_id in values.keys() | answers.keys()
        if answers.get(link_id) != values.get(link_id)
    ]
    expected = expected_scores(form, response_of(form, values, "expected"), catalogue)
    return found + [
        f"{link_id} is {scores.get(link_id)}, not {expected.get(link_id)}"
        for link_id in form.scores
        if not same(expected.get(link_id), scores.get(link_id))
    ]


def _values(form: Form) -> Values:
    """Return an answer to every question: the options in turn, and yes everywhere, so that every question is asked."""
    values: Values = {}
    for number, question in enumerate(form.questions):
        if question.kind == "choice":
            values[question.link_id] = question.codings[number % len(question.codings)]["code"]
        else:
            values[question.link_id] = True if question.kind == "boolean" else CHOSEN_TEXT
    return values


def _answer(engine: LhcForms, question: Question, value: str | bool) -> None:
    item = engine.page.locator(f'[id="item-{question.link_id}/1/1"]')
    if isinstance(value, str) and question.kind != "choice":
        item.get_by_role("textbox").fill(value, timeout=_PATIENCE)
        item.get_by_role("textbox").blur()
    else:
        words = _BOOLEAN[value] if isinstance(value, bool) else question.words(value)
        item.get_by_role("radiogroup").get_by_text(words, exact=True).click(timeout=_PATIENCE)


def _missing(question: Question, shown: dict[str, list[str]]) -> str:
    if question.text not in shown:
        return f"{question.link_id}: nobody sees “{question.text}”"
    wanted = [coding["display"] for coding in question.codings]
    if question.kind == "choice" and shown[question.text] != wanted:
        return f"{question.link_id}: the options read {shown[question.text]}, not {wanted}"
    return ""
