"""The card of a living form: what is marked for it, the size of a bank card on paper, and large on a page."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest

from mappers.living import Content, Row
from mappers.sharing import ME
from smartapp.errors import NotTypeset
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.living.pdf_letters import MM, letters_of, lines_of
from tests.smartapp.pages.living.writing import FULL, of_noor, put_form
from tests.smartapp.pages.plan.pdf_text import squeezed, text_in
from tests.smartapp.records.test_sight import share

CARD = f"living/{FULL}/card"
DOES_NOT_FIT = "Dit past niet op het kaartje"
SMALLEST = 6.5  # pt


def visitor_with(app, content, **more):
    visitor = launched(app, "noor", name="Noor Achterberg", **more)
    put_form(visitor, content)
    return visitor


@pytest.fixture
def noor(app):
    return visitor_with(app, of_noor(FULL))


def with_wants(*texts: str) -> Content:
    """Return Noor's form with other wishes, which stand first on the card."""
    content = of_noor(FULL)
    return replace(content, answers={**content.answers, f"{FULL}-crisis-want": texts})


def printed(visitor) -> bytes:
    answer = visitor.get(f"{CARD}.pdf")
    assert answer.status_code == 200, answer.text
    return answer.data


def edges(content: bytes) -> tuple[list[float], list[float]]:
    """Return where the lines to cut and fold along stand, in mm: from the left, and from below."""
    across, up = set[float](), set[float]()
    for left, bottom, right, top in lines_of(content):
        if right - left < 2 < top - bottom < 60 * MM:
            across.add(round((left + right) / 2 / MM, 1))
        if top - bottom < 2 and 80 * MM < right - left < 90 * MM:
            up.add(round((bottom + top) / 2 / MM, 1))
    return sorted(across), sorted(up)


def test_what_is_marked_stands_on_it_and_nothing_else(noor):
    page = text_of(noor.get(CARD))
    for said in ("Praat zacht en zeg wie je bent.", "Niet vastpakken.", "Mevrouw Pinas", "06 0000 0002"):
        assert said in page
        assert squeezed(said) in text_in(printed(noor))
    for other in ("Zingen", "De buurvrouw van Bobbie", "Mijn ex"):
        assert other not in page
        assert squeezed(other) not in text_in(printed(noor))


@pytest.mark.parametrize("answer", ["1", "2", "3", ""])
def test_who_said_no_is_not_among_those_to_call_and_the_page_says_so(app, answer):
    given = {f"{FULL}-supporter": ("Tante Bo",), f"{FULL}-supporter-telephone": ("06 0000 0009",)}
    given |= {f"{FULL}-supporter-answer": (answer,)} if answer else {}
    content = of_noor(FULL)
    rows = {**content.rows, f"{FULL}-supporters": (Row("bo", given),)}
    visitor = visitor_with(app, replace(content, rows=rows))
    page, on_paper, copy = visitor.get(CARD), text_in(printed(visitor)), visitor.get(f"living/{FULL}/copy").text
    there = answer != "3"
    assert ("tel:0600000009" in page.text, squeezed("06 0000 0009") in on_paper) == (there, there)
    assert ("Tante Bo" in copy.partition("</section>")[0]) is there
    assert ("Niet op het kaartje: Tante Bo, door het antwoord ‘zei nee’." in text_of(page)) is not there
    assert "Tante Bo" in text_of(visitor.get(f"living/{FULL}/"))
    # Whether this was agreed is said where they are called.
    said = {"1": "nog niet gevraagd", "2": "zei ja"}.get(answer, "")
    line = f"06 0000 0009 · {said}" if said else "06 0000 0009"
    assert (line in text_of(page), squeezed(line) in on_paper) == (there, there)


def test_both_sides_have_the_size_of_a_bank_card_and_all_letters_stand_within(noor):
    content = printed(noor)
    across, up = edges(content)
    assert [round(b - a, 1) for a, b in itertools.pairwise(across)] == [85.6, 85.6]
    assert round(up[-1] - up[0], 1) == 54.0
    inside = [box for _size, box in letters_of(content) if up[0] * MM < box[1] < up[-1] * MM]
    assert len(inside) > 10
    for left, bottom, right, top in inside:
        assert up[0] * MM < bottom < top < up[-1] * MM
        assert any(a * MM < left < right < b * MM for a, b in itertools.pairwise(across))
    assert min(size for size, _box in letters_of(content)) >= SMALLEST


def test_what_fits_one_side_is_one_card_without_a_fold(app):
    content = Content(of_noor(FULL).form, {f"{FULL}-crisis-want": ("Bel Mila.",)})
    across, _up = edges(printed(visitor_with(app, content)))
    assert [round(b - a, 1) for a, b in itertools.pairwise(across)] == [85.6]


def test_letters_shrink_until_all_of_it_fits(app, noor):
    before = min(size for size, _box in letters_of(printed(noor)))
    wants = [f"Wens {number}: blijf rustig bij mij zitten tot het over is." for number in range(14)]
    full = printed(visitor_with(app, with_wants(*wants)))
    assert all(squeezed(want) in text_in(full) for want in wants)
    assert squeezed(DOES_NOT_FIT) not in text_in(full)
    assert SMALLEST <= min(size for size, _box in letters_of(full)) < before


@pytest.mark.parametrize("wants", [("Heel veel woorden. " * 300,), tuple(f"Wens {number}" for number in range(60))])
def test_what_does_not_fit_is_left_out_whole_and_said_on_the_page_and_on_paper(app, wants):
    visitor = visitor_with(app, with_wants(*wants))
    page = visitor.get(CARD)
    [missing] = re.findall(rf"{DOES_NOT_FIT}</h2>(.*?)</ul>", page.text, re.S)
    assert re.findall("<li>(.*?)</li>", missing) == ["Dit wil ik dan"]
    on_paper = text_in(printed(visitor))
    assert squeezed(f"{DOES_NOT_FIT} • Dit wil ik dan") in on_paper
    assert squeezed(wants[0][:20]) not in on_paper.partition(squeezed(DOES_NOT_FIT))[0]
    assert squeezed("06 0000 0001") in on_paper, "what comes after it is there all the same"
    assert wants[0].strip() in page.text, "on the page all of it can be read"


def test_what_is_left_out_makes_room_for_the_rest(app, noor):
    before = min(size for size, _box in letters_of(printed(noor)))
    without = printed(visitor_with(app, with_wants("Heel veel woorden. " * 300)))
    assert min(size for size, _box in letters_of(without)) >= before


def test_where_all_of_it_fits_nothing_is_said_of_that(noor):
    assert DOES_NOT_FIT not in text_of(noor.get(CARD))


def test_very_much_is_measured_in_no_time_and_nothing_is_left_out_silently(app):
    content = of_noor(FULL)
    many = tuple(Row(f"r{n}", {f"{FULL}-supporter": (f"Naam {n}",)}) for n in range(300))
    visitor = visitor_with(app, replace(content, rows={f"{FULL}-supporters": many}))
    on_paper, page = text_in(printed(visitor)), text_of(visitor.get(CARD))
    assert all(squeezed(f"Naam {n}") in on_paper for n in range(300))
    assert "Naam 299" in page


def test_telephone_numbers_are_links_also_that_of_the_place(noor):
    assert re.findall(r'href="(tel:[^"]+)"', noor.get(CARD).text) == ["tel:0600000001", "tel:0600000002", "tel:112"]


def test_a_clinician_sees_it_too(noor, app):
    clinician = launched(app, "noor", "clinician", name="Noor Achterberg")
    assert "Praat zacht en zeg wie je bent." in text_of(clinician.get(CARD))
    assert squeezed("Niet vastpakken.") in text_in(printed(clinician))


def test_a_card_without_words_invites_and_has_no_paper(anna):
    assert "Er is nog niets opgeschreven van wat op het kaartje komt." in text_of(anna.get("living/garden/card"))
    assert anna.get("living/garden/card.pdf").status_code == 404
    assert "card.pdf" not in anna.get("living/garden/card").text


def test_the_card_says_to_the_client_alone_who_reads_it(app):
    anna = launched(app)
    assert "zorgverlener buiten het team" in text_of(anna.get("living/staying-well/card"))
    share(app, crisis=ME)
    assert "In Verstel lees alleen jij dit." in text_of(anna.get("living/staying-well/card"))
    for role in ("clinician", "responsible"):
        assert "Verander wie dit leest" not in text_of(launched(app, role=role).get("living/staying-well/card"))


def test_a_form_without_a_card_has_no_such_page(anna, known):
    without = next(form.id for form in known.living.values() if form.living and not form.living.card)
    assert {anna.get(f"living/{without}/{what}").status_code for what in ("card", "card.pdf")} == {404}


def test_where_no_paper_can_be_made_the_words_are_on_the_page(noor, monkeypatch):
    def fails(*_args, **_kwargs):
        raise NotTypeset("no")

    monkeypatch.setattr("smartapp.pages.living.card.told_by", fails)
    page = noor.get(CARD)
    assert "Praat zacht en zeg wie je bent." in text_of(page)
    assert "card.pdf" not in page.text


def test_it_is_kept_as_other_papers_are(noor):
    made = printed(noor)
    assert b"<pdfuaid:part>1</pdfuaid:part>" in made
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in made
    name = noor.get(f"{CARD}.pdf").headers["Content-Disposition"]
    assert name == "attachment; filename=mijn-plan-voor-goede-en-moeilijke-dagen-kaartje.pdf"


@pytest.mark.parametrize("text", ["*a* #b $x$ //", "\u202eאב ع 中 🚲", "x" * 300, "a\n\nb"])
def test_any_text_can_stand_on_it(app, text):
    visitor = visitor_with(app, with_wants(text))
    assert squeezed(text)[:3] in text_in(printed(visitor)) or "\u202e" in text
    assert visitor.get(CARD).status_code == 200
