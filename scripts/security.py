"""Put what the tests prove into docs/security.md: the attacks, and the requirements of OWASP ASVS 5.0.

Run as `python -m scripts.security`; `make generate` does so.
"""

from __future__ import annotations

import sys

from scripts import asvs, attacks

PAGE = attacks.ROOT / "docs" / "security.md"
ATTACKS = ("<!-- The attacks: made by `make generate`, from scripts/attacks.toml and the tests. -->", "<!-- End -->")
ASVS = ("<!-- The requirements: made by `make generate`, from scripts/asvs.toml and the tests. -->", "<!-- The end -->")


def page(text: str, place: tuple[str, str], made: str) -> str:
    """Return the text of the page with something put in its place. Raises ValueError if the text has no such place."""
    before, begin, rest = text.partition(place[0])
    _old, end, after = rest.partition(place[1])
    if not begin or not end:
        raise ValueError(f"docs/security.md needs two lines between which a table goes: {place[0]!r} and {place[1]!r}.")
    return f"{before}{begin}\n\n{made}\n\n{end}{after}"


def fresh() -> str:
    """Return docs/security.md as it should be."""
    text = page(PAGE.read_text(encoding="utf-8"), ATTACKS, attacks.table(attacks.attacks(), attacks.proofs()))
    return page(text, ASVS, asvs.tables(asvs.requirements(), asvs.known_tests()))


def main() -> int:
    """Write the tables and return the exit code."""
    PAGE.write_text(fresh(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
