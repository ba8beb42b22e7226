"""The pages of a questionnaire: list, intro, one question, pause, review, sent."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.answers import Answers, ResponseRef
from mappers.helper import ROLES, Helper
from mappers.sharing.parts import answers_part
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument, Item
from smartapp.fhir.store import RecordError, Unauthorized
from smartapp.i18n import message
from smartapp.pages.questionnaire import parts, responses
from smartapp.pages.questionnaire.before import in_reach, just_sent, last_sent, sent_here
from smartapp.pages.questionnaire.drafting import ChangedElsewhere, Given, about, keep_answer, keep_helper, keep_ticks
from smartapp.pages.questionnaire.filling import (
    AnswerError,
    Filling,
    OtherVersion,
    draft_of,
    filling_of,
    finished,
    raw_answers,
    raw_text,
    taken_over,
)
from smartapp.pages.questionnaire.sending import already_sent, corrected_on, send, send_later
from smartapp.pages.questionnaire.views import (
    IntroPage,
    QuestionnairesPage,
    RenewedPage,
    explained,
    question_page,
    review_page,
)
from smartapp.pages.questionnaire.waiting import open_assignments, to_do_now
from smartapp.storage.doors import LOGGED_AS
from smartapp.web import current
from smartapp.web.device import Said, door_here, left
from smartapp.web.language import _, language
from smartapp.web.left_behind import left_behind
from smartapp.web.typed import clean, digest

blueprint = Blueprint("questionnaire", __name__, url_prefix="/questionnaires", template_folder="templates")
blueprint.add_url_rule("/responses/<response_id>", view_func=responses.response)
blueprint.add_url_rule("/<instrument_id>/parts/<group_id>", view_func=parts.part)
blueprint.add_url_rule("/<instrument_id>/parts/<group_id>", view_func=parts.keep_part, methods=["POST"])
blueprint.add_url_rule("/responses/<response_id>/correct", view_func=responses.correct, methods=["POST"])


@blueprint.context_processor
def _choices() -> dict[str, Any]:
    return {"choice_name": choice_name, "just_sent": just_sent, "left_behind": left_behind}


def choice_name() -> str:
    """Return the name under which a browser keeps whether questions go on by themselves: each user has their own."""
    launch = current.launch()
    return "verstel-" + current.services().vault.digest(f"goes-by-itself|{launch.issuer_key}|{launch.user.key}")[:16]


LONGEST_NAME: Final = 200
CHANGED: Final = message("Something changed since you opened this page. Look once more before you send it in.")
NO_ANSWERS: Final = message("There are no answers yet. Answer at least one question before you send this in.")
NOT_SENT: Final = message("Your answers are not sent in yet. They are safe here. Try again in a moment.")


class LookAgain(Exception):
    """Sending in stopped before its end and the draft is still there; `problem` says why, `status` is the page's."""

    def __init__(self, problem: str, status: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.status = status


@blueprint.errorhandler(OtherVersion)
def renewed(other: OtherVersion) -> tuple[str, int]:
    """Show what was answered in an older version, wherever that draft turns up, and offer to go on with what fits.

    What a form sent along was not kept, so it is shown beside it.
    """
    instrument = _instrument((request.view_args or {}).get("instrument_id", ""))
    answers = [(text, raw_text(given)) for _id, text, given in raw_answers(other.draft)]
    page = RenewedPage(instrument, answers, taken_over(instrument, other.draft)[1])
    typed = request.form.get("answer", "").strip()
    return render_template("questionnaire/renewed.html", page=page, typed=typed), 409 if request.form else 200


@blueprint.errorhandler(LookAgain)
def look_again(reason: LookAgain) -> tuple[str, int]:
    """Show the answers as they are kept now, and why they have to be looked at once more."""
    filling = _filling(_instrument((request.view_args or {}).get("instrument_id", "")))
    # Only if the answers changed: a record that did not take them just now would be asked, and waited for, again.
    correcting = _correcting(filling) if reason.problem == CHANGED else None
    return render_template(
        "questionnaire/review.html", page=review_page(filling, _(reason.problem), correcting)
    ), reason.status


# ---- reading ---------------------------------------------------------------------------------------------------


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show what is waiting, and what can be filled in without being asked."""
    found = in_reach(current.records())
    tasks, responses = found or ((), sent_here(current.records()))
    entries = to_do_now(current.records(), tasks, catalogue(), current.today())
    known = {entry.instrument.id for entry in entries}
    others = [one for key, one in catalogue().asked.items() if key not in known]
    page = QuestionnairesPage(entries, others, last_sent(responses, catalogue()), record_away=found is None)
    return render_template("questionnaire/list.html", page=page)


@blueprint.get("/<instrument_id>/")
def intro(instrument_id: str) -> ResponseReturnValue:
    """Say what it is, how long it takes and who sees it; or where the client left off."""
    instrument = _instrument(instrument_id)
    if current.launch().handed:  # a device has a first page of its own, and reads nothing of the record
        return redirect(url_for("door.begin"), 303)
    filling = _filling(instrument)
    tasks, responses = in_reach(current.records()) or ((), sent_here(current.records()))
    assignments = open_assignments(tasks, catalogue(), current.today())
    resume = filling.resume()
    page = IntroPage(
        instrument=instrument,
        filling=filling,
        assignment=assignments.get(instrument.id),
        before=last_sent(responses, catalogue()).get(instrument.id),
        resume=resume.link_id if resume else None,
        begun=bool(filling.values),
    )
    return render_template("questionnaire/intro.html", page=page)


@blueprint.get("/<instrument_id>/questions/<link_id>")
def question(instrument_id: str, link_id: str) -> ResponseReturnValue:
    """Show one question with its answer so far."""
    instrument = _instrument(instrument_id)
    item = _item(instrument, link_id)
    filling = _filling(instrument)
    if not filling.asks(item):
        return redirect(url_for(".intro", instrument_id=instrument.id), 303)
    first = filling.list_of(item)[0]
    if item is not first:  # it is on a list with others
        return redirect(_question_address(instrument.id, first, from_review="review" in request.args), 303)
    page = question_page(filling, item, from_review="review" in request.args)
    return render_template("questionnaire/question.html", page=page)


@blueprint.get("/<instrument_id>/pause")
def pause(instrument_id: str) -> ResponseReturnValue:
    """Say that the answers so far are kept."""
    instrument = _instrument(instrument_id)
    filling = _filling(instrument)
    return render_template("questionnaire/pause.html", instrument=instrument, filling=filling)


@blueprint.get("/<instrument_id>/review")
def review(instrument_id: str) -> ResponseReturnValue:
    """Show every answer once more, with a way to change each."""
    instrument = _instrument(instrument_id)
    filling = _filling(instrument)
    page = review_page(filling, correcting=_correcting(filling))
    return render_template("questionnaire/review.html", page=page)


@blueprint.get("/<instrument_id>/again")
def again(instrument_id: str) -> ResponseReturnValue:
    """Ask whether the answers so far may be thrown away."""
    instrument = _instrument(instrument_id)
    draft = current.records().drafts.get(instrument.id)
    answers = [(text, raw_text(answer)) for _id, text, answer in raw_answers(draft.resource)] if draft else []
    return render_template("questionnaire/again.html", instrument=instrument, answers=answers)


# ---- writing ---------------------------------------------------------------------------------------------------


@blueprint.post("/<instrument_id>/questions/<link_id>")
def answer(instrument_id: str, link_id: str) -> ResponseReturnValue:
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
            error=explained(error),
        )
        return render_template("questionnaire/question.html", page=page), 422
    return redirect(_next_address(filling, item), 303)


@blueprint.post("/<instrument_id>/questions/<link_id>/autosave")
def autosave(instrument_id: str, link_id: str) -> ResponseReturnValue:
    """Keep one answer while the person is still on the page. "saved" is said only after it is in the database."""
    instrument = _instrument(instrument_id)
    item = _item(instrument, link_id)
    try:
        filling = _keep(instrument, item)
    except OtherVersion:
        # A script has no use for the page that tells of this: it stops, and Next leads there.
        return jsonify(stop=_("This questionnaire was renewed. Press Next to see your answers.")), 409
    except ChangedElsewhere as changed:
        there = changed.filling.text(item)
        sentence = _("Another tab has another text here. Press Next to see both.")
        return jsonify(stop=sentence, stands={"answer": there}, fields={"was": digest(there)}), 409
    except AnswerError as error:
        return jsonify(stop=explained(error)), 422
    # The script fetches the next page ahead, so that going on takes no time.
    after = _after(filling, item, from_review="from_review" in request.form)
    return jsonify(saved=True, fields={"was": digest(filling.text(item))}, next=after)


@blueprint.post("/<instrument_id>/again")
def begin_again(instrument_id: str) -> ResponseReturnValue:
    """Throw the draft away."""
    instrument = _instrument(instrument_id)
    current.records().drafts.delete(instrument.id)
    return redirect(url_for(".intro", instrument_id=instrument.id), 303)


@blueprint.post("/<instrument_id>/take-over")
def take_over(instrument_id: str) -> ResponseReturnValue:
    """Go on in the renewed questionnaire with the answers that fit."""
    instrument = _instrument(instrument_id)

    def update(draft: dict[str, Any] | None) -> dict[str, Any]:
        # A second press: the draft was taken over already, or thrown away.
        if draft is None or draft.get("questionnaire") == instrument.canonical:
            return draft or draft_of(Filling.of(instrument), _about())
        return draft_of(taken_over(instrument, draft)[0], _about())

    current.records().drafts.change(instrument.id, update)
    return redirect(url_for(".intro", instrument_id=instrument.id), 303)


@blueprint.post("/<instrument_id>/helper")
def helper(instrument_id: str) -> ResponseReturnValue:
    """Keep who helped, while the person is still on the page where it is sent in."""
    _keep_helper(_instrument(instrument_id))
    return jsonify(saved=True)


@blueprint.post("/<instrument_id>/submit")
def submit(instrument_id: str) -> ResponseReturnValue:
    """Send in the response with its scores as one unit; only then is the draft deleted."""
    instrument = _instrument(instrument_id)
    filling = _keep_helper(instrument)
    # A second press of the button: the first sent the answers in and took the draft away. A device is wiped by then.
    handed = current.launch().handed
    again = not filling.given and not handed
    if again and (sent := already_sent(current.records(), request.form.get("identifier", ""))):
        return redirect(url_for(".response", response_id=sent.resource["id"], sent="1"), 303)
    # The review says which answers it showed. What another tab saved since was never looked over.
    if request.form.get("seen", filling.digest) != filling.digest:
        raise LookAgain(CHANGED, 409)
    if not filling.given:
        raise LookAgain(NO_ANSWERS, 422)
    answers = finished(filling, _about())
    try:
        record = send(current.records(), answers)
    except Unauthorized:
        if not handed:
            raise  # only a new sign-in helps, and that page says so; the draft stays
        # Nobody can sign in on this device. It is sent when who gave it signs in again.
        send_later(current.records(), answers)
        return _left_on_device(answers, "on-its-way")
    except RecordError as error:
        raise LookAgain(NOT_SENT, 502) from error
    current.services().reminders.answered(current.launch(), instrument.id)

    # Sending can take a while. What was answered meanwhile stays, and sending that in amends this.
    def as_sent(draft: dict[str, Any]) -> bool:
        return filling_of(instrument, draft, catalogue()).given == filling.given

    if not current.records().drafts.delete(instrument.id, as_sent):
        raise LookAgain(CHANGED, 409)
    if handed:
        return _left_on_device(answers, "sent" if record.state == "stored" else "on-its-way")
    return redirect(url_for(".response", response_id=record.resource["id"], sent="1"), 303)


# ---- parts -----------------------------------------------------------------------------------------------------


def _instrument(instrument_id: str) -> Instrument:
    if instrument_id not in catalogue().asked:
        abort(404)
    return catalogue().asked[instrument_id]


def _item(instrument: Instrument, link_id: str) -> Item:
    try:
        return instrument.item(link_id)
    except KeyError:
        abort(404)


def _filling(instrument: Instrument) -> Filling:
    draft = current.records().drafts.get(instrument.id)
    return filling_of(instrument, draft.resource if draft else None, catalogue())


def _left_on_device(answers: Answers, said: Said) -> ResponseReturnValue:
    """Wipe the device on which answers were sent in, or kept to be sent, and note that."""
    core, instrument, door = current.services(), answers.instrument.id, door_here() or abort(404)
    core.reminders.answered(current.launch(), instrument)
    core.audit.record(current.launch(), "create", [LOGGED_AS], parts=[answers_part(instrument)])
    current.records().drafts.delete(instrument)
    return left(door, "sent", said, response=answers.response.identifier)


def _correcting(filling: Filling) -> str | None:
    """Return when the response was filled in that this draft corrects; a device only ever sends something new."""
    return None if current.launch().handed else corrected_on(current.records(), filling.identifier)


def _about() -> ResponseRef:
    return about(current.launch(), current.now(), language())


def _keep(instrument: Instrument, item: Item) -> Filling:
    """Put the form's answer into the draft. Raises what `keep_answer` raises.

    With nothing chosen the draft stays as it is: another tab may have answered.
    """
    clear, field = "clear" in request.form, request.form.get("answer")
    ticks = _filling(instrument).list_of(item)
    if len(ticks) > 1:
        ticked = [] if clear else request.form.getlist("answer")
        whole = not clear and request.endpoint == f"{blueprint.name}.answer"
        return keep_ticks(
            current.records().drafts, instrument, ticks, ticked, whole=whole, about=_about(), catalogue=catalogue()
        )
    if field is None and not clear:
        return _filling(instrument)
    given = Given(None if clear else field, based_on=request.form.get("was"))
    return keep_answer(current.records().drafts, instrument, item, given, about=_about(), catalogue=catalogue())


def _keep_helper(instrument: Instrument) -> Filling:
    """Keep what the form says about who helped; a form that does not ask changes nothing."""
    form = request.form
    if "with" not in form and not form.get("helper-name"):
        return _filling(instrument)
    role = form.get("helper-role", "")
    helped = Helper(clean(form.get("helper-name", ""))[:LONGEST_NAME], role if role in ROLES else "")
    told = helped or None if form.get("with") != "alone" else None
    return keep_helper(current.records().drafts, instrument, told, about=_about(), catalogue=catalogue())


def _next_address(filling: Filling, item: Item) -> str:
    """Return the address that the pressed button leads to."""
    form, here = request.form, filling.instrument.id
    if "pause" in form:
        return url_for(".pause", instrument_id=here)
    if "clear" in form:
        # Back to the same question, to show that the answer is gone.
        return _question_address(here, item, from_review="from_review" in form)
    if "previous" in form:
        before = filling.before(item)
        return _question_address(here, before) if before else url_for(".intro", instrument_id=here)
    return _after(filling, item, from_review="from_review" in form)


def _after(filling: Filling, item: Item, *, from_review: bool) -> str:
    """Return the address of what comes after a question."""
    here, after = filling.instrument.id, filling.after(item)
    if after is None or (from_review and not _opens(item, after, filling)):
        return url_for(".review", instrument_id=here)
    return _question_address(here, after)


def _opens(item: Item, after: Item, filling: Filling) -> bool:
    """Tell whether an answer changed in the review made a new question appear, to be asked before going back."""
    opened = after.enable_when is not None and after.enable_when.item == item.link_id
    return opened and after.link_id not in filling.values


def _question_address(instrument_id: str, item: Item, *, from_review: bool = False) -> str:
    address = url_for(".question", instrument_id=instrument_id, link_id=item.link_id)
    return f"{address}?review=1" if from_review else address


def _both_texts(filling: Filling, item: Item) -> str:
    page = question_page(
        filling,
        item,
        from_review="from_review" in request.form,
        typed=request.form.get("answer", ""),
        other_text=filling.text(item),
    )
    return render_template("questionnaire/question.html", page=page)
