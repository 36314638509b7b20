"""Child processes: messages in both directions, a limited shutdown, and none that outlives its parent."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from devserver.system.channel import MAX_TEXT, Channel
from devserver.system.child_process import ChildProcess, start_child

CHILD = "tests.devserver.system.child_main"
PARENT = f"""
import sys, time
from devserver.system.child_process import start_child
process, channel = start_child({CHILD!r}, "any")
channel.receive()
print(process.pid, flush=True)
time.sleep(60)
"""


class Messages:
    """Records the messages of a child."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.exits = 0

    async def start(self, word: str = "any") -> ChildProcess:
        """Start a child and wait until it is ready."""
        child = await ChildProcess.start(CHILD, word, on_message=self.received.put_nowait, on_exit=self.on_exit)
        assert (await self.next())["kind"] == "ready"
        return child

    def on_exit(self) -> None:
        """Count an exit."""
        self.exits += 1

    async def next(self) -> dict[str, Any]:
        """Return the next message."""
        return await asyncio.wait_for(self.received.get(), 60)


def gone(pid: int) -> bool:
    """Return whether a process has exited; zombies count as exited."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, at most a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_messages_go_both_ways_and_long_texts_are_cut() -> None:
    """The child's last message arrives before its exit is reported, with its exit code."""

    async def run() -> None:
        messages = Messages()
        child = await messages.start()
        child.send("echo", text="ä\n" * MAX_TEXT)
        assert await messages.next() == {"kind": "echoed", "text": ("ä\n" * MAX_TEXT)[:MAX_TEXT] + "..."}
        assert await child.stop(60)
        assert messages.received.get_nowait() == {"kind": "stopped"}
        assert (child.returncode, messages.exits, child.stopping) == (3, 1, True)
        child.send("echo", text="nobody reads this")
        child.signal(signal.SIGKILL)

    asyncio.run(run())


def test_a_child_that_does_not_stop_is_killed() -> None:
    """The timeout also applies to a frozen child, which is resumed first."""

    async def run() -> None:
        messages = Messages()
        child = await messages.start("stubborn")
        child.freeze()
        assert not await child.stop(0.2)
        assert child.returncode == -signal.SIGKILL
        frozen = await messages.start()
        frozen.freeze()
        assert await frozen.stop(60)

    asyncio.run(run())


def test_the_exit_is_detected_while_a_grandchild_has_the_socket() -> None:
    """A grandchild that inherits the socket does not hide the child's exit."""

    async def run() -> None:
        messages = Messages()
        child = await messages.start()
        child.send("fork")
        assert (await messages.next())["kind"] == "forked"
        (grandchild,) = psutil.Process(child.pid).children()
        try:
            assert await child.stop(60)
        finally:
            grandchild.kill()

    asyncio.run(run())


@pytest.mark.parametrize("state", ["running", "frozen"])
def test_a_child_ends_with_its_parent(state: str) -> None:
    """The child exits whatever ends the parent; on Linux also if the child is frozen."""
    if state == "frozen" and sys.platform != "linux":
        pytest.skip("only Linux kills a frozen process with its parent")
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout as output:
        pid = int(output.readline())
    if state == "frozen":
        os.kill(pid, signal.SIGSTOP)
    parent.kill()
    parent.wait()
    wait_until(lambda: gone(pid))


def test_a_child_has_a_session_of_its_own() -> None:
    """Ctrl-C on the terminal reaches the parent only."""
    process, channel = start_child(CHILD, "any")
    ready = channel.receive()
    assert ready is not None
    assert ready["session"] == ready["pid"] == process.pid
    channel.send("stop")
    assert channel.receive() == {"kind": "stopped"}
    assert channel.receive() is None
    assert process.wait(60) == 3
    channel.close()


def test_descriptors_are_sent_with_a_message() -> None:
    """The receiver gets copies of open files, once."""
    ours, theirs = socket.socketpair()
    one, other = Channel(ours), Channel(theirs)
    read, write = os.pipe()
    one.send("take", [write], text="x" * 200_000 if sys.platform == "linux" else "x")
    os.close(write)
    message = other.receive()
    assert message is not None
    assert message["kind"] == "take"
    (copy,) = other.take_descriptors()
    assert other.take_descriptors() == []
    os.write(copy, b"hello")
    os.close(copy)
    assert os.read(read, 10) == b"hello"
    os.close(read)
    one.close()
    assert other.receive() is None
    other.close()
