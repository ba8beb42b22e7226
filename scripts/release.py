"""What a release needs: one version everywhere, its changes, and a list of what is in it with digests.

`make release TAG=v1.2.3` makes all files into dist/ and then runs this; `.github/workflows/release.yml` publishes them.
Exit 0: all is well; 1: something does not fit, and each thing is named.
"""

from __future__ import annotations

import hashlib
import re
import sys
from typing import Final

import questionnaires
from scripts.generated import ROOT

DIST: Final = ROOT / "dist"
_KINDS: Final = ("*.whl", "*.tar.gz", "*.tgz", "*.zip", "sbom.json")
"""What people get: the wheel, its source, the FHIR package, its guide and the list of components."""


def changes(text: str, version: str) -> str | None:
    """Return what CHANGELOG.md says of a version, without its heading; None where it has no section."""
    found = re.search(rf"(?ms)^## {re.escape(version)}(?:,[^\n]*| [^\n]*)?\n(.*?)(?=^## |\Z)", text)
    return found[1].strip() if found else None


def problems(tag: str, *, version: str, fhir: str, changelog: str) -> list[str]:
    """Return why `tag` cannot be released: each a sentence that says what to do."""
    found = []
    if tag != f"v{version}":
        found.append(
            f"The tag is {tag}, and questionnaires/__init__.py says {version}: tag v{version}, or change that."
        )
    if fhir != version:
        found.append(f"fhir_profiles/sushi-config.yaml has version {fhir}: write {version}, and run make generate.")
    if changes(changelog, "Unreleased"):
        found.append(f"CHANGELOG.md has changes that are *Unreleased*: put them below '## {version}'.")
    elif not changes(changelog, version):
        found.append(f"CHANGELOG.md has no section '## {version}' with changes: name *Unreleased* so.")
    return found


def main(arguments: list[str]) -> int:
    """Check the tag, and write what is said of the release and the digests of its files beside them."""
    if len(arguments) != 1:
        print("Say which release this is: make release TAG=v1.2.3")
        return 1
    [tag] = arguments
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    config = (ROOT / "fhir_profiles" / "sushi-config.yaml").read_text("utf-8")
    fhir = re.search(r"(?m)^version: (\S+)", config)
    found = problems(tag, version=questionnaires.__version__, fhir=fhir[1] if fhir else "", changelog=changelog)
    files = sorted({path for kind in _KINDS for path in DIST.glob(kind)})
    found += [
        f"dist/ has {len(missing)} of {kind}, and has to have one."
        for kind in _KINDS
        if len(missing := list(DIST.glob(kind))) != 1
    ]
    for sentence in found:
        print(sentence)
    if found:
        return 1
    (DIST / "notes.md").write_text(f"{changes(changelog, questionnaires.__version__)}\n", "utf-8")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (DIST / "SHA256SUMS").write_text("".join(lines), "utf-8")
    print("".join(lines), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
