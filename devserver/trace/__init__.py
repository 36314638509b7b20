"""Traces of workflows: what they did, step by step, across runs and children."""

from __future__ import annotations

from ..client.failures import FailureText, failure_line, failure_text
from .builder import RunBuilder
from .display_entries import Entry, Figures, Repeat, Rest
from .fold import fold
from .model import (
    Execution,
    FailedTasks,
    Following,
    Operation,
    Origin,
    Run,
    RunStatus,
    Step,
    StepKind,
    StepStatus,
)
from .previews import Kept, preview, size_text
from .reader import Tracer
from .run_chain import Chain, Link
from .tree import Hidden, RunBegins, RunEnds, Shown, Told, Wanted, walk

__all__ = [
    "Chain",
    "Entry",
    "Execution",
    "FailedTasks",
    "FailureText",
    "Figures",
    "Following",
    "Hidden",
    "Kept",
    "Link",
    "Operation",
    "Origin",
    "Repeat",
    "Rest",
    "Run",
    "RunBegins",
    "RunBuilder",
    "RunEnds",
    "RunStatus",
    "Shown",
    "Step",
    "StepKind",
    "StepStatus",
    "Told",
    "Tracer",
    "Wanted",
    "failure_line",
    "failure_text",
    "fold",
    "preview",
    "size_text",
    "walk",
]
