"""Whether a file is of the person who brings it in: by what an EHR calls them, else by name and birth date."""

from __future__ import annotations

import re
import unicodedata

from mappers.portable.shapes import Owner


def is_of_same_person(file: Owner, here: Owner) -> bool:
    """Tell whether two are one person, as far as can be known; False where it can't.

    At one EHR the id decides. Between two, birth dates that are known must agree, and the names: the words of one are
    among those of the other; without a birth date on either side they are all the same.
    """
    if file.issuer and file.namespace == here.namespace:
        return file.patient_id == here.patient_id
    one, other = _words(file.name), _words(here.name)
    if not one or not other:
        return False
    if not file.birth_date or not here.birth_date:
        return one == other
    short, long = sorted((file.birth_date, here.birth_date), key=len)
    return long.startswith(short) and (one <= other or other <= one)


def _words(name: str) -> frozenset[str]:
    plain = "".join(one for one in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(one))
    return frozenset(re.findall(r"\w+", plain))
