"""Whether a test that waits is blocked as a whole, or has other code running that may yet start a worker."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

import temporalio.worker

from devserver.replay import is_user_code

IDLE = ("concurrent/futures/thread.py", "_worker")
OUR_THREADS = ("temporaltest", "pytest_timeout", "asyncio-waitpid")
GUARD = str(Path(__file__).with_name("wait_guard.py"))
PROC = Path("/proc/self/task")
SDK_WORKER = str(Path(temporalio.worker.__file__).parent)


class OtherCode:
    """Threads, tasks and child processes, beside those that existed when this object was made."""

    def __init__(self) -> None:
        self._threads = {thread.ident for thread in threading.enumerate()}
        self._children = _children()

    def runs(self, *, own_workers: bool) -> bool:
        """Whether other code of the test runs than its wait in the current event loop.

        Where /proc does not show child processes, a test without `own_workers` may have its worker in one.
        """
        processes = bool(_children() - self._children) if PROC.exists() else not own_workers
        return processes or self._thread_runs() or any(map(_may_act, asyncio.all_tasks()))

    def _thread_runs(self) -> bool:
        frames = sys._current_frames()
        for thread in threading.enumerate():
            if thread.ident in self._threads or thread.name.startswith(OUR_THREADS):
                continue
            frame = frames.get(thread.ident or 0)
            code = None if frame is None else frame.f_code
            if code is None or not (code.co_filename.replace("\\", "/").endswith(IDLE[0]) and code.co_name == IDLE[1]):
                return True
        return False


def _may_act(task: asyncio.Task[Any]) -> bool:
    """Whether a task of the test may go on by itself: it neither waits for a workflow nor for another task."""
    if task.done():
        return False
    codes, awaited = [], task.get_coro()
    while True:
        frame = next((f for n in ("cr_frame", "gi_frame", "ag_frame") if (f := getattr(awaited, n, None))), None)
        if frame is not None:
            codes.append(frame.f_code)
        inner = (getattr(awaited, name, None) for name in ("cr_await", "gi_yieldfrom", "ag_await"))
        following = next((one for one in inner if one is not None), None)
        if following is None:
            break
        awaited = following
    files = [code.co_filename for code in codes]
    if not files or (not is_user_code(files[0]) and not _is_timeout(codes)):
        return False  # the SDK's, such as an activity, or the plugin's
    if _is_timeout(codes):
        return True  # the test ends this wait by itself
    if any(file == GUARD or file.startswith(SDK_WORKER) for file in files):
        return False
    waiter = getattr(task, "_fut_waiter", None)
    return not isinstance(waiter, asyncio.Task) and type(waiter).__name__ != "_GatheringFuture"


def _is_timeout(codes: list[Any]) -> bool:
    return any(code.co_name == "wait_for" and "asyncio" in code.co_filename for code in codes)


def _children() -> set[str]:
    """The ids of this process's child processes, where the system shows them in /proc."""
    found: set[str] = set()
    for path in PROC.glob("*/children"):
        try:
            found.update(path.read_text().split())
        except OSError:
            continue
    return found
