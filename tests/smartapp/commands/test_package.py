"""`verstel package`: one FHIR package, the same bytes each time, with everything that we publish in it."""

import io
import json
import tarfile

import pytest
from click.testing import CliRunner

from fhir_profiles.tgz import files, manifest, tgz
from smartapp.commands.package import command
from smartapp.deploy.artefacts import artefacts


@pytest.fixture(scope="module")
def packed():
    return tgz(files())


@pytest.fixture(scope="module")
def members(packed):
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def test_packing_twice_gives_the_same_bytes(packed):
    assert tgz(files()) == packed


def test_nothing_in_it_tells_who_or_what_packed_it(packed):
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as tar:
        assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in tar} == {(0, 0, "", "", 0)}


def test_everything_lies_below_package(members):
    assert all(name.startswith("package/") for name in members)


def test_the_manifest_names_the_fhir_version_and_each_dependency(members):
    about = json.loads(members["package/package.json"])
    assert about["fhirVersions"] == ["4.0.1"]
    assert about["dependencies"]["hl7.fhir.r4.core"] == "4.0.1"


def test_all_that_is_published_is_in_it(members):
    inside = {json.loads(content).get("url") for name, content in members.items() if name.endswith(".json")}
    assert {one["url"] for one in artefacts()} <= inside


def test_the_index_lists_each_definition_and_no_example(members):
    index = json.loads(members["package/.index.json"])["files"]
    listed = {f"package/{one['filename']}" for one in index}
    beside = {name for name in members if name.count("/") == 1} - {"package/package.json", "package/.index.json"}
    assert listed == beside
    assert {"url", "version", "resourceType"} <= set.intersection(*(set(one) for one in index))


def test_the_command_writes_it_into_a_folder(tmp_path, packed):
    result = CliRunner().invoke(command, ["--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    written = tmp_path / f"{manifest()['name']}-{manifest()['version']}.tgz"
    assert written.read_bytes() == packed
    assert "sha256" in result.output


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    result = CliRunner().invoke(command, ["--out", str(tmp_path / "no" / "where.tgz")])
    assert result.exit_code == 1
    assert "Choose another place with --out" in result.output
