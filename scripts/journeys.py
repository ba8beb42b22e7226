"""What people come to do, from beginning to end, in a real browser: the client, the clinician, and the two together.

The browser tests check what they see on the way; the conformance run hands what was written to HL7's validator.
"""

from __future__ import annotations

from collections.abc import Mapping

from scripts.tour import Visitor


def fill_in(visitor: Visitor, instrument: str, answers: Mapping[str, str], default: str = "") -> None:
    """Answer every question of a questionnaire, one per page, up to the review page.

    `answers` are codes or texts by linkId; `default` is the code for all other questions, which "" leaves unanswered.
    """
    visitor.go(f"questionnaires/{instrument}/")
    visitor.press('main a[href*="/questions/"]')
    visitor.page.wait_for_url("**/questions/**")
    while "/questions/" in visitor.page.url:
        link_id = visitor.page.url.rpartition("/")[2].partition("?")[0]
        answer(visitor, answers.get(link_id, default))
        visitor.press('main button[name="next"]')


def answer(visitor: Visitor, given: str) -> None:
    """Give one answer on a question page, unless it is empty or not among the options."""
    text = visitor.page.locator("main textarea")
    if text.count():
        text.fill(given if not given.isdigit() else "")
    elif given:
        option = visitor.page.locator(f'main input[type=radio][value="{given}"]')
        if option.count():
            option.check()


def send_in(visitor: Visitor) -> None:
    """Send in the answers on the review page."""
    visitor.press("main #send button")
    visitor.page.wait_for_url("**/questionnaires/responses/**")


def write_plan(visitor: Visitor) -> None:
    """Make a plan from nothing: story, what helps, two life domains, a goal with a step, and its progress."""
    _save_text(visitor, "living/story/story/", "Ik ben opgegroeid in Deventer, boven de bakkerij van mijn oom.")
    _save_text(visitor, "living/strengths/list/", "Koken voor anderen\nMijn zus Amal")
    _save_text(visitor, "living/stressors/list/", "Post die blijft liggen")
    visitor.go("plan/domains")
    for code in ("housing", "social-contacts"):
        visitor.page.locator(f'main input[type=checkbox][value="{code}"]').check()
    visitor.press()
    for question, words in (
        ("now", "Ik woon op kamers en dat is te druk."),
        ("change", "Ik wil een plek voor mijzelf."),
        ("how", "Samen met Hanna de inschrijving nakijken."),
        ("support", "Hanna komt elke week."),
    ):
        _save_text(visitor, f"plan/domains/housing/{question}", words)
    visitor.go("plan/goals/new")
    visitor.page.locator("main textarea").first.fill("Ik wil voor de zomer in een eigen kamer met keuken wonen.")
    domain = visitor.page.locator('main input[type=radio][value="housing"]')
    if domain.count():
        domain.check()
    visitor.press()
    goal = visitor.page.url if "/plan/goals/" in visitor.page.url else _goal_address(visitor)
    visitor.page.goto(f"{goal.partition('?')[0]}steps/new")
    visitor.page.locator("main textarea, main input[type=text]").first.fill("De woningsite opzoeken")
    visitor.press()
    visitor.page.goto(f"{goal.partition('?')[0]}progress")
    visitor.page.locator("main input[type=radio]").nth(1).check()
    visitor.press()


def ask_for(visitor: Visitor, instrument: str, message: str) -> None:
    """Ask the client to fill in a questionnaire, as the clinician."""
    visitor.go("assignments/new")
    visitor.page.locator(f'main input[type=radio][value="{instrument}"]').check()
    visitor.page.locator("main textarea").fill(message)
    visitor.press()


def mark_and_note(visitor: Visitor) -> None:
    """As the client: mark an answer to talk about, and write what scores mean."""
    visitor.go("answers/")
    visitor.press("main a[href*='/answers/']")
    visitor.press("main button[name=mark]")
    _save_text(visitor, "scores/hoop/note", "Ik durf weer vooruit te kijken.")


def talk_and_agree(visitor: Visitor) -> None:
    """As the clinician: put what was marked on the list, weigh an option, say a medicine, and agree."""
    visitor.go("overview/together/medicines/new")
    visitor.page.locator("main input[type=text]").first.fill("Een tablet voor de nacht")
    visitor.page.locator("main textarea").first.fill("Elke avond een halve.")
    visitor.press("main form[data-autosave] .actions button")
    visitor.go("overview/together/discuss")
    visitor.press("main button[name=add]")
    visitor.go("overview/together/options/1")
    visitor.page.locator("main textarea").first.fill("Eerst een week proberen")
    visitor.press("main form[data-autosave] .button:not(.button--plain)")
    visitor.page.locator("main input[type=radio][value=agreed]").check()
    visitor.page.locator("main textarea[name^=words]").fill("Ik probeer het een week.")
    visitor.page.locator("main input[type=radio][value=client]").check()
    visitor.press("main form[data-autosave] .button:not(.button--plain)")


def _goal_address(visitor: Visitor) -> str:
    visitor.go("plan/")
    address = visitor.page.locator('main a[href*="/plan/goals/"]:not([href$="/new"])').first.get_attribute("href")
    return f"{visitor.demo.url}{address}"


def _save_text(visitor: Visitor, path: str, words: str) -> None:
    visitor.go(path)
    visitor.page.locator("main textarea").first.fill(words)
    visitor.press("main form[data-autosave] .actions button, main form button")
