"""A conversation, from what was agreed last time to the sheet: what two people say is kept as they said it."""

from __future__ import annotations

import html
import re

import pytest

from mappers.agreements import agreements_in
from mappers.answers import answers_of
from mappers.decisions import Decision, decision_of
from mappers.said_in import SaidIn
from mappers.talking import task_of
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Refused, Unreachable, Write
from tests.smartapp.helpers import Visitor, launched, make_app, text_of
from tests.smartapp.pages.overview.people import visit as prepared

WORDS = "Ik leg mijn telefoon om tien uur in de keuken."
JSON = {"Accept": "application/json"}


@pytest.fixture
def joost(app) -> Visitor:
    return launched(app, role="clinician")


def field(page: str, name: str) -> str:
    """Return what stands in a field: a textarea's text, or a value."""
    area = re.search(rf'<textarea id="{name}"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    if area:
        return html.unescape(area[1])
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return html.unescape(found[1])


def decisions(visitor: Visitor) -> list[Decision]:
    found = visitor.ehr.search(Query.of("QuestionnaireResponse", questionnaire=catalogue().instrument("decision").url))
    return [decision_of(answers_of(one.resource, catalogue())) for one in found]


def agreements(visitor: Visitor):
    return agreements_in(one.resource for one in visitor.ehr.search(Query.of("Task")))


def decide(visitor: Visitor, topic: str = "Slapen", number: int = 1, **fields: str):
    """Put a topic on the list and say what comes of it."""
    visitor.post("overview/together/discuss", {f"topic-{number}": topic})
    said = {f"{name.replace('_', '-')}-{number}": text for name, text in fields.items()}
    return visitor.post(f"overview/together/agree/{number}", said)


def test_what_is_agreed_becomes_a_step_with_who_and_when_and_the_next_conversation_opens_with_it(joost):
    assert "eerste gesprek" in text_of(joost.get("overview/together/"))
    answer = decide(joost, outcome="agreed", words=WORDS, who="client", due="01-12-2027")
    assert answer.status_code == 303
    assert "saved=decision" in answer.location
    [agreed] = agreements(joost)
    assert (agreed.text, agreed.who_reference, agreed.due) == (WORDS, "Patient/anna", "2027-12-01")
    [task] = joost.ehr.search(Query.of("Task"))
    [response] = joost.ehr.search(Query.of("QuestionnaireResponse"))
    assert task.resource["reasonReference"]["reference"] == response.reference
    assert response.resource["author"]["reference"] == "Practitioner/jansen"
    assert response.resource["source"]["reference"] == "Patient/anna"
    joost.post("overview/together/finish")
    page = text_of(joost.get("overview/together/"))
    assert WORDS in page
    assert "Anna Voorbeeld" in page


def test_words_of_professionals_are_saved_and_asked_about_and_own_words_are_not(joost):
    answer = decide(joost, outcome="agreed", words="De cliënt krijgt ziekte-inzicht")
    assert [one.text for one in agreements(joost)] == ["De cliënt krijgt ziekte-inzicht"]
    assert "Wiens woorden zijn dit?" in joost.get(answer.location).text
    assert "Wiens woorden" not in joost.get(answer.location.partition("?")[0]).text
    answer = decide(joost, topic="Werk", number=2, outcome="agreed", words=WORDS)
    assert "Wiens woorden" not in joost.get(answer.location).text


def test_it_needs_no_life_domain_and_no_goal(joost):
    decide(joost, outcome="agreed", words=WORDS)
    [task] = joost.ehr.search(Query.of("Task"))
    assert {"focus", "basedOn"}.isdisjoint(task.resource)
    assert joost.ehr.search(Query.of("Goal")) == []


def test_two_views_stay_side_by_side_and_make_no_agreement(joost):
    decide(joost, outcome="differ", client_view="Ik slaap genoeg.", professional_view="Anna oogt moe.")
    [one] = decisions(joost)
    assert (one.client_view, one.professional_view, one.words) == ("Ik slaap genoeg.", "Anna oogt moe.", "")
    assert agreements(joost) == []
    sheet = joost.get("overview/together/report").text
    views = sheet.partition('class="versions"')[2]
    assert views.index("Ik slaap genoeg.") < views.index("Anna oogt moe.")
    joost.post("overview/together/finish")
    assert "Anna oogt moe." in text_of(joost.get("overview/together/"))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "Kies waar jullie op uitkomen."),
        ({"outcome": "agreed", "words": "  "}, "Schrijf op wat jullie afspreken."),
        ({"outcome": "differ"}, "Schrijf op hoe jullie het zien."),
        ({"outcome": "agreed", "words": WORDS, "due": "morgen"}, "We herkennen deze datum niet."),
    ],
)
def test_what_is_missing_is_asked_for_and_nothing_is_saved(joost, fields, why):
    answer = decide(joost, **fields)
    assert answer.status_code == 422
    assert why in text_of(answer)
    assert joost.ehr.search(Query.of("QuestionnaireResponse")) == []


def test_plain_words_are_a_hint_and_never_a_gate(joost):
    joost.post("overview/together/discuss", {"topic-1": "Slapen"})
    assert "Gebruik gewone woorden." in text_of(joost.get("overview/together/agree/1"))
    assert decide(joost, outcome="agreed", words="De interventie continueren.").status_code == 303


def test_options_are_kept_while_they_are_typed_and_survive_a_closed_browser(app, joost):
    joost.post("overview/together/discuss", {"topic-1": "Slapen"})
    typed = {"option-1-1-what": "Telefoon weg", "option-1-1-brings": "Rust", "option-1-1-costs": "Ik mis de groep"}
    assert joost.post("overview/together/options/1", typed, headers=JSON).json["saved"]
    again = launched(app, role="clinician")
    page = again.get("overview/together/options/1").text
    assert field(page, "option-1-1-costs") == "Ik mis de groep"
    decide(again, outcome="agreed", words=WORDS)
    [one] = decisions(joost)
    assert [(option.what, option.brings, option.costs) for option in one.weighed] == [
        ("Telefoon weg", "Rust", "Ik mis de groep")
    ]


def test_a_word_that_is_taken_back_before_it_is_saved_is_gone(joost):
    joost.post("overview/together/discuss", {"topic-1": "Slapen"})
    seen = field(joost.get("overview/together/agree/1").text, "seen-words-1")
    first = joost.post("overview/together/agree/1", {"words-1": "Nee", "seen-words-1": seen}, headers=JSON).json
    based_on = first["fields"]["seen-words-1"]
    joost.post("overview/together/agree/1", {"words-1": "", "seen-words-1": based_on}, headers=JSON)
    assert field(joost.get("overview/together/agree/1").text, "words-1") == ""


def test_pressed_twice_it_is_written_once(joost):
    for _press in range(2):
        decide(joost, outcome="agreed", words=WORDS)
    assert len(agreements(joost)) == len(decisions(joost)) == 1


def test_what_is_changed_afterwards_changes_the_same_decision_and_its_agreement(joost):
    decide(joost, outcome="agreed", words=WORDS, who="client")
    page = joost.get("overview/together/agree/1?change=1").text
    assert field(page, "words-1") == WORDS
    version = field(page, "version")
    joost.post(
        "overview/together/agree/1",
        {"words-1": "In de gang.", "seen-words-1": field(page, "seen-words-1"), "version": version},
    )
    [one], [agreed] = decisions(joost), agreements(joost)
    assert one.words == agreed.text == "In de gang."
    assert agreed.who == "Anna Voorbeeld"
    [response] = joost.ehr.search(Query.of("QuestionnaireResponse"))
    assert response.resource["status"] == "amended"


def test_an_agreement_of_which_people_think_differently_later_is_withdrawn(joost):
    decide(joost, outcome="agreed", words=WORDS)
    version = field(joost.get("overview/together/agree/1?change=1").text, "version")
    decide(joost, outcome="differ", client_view="Toch niet.", version=version)
    joost.post("overview/together/agree/1", {"outcome-1": "differ", "client-view-1": "Toch niet.", "version": version})
    [agreed] = agreements(joost)
    assert not agreed.open


def test_what_somebody_else_changed_meanwhile_is_shown_and_not_overwritten(joost):
    decide(joost, outcome="agreed", words=WORDS)
    page = joost.get("overview/together/agree/1?change=1").text
    version = field(page, "version")
    [stored] = joost.ehr.search(Query.of("QuestionnaireResponse"))
    other = response_with(stored.resource, "decision-words", "In de schuur.")
    joost.ehr.write(Write("update", other, if_match=stored.etag))
    answer = joost.post("overview/together/agree/1", {"words-1": "In de gang.", "version": version})
    assert answer.status_code == 409
    assert "In de schuur." in text_of(answer)
    assert field(answer.text, "words-1") == "In de gang."
    assert decisions(joost)[0].words == "In de schuur."
    newer = field(answer.text, "version")
    assert joost.post("overview/together/agree/1", {"words-1": "In de gang.", "version": newer}).status_code == 303
    assert decisions(joost)[0].words == "In de gang."


def response_with(response: dict, link_id: str, text: str) -> dict:
    groups = [
        {
            **group,
            "item": [
                {**item, "answer": [{"valueString": text}]} if item["linkId"] == link_id else item
                for item in group["item"]
            ],
        }
        for group in response["item"]
    ]
    return {**response, "item": groups}


def test_a_task_that_the_record_refuses_goes_down_the_ladder_and_the_next_conversation_still_opens_with_it(joost):
    ehr = joost.core.local_ehrs[joost.launch.issuer]

    class NoTasks:
        def __getattr__(self, name):
            return getattr(ehr, name)

        def write(self, write, /):
            if write.resource["resourceType"] == "Task":
                raise Refused("no tasks here", status=405)
            return ehr.write(write)

        def write_all(self, writes, /):
            for number, write in enumerate(writes):
                if write.resource["resourceType"] == "Task":
                    error = Refused("no tasks here", status=405)
                    error.unit_index = number
                    raise error
            return ehr.write_all(writes)

    joost.core.local_ehrs[joost.launch.issuer] = NoTasks()
    assert decide(joost, outcome="agreed", words=WORDS).status_code == 303
    assert ehr.search(Query.of("Task")) == []
    assert len(ehr.search(Query.of("QuestionnaireResponse"))) == 1
    own = joost.core.own_store(joost.launch.issuer).search(Query.of("Task"))
    assert [one.resource["description"] for one in own] == [WORDS]
    joost.post("overview/together/finish")
    page = text_of(joost.get("overview/together/"))
    assert WORDS in page
    assert "Bewaard in Verstel" in page


def test_while_the_record_is_silent_it_waits_and_is_not_called_saved(joost):
    joost.post("overview/together/discuss", {"topic-1": "Slapen"})
    flaky = joost.make_flaky()
    flaky.error = Unreachable("no answer")
    answer = joost.post("overview/together/agree/1", {"outcome-1": "agreed", "words-1": WORDS})
    assert "saved=waits" in answer.location
    sheet = text_of(joost.get(answer.location))
    assert "Dit staat nu in het dossier" not in sheet
    assert "Een deel hiervan staat nog niet in het dossier." in sheet
    flaky.error = None
    joost.courier_comes()
    assert [one.text for one in agreements(joost)] == [WORDS]


def test_how_it_went_is_said_again_and_again_and_each_remark_stays(joost):
    decide(joost, outcome="agreed", words=WORDS)
    [agreed] = agreements(joost)
    for went, note in (("doing", "Twee keer gelukt."), ("done", "Het gaat vanzelf.")):
        form = {f"went-{agreed.id}": went, f"note-{agreed.id}": note, "was": agreements(joost)[0].status}
        assert joost.post(f"overview/together/agreements/{agreed.id}", form).status_code == 303
    [after] = agreements(joost)
    assert [one.text for one in after.remarks] == ["Twee keer gelukt.", "Het gaat vanzelf."]
    assert {one.by for one in after.remarks} == {"SPV J. Jansen"}
    assert after.status == "done"
    assert "Vandaag op teruggekeken" in text_of(joost.get("overview/together/"))


def test_a_remark_that_is_sent_twice_is_made_once(joost):
    decide(joost, outcome="agreed", words=WORDS)
    [agreed] = agreements(joost)
    form = {f"went-{agreed.id}": "doing", f"note-{agreed.id}": "Gelukt.", "was": "planned"}
    for _press in range(2):
        assert joost.post(f"overview/together/agreements/{agreed.id}", form).status_code == 303
    assert [one.text for one in agreements(joost)[0].remarks] == ["Gelukt."]


def test_a_status_that_somebody_else_gave_meanwhile_is_not_overwritten(joost):
    decide(joost, outcome="agreed", words=WORDS)
    [task] = joost.ehr.search(Query.of("Task"))
    joost.ehr.write(Write("update", {**task.resource, "status": "in-progress"}, if_match=task.etag))
    id_ = task.resource["id"]
    form = {f"went-{id_}": "stopped", f"note-{id_}": "Klaar mee.", "was": "planned"}
    answer = joost.post(f"overview/together/agreements/{id_}", form)
    assert answer.status_code == 409
    assert field(answer.text, f"note-{id_}") == "Klaar mee."
    assert agreements(joost)[0].status == "doing"


def test_without_a_choice_nothing_is_said_about_an_agreement(joost):
    decide(joost, outcome="agreed", words=WORDS)
    [agreed] = agreements(joost)
    answer = joost.post(f"overview/together/agreements/{agreed.id}", {f"note-{agreed.id}": "Hm."})
    assert answer.status_code == 422
    assert field(answer.text, f"note-{agreed.id}") == "Hm."


def test_what_the_client_marked_is_put_on_the_list_and_counts_as_talked_about_once_it_is_decided(joost):
    anna = {"reference": "Patient/anna", "display": "Anna Voorbeeld"}
    point = task_of(
        SaidIn("hoop-03", identifier="x"),
        words="Ik voel me alleen: mee eens",
        patient=anna,
        requester=anna,
        marked_on="2026-06-01T09:00:00+02:00",
        language="nl",
    )
    stored = joost.ehr.write(Write("create", point))
    page = text_of(joost.get("overview/together/discuss"))
    assert "Ik voel me alleen: mee eens" in page
    added = joost.post("overview/together/discuss", {"add": f"{stored.resource['id']}|Ik voel me alleen: mee eens"})
    assert field(joost.get(added.location).text, "topic-1") == "Ik voel me alleen: mee eens"
    joost.post("overview/together/agree/1", {"outcome-1": "later"})
    assert joost.ehr.read("Task", stored.resource["id"]).resource["status"] == "completed"


def test_what_was_prepared_is_shown_in_the_client_s_words_under_its_theme(joost):
    prepared(joost.ehr)
    assert "Wandelen met de hond van de buren." in text_of(joost.get("overview/together/now"))
    discuss = text_of(joost.get("overview/together/discuss"))
    assert "Wandelen met de hond" not in discuss


def test_a_place_on_the_list_that_is_used_again_is_another_topic(joost):
    decide(joost, outcome="agreed", words=WORDS)
    joost.post("overview/together/discuss", {"remove": "1"})
    decide(joost, topic="Werk", outcome="later")
    assert {one.topic for one in decisions(joost)} == {"Slapen", "Werk"}


def test_a_conversation_is_not_closed_over_words_that_are_in_no_record(joost):
    joost.post("overview/together/discuss", {"topic-1": "Slapen"})
    joost.post("overview/together/finish")
    assert field(joost.get("overview/together/discuss").text, "topic-1") == "Slapen"
    assert "Nog niet op dit blad" in text_of(joost.get("overview/together/report"))
    joost.post("overview/together/finish", {"let-go": "1"})
    assert field(joost.get("overview/together/discuss").text, "topic-1") == ""


def test_the_sheet_is_for_both(app, joost):
    answered = decide(joost, outcome="agreed", words=WORDS, who="other", who_name="Mijn zus")
    assert WORDS in text_of(joost.get(answered.location))
    anna = launched(app)
    page = anna.get("visits/")
    assert WORDS in text_of(page)
    [address] = set(re.findall(r'href="([^"]*/visits/\d{4}-\d\d-\d\d)"', page.text))
    sheet = text_of(anna.get(address))
    assert WORDS in sheet
    assert "Mijn zus" in sheet
    assert "Het gesprek afsluiten" not in sheet
    assert anna.get("visits/1999-01-01").status_code == 404


def test_what_is_decided_is_not_among_the_questionnaires_that_were_sent_in(app, joost):
    prepared(joost.ehr)
    decide(joost, outcome="agreed", words=WORDS)
    for reader in (joost, launched(app)):
        page = text_of(reader.get("answers/"))
        assert "Samen het gesprek voorbereiden" in page
        assert "Samen beslist" not in page


def test_each_page_is_for_its_own_reader(app, joost):
    anna = launched(app)
    for path in ("", "now", "medicines", "discuss", "report"):
        assert joost.get(f"overview/together/{path}").status_code == 200
        assert anna.get(f"overview/together/{path}").status_code == 403
    assert joost.get("visits/").status_code == 403


def test_what_one_professional_types_is_not_shown_to_another(app, joost):
    joost.post("overview/together/discuss", {"topic-1": "Slapen"})
    other = launched(app, role="clinician", subject="de-wit")
    assert field(other.get("overview/together/discuss").text, "topic-1") == ""


def test_a_topic_that_is_not_on_the_list_leads_to_the_list(joost):
    assert joost.get("overview/together/agree/3").location.endswith("/discuss")
    assert joost.get("overview/together/options/3").location.endswith("/discuss")


def test_the_page_in_english():
    joost = launched(make_app(), role="clinician", language="en")
    assert "This is your first conversation here" in text_of(joost.get("overview/together/"))
