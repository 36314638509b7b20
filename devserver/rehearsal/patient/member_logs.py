"""Follows the logs of a patient's members during a run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

POLL_SECONDS = 0.1
MOST_LINES = 20_000  # of each member, the last ones
CHUNK_BYTES = 1 << 20

OnLine = Callable[[str, str], Awaitable[None]]


class MemberLogs:
    """The lines that members log from now on; `on_line` is called with each line and its member's name."""

    def __init__(self, logs: Mapping[str, Path], on_line: OnLine) -> None:
        self._logs = logs
        self._on_line = on_line
        self._read = {name: log.stat().st_size if log.exists() else 0 for name, log in logs.items()}
        self._half = dict.fromkeys(logs, b"")
        self._lines: dict[str, list[str]] = {name: [] for name in logs}

    @property
    def lines(self) -> dict[str, Sequence[str]]:
        """The lines so far, by member."""
        return {name: tuple(lines) for name, lines in self._lines.items()}

    async def follow(self) -> None:
        """Follow them until this is cancelled."""
        while True:
            await self.catch_up()
            await asyncio.sleep(POLL_SECONDS)

    async def catch_up(self) -> None:
        """Take what has been written meanwhile."""
        for name, log in self._logs.items():
            for line in self._new(name, log):
                self._lines[name].append(line)
                await self._on_line(line, name)
            del self._lines[name][:-MOST_LINES]

    def _new(self, name: str, log: Path) -> list[str]:
        try:
            with log.open("rb") as file:
                file.seek(self._read[name])
                data = file.read(CHUNK_BYTES)
        except FileNotFoundError:
            return []
        self._read[name] += len(data)
        *whole, self._half[name] = (self._half[name] + data).split(b"\n")
        return [line.decode(errors="replace") for line in whole]
