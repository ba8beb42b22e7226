"""Our own FHIR store: versioned resources in SQL, and FHIR search over them.

Search semantics live here and nowhere else: `search` reads a query, `store` answers it in SQL, `matching` answers it
for one resource in memory. One table of cases holds the two answers equal.
"""
