"""Traces of workflows: what they did, step by step, across runs and children, as a tree that can be shown."""

from __future__ import annotations

from .repeats import DisplayEntry, OmittedSteps, Repeat, RepeatTimes, fold
from .tree import HiddenRuns, RunBegins, RunEnds, ShownEntry, TraceItem, TraceOptions, walk

__all__ = [
    "DisplayEntry",
    "HiddenRuns",
    "OmittedSteps",
    "Repeat",
    "RepeatTimes",
    "RunBegins",
    "RunEnds",
    "ShownEntry",
    "TraceItem",
    "TraceOptions",
    "fold",
    "walk",
]
