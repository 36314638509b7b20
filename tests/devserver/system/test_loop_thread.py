"""An event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading

import pytest

from devserver.system.loop_thread import LoopThread


def test_calls_from_anywhere() -> None:
    """Results and errors reach the caller, who is in no loop, in another thread or in a loop of its own."""
    thread = LoopThread("of-a-test")

    async def name() -> str:
        await asyncio.sleep(0)
        return threading.current_thread().name

    async def in_a_loop() -> str:
        return thread.call(lambda: threading.current_thread().name)

    assert (thread.run(name()), asyncio.run(in_a_loop())) == ("of-a-test", "of-a-test")
    with pytest.raises(ZeroDivisionError):
        thread.call(lambda: 1 // 0)
    thread.close()


def test_close() -> None:
    """The last work is done, and then the thread has ended; a second call does nothing."""
    thread, done = LoopThread("that-ends"), []

    async def last() -> None:
        done.append(threading.current_thread().name)

    assert (thread.close(last), thread.close(last)) == (True, False)
    assert done == ["that-ends"]
    assert thread.closed
    assert "that-ends" not in {item.name for item in threading.enumerate()}


def test_errors_that_nobody_waits_for() -> None:
    """They go to `on_error`."""
    seen = threading.Event()
    thread = LoopThread("with-errors", on_error=lambda context: seen.set())
    thread.loop.call_soon_threadsafe(lambda: 1 // 0)
    assert seen.wait(60)
    thread.close()
