"""What a client shares, and with whom: parts of their record, the choice for each, and what a reader then sees."""

from mappers.sharing.consent import consent_of, is_sharing, sharing_of
from mappers.sharing.model import ME, RECORD, Choice, Reader, Rule, Sharing
from mappers.sharing.parts import Apart, part_of, parts_in
from mappers.sharing.seen import NOTHING, Hidden, put_back, seen

__all__ = [
    "ME",
    "NOTHING",
    "RECORD",
    "Apart",
    "Choice",
    "Hidden",
    "Reader",
    "Rule",
    "Sharing",
    "consent_of",
    "is_sharing",
    "part_of",
    "parts_in",
    "put_back",
    "seen",
    "sharing_of",
]
