"""A program on its own terminal, as a person runs it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from types import TracebackType

LIMIT = 120.0


class Terminal:
    """A context manager that kills the program at the end if it still runs."""

    def __init__(self, words: Sequence[str], *, columns: int = 80, lines: int = 24) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        environ = {**os.environ, "TERM": "xterm"}
        self._process = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True, preexec_fn=_own
        )
        os.close(theirs)
        self.seen = ""
        self._fresh = ""

    def until(self, text: str) -> None:
        """Read until `text` appears after the end of the last match."""
        deadline = time.monotonic() + LIMIT
        while text not in self._fresh:
            assert time.monotonic() < deadline, f"{text!r} was not shown: {self._fresh!r}"
            if select.select([self._ours], [], [], 0.2)[0]:
                self._read()
        self._fresh = self._fresh.partition(text)[2]

    def shows(self, text: str) -> None:
        """Read until `text` has been shown at any time."""
        if text not in self.seen:
            self.until(text)

    def rest(self) -> str:
        """Read until the program has ended; all that was shown."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            if select.select([self._ours], [], [], 0.2)[0]:
                try:
                    self._read()
                except AssertionError:
                    return self.seen
        raise AssertionError(f"the program does not end: {self.seen!r}")

    def send(self, keys: str) -> None:
        """Type text."""
        os.write(self._ours, keys.encode())

    def code(self) -> int:
        """Wait for the exit code."""
        return self._process.wait(LIMIT)

    def _read(self) -> None:
        try:
            text = os.read(self._ours, 65536).decode(errors="replace")
        except OSError:  # how Linux says that the other side is closed
            raise AssertionError(f"the program has ended: {self.seen!r}") from None
        self.seen += text
        self._fresh += text

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)


def _own() -> None:
    """Make it the controlling terminal, so that Ctrl-C sends a signal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
