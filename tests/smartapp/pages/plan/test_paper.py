"""The plan on paper: all that its page shows, literally, in a PDF that can be read aloud."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections import Counter
from dataclasses import replace

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
import typst
from hypothesis import example, given
from hypothesis import strategies as st

from mappers.fhir_text import typed
from mappers.plan import DomainAnswers, Plan, Remark, Step
from questionnaires.catalogue import catalogue
from smartapp.errors import NotTypeset
from smartapp.pages.plan.paper import paper
from smartapp.storage.launches import Person
from smartapp.web.language import kept_in
from smartapp.web.pdf import heading_lines, lines, pdf
from tests.examples import examples
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.plan.conftest import HALFWAY
from tests.smartapp.pages.plan.pages import fill
from tests.smartapp.pages.plan.pdf_text import squeezed, text_in

ANNA = Person("Patient/anna", "Anna Voorbeeld", "1992-03-14")
NOW = dt.datetime(2026, 11, 26, 11, tzinfo=dt.UTC)


def printed(plan: Plan, language: str = "nl", made: dt.datetime = NOW) -> bytes:
    with kept_in(language):
        return paper(plan, catalogue(), client=ANNA, made=made)


def with_story(text: str) -> Plan:
    return Plan(id="", texts={"story": (text,)})


def characters(text: str) -> Counter[str]:
    """Count what a text is made of, whatever its order; a bracket may be turned round in a text from right to left."""
    return Counter("|" if unicodedata.mirrored(one) else one for one in text)


WITHOUT_WORDS = characters(text_in(printed(with_story("Q")))) - characters("Q")


def test_the_client_s_own_words_come_before_everything_else():
    text = text_in(printed(HALFWAY))
    order = [
        "Mijn herstelplan",
        "opgegroeid in Zwolle",
        "Mijn zus",
        "Drukte in de tram",
        "Weer leren zwemmen",
        "Een kat",
    ]
    found = [text.index(squeezed(one)) for one in order]
    assert found == sorted(found)


def test_a_goal_has_its_area_how_it_goes_its_date_note_and_steps():
    goal = replace(
        HALFWAY.goals[0], progress="improving", progress_date="2026-10-02", remarks=(Remark("Wekelijks\nlukt het."),)
    )
    text = text_in(printed(replace(HALFWAY, goals=(goal,))))
    for one in (
        "Wat mijn leven zin geeft",
        "Het gaat de goede kant op, 2 oktober 2026",
        "Wat mijn leven zin geeft · Het gaat de goede kant op, 2 oktober 2026 · Uiterlijk 1 juni 2027",
        "Wekelijks lukt het.",
        "Een badpak kopen · Gedaan · Ik",
        "Bellen met het zwembad · Nog te doen",
    ):
        assert squeezed(one) in text


def test_an_area_has_its_answers_under_their_questions():
    text = text_in(printed(HALFWAY))
    assert squeezed("Wonen Hoe gaat het nu? Ik woon fijn.") in text
    assert squeezed("Wat mijn leven zin geeft Hier staat nog niets.") in text


def test_it_says_whose_words_these_are_and_of_when():
    text = text_in(printed(HALFWAY))
    assert squeezed("De woorden in dit plan zijn van Anna Voorbeeld zelf.") in text
    assert squeezed("Anna Voorbeeld, geboren 14 maart 1992") in text
    assert squeezed("26 november 2026") in text


def test_it_is_in_the_language_of_the_plan():
    text = text_in(printed(HALFWAY, "en"))
    assert squeezed("My goals") in text
    assert squeezed("Mijn doelen") not in text


def test_all_that_the_page_shows_is_on_paper(halfway):
    page = squeezed(text_of(halfway.get("plan/")))
    on_paper = text_in(printed(HALFWAY))
    for text in (
        "Later kwam ik in Utrecht wonen.",
        "Tekenen",
        "Een badpak kopen",
        "Elke week komt Jaap.",
        "Mijn verhaal",
    ):
        assert squeezed(text) in page
        assert squeezed(text) in on_paper


# A mark that the font of its letter lacks is drawn from another font, and then the typesetter names both with each; so
# it does with two letters that it takes apart into a letter and its mark. What stands for no text it leaves out.
NAMED_TWICE, NO_TEXT = "\u06c0\ufb1d", "\ufffc"
CHARACTERS = st.characters(exclude_categories=("Cs", "Cn", "Mn", "Mc", "Me"), exclude_characters=NAMED_TWICE + NO_TEXT)
ANYTHING = st.text(CHARACTERS, max_size=50)


@examples(60)
@example('#strong[a] *b* _c_ $x$ \\ @ref <l> // c /* d */ = e `f` ~ -- "g" #{ panic() }')
@example("Fietsen 🚲 👩\u200d👩\u200d👧 👍🏽 🇳🇱")
@example("שלום, عربي مرحبا (a) 12")
@example("中文 ትግርኛ हिन्दी ไทย ꦗꦮ")
@example("\u202eachterstevoren\u202c")
@example("\ufeff\ufffe\uffff\ufdd0\U0010ffff\ue000\x85\u2028")
@example("tab\there e\u0301 fi ﬁ soft\u00adhyphen")
@example("x" * 400)
@example("\u05be\U00010000")  # a letter beyond the first 65,536 in a line from right to left
@given(ANYTHING.map(typed).filter(lambda text: len(text.splitlines()) < 20))
def test_any_text_comes_out_literally(text):
    literal = characters(squeezed(text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")))
    assert characters(text_in(printed(with_story(text)))) - WITHOUT_WORDS == literal


def everywhere(text: str) -> Plan:
    """Return a plan with a text in each place that can hold one, as another system might write it."""
    step = Step(id="urn:uuid:s", text=text, who=text)
    goal = replace(
        HALFWAY.goals[0], text=text, domain=text, progress="achieved", remarks=(Remark(text),), steps=(step,)
    )
    answers = (DomainAnswers("housing", text, text, text, text), DomainAnswers(text, now=text))
    return Plan(id="", texts={"story": (text,), "strengths": (text, text)}, domains=answers, goals=(goal, goal))


# What no letter stands under, what turns the direction, what is of no width, what means something to a typesetter.
HOSTILE = st.lists(
    st.sampled_from(
        [
            *"\u05b0\u0301\u094d\u200d\ufe0f\U0001f3fd\U000e0067\U0001f1f3\u1161\u0600\u2060\u00ad\u180e\u200b",
            *"\u202e\u2067\u2066\u2069\u202c\t\x01\x1b\x85\n\r \ue000\u0378\ufdd0\ufffe\ufeffאب中👩a#[",
            *("$x$", "//", "= ", "<l>", "@r", "http://a.nl/"),
        ]
    ),
    max_size=200,
).map("".join)


@examples(40, deadline=None)
@example("\u05b0\n\u05b0")  # the typesetter sought one shape for the end of a line with the mark after it
@example("\u2067" * 70 + "א")  # it broke down over so many directions within each other
@example("\x1b")
@given(HOSTILE)
def test_any_text_of_another_system_can_be_printed_wherever_it_stands(text):
    with kept_in("nl"):
        content = paper(everywhere(text), catalogue(), client=Person("Patient/a", text, "1992-03-14"), made=NOW)
    assert content.startswith(b"%PDF-")


@pytest.mark.parametrize("unit", ["x", "regel\n", "👩\u200d", "\u2067א"])
def test_seventy_thousand_characters_can_be_printed_as_a_story_and_as_a_goal(unit):
    text = (unit * 70_000)[:70_000]
    goal = replace(HALFWAY.goals[0], text=text)
    assert printed(Plan(id="", texts={"story": (text,)}, goals=(goal,))).startswith(b"%PDF-")


def test_a_letter_with_thirty_thousand_accents_loses_none():
    text = "e" + "\u0301" * 30_000
    assert text_in(printed(with_story(text))).count("\u0301") >= 30_000  # some are named twice, by the typesetter


def test_what_is_too_long_for_a_heading_goes_on_below_it_and_no_word_is_lost():
    words = "Ik wil leren zwemmen in zee. " * 20
    made = heading_lines(words)
    [head], [rest] = made["head"]["lines"], made["rest"]["lines"]
    assert f"{head} {rest}" == words.strip()
    assert len(head) <= 280
    assert heading_lines("Zwemmen\nin zee") == {"head": lines("Zwemmen\nin zee"), "rest": None}
    [head], [rest] = (part["lines"] for part in heading_lines("x" * 30_000).values())
    assert (len(head), len(head + rest)) == (280, 30_000)


@pytest.mark.parametrize("text", ["*a* #b", "Regel een\n\nRegel twee", "Zoë's 'plan' – \"nu\" …"])
def test_a_text_from_left_to_right_keeps_its_order(text):
    assert squeezed(text) in text_in(printed(with_story(text)))


def test_a_text_s_direction_is_that_of_its_first_letter():
    assert lines("12: שלום abc")["rtl"]
    assert not lines("abc שלום")["rtl"]
    assert not lines("12")["rtl"]


def test_a_word_without_end_stays_within_the_page():
    document = pypdfium2.PdfDocument(printed(with_story("x" * 400)))
    page = document[0]
    right = max(one.get_bounds()[2] for one in page.get_objects())
    assert right < page.get_width() - 50
    document.close()


def test_a_word_without_end_stays_within_its_column():
    goals = tuple(replace(HALFWAY.goals[0], id=f"g{number}", text="x" * 200) for number in (1, 2))
    document = pypdfium2.PdfDocument(printed(Plan(id="", goals=goals)))
    page = document[0]
    middle = page.get_width() / 2
    across = [one.get_bounds() for one in page.get_objects() if one.type == pdfium.FPDF_PAGEOBJ_TEXT]
    assert not [bounds for bounds in across if bounds[0] < middle - 20 and bounds[2] > middle + 20]
    document.close()


def test_it_is_tagged_and_has_a_title_and_a_language():
    content = printed(HALFWAY)
    document = pypdfium2.PdfDocument(content)
    assert document.is_tagged()
    assert document.get_metadata_dict()["Title"] == "Mijn herstelplan"
    document.close()
    assert b"/Lang(nl)" in content.replace(b" ", b"")
    assert b"<pdfuaid:part>1</pdfuaid:part>" in content


@pytest.mark.parametrize(("text", "level"), [("Een bakfiets \U0001f6b2", b"A"), ("Een icoon: \ue000", b"U")])
def test_it_can_be_kept_as_pdf_a_with_a_lower_level_for_what_has_no_meaning_in_words(text, level):
    content = printed(with_story(text))
    assert b"<pdfaid:part>2</pdfaid:part>" in content
    assert b"<pdfaid:conformance>%b</pdfaid:conformance>" % level in content


def test_the_same_plan_and_moment_are_the_same_bytes():
    assert printed(HALFWAY) == printed(HALFWAY)
    assert printed(HALFWAY) != printed(HALFWAY, made=NOW + dt.timedelta(days=1))


def test_an_empty_plan_and_a_full_one_can_be_printed():
    domains = tuple(DomainAnswers(one.code, "a", "b", "c", "d") for one in catalogue().life_domains)
    for plan in (Plan(id=""), replace(HALFWAY, domains=domains)):
        assert text_in(printed(plan))


@pytest.mark.parametrize("text", ["", " ", "\0", "a\0b"])
def test_a_goal_of_another_system_without_words_or_with_a_nul_is_printed_all_the_same(text):
    goals = (replace(HALFWAY.goals[0], text=text, domain=text),)
    assert text_in(printed(Plan(id="", goals=goals, domains=(DomainAnswers(text, now=text),))))


def test_what_cannot_be_typeset_is_said(tmp_path):
    file = tmp_path / "broken.typ"
    file.write_text("#panic()")
    with pytest.raises(NotTypeset):
        pdf("Title", file, {}, person=ANNA, made=NOW)


def test_where_the_typesetter_breaks_down_that_is_said_and_a_wish_to_stop_is_heard(monkeypatch):
    class PanicException(BaseException):
        __module__ = "pyo3_runtime"

    for raised, seen in ((PanicException, NotTypeset), (KeyboardInterrupt, KeyboardInterrupt)):

        def breaks_down(*_args, kind=raised, **_kwargs):
            raise kind

        monkeypatch.setattr("smartapp.web.pdf.typst.compile", breaks_down)
        with pytest.raises(seen):
            printed(HALFWAY)


def test_a_plan_that_cannot_be_made_into_a_pdf_says_so_kindly(halfway, monkeypatch, caplog):
    def fails(*_args, **_kwargs):
        raise typst.TypstError("Ik hou van de zee.")

    monkeypatch.setattr("smartapp.web.pdf.typst.compile", fails)
    answer = halfway.get("plan/plan.pdf")
    assert answer.status_code == 422
    for said in ("Hiervan kan geen PDF gemaakt worden", "Er is niets verloren", "druk haar af met de browser"):
        assert said in text_of(answer)
    assert "could not be made" in caplog.text
    for told in (caplog.text, answer.text):
        assert "zee" not in told


def test_what_else_belongs_to_the_plan_is_named_and_has_its_own_sheet(halfway):
    def sheet():
        return text_in(halfway.get("plan/plan.pdf").data)

    assert squeezed("Hoort ook bij mijn plan") not in sheet()
    fill(halfway, "living/wishes/list/new", **{"wishes-wish": "Zingen"})
    text = sheet()
    assert squeezed("Hoort ook bij mijn plan Elk hiervan heeft een eigen blad. • Mijn wensen") in text
    assert squeezed("Gesprekskaarten") not in text  # nothing is written there
    assert text_in(launched(halfway.app, role="clinician").get("overview/plan.pdf").data) == text
