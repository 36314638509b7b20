"""`devserver run` in the foreground, with its output as it comes."""

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
from tests.helpers.fork_server import Forked, ForkServer

LIMIT = 120.0


class WorkerRun:
    """A running command; lines of stdout and stderr are in `lines`, in order."""

    def __init__(self, process: subprocess.Popen[str] | Forked) -> None:
        self.process = process
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._seen = 0
        assert process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        self._reader.start()

    def until(self, pattern: str) -> str:
        """Return the next line that matches `pattern`, after the last one that was found."""
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
        """All output so far."""
        return "\n".join(self.lines)

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait until the process has exited and all output is read; return the exit code."""
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


def _started(words: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[str] | Forked:
    for forks in ForkServer.running:
        if forks.fits(words, environ):
            return forks.popen(words[1:], env=environ, merged=True)
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ)


@contextlib.contextmanager
def running(
    *args: str, ready: str = r"^  reload ", env: Mapping[str, str] | None = None, before: Sequence[str] = ()
) -> Iterator[WorkerRun]:
    """Run `devserver run` with these arguments until its worker runs; kill it at the end of the block if it still runs.

    `before` are words before the command, such as `nohup`.
    """
    words = [*before, *command("run", *args)]
    environ = {**os.environ, "COLUMNS": "120", **(env or {})}
    with _started(words, environ) as process:
        run = WorkerRun(process)
        try:
            run.until(ready)
            yield run
        finally:
            process.kill()
            run.wait()
