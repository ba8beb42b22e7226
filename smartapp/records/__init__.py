"""The records of one launch: where each resource lives, and how what is written gets there.

`records` is what pages use, `placement` decides the place, `outbox` keeps what was written and `delivery` sends it.
"""

from smartapp.records.overlay import Record, RecordState
from smartapp.records.placement import Place
from smartapp.records.records import Records, Touched

__all__ = ["Place", "Record", "RecordState", "Records", "Touched"]
