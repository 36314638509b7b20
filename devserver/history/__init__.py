"""Reads what a server knows of workflows; never changes anything there."""

from __future__ import annotations

from .findings import KINDS, Finding, Kind, StuckReport, Thresholds
from .stuck import find_stuck

__all__ = ["KINDS", "Finding", "Kind", "StuckReport", "Thresholds", "find_stuck"]
