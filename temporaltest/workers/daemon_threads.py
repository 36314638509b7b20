"""Threads for sync activities and workflow tasks, and whatever else is left behind, never keep the interpreter."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# The SDK runs at most 100 activities of a worker at once unless told otherwise; no thread is kept for any of them.
MOST = 1000


def let_go(pool: object) -> None:
    """Have the interpreter not wait at its end for the threads of a pool of the user's, where a call has no end.

    They are daemons, since a loop in a daemon thread has made them, but the pool's module joins them all the same.
    """
    for made in getattr(pool, "_threads", ()):
        thread._threads_queues.pop(made, None)  # type: ignore[attr-defined]


def keep_for_ever(things: Iterable[object]) -> None:
    """Neither the garbage collector nor the interpreter's end may touch these: it would run code of theirs."""
    for thing in things:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


class DaemonThreads(ThreadPoolExecutor):
    """A thread pool, as the SDK asks for one, that gives each call a daemon thread of its own.

    A pool's own threads are joined when the interpreter ends, so one activity without an end would hang pytest.
    """

    def __init__(self, name: str) -> None:
        super().__init__(max_workers=MOST, thread_name_prefix=name)
        self._name = name
        self.busy: set[int] = set()
        """The threads that run something just now."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn` in a new thread."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            me = threading.get_ident()
            self.busy.add(me)
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
                self.busy.discard(me)
                future.set_exception(error)
            else:
                self.busy.discard(me)
                future.set_result(result)

        threading.Thread(target=run, name=self._name, daemon=True).start()
        return future
