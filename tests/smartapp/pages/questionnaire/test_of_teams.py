"""A form about a team is in no list of a person's, and has no page in their record."""

from __future__ import annotations

import pytest

from questionnaires.catalogue import catalogue
from tests.smartapp.helpers import launched, text_of

OF_TEAMS = sorted(catalogue().of_teams)


@pytest.mark.parametrize("identifier", OF_TEAMS)
def test_no_page_of_a_client_opens_a_form_about_a_team_or_its_scores(app, identifier):
    anna = launched(app)
    assert anna.get(f"questionnaires/{identifier}/").status_code == 404
    assert anna.get(f"scores/{identifier}/").status_code == 404
    assert anna.get("questionnaires/hoop/").status_code == 200  # one about a person does


def test_the_list_of_a_client_names_no_form_about_a_team(app):
    page = text_of(launched(app).get("questionnaires/"))
    assert catalogue().instrument("hoop").title.nl in page
    assert not [one for one in OF_TEAMS if catalogue().instrument(one).title.nl in page]


@pytest.mark.parametrize("path", ["assignments/new", "door/"])
def test_no_professional_can_ask_a_client_for_one(app, path):
    page = launched(app, role="clinician").get(path).text
    assert 'value="hoop"' in page
    assert not [one for one in OF_TEAMS if f'value="{one}"' in page]
