"""An outage that is in effect, the block it lasts for, and the error for one that cannot begin."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timezone
from types import TracebackType

from ..errors import DevServerError
from ..system.threads import async_block


class OutageConflict(DevServerError):
    """The server has another outage, or is not running."""


class ActiveOutage:
    """An outage in effect: `what` is wrong (`killed`, `frozen`, `cut`, ...) and `since` when (UTC).

    `restore` ends it. Restoring an outage that has ended does nothing.
    """

    def __init__(self, what: str, end: Callable[[ActiveOutage], None]) -> None:
        self.what = what
        self.since = datetime.now(timezone.utc)
        self._end = end

    def restore(self) -> None:
        """End this outage."""
        self._end(self)

    def __repr__(self) -> str:
        return f"<ActiveOutage {self.what} since {self.since:%H:%M:%S.%f}Z>"


class OutageBlock:
    """A block during which an outage lasts: `with` blocks the thread, `async with` blocks no event loop."""

    def __init__(self, begin: Callable[[], ActiveOutage], ended: threading.Event) -> None:
        self._begin = begin
        self._ended = ended
        self._active: ActiveOutage | None = None
        self._block: AbstractAsyncContextManager[None] | None = None

    def __enter__(self) -> None:
        self._active = self._begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._active is not None:
            self._active.restore()

    async def __aenter__(self) -> None:
        self._block = async_block(self)
        await self._block.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._block is not None  # noqa: S101 - `__aenter__` came first
        await self._block.__aexit__(kind, error, trace)

    def last(self, seconds: float) -> None:
        """Enter the block, wait `seconds` (or until all outages are ended), and leave it."""
        with self:
            self._ended.wait(seconds)

    async def last_async(self, seconds: float) -> None:
        """Enter the block, sleep `seconds`, and leave it; also when the caller is cancelled."""
        async with self:
            await asyncio.sleep(seconds)
