"""The one table of who may what: each page is in it, no other is, and what it can't say is an error with its place."""

from __future__ import annotations

import pytest

from mappers.roles import ROLES
from mappers.sharing import Rule, parts_in
from questionnaires.catalogue import catalogue
from questionnaires.reading import DefinitionError
from smartapp.access import BEGINS_TOGETHER, TABLE, PageRights, read_access, table
from smartapp.services import KEY
from smartapp.settings import env_example
from smartapp.storage.database import metadata
from tests.smartapp.helpers import launched, make_app, with_rights


@pytest.fixture
def app():
    app = make_app()
    yield app
    app.extensions[KEY].engine.dispose()


def below_a_record(app):
    """Return every endpoint below the address of a record, with the methods that it answers."""
    return [(rule.endpoint, rule.methods) for rule in app.url_map.iter_rules() if "launch_id" in rule.arguments]


def test_each_page_is_in_the_table_for_what_it_answers(app):
    rules = below_a_record(app)
    assert len(rules) > 100
    for endpoint, methods in rules:
        page, access = table().page(endpoint), table()
        opened, sent = (page.get or access.may_device(endpoint)), (page.post or access.may_device(endpoint, "POST"))
        assert not ("GET" in methods and not opened), f"nobody may open {endpoint}"
        assert not ("POST" in methods and not sent), f"nobody may send {endpoint}"


def test_no_exact_row_gives_a_right_that_its_page_does_not_answer(app):
    methods = {}
    for endpoint, answers in below_a_record(app):
        methods.setdefault(endpoint, set()).update(answers)
    for name, page in table().pages.items():
        if not name.endswith(".*"):
            assert not page.post or "POST" in methods[name], name
            assert not page.get or "GET" in methods[name], name


def test_a_page_that_is_not_there_is_named_at_the_start(app):
    table().check_pages([endpoint for endpoint, _methods in below_a_record(app)])
    with pytest.raises(DefinitionError, match=r"access\.toml: pages\.home\.not_now: is no page"):
        table().check_pages(["home.index"])


def test_a_page_that_the_table_forgets_is_nobodys(app, monkeypatch):
    nobody = PageRights()
    with_rights(monkeypatch, {"plan.start": nobody, "overview.index": nobody})
    for role in ROLES:
        for path in ("plan/", "overview/"):
            assert launched(app, role=role).get(path).status_code == 403


def test_every_role_signs_out_and_only_professionals_write_with_the_client():
    rights = table()
    assert {role for role in ROLES if rights.may(role, "session.logout", "POST")} == set(ROLES)
    together = {role for role in ROLES if rights.writes_together(role)}
    assert together == {"clinician", "case-manager", "peer-worker"}
    assert all(rights.roles[role].professional for role in together)


def test_the_more_exact_name_counts_alone():
    assert table().page("living.earlier").together is False
    assert table().page("living.step").together is True
    assert table().page("no.such") == PageRights()


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('"home.index" = { get = [', '"home.index" = { get = ["boss", ', "pages.home.index.get: says 'boss'"),
        ('"home.index" = { get', '"home.index" = { gets', "pages.home.index.gets: is not a known key"),
        ("[roles.guest]", "[roles.boss]", "roles.boss: says 'boss'"),
        ("[roles.guest]\n", "[roles.guest]\nboss = true\n", "roles.guest.boss: is not a known key"),
        ('home = "home.index"', 'home = "overview.index"', "roles.client.home: is 'overview.index'"),
        ('"home.not_now" = { post = ["client"] }', '"home.not_now" = {}', "pages.home.not_now: names no role"),
        (
            '"together.*" = { get = ["clinician", "case-manager", "peer-worker"], post = [',
            '"together.*" = { get = ["clinician", "case-manager", "peer-worker"], post = ["loved-one", ',
            f"pages.{BEGINS_TOGETHER}.post: has 'loved-one'",
        ),
        (
            'typists = ["clinician"',
            'typists = ["outside", "clinician"',
            "parts.form.*.typists: has 'outside', who does",
        ),
        ('form = "staying-well"', 'form = "hoop"', "parts.crisis.form: is 'hoop', which is no living form"),
        ('groups = ["crisis"', 'groups = ["boss", "crisis"', "parts.crisis.groups: has 'boss', which is no group"),
        ("[roles.guest]\n", '[roles.guest]\ncodes = ["GUARD"]\n', "roles.guest.codes: has 'GUARD'; write system|code"),
        (
            "[roles.guest]\n",
            '[roles.guest]\ncodes = ["http://snomed.info/sct|768832004"]\n',
            "roles.guest.codes: has 'http://snomed.info/sct|768832004', which means case-manager already",
        ),
        ('post = ["door.leave"', 'post = ["door.leave", 7', "device.post[2]: is 7"),
        ("[parts.scores]\n", "[parts.scores]\nboss = true\n", "parts.scores.boss: is not a known key"),
    ],
)
def test_what_it_cannot_say_is_an_error_with_file_and_key(tmp_path, was, now, said):
    text = TABLE.read_text(encoding="utf-8")
    assert was in text
    path = tmp_path / "access.toml"
    path.write_text(text.replace(was, now, 1), encoding="utf-8")
    with pytest.raises(DefinitionError) as error:
        read_access(path)
    assert str(error.value).startswith(f"access.toml: {said}")


def test_a_role_that_is_missing_is_named(tmp_path):
    text = TABLE.read_text(encoding="utf-8")
    before, _title, after = text.partition("[roles.guest]")
    path = tmp_path / "access.toml"
    path.write_text(before + after.partition("\n# ---- the pages")[2].partition("\n")[2], encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"roles\.guest: is missing"):
        read_access(path)


def test_each_part_is_read_by_somebody_and_by_no_loved_one_before_the_client_says_so():
    rights = table()
    parts = parts_in(catalogue(), rights.apart)
    assert len(parts) > 40
    for part in parts:
        rule = rights.rule(part)
        assert "clinician" in rule.readers, part
        assert not rule.readers & {"client", "loved-one", "representative", "guest"}, part
        assert rule.typists <= rule.readers, part
    assert {part for part in parts if "outside" in rights.rule(part).readers} == {"crisis"}
    assert rights.rule("no such part") == Rule()


def test_each_part_of_the_table_is_there():
    parts = parts_in(catalogue(), table().apart)
    kinds = {f"{part.partition('.')[0]}.*" for part in parts if "." in part}
    assert set(table().parts) <= {*parts, *kinds}


def test_no_table_of_our_database_is_forgotten_by_who_has_to_say_what_is_kept():
    """A table that nobody says what is in would be missing in docs/privacy.md, which is made of this."""
    named = [name for one in table().kept.values() for name in one.tables]
    assert sorted(named) == sorted(metadata.tables)


def test_the_settings_that_it_names_are_there():
    example = env_example()
    named = [name.strip() for one in table().kept.values() for name in one.setting.split(",") if name.strip()]
    assert named
    assert all(f"{name}=" in example for name in named)
