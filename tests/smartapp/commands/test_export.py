"""`verstel export person` and `verstel bring-in person`: a person's own file, made and taken in without a sign-in."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pypdfium2
import pytest
from click.testing import CliRunner, Result

from mappers.medmij import queries
from smartapp.commands import bring_in, erase, export
from smartapp.services import KEY
from smartapp.settings import Issuer
from tests.mappers.medmij.rules import broken
from tests.smartapp.helpers import Visitor, launched, make_app, settings
from tests.smartapp.pages.plan.pages import fill
from tests.smartapp.pages.plan.pdf_text import squeezed, text_in
from tests.smartapp.pages.together.test_walk import decide

BASE, OTHER = "https://ehr.example/fhir", "https://other.example/fhir"
OWN = "openid fhirUser patient/Patient.r"
WHO = ("--name", "Anna Voorbeeld", "--born", "1992-03-14")


class Place:
    """An installation: its environment, its app, and Anna with a story that is kept there."""

    def __init__(self, folder: Path, base: str, more: str = "") -> None:
        folder.mkdir()
        (folder / "issuers.toml").write_text(
            f'[[issuer]]\nbase = "{base}"\nname = "EHR"\nclient_id = "verstel"\nkey = "north"\n{more}'
        )
        self.base, self.folder = base, folder
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

    def medmij(self, out: Path, *more: str, base: str = "https://dva.example/fhir/") -> Result:
        where = ("--issuer", "north", "--patient", "anna", "--base", base, "--out", str(out))
        return CliRunner(env=self.environment).invoke(export.command, ["medmij", *where, *more])

    def bring_in(self, file: Path, *more: str) -> Result:
        return self.run(bring_in.command, "--patient", "anna", str(file), *more)


CUSTODIAN = """
[issuer.custodian]
name = "Instelling Noord"
system = "urn:oid:2.16.528.1.1007.3.3"
value = "00000001"
"""


@pytest.fixture
def here(tmp_path):
    place = Place(tmp_path / "here", BASE, CUSTODIAN)
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


# --- for a PGO --------------------------------------------------------------------------------------------------------


@pytest.fixture
def told(here):
    """Anna's place, with an area of her plan and a conversation too."""
    anna = here.anna()
    fill(anna, "plan/domains", domains="housing,social-contacts")
    fill(anna, "plan/domains/housing/support", support="Het team komt.")
    fill(anna, "plan/domains/social-contacts/now", now="Mijn zus belt.")
    decide(here.anna(role="clinician"), outcome="agreed", words="We gaan wandelen.")
    return here


def answer_in(folder: Path, name: str) -> dict:
    return json.loads((folder / name).read_bytes())


def test_every_query_of_a_pgo_has_its_answer_as_a_file(told, tmp_path):
    out = tmp_path / "anna"
    result = told.medmij(out, *WHO)
    assert result.exit_code == 0, result.output
    index = answer_in(out, "index.json")
    assert len(index["queries"]) == len(queries())
    for row, query in zip(index["queries"], queries(), strict=True):
        answer = answer_in(out, row["file"])
        assert broken(answer, query.path) == []
        assert (row["total"], row["ours"]) == (answer["total"], query.ours)
    totals = {row["file"]: row["total"] for row in index["queries"] if row["total"]}
    assert totals == {
        "50-patient.json": 1,
        "50-participationInSociety.json": 1,
        "50-helpFromOthers.json": 1,
        "51-documentReference.json": 2,
    }
    assert "Het team komt." in (out / "50-helpFromOthers.json").read_text()
    assert "Mijn zus belt." in (out / "50-participationInSociety.json").read_text()
    assert "Not in it: what is at EHR." in result.output


def test_the_papers_are_the_plan_and_the_conversation(told, tmp_path):
    out = tmp_path / "anna"
    told.medmij(out, *WHO)
    said = {}
    for entry in answer_in(out, "51-documentReference.json")["entry"]:
        attachment = entry["resource"]["content"][0]["attachment"]
        name = attachment["url"].removeprefix("Binary/")
        content = base64.b64decode(answer_in(out, f"Binary-{name}.json")["content"])
        published = answer_in(out, f"published-{name}.json")
        assert base64.b64decode(published["content"][0]["attachment"]["data"]) == content
        assert published["custodian"]["display"] == "Instelling Noord"
        assert b"pdfaid:part" in content
        said[name[:4]] = text_in(content)
    assert squeezed("Ik zing weer.") in said["hers"]
    assert squeezed("Mijn zus belt.") in said["hers"]
    assert squeezed("We gaan wandelen.") in said["gesp"]


def test_only_its_owner_can_open_the_folder_and_the_person_finds_that_it_was_made(told, tmp_path):
    out = tmp_path / "anna"
    told.medmij(out, *WHO)
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in out.iterdir()} == {0o600}
    assert "Beheer van Verstel" in told.anna().get("who-looked/").text


def test_of_somebody_of_whom_nothing_is_kept_there_is_who_they_are(there, tmp_path):
    out = tmp_path / "anna"
    assert there.medmij(out, *WHO).exit_code == 0
    assert {row["total"] for row in answer_in(out, "index.json")["queries"]} == {0, 1}
    assert not list(out.glob("Binary-*"))


def test_a_folder_that_is_there_is_left_alone(here, tmp_path):
    out = tmp_path / "anna"
    out.mkdir()
    assert here.medmij(out).exit_code == 1
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("base", ["dva", "http://dva.example/fhir", "https://dva.example/fhir?x=1"])
def test_an_address_that_can_serve_nothing_is_wrong_usage(here, tmp_path, base):
    assert here.medmij(tmp_path / "anna", base=base).exit_code == 2
    assert not (tmp_path / "anna").exists()


@pytest.mark.parametrize("patient", ["Patient/anna", "../anna", "an na", "", "a" * 65, "anna?x", "anna\n"])
@pytest.mark.parametrize(
    ("command", "more"),
    [
        (export.command, ("person", "--out", "anna.json")),
        (export.command, ("medmij", "--base", "https://dva.example/fhir", "--out", "anna")),
        (bring_in.command, ("person", __file__)),
        (erase.command, ("--yes",)),
    ],
)
def test_what_is_no_id_of_a_person_is_wrong_usage_and_not_half_of_them(here, command, more, patient, monkeypatch):
    monkeypatch.chdir(here.folder)
    result = CliRunner(env=here.environment).invoke(command, [*more, "--issuer", "north", "--patient", patient])
    assert result.exit_code == 2
    assert "without Patient/" in result.output
    assert not list(here.folder.glob("anna*"))


@pytest.mark.parametrize("born", ["14-03-1992", "1992", "1992-02-30", "19920314", "1992-W11-6", " 1992-03-14"])
def test_what_is_no_day_of_birth_is_wrong_usage(here, tmp_path, born):
    for result in (here.export(tmp_path / "anna.json", "--born", born), here.medmij(tmp_path / "anna", "--born", born)):
        assert result.exit_code == 2
        assert "YYYY-MM-DD" in result.output
    assert not list(tmp_path.glob("anna*"))
