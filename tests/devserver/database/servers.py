"""Bare servers on a database file, without a supervisor or a record."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devserver.system.ports import ANY, Reservation

LIMIT = 120.0
WAL = ("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL")


@dataclass(frozen=True)
class Bare:
    """One running server."""

    process: subprocess.Popen[bytes]
    address: str
    http: str

    def kill(self) -> None:
        """Kill the server, as a crash does."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def running(binary: Path, db: Path, *args: str) -> Iterator[Bare]:
    """Run a server of `binary` on `db` until it answers for the namespace `default`; stop it at the end of the
    block."""
    ports = [Reservation("127.0.0.1", ANY) for _ in range(3)]
    grpc, http, metrics = (port.port for port in ports)
    command = [str(binary), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(grpc)]
    command += ["--http-port", str(http), "--metrics-port", str(metrics), "--log-level", "never"]
    with contextlib.ExitStack() as stack:
        for port in ports:
            stack.callback(port.release)
        process = stack.enter_context(
            subprocess.Popen(
                [*command, "--db-filename", str(db), *args],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        stack.callback(process.kill)
        bare = Bare(process, f"127.0.0.1:{grpc}", f"http://127.0.0.1:{http}")
        _wait_until_served(bare)
        yield bare
        process.terminate()
        process.wait(LIMIT)


def _wait_until_served(bare: Bare) -> None:
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            with urllib.request.urlopen(f"{bare.http}/api/v1/namespaces/default/workflows", timeout=LIMIT) as answer:
                json.load(answer)
            return
        except (OSError, ValueError):
            assert bare.process.poll() is None, f"the server exited with {bare.process.returncode}"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.02)
