"""Threads that never keep the interpreter from ending: for code of users that may not end."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, thread
from queue import Empty, SimpleQueue
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# The SDK runs at most 100 activities of a worker at a time by default; no thread is kept for any of them.
MAX_WORKERS = 1000
IDLE_SECONDS = 0.5  # starting a thread takes longer than most steps of workflows


class DaemonThreads(ThreadPoolExecutor):
    """A thread pool, as the SDK requires one, that runs each call in a daemon thread.

    The interpreter joins the threads of other pools when it ends, so one activity without an end would hang pytest.
    A thread that has nothing to do takes the next call, or ends after a moment. `busy` has the identifiers of the
    threads that run a call now.
    """

    def __init__(self, name: str) -> None:
        super().__init__(max_workers=MAX_WORKERS, thread_name_prefix=name)
        self._name = name
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self.busy: set[int] = set()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn` in a thread that no other call has."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                self._idle.release()
                return
            self.busy.add(threading.get_ident())
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - it belongs to the caller, whatever it is
                self._free()
                future.set_exception(error)
            else:
                self._free()
                future.set_result(result)

        if self._idle.acquire(blocking=False):
            self._calls.put(run)
        else:
            threading.Thread(target=self._run_calls, args=([run],), name=self._name, daemon=True).start()
        return future

    def _free(self) -> None:
        """This thread has ended its call, and takes the next one once the caller has the result."""
        self.busy.discard(threading.get_ident())
        self._idle.release()

    def _run_calls(self, waiting: list[Callable[[], None]]) -> None:
        """Run the call that waits, then those that come; a list, so that no call is referred to when it has ended."""
        while True:
            waiting.pop()()
            try:
                waiting.append(self._calls.get(timeout=IDLE_SECONDS))
            except Empty:
                if self._idle.acquire(blocking=False):
                    return
                waiting.append(self._calls.get())  # another call has counted on this thread


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
