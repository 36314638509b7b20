"""Ends the code of workflows that a worker has left, for certain: what cannot be ended is put where it does no harm.

The SDK drops the workflows of a worker that stops. Their coroutines would then be closed by the garbage collector, in
whatever thread that runs; code that catches `BaseException` in a loop would hang that thread, and pytest with it.
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

from temporalio import worker as sdk
from temporalio.bridge.proto.workflow_activation import RemoveFromCache, WorkflowActivation, WorkflowActivationJob

from ..workflows.tracebacks import INTERNAL, SourceLine
from .daemon_threads import DaemonThreads, keep_for_ever, let_go

EVICT_SECONDS = 3.0
PARK_TRIES = 500
PARK_POLL_SECONDS = 0.002
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
ADVICE = (
    "code that catches BaseException in a loop cannot be ended, so a worker never gets rid of it: "
    "catch Exception or asyncio.CancelledError instead"
)


class Instance(Protocol):
    """The SDK's instance of a workflow, as far as it is needed here."""

    def activate(self, act: WorkflowActivation, /) -> Any:
        """One step of it."""


def evict_all(worker: sdk.Worker) -> str:
    """End the workflows that a stopped worker still has; what does not let itself be ended, for a person to read.

    After the first such one the others are left, and kept from the garbage collector.
    """
    left = _left_in(worker)
    while left:
        run_id, running = left.popitem()
        place = evict(running, WorkflowActivation(run_id=run_id, jobs=[_EVICTION]), EVICT_SECONDS)
        if place is not None:
            keep_for_ever(left.values())
            at = f"\n  stands at {place[0]}" if place else ""
            return f"the workflow {_name(running)} does not let itself be ended{at}\n{ADVICE}"
    return ""


def busy(worker: sdk.Worker) -> list[str]:
    """The workflows whose code has not yielded when it should have."""
    return [_name(each) for each in _left_in(worker).values() if each.deadlocked_activation_task is not None]


def give_up(worker: sdk.Worker, threads: object) -> None:
    """Leave the workflows of a worker that does not stop where they are, and let their `threads` rest."""
    keep_for_ever([*_left_in(worker).values()])
    if isinstance(threads, DaemonThreads):
        park(threads)
    else:
        let_go(threads)


def park(threads: DaemonThreads) -> list[SourceLine]:
    """Halt what runs there for ever; where it stands."""
    return [place for thread in [*threads.busy] for place in _park(thread)]


def evict(instance: Instance, act: WorkflowActivation, limit: float) -> list[SourceLine] | None:
    """Do the step that ends a workflow. None if that has ended it, else where its code stands, as far as is known."""
    threads = DaemonThreads("temporaltest-evict")
    try:
        threads.submit(instance.activate, act).result(limit)
    except OutOfTime:
        keep_for_ever([instance])
        return park(threads)
    except Exception:  # noqa: BLE001 - the SDK says so of tasks that remain
        keep_for_ever([instance])
        return []
    return None


_EVICTION = WorkflowActivationJob(remove_from_cache=RemoveFromCache(message="the worker has stopped"))


def _left_in(worker: sdk.Worker) -> dict[str, Any]:
    """The SDK has no public name for what its worker has cached."""
    found: dict[str, Any] = getattr(getattr(worker, "_workflow_worker", None), "_running_workflows", {})
    return found


def _name(running: Any) -> str:
    info = running.get_info()
    return f"{info.workflow_id} ({info.workflow_type})"


class _Parked(BaseException):
    """Raised in a thread, it never gets made: the thread waits for ever."""

    def __init__(self) -> None:
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()


def _park(thread: int) -> list[SourceLine]:
    """Halt a thread that runs user's code without end; where it stands.

    It is halted in a line of the user's, since it may hold a lock elsewhere (logging's, say).
    """
    for _ in range(PARK_TRIES):
        frame = sys._current_frames().get(thread)
        if frame is None:
            return []
        if _is_users(frame):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(_Parked))
            return [_place(frame)]
        del frame
        time.sleep(PARK_POLL_SECONDS)
    return _innermost(sys._current_frames().get(thread))


def _innermost(frame: FrameType | None) -> list[SourceLine]:
    while frame is not None:
        if _is_users(frame):
            return [_place(frame)]
        frame = frame.f_back
    return []


def _is_users(frame: FrameType) -> bool:
    file = frame.f_code.co_filename
    return not file.startswith((*LIBRARIES, *INTERNAL, "<"))


def _place(frame: FrameType) -> SourceLine:
    return SourceLine(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
