"""A blocking start as an awaitable and an async context manager."""

from __future__ import annotations

from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar


class Closable(Protocol):
    """An object with a blocking `close`."""

    def close(self) -> None:
        """Give up what the object holds."""


T = TypeVar("T", bound=Closable)


class AsyncStart(Generic[T]):
    """Runs `start` in a thread: await it for its result, or use it in `async with`, which closes the result."""

    def __init__(self, start: Callable[[], T]) -> None:
        self._start = start
        self._started: T | None = None

    def __await__(self) -> Generator[Any, None, T]:
        return self._start_in_thread().__await__()

    async def _start_in_thread(self) -> T:
        import asyncio

        starting = asyncio.ensure_future(asyncio.to_thread(self._start))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait([starting])  # a thread cannot be cancelled: close what it starts
            if starting.exception() is None:
                await asyncio.to_thread(starting.result().close)
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
        import asyncio

        if self._started is not None:
            await asyncio.to_thread(self._started.close)
