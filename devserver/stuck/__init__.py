"""Finds workflows that are blocked; never changes anything on the server.

`devserver.stuck.waits.add_waits` adds where they wait.
"""

from __future__ import annotations

from .detector import find_stuck
from .findings import KINDS, Finding, FindingTimer, FindingWaits, Kind, StuckProgress, StuckReport, Thresholds

__all__ = [
    "KINDS",
    "Finding",
    "FindingTimer",
    "FindingWaits",
    "Kind",
    "StuckProgress",
    "StuckReport",
    "Thresholds",
    "find_stuck",
]
