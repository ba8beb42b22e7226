"""Write docs/privacy.md: every kind of data, where it lives, for how long, who reads it; for a place's DPIA.

Run as `python -m scripts.privacy`; `make generate` does so. All of it comes from the table by which the app itself
decides, `smartapp/access.toml`: what the page says is what is done.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from mappers.roles import ROLES, Role
from mappers.sharing import Rule, parts_in
from questionnaires.catalogue import Catalogue, catalogue
from smartapp.access import Access, table

PAGE = Path(__file__).parents[1] / "docs" / "privacy.md"

_HEAD = """# What is kept of whom

For the organisation that answers for the data, and its data protection impact assessment. Made by `make generate`
from [`smartapp/access.toml`](../smartapp/access.toml), the table by which the app itself decides. How it is protected
is in [security.md](security.md), what an operator sets in [operators.md](operators.md#what-is-deleted-and-when).

Verstel works for a healthcare organisation, which answers for the data. It keeps data about health (GDPR, article 9).
It sends none to anyone but the record systems in the settings, measures nobody's use, and keeps no number of a person
such as the BSN.
"""

_PARTS = """## What clients write, by part

Each part is shared by itself. As long as the client changes nothing it is kept where the record is kept: at the EHR,
else at a companion server, else in our own store, sealed. There, whoever the organisation lets into the record reads
it, also outside Verstel. In Verstel it is read by the roles in this table, and by nobody else.

The client changes that for each part, at once, on *Wie leest wat*: other readers, or *only me*. Then it is kept in
our own store alone, and who is not chosen can't tell that it exists. A loved one and a legal representative read
nothing before the client says so. Kept as a FHIR Consent in our own store.

**How long.** At the EHR and at a companion server: as they keep it. In our own store: until the client leaves, or
`verstel erase`.
"""

_KEPT = """## What is kept beside that

All of it in the database of this Verstel.
"""

_ROLES = """## The roles

What each may, as clients read it.
"""


def fresh() -> str:
    """Return docs/privacy.md as it should be."""
    access, known = table(), catalogue()
    blocks = [
        _HEAD,
        _PARTS,
        "\n".join(_table(("part", "in Dutch", "read by", "typed in by, with the client"), _parts(access, known))),
        "",
        _KEPT,
        "\n".join(_table(("what", "sealed", "how long", "set by", "who reads it", "tables"), _kept(access))),
        "",
        _ROLES,
        "\n".join(_table(("role", "in Dutch", "may"), _roles(access))),
    ]
    return "\n".join(blocks) + "\n"


def _table(heads: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    names = tuple(heads)
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _parts(access: Access, known: Catalogue) -> Iterator[tuple[str, ...]]:
    """Yield a row for each part; those of a kind that nobody tells apart are one row."""
    rows: dict[tuple[str, Rule], list[str]] = {}
    for part in parts_in(known, access.apart):
        kind = part.partition(".")[0]
        of_its_own = part in access.parts or f"{kind}.*" not in access.parts
        rows.setdefault((part if of_its_own else f"{kind}.*", access.rule(part)), []).append(part)
    for (_name, rule), parts in rows.items():
        titles = [access.part_title(part, known) for part in parts]
        yield (
            ", ".join(title.en for title in titles),
            ", ".join(title.nl for title in titles),
            _names(access, rule.readers),
            _names(access, rule.typists),
        )


def _names(access: Access, roles: Iterable[str]) -> str:
    chosen = set(roles)
    return ", ".join(access.roles[role].title.en for role in ROLES if role in chosen) or "nobody"


def _kept(access: Access) -> Iterator[tuple[str, ...]]:
    for one in access.kept.values():
        tables = ", ".join(f"`{name}`" for name in one.tables)
        setting = ", ".join(f"`{name.strip()}`" for name in one.setting.split(",")) if one.setting else ""
        yield (one.what, one.sealed, one.how_long, setting, one.who, tables)


def _roles(access: Access) -> Iterator[tuple[str, ...]]:
    shown: tuple[Role, ...] = ROLES
    for role in shown:
        rights = access.roles[role]
        yield (rights.title.en, rights.title.nl, rights.may.en)


def main() -> int:
    """Write the page and return the exit code."""
    PAGE.write_text(fresh(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
