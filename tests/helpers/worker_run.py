"""`devserver run` in the foreground, as a test sees it: its lines, as they come."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

from tests.conftest import command

LIMIT = 120.0


class WorkerRun:
    """One that goes on. Lines of stdout and stderr are in `lines`, in order."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._seen = 0
        assert process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        self._reader.start()

    def until(self, pattern: str) -> str:
        """The next line in which `pattern` is found: after the one that was found last."""
        deadline = time.monotonic() + LIMIT
        with self._news:
            while True:
                for number in range(self._seen, len(self.lines)):
                    if re.search(pattern, self.lines[number]):
                        self._seen = number + 1
                        return self.lines[number]
                left = deadline - time.monotonic()
                if left <= 0 or self._ended:
                    raise AssertionError(f"{pattern!r} never came:\n{self.text}")
                self._news.wait(left)

    @property
    def text(self) -> str:
        """All that it has said."""
        return "\n".join(self.lines)

    def end(self, number: int = signal.SIGINT) -> int:
        """Send it a signal; its exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Its exit code, once it has ended and all was read."""
        code = self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        return code

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


@contextlib.contextmanager
def running(
    *args: str, ready: str = r"^  reload ", env: Mapping[str, str] | None = None, before: Sequence[str] = ()
) -> Iterator[WorkerRun]:
    """`devserver run` with these arguments, once its worker runs; killed at the end of the block if it still is.

    `before` are words before the command, as `nohup`.
    """
    words = [*before, *command("run", *args)]
    environ = {**os.environ, "COLUMNS": "120", **(env or {})}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ) as process:
        run = WorkerRun(process)
        try:
            run.until(ready)
            yield run
        finally:
            process.kill()
            run.wait()
