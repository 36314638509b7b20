"""Histories of workflows, decoded once: events become the steps of runs, and runs become chains.

`HistoryReader` finds and reads the runs of a workflow; `RunBuilder` makes a `WorkflowRun` with its `Step`s from events
that come from anywhere.
"""

from __future__ import annotations

from .event_names import event_name, event_number
from .model import (
    BAD,
    OPEN,
    Execution,
    FailedTasks,
    NextRun,
    NexusOperation,
    OriginKind,
    RunOrigin,
    RunStatus,
    Step,
    StepKind,
    StepStatus,
    WorkflowRun,
)
from .previews import TruncatedPayload, preview, size_text
from .reader import HistoryReader
from .run_builder import RunBuilder
from .run_chain import RunChain, RunSummary, workflow_missing
from .tail import HistoryTail

__all__ = [
    "BAD",
    "OPEN",
    "Execution",
    "FailedTasks",
    "HistoryReader",
    "HistoryTail",
    "NextRun",
    "NexusOperation",
    "OriginKind",
    "RunBuilder",
    "RunChain",
    "RunOrigin",
    "RunStatus",
    "RunSummary",
    "Step",
    "StepKind",
    "StepStatus",
    "TruncatedPayload",
    "WorkflowRun",
    "event_name",
    "event_number",
    "preview",
    "size_text",
    "workflow_missing",
]
