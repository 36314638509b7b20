"""Blocking code in an event loop: cancelling the caller leaves nothing half done."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import pytest

from devserver.system.threads import async_block, in_thread


def test_cancelled_while_entering() -> None:
    """A block that was being entered when its caller was cancelled is exited."""
    log: list[str] = []
    entering, proceed = threading.Event(), threading.Event()

    @contextlib.contextmanager
    def block() -> Iterator[None]:
        entering.set()
        assert proceed.wait(10)
        log.append("entered")
        yield
        log.append("exited")

    async def enter() -> None:
        async with async_block(block()):
            log.append("used")

    async def main() -> None:
        task = asyncio.create_task(enter())
        await asyncio.to_thread(entering.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        proceed.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert log == ["entered", "exited"]


def test_cancelled_while_a_function_runs() -> None:
    """A cancelled caller waits for the function, and is cancelled afterwards."""
    running, proceed = threading.Event(), threading.Event()
    log: list[str] = []

    def work() -> None:
        running.set()
        assert proceed.wait(10)
        log.append("done")

    async def main() -> None:
        task = asyncio.create_task(in_thread(work))
        await asyncio.to_thread(running.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        proceed.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == ["done"]

    asyncio.run(main())
