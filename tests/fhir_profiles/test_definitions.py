"""HL7's definitions are fetched by name, checked by hash, and never half there."""

import hashlib
import io
import sys
import tarfile

import pytest

from fhir_profiles import definitions
from fhir_profiles.definitions import Pinned, RegistryUnreachableError, WrongHashError, download_command, fetch, pinned
from questionnaires.reading import DefinitionError


def archive():
    """A package as registries have them: a gzipped tar with everything below `package/`."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, content in (("package/package.json", b"{}"), ("package/ValueSet-a.json", b'{"a": 1}')):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return made.getvalue()


def package(content, sha256=None):
    digest = sha256 or hashlib.sha256(content).hexdigest()
    return Pinned(
        id="a.b", version="1.0.0", registry="npm", distribution="a.b@1.0.0", download="a.b-1.0.0.tgz", sha256=digest
    )


def downloaded(cache, one, content):
    (cache / "downloads").mkdir()
    (cache / "downloads" / one.download).write_bytes(content)


def test_a_package_lies_where_tools_look_for_it(tmp_path):
    content = archive()
    one = package(content)
    downloaded(tmp_path, one, content)
    folder = fetch(one, tmp_path)
    assert folder == tmp_path / "home" / ".fhir" / "packages" / "a.b#1.0.0" / "package"
    assert (folder / "ValueSet-a.json").read_bytes() == b'{"a": 1}'


def test_a_file_with_another_hash_is_thrown_away(tmp_path):
    one = package(archive(), sha256="0" * 64)
    downloaded(tmp_path, one, archive())
    with pytest.raises(WrongHashError, match=r"a\.b@1\.0\.0 has sha256"):
        fetch(one, tmp_path)
    assert not (tmp_path / "downloads" / one.download).exists()
    assert not one.folder(tmp_path).exists()


def test_a_registry_that_gives_no_file_is_named(tmp_path, monkeypatch):
    refuse = [sys.executable, "-c", "import sys; sys.exit('404 no such package')"]
    monkeypatch.setattr(definitions, "download_command", lambda _package: refuse)
    with pytest.raises(RegistryUnreachableError, match=r"a\.b@1\.0\.0 can't be had from npm: 404 no such package"):
        fetch(package(archive()), tmp_path)


def test_a_client_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(definitions, "download_command", lambda _package: ["no-such-client-here"])
    with pytest.raises(RegistryUnreachableError, match="no-such-client-here"):
        fetch(package(archive()), tmp_path)


def test_what_is_there_is_not_fetched_again(tmp_path, monkeypatch):
    one = package(archive())
    one.folder(tmp_path).mkdir(parents=True)
    (one.folder(tmp_path) / "package.json").write_text("{}")
    monkeypatch.setattr(definitions, "download_command", lambda _package: pytest.fail("asked the registry"))
    assert fetch(one, tmp_path) == one.folder(tmp_path)


def test_every_pinned_package_has_a_hash_and_an_exact_version():
    for one in pinned():
        assert len(one.sha256) == 64
        assert one.distribution.endswith(("==0.11.0", f"@{one.version}"))
        assert download_command(one)[-1] == one.distribution


def test_a_misspelt_key_of_a_pin_is_refused(tmp_path):
    text = definitions.PINS.read_text(encoding="utf-8").replace("sha256 =", "sha265 =", 1)
    (tmp_path / "definitions.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"^definitions\.toml: package\[1\]\.sha265: is not a known key"):
        pinned(tmp_path / "definitions.toml")
