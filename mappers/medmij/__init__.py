"""What a PGO gets: our data as answers to the queries of MedMij, in the shapes that are asked there (FHIR STU3, zibs).

A PGO is the app in which somebody in the Netherlands gathers what care providers know of them. It asks a fixed list of
queries, and this package answers each from one person's record: those that are not ours with nothing in it, as the
agreements want. It is pure: the record comes in, a Bundle goes out. Who may ask, and over which road, is for whoever
puts this behind an address; we have none of our own, for that takes a part in MedMij (docs/integrators.md).

`queries` has what is asked, `record` what it is answered from, `answering` the answers; `measurements`, `help`,
`participation`, `team` and `person` each make the resources of one query, `documents` those of papers, also in the
shape of IHE MHD; `shapes` has what they share. Everything is in Dutch: a PGO shows displays, and speaks no English.
"""

from __future__ import annotations

from mappers.medmij.answering import answer, binary
from mappers.medmij.documents import Custodian, Paper, paper_in, paper_of, published
from mappers.medmij.queries import CARE, DOCUMENTS, PgoQuery, queries
from mappers.medmij.record import OwnRecord

__all__ = [
    "CARE",
    "DOCUMENTS",
    "Custodian",
    "OwnRecord",
    "Paper",
    "PgoQuery",
    "answer",
    "binary",
    "paper_in",
    "paper_of",
    "published",
    "queries",
]
