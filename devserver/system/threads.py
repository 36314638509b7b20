"""Blocking code in an event loop: run in a thread, and never abandoned halfway when the caller is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Generic, TypeVar

T = TypeVar("T")


async def in_thread(function: Callable[[], T]) -> T:
    """Run a blocking function in a thread; a cancelled caller waits until the function has returned."""
    work = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


@contextlib.asynccontextmanager
async def async_block(manager: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Enter and exit a blocking context manager in threads; a caller that is cancelled while entering exits it too."""
    entering = asyncio.ensure_future(asyncio.to_thread(manager.__enter__))
    try:
        value = await asyncio.shield(entering)
    except asyncio.CancelledError:
        await asyncio.wait([entering])
        if entering.exception() is None:
            await in_thread(lambda: manager.__exit__(None, None, None))
        raise
    try:
        yield value
    finally:
        await in_thread(lambda: manager.__exit__(None, None, None))


class AsyncStart(Generic[T]):
    """Runs a blocking `start` in a thread. Await it for its result, or use it in `async with`.

    Args:
        start: The blocking call.
        close: Undoes `start`; called if the caller is cancelled, and at the end of the `async with` block.
    """

    def __init__(self, start: Callable[[], T], close: Callable[[T], None]) -> None:
        self._start = start
        self._close = close
        self._started: T | None = None

    def __await__(self) -> Generator[Any, None, T]:
        return self._start_in_thread().__await__()

    async def _start_in_thread(self) -> T:
        starting = asyncio.ensure_future(asyncio.to_thread(self._start))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait([starting])
            if starting.exception() is None:
                result = starting.result()
                await in_thread(lambda: self._close(result))
            raise

    async def __aenter__(self) -> T:
        self._started = await self
        return self._started

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        started = self._started
        if started is not None:
            await asyncio.to_thread(self._close, started)
