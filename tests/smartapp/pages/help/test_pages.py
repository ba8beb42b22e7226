"""The help page says what each role reads, and leads the client to who reads which part."""

from __future__ import annotations

import pytest

from mappers.sharing import ME, RECORD
from smartapp.services import KEY
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.records.test_sight import share


def test_the_client_finds_there_who_reads_which_part(app):
    """In one place, where it is chosen too: said twice, one of the two is forgotten some day."""
    anna = launched(app)
    page = anna.get("help/").text
    assert f'<a href="/l/{anna.launch.id}/sharing/">Wie leest wat</a>' in page
    assert "Per deel kies je wie leest wat je bewaart of verstuurt." in text_of(anna.get("help/"))


def test_others_do_not_read_there_what_is_shared(app):
    share(app, answers__hoop=ME)
    before = text_of(launched(app, role="clinician").get("help/"))
    share(app, answers__hoop=RECORD)
    assert text_of(launched(app, role="clinician").get("help/")) == before


def test_a_client_reads_that_words_not_sent_are_theirs_and_finds_who_has_read(app):
    page = launched(app).get("help/")
    assert "Wat je typt en niet bewaart of verstuurt, zie alleen jij." in text_of(page)
    assert 'who-looked/">Wie heeft meegelezen</a>' in page.text


def test_a_clinician_reads_what_a_client_is_told_of_looking(app):
    nurse = launched(app, role="clinician")
    page = nurse.get("help/")
    assert "De cliënt ziet wie wat opende, en wanneer." in text_of(page)
    assert "Wie heeft meegelezen" not in page.text  # that list is the client's
    assert nurse.get("who-looked/").status_code == 403
    log = app.extensions[KEY].audit.of_person(nurse.launch.issuer, "Patient/anna")
    assert [one.event for one in log if "help.index" in one.objects] == ["read"]


@pytest.mark.parametrize("role", ["client", "clinician"])
def test_every_page_of_a_record_leads_to_it(app, role):
    visitor = launched(app, role=role)
    page = visitor.get("plan/" if role == "client" else "overview/").text
    assert f'<a href="/l/{visitor.launch.id}/help/">Uitleg: wie kan wat lezen?</a>' in page
    assert "Uitleg: wie kan" not in app.test_client().get("/accessibility").text  # there is no record there


@pytest.mark.parametrize(
    ("role", "title", "said"),
    [
        ("responsible", "regiebehandelaar", "Je denkt mee op de achtergrond"),
        ("peer-worker", "ervaringsdeskundige", "Je zet geen vragenlijsten klaar."),
        ("peer-worker", "ervaringsdeskundige", "scores en notities lees je als de cliënt die met je deelt."),
        ("outside", "zorgverlener buiten het team", "Daarom lees je alleen wat te doen is in een crisis."),
        ("loved-one", "naaste", "De cliënt bepaalt wat je hier kunt lezen."),
        ("representative", "wettelijk vertegenwoordiger", "Herstel is van de cliënt."),
    ],
)
def test_others_read_which_role_they_have_here_and_what_that_is(app, role, title, said):
    page = text_of(launched(app, role=role).get("help/"))
    assert f"Je rol hier: {title}." in page
    assert said in page


def test_who_is_nobody_here_has_no_help_either(app):
    assert launched(app, role="guest").get("help/").status_code == 403
