"""Every role at every page and way in, against what was written by hand from what each role is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import pytest
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from mappers.roles import ROLES, Role
from smartapp.access import table
from smartapp.services import KEY
from tests.smartapp.helpers import Visitor, launched, make_app

PAGES = Path(__file__).parents[1] / "data" / "access" / "pages.txt"
DEVICE = PAGES.with_name("device.txt")
Answer = Literal["yes", "together", "no"]
TURNED_AWAY = "Deze pagina is niet voor jou"
BEGIN_TOGETHER = "Samen schrijven kan hier wel"
ROLES_AS_WRITTEN: tuple[Role, ...] = (
    "client",
    "clinician",
    "case-manager",
    "responsible",
    "peer-worker",
    "outside",
    "loved-one",
    "representative",
    "guest",
)


def written_down() -> Mapping[str, Mapping[Role, str]]:
    """Return, by endpoint and role, the letters of the file."""
    lines = [line.split() for line in PAGES.read_text(encoding="utf-8").splitlines() if line]
    heads = [line[1:] for line in lines if line[:3] == ["#", "client", "clinician"]]
    assert heads == [list(ROLES_AS_WRITTEN)]
    return {name: dict(zip(ROLES_AS_WRITTEN, cells, strict=True)) for name, *cells in lines if name != "#"}


def of_device() -> Mapping[str, str]:
    """Return, by endpoint, the letters of what a device may that was handed to somebody."""
    lines = [line.split() for line in DEVICE.read_text(encoding="utf-8").splitlines()]
    return {line[0]: line[1] for line in lines if line[0] != "#"}


def expected(cell: str, method: str) -> Answer:
    if cell == "t":
        return "together"
    return "yes" if ("o" if method == "GET" else "s") in cell else "no"


ALSO_ABOUT_NOBODY = {
    *("help.index", "session.logout"),
    *(
        "team.index",
        "team.mirror",
        "team.as_json",
        "team.rounds",
        "team.stop_round",
        "team.tell",
        "team.act",
        "team.panel",
    ),
    *("ropi.index", "ropi.mine", "ropi.take_back", "ropi.agree"),
}
"""What a launch about nobody has besides the list of clients: what is about nobody's record."""


def expected_about_nobody(endpoint: str, cell: str, method: str) -> bool:
    letter = "o" if method == "GET" else "s"
    return letter.upper() in cell or (endpoint in ALSO_ABOUT_NOBODY and letter in cell)


def ways_in(app) -> Iterator[tuple[Rule, str]]:
    """Yield every address below that of a record, with each method that it answers."""
    for rule in app.url_map.iter_rules():
        if "launch_id" in rule.arguments:
            yield from ((rule, method) for method in ("GET", "POST") if method in (rule.methods or ()))


def come(visitor: Visitor, rule: Rule, method: str) -> TestResponse:
    """Come in by a rule, as a form of ours would where it is sent."""
    path = address(rule, visitor)
    return visitor.get(path) if method == "GET" else visitor.post(path)


def address(rule: Rule, visitor: Visitor) -> str:
    """Return an address of a rule, with names of things that are not there."""
    values = {name: _one_of(converter) for name, converter in rule._converters.items()}
    values["launch_id"] = visitor.launch.id
    built = rule.build(values)
    assert built is not None
    return built[1]


def _one_of(converter: object) -> object:
    choices = getattr(converter, "items", None)
    return sorted(choices)[0] if choices else 1 if type(converter).__name__ == "IntegerConverter" else "x"


@pytest.fixture(scope="module")
def app():
    app = make_app()
    yield app
    app.extensions[KEY].engine.dispose()


def test_every_page_is_written_down_for_every_way_in_and_no_other(app):
    methods: dict[str, set[str]] = {}
    for rule, method in ways_in(app):
        methods.setdefault(rule.endpoint, set()).add("o" if method == "GET" else "s")
    written, nobodys = written_down(), {name for name in of_device() if name.startswith("door.")}
    assert set(ROLES_AS_WRITTEN) == set(ROLES)
    assert not nobodys & set(written)
    assert sorted({*written, *nobodys}) == sorted(methods)
    for name, cells in written.items():
        used = {letter.lower() for cell in cells.values() for letter in cell} - {"-", "t"}
        assert used == methods[name], f"{name} answers {methods[name]}"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_what_is_written_down_of_it_and_nothing_else(app, role):
    written, visitor = written_down(), launched(app, role=role)
    # Signing out comes last: after it there is no launch.
    cases = sorted(ways_in(app), key=lambda one: one[0].endpoint == "session.logout")
    cells = dict.fromkeys(of_device(), "-") | {name: cells[role] for name, cells in written.items()}
    answers = [(rule, method, expected(cells[rule.endpoint], method)) for rule, method in cases]
    together = [(rule, method) for rule, method, answer in answers if answer == "together"]
    for rule, method, answer in answers:
        page, what = come(visitor, rule, method), f"{role}: {method} {rule.endpoint}"
        assert (page.status_code == 403) is (answer != "yes"), what
        if answer != "yes":
            assert TURNED_AWAY in page.text, what
            assert (BEGIN_TOGETHER in page.text) is (answer == "together"), what
    if together:
        visitor = launched(app, role=role)
        assert visitor.post("overview/together/write", {"what": "story"}).status_code == 303
    for rule, method in together:
        assert come(visitor, rule, method).status_code != 403, f"{role}, together: {method} {rule.endpoint}"


@pytest.mark.parametrize("role", ROLES)
def test_a_launch_about_nobody_has_the_list_of_clients_and_nothing_of_a_record(app, role):
    written, visitor = written_down(), launched(app, role=role, about_nobody=True)
    cases = sorted(ways_in(app), key=lambda one: one[0].endpoint == "session.logout")
    for rule, method in cases:
        page, what = come(visitor, rule, method), f"{role}: {method} {rule.endpoint}"
        cell = written[rule.endpoint][role] if rule.endpoint in written else "-"
        may = expected_about_nobody(rule.endpoint, cell, method)
        assert (page.status_code == 403) is not may, what
        assert (TURNED_AWAY in page.text) is not may, what
        assert BEGIN_TOGETHER not in page.text, what


@pytest.mark.parametrize("role", ["outside", "guest"])
def test_other_ways_to_open_a_page_are_asked_the_same(app, role):
    written, visitor = written_down(), launched(app, role=role)
    for rule, method in ways_in(app):
        closed = rule.endpoint not in written or written[rule.endpoint][role] in ("-", "O")
        if method == "GET" and closed:
            path = address(rule, visitor)
            assert visitor.client.head(path).status_code == visitor.client.options(path).status_code == 403


def test_a_device_gets_what_is_written_down_and_only_for_its_questionnaire(app):
    giver = launched(app, role="clinician")
    door = giver.core.doors.make(giver.launch, "hoop", asked="matrix")
    assert door is not None
    client = app.test_client()
    assert client.post("/door/", data={"link": door.secret}).status_code == 303
    (made,) = giver.core.doors.made_by(giver.launch)
    (launch,) = giver.core.launches.of_session(made.session)
    device, may = Visitor(app, client, launch), of_device()
    # Leaving comes last: after it there is no launch.
    for rule, method in sorted(ways_in(app), key=lambda one: one[0].endpoint == "door.leave" and one[1] == "POST"):
        allowed = ("o" if method == "GET" else "s") in may.get(rule.endpoint, "")
        for instrument in ("hoop", "nel") if "instrument_id" in rule.arguments else ("",):
            path = address(rule, device).replace("/questionnaires/x/", f"/questionnaires/{instrument}/")
            page = device.get(path) if method == "GET" else device.post(path)
            assert (page.status_code == 403) is not (allowed and instrument != "nel"), f"{method} {path}"


def test_what_is_written_down_is_what_each_role_says_of_itself():
    """The sentence that people read of a role, by the pages that prove it."""
    written, rights = written_down(), table().roles
    pages = {role: {name for name, cells in written.items() if cells[role] != "-"} for role in ROLES}
    assert pages["guest"] == {"session.logout"}
    assert pages["loved-one"] == pages["representative"]
    sends = {role: {name for name, cells in written.items() if cells[role] in ("s", "os", "t")} for role in ROLES}
    own = {"session.logout", "session.hand_off", "caseload.find"}
    for role in ("responsible", "outside", "loved-one", "representative"):
        assert sends[role] <= own, f"{role} writes nothing"
    assert "schrijft niets" in rights["responsible"].may.nl
    assert pages["case-manager"] == pages["clinician"]
    planning = {name for name in written if name.startswith(("assignments.", "course.", "group."))}
    assert pages["clinician"] - pages["peer-worker"] == planning & pages["clinician"] - {"course.index"}
    assert pages["outside"] < pages["responsible"] < pages["clinician"]
