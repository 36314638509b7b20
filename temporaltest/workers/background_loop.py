"""The background event loop of clients and workers, so that tests may call from any loop or none."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import sys
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from devserver.replay import SourceLine, is_user_code, keep_forever

from ..errors import SetupError

T = TypeVar("T")

START_SECONDS = 30.0
PATCHES = ("trio_asyncio", "gevent", "eventlet", "nest_asyncio", "uvloop")


class BackgroundLoop:
    """An event loop in a thread of its own, running from construction until `close`.

    Raises:
        SetupError: It does not start; the message says why.
    """

    def __init__(self) -> None:
        started: concurrent.futures.Future[asyncio.AbstractEventLoop] = concurrent.futures.Future()
        self._thread = threading.Thread(target=_run, args=(started,), name="temporaltest", daemon=True)
        self._thread.start()
        try:
            self._loop = started.result(START_SECONDS)
        except Exception as error:
            raise SetupError(_not_started(error)) from error

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start `work` in the loop.

        Raises:
            SetupError: The loop has ended by itself.
        """
        if not self._thread.is_alive():
            work.close()
            raise SetupError("the event loop of the plugin has ended by itself: something replaces or stops it")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def running_code(self) -> list[SourceLine]:
        """The user's lines that run in the loop now, the innermost last; none while only the SDK's or ours run."""
        frame = sys._current_frames().get(self._thread.ident or 0)
        lines: list[SourceLine] = []
        while frame is not None:
            if is_user_code(frame.f_code.co_filename):
                lines.append(SourceLine(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
            frame = frame.f_back
        return lines[::-1]

    def run(self, work: Coroutine[Any, Any, T], limit: float | None = None) -> T:
        """The result of `work`; call this from outside the loop.

        Raises:
            TimeoutError: The work took longer than `limit` seconds, and was cancelled.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("the event loop of the plugin cannot wait for itself: use await here")
        future = self.submit(work)
        try:
            return future.result(limit)
        except (concurrent.futures.TimeoutError, KeyboardInterrupt):
            future.cancel()
            raise

    def abandon(self) -> None:
        """Leave the loop running with tasks that do not end, until the process ends; do not use it any more."""
        keep_forever([self, *asyncio.all_tasks(self._loop)])  # asyncio reports a pending task that is collected

    def close(self, limit: float = 5.0) -> None:
        """Cancel what still runs, within `limit` seconds, and end the thread."""
        if self._loop.is_closed():
            return
        with contextlib.suppress(TimeoutError, concurrent.futures.TimeoutError):
            self.run(_cancel_all(), limit)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(limit)
        if not self._thread.is_alive():
            self._loop.close()


def _run(started: concurrent.futures.Future[asyncio.AbstractEventLoop]) -> None:
    try:
        loop = asyncio.SelectorEventLoop()  # not the loop of a policy: it may be tied to another thread
        asyncio.set_event_loop(loop)
        loop.call_soon(started.set_result, loop)
        loop.run_forever()
    except BaseException as error:
        if started.done():
            raise
        started.set_exception(error)


def _not_started(error: Exception) -> str:
    cause = f"within {START_SECONDS:g} s" if isinstance(error, concurrent.futures.TimeoutError) else f"({error!r})"
    patches = ", ".join(name for name in PATCHES if name in sys.modules)
    found = f"; these modules, which are loaded, replace parts of asyncio or threading: {patches}" if patches else ""
    return f"the event loop of the plugin did not start {cause}{found}"


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
