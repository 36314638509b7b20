"""Replaying histories against workflow code, with a readable account of each non-determinism.

    code = WorkflowCode.of_classes([Order])
    for result in await replay([history], code):
        print(result.history.workflow_id, result.divergence or "replays")

The public names are those of `__all__`; they are loaded when first used, because `temporalio` takes long to import.

- `replay` takes histories and returns one result for each, in the same order. It fails rather than hangs.
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
    from .daemon_threads import DaemonThreads, keep_forever, release_threads
    from .eviction import evict, park
    from .nondeterminism import Divergence, event_text
    from .replayer import ReplayResult, WorkflowCode, replay
    from .sandbox import WorkflowSandbox
    from .source_lines import SourceLine, is_user_code, raised_at, shown_path, suspended_at, user_lines

__all__ = [
    "DaemonThreads",
    "Divergence",
    "ReplayResult",
    "SourceLine",
    "WorkflowCode",
    "WorkflowSandbox",
    "event_text",
    "evict",
    "is_user_code",
    "keep_forever",
    "park",
    "raised_at",
    "release_threads",
    "replay",
    "shown_path",
    "suspended_at",
    "user_lines",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "daemon_threads": ("DaemonThreads", "keep_forever", "release_threads"),
        "eviction": ("evict", "park"),
        "nondeterminism": ("Divergence", "event_text"),
        "replayer": ("ReplayResult", "WorkflowCode", "replay"),
        "sandbox": ("WorkflowSandbox",),
        "source_lines": ("SourceLine", "is_user_code", "raised_at", "shown_path", "suspended_at", "user_lines"),
    },
)
