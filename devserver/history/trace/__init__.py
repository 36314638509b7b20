"""Traces of workflows: what they did, step by step, across runs and children."""

from __future__ import annotations

from .builder import RunBuilder
from .chain import Chain, Link
from .model import (
    Entry,
    Execution,
    FailedTasks,
    Figures,
    Following,
    Operation,
    Origin,
    Repeat,
    Rest,
    Run,
    RunStatus,
    Step,
    StepKind,
    StepStatus,
)
from .previews import Kept, preview
from .tracer import Tracer

__all__ = [
    "Chain",
    "Entry",
    "Execution",
    "FailedTasks",
    "Figures",
    "Following",
    "Kept",
    "Link",
    "Operation",
    "Origin",
    "Repeat",
    "Rest",
    "Run",
    "RunBuilder",
    "RunStatus",
    "Step",
    "StepKind",
    "StepStatus",
    "Tracer",
    "preview",
]
