"""Reads what a server knows of workflows; never changes anything there."""

from __future__ import annotations

from .detector import find_stuck
from .findings import KINDS, Finding, Kind, StuckReport, Thresholds

__all__ = ["KINDS", "Finding", "Kind", "StuckReport", "Thresholds", "find_stuck"]
