"""All of one person in one file: out of one installation, and into another.

`shapes` has what a file is; `writing` makes one of what is kept, `reading` reads one that anybody may have made, and
`taking` says what has to be written so that it is here. `naming` has the one thing that changes on the way: what is
taken over gets a name of this place, and goes by the name that it had when it leaves again. So a file that is taken
over and made anew holds the same, to the letter. What differs: the person (Patient) is the one here; who made the
file, where and when (Provenance, `identifier` and `timestamp` of the Bundle) is of the new file; and who may see what
(CareTeam, Consent) is not taken over at all. Ids and `meta` but profiles, which are a server's, are in no file.
"""

from __future__ import annotations

from mappers.portable.inside import file_inside, is_pdf
from mappers.portable.reading import LeftOut, NotAFile, PersonFile, Unreadable, Why, read
from mappers.portable.shapes import MOST_BYTES, SUBJECTS, Kept, Made, Owner
from mappers.portable.taking import Here, names_of, taken, url_here
from mappers.portable.whose import is_of_same_person
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
    "Unreadable",
    "Why",
    "bundle_of",
    "file_inside",
    "is_of_same_person",
    "is_pdf",
    "names_of",
    "read",
    "taken",
    "url_here",
]
