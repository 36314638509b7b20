"""Replaying histories against workflow code, with a readable account of each non-determinism.

    code = WorkflowCode.of_classes([Order])
    for result in await replay([history], code):
        print(result.history.workflow_id, result.divergence or "replays")

The public names are those of `__all__`; they are loaded when first used, because `temporalio` takes long to import.

- `replay` takes histories and returns one result for each, in the same order. It fails rather than hangs.
- `replay_each` does the same for histories that arrive one by one.
- `ReplayPool` replays the histories of a server or of files in several processes; `WantedWorkflows` and `sample` choose
  them, `group_failures` puts equal failures together.
- `file_name` makes a file name of any id.
- `Scrubber` removes from a history what differs from run to run.
- `WorkflowCode` is what histories are replayed against: workflow classes, and options of the SDK's `Replayer`.
- `Divergence` says where the code left its history: the reason, the nearest event, the lines of the user's code.
- `SourceLine`, `is_user_code`, `user_lines`, `suspended_at`, `raised_at`: the user's part of tracebacks and coroutines.
- `WorkflowSandbox` is the SDK's workflow sandbox, whose check of a new worker takes less time.
- `evict`, `park`, `DaemonThreads`, `keep_forever`, `release_threads`: ending workflow code that does not end by itself.
"""

from __future__ import annotations

from ..system.lazy_names import lazy_names

TYPE_CHECKING = False  # as in devserver/__init__.py
if TYPE_CHECKING:
    from .candidates import FILTERS, Sample, WantedWorkflows, sample
    from .daemon_threads import DaemonThreads, keep_forever, release_threads
    from .errors import NothingToReplay, ReplayError
    from .eviction import evict, park
    from .nondeterminism import Divergence, event_text
    from .outcomes import Candidate, FailureGroup, HistoryOutcome, Outcome, ReplayFailure, group_failures
    from .records import file_name
    from .replay_process import ReplayOptions, ReplayPool
    from .replayer import ReplayResult, WorkflowCode, replay, replay_each
    from .sandbox import WorkflowSandbox
    from .scrub import Scrubber
    from .source_lines import SourceLine, is_user_code, raised_at, shown_path, suspended_at, user_lines

__all__ = [
    "FILTERS",
    "Candidate",
    "DaemonThreads",
    "Divergence",
    "FailureGroup",
    "HistoryOutcome",
    "NothingToReplay",
    "Outcome",
    "ReplayError",
    "ReplayFailure",
    "ReplayOptions",
    "ReplayPool",
    "ReplayResult",
    "Sample",
    "Scrubber",
    "SourceLine",
    "WantedWorkflows",
    "WorkflowCode",
    "WorkflowSandbox",
    "event_text",
    "evict",
    "file_name",
    "group_failures",
    "is_user_code",
    "keep_forever",
    "park",
    "raised_at",
    "release_threads",
    "replay",
    "replay_each",
    "sample",
    "shown_path",
    "suspended_at",
    "user_lines",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "candidates": ("FILTERS", "Sample", "WantedWorkflows", "sample"),
        "daemon_threads": ("DaemonThreads", "keep_forever", "release_threads"),
        "errors": ("NothingToReplay", "ReplayError"),
        "eviction": ("evict", "park"),
        "nondeterminism": ("Divergence", "event_text"),
        "outcomes": ("Candidate", "FailureGroup", "HistoryOutcome", "Outcome", "ReplayFailure", "group_failures"),
        "replay_process": ("ReplayOptions", "ReplayPool"),
        "records": ("file_name",),
        "replayer": ("ReplayResult", "WorkflowCode", "replay", "replay_each"),
        "scrub": ("Scrubber",),
        "sandbox": ("WorkflowSandbox",),
        "source_lines": ("SourceLine", "is_user_code", "raised_at", "shown_path", "suspended_at", "user_lines"),
    },
)
