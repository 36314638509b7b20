"""Histories of workflows, decoded once: events become the steps of runs, and runs become chains.

`HistoryReader` finds and reads the runs of a workflow; `RunBuilder` makes a `WorkflowRun` with its `Step`s from events
that come from anywhere. What each event type does is in one table, `EVENT_ROLES`.

The public names are those of `__all__`. Most are loaded when first used: the forms of files take time to import.
"""

from __future__ import annotations

from ..client.statuses import RunStatus
from ..system.lazy_names import lazy_names
from .failure_facts import FailureFacts, failure_facts  # now: the module has the name of the function

TYPE_CHECKING = False  # as in devserver/__init__.py
if TYPE_CHECKING:
    from .event_roles import EVENT_ROLES, WORKFLOW_TASK_EVENTS, EventRole, event_name, event_number
    from .events import attributes_of, close_status, next_run_id, open_steps, open_timers
    from .files import (
        FoundHistories,
        HistoryFileError,
        SavedHistory,
        find_histories,
        history_paths,
        is_history_name,
        read_history,
    )
    from .model import BAD, OPEN, NamedPayloads, Step, StepKind, StepStatus, WorkflowRun
    from .previews import TruncatedPayload, preview, size_text
    from .reader import HistoryReader
    from .relations import Execution, FailedTasks, NextRun, NexusOperation, OriginKind, RunOrigin
    from .resets import ResetPoint, reset_before, reset_to
    from .run_builder import RunBuilder
    from .run_chain import RunChain, RunSummary, workflow_missing
    from .stored import StoredHistories
    from .tail import HistoryTail

__all__ = [
    "BAD",
    "EVENT_ROLES",
    "OPEN",
    "WORKFLOW_TASK_EVENTS",
    "EventRole",
    "Execution",
    "FailedTasks",
    "FailureFacts",
    "FoundHistories",
    "HistoryFileError",
    "HistoryReader",
    "HistoryTail",
    "NamedPayloads",
    "NextRun",
    "NexusOperation",
    "OriginKind",
    "ResetPoint",
    "RunBuilder",
    "RunChain",
    "RunOrigin",
    "RunStatus",
    "RunSummary",
    "SavedHistory",
    "Step",
    "StepKind",
    "StepStatus",
    "StoredHistories",
    "TruncatedPayload",
    "WorkflowRun",
    "attributes_of",
    "close_status",
    "event_name",
    "event_number",
    "failure_facts",
    "find_histories",
    "history_paths",
    "is_history_name",
    "next_run_id",
    "open_steps",
    "open_timers",
    "preview",
    "read_history",
    "reset_before",
    "reset_to",
    "size_text",
    "workflow_missing",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "event_roles": ("EVENT_ROLES", "WORKFLOW_TASK_EVENTS", "EventRole", "event_name", "event_number"),
        "events": ("attributes_of", "close_status", "next_run_id", "open_steps", "open_timers"),
        "files": (
            "FoundHistories",
            "HistoryFileError",
            "SavedHistory",
            "find_histories",
            "history_paths",
            "is_history_name",
            "read_history",
        ),
        "model": ("BAD", "OPEN", "NamedPayloads", "Step", "StepKind", "StepStatus", "WorkflowRun"),
        "previews": ("TruncatedPayload", "preview", "size_text"),
        "reader": ("HistoryReader",),
        "relations": ("Execution", "FailedTasks", "NextRun", "NexusOperation", "OriginKind", "RunOrigin"),
        "resets": ("ResetPoint", "reset_before", "reset_to"),
        "run_builder": ("RunBuilder",),
        "run_chain": ("RunChain", "RunSummary", "workflow_missing"),
        "stored": ("StoredHistories",),
        "tail": ("HistoryTail",),
    },
)
