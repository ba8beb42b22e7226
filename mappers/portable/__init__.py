"""All of one person in one file: out of one installation, and into another.

`shapes` has what a file is; `writing` makes one of what is kept, `reading` reads one that anybody may have made, and
`taking` says what has to be written so that it is here. `naming` has the one thing that changes on the way: what is
taken over gets a name of this place, and goes by the name that it had when it leaves again. So a file that is taken
over and made anew holds the same, to the letter. What differs: the person (Patient) is the one here; who made the
file, where and when (Provenance, `identifier` and `timestamp` of the Bundle) is of the new file; and who may see what
(CareTeam, Consent) is not taken over at all. Ids and `meta` but profiles, which are a server's, are in no file.
"""

from __future__ import annotations

from mappers.portable.reading import LeftOut, NotAFile, PersonFile, Why, read
from mappers.portable.shapes import MOST_BYTES, SUBJECTS, Kept, Made, Owner
from mappers.portable.taking import Here, names_of, taken
from mappers.portable.writing import bundle_of

__all__ = [
    "MOST_BYTES",
    "SUBJECTS",
    "Here",
    "Kept",
    "LeftOut",
    "Made",
    "NotAFile",
    "Owner",
    "PersonFile",
    "Why",
    "bundle_of",
    "names_of",
    "read",
    "taken",
]
