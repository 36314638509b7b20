"""Commands that serve until Ctrl-C or a signal."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class EndSignals:
    """The signals that end a command."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._over = threading.Event()

    def arrived(self, number: int, _frame: object) -> None:
        """A signal has arrived."""
        self._first = self._first or number
        self._over.set()

    def wait(self) -> None:
        """Sleep until a signal arrives.

        Raises:
            KeyboardInterrupt: It is that of Ctrl-C.
        """
        self._over.wait()
        if self._first == signal.SIGINT:
            raise KeyboardInterrupt


@contextlib.contextmanager
def end_signals() -> Iterator[EndSignals]:
    """Handle SIGINT, SIGTERM and SIGHUP in the block, so that it ends in order. SIGHUP stays ignored under nohup."""
    end = EndSignals()
    handled = [number for number in SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, end.arrived) for number in handled}
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
