"""An event loop in a thread of its own, for objects whose callers are in any thread and event loop, or in none."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

CALL_SECONDS = 10.0


class LoopThread:
    """Runs an event loop in a thread until `close`.

    Args:
        name: The name of the thread.
        on_error: Called in the thread with an exception that nobody waits for; by default asyncio logs it.
    """

    def __init__(self, name: str, on_error: Callable[[dict[str, Any]], None] | None = None) -> None:
        self.loop = asyncio.SelectorEventLoop()  # not that of a policy, which may be tied to another thread
        if on_error is not None:
            self.loop.set_exception_handler(lambda _, context: on_error(context))
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self.loop.is_closed()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`.

        Raises:
            TimeoutError: It took more than 10 seconds; it continues.
        """
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(CALL_SECONDS)

    def call(self, action: Callable[[], T]) -> T:
        """The result of a function that must run in the thread."""

        async def act() -> T:
            return action()

        return self.run(act())

    def close(self, last: Callable[[], Coroutine[Any, Any, None]] | None = None) -> bool:
        """Run `last`, for at most 10 seconds, and end the thread; False if it was closed before."""
        with self._closing:
            if self.closed:
                return False
            if last is not None:
                with contextlib.suppress(concurrent.futures.TimeoutError):
                    self.run(last())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(CALL_SECONDS)
            self.loop.close()
            return True

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
