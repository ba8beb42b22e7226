"""Many saves at the same moment, in threads: what a page called saved is stored, and nothing else is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from smartapp.web.typed import digest
from tests.smartapp.helpers import launched, make_app
from tests.smartapp.pages.plan.conftest import put
from tests.smartapp.pages.plan.pages import stored_plan

WRITERS = 6
# 409: someone else saved at that moment. 503: what this person saved in another tab is still on its way.
# Both pages hold the text and say that it is not saved.
NOT_SAVED = {409, 503}


def at_once(tmp_path, posts):
    """Send each (path, form) from a browser of its own, all signed in as Anna; return the statuses and the plan."""
    app = make_app(database_url=f"sqlite:///{tmp_path}/app.db")
    put(launched(app).ehr)
    visitors = [launched(app) for _ in posts]

    def send(job):
        visitor, (path, form) = job
        return visitor.post(path, form).status_code

    with ThreadPoolExecutor(WRITERS) as pool:
        statuses = list(pool.map(send, zip(visitors, posts, strict=True)))
    plan = stored_plan(visitors[0].ehr)
    visitors[0].core.engine.dispose()
    return statuses, plan


def test_goals_that_were_called_saved_are_all_there(tmp_path):
    posts = [
        (
            "plan/goals/new",
            {
                "text": f"Doel {number}",
                "domain": "housing",
                "due": "",
                **{f"seen-{n}": digest("") for n in FIELDS},
            },
        )
        for number in range(WRITERS)
    ]
    statuses, plan = at_once(tmp_path, posts)
    assert set(statuses) <= {303, *NOT_SAVED}
    saved = {f"Doel {number}" for number, status in enumerate(statuses) if status == 303}
    assert {goal.text for goal in plan.goals} == {"Weer leren zwemmen", "Een kat", *saved}


def test_of_one_text_that_many_change_one_wins_and_the_others_are_asked(tmp_path):
    before = digest("Ik ben opgegroeid in Zwolle.\n\nLater kwam ik in Utrecht wonen.")
    posts = [
        ("living/story/story/", {"story-story": f"Versie {number}", "seen-story-story": before})
        for number in range(WRITERS)
    ]
    statuses, plan = at_once(tmp_path, posts)
    assert statuses.count(303) == 1
    assert set(statuses) <= {303, *NOT_SAVED}
    assert plan.story == f"Versie {statuses.index(303)}"


FIELDS = ("text", "domain", "due")
