"""Marks that are one or two letters long stand beside each other; answers in words stand below each other."""

from __future__ import annotations

import pytest
from flask import render_template_string

MACRO = '{% from "components/forms.html" import choice_list %}{{ choice_list("mark", options, "7") }}'


def shown(app, labels):
    options = [{"value": label, "label": label} for label in labels]
    with app.test_request_context("/"):
        return render_template_string(MACRO, options=options)


@pytest.mark.parametrize(
    ("labels", "marks"),
    [
        ([*map(str, range(1, 11)), "Dit laat ik open"], 10),
        (["1", "2", "3", "4", "5"], 5),
        (["1", "2", "3", "4", "een beetje"], 0),
        (["ja", "nee"], 0),
        (["helemaal niet", "een beetje", "best veel", "veel", "heel veel", "helemaal"], 0),
    ],
)
def test_five_marks_or_more_stand_beside_each_other_and_words_below(app, labels, marks):
    page = shown(app, labels)
    assert page.count("choice--mark") == marks
    assert ("choices--marks" in page) is (marks > 0)
    assert page.count('type="radio"') == len(labels)
