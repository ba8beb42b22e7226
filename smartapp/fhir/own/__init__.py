"""Our own FHIR store: versioned resources in SQL, and FHIR search over them.

A query is read by `search` and a resource by `index`; `meaning` says what the one asks of the other. Only then do the
two ways part: `sql` answers for all that is stored, `matching` for one resource in hand. `store` is the seam, `writes`
a unit in one transaction, `tables` what it is kept in.
"""
