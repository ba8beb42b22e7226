"""The topics of a conversation: the list, what is possible about each, and what comes of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from flask import jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.agreements import Agreement
from mappers.decisions import MOST_OPTIONS, Decision
from mappers.talking import TalkingPoint, still_to_discuss, talking_point_of
from mappers.whose_words import may_be_anothers
from questionnaires.catalogue import catalogue
from questionnaires.standard_sentences import standard_sentences
from smartapp.errors import ChangedMeanwhile
from smartapp.i18n import message
from smartapp.pages.answers.finding import Sent, sent_in
from smartapp.pages.answers.views import is_conversation
from smartapp.pages.scores import asking
from smartapp.pages.together import agreed, keeping, now, screens, session, views
from smartapp.pages.together.found import Found, found_in, queries
from smartapp.pages.together.session import MOST_TOPICS, Session, Sessions
from smartapp.pages.together.views import Topic
from smartapp.storage.launches import Person, User
from smartapp.web import current, typed
from smartapp.web.dates import NOT_A_DATE, iso_date
from smartapp.web.forms import Trouble, is_autosave, posted
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of

NO_OUTCOME: Final = message("Choose where you end up.")
NO_WORDS: Final = message("Write down what you agree.")
OFF_THE_LIST: Final = message(
    "This topic is no longer on the list. Copy your text, and put the topic on the list again."
)
NO_VIEWS: Final = message("Write down how you see it. One of the two is enough.")


def discuss() -> ResponseReturnValue:
    """Make the list of what to talk about, from what the client prepared and marked."""
    sessions, names = screens.sessions(), session.topic_fields()
    if request.method == "POST":
        talk = _with_list(sessions, names)
        if is_autosave():
            return screens.kept_answer(talk, names)
        problems = screens.too_long(talk, names)
        if problems:
            return _discuss_page(talk, problems)
        if "add" not in request.form and "remove" not in request.form:
            return redirect(_after_list(talk), 303)
        return redirect(url_for("together.discuss", saved="topics"), 303)
    return _discuss_page(sessions.get())


def _discuss_page(talk: Session, problems: Mapping[str, str] | None = None) -> ResponseReturnValue:
    here = current.launch().patient.reference
    results = current.records().search(*queries(here, catalogue()), asking.responses_of(here))
    found = found_in(results[:3], catalogue())
    points = still_to_discuss([one.resource for one in results[2] if one.state != "refused"])
    taken = {talk.text(f"from-{number}") for number in talk.topics}
    topics = topics_of(talk, found)
    decided = {one.number for one in topics if one.decided}
    page = views.DiscussPage(
        prepared=now.only(now.prepared(one.resource for one in results[3]), ("purpose", "questions")),
        # What another program kept may have no words; then there is nothing to put on a list.
        points=tuple(
            views.Offered(one.words, id=one.id) for one in points if one.id not in taken and one.words.strip()
        ),
        unsettled=tuple(
            views.Offered(topic)
            for one in found.unsettled
            if not agreed.is_of(talk, one)
            and (topic := one.decision.topic).strip()
            and topic not in talk.topics.values()
        ),
        wishes=tuple(
            _wishes(
                sent_in(results[3]),
                [point for one in results[2] if (point := talking_point_of(one.resource))],
                spoken_of={*talk.topics.values(), *(one.decision.topic for one in found.decisions)},
            )
        ),
        topics=topics,
        fields=tuple(
            screens.field(talk, f"topic-{n}", problems) for n in range(1, MOST_TOPICS + 1) if n not in decided
        ),
        full=talk.free is None,
    )
    screen = screens.screen("discuss", onward=_after_list(talk), problems=problems)
    return render_template("together/discuss.html", page=page, screen=screen), 422 if problems else 200


def _wishes(
    sent: Iterable[Sent], points: Iterable[TalkingPoint], spoken_of: Collection[str]
) -> Iterable[views.Offered]:
    """Return the client's wishes of the newest form for a conversation, but for those that are marked or spoken of."""
    newest = next((one for one in sent if one.answers and is_conversation(one.answers.instrument)), None)
    if newest is None or newest.answers is None:
        return
    about = (point for point in points if point.answer.is_of(newest.record.resource))
    marked = {point.answer.link_id for point in about if point.waiting or point.discussed}
    for group in newest.answers.instrument.groups:
        for item in group.items:
            words = newest.answers.values.get(item.link_id)
            if item.kind == "text" and isinstance(words, str) and item.link_id not in marked and words not in spoken_of:
                yield views.Offered(words, text_of(group.title))


def _with_list(sessions: Sessions, names: Iterable[str]) -> Session:
    """Keep the list as typed, with what was added to it or taken off it by a button."""
    form = posted()

    def change(talk: Session) -> Session:
        talk = session.with_typed(talk, form, names)
        removed = form.get("remove", "")
        for number in range(1, MOST_TOPICS + 1):
            # While somebody types, an emptied field may be a topic that gets other words: only a button says it is off.
            emptied = f"topic-{number}" in talk.fields and number not in talk.topics and not is_autosave()
            if emptied or removed == str(number):
                talk = session.without_topic(talk, number)
        if removed:
            return talk
        # The id of the point that the client marked, "" for a topic of an earlier conversation; then the words.
        about, _bar, words = typed.clean(form.get("add", "")).partition("|")
        if words.strip() and talk.free is not None and words.strip() not in talk.topics.values():
            return session.with_fields(talk, {f"topic-{talk.free}": words.strip(), f"from-{talk.free}": about})
        return talk

    return sessions.change(change)


def _after_list(talk: Session) -> str:
    first = next(iter(talk.topics), None)
    return url_for("together.options", number=first) if first else url_for("together.report")


def _after_topic(talk: Session, number: int) -> str:
    following = next((n for n in talk.topics if n > number), None)
    return url_for("together.options", number=following) if following else url_for("together.report")


def topics_of(talk: Session, found: Found) -> tuple[Topic, ...]:
    """Return the list of this conversation, each topic with what the record has of it."""
    return tuple(
        Topic(number, text, found.decision(talk.topic_key(number)), url_for("together.agree", number=number))
        for number, text in talk.topics.items()
    )


def _with_kept(talk: Session, number: int, found: Found) -> Session:
    """Return the session with what the record has of a topic, where nothing newer is typed."""
    kept = found.decision(talk.topic_key(number))
    if kept is None:
        return talk
    fields = _fields_of(kept.decision, number)
    agreement = found.agreement(kept.key)
    if agreement is not None:
        fields |= _agreement_fields(agreement.agreement, number)
    return session.with_fields(talk, {**fields, **talk.fields})


def _fields_of(decision: Decision, number: int) -> dict[str, str]:
    fields = {
        session.option_field(number, place, part): getattr(option, part)
        for place, option in enumerate(decision.options, start=1)
        for part in ("what", "brings", "costs")
    }
    return fields | {
        f"outcome-{number}": decision.outcome,
        f"words-{number}": decision.words,
        f"client-view-{number}": decision.client_view,
        f"professional-view-{number}": decision.professional_view,
    }


def _agreement_fields(agreement: Agreement, number: int) -> dict[str, str]:
    here = current.launch()
    known = {here.patient.reference: "client", here.user.reference: "professional"}
    who = known.get(agreement.who_reference, "other" if agreement.who else "")
    return {
        f"who-{number}": who,
        f"who-name-{number}": agreement.who if who == "other" else "",
        f"due-{number}": agreement.due,
    }


def _off_the_list(talk: Session, number: int) -> bool:
    """Tell whether a topic, or the one that the form of this request is about, does not stand there any more."""
    about = request.form.get("topic", "")
    return number not in talk.topics or (bool(about) and about != talk.topic_key(number))


def _no_longer_there() -> ResponseReturnValue:
    """Go to the list; words that somebody sends are given back to them, since there is nothing to keep them under."""
    if request.method != "POST":
        return redirect(url_for("together.discuss"), 303)
    if is_autosave():
        return jsonify(stop=_(OFF_THE_LIST)), 409
    raise ChangedMeanwhile(OFF_THE_LIST)


# --- options ------


def options(number: int) -> ResponseReturnValue:
    """Write down what is possible about one topic, with what each brings and costs."""
    sessions = screens.sessions()
    if _off_the_list(sessions.get(), number):
        return _no_longer_there()
    names = session.option_fields(number)
    if request.method == "POST":
        talk = sessions.keep(posted(), names)
        if is_autosave():
            return screens.kept_answer(talk, names)
        problems = screens.too_long(talk, names)
        if problems:
            return _options_page(talk, number, problems)
        return redirect(url_for("together.agree", number=number, change=request.form.get("changing")), 303)
    return _options_page(sessions.get(), number)


def _options_page(talk: Session, number: int, problems: Mapping[str, str] | None = None) -> ResponseReturnValue:
    talk = _with_kept(talk, number, screens.found())
    fields = [
        views.OptionFields(
            place, *(screens.field(talk, session.option_field(number, place, part), problems) for part in _PARTS)
        )
        for place in range(1, MOST_OPTIONS + 1)
    ]
    # Two to begin with: with one there is nothing to choose.
    shown = max([2, *(one.number for one in fields if not one.empty)])
    page = views.OptionsPage(talk.topics[number], tuple(fields[:shown]), tuple(fields[shown:]))
    screen = screens.screen("options", onward=url_for("together.agree", number=number), problems=problems)
    return render_template(
        "together/options.html",
        page=page,
        screen=screen,
        change=request.form.get("changing") or request.args.get("change"),
        key=talk.topic_key(number),
    ), 422 if problems else 200


_PARTS: Final = ("what", "brings", "costs")


# --- what we agree ------


def agree(number: int) -> ResponseReturnValue:
    """Write down what comes of one topic, and put it into the record."""
    sessions = screens.sessions()
    if _off_the_list(sessions.get(), number):
        return _no_longer_there()
    names = session.decision_fields(number)
    if request.method == "POST" and is_autosave():
        return screens.kept_answer(sessions.keep(posted(), names), names)
    if request.method == "GET":
        return _agree_page(sessions.get(), number, screens.found(), reading="change" not in request.args)
    return _decide(number, sessions, names)


def _decide(number: int, sessions: Sessions, names: Iterable[str]) -> ResponseReturnValue:
    """Take what comes of a topic: back with what is to be mended, or into the record and on to the next."""
    talk, found = sessions.keep(posted(), names), screens.found()
    whole = _with_kept(talk, number, found)
    decision, due = whole.decision(number), iso_date(whole.text(f"due-{number}"))
    if screens.shows_otherwise(talk, names):
        return _agree_page(talk, number, found, trouble=_(screens.OTHER_TAB), status=409)
    problems = _decision_problems(decision, number, whole)
    mending = _agree_page(talk, number, found, problems=problems, status=422) if problems else None
    if mending := mending or _too_long_elsewhere(talk, whole, number):
        return mending
    agreement = _agreement(whole, number, due or "")
    try:
        outcome = screens.save(
            lambda: keeping.keep_decision(
                current.records(),
                decision,
                agreement,
                version=request.form.get("version", ""),
                was=request.form.get("was", ""),
                who=screens.typist(talk),
                known=catalogue(),
                about=talk.text(f"from-{number}"),
            )
        )
    except keeping.ChangedMeanwhile:
        return _agree_page(talk, number, screens.found(), trouble=_(screens.CHANGED), status=409, clash=True)
    if isinstance(outcome, Trouble):
        return _agree_page(talk, number, found, trouble=outcome.sentence, status=outcome.status)
    if outcome.arrived:
        # What was typed in a field that this outcome has no place for is not in the record, and so it stays here.
        unwritten = session.unwritten_fields(number, decision, whole.text(f"who-{number}"))
        gone = {*names, *session.option_fields(number)} - unwritten
        sessions.change(lambda now: session.without_fields(now, gone))
    # The client's own words, typed by a professional: whose they are is asked once they are saved, and blocks nothing.
    said = f"{decision.words}\n{decision.client_view}"
    asked = "whose" if may_be_anothers(said, standard_sentences()) else "decision"
    return redirect(f"{_after_topic(talk, number)}?saved={screens.mark(outcome, asked)}", 303)


def _too_long_elsewhere(talk: Session, whole: Session, number: int) -> ResponseReturnValue | None:
    """Return the page on which something about a topic can be made shorter, None where nothing has to be."""
    if long := screens.too_long(whole, [f"topic-{number}"]):
        return _discuss_page(talk, long)
    if long := screens.too_long(whole, session.option_fields(number)):
        return _options_page(talk, number, long)
    return None


def _decision_problems(decision: Decision, number: int, talk: Session) -> dict[str, str]:
    found: dict[str, str] = {}
    if not decision.outcome:
        found[f"outcome-{number}"] = NO_OUTCOME
    if decision.outcome == "agreed" and not decision.words.strip():
        found[f"words-{number}"] = NO_WORDS
    if decision.outcome == "differ" and not (decision.client_view.strip() or decision.professional_view.strip()):
        found[f"client-view-{number}"] = NO_VIEWS
    due = talk.text(f"due-{number}")
    if due and iso_date(due) is None:
        found[f"due-{number}"] = NOT_A_DATE
    return found | screens.too_long(talk, session.decision_fields(number))


def _agreement(talk: Session, number: int, due: str) -> Agreement:
    here, who = current.launch(), talk.text(f"who-{number}")
    people: Mapping[str, Person | User] = {"client": here.patient, "professional": here.user}
    person = people.get(who)
    return Agreement(
        key=talk.topic_key(number),
        text=talk.text(f"words-{number}"),
        who=(person.display if person else talk.text(f"who-name-{number}").strip() if who == "other" else ""),
        who_reference=person.reference if person else "",
        due=due,
    )


def _agree_page(
    talk: Session,
    number: int,
    found: Found,
    *,
    reading: bool = False,
    problems: Mapping[str, str] | None = None,
    trouble: str = "",
    status: int = 200,
    clash: bool = False,
) -> ResponseReturnValue:
    here, whole = current.launch(), _with_kept(talk, number, found)
    kept = found.decision(talk.topic_key(number))
    agreement = found.agreement(kept.key) if kept else None
    fields = screens.fields(whole, session.decision_fields(number), problems)
    page = views.AgreePage(
        topic=talk.topics[number],
        options=whole.decision(number).weighed,
        fields={name.removesuffix(f"-{number}"): one for name, one in fields.items()},
        client=here.patient.display or _("The client"),
        professional=here.user.display or _("The professional"),
        version=(kept.record.etag or "") if kept else "",
        kept=kept if reading else None,
        agreement=agreement.agreement if agreement else None,
        place=screens.place(kept.record if kept else None, "QuestionnaireResponse"),
        clash=kept.decision if clash and kept else None,
    )
    screen = screens.screen(
        "agree",
        back=url_for("together.options", number=number, change=None if reading or not kept else "1"),
        onward=_after_topic(talk, number),
        trouble=trouble,
        problems=problems,
    )
    outcomes = [{"value": value, "label": _(text)} for value, text in views.OUTCOME_TEXTS.items()]
    return render_template(
        "together/agree.html",
        page=page,
        screen=screen,
        number=number,
        outcomes=outcomes,
        hints=views.hints(),
        key=talk.topic_key(number),
    ), status
