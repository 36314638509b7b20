"""Threads that never keep the interpreter from ending: for code of users that may not end."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# The SDK runs at most 100 activities of a worker at a time by default; no thread is kept for any of them.
MAX_WORKERS = 1000


class DaemonThreads(ThreadPoolExecutor):
    """A thread pool, as the SDK requires one, that runs each call in a daemon thread of its own.

    The interpreter joins the threads of other pools when it ends, so one activity without an end would hang pytest.
    `busy` has the identifiers of the threads that run a call now.
    """

    def __init__(self, name: str) -> None:
        super().__init__(max_workers=MAX_WORKERS, thread_name_prefix=name)
        self._name = name
        self.busy: set[int] = set()

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
            except BaseException as error:  # noqa: BLE001 - it belongs to the caller, whatever it is
                self.busy.discard(me)
                future.set_exception(error)
            else:
                self.busy.discard(me)
                future.set_result(result)

        threading.Thread(target=run, name=self._name, daemon=True).start()
        return future


def release_threads(pool: object) -> None:
    """Do not let the interpreter wait at its end for the threads of a user's pool, where a call has no end.

    They are daemons, because a loop in a daemon thread has created them, but the pool's module joins them all the same.
    """
    for worker in getattr(pool, "_threads", ()):
        thread._threads_queues.pop(worker, None)  # type: ignore[attr-defined]


def keep_forever(things: Iterable[object]) -> None:
    """Keep these from the garbage collector and from the interpreter's end, which would run code of theirs."""
    for thing in things:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
