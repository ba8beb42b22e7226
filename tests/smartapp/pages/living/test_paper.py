"""A living form on paper: all that is written in it, literally, on as few sheets as can be read with ease."""

from __future__ import annotations

from dataclasses import replace

import pypdfium2
import pytest

from mappers.living import Content, Row
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.living.pdf_letters import letters_of
from tests.smartapp.pages.living.writing import FULL, of_noor, put_form
from tests.smartapp.pages.plan.pdf_text import squeezed, tags_in, text_in


@pytest.fixture
def noor(app):
    visitor = launched(app, "noor", name="Noor Achterberg", birth_date="1992-03-14")
    put_form(visitor, of_noor(FULL))
    return visitor


def paper_of(visitor, form_id: str = FULL) -> bytes:
    answer = visitor.get(f"living/{form_id}/paper.pdf")
    assert answer.status_code == 200, answer.text
    return answer.data


def pages_in(content: bytes) -> int:
    document = pypdfium2.PdfDocument(content)
    try:
        return len(document)
    finally:
        document.close()


def test_all_that_is_written_stands_on_it_in_the_order_of_the_form(noor):
    on_paper, content = text_in(paper_of(noor)), of_noor(FULL)
    texts = [text for answer in content.answers.values() for text in answer if not text.startswith("2026")]
    texts += [row.of(group.items[0].link_id) for group in content.form.groups for row in content.rows_of(group.link_id)]
    assert len(texts) > 40
    assert [text for text in texts if squeezed(text) not in on_paper] == []
    titles = [on_paper.index(squeezed(group.title.nl)) for group in content.form.groups]
    assert titles == sorted(titles)


def test_a_whole_plan_of_ordinary_length_is_one_sheet_in_letters_that_can_be_read(noor):
    content = paper_of(noor)
    assert pages_in(content) == 1
    assert min(size for size, _letter in letters_of(content)) >= 7.5


def test_what_is_short_stands_there_large(app):
    anna = launched(app)
    put_form(anna, Content(of_noor(FULL).form, {f"{FULL}-helps": ("Zingen",)}))
    assert max(size for size, _letter in letters_of(paper_of(anna)) if size < 11) == 10


def test_what_is_longer_goes_on_and_loses_nothing(app):
    content = of_noor(FULL)
    rows = tuple(Row(f"r{number}", {f"{FULL}-trigger": (f"Brief {number}",)}) for number in range(200))
    anna = launched(app)
    put_form(anna, replace(content, rows={**content.rows, f"{FULL}-triggers": rows}))
    made = paper_of(anna)
    assert pages_in(made) > 1
    said = text_in(made)
    assert all(squeezed(f"Brief {number}") in said for number in range(200))
    assert min(size for size, _letter in letters_of(made)) >= 9


def test_it_says_whose_words_these_are_and_of_when(noor):
    on_paper = text_in(paper_of(noor))
    assert squeezed("Noor Achterberg, geboren 14 maart 1992") in on_paper
    assert squeezed("Dit zijn de woorden van Noor Achterberg. Laatst veranderd op 20 november 2026") in on_paper


def test_its_name_says_what_it_is_and_not_whose(noor):
    name = noor.get(f"living/{FULL}/paper.pdf").headers["Content-Disposition"]
    assert name == "attachment; filename=mijn-plan-voor-goede-en-moeilijke-dagen.pdf"
    assert "my-staying-well-plan.pdf" in noor.get(f"living/{FULL}/paper.pdf?lang=en").headers["Content-Disposition"]


def test_it_can_be_read_aloud_by_its_headings_and_kept(noor):
    made = paper_of(noor)
    assert [tag for tag, _alt in tags_in(made)].count("H1") == len(of_noor(FULL).form.groups)
    assert b"<pdfuaid:part>1</pdfuaid:part>" in made
    assert b"<pdfaid:part>2</pdfaid:part>" in made
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in made


def test_who_reads_the_page_may_take_it_along(noor, app):
    clinician = launched(app, "noor", "clinician", name="Noor Achterberg", birth_date="1992-03-14")
    for visitor in (noor, clinician):
        assert f"living/{FULL}/paper.pdf" in visitor.get(f"living/{FULL}/").text
        assert squeezed("Mila bellen en het nergens over hebben.") in text_in(paper_of(visitor))


def test_of_an_empty_form_there_is_nothing_to_take_along_and_the_sheet_says_so(anna):
    page = anna.get("living/garden/")
    assert "paper.pdf" not in page.text
    assert "Om mee te nemen" not in text_of(page)
    assert squeezed("Nog niets opgeschreven.") in text_in(paper_of(anna, "garden"))


def test_an_unknown_form_has_no_paper_no_card_and_no_copy(anna):
    assert {anna.get(f"living/no-such-form/{what}").status_code for what in ("paper.pdf", "card", "copy")} == {404}


# ---- in columns, and what is said wherever it is read ----------------------------------------------------------------


ASSESSMENT = "strengths-assessment"
AREA = {f"{ASSESSMENT}-area": ("housing",), f"{ASSESSMENT}-now": ("Een kamer.",), f"{ASSESSMENT}-had": ("Een huis.",)}


def put_areas(visitor, known, *rows):
    put_form(visitor, Content(known.living[ASSESSMENT], {}, {f"{ASSESSMENT}-areas": rows}))


def test_the_answers_of_a_row_stand_in_their_own_columns_also_where_one_is_not_there(anna, known):
    put_areas(anna, known, Row("a", AREA))
    page = anna.get(f"living/{ASSESSMENT}/").text
    assert [number for number in "123" if f'class="row-columns__{number}"' in page] == ["1", "3"]
    assert "row-columns" not in anna.get("living/garden/").text


def test_on_paper_they_stand_beside_each_other(anna, known):
    put_areas(anna, known, Row("a", {**AREA, f"{ASSESSMENT}-want": ("Een eigen sleutel", "Een tuin")}))
    made = paper_of(anna, ASSESSMENT)
    assert pages_in(made) == 1
    tops = [top_of(made, words) for words in ("Wat is er nu?", "Wat zou je willen?", "Wat had of deed je eerder?")]
    assert max(tops) - min(tops) < 1
    assert squeezed("Wat is er nu? Een kamer.") in text_in(made)


def test_words_that_are_wider_than_a_column_stand_below_each_other(anna, known):
    put_areas(anna, known, Row("a", {**AREA, f"{ASSESSMENT}-now": ("W" * 200,)}))
    made = paper_of(anna, ASSESSMENT)
    assert top_of(made, "Wat is er nu?") - top_of(made, "Wat had of deed je eerder?") > 20


def top_of(content: bytes, words: str) -> float:
    document = pypdfium2.PdfDocument(content)
    try:
        text = document[0].get_textpage()
        index, _count = text.search(words).get_next()
        return text.get_charbox(index)[3]
    finally:
        document.close()


@pytest.mark.parametrize(
    ("language", "sentence"), [("nl", "Het is geen juridische verklaring."), ("en", "not a legal")]
)
def test_the_plan_for_a_crisis_says_on_paper_and_in_its_copy_that_it_is_no_legal_declaration(noor, language, sentence):
    assert squeezed(sentence) in text_in(noor.get(f"living/{FULL}/paper.pdf?lang={language}").data)
    assert sentence in text_of(noor.get(f"living/{FULL}/copy.html?lang={language}"))
