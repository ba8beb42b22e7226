"""The records of one launch: where each resource lives, and how what is written gets there.

`records` is what pages use, `placement` decides the place, `outbox` keeps and delivers what was written.
"""

from smartapp.records.placement import Place
from smartapp.records.records import Record, Records, State, Touched

__all__ = ["Place", "Record", "Records", "State", "Touched"]
