"""A process with a lease on a server until its stdin closes, with a forked child on request (see `holding`)."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from devserver import DevServer


class Holder:
    """Such a process, as a test controls it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.ready: dict[str, Any] = json.loads(process.stdout.readline())

    def leave(self) -> None:
        """Let it release its lease and exit."""
        self.process.communicate(timeout=180)
        assert self.process.returncode == 0

    def kill(self) -> None:
        """Kill it with SIGKILL; its forked child keeps running."""
        self.process.kill()
        self.process.wait(60)


@contextlib.contextmanager
def holding(name: str, *, linger: float = 0, child: str | None = None) -> Iterator[Holder]:
    """Run a process with a lease on the server of that name until the end of the block.

    Its forked `child` only `lives`, or first `closes` the server that it has inherited.
    """
    request = json.dumps({"name": name, "linger": linger, "child": child})
    with subprocess.Popen(
        [sys.executable, str(Path(__file__)), request], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Holder(process)
        finally:
            process.kill()


def main() -> None:
    """Take a lease, report it, and exit when stdin closes."""
    request = json.loads(sys.argv[1])
    server = DevServer.start(request["name"], linger=timedelta(seconds=request["linger"]))
    if request["child"]:
        _fork(server, closes=request["child"] == "closes")
    print(json.dumps({"address": server.address, "pid": server.pid}), flush=True)  # noqa: T201
    sys.stdin.read()
    server.close()


def _fork(server: DevServer, *, closes: bool) -> None:
    """Fork a child that lives until stdin closes; return when it has done its part."""
    read, write = os.pipe()
    if os.fork():
        os.close(write)
        os.read(read, 1)
        return
    if closes:
        server.close()
    os.close(write)
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    main()
