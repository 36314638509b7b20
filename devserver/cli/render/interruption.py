"""Ctrl-C while a rehearsal or a game day runs: the first ends it and writes its report, the second ends all at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Takes SIGINT and SIGTERM while the running event loop runs.

    Args:
        on_first: Called with the first one; it ends what runs.
        on_second: Called with the second one, before this process ends at once; servers, clusters and workers end
            with it.
    """

    def __init__(self, on_first: Callable[[int], None], on_second: Callable[[], None] = lambda: None) -> None:
        self.number: int | None = None
        """The first signal; None if none has come."""
        self._on_first = on_first
        self._on_second = on_second
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._receive, number)

    def _receive(self, number: int) -> None:
        if self.number is not None:
            self._on_second()
            os._exit(128 + number)
        self.number = number
        self._on_first(number)
