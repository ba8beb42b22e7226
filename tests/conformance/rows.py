"""A response to a published form with rows: every question answered, two rows wherever a group repeats.

Built from the published JSON alone, as a form engine would, so that what reads it meets it as it comes from outside.
"""

from __future__ import annotations

from typing import Final

from questionnaires.fhir import Resource

ROWS: Final = 2
WORDS: Final = "Muntthee, én 's avonds «rust» & ruimte."
DATE: Final = "2026-05-31"


def filled(questionnaire: Resource, **about: object) -> Resource:
    """Return a response to every question, with two rows in each group that repeats and two answers where several fit.

    A yes/no question is answered with yes; each row takes another option of a choice. `about`: more of the response.
    """
    canonical = f"{questionnaire['url']}|{questionnaire['version']}"
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": canonical,
        "status": "completed",
        **about,
        "item": [
            {"linkId": group["linkId"], "item": _answered(group, row)}
            for group in questionnaire["item"]
            for row in range(ROWS if group.get("repeats") else 1)
        ],
    }


def _answered(group: Resource, row: int) -> list[Resource]:
    return [
        {
            "linkId": item["linkId"],
            "answer": [_answer(item, row, number) for number in range(2 if item.get("repeats") else 1)],
        }
        for item in group["item"]
        if item["type"] != "display"
    ]


def _answer(item: Resource, row: int, number: int) -> Resource:
    if item["type"] == "choice":
        options = item["answerOption"]
        coding = options[(row + number) % len(options)]["valueCoding"]
        return {"valueCoding": {key: coding[key] for key in ("system", "code", "display")}}
    if item["type"] == "boolean":
        return {"valueBoolean": True}
    if item["type"] == "date":
        return {"valueDate": DATE}
    return {"valueString": f"{WORDS} {item['linkId']}, {row + 1}.{number + 1}"}


def said(response: Resource) -> list[tuple[str, object]]:
    """Return what a response says and nothing else: linkIds with answers, in order; what is empty is left out."""
    found = [(item["linkId"], _of(item)) for item in response.get("item", [])]
    return [(link_id, content) for link_id, content in found if content]


def _of(item: Resource) -> object:
    if "item" in item:
        return said(item)
    return [_value(answer) for answer in item.get("answer", [])]


def _value(answer: Resource) -> object:
    [(name, value)] = [(name, value) for name, value in answer.items() if name.startswith("value")]
    return (value.get("system"), value.get("code")) if name == "valueCoding" else value
