"""Finds workflows that are blocked; never changes anything on the server."""

from __future__ import annotations

from .detector import find_stuck
from .findings import KINDS, Finding, Kind, StuckReport, Thresholds

__all__ = ["KINDS", "Finding", "Kind", "StuckReport", "Thresholds", "find_stuck"]
