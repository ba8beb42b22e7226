"""Choosing up to five life domains; one that leaves the plan with words in it is asked about, and can be taken back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.plan import MOST_DOMAINS, DomainAnswers, Plan
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query
from smartapp.pages.plan import sections, stored, views
from smartapp.pages.plan.sections import Section
from smartapp.pages.plan.service import change, load, plan_in
from smartapp.pages.plan.stored import StoredPlan
from smartapp.web import current, typed, undoing
from smartapp.web.confirming import Press, pressed
from smartapp.web.editing import TOO_LATE, waiting
from smartapp.web.fields import FieldOption
from smartapp.web.forms import Saved, Trouble, posted
from smartapp.web.language import gettext as _
from smartapp.web.language import ngettext
from smartapp.web.plan_views import Words, domain_view
from smartapp.web.typed import Accepted, Clash, Submitted, Wrong


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a form holds: the choice, whether it shows areas about the family, and what is taken back with it.

    `undo` is the id of what was done, "" where nothing is taken back; `again` the answers that left the plan with it.
    """

    chosen: list[str]
    based_on: str
    family: bool
    undo: str = ""
    again: tuple[DomainAnswers, ...] = ()


@dataclass(frozen=True, slots=True)
class _Change:
    """What a choice does to the plan: the choice before and after it, and the areas that leave with words in them."""

    chosen_before: list[str]
    seen_after: str
    plan: Plan
    leaving: tuple[DomainAnswers, ...]


def _asks() -> Press | None:
    """Return what the client is asked before a choice of areas is saved; None where it can't be, or says less of them.

    Before words leave the plan a page shows those (`LeavePage`); what is said there is asked about, and not before it.
    """
    words, form, back = Words.of(catalogue()), posted(), url_for("plan.domains")
    if undoing.FIELD in form and "domains" not in form:
        return Press(_("It becomes as it was before."), back)
    chosen = sections.codes(typed.clean(form.get("domains", "")))
    if len(chosen) > MOST_DOMAINS or not set(chosen) <= set(words.domains):
        return None
    plan = load().plan
    section = sections.domains(list(words.domains))
    leaving = sections.answered_domains_removed(plan, section.apply(plan, {"domains": ",".join(chosen)}))
    if leaving and "remove" not in form:
        return None
    names = [title for code, title in words.domains.items() if code in chosen]
    sentence = _("You choose these areas of your life:") if names else _("You choose no area of your life.")
    return Press(sentence, back, lines=tuple(names), keeps=True)


@pressed(_asks)
def domains() -> ResponseReturnValue:
    """Choose up to five life domains."""
    words = Words.of(catalogue())
    if request.method == "GET" or "look" in request.form:
        return _choosing(words, sections.domains(list(words.domains)))
    sent = _sent(words)
    if sent is None:
        flash(_(TOO_LATE), "attention")
        return redirect(url_for("plan.start"), 303)
    section = sections.domains(list(words.domains), {one.domain: one for one in sent.again})
    submitted = Submitted({"domains": ",".join(sent.chosen)}, {"domains": sent.based_on})
    made: _Change | None = None

    def choose(now: StoredPlan) -> Accepted[Plan] | Wrong | Clash:
        nonlocal made
        outcome = typed.merge_form(section, now.plan, submitted)
        made = _change(section, now.plan, outcome.document) if isinstance(outcome, Accepted) else None
        return Accepted(now.plan) if made and made.leaving and "remove" not in request.form else outcome

    outcome = change(choose, load())
    if made and made.leaving and "remove" not in request.form:
        page = views.LeavePage(
            leaving=tuple(domain_view(answers, made.plan, words) for answers in made.leaving),
            chosen=tuple(sent.chosen),
            based_on=sent.based_on,
            again=sent.undo,
        )
        return render_template("plan/leave.html", page=page)
    if isinstance(outcome, Saved):
        return redirect(_after(sent, made, arrived=outcome.arrived), 303)
    return _refused(words, sent, outcome)


def _change(section: Section, before: Plan, after: Plan) -> _Change:
    return _Change(
        sections.codes(section.read(before)["domains"]),
        typed.digests(section, after)["domains"],
        before,
        sections.answered_domains_removed(before, after),
    )


def _sent(words: Words) -> _Sent | None:
    """Read the form; None where it takes back what is no longer known.

    The button that takes back has no choice in it: then it is the choice of before, based on what was saved since.
    """
    form = {"domains": "", **posted()}
    family, undo = "family" in form, form.get(undoing.FIELD, "")
    chosen, based_on = sections.codes(typed.clean(form["domains"])), form.get("seen-domains", "")
    if not undo:
        return _Sent(chosen, based_on, family)
    known = undoing.taken(undo)
    if known is None:
        return None
    again = tuple(DomainAnswers(**one) for one in known["again"])
    if "seen-domains" not in form:
        chosen, based_on = known["domains"], known["seen"]
    return _Sent(chosen, based_on, family or bool(words.family & set(chosen)), undo, again)


def _after(sent: _Sent, made: _Change | None, *, arrived: bool) -> str:
    """Return the address of the page after a save; where words left the plan, it offers to take that back."""
    address = url_for("plan.start", saved="domains", _anchor="domains")
    if not arrived:
        return waiting(address)
    if made and made.leaving:
        again = [asdict(one) for one in made.leaving]
        needs = {"domains": made.chosen_before, "seen": made.seen_after, "again": again}
        return undoing.offer(url_for("plan.domains"), needs, address)
    if not sent.undo:
        return address
    undoing.forget()
    return undoing.undone(address)


def _refused(words: Words, sent: _Sent, outcome: Wrong | Clash | Trouble) -> ResponseReturnValue:
    """Return the page that says why nothing was saved, with what was ticked."""
    if isinstance(outcome, Clash):
        # Two choices at once: show what is stored as ticked too, and let the person decide what stays.
        elsewhere = sections.codes(outcome.stored["domains"])
        both = list(dict.fromkeys([*elsewhere, *sent.chosen]))
        now = _Sent(both, typed.digest(outcome.stored["domains"]), sent.family, sent.undo)
        return _page(words, now, elsewhere=elsewhere), 409
    if isinstance(outcome, Trouble):
        return _page(words, sent, trouble=outcome.sentence), outcome.status
    refusal = outcome.problems["domains"]
    if refusal == sections.UNKNOWN_DOMAIN:
        return _page(words, sent, problem=_unknown(code for code in sent.chosen if code not in words.domains)), 422
    problem = _too_many(len(sent.chosen)) if refusal == sections.TOO_MANY else _(refusal)
    return _page(words, sent, problem=problem), 422


def _choosing(words: Words, section: Section) -> str:
    """Show what there is to choose: the plan's areas ticked, or what is ticked now and saved by nobody yet.

    The latter when someone looks at the page in another language or at more areas (`look`): no tick is lost by that.
    """
    if request.method == "POST":
        form = {"domains": "", **posted()}
        family = "family" in form or form["look"] == "family"
        chosen = sections.codes(typed.clean(form["domains"]))
        undo = form.get(undoing.FIELD, "")
        return _page(words, _Sent(chosen, form.get("seen-domains", ""), family, undo), looking=True)
    found = current.records().search(*stored.queries(current.launch().patient_id), _family_teams())
    plan = plan_in(found[:3], ()).plan
    chosen = sections.codes(section.read(plan)["domains"])
    family = bool(found[3]) or "family" in request.args
    return _page(words, _Sent(chosen, typed.digests(section, plan)["domains"], family))


def _family_teams() -> Query:
    return Query.of("CareTeam", patient=current.launch().patient_id, category=sections.FAMILY_TEAM)


def _too_many(chosen: int) -> str:
    """Say how many areas were chosen, and how many of them are one too many."""
    return ngettext(
        "You chose %(chosen)s areas. Five is enough: take one away. Your choices are kept.",
        "You chose %(chosen)s areas. Five is enough: take %(num)s away. Your choices are kept.",
        chosen - MOST_DOMAINS,
        chosen=chosen,
    )


def _unknown(found: Iterable[str]) -> str:
    """Say which of the areas that were sent is none of the list."""
    return _(
        "“%(found)s” is not an area on this list. Your choices are kept: look at them, and save again.",
        found=typed.briefly(", ".join(found)),
    )


def _page(
    words: Words,
    sent: _Sent,
    *,
    problem: str = "",
    trouble: str = "",
    elsewhere: list[str] | None = None,
    looking: bool = False,
) -> str:
    offered = [
        FieldOption(code, title, words.domain_help.get(code, ""), words.handbook.get(code, ""))
        for code, title in words.domains.items()
    ]
    with_family = sent.family or bool(words.family & set(sent.chosen))
    page = views.DomainsPage(
        domains=tuple(option for option in offered if option.value not in words.family),
        family=tuple(option for option in offered if option.value in words.family and with_family),
        chosen=tuple(sent.chosen),
        based_on=sent.based_on,
        problem=problem,
        trouble=trouble,
        show_family=with_family,
        elsewhere=tuple(words.domains[code] for code in elsewhere or () if code in words.domains),
        looking=looking,
        again=sent.undo,
    )
    return render_template("plan/domains.html", page=page)
