"""Write docs/views.md: the tables that the views of the FHIR package make, column by column, and how to ask them.

Run as `python -m scripts.view_tables`; `make generate` does so. The queries
on the page are run by `tests.conformance.views`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from fhir_profiles.views import View, views
from questionnaires.page import table

PAGE: Final = Path(__file__).parents[1] / "docs" / "views.md"

QUERIES: Final = {
    "The scores of each client over time. A score has another meaning under another rule:": """\
SELECT patient_key, code, coalesce(rule, rule_in_code) AS rule, score_date, score_value
FROM verstel_scores
WHERE status IN ('final', 'amended', 'corrected') AND score_value IS NOT NULL
ORDER BY patient_key, code, rule, score_date""",
    "The answers that a score was made of:": """\
SELECT s.code, s.score_value, a.link_id, a.value_code
FROM verstel_scores s
JOIN verstel_answers a ON a.response_key = s.response_key
WHERE s.status <> 'entered-in-error' AND a.value_code IS NOT NULL""",
    "How many steps of each goal are done:": """\
SELECT g.goal_key, g.domain, count(s.step_key) AS steps, count(CASE WHEN s.status = 'completed' THEN 1 END) AS done
FROM verstel_goals g
LEFT JOIN verstel_steps s ON s.goal_key = g.goal_key AND s.status <> 'entered-in-error'
GROUP BY g.goal_key, g.domain""",
}
"""Queries that people begin with, by what they give."""

_HEAD = """# Tables for research and reports

For who counts and compares outside the app: a data warehouse, a researcher, a quality team. Made by `make generate`
from [`fhir_profiles/views.py`](../fhir_profiles/views.py).

The FHIR package (`verstel package`) holds ViewDefinitions of HL7's [SQL on FHIR](https://sql-on-fhir.org) in its folder
`other/`. An engine of that standard reads FHIR resources (a bulk export, for one) and makes these tables. Which rows a
place may make of whose data, and with whose consent, is for that place to decide: a view reads all that it is given.

- Join by `…_key` columns only. What a key looks like is up to the engine.
- Nothing is left out by status: a query says which it wants, or what was entered in error counts.
- Resources need the ids that a server gave them. What `verstel score` writes has none yet.
- Columns with free words are marked: leave them out where data must not lead to a person. A key does so too.
- Of the address in a reference, engines promise to read only the short form (`Patient/1`). Where a server writes whole
  addresses or a version, a key may be empty or differ; the `…_reference` columns have what is stored.
- A ViewDefinition is a resource of HL7's ballot for version 3. Engines of version 2 know it without a `resourceType`,
  or with `https://sql-on-fhir.org/ig/StructureDefinition/ViewDefinition`.

`make conformance` runs the views in two engines that others wrote, over all that the app writes: they must make equal
tables, and equal to what the app itself reads there; these queries too. What held is in [strangers.md](strangers.md).
"""


def fresh() -> str:
    """Return docs/views.md as it should be."""
    lines = [_HEAD, "## Queries to begin with", ""]
    for what, query in QUERIES.items():
        lines += [what, "", "```sql", query, "```", ""]
    for view in views():
        lines += [f"## `{view.name}`", "", view.description, "", f"Of each {view.resource}{_conditions(view)}", ""]
        rows = [(f"`{one.name}`", one.type, one.description, "yes" if one.own_words else "") for one in view.columns]
        lines += table(("column", "type", "what", "free words"), rows)
    return "\n".join(lines).rstrip("\n") + "\n"


def _conditions(view: View) -> str:
    return f" for which `{'` and `'.join(view.where)}`." if view.where else "."


def main() -> int:
    """Write the page and return the exit code."""
    PAGE.write_text(fresh(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
