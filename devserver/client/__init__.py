"""Everything that speaks gRPC to a server: targets and connections, calls, failures as text.

The public names are those of `__all__`; they are loaded when first used, because `temporalio` takes long to import.

- Connecting: `Connection` (a user's options), `find_target`, `Target`, `connect`.
- Calls: `ServiceCalls` lists, counts and describes workflows (paused ones too), reads histories and finds pollers, with
  retries (`CallRetries`) and errors of ours; `quote`, `quote_time` and `both` write list filters.
- Virtual clocks: `VirtualClock` of one workflow, `manual_client`, `require_time_skipping`.
- Open workflows: `ask_waits` asks the worker where one waits and which messages it takes (`WorkflowWaits`).
- Failures: `failure_line`, `failure_text` and `root_cause`; their rule is in `devserver.client.failures`. `FailureKind`
  tells what a text shows, such as non-determinism.
"""

from __future__ import annotations

from ..system.lazy_names import lazy_names

TYPE_CHECKING = False  # as in devserver/__init__.py
if TYPE_CHECKING:
    from .call_errors import call_failed, namespace_missing, unreachable
    from .calls import ServiceCalls, still_polls
    from .connection import Connection
    from .failure_kinds import FailureKind
    from .failures import FailureText, chain, failure_line, failure_text, failure_type, root_cause, summary
    from .list_filters import both, quote, quote_time
    from .profile_file import profile_file, write_profile
    from .retries import BUSY_SERVER, NEVER, SDK, CallRetries, through_outage
    from .statuses import OPEN_STATUSES, PAUSED, RunStatus, status_name
    from .target import Target, connect, find_target
    from .time_skipping import manual_client
    from .timestamps import to_datetime, to_datetime_or_none, to_timedelta, to_timestamp
    from .virtual_clock import VirtualClock, require_time_skipping
    from .virtual_clock_state import ClockState, clock_state
    from .waits import MessageHandler, StackFrame, WorkflowWaits, ask_waits

__all__ = [
    "BUSY_SERVER",
    "NEVER",
    "OPEN_STATUSES",
    "PAUSED",
    "SDK",
    "CallRetries",
    "ClockState",
    "Connection",
    "FailureKind",
    "FailureText",
    "MessageHandler",
    "RunStatus",
    "ServiceCalls",
    "StackFrame",
    "Target",
    "VirtualClock",
    "WorkflowWaits",
    "ask_waits",
    "both",
    "call_failed",
    "chain",
    "clock_state",
    "connect",
    "failure_line",
    "failure_text",
    "failure_type",
    "find_target",
    "manual_client",
    "namespace_missing",
    "profile_file",
    "quote",
    "quote_time",
    "require_time_skipping",
    "root_cause",
    "status_name",
    "still_polls",
    "summary",
    "through_outage",
    "to_datetime",
    "to_datetime_or_none",
    "to_timedelta",
    "to_timestamp",
    "unreachable",
    "write_profile",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "call_errors": ("call_failed", "namespace_missing", "unreachable"),
        "calls": ("ServiceCalls", "still_polls"),
        "connection": ("Connection",),
        "virtual_clock_state": ("ClockState", "clock_state"),
        "failure_kinds": ("FailureKind",),
        "failures": ("FailureText", "chain", "failure_line", "failure_text", "failure_type", "root_cause", "summary"),
        "list_filters": ("both", "quote", "quote_time"),
        "profile_file": ("profile_file", "write_profile"),
        "retries": ("BUSY_SERVER", "NEVER", "SDK", "CallRetries", "through_outage"),
        "statuses": ("OPEN_STATUSES", "PAUSED", "RunStatus", "status_name"),
        "target": ("Target", "connect", "find_target"),
        "time_skipping": ("manual_client",),
        "timestamps": ("to_datetime", "to_datetime_or_none", "to_timedelta", "to_timestamp"),
        "waits": ("MessageHandler", "StackFrame", "WorkflowWaits", "ask_waits"),
        "virtual_clock": ("VirtualClock", "require_time_skipping"),
    },
)
