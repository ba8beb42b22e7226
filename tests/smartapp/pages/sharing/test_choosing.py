"""The pages about who reads what: each choice is kept in our own store, done at once, and taken back with one press."""

import contextlib
import re

import pytest

from mappers.circle import Circle, Member, circle_identifier, team_of
from mappers.sharing import ME, RECORD, Choice, sharing_of
from smartapp.courier import Courier
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Forbidden, Query, Unreachable, Write
from smartapp.pages.sharing import keeping
from smartapp.records.outbox import LEASE_SECONDS, OUTBOX
from smartapp.services import KEY
from smartapp.web import reading
from smartapp.web.typed import digest
from tests.smartapp.helpers import EHR, launched, make_app, text_of
from tests.smartapp.records.conftest import Clock
from tests.smartapp.records.test_sight import ANNA, at, plan_at, share

STORY = "Toen ik veertien was"
MILA = "RelatedPerson/mila"


@pytest.fixture
def anna(app):
    return launched(app)


def tell(anna):
    anna.post("living/story/story/", {"story-story": STORY, "seen-story-story": digest("")})


def seen(anna, part):
    return re.search(r'name="seen" value="([^"]*)"', anna.get(f"sharing/{part}").text)[1]


def choose(anna, part, **form):
    return anna.post(f"sharing/{part}", {"seen": seen(anna, part), **form})


def line(anna, part):
    """Return the text of a part in the list."""
    item = re.search(rf'<li id="{re.escape(part)}">.*?</li>', anna.get("sharing/").text, re.DOTALL)[0]
    return " ".join(re.sub("<[^>]*>", " ", item).split())


def choice(app, part):
    consent = app.extensions[KEY].consent(EHR, EHR, "Patient/anna")
    return sharing_of(consent.resource if consent else None).of(part)


def forms_at(app, place):
    return str([one.resource for one in at(app, place).search(Query.of("QuestionnaireResponse", patient="anna"))])


class TestList:
    def test_it_has_every_part_and_says_who_reads_it(self, app, anna):
        page = anna.get("sharing/").text
        with app.app_context():
            there = reading.parts()
        assert [part for part in there if f'id="{part}"' not in page] == []
        assert [part for part in there if not re.search("Je team|Dit lezen: ", line(anna, part))] == []

    def test_a_part_is_named_after_its_team_and_says_only_what_differs(self, app, anna):
        in_circle(app)
        page = text_of(anna.get("sharing/"))
        assert page.count("Je team is hier: behandelaar, regiebehandelaar, casemanager en ervaringsdeskundige.") == 3
        assert page.count("Je team is hier: behandelaar, regiebehandelaar en casemanager.") == 2
        assert page.count("Wat in je dossier staat, leest ook wie dat mag openen.") == 1
        assert "Mijn verhaal Je team. Alleen ik" in line(anna, "form.story")
        assert "Je team. Staat alleen in Verstel." in line(anna, "circle")
        assert "Dit lezen: behandelaar, regiebehandelaar en casemanager." in line(anna, "form.staying-well")
        assert "zorgverlener buiten het team." in line(anna, "crisis")
        choose(anna, "form.story", who="team", **{"reads": [MILA], "reads-role": ["peer-worker"]})
        assert "Je team en Mila." in line(anna, "form.story")
        choose(anna, "form.story", who="chosen", **{"reads": [MILA], "reads-role": ["peer-worker"]})
        assert "Alleen wie je koos: ervaringsdeskundige en Mila." in line(anna, "form.story")
        choose(anna, "form.story", who="me")
        assert "Alleen jij. Mijn team : Mijn verhaal" in line(anna, "form.story")
        choose(anna, "crisis", who="team", reads=[MILA])
        assert "zorgverlener buiten het team en Mila." in line(anna, "crisis")

    def test_the_page_of_a_part_says_where_it_is_kept(self, anna):
        assert "Staat in je dossier als dat het aanneemt" in text_of(anna.get("sharing/form.story"))
        choose(anna, "form.story", who="me")
        assert "Nieuwe woorden bewaart alleen Verstel." in text_of(anna.get("sharing/form.story"))

    def test_one_press_is_kept_and_taken_back(self, app, anna):
        tell(anna)
        after = anna.post(
            "sharing/form.story", {"press": "me", "seen": seen(anna, "form.story")}, follow_redirects=True
        )
        assert choice(app, "form.story") == ME
        assert "Je keuze is bewaard" in text_of(after)
        assert STORY not in forms_at(app, "ehr")
        undo = re.search(r'name="undo" value="([^"]*)"', after.text)[1]
        back = anna.post("sharing/form.story/back", {"undo": undo}, follow_redirects=True)
        assert choice(app, "form.story") == RECORD
        assert "Het is weer zoals het was" in text_of(back)
        assert STORY in anna.get("living/story/").text
        assert STORY in launched(app, role="clinician").get("living/story/").text

    def test_it_is_there_while_the_record_is_away(self, anna):
        flaky = anna.make_flaky()
        flaky.silence = flaky.error = Unreachable("away")
        assert anna.get("sharing/").status_code == 200
        assert anna.get("sharing/form.story").status_code == 200


class TestChoosing:
    def test_somebody_by_name_and_who_may_type(self, app, anna):
        form = {"who": "chosen", "reads": [MILA], "reads-role": ["peer-worker"], "types": ["nobody"]}
        form["types-role"] = ["peer-worker", "responsible"]
        in_circle(app)
        choose(anna, "form.story", **form)
        chosen = Choice(False, frozenset({MILA, "peer-worker"}), frozenset({"peer-worker"}))
        assert choice(app, "form.story") == chosen
        assert "Dit lezen: ervaringsdeskundige en Mila." in text_of(anna.get("sharing/form.story"))
        assert "Mila" not in str(at(app, "ehr").search(Query.of("Consent", patient="anna")))

    def test_who_is_not_offered_is_not_chosen(self, app, anna):
        page = choose(
            anna, "form.story", who="chosen", **{"reads": ["RelatedPerson/other"], "reads-role": ["guest", "client"]}
        )
        assert page.status_code == 422
        assert "Kies wie dit leest" in text_of(page)
        assert choice(app, "form.story") == RECORD

    def test_beside_the_team(self, app, anna):
        in_circle(app)
        choose(anna, "form.story", who="team", reads=[MILA])
        assert choice(app, "form.story") == Choice(True, frozenset({MILA}))

    def test_two_tabs_that_choose_differently_overwrite_nothing_unseen(self, app, anna):
        before = seen(anna, "form.story")
        choose(anna, "form.story", who="chosen", **{"reads-role": ["peer-worker"]})
        page = anna.post("sharing/form.story", {"seen": before, "who": "me"}, follow_redirects=True)
        assert "ergens anders opnieuw gekozen" in text_of(page)
        assert choice(app, "form.story").readers == frozenset({"peer-worker"})

    def test_two_tabs_about_two_parts_keep_both(self, app, anna):
        one, other = seen(anna, "form.story"), seen(anna, "notes")
        anna.post("sharing/form.story", {"seen": one, "who": "me"})
        anna.post("sharing/notes", {"seen": other, "who": "me"})
        assert (choice(app, "form.story"), choice(app, "notes")) == (ME, ME)
        assert len(at(app, "own").search(Query.of("Consent", patient="anna"))) == 1

    def test_the_log_says_which_part_changed(self, app, anna):
        choose(anna, "domain.housing", who="me")
        rows = [one for one in app.extensions[KEY].audit.entries() if one.event == "create"]
        assert [one.parts for one in rows] == [("domain.housing",)]

    def test_it_says_first_what_follows(self, anna):
        said = text_of(anna.get("sharing/domain.housing"))
        assert "Je plan is één geheel" in said
        assert "Zo staat het als je niets kiest" in said
        assert "blijft het openstaan" in text_of(anna.get("sharing/answers.hoop"))

    @pytest.mark.parametrize("address", ["sharing/form.nothing", "sharing/nothing", "sharing/form.story/nothing"])
    def test_a_part_that_is_not_there(self, anna, address):
        assert anna.get(address).status_code == 404
        assert anna.post(address, {"who": "me"}).status_code in (404, 405)

    @pytest.mark.parametrize("role", ["clinician", "responsible", "peer-worker", "outside", "loved-one", "guest"])
    def test_it_is_the_clients_alone(self, app, role):
        other = launched(app, role=role)
        assert other.get("sharing/").status_code == 403
        assert other.post("sharing/form.story", {"who": "me", "seen": digest("")}).status_code == 403
        assert choice(app, "form.story") == RECORD

    def test_another_site_chooses_nothing(self, app, anna):
        data = {"who": "me", "seen": seen(anna, "form.story")}
        anna.client.post(anna.url("sharing/form.story"), data=data)
        anna.post("sharing/form.story", data, headers={"Sec-Fetch-Site": "cross-site"})
        assert choice(app, "form.story") == RECORD


class TestRecord:
    def test_that_refuses_is_told_and_tried_again(self, app, anna):
        tell(anna)
        flaky = anna.make_flaky()
        flaky.no_updates = Forbidden("no", status=403)
        page = choose(anna, "form.story", who="me")
        assert "liet niet alle woorden los" in text_of(anna.get(page.location))
        assert "staan nog woorden" in text_of(anna.get("sharing/form.story"))
        assert STORY in anna.get("living/story/").text
        flaky.no_updates = None
        anna.post("sharing/form.story/take-out")
        assert STORY not in forms_at(app, "ehr")
        assert "staan nog woorden" not in text_of(anna.get("sharing/form.story"))

    def test_that_is_away_is_told_and_done_later(self, app, anna):
        tell(anna)
        joost, flaky = launched(app, role="clinician"), anna.make_flaky()
        flaky.silence = flaky.error = Unreachable("away")
        page = choose(anna, "form.story", who="me")
        assert "zodra het dossier antwoordt" in text_of(anna.get(page.location))
        flaky.silence = None
        assert STORY not in joost.get("living/story/").text
        flaky.error = None
        for _ in range(3):
            anna.courier_comes()
        assert STORY not in forms_at(app, "ehr")
        assert "antwoordt nu niet" not in text_of(anna.get("sharing/form.story"))
        assert STORY in anna.get("living/story/").text

    def test_a_consent_that_somebody_put_there_counts_for_nothing(self, app):
        share(app, form__story=Choice(False, frozenset({MILA})))
        planted = app.extensions[KEY].consent(EHR, EHR, "Patient/anna").resource
        other = make_app()
        launched(other)
        other.extensions[KEY].local_ehrs[EHR].write(Write("update", {**planted, "id": "planted"}))
        assert choice(other, "form.story") == RECORD
        assert "Mila" not in text_of(launched(other).get("sharing/form.story"))
        other.extensions[KEY].engine.dispose()


class Died(BaseException):
    """The process is gone: nothing after this was done."""


def dies(*_args, **_named):
    raise Died


class TestDeath:
    """A process that dies between a choice and what has to be done for it."""

    @pytest.fixture
    def clock(self):
        return Clock(1_770_000_000.0)

    @pytest.fixture
    def app(self, clock):
        app = make_app(clock)
        yield app
        app.extensions[KEY].engine.dispose()

    def choose_and_die(self, anna, monkeypatch):
        tell(anna)
        before = seen(anna, "form.story")
        with monkeypatch.context() as patch:
            patch.setattr(keeping, "take_out", dies)
            with pytest.raises(Died):
                anna.post("sharing/form.story", {"seen": before, "who": "me"})

    def test_the_courier_goes_on_by_itself(self, app, anna, clock, monkeypatch):
        self.choose_and_die(anna, monkeypatch)
        assert choice(app, "form.story") == ME
        assert STORY in forms_at(app, "ehr")
        clock.now += LEASE_SECONDS
        for _ in range(3):
            Courier(anna.core).round()
            clock.now += 60
        assert STORY not in forms_at(app, "ehr")
        assert STORY in anna.get("living/story/").text
        assert anna.records.waiting() == []

    def test_so_does_who_signs_in_again(self, app, anna, monkeypatch):
        self.choose_and_die(anna, monkeypatch)
        launched(app)
        for _ in range(3):
            Courier(anna.core).round()
        assert STORY not in forms_at(app, "ehr")

    def test_a_record_that_is_away_then_is_asked_again(self, anna, monkeypatch):
        flaky = anna.make_flaky()
        self.choose_and_die(anna, monkeypatch)
        flaky.silence = flaky.error = Unreachable("away")
        anna.courier_comes()
        assert STORY in str(flaky.store.search(Query.of("QuestionnaireResponse", patient="anna")))
        assert "antwoordt nu niet" in text_of(anna.get("sharing/form.story"))
        flaky.silence = flaky.error = None
        for _ in range(3):
            anna.courier_comes()
        assert STORY not in str(flaky.store.search(Query.of("QuestionnaireResponse", patient="anna")))
        assert anna.records.waiting() == []

    def test_without_one_nothing_is_left_to_do(self, anna):
        tell(anna)
        choose(anna, "form.story", who="me")
        assert anna.records.waiting() == []

    def test_a_choice_that_could_not_be_kept_leaves_nothing_to_do(self, app, anna, monkeypatch):
        before = seen(anna, "form.story")
        with monkeypatch.context() as patch:
            patch.setattr(anna.core.outbox, "put", dies)
            with pytest.raises(Died):
                anna.post("sharing/form.story", {"seen": before, "who": "me"})
        assert choice(app, "form.story") == RECORD
        assert anna.records.waiting() == []

    @pytest.mark.parametrize("after", [False, True])
    @pytest.mark.parametrize("writes", range(5))
    def test_at_whatever_write_what_is_chosen_is_done(self, app, anna, writes, after, monkeypatch):
        made, put_all = [], OwnStore.put_all
        plan_at(app)
        before = seen(anna, "domain.housing")

        def dies_then(store, units, *rest):
            made.append(units)
            if len(made) == writes + 1 and not after:
                raise Died
            stored = put_all(store, units, *rest)
            if len(made) == writes + 1:
                raise Died
            return stored

        with monkeypatch.context() as patch, contextlib.suppress(Died):
            patch.setattr(OwnStore, "put_all", dies_then)
            anna.post("sharing/domain.housing", {"seen": before, "who": "me"})
        assert len(made) > writes
        again = launched(app)
        with anna.core.engine.begin() as connection:
            connection.execute(OUTBOX.update().values(leased_until=0))
        for _ in range(3):
            again.courier_comes()
        is_chosen = choice(app, "domain.housing") == ME
        assert is_chosen == (writes > 0)
        there = [at(app, "ehr").search(Query.of(type_, patient="anna")) for type_ in ("CarePlan", "Goal", "Task")]
        assert ("sleutel" in str(there)) != is_chosen
        assert "Een eigen sleutel" in again.get("plan/").text
        assert again.records.waiting() == []


def in_circle(app):
    """Put Mila among Anna's people."""
    circle = Circle((Member("m1", "Mila", "mijn zus", "loved-one", MILA),))
    team = team_of(circle, patient=ANNA, identifier=circle_identifier(EHR, "Patient/anna"), language="nl")
    app.extensions[KEY].own_store(EHR).write(Write("create", team))
