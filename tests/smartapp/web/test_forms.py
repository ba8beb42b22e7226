"""A form that keeps what is typed, on a page that exists only here: what a new page of this kind costs, and gets."""

from __future__ import annotations

import html
import re

import pytest
from flask import Blueprint, redirect, render_template_string, request
from flask.typing import ResponseReturnValue

from smartapp.access import PageRights
from smartapp.fhir.store import Conflict, Forbidden, Gone, Refused, Unreachable
from smartapp.services import KEY
from smartapp.web import typed
from smartapp.web.fields import Field, FieldOption, both_versions, filled, problems_in
from smartapp.web.forms import ATTEMPTS, Saved, Sketch, Trouble, merged, posted, tried
from tests.smartapp.helpers import launched, make_app, with_rights

WISH = typed.Part[str](("wish",), lambda text: {"wish": text}, lambda _text, values: values["wish"])
FIELDS = (Field("wish", "Wish"),)
PAGE = """
{% from "components/forms.html" import kept_form, unsaved %}
{% from "components/fields.html" import choose_version, form_fields %}
{% if draft %}{{ unsaved("Not saved yet.") }}{% endif %}<p>{{ said }}</p>
{% call kept_form("Kept.") %}
  {% if both %}{{ choose_version(both, "There now") }}{% else %}{{ form_fields(fields) }}{% endif %}
{% endcall %}
"""
JSON = {"Accept": "application/json"}


class Shelf:
    """A record of one text. `error`: what the next writes raise; `first`: what someone else writes just before one."""

    def __init__(self) -> None:
        self.text, self.error, self.first, self.arrives = "", None, [], True

    def write(self, before: str, after: str) -> Saved:
        if self.error:
            raise self.error
        if self.first:
            self.text = self.first.pop(0)
            raise Conflict("Someone else was quicker.", None)
        assert self.text == before
        self.text = after
        return Saved(arrived=self.arrives)


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def app(shelf, monkeypatch):
    own = frozenset(("client", "clinician"))
    with_rights(monkeypatch, {"wishes.wish": PageRights(own, own)})
    pages = Blueprint("wishes", __name__)

    @pages.route("/", methods=["GET", "POST"])
    def wish() -> ResponseReturnValue:
        sketch = Sketch("wishes", WISH.fields, posted())
        if (answer := sketch.answered()) is not None:
            return answer
        if request.method == "GET":
            opened = sketch.opened(WISH.read(shelf.text))
            fields = filled(FIELDS, opened.values, opened.based_on, {})
            return render_template_string(PAGE, fields=fields, draft=opened.draft)
        sent = typed.submitted(WISH, sketch.form)
        outcome = sketch.take(
            lambda: merged(
                lambda now: typed.merge_form(WISH, now, sent),
                shelf.text,
                again=lambda: shelf.text,
                write=shelf.write,
            )
        )
        if isinstance(outcome, Saved):
            return redirect(request.path, 303)
        if isinstance(outcome, typed.Clash):
            return render_template_string(PAGE, both=both_versions(outcome, FIELDS)), 409
        problems = outcome.problems if isinstance(outcome, typed.Wrong) else {}
        fields = filled(FIELDS, sent.values, sent.based_on, problems)
        said, status = (outcome.sentence, outcome.status) if isinstance(outcome, Trouble) else ("", 422)
        return render_template_string(PAGE, fields=fields, said=said), status

    app = make_app()
    app.register_blueprint(pages, url_prefix="/l/<launch_id>/wishes")
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture
def anna(app):
    return launched(app)


def shown(visitor):
    return html.unescape(re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", visitor.get("wishes/").text, re.DOTALL)[1])


def seen(visitor):
    return re.search(r'name="seen-wish" value="([^"]*)"', visitor.get("wishes/").text)[1]


def send(visitor, text, *, based_on=None, **kwargs):
    based_on = seen(visitor) if based_on is None else based_on
    return visitor.post("wishes/", {"wish": text, "seen-wish": based_on}, **kwargs)


def test_what_is_typed_is_kept_and_not_saved(anna, shelf):
    assert send(anna, "Half een w", headers=JSON).json == {"saved": True}
    assert (shown(anna), shelf.text) == ("Half een w", "")
    assert "Not saved yet." in anna.get("wishes/").text


def test_what_is_too_long_to_be_saved_is_kept_and_says_so_while_it_is_typed(anna):
    assert send(anna, "x" * 20_000, headers=JSON).json == {"saved": True}
    says = send(anna, "x" * 20_001, headers=JSON).json["says"]
    assert "20.000" in says
    assert "20.001" in says
    assert len(shown(anna)) == 20_001


def test_only_its_writer_sees_it(app, anna):
    send(anna, "Half een w", headers=JSON)
    assert shown(launched(app, role="clinician")) == ""


def test_a_save_ends_the_sketch_once_the_record_has_the_words(anna, shelf):
    send(anna, "Half een w", headers=JSON)
    assert send(anna, "Een wens.").status_code == 303
    assert shelf.text == "Een wens."
    assert "Not saved yet." not in anna.get("wishes/").text


def test_what_waits_stays_with_its_writer_too(anna, shelf):
    shelf.arrives = False
    send(anna, "Een wens.")
    shelf.text = ""  # refused on its way
    assert shown(anna) == "Een wens."


def test_it_is_thrown_away_with_a_button(anna):
    send(anna, "Half een w", headers=JSON)
    assert anna.post("wishes/", {"sketch": "discard"}).status_code == 303
    assert shown(anna) == ""


def test_a_sketch_that_grew_old_replaces_no_newer_words(anna, shelf):
    send(anna, "Half een w", headers=JSON)
    shelf.text = "Nieuwer."
    answer = send(anna, "Half een w")
    assert (answer.status_code, shelf.text) == (409, "Nieuwer.")
    assert "Nieuwer." in answer.text
    assert "Half een w" in answer.text


@pytest.mark.parametrize(
    ("choice", "status", "kept"), [("typed", 303, "Toch dit."), ("stored", 303, "Nieuwer."), ("", 409, "Nieuwer.")]
)
def test_of_two_versions_one_is_chosen_and_none_without_a_choice(anna, shelf, choice, status, kept):
    shelf.text = "Eerst."
    based_on = seen(anna)
    shelf.text = "Nieuwer."
    page = send(anna, "Van mij.", based_on=based_on).text
    now_seen = re.search(r'name="seen-wish" value="([^"]*)"', page)[1]
    form = {"wish": "Toch dit.", "seen-wish": now_seen, "asked-wish": "1", "choice-wish": choice}
    assert (anna.post("wishes/", form).status_code, shelf.text) == (status, kept)


def test_a_text_that_is_too_long_comes_back_with_the_reason(anna, shelf):
    answer = send(anna, "x" * (typed.LONGEST + 1))
    assert (answer.status_code, shelf.text) == (422, "")
    assert 'id="wish-error"' in answer.text


def test_a_problem_leads_to_its_field_or_to_its_first_choice():
    options = (FieldOption("a", "A"), FieldOption("b", "B"))
    wrong = [
        Field("wish", "Wish", problem="Too long."),
        Field("who", "Who", kind="choices", options=options, problem="?"),
    ]
    assert [one["field"] for one in problems_in([*wrong, Field("fine", "Fine")])] == ["wish", "who-a"]


def test_a_text_that_someone_else_changed_at_the_same_moment_is_shown_and_not_replaced(anna, shelf):
    shelf.first = ["Van een ander."]
    answer = send(anna, "Een wens.")
    assert (answer.status_code, shelf.text) == (409, "Van een ander.")
    assert "Van een ander." in answer.text
    assert shown(anna) == "Een wens."


def test_a_write_beside_the_same_text_is_tried_again(anna, shelf):
    shelf.first = ["", ""]
    assert send(anna, "Een wens.").status_code == 303
    assert shelf.text == "Een wens."


def test_whoever_is_never_quick_enough_is_told_so(anna, shelf):
    shelf.first = [""] * ATTEMPTS
    assert send(anna, "Een wens.").status_code == 409
    assert (shown(anna), shelf.text) == ("Een wens.", "")


@pytest.mark.parametrize(
    ("error", "status"), [(Unreachable("away"), 503), (Refused("no"), 422), (Forbidden("no"), 422)]
)
def test_a_record_that_does_not_take_it_costs_no_words(anna, shelf, error, status):
    shelf.error = error
    answer = send(anna, "Een wens.")
    assert (answer.status_code, shown(anna)) == (status, "Een wens.")
    assert "Een wens." in answer.text


def test_an_error_that_ends_the_page_leaves_the_words_in_the_form(anna, shelf):
    shelf.error = Gone("it was here")
    assert send(anna, "Een wens.").status_code >= 400
    assert shown(anna) == "Een wens."


def test_an_error_that_is_no_trouble_is_raised():
    def fail() -> None:
        raise LookupError("a fault of ours")

    with pytest.raises(LookupError):
        tried(fail)
