"""`verstel export person` and `verstel bring-in person`: a person's own file, made and taken in without a sign-in."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pypdfium2
import pytest
from click.testing import CliRunner, Result

from smartapp.commands import bring_in, export
from smartapp.services import KEY
from smartapp.settings import Issuer
from tests.smartapp.helpers import Visitor, launched, make_app, settings
from tests.smartapp.pages.plan.pages import fill

BASE, OTHER = "https://ehr.example/fhir", "https://other.example/fhir"
OWN = "openid fhirUser patient/Patient.r"
WHO = ("--name", "Anna Voorbeeld", "--born", "1992-03-14")


class Place:
    """An installation: its environment, its app, and Anna with a story that is kept there."""

    def __init__(self, folder: Path, base: str) -> None:
        folder.mkdir()
        (folder / "issuers.toml").write_text(
            f'[[issuer]]\nbase = "{base}"\nname = "EHR"\nclient_id = "verstel"\nkey = "north"\n'
        )
        self.base = base
        self.environment = {
            "VERSTEL_PUBLIC_URL": "http://localhost",
            "VERSTEL_SECRET_KEY": "a secret that only tests know 32 characters",
            "VERSTEL_ENCRYPTION_KEYS": settings().encryption_keys[0],
            "VERSTEL_ISSUERS_FILE": str(folder / "issuers.toml"),
            "VERSTEL_DATABASE_URL": f"sqlite:///{folder / 'verstel.db'}",
        }
        self.app = make_app(
            database_url=self.environment["VERSTEL_DATABASE_URL"],
            encryption_keys=(self.environment["VERSTEL_ENCRYPTION_KEYS"],),
            issuers=(Issuer(base=base, name="EHR", client_id="verstel", key="north"),),
        )

    def anna(self, **more) -> Visitor:
        return launched(self.app, issuer=self.base, scopes=OWN, **more)

    def run(self, command, *arguments: str) -> Result:
        return CliRunner(env=self.environment).invoke(command, ["person", "--issuer", "north", *arguments])

    def export(self, out: Path, *more: str) -> Result:
        return self.run(export.command, "--patient", "anna", "--out", str(out), *more)

    def bring_in(self, file: Path, *more: str) -> Result:
        return self.run(bring_in.command, "--patient", "anna", str(file), *more)


@pytest.fixture
def here(tmp_path):
    place = Place(tmp_path / "here", BASE)
    fill(place.anna(), "living/story/story/", story_story="Ik zing weer.")
    yield place
    place.app.extensions[KEY].engine.dispose()


@pytest.fixture
def there(tmp_path):
    place = Place(tmp_path / "there", OTHER)
    yield place
    place.app.extensions[KEY].engine.dispose()


def test_a_file_has_what_our_own_store_has_and_says_what_was_not_read(here, tmp_path):
    out = tmp_path / "anna.json"
    result = here.export(out, *WHO)
    assert result.exit_code == 0, result.output
    bundle = json.loads(out.read_bytes())
    assert "Ik zing weer." in out.read_text()
    [person] = [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Patient"]
    assert (person["name"], person["birthDate"]) == ([{"text": "Anna Voorbeeld"}], "1992-03-14")
    assert "Not in it: what is at EHR, since nobody signed in." in result.output
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_pdf_has_the_file_inside(here, tmp_path):
    out = tmp_path / "anna.pdf"
    assert here.export(out, *WHO).exit_code == 0
    document = pypdfium2.PdfDocument(out.read_bytes())
    assert "Ik zing weer." in bytes(document.get_attachment(0).get_data()).decode()
    document.close()


def test_what_is_handed_out_at_one_place_is_taken_over_at_another_once(here, there, tmp_path):
    out = tmp_path / "anna.pdf"
    here.export(out, *WHO)
    dry = there.bring_in(out, *WHO, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "1 form new" in dry.output
    assert "Ik zing weer." not in there.anna().get("living/story/").text
    assert there.bring_in(out, *WHO).exit_code == 0
    assert "Ik zing weer." in there.anna().get("living/story/").text
    again = there.bring_in(out, *WHO)
    assert "0 written." in again.output
    assert again.exit_code == 0


@pytest.mark.parametrize(("choice", "kept"), [("mine", "Hier."), ("theirs", "Ik zing weer."), ("both", "Hier.")])
def test_words_that_are_here_are_kept_unless_the_operator_says_otherwise(here, there, tmp_path, choice, kept):
    fill(there.anna(), "living/story/story/", story_story="Hier.")
    out = tmp_path / "anna.json"
    here.export(out, *WHO)
    result = there.bring_in(out, *WHO, "--clashes", choice)
    assert f"form.story says something else here than in the file: {choice}" in result.output
    assert "Ik zing weer." not in result.output
    page = there.anna().get("living/story/").text
    assert kept in page
    assert ("Ik zing weer." in page) == (choice != "mine")


def test_the_person_finds_under_who_looked_that_it_was_done(here, tmp_path):
    here.export(tmp_path / "anna.json", *WHO)
    assert "Beheer van Verstel" in here.anna().get("who-looked/").text


@pytest.mark.parametrize("who", [(), ("--name", "Bert"), ("--name", "Anna Voorbeeld", "--born", "1993-01-01")])
def test_a_file_of_who_may_be_another_is_refused(here, there, tmp_path, who):
    out = tmp_path / "anna.json"
    here.export(out, *WHO)
    result = there.bring_in(out, *who)
    assert result.exit_code == 1
    assert "is refused: it is of somebody else" in result.output
    assert "Nothing was taken over." in result.output


def test_what_is_left_out_is_said_and_ends_with_1(here, there, tmp_path):
    out = tmp_path / "anna.json"
    here.export(out, *WHO)
    bundle = json.loads(out.read_bytes())
    bundle["entry"].append({"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Condition"}})
    out.write_text(json.dumps(bundle))
    result = there.bring_in(out, *WHO)
    assert result.exit_code == 1
    assert "left out: 1 type." in result.output
    assert "Ik zing weer." in there.anna().get("living/story/").text


def test_wrong_usage_ends_with_2(here, tmp_path):
    assert here.export(tmp_path / "anna.txt").exit_code == 2
    result = CliRunner(env=here.environment).invoke(
        export.command, ["person", "--issuer", "south", "--patient", "anna", "--out", str(tmp_path / "a.pdf")]
    )
    assert result.exit_code == 2
    assert "north" in result.output


def test_nothing_is_written_over(here, tmp_path):
    out = tmp_path / "anna.json"
    out.write_text("mine")
    assert here.export(out, *WHO).exit_code == 1
    assert out.read_text() == "mine"


def test_no_file_at_all_is_refused(there, tmp_path):
    file = tmp_path / "x.json"
    file.write_text("[]")
    assert "is refused" in there.bring_in(file, *WHO).output
