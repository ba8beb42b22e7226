"""The name of a person, read from any resource with a HumanName, and the Reference that carries it.

A name is one line, and beside it what the person is called. Dutch records (nl-core) keep these two apart: the official
name has every first name or only initials, and a *usual* name without a family name is the call name (*roepnaam*).
`docs/integrators.md` says the rules in words.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mappers.tolerant import object_in, objects_in, text_in, texts_in
from questionnaires.fhir import Resource
from questionnaires.model import Text

_SD: Final = "http://hl7.org/fhir/StructureDefinition/"
OWN_PREFIX: Final = f"{_SD}humanname-own-prefix"
OWN_NAME: Final = f"{_SD}humanname-own-name"
PARTNER_PREFIX: Final = f"{_SD}humanname-partner-prefix"
PARTNER_NAME: Final = f"{_SD}humanname-partner-name"
ASSEMBLY_ORDER: Final = f"{_SD}humanname-assembly-order"
QUALIFIER: Final = f"{_SD}iso21090-EN-qualifier"
"""On a given name: BR a first name in full, IN an initial, CL what the person is called."""

_USES: Final = ("usual", "", "official", "temp", "nickname", "anonymous")
"""Which name goes before which; "" is one that does not say what it is used for."""
_PAST: Final = ("old", "maiden")
_DUTCH: Final = ("BR", "IN", "CL")
_BEFORE_A_NAME: Final = frozenset(
    ["mevrouw", "mevr", "mw", "meneer", "dhr", "mr", "mrs", "ms", "miss", "mx", "dr", "drs", "ir", "ing", "prof"]
)
"""What a line may begin with, also without a point behind it, that is nobody's name."""
_UNSEEN: Final = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")
"""Signs that nobody sees: of control, which FHIR forbids, and those that turn the direction of what follows."""
_DATE: Final = re.compile(r"(\d{4}(?:-\d{2}(?:-\d{2})?)?)(?:T.*)?")

_CARE: Final = Text("zorgverlener", "care professional")
_WHO: Final = {
    "Patient": Text("cliënt", "client"),
    "Practitioner": _CARE,
    "PractitionerRole": _CARE,
    "RelatedPerson": Text("naaste", "relative or friend"),
}
"""What a person is called in a reference while their name is not known, by the type of their resource."""


@dataclass(frozen=True, slots=True)
class PersonName:
    """The name of a person: the whole line, and what they are called where the record says so; "" where it does not.

    `called` is for those who speak to the person, and never takes the place of the line that says who it is.
    """

    full: str = ""
    called: str = ""

    @property
    def address(self) -> str:
        """Return how to speak to the person: what they are called, else their first name."""
        return self.called or first_name(self.full)


def name_of(resource: Any, today: dt.date | None = None) -> PersonName:
    """Return the name of a Patient, Practitioner or RelatedPerson; an empty one where there is none.

    The first complete name counts: the usual one, because it is what the person goes by, then the official one. One
    without a family name is not complete, so a call name never hides whose record this is. A name that is over on the
    day `today`, or that is called old, counts only where there is no other; without `today` no period is looked at.
    """
    names = _current(objects_in(resource, "name"), today)
    if not names:
        return PersonName()
    taken = next((one for one in names if _is_complete(one, names)), names[0])
    full = _line(taken)
    called = next((one for one in _called(names, taken) if _is_a_call_name(one)), "")
    return PersonName(full, "" if called == full else called)


def human_name(resource: Any, today: dt.date | None = None) -> str:
    """Return the name of a Patient, Practitioner or RelatedPerson as one line; "" where there is none."""
    return name_of(resource, today).full


def first_name(display: str) -> str:
    """Return the first name if a display begins with one, else all of it."""
    first = display.partition(" ")[0]
    # "Dr.", "A.", "Jansen," and the "de" of "de Boer" are not what anyone is called, nor is "Mevrouw".
    is_one = len(first) > 1 and not first.endswith((".", ",")) and not first[0].islower()
    return first if is_one and first.casefold() not in _BEFORE_A_NAME else display


def reference_to(reference: str, name: str, language: str) -> dict[str, str]:
    """Return the FHIR Reference to a person (`Patient/1`): with their name, or what they are where it is not known.

    Our profiles ask for a display, and an empty one is not FHIR: a server refuses all that is written with it.
    """
    who = _WHO.get(reference.partition("/")[0])
    display = name or (who.get(language) if who else "")
    return {"reference": reference, "display": display} if display else {"reference": reference}


# --- which of the names ----------------------------------------------------------------------------------------------


def _current(names: Sequence[Resource], today: dt.date | None) -> list[Resource]:
    """Return the names that say something, in the order in which they count; of the past only where all are."""
    told = [one for one in names if _line(one)]
    now = [one for one in told if text_in(one, "use") not in _PAST and not (today and _is_over(one, today))]
    return sorted(now or told, key=lambda one: _USES.index(_use(one)))


def _use(name: Resource) -> str:
    use = text_in(name, "use")
    return use if use in _USES else ""


def _is_over(name: Resource, today: dt.date) -> bool:
    """Tell whether a name is not in use on a day: it ended before, or it is still to come. An end is a whole day."""
    period, day = object_in(name, "period"), today.isoformat()
    start, end = (found[1] if (found := _DATE.fullmatch(text_in(period, side))) else "" for side in ("start", "end"))
    return bool(end and end < day[: len(end)]) or start > day[: len(start)]


def _is_complete(name: Resource, names: Sequence[Resource]) -> bool:
    """Tell whether a name says which family somebody is of, as far as the other names show that theirs does."""
    if _family(name):
        return True
    text = _text(name)
    if len(text.split()) < 2 or text == _given(name):
        return False
    families = [family for one in names if one is not name and (family := _family(one))]
    return not families or any(family.casefold() in text.casefold() for family in families)


def _called(names: Sequence[Resource], taken: Resource) -> Iterator[str]:
    """Yield what the person may be called, the surest first; nothing of it comes from an anonymous name."""
    usual = [one for one in names if _use(one) == "usual"]
    nicknames = [one for one in names if _use(one) == "nickname"]
    yield from (" ".join(value for value, _ in _givens(one)) for one in usual if one is not taken)
    yield from (value for one in usual if one is taken and _family(one) for value, _ in _givens(one)[:1])
    yield from (_text(one) for one in (*usual, *nicknames) if one is not taken and not _givens(one))
    yield from (value for one in names if _use(one) != "anonymous" for value, mark in _givens(one) if mark == "CL")
    yield from (" ".join(value for value, _ in _givens(one)) for one in nicknames)


def _is_a_call_name(text: str) -> bool:
    return len(text) > 1 and not text.endswith(".")


# --- one name as a line ----------------------------------------------------------------------------------------------


def _line(name: Resource) -> str:
    """Return a name as its record shows it, else put together from its parts.

    The text of a Dutch name has no titles, so none are put around one that has to be made.
    """
    if text := _text(name):
        return text
    before, after = ([], []) if _is_dutch(name) else (_texts(name, "prefix"), _texts(name, "suffix"))
    return " ".join(filter(None, (*before, _given(name), _family(name), *after)))


def _text(name: Resource) -> str:
    return _on_one_line(text_in(name, "text"))


def _is_dutch(name: Resource) -> bool:
    parts = object_in(name, "_family")
    marked = any(_extension(parts, url) for url in (OWN_NAME, PARTNER_NAME)) or _extension(name, ASSEMBLY_ORDER)
    return bool(marked) or any(mark in _DUTCH for _, mark in _givens(name))


def _given(name: Resource) -> str:
    """Return the first names: in full with spaces between, initials without (`Hendrik J.W.`).

    What somebody is called is no part of it where other first names are there, nor are the initials of names that
    stand there in full.
    """
    there = _givens(name)
    if any(mark != "CL" for _, mark in there):
        there = [one for one in there if one[1] != "CL"]
    full = [word for value, mark in there if mark == "BR" for word in value.split()]
    if _are_initials_of([value for value, mark in there if mark == "IN"], full):
        there = [one for one in there if one[1] != "IN"]
    line, before = "", ""
    for value, mark in there:
        line += value if not line or mark == before == "IN" else f" {value}"
        before = mark
    return line


def _are_initials_of(initials: Sequence[str], full: Sequence[str]) -> bool:
    """Tell whether initials are those of all the names in full; some have more than one letter (`Th.`, `IJ.`)."""
    parts = [part for value in initials for part in re.split(r"[.\s]+", value) if part]
    if len(parts) != len(full):  # written without points between
        parts = [sign for part in parts for sign in part]
    return len(parts) == len(full) and all(
        word.casefold().startswith(part.casefold()) for part, word in zip(parts, full, strict=True)
    )


def _givens(name: Resource) -> list[tuple[str, str]]:
    """Return each given name with its qualifier, "" where it has none."""
    # Some servers send one given name as a text instead of a list.
    there = name.get("given") if isinstance(name.get("given"), list) else [name.get("given")]
    # FHIR's JSON keeps the extensions of the values of a list in a second list, each at the place of its value.
    beside = name.get("_given") if isinstance(name.get("_given"), list) else []
    marks = [*(_extension(one, QUALIFIER) for one in beside or ()), *[""] * len(there or ())]
    return [
        (line, mark)
        for value, mark in zip(there or (), marks, strict=False)
        if isinstance(value, str) and (line := _on_one_line(value))
    ]


def _family(name: Resource) -> str:
    """Return the family name: as the record wrote it, else from own and partner's name in the order that it says.

    Who sends it knows how this family writes it. Where nothing says the order, the own name goes first.
    """
    if told := " ".join(_texts(name, "family")):
        return told
    parts = object_in(name, "_family")
    own = _with_prefix(_extension(parts, OWN_PREFIX), _extension(parts, OWN_NAME))
    partner = _with_prefix(_extension(parts, PARTNER_PREFIX), _extension(parts, PARTNER_NAME))
    orders = {"NL1": (own,), "NL2": (partner,), "NL3": (partner, own), "NL4": (own, partner)}
    chosen = orders.get(_extension(name, ASSEMBLY_ORDER), (own, partner))
    return "-".join(filter(None, chosen)) or own or partner


def _with_prefix(prefix: str, name: str) -> str:
    """Return a name with the prefix before it; a prefix without a name is nobody's name."""
    return f"{prefix} {name}" if prefix and name else name


def _extension(element: Any, url: str) -> str:
    """Return the text or the code of the first extension with this url, else ""."""
    found = next((one for one in objects_in(element, "extension") if one.get("url") == url), None)
    return _on_one_line(text_in(found, "valueString") or text_in(found, "valueCode"))


def _texts(name: Mapping[str, Any], part: str) -> list[str]:
    """Return the texts of a part of a name; servers send a text for a list, and the other way round."""
    return [line for one in (*texts_in(name, part), text_in(name, part)) if (line := _on_one_line(one))]


def _on_one_line(text: str) -> str:
    return " ".join(_UNSEEN.sub("", text).split())
