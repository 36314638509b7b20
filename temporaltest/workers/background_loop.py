"""The background event loop of clients and workers, so that tests may call from any loop or none."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from devserver.replay import keep_forever

T = TypeVar("T")


class BackgroundLoop:
    """An event loop in a thread of its own, running from construction until `close`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="temporaltest", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start `work` in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

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


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
