"""What the help page says to each role: what the code does, and nothing that it only should."""

from __future__ import annotations

from dataclasses import dataclass

from mappers.roles import Role
from smartapp.access import table
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of
from smartapp.web.messages import may_send


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what is said under it, a sentence or two per line."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HelpPage:
    """`own`: the reader is the client, who finds there who reads which part; `role` is what other readers are."""

    own: bool
    lead: str
    sections: tuple[Section, ...]
    role: str = ""
    reminders: bool = False
    """To a client: messages can be sent here that something is ready."""


def page_for(role: Role) -> HelpPage:
    """Return the page for a reader with this role."""
    own = role == "client"
    if own:
        lead = _("Who reads what you fill in, what happens to it, and whom you can ask.")
        return HelpPage(own, lead, _for_a_client(), reminders=may_send())
    rights, lead = table().roles[role], _("What of the client can be read here, and what not.")
    title = text_of(rights.title)
    if role == "outside":
        return HelpPage(own, lead, (_for_who_stands_in(),), role=title)
    if rights.professional:
        return HelpPage(own, lead, _for_a_professional(role), role=title)
    return HelpPage(own, lead, _for_someone_close(role), role=title)


def _for_a_client() -> tuple[Section, ...]:
    return (
        Section(
            _("Who can read what?"),
            (
                _("What you type and do not save or send in is seen by you alone."),
                _("Did somebody type it with you? Then only they see it, and you, until you say yes."),
                _("For each part you choose who reads what you save or send in. What you chose holds at once."),
                _("What stands in your record can also be read by everyone whom your care provider lets open that."),
                _("Someone outside your care team, such as a stand-in, reads only what to do in a crisis."),
                _("A loved one reads only what you share with them."),
                _("Does it say that something did not get through? Then only you see it here, until you decide."),
            ),
        ),
        Section(
            _("How is it saved?"),
            (
                _("We remember each answer at once. What you type too, as long as the page says so."),
                _("You can stop and go on later."),
                _("Beside what you saved it says where that is: in your record, or in Verstel."),
                _("What is in your record can also be read there without Verstel."),
                _("Can we not reach your record? Then we keep it here and send it later. The page says so."),
            ),
        ),
        Section(
            _("What happens to my answers?"),
            (
                _("You can talk about them together. Verstel gives no advice and no judgement."),
                _("Some questionnaires give scores, by a fixed rule. With each score it says how we work it out."),
                _("Did you fill something in elsewhere? Then it says so beside the score."),
                _("Does your record not have that score yet? Under My scores you can put it there."),
                _("You can still correct what you sent in."),
            ),
        ),
        Section(
            _("How do I stop?"),
            (
                _("Nothing has to be filled in. You may skip a question, take a break, or leave it at that."),
                _("Do you want to stop? Below each page you take along what is yours, and leave."),
                _("Your care provider has rules of its own for what is in your record."),
            ),
        ),
        Section(
            _("Whom can I ask?"),
            (
                _("Is something not clear, or not right? Ask your care team, or the people of your portal."),
                _("Is your name not right? Your care provider can change it in your record."),
            ),
        ),
    )


def _for_someone_close(role: Role) -> tuple[Section, ...]:
    lines = [_("The client decides what you can read here. What is not shared with you, you do not see.")]
    if role == "representative":
        lines.append(_("Nobody writes here in the client's name, and neither do you. Recovery belongs to the client."))
    return (
        Section(
            _("Who can read what?"),
            (*lines, _("Each page opened here is logged. The client sees who opened what, and when.")),
        ),
        Section(_("Whom can I ask?"), (_("Is something not clear, or not right? Ask the client, or the care team."),)),
    )


def _for_who_stands_in() -> Section:
    return Section(
        _("Who can read what?"),
        (
            _("You are not in the client's care team, as far as we know. So you read only what to do in a crisis."),
            _("Each page opened here is logged. The client sees who opened what, and when."),
        ),
    )


def _of_role(role: Role) -> tuple[str, ...]:
    """Return what is different for a professional with this role."""
    match role:
        case "responsible":
            return (_("You think along in the background: you read the plan and the answers, and write nothing here."),)
        case "peer-worker":
            return (
                _("You read the plan, and write in it together with the client. You ask for nothing."),
                _("Questionnaires, scores and notes you read where the client shares them with you."),
            )
        case _:
            return ()


def _for_a_professional(role: Role) -> tuple[Section, ...]:
    return (
        Section(
            _("Who can read what?"),
            (
                *_of_role(role),
                _("Here you read what the client shares with you, of what they saved and sent in."),
                _("What the client typed and did not save or send in is seen by the client alone."),
                _("What you type with the client is seen by you alone, until the client says yes."),
                _("Each page opened here is logged. The client sees who opened what, and when."),
            ),
        ),
        Section(
            _("How is it saved?"),
            (
                _("Beside each part it says where it is kept: in the record, outside it, or in Verstel."),
                _("What is in the record can also be read there without Verstel."),
            ),
        ),
        Section(
            _("What happens to the answers?"),
            (
                _("Scores are numbers with a range and a source. Verstel gives no judgement, alarm or advice."),
                _("Beside a score that was not filled in or calculated here, it says where it comes from."),
                _("The client may skip any question, stop at any moment, and correct what was sent in."),
            ),
        ),
        Section(
            _("Does the client want something removed?"),
            (_("The administrators can erase what Verstel keeps. The record has rules of its own."),),
        ),
    )
