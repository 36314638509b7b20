"""The dashboard: how soon its page is there, and the CPU time of an open page, a closed one, and none."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from devserver import DevServer

from .rehearsals import Limit

SECONDS = 60.0
SETTLE_SECONDS = 20.0  # in which it has asked the server for the first time


def measure(executable: Path, devserver: str) -> list[Limit]:
    """With one server that is running."""
    with DevServer.start("bench", binary=executable), _served(devserver) as (process, url):
        begin = time.perf_counter()
        httpx.get(url, timeout=30).raise_for_status()
        rows = [Limit("dashboard: the page after a click", time.perf_counter() - begin, 1)]
        rows.append(Limit("dashboard: CPU of a minute, never opened", _cpu(process), 0.02))
        with _open_page(url):
            time.sleep(SETTLE_SECONDS)
            rows.append(Limit("dashboard: CPU of a minute with an open page", _cpu(process), 2))
        time.sleep(SETTLE_SECONDS)
        rows.append(Limit("dashboard: CPU of a minute, closed again", _cpu(process), 0.1))
        return rows


def _cpu(process: psutil.Process) -> float:
    before = process.cpu_times()
    time.sleep(SECONDS)
    after = process.cpu_times()
    return float(after.user + after.system - before.user - before.system)


@contextlib.contextmanager
def _served(devserver: str) -> Iterator[tuple[psutil.Process, str]]:
    words = [devserver, "dashboard", "--port", "0", "--no-open", "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        document = ""
        while "}" not in document:
            document += process.stdout.readline()
        yield psutil.Process(process.pid), json.loads(document)["url"]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def _open_page(url: str) -> Iterator[None]:
    """What the page's script does: listen to its stream."""
    port = int(url.rstrip("/").rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        reading = subprocess.Popen(["cat"], stdin=connection.fileno(), stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            reading.kill()
            reading.wait()
