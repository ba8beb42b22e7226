"""What a person wrote is given back to them whole, in order, and without what only systems read."""

from __future__ import annotations

import pytest

from mappers.words import words_of

RESPONSE = {
    "resourceType": "QuestionnaireResponse",
    "item": [
        {
            "linkId": "group",
            "text": "Over vandaag",
            "item": [
                {"linkId": "1", "text": "Hoe gaat het?", "answer": [{"valueString": " Beter dan gisteren "}]},
                {"linkId": "2", "text": "Eens?", "answer": [{"valueCoding": {"code": "3", "display": "Mee eens"}}]},
                {"linkId": "3", "answer": [{"valueCoding": {"code": "3"}}, {"valueInteger": 7}]},
                {"linkId": "4", "text": "Ja of nee?", "answer": [{"valueBoolean": True}, {"valueCoding": {}}, {}]},
                {
                    "linkId": "5",
                    "text": "En verder?",
                    "answer": [
                        {
                            "valueString": "Veel",
                            "item": [{"linkId": "5a", "text": "Wat?", "answer": [{"valueString": "Rust"}]}],
                        }
                    ],
                },
            ],
        }
    ],
}


def test_of_a_response_each_answer_comes_with_its_question_also_below_an_answer():
    assert words_of(RESPONSE) == [
        "Hoe gaat het?:  Beter dan gisteren",
        "Eens?: Mee eens",
        "3",
        "7",
        "En verder?: Veel",
        "Wat?: Rust",
    ]


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ({"description": {"text": "Weer zwemmen"}, "note": [{"text": "Samen"}]}, ["Weer zwemmen", "Samen"]),
        ({"description": "Bellen", "note": [{"text": "Bellen"}, {"text": "  "}]}, ["Bellen"]),
        ({"title": "Mijn plan", "statusReason": {"text": "Anders"}}, ["Mijn plan", "Anders"]),
        ({"activity": [{"detail": {"description": "x"}}], "detail": {"description": "Lopen"}}, []),
        ({"progress": [{"text": "Het lukt"}, "Steeds vaker"]}, ["Het lukt", "Steeds vaker"]),
        ({"note": [{"detail": {"description": "Elke dag"}}]}, ["Elke dag"]),
        ({"description": {"coding": [{"display": "Zwemmen"}]}, "status": "active", "note": 7}, []),
        (
            {
                "extension": [
                    {"url": "story", "valueString": "Mijn verhaal"},
                    {"url": "domain", "extension": [{"url": "now", "valueMarkdown": "Nu gaat het"}]},
                    {"url": "code", "valueCode": "x"},
                ]
            },
            ["Mijn verhaal", "Nu gaat het"],
        ),
    ],
    ids=["goal", "once", "plan", "detail of its own", "progress", "detail in a list", "codes", "extensions"],
)
def test_of_anything_else_the_texts_for_people_come_once_each(resource, words):
    assert words_of({"resourceType": "Goal", **resource}) == words
