"""Waiting for signals: they wake a sleep instead of interrupting whatever code is running."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
from types import FrameType
from typing import Any

ENDING = (signal.SIGTERM, signal.SIGINT)


class SignalWaiter:
    """Receives SIGTERM, SIGINT, SIGHUP and SIGCHLD in the main thread, from `listen` to `close`."""

    def __init__(self) -> None:
        self.ending: int | None = None
        """The signal that asks this process to end, once one has arrived."""
        self._wake_read, self._wake_write = os.pipe()
        self._previous: dict[int, Any] = {}

    def listen(self) -> None:
        """Replace the handlers of these signals. SIGHUP stays ignored under nohup."""
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        hangup = () if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (signal.SIGHUP,)
        for number in (*ENDING, *hangup, signal.SIGCHLD):
            self._previous[int(number)] = signal.signal(number, self._on_signal)

    def close(self) -> None:
        """Restore the previous handlers."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def sleep(self, seconds: float | None, *descriptors: int) -> list[int]:
        """Sleep for `seconds` (None: without limit), until a signal arrives or one of the descriptors can be read.

        Returns:
            The descriptors that can be read.
        """
        with selectors.DefaultSelector() as selector:  # select() knows no descriptor above 1023
            for descriptor in {self._wake_read, *descriptors}:
                selector.register(descriptor, selectors.EVENT_READ)
            ready = [key.fd for key, _ in selector.select(seconds)]
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_read, 64):
                pass
        return [descriptor for descriptor in ready if descriptor != self._wake_read]

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self.ending = number
