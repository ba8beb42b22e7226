"""The pages of a questionnaire: list, intro, one question, pause, review, sent."""

from __future__ import annotations

import re
import uuid
from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from mappers.answers import IDENTIFIER_SYSTEM
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument, Item
from smartapp.fhir.store import Conflict, NotFound, Query, RecordError, Unauthorized, Unreachable
from smartapp.pages.questionnaire.filling import (
    AnswerError,
    Filling,
    NotAnOptionError,
    OtherVersion,
    Who,
    answers_in_words,
    draft_of,
    filling_of,
    finished,
    identifier_of,
    in_words,
    parse,
    taken_over,
    with_answer,
)
from smartapp.pages.questionnaire.sending import amendment, says_otherwise, waiting_for, writes_of
from smartapp.pages.questionnaire.views import (
    IntroPage,
    ListPage,
    RenewedPage,
    SentPage,
    answer_groups,
    field_value,
    question_page,
    review_page,
)
from smartapp.pages.questionnaire.waiting import Waiting, answered_on_their_way, waiting
from smartapp.records import Record
from smartapp.web import current
from smartapp.web.language import _, language
from smartapp.web.roles import role
from smartapp.web.typed import clean, digest, merge

blueprint = Blueprint("questionnaire", __name__, url_prefix="/questionnaires", template_folder="templates")

_IDENTIFIER = re.compile(r"[A-Za-z0-9.-]{1,64}")

Page = str | tuple[str, int] | AnyResponse


class ChangedElsewhere(Exception):
    """Another tab saved another text for this question; `filling` is what stands there now."""

    def __init__(self, filling: Filling) -> None:
        super().__init__("Another tab saved another text for this question.")
        self.filling = filling


@blueprint.errorhandler(OtherVersion)
def renewed(other: OtherVersion) -> tuple[str, int]:
    """Show what was answered in an older version, wherever that draft is met, and offer to go on with what fits.

    What a form brought along is shown beside it: it was not kept.
    """
    instrument = _instrument((request.view_args or {}).get("instrument_id", ""))
    answers = [(text, in_words(given)) for _id, text, given in answers_in_words(other.draft)]
    page = RenewedPage(instrument, answers, taken_over(instrument, other.draft)[1])
    typed = request.form.get("answer", "").strip()
    return render_template("questionnaire/renewed.html", page=page, typed=typed), 409 if request.form else 200


# ---- reading ---------------------------------------------------------------------------------------------------


@blueprint.get("/")
@role("client")
def index() -> Page:
    """Show what is waiting and what one may fill in unasked."""
    tasks = _tasks_if_in_reach()
    entries = waiting_now(tasks or [])
    known = {entry.instrument.id for entry in entries}
    others = [one for key, one in catalogue().instruments.items() if key not in known]
    page = ListPage(entries, others, record_away=tasks is None)
    return render_template("questionnaire/list.html", page=page)


@blueprint.get("/<instrument_id>/")
@role("client")
def intro(instrument_id: str) -> Page:
    """Say what it is, how long it takes and who sees it; or where one was."""
    instrument = _instrument(instrument_id)
    filling = _filling(instrument)
    entry = next(
        (one for one in waiting(_tasks_if_in_reach() or (), (), catalogue()) if one.instrument.id == instrument.id),
        None,
    )
    resume = filling.resume()
    page = IntroPage(
        instrument=instrument,
        filling=filling,
        assignment=entry.assignment if entry else None,
        resume=resume.link_id if resume else None,
        begun=bool(filling.values),
    )
    return render_template("questionnaire/intro.html", page=page)


@blueprint.get("/<instrument_id>/questions/<link_id>")
@role("client")
def question(instrument_id: str, link_id: str) -> Page:
    """Show one question with the answer as it stands."""
    instrument = _instrument(instrument_id)
    item = _item(instrument, link_id)
    filling = _filling(instrument)
    if not filling.asks(item):
        return redirect(url_for(".intro", instrument_id=instrument.id), 303)
    page = question_page(filling, item, from_review="review" in request.args)
    return render_template("questionnaire/question.html", page=page)


@blueprint.get("/<instrument_id>/pause")
@role("client")
def pause(instrument_id: str) -> Page:
    """Say what is kept."""
    instrument = _instrument(instrument_id)
    filling = _filling(instrument)
    return render_template("questionnaire/pause.html", instrument=instrument, filling=filling)


@blueprint.get("/<instrument_id>/review")
@role("client")
def review(instrument_id: str) -> Page:
    """Show every answer once more, with a way to change each."""
    instrument = _instrument(instrument_id)
    filling = _filling(instrument)
    page = review_page(filling, correcting=_corrects(filling))
    return render_template("questionnaire/review.html", page=page)


@blueprint.get("/<instrument_id>/again")
@role("client")
def again(instrument_id: str) -> Page:
    """Ask whether the answers so far may go."""
    instrument = _instrument(instrument_id)
    draft = current.records().drafts.get(instrument.id)
    answers = [(text, in_words(answer)) for _id, text, answer in answers_in_words(draft.resource)] if draft else []
    return render_template("questionnaire/again.html", instrument=instrument, answers=answers)


@blueprint.get("/responses/<response_id>")
@role("client")
def response(response_id: str) -> Page:
    """Read back what was sent in."""
    record = _own_response(response_id)
    try:
        instrument = catalogue().by_canonical(record.resource.get("questionnaire", ""))
        filling = filling_of(instrument, record.resource, catalogue())
    except (LookupError, OtherVersion):
        answers = [(text, in_words(answer)) for _id, text, answer in answers_in_words(record.resource)]
        return render_template("questionnaire/unknown.html", record=record, answers=answers)
    page = SentPage(
        instrument=instrument,
        groups=answer_groups(filling),
        authored=record.resource.get("authored", ""),
        place=record.place if record.state == "stored" else "waiting",
        scored=bool(instrument.scores),
        just_sent="sent" in request.args,
        correctable=_correctable(record, instrument),
        response_id=record.resource["id"],
    )
    return render_template("questionnaire/sent.html" if page.just_sent else "questionnaire/response.html", page=page)


# ---- writing ---------------------------------------------------------------------------------------------------


@blueprint.post("/<instrument_id>/questions/<link_id>")
@role("client")
def answer(instrument_id: str, link_id: str) -> Page:
    """Keep one answer and go where the pressed button leads."""
    instrument = _instrument(instrument_id)
    item = _item(instrument, link_id)
    from_review = "from_review" in request.form
    try:
        filling = _keep(instrument, item)
    except ChangedElsewhere as changed:
        return _both_texts(changed.filling, item), 409
    except AnswerError as error:
        page = question_page(
            _filling(instrument),
            item,
            from_review=from_review,
            typed=request.form.get("answer", ""),
            error=_in_words(error),
        )
        return render_template("questionnaire/question.html", page=page), 422
    return redirect(_whereto(filling, item), 303)


@blueprint.post("/<instrument_id>/questions/<link_id>/autosave")
@role("client")
def autosave(instrument_id: str, link_id: str) -> Response | tuple[Response, int]:
    """Keep one answer while the person is still on the page. "saved" is said only after it is in the database."""
    instrument = _instrument(instrument_id)
    item = _item(instrument, link_id)
    try:
        filling = _keep(instrument, item)
    except OtherVersion:
        return jsonify(stop=_("This questionnaire was renewed. Press Next to see your answers.")), 409
    except ChangedElsewhere as changed:
        there = _text(changed.filling, item)
        sentence = _("Another tab has another text here. Press Next to see both.")
        return jsonify(stop=sentence, stands={"answer": there}, fields={"was": digest(there)}), 409
    except AnswerError as error:
        return jsonify(stop=_in_words(error)), 422
    return jsonify(saved=True, fields={"was": digest(_text(filling, item))})


@blueprint.post("/<instrument_id>/again")
@role("client")
def begin_again(instrument_id: str) -> Page:
    """Throw the draft away."""
    instrument = _instrument(instrument_id)
    current.records().drafts.delete(instrument.id)
    return redirect(url_for(".intro", instrument_id=instrument.id), 303)


@blueprint.post("/responses/<response_id>/correct")
@role("client")
def correct(response_id: str) -> Page:
    """Open a response once more as a draft of its own; sending that in amends the response and its scores."""
    record = _own_response(response_id)
    instrument = _by_canonical(record.resource.get("questionnaire", ""))
    if instrument is None or not _correctable(record, instrument):
        abort(404)
    sent = filling_of(instrument, record.resource, catalogue())

    def update(draft: dict[str, Any] | None) -> dict[str, Any]:
        return draft or _draft(sent)

    current.records().drafts.change(instrument.id, update)
    return redirect(url_for(".review", instrument_id=instrument.id), 303)


@blueprint.post("/<instrument_id>/take-over")
@role("client")
def take_over(instrument_id: str) -> Page:
    """Go on in the renewed questionnaire with the answers that fit."""
    instrument = _instrument(instrument_id)

    def update(draft: dict[str, Any] | None) -> dict[str, Any]:
        if draft is None or draft.get("questionnaire") == instrument.canonical:
            return draft or _draft(Filling(instrument, {}))
        return _draft(taken_over(instrument, draft)[0])

    current.records().drafts.change(instrument.id, update)
    return redirect(url_for(".intro", instrument_id=instrument.id), 303)


@blueprint.post("/<instrument_id>/submit")
@role("client")
def submit(instrument_id: str) -> Page:
    """Send in the response with its scores as one unit; only then the draft goes."""
    instrument = _instrument(instrument_id)
    filling = _filling(instrument)
    if not filling.given and (sent := _already_sent(request.form.get("identifier", ""))):
        return redirect(url_for(".response", response_id=sent.resource["id"], sent="1"), 303)
    if request.form.get("seen", filling.digest) != filling.digest:
        return _look_once_more(filling)
    if not filling.given:
        problem = _("There are no answers yet. Answer at least one question before you send this in.")
        return render_template("questionnaire/review.html", page=review_page(filling, problem)), 422
    made = finished(
        filling, who=_who(), now=current.now().isoformat(), language=language(), identifier=str(uuid.uuid4())
    )
    try:
        record = _send(made, instrument)
    except Unauthorized:
        raise  # only a new sign-in helps, and that page says so; the draft stays
    except RecordError:
        problem = _("Your answers are not sent in yet. They are safe here. Try again in a moment.")
        return render_template("questionnaire/review.html", page=review_page(filling, problem)), 502

    # Sending takes as long as the record takes: what was answered meanwhile stays, and sending that in amends this.
    def as_sent(draft: dict[str, Any]) -> bool:
        return filling_of(instrument, draft, catalogue()).digest == filling.digest

    if not current.records().drafts.delete(instrument.id, as_sent):
        return _look_once_more(_filling(instrument))
    return redirect(url_for(".response", response_id=record.resource["id"], sent="1"), 303)


def _look_once_more(filling: Filling) -> Page:
    problem = _("Something changed since you opened this page. Look once more before you send it in.")
    page = review_page(filling, problem, correcting=_corrects(filling))
    return render_template("questionnaire/review.html", page=page), 409


def waiting_now(tasks: list[Record]) -> list[Waiting]:
    """Return what is waiting for this person, given the Tasks of their record."""
    on_their_way = answered_on_their_way(current.records().waiting())
    return waiting(tasks, current.records().drafts.all(), catalogue(), on_their_way)


# ---- parts -----------------------------------------------------------------------------------------------------


def _instrument(instrument_id: str) -> Instrument:
    if instrument_id not in catalogue().instruments:
        abort(404)
    return catalogue().instruments[instrument_id]


def _item(instrument: Instrument, link_id: str) -> Item:
    try:
        return instrument.item(link_id)
    except KeyError:
        abort(404)


def _tasks() -> Query:
    return Query.of("Task", patient=current.launch().patient.reference)


def _tasks_if_in_reach() -> list[Record] | None:
    """Return the Tasks of this person, or None where the record does not answer: filling in goes on without it."""
    try:
        [tasks] = current.records().search(_tasks())
    except Unreachable:
        return None
    found: list[Record] = tasks
    return found


def _filling(instrument: Instrument) -> Filling:
    draft = current.records().drafts.get(instrument.id)
    return filling_of(instrument, draft.resource if draft else None, catalogue())


def _who() -> Who:
    patient, user = current.launch().patient, current.launch().user
    return Who(
        subject={"reference": patient.reference, "display": patient.display},
        author={"reference": user.reference, "display": user.display},
    )


def _draft(filling: Filling) -> dict[str, Any]:
    return draft_of(
        filling, who=_who(), now=current.now().isoformat(), language=language(), identifier=str(uuid.uuid4())
    )


def _keep(instrument: Instrument, item: Item) -> Filling:
    """Put the form's answer into the draft as it stands in the database now, and return the result.

    Nothing chosen leaves what is there: another tab may have answered. Raises AnswerError, OtherVersion or
    ChangedElsewhere; then the draft is as it was.
    """
    raw = request.form.get("answer")
    if "clear" in request.form:
        raw = None
    elif raw is None:
        return _filling(instrument)
    value = None if raw is None else parse(item, raw)
    was = request.form.get("was")
    language()  # read while there is a request; the update below runs inside a transaction
    kept: list[Filling] = []

    def update(draft: dict[str, Any] | None) -> dict[str, Any]:
        filling = filling_of(instrument, draft, catalogue())
        if item.kind == "text" and was is not None and not _replaces(was, _text(filling, item), str(value or "")):
            raise ChangedElsewhere(filling)
        kept.append(with_answer(filling, item, value))
        return _draft(kept[-1])

    present = current.records().drafts.get(instrument.id)
    if present is None and value is None:
        return Filling(instrument, {})
    current.records().drafts.change(instrument.id, update)
    return kept[-1]


def _replaces(was: str, stored: str, typed: str) -> bool:
    """Tell whether a typed text may take the place of the stored one.

    This page has one field, so where the stored text would stay, the person must see it before going on. A text that
    was emptied elsewhere holds no words to lose.
    """
    kept = merge(was, stored, typed)
    return not stored or (kept is not None and clean(kept) == typed)


def _text(filling: Filling, item: Item) -> str:
    """Return an answer as its form field has it; "" for none."""
    return field_value(filling.values.get(item.link_id)) or ""


def _whereto(filling: Filling, item: Item) -> str:
    """Return the address that the pressed button leads to."""
    form, here = request.form, filling.instrument.id
    if "pause" in form:
        return url_for(".pause", instrument_id=here)
    if "clear" in form:
        return _question_address(here, item, from_review="from_review" in form)
    if "previous" in form:
        before = filling.before(item)
        return _question_address(here, before) if before else url_for(".intro", instrument_id=here)
    after = filling.after(item)
    if after is None or ("from_review" in form and not _opens(item, after, filling)):
        return url_for(".review", instrument_id=here)
    return _question_address(here, after)


def _opens(item: Item, after: Item, filling: Filling) -> bool:
    """Tell whether an answer changed in the review made a new question appear, to be asked before going back."""
    opened = after.enable_when is not None and after.enable_when.item == item.link_id
    return opened and after.link_id not in filling.values


def _question_address(instrument_id: str, item: Item, *, from_review: bool = False) -> str:
    address = url_for(".question", instrument_id=instrument_id, link_id=item.link_id)
    return f"{address}?review=1" if from_review else address


def _send(made: dict[str, Any], instrument: Instrument) -> Record:
    """Write the unit; where an assignment was changed meanwhile, look again and send once more.

    An earlier try may have arrived after all, without us hearing of it. Its answers may differ from these: then these
    amend it.
    """
    try:
        saved = _write(made, instrument)
    except Conflict:
        saved = _write(made, instrument)
    if says_otherwise(saved[0].resource, made, catalogue()):
        saved = current.records().save(amendment(made, saved, catalogue()))
    return saved[0]


def _write(made: dict[str, Any], instrument: Instrument) -> list[Record]:
    [tasks] = current.records().search(_tasks())
    saved: list[Record] = current.records().save(writes_of(made, waiting_for(tasks, instrument.id), catalogue()))
    return saved


def _by_canonical(canonical: str) -> Instrument | None:
    """Return the instrument of a response where it is one that is filled in today."""
    return next((one for one in catalogue().instruments.values() if one.canonical == canonical), None)


def _correctable(record: Record, instrument: Instrument) -> bool:
    """Tell whether the client may change this response: theirs, arrived, of today's version, at a place that lets us.

    An unfinished questionnaire of the same kind goes first: a correction would have to take its place.
    """
    response = record.resource
    theirs = response.get("author", {}).get("reference") == current.launch().user.reference
    ours = (
        bool(_IDENTIFIER.fullmatch(identifier_of(response))) and response.get("questionnaire") == instrument.canonical
    )
    finished_once = response.get("status") in {"completed", "amended"}
    allowed = record.place != "ehr" or current.records().capability().can("QuestionnaireResponse", "update")
    free = current.records().drafts.get(instrument.id) is None
    return record.state == "stored" and theirs and ours and finished_once and allowed and free


def _corrects(filling: Filling) -> str | None:
    """Return when the response was filled in that this draft corrects; None for a new one or when none can be seen."""
    try:
        sent = _already_sent(filling.identifier)
    except Unreachable:
        return None
    return sent.resource.get("authored") if sent else None


def _already_sent(identifier: str) -> Record | None:
    """Return the response that a second press of the same button finds sent already."""
    if not _IDENTIFIER.fullmatch(identifier):  # a comma or bar would ask the server something else
        return None
    query = Query.of("QuestionnaireResponse", identifier=f"{IDENTIFIER_SYSTEM}|{identifier}")
    [found] = current.records().search(query)
    return found[0] if found else None


def _own_response(response_id: str) -> Record:
    """Return a response of this person; a 404 page for anybody else's."""
    try:
        record: Record = current.records().read("QuestionnaireResponse", response_id)
    except NotFound:
        # It was still on its way when this address was made; by now it may have arrived under another id.
        [found] = current.records().search(
            Query.of("QuestionnaireResponse", identifier=f"{IDENTIFIER_SYSTEM}|{response_id}")
        )
        if not found:
            abort(404)
        record = found[0]
    if record.resource.get("subject", {}).get("reference") != current.launch().patient.reference:
        abort(404)
    return record


def _in_words(error: AnswerError) -> str:
    if isinstance(error, NotAnOptionError):
        return _("This answer is not one of the options. Choose one, or go on without an answer.")
    return _("This is longer than we can keep. Shorten it a little.")


def _both_texts(filling: Filling, item: Item) -> str:
    page = question_page(
        filling,
        item,
        from_review="from_review" in request.form,
        typed=request.form.get("answer", ""),
        other_text=_text(filling, item),
    )
    return render_template("questionnaire/question.html", page=page)
