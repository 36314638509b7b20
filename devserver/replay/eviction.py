"""Ending the code of a workflow for certain: code that does not end is halted where it does no harm.

The SDK drops the workflows of a worker that stops. The garbage collector would then close their coroutines, in
whichever thread it runs; code that catches `BaseException` in a loop would hang that thread.
"""

from __future__ import annotations

import ctypes
import sys
import sysconfig
import threading
import time
from concurrent.futures import TimeoutError as OutOfTime
from types import FrameType
from typing import Any, Protocol

from temporalio.bridge.proto.workflow_activation import WorkflowActivation

from .daemon_threads import DaemonThreads, keep_forever
from .source_lines import INTERNAL, SourceLine

THREADS = "workflow-eviction"
PARK_TRIES = 500
PARK_POLL_SECONDS = 0.002
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class Instance(Protocol):
    """The SDK's instance of a workflow, as far as it is used here."""

    def activate(self, act: WorkflowActivation, /) -> Any:
        """One step of the workflow."""


def evict(
    instance: Instance, act: WorkflowActivation, limit: float, threads: DaemonThreads | None = None
) -> list[SourceLine] | None:
    """Do the step that ends a workflow, within `limit` seconds.

    Args:
        threads: Where to do it; it cannot be used again after code that has not ended. None: a new one.

    Returns:
        None if the code has ended, else where it is, as far as is known.
    """
    threads = threads or DaemonThreads(THREADS)
    try:
        threads.submit(instance.activate, act).result(limit)
    except OutOfTime:
        keep_forever([instance])
        return park(threads)
    except Exception:  # noqa: BLE001 - the SDK raises for tasks that remain
        keep_forever([instance])
        return []
    return None


def park(threads: DaemonThreads) -> list[SourceLine]:
    """Halt forever what runs in these threads; where it is."""
    return [line for thread in [*threads.busy] for line in _park(thread)]


class _Parked(BaseException):
    """Raised in a thread, it is never constructed: the thread waits forever."""

    def __init__(self) -> None:
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()


def _park(thread: int) -> list[SourceLine]:
    """Halt a thread that runs a user's code without end; where it is.

    It is halted in a line of the user's, since it may hold a lock elsewhere (logging's, for example).
    """
    for _ in range(PARK_TRIES):
        frame = sys._current_frames().get(thread)
        if frame is None:
            return []
        if _is_users(frame):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(_Parked))
            return [_line(frame)]
        del frame
        time.sleep(PARK_POLL_SECONDS)
    return _innermost(sys._current_frames().get(thread))


def _innermost(frame: FrameType | None) -> list[SourceLine]:
    while frame is not None:
        if _is_users(frame):
            return [_line(frame)]
        frame = frame.f_back
    return []


def _is_users(frame: FrameType) -> bool:
    return not frame.f_code.co_filename.startswith((*LIBRARIES, *INTERNAL, "<"))


def _line(frame: FrameType) -> SourceLine:
    return SourceLine(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
