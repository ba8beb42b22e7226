"""A client reads and changes every part of the plan, and finds the same words in the record."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from mappers.sharing import ME
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Write
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.plan.conftest import HALFWAY, put
from tests.smartapp.pages.plan.pages import fields_of, fill, stored_plan
from tests.smartapp.records.test_sight import share

DOMAINS = catalogue().life_domains


def test_a_new_plan_invites(anna):
    page = anna.get("plan/")
    assert page.status_code == 200
    assert "Hier begint jouw plan" in page.text


def test_opening_pages_writes_nothing(anna):
    for path in ("plan/", "living/story/story/", "living/strengths/list/", "plan/domains"):
        assert anna.get(path).status_code == 200
    assert anna.ehr.search(Query.of("CarePlan")) == []


def test_a_story_is_kept_exactly_as_typed(anna):
    told = "Eerst was er  niets.\n\nToen kwam 😊 de zee.  "
    answer = fill(anna, "living/story/story/", story_story=told.replace("\n", "\r\n"))
    assert answer.status_code == 303
    assert stored_plan(anna.ehr).story == told
    assert "Toen kwam 😊 de zee." in anna.get("plan/").text


def test_a_long_story_stands_there_whole_with_its_first_lines_open(app, anna):
    short, long = "Ik ben Anna. " * 20, "Ik ben Anna. " * 100
    for story, folded in ((short, False), (long, True)):
        fill(anna, "living/story/story/", story_story=story)
        for page in (anna.get("plan/").text, launched(app, role="clinician").get("overview/plan").text):
            assert story.strip() in page
            assert ('<input class="hidden-text" type="checkbox" id="all-of-story' in page) is folded


def test_saving_says_so_after_it_is_saved(anna):
    answer = fill(anna, "living/story/story/", story_story="Ik ben er.", stop="1")
    assert "Je verhaal is bewaard." in anna.get(answer.location).text


def test_a_form_that_is_sent_unchanged_changes_nothing(halfway):
    before = halfway.ehr.search(Query.of("CarePlan"))[0].etag
    for path in (
        "living/story/story/",
        "living/story/all/",
        "plan/domains",
        "plan/domains/housing/all",
    ):
        assert fill(halfway, path).status_code == 303
    assert stored_plan(halfway.ehr).story == HALFWAY.story
    assert halfway.ehr.search(Query.of("CarePlan"))[0].etag == before


def test_each_line_of_what_helps_is_one_strength(anna):
    fill(anna, "living/strengths/list/", strengths_what="Mijn zus\r\n\r\n  Tekenen \r\n")
    assert stored_plan(anna.ehr).strengths == ("Mijn zus", "Tekenen")


def test_each_line_of_what_costs_energy_is_one_stressor(anna):
    fill(anna, "living/stressors/list/", stressors_what="Drukte\r\nSlecht slapen")
    assert stored_plan(anna.ehr).stressors == ("Drukte", "Slecht slapen")


def test_a_strength_of_two_lines_that_was_not_touched_stays_one(anna):
    """Another program may have put a line break into it: more strengths beside it leave it as it is."""
    put(anna.ehr, HALFWAY.with_texts("strengths", ("Mijn zus,\ndie elke zondag belt", "Tekenen")))
    fill(anna, "living/strengths/list/", strengths_what="De zee")
    assert stored_plan(anna.ehr).strengths == ("Mijn zus,\ndie elke zondag belt", "Tekenen", "De zee")


def test_what_is_typed_twice_is_there_once(anna):
    fill(anna, "living/strengths/list/", strengths_what="Mijn zus\r\nMijn zus")
    form = {**fields_of(anna.get("living/strengths/list/")), "strengths-what": "Mijn zus\r\nDe zee"}
    for _press in range(2):
        assert anna.post("living/strengths/list/", form).status_code == 303
    assert stored_plan(anna.ehr).strengths == ("Mijn zus", "De zee")


def test_a_text_can_be_emptied(halfway):
    saved = fill(halfway, "living/story/story/", story_story="Iets anders.", stop="1")
    assert "Je verhaal is bewaard." in halfway.get(saved.location).text
    saved = fill(halfway, "living/story/story/", story_story="", stop="1")
    assert stored_plan(halfway.ehr).story == ""
    page = halfway.get(saved.location).text
    assert "Je verhaal is nu leeg." in page
    assert "Je verhaal is bewaard." not in page


# --- life domains


def test_five_areas_can_be_chosen(anna):
    five = ["housing", "meaning", "finances", "support", "physical-health"]
    chosen = [code for code in codes_on(anna) if code in five][:5]
    answer = anna.post("plan/domains", {**fields_of(anna.get("plan/domains")), "domains": chosen})
    assert answer.status_code == 303
    assert {found.domain for found in stored_plan(anna.ehr).domains} == set(chosen)


def test_an_area_has_its_plain_name_large_and_the_handbooks_word_small(anna):
    page = anna.get("plan/domains").text
    assert '<span class="also">Dagbesteding</span>' in page
    assert re.search(r"<span [^>]*-label[^>]*>Wat ik overdag doe</span>", page)
    assert "Dagbesteding" not in re.sub(r'<span class="also">[^<]*', "", page)
    assert '<span class="also">Wonen</span>' not in page  # plain already
    area = anna.get("plan/domains/meaning/").text
    assert "<h1>Wat mijn leven zin geeft</h1>" in area
    assert '<p class="card__meta">Zingeving</p>' in area


def test_a_sixth_area_is_refused_with_all_six_still_ticked(anna):
    six = codes_on(anna)[:6]
    answer = anna.post("plan/domains", {**fields_of(anna.get("plan/domains")), "domains": six})
    assert answer.status_code == 422
    assert fields_of(answer)["domains"].split(",") == six
    assert "Je koos 6 gebieden. Vijf is genoeg: haal er één weg." in answer.text
    eight = anna.post("plan/domains", {**fields_of(answer), "domains": codes_on(anna)[:8]})
    assert "Je koos 8 gebieden. Vijf is genoeg: haal er 3 weg." in eight.text
    assert anna.ehr.search(Query.of("CarePlan")) == []


def test_an_area_that_does_not_exist_is_refused(anna):
    opened = fields_of(anna.get("plan/domains"))
    answer = anna.post("plan/domains", {**opened, "domains": ["housing", "<castles>", "c" * 99]})
    assert answer.status_code == 422
    assert f"‘&lt;castles&gt;, {'c' * 48}…’ is geen gebied van deze lijst." in answer.text
    assert re.findall(r'value="([a-z-]+)" checked', answer.text) == ["housing"]
    assert anna.ehr.search(Query.of("CarePlan")) == []
    assert anna.post("plan/domains", fields_of(answer)).status_code == 303
    assert [found.domain for found in stored_plan(anna.ehr).domains] == ["housing"]


def test_family_areas_are_shown_on_request_only(anna):
    assert codes_on(anna) == [domain.code for domain in DOMAINS if not domain.family]
    assert codes_on(anna, "?family=1") == [domain.code for domain in DOMAINS]


@pytest.mark.parametrize(
    ("look", "address", "said"), [("family", "", "Je gezin"), ("1", "?lang=en", "Choose one to five")]
)
def test_looking_further_keeps_what_was_ticked_and_saves_nothing(anna, look, address, said):
    ticked = codes_on(anna)[:6]  # one too many: that is said when they save it
    page = anna.post(f"plan/domains{address}", {**fields_of(anna.get("plan/domains")), "domains": ticked, "look": look})
    assert page.status_code == 200
    assert said in page.text
    assert re.findall(r'value="([a-z-]+)" checked', page.text) == ticked
    assert anna.ehr.search(Query.of("CarePlan")) == []
    saved = anna.post("plan/domains", {**fields_of(page), "domains": ticked[:2]})
    assert saved.status_code == 303
    assert [found.domain for found in stored_plan(anna.ehr).domains] == ticked[:2]


def test_family_areas_are_shown_to_somebody_with_a_family_team(app):
    team = {
        "resourceType": "CareTeam",
        "id": "team",
        "status": "active",
        "category": [{"coding": [{"system": "https://verstel.nl/fhir/CodeSystem/plan", "code": "family-team"}]}],
        "subject": {"reference": "Patient/anna", "display": "Anna Voorbeeld"},
    }
    assert codes_on(launched(app, resources=[team])) == [domain.code for domain in DOMAINS]


def test_words_leave_the_plan_only_after_they_were_shown(halfway):
    opened = fields_of(halfway.get("plan/domains"))
    asked = halfway.post("plan/domains", {**opened, "domains": ["meaning"]})
    assert asked.status_code == 200
    assert "Ik woon fijn." in asked.text
    assert [found.domain for found in stored_plan(halfway.ehr).domains] == ["housing", "meaning"]
    answer = halfway.post("plan/domains", {**fields_of(asked), "domains": ["meaning"], "remove": "1"})
    assert answer.status_code == 303
    assert [found.domain for found in stored_plan(halfway.ehr).domains] == ["meaning"]
    assert [goal.text for goal in stored_plan(halfway.ehr).goals] == ["Weer leren zwemmen", "Een kat"]


def codes_on(visitor, query: str = "") -> list[str]:
    return re.findall(r'name="domains" value="([a-z-]+)"', visitor.get(f"plan/domains{query}").text)


@pytest.mark.parametrize("question", ["now", "change", "how", "support"])
def test_each_question_is_answered_on_its_own_page(halfway, question):
    answer = fill(halfway, f"plan/domains/meaning/{question}", **{question: "In mijn woorden."})
    assert answer.status_code == 303
    answers = stored_plan(halfway.ehr).domains[1]
    assert getattr(answers, question) == "In mijn woorden."


def test_saving_a_question_goes_on_to_the_next_and_the_last_to_the_overview(halfway):
    assert fill(halfway, "plan/domains/meaning/now", now="Zo.").location.endswith("/domains/meaning/change")
    assert "/domains/meaning/?" in fill(halfway, "plan/domains/meaning/support", support="Veel.").location


def test_saving_can_also_stop_there(halfway):
    answer = fill(halfway, "plan/domains/meaning/now", now="Zo.", stop="1")
    assert "/domains/meaning/?" in answer.location
    assert stored_plan(halfway.ehr).domains[1].now == "Zo."


def test_what_is_taken_back_after_stopping_there_leads_there_again(halfway):
    fill(halfway, "plan/domains/meaning/now", now="Zo.")
    after = halfway.get(fill(halfway, "plan/domains/meaning/now", now="Anders.", stop="1").location)
    pressed = {name: text for name, text in fields_of(after).items() if name in ("undo", "stop")}
    back = halfway.post("plan/domains/meaning/now", pressed).location
    assert back.partition("?")[0] == halfway.url("plan/domains/meaning/")
    assert stored_plan(halfway.ehr).domains[1].now == "Zo."


def test_all_four_questions_can_be_answered_on_one_page(halfway):
    fill(halfway, "plan/domains/meaning/all", now="a", change="b", how="c", support="d")
    found = stored_plan(halfway.ehr).domains[1]
    assert (found.now, found.change, found.how, found.support) == ("a", "b", "c", "d")


def test_an_area_outside_the_plan_says_so(halfway):
    assert "staat nu niet in je plan" in halfway.get("plan/domains/finances/").text


@pytest.mark.parametrize("path", ["plan/domains/castles/", "plan/domains/housing/why", "plan/castles"])
def test_what_does_not_exist_is_not_found(halfway, path):
    response = halfway.get(path)
    assert response.status_code == 404
    assert "Deze pagina bestaat niet" in response.text


# --- goals and steps


def goal_path(visitor, place: int = 0) -> str:
    return f"plan/goals/{stored_plan(visitor.ehr).goals[place].id}/"


def test_a_goal_is_kept_in_the_clients_own_words(halfway):
    answer = fill(halfway, "plan/goals/new", text="Zondag pannenkoeken bakken", domain="housing", due="2027-01-31")
    assert answer.status_code == 303
    page = halfway.client.get(answer.location, follow_redirects=True)
    assert "Zondag pannenkoeken bakken" in page.text
    goal = stored_plan(halfway.ehr).goals[2]
    assert (goal.text, goal.domain, goal.due, goal.active) == (
        "Zondag pannenkoeken bakken",
        "housing",
        "2027-01-31",
        True,
    )


def test_no_page_prefills_a_goal(halfway):
    opened = fields_of(halfway.get("plan/goals/new?domain=housing"))
    assert opened["text"] == ""
    assert opened["domain"] == "housing"


def test_a_goal_form_that_is_sent_twice_makes_one_goal(halfway):
    typed = {**fields_of(halfway.get("plan/goals/new")), "text": "Eén keer", "domain": "housing"}
    assert halfway.post("plan/goals/new", typed).status_code == 303
    assert halfway.post("plan/goals/new", typed).status_code == 303
    assert [goal.text for goal in stored_plan(halfway.ehr).goals] == ["Weer leren zwemmen", "Een kat", "Eén keer"]


def test_a_goal_without_words_keeps_the_rest_of_what_was_typed(halfway):
    answer = fill(halfway, "plan/goals/new", text="   ", domain="housing", due="2027-01-31")
    assert answer.status_code == 422
    assert fields_of(answer)["due"] == "2027-01-31"
    assert fields_of(answer)["domain"] == "housing"
    assert len(stored_plan(halfway.ehr).goals) == 2


def test_a_date_can_be_typed_the_dutch_way(halfway):
    fill(halfway, "plan/goals/new", text="Fietsen", domain="housing", due="1-3-2027")
    assert stored_plan(halfway.ehr).goals[2].due == "2027-03-01"


def test_a_date_that_does_not_exist_is_refused_and_stays_visible(halfway):
    answer = fill(halfway, "plan/goals/new", text="Fietsen", domain="housing", due="31-2-2027")
    assert answer.status_code == 422
    assert fields_of(answer)["due"] == "31-2-2027"
    assert fields_of(answer)["text"] == "Fietsen"


def test_without_areas_a_goal_starts_with_choosing_areas(anna):
    assert anna.get("plan/goals/new").location.endswith("/plan/domains")


def test_progress_is_said_in_words_and_dated(app, halfway):
    path = goal_path(halfway)
    fill(halfway, f"{path}progress", progress="improving", note="Ik durf het water in.")
    goal = stored_plan(halfway.ehr).goals[0]
    assert (goal.progress, goal.note, goal.active) == ("improving", "Ik durf het water in.", True)
    assert goal.progress_date
    page = halfway.get(path).text
    assert "Het gaat de goede kant op" in page
    assert "%" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.S)


def after_goal(visitor, text: str) -> str:
    answer = fill(visitor, "plan/goals/new", text=text, domain="housing", due="")
    answer = visitor.get(answer.location)
    assert text in [goal.text for goal in stored_plan(visitor.ehr).goals], "it is saved, whatever is asked"
    return visitor.get(answer.location).text


def test_a_standard_sentence_is_saved_and_asked_about_once_and_kindly(halfway):
    page = after_goal(halfway, "De cliënt moet stabiliseren")
    assert "Wiens woorden zijn dit?" in page
    mine = re.search(r'href="([^"]+)">Dit zijn mijn woorden', page)[1]
    assert "Wiens woorden" not in halfway.get(mine).text


def reworded(visitor, answer, path: str):
    """Follow what the page after a save asks; both of its ways must be there, and only one of them goes on asking."""
    while answer.status_code in (303, 307):
        page, answer = visitor.get(answer.location), visitor.get(answer.location)
    assert page.text.count("Wiens woorden zijn dit?") == 1
    assert "Wiens woorden" not in visitor.get(re.search(r'href="([^"]+)">Dit zijn mijn woorden', page.text)[1]).text
    change = html.unescape(re.search(r'href="([^"]+)">Ik zeg het in mijn eigen woorden', page.text)[1])
    opened = visitor.get(change)
    while opened.status_code == 303:
        change, opened = opened.location, visitor.get(opened.location)
    assert change.endswith(path)
    return fields_of(opened)


def test_words_of_professionals_among_what_helps_are_asked_about_where_each_can_be_changed(halfway):
    answer = fill(halfway, "living/strengths/list/", strengths_what="De zee\r\nCliënt heeft ziekte-inzicht")
    page = halfway.get(answer.location).text
    assert page.count("Wiens woorden zijn dit?") == 1
    change = html.unescape(re.search(r'href="([^"]+)">Ik zeg het in mijn eigen woorden', page)[1])
    assert change.endswith("living/strengths/#list")
    assert "ziekte-inzicht" in halfway.get(change).text


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("living/story/story/", "story-story"),
        ("plan/domains/housing/now", "now"),
        ("plan/domains/housing/support", "support"),
        ("plan/domains/housing/all", "how"),
    ],
)
def test_words_of_professionals_in_any_text_of_the_plan_are_saved_and_asked_about(halfway, path, field):
    answer = fill(halfway, path, **{field: "De patiënt moet stabiliseren."})
    assert reworded(halfway, answer, path)[field] == "De patiënt moet stabiliseren."
    # Said once: another change of the same text is not asked about again.
    answer = fill(halfway, path, **{field: "De patiënt moet stabiliseren. En slapen."})
    assert "Wiens woorden" not in halfway.get(answer.location).text
    answer = fill(halfway, path, **{field: "Ik wil rust."})
    assert "Wiens woorden" not in halfway.get(answer.location).text


def test_words_of_professionals_in_a_step_are_asked_about_and_lead_to_that_step(halfway):
    path, before = goal_path(halfway), stored_plan(halfway.ehr).goals[0].steps[0]
    answer = fill(halfway, f"{path}steps/new", text="Ziekte-inzicht vergroten", who="De cliënt")
    made = stored_plan(halfway.ehr).goals[0].steps[-1]
    assert reworded(halfway, answer, f"{path}steps/{made.id}")["text"] == "Ziekte-inzicht vergroten"
    answer = fill(halfway, f"{path}steps/{before.id}", text="Stabiliseren")
    assert reworded(halfway, answer, f"{path}steps/{before.id}")["text"] == "Stabiliseren"


def test_who_does_a_step_is_not_asked_about(halfway):
    answer = fill(halfway, f"{goal_path(halfway)}steps/new", text="Bellen", who="De cliënt")
    assert "Wiens woorden" not in halfway.get(answer.location).text


def test_what_is_put_back_from_an_earlier_version_is_not_asked_about(halfway):
    opened = fields_of(halfway.get("living/story/story/"))
    answer = halfway.post("living/story/story/", {**opened, "story-story": "De cliënt moet.", "put-back": "1"})
    assert answer.status_code == 303
    assert "Wiens woorden" not in halfway.get(answer.location).text


def test_where_words_are_changed_is_not_taken_from_an_address(halfway):
    assert "Wiens woorden" not in halfway.get("plan/?saved=story&whose=https://elsewhere.example/").text


def test_own_words_are_not_asked_about(halfway):
    assert "Wiens woorden" not in after_goal(halfway, "Een eigen voordeur")


def test_a_new_remark_stands_above_the_former_with_who_and_when(halfway):
    path = goal_path(halfway)
    fill(halfway, f"{path}progress", progress="worsening", note="Het water was koud.")
    assert fields_of(halfway.get(f"{path}progress"))["note"] == ""
    fill(halfway, f"{path}progress", progress="improving", note="Ik durf het water in.")
    fill(halfway, f"{path}end", ending="reached", note="")
    goal = stored_plan(halfway.ehr).goals[0]
    assert [one.text for one in goal.remarks] == ["Ik durf het water in.", "Het water was koud."]
    page = halfway.get(path).text
    assert page.index("Ik durf het water in.") < page.index("Het water was koud.")
    assert re.search(r"Het water was koud\.</p>\s*<p class=\"card__meta\">Jij · ", page)


def test_progress_without_a_choice_keeps_the_note(halfway):
    answer = fill(halfway, f"{goal_path(halfway)}progress", note="Weet ik niet.")
    assert answer.status_code == 422
    assert fields_of(answer)["note"] == "Weet ik niet."


@pytest.mark.parametrize(
    ("ending", "progress"), [("reached", "achieved"), ("let-go", "not-achieved"), ("changed", "not-achieved")]
)
def test_a_goal_that_ends_stays_in_the_plan(halfway, ending, progress):
    answer = fill(halfway, f"{goal_path(halfway)}end", ending=ending)
    assert answer.status_code == 303
    goal = stored_plan(halfway.ehr).goals[0]
    assert (goal.text, goal.active, goal.progress) == ("Weer leren zwemmen", False, progress)
    assert "Weer leren zwemmen" in halfway.get("plan/").text


def test_a_changed_goal_leads_to_writing_the_next(halfway):
    assert "/goals/new?domain=meaning" in fill(halfway, f"{goal_path(halfway)}end", ending="changed").location


def test_an_ended_goal_can_be_taken_up_again(halfway):
    assert halfway.post(f"{goal_path(halfway, 1)}resume").status_code == 303
    assert stored_plan(halfway.ehr).goals[1].active


def test_a_step_says_who_and_when(halfway):
    fill(halfway, f"{goal_path(halfway)}steps/new", text="Oefenen", who="Jaap en ik", due="2027-02-01")
    step = stored_plan(halfway.ehr).goals[0].steps[2]
    assert (step.text, step.who, step.due, step.status) == ("Oefenen", "Jaap en ik", "2027-02-01", "planned")


def test_a_step_can_be_marked_done(halfway):
    step = stored_plan(halfway.ehr).goals[0].steps[1]
    fill(halfway, f"{goal_path(halfway)}steps/{step.id}", status="done")
    assert stored_plan(halfway.ehr).goals[0].steps[1].status == "done"


def test_a_month_that_others_wrote_stays_when_something_else_is_saved(app):
    visitor = launched(app)
    aim, *rest = HALFWAY.goals
    steps = tuple(replace(one, due="2027-06") for one in aim.steps)
    put(visitor.ehr, replace(HALFWAY, goals=(replace(aim, due="2027-05", steps=steps), *rest)))
    fill(visitor, f"{goal_path(visitor)}steps/{stored_plan(visitor.ehr).goals[0].steps[1].id}", status="done")
    assert fill(visitor, f"{goal_path(visitor)}words", text="Zwemmen").status_code == 303
    goal = stored_plan(visitor.ehr).goals[0]
    assert (goal.text, goal.due, goal.steps[1].status, goal.steps[1].due) == ("Zwemmen", "2027-05", "done", "2027-06")


def test_a_step_without_words_is_refused(halfway):
    answer = fill(halfway, f"{goal_path(halfway)}steps/new", text="", who="Jaap")
    assert answer.status_code == 422
    assert fields_of(answer)["who"] == "Jaap"


# --- who may


def test_a_clinician_does_not_edit_the_plan(app):
    visitor = launched(app, role="clinician")
    assert visitor.get("plan/").status_code == 403
    assert visitor.post("living/story/story/", {"story-story": "Cliënt moet stabiliseren."}).status_code == 403
    assert visitor.ehr.search(Query.of("CarePlan")) == []


def test_every_page_says_who_can_read_it(halfway):
    for path in ("plan/domains/housing/", "plan/domains/housing/now", goal_path(halfway)):
        assert "Dit lezen: behandelaar" in halfway.get(path).text
    for path in ("living/story/", "living/story/story/", "living/strengths/list/"):
        assert "Dit lezen: behandelaar" in halfway.get(path).text
    assert "Jij kiest wie dit leest." in halfway.get("plan/goals/new").text
    assert 'sharing/">Wie leest wat' in halfway.get("plan/").text


def test_the_plan_says_who_reads_it_as_a_whole(app, halfway):
    assert re.search("Dit lezen: behandelaar, [^<]* Verander wie dit leest : Mijn plan", text_of(halfway.get("plan/")))
    share(app, form__story=ME)
    page = text_of(halfway.get("plan/"))
    assert "Wie dit leest, verschilt per deel. Verander wie dit leest : Mijn plan" in page
    assert "Dit lezen:" not in page


def test_what_is_typed_is_text_and_never_markup(halfway):
    fill(halfway, "living/story/story/", story_story="<script>alert(1)</script> & <b>vet</b>")
    for path in ("plan/", "living/story/story/"):
        page = halfway.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;vet&lt;/b&gt;" in page


def test_what_looks_like_a_format_is_text(halfway):
    typed = "100%s %(name)s %n {0} {__class__} {{ 7 * 7 }} ${x}"
    assert fill(halfway, "living/story/story/", story_story=typed).status_code == 303
    for path in ("plan/", "living/story/story/"):
        assert html.escape(typed) in halfway.get(path).text


def test_a_field_that_the_form_does_not_have_changes_nothing(anna):
    fill(anna, "living/story/story/", story_story="Eerst.")
    fill(
        anna,
        "living/story/story/",
        story_story="Nu.",
        status="revoked",
        subject="Patient/bram",
        id="x",
        strengths_what="Iets anders",
    )
    [plan] = [found.resource for found in anna.ehr.search(Query.of("CarePlan"))]
    assert (plan["status"], plan["subject"]["reference"]) == ("active", "Patient/anna")
    assert "Iets anders" not in str(plan)
    assert anna.ehr.search(Query.of("CarePlan", patient="Patient/bram")) == []


def test_a_very_long_text_is_not_saved_and_not_lost(anna):
    answer = fill(anna, "living/story/story/", story_story="ab " * 7000)  # 21,000 characters; 20,000 is the most
    assert answer.status_code == 422
    assert len(fields_of(answer)["story-story"]) == 21_000


@pytest.mark.parametrize("path", ["", "domains", "domains/housing/", "domains/housing/now", "goals/new"])
def test_every_page_speaks_english(halfway, path):
    page = halfway.get(f"plan/{path}?lang=en")
    assert '<html lang="en">' in page.text
    assert path == "domains" or re.search("This is read by|You choose who reads|Who reads what", page.text)
    assert "Terug naar" not in page.text


def test_a_plan_keeps_the_language_it_was_begun_in(halfway):
    """Someone who reads in English changes their words, not the headings that their care team reads in the record."""
    before = {one.reference: one.etag for kind in ("Goal", "Task") for one in halfway.ehr.search(Query.of(kind))}
    answer = halfway.post(
        "living/story/story/?lang=en",
        {**fields_of(halfway.get("living/story/story/?lang=en")), "story-story": "My words."},
    )
    assert answer.status_code == 303
    plan = halfway.ehr.search(Query.of("CarePlan"))[0].resource
    assert (plan["language"], plan["title"]) == ("nl", "Herstelplan")
    assert [one["display"] for one in plan["supportingInfo"]] == ["Mijn verhaal"]
    after = {one.reference: one.etag for kind in ("Goal", "Task") for one in halfway.ehr.search(Query.of(kind))}
    assert after == before


def test_a_plan_that_is_begun_in_english_is_in_english(anna):
    anna.post(
        "living/story/story/?lang=en",
        {**fields_of(anna.get("living/story/story/?lang=en")), "story-story": "My words."},
    )
    plan = anna.ehr.search(Query.of("CarePlan"))[0].resource
    assert (plan["language"], plan["title"]) == ("en", "Recovery plan")


# --- what someone else put in the record


def test_a_goal_of_somebody_else_in_the_plan_stays_and_stops_nothing(halfway):
    """Another program added a goal without a life domain; the client's own saves go on, and the goal stays."""
    other = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "Cliënt stabiliseert"},
        "subject": {"reference": "Patient/anna", "display": "Anna Voorbeeld"},
    }
    made = halfway.ehr.write(Write("create", other))
    plan = halfway.ehr.search(Query.of("CarePlan"))[0]
    goals = [*plan.resource["goal"], {"reference": f"Goal/{made.resource['id']}"}]
    halfway.ehr.write(Write("update", {**plan.resource, "goal": goals}, if_match=plan.etag))
    assert fill(halfway, "living/story/story/", story_story="Ik schrijf verder.").status_code == 303
    after = halfway.ehr.search(Query.of("CarePlan"))[0].resource
    assert f"Goal/{made.resource['id']}" in [one["reference"] for one in after["goal"]]
    assert halfway.ehr.read("Goal", made.resource["id"]).resource["description"] == other["description"]
    mine, others = halfway.get("plan/").text.split('id="others-title"')
    assert "stabiliseert" not in mine
    assert "stabiliseert" in others


def test_a_goal_that_another_program_keeps_is_shown_with_whose_words_it_is_and_not_to_be_changed(anna):
    """It is in the record about her, so she can read it, also before she has a plan."""
    subject = {"reference": "Patient/anna", "display": "Anna Voorbeeld"}
    for text, said in [
        ("Cliënt stabiliseert", {"expressedBy": {"reference": "Practitioner/els", "display": "Els Visser"}}),
        ("Weer zingen", {"expressedBy": {"reference": "Patient/anna"}}),
        ("Beter slapen", {}),
    ]:
        goal = {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": text}, "subject": subject}
        anna.ehr.write(Write("create", {**goal, **said}))
    others = anna.get("plan/").text.split('id="others-title"')[1].split("</section>")[0]
    words = " ".join(re.sub("<[^>]*>", " ", others).split())
    assert words.startswith(">Andere doelen in je dossier")
    for line in (
        "Cliënt stabiliseert In de woorden van Els Visser",
        "Weer zingen In je eigen woorden",
        "Beter slapen Er staat niet bij van wie deze woorden zijn.",
    ):
        assert line in words
    assert words.count("Bewaard in het dossier") == 3
    assert "<a " not in others


def test_a_plan_with_six_areas_says_what_to_do_and_keeps_the_text(halfway):
    """Another program put six areas into the plan: the client chooses which five stay, before anything is written."""
    plan = halfway.ehr.search(Query.of("CarePlan"))[0]
    extensions = plan.resource["extension"]
    area = next(one for one in extensions if one["url"].endswith("life-domain-answers"))
    more = ("finances", "justice", "support", "parenting")
    added = [{"url": area["url"], "extension": [_domain(area, code)]} for code in more]
    halfway.ehr.write(Write("update", {**plan.resource, "extension": [*extensions, *added]}, if_match=plan.etag))
    answer = fill(halfway, "plan/domains/housing/now", now="Mijn woorden.")
    assert answer.status_code == 409
    assert "meer dan vijf gebieden" in answer.text
    assert fields_of(answer)["now"] == "Mijn woorden."
    # What is in a form of its own does not wait for that choice.
    assert fill(halfway, "living/story/story/", story_story="Mijn verhaal.").status_code == 303
    assert fill(halfway, "plan/domains", domains="housing,meaning").status_code == 303
    assert fill(halfway, "plan/domains/housing/now").status_code == 303
    assert stored_plan(halfway.ehr).domains[0].now == "Mijn woorden."
    assert stored_plan(halfway.ehr).story == "Mijn verhaal."


def _domain(area: dict, code: str) -> dict:
    coding = next(one["valueCoding"] for one in area["extension"] if one["url"] == "domain")
    return {"url": "domain", "valueCoding": {**coding, "code": code}}
