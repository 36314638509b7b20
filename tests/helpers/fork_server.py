"""Run commands of Python in forks of one process that has imported what they all need.

A fork has its own environment, folder, streams and exit, as `python -m MODULE` in a new process has; what it saves is
the imports of pytest, the SDK and other libraries, which take longer than most commands. It differs in its parent, in
what `/proc` shows as its environment and command line, and in what `sys.modules` has at the start: tests of these
use `subprocess`.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, ClassVar

import pytest

from devserver.system.paths import HOME_VARIABLE
from tests.helpers import fork_server_main
from tests.helpers.fork_server_main import Forked, start

__all__ = ["ForkServer", "Forked", "fork_server"]

MODULES = (
    *("pytest", "_pytest.pytester", "anyio.pytest_plugin", "pytest_asyncio.plugin", "pytest_timeout"),
    *("platformdirs.pytest_plugin", "faulthandler", "readline"),
    *("xdist.plugin", "xdist.looponfail", "xdist.dsession", "xdist.remote", "xdist.workermanage"),
    *("temporalio.client", "temporalio.worker", "temporalio.testing", "temporalio.service", "temporalio.nexus"),
    *("temporalio.contrib.pydantic", "temporalio.api.operatorservice.v1", "temporalio.api.workflowservice.v1"),
    *("click", "click.shell_completion", "filelock", "httpx", "jinja2", "packaging.version", "packaging.tags"),
    *("platformdirs.unix", "psutil", "rich.console", "rich.live", "rich.table", "tomllib", "watchfiles"),
    *("prometheus_client.parser", "concurrent.futures.thread", "multiprocessing.connection", "sqlite3", "inspect"),
    *("difflib", "pdb", "unittest.mock", "xml.etree.ElementTree", "html", "http.server", "zoneinfo", "zipfile"),
    *("devserver.*", "temporaltest.*"),
)


class Captured:
    """What processes write to a pipe until the last of them closes it."""

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        self._data = b""
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Captured:
        return self

    def begin(self) -> None:
        """Begin to read: the write end is in other processes only from now on."""
        os.close(self.write_end)
        self._thread.start()

    def _run(self) -> None:
        with os.fdopen(self._read_end, "rb") as file:
            self._data = file.read()

    def text(self, deadline: float) -> str:
        """What was written."""
        self._thread.join(max(0, deadline - time.monotonic()))
        if self._thread.is_alive():
            raise subprocess.TimeoutExpired("a command whose output is still open in a process", 0)
        return self._data.decode()

    def __exit__(self, *_: object) -> None:
        if not self._thread.ident:
            os.close(self.write_end)
            os.close(self._read_end)


def _readable(data: bytes) -> BinaryIO:
    """A pipe with the data in it."""
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb") as file:
        file.write(data)
    return os.fdopen(read_end, "rb")


class ForkServer:
    """A warm process; starts with its first command. `running` has those of this process."""

    running: ClassVar[list[ForkServer]] = []

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = _of_interpreter(os.environ)
        self._lock = threading.Lock()

    @property
    def _socket(self) -> str:
        return str(self.folder / "socket")

    def fits(self, args: Sequence[str], env: Mapping[str, str]) -> bool:
        """Whether a fork does the same as the command line: `python -m …` with an environment like the server's, and
        nothing that an interpreter runs when it starts.

        The server uses internals of pytest, which older versions do not have.
        """
        return (
            sys.platform == "linux"
            and pytest.version_tuple >= (9, 2)
            and list(args[:2]) == [sys.executable, "-m"]
            and _of_interpreter(env) == self._environment
            and not any((Path(folder) / "sitecustomize.py").exists() for folder in _search_path(env))
        )

    def start(
        self,
        args: Sequence[str],
        *,
        env: Mapping[str, str],
        stdin: int,
        stdout: int,
        stderr: int,
        session: bool = False,
    ) -> Forked:
        """Start `python ARGS…` in the current folder with these file descriptors; with `session`, in a session of its
        own, with the workers of xdist.
        """
        self._ready()
        return start(self._socket, list(args), stdin, stdout, stderr, env=dict(env), session=session)

    def popen(self, args: Sequence[str], *, env: Mapping[str, str], merged: bool = False) -> Forked:
        """Start it with its standard output as text in `stdout`, and its errors nowhere, or with `merged` there too."""
        read_end, write_end = os.pipe()
        with Path(os.devnull).open("r+b") as nothing, os.fdopen(write_end, "wb") as output:
            errors = output if merged else nothing
            process = self.start(args, env=env, stdin=0, stdout=output.fileno(), stderr=errors.fileno())
        process.stdout = os.fdopen(read_end)
        return process

    def run(
        self,
        args: Sequence[str],
        *,
        env: Mapping[str, str],
        timeout: float,
        text: str | None = None,
        merged: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run` with captured text; `text` is for its standard input, which is ours without one.

        `merged` sends errors to where the output goes.
        """
        deadline = time.monotonic() + timeout
        with Captured() as out, Captured() as err, contextlib.ExitStack() as given:
            stdin = 0 if text is None else given.enter_context(_readable(text.encode())).fileno()
            errors = out if merged else err
            process = self.start(args, env=env, stdin=stdin, stdout=out.write_end, stderr=errors.write_end)
            for captured in (out, err):
                captured.begin()
            try:
                code = process.wait(timeout)
                texts = [captured.text(deadline) for captured in (out, err)]
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
        return subprocess.CompletedProcess([sys.executable, *args], code, *texts)

    def _ready(self) -> None:
        with self._lock:
            if self._process is not None:
                return
            environment = {**os.environ, "HOME": str(self.folder), HOME_VARIABLE: str(self.folder)}
            words = [sys.executable, fork_server_main.__file__, self._socket, *MODULES]
            self._process = subprocess.Popen(
                words, env=environment, cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            assert self._process.stdout is not None
            assert self._process.stdout.readline() == b"ready\n"

    def close(self) -> None:
        """End the server; commands that still run are not touched."""
        if self._process is not None:
            self._process.communicate()


def _of_interpreter(env: Mapping[str, str]) -> dict[str, str]:
    """What an interpreter reads of an environment when it starts, and cannot be changed later."""
    later = ("PYTHONPATH", "PYTHONIOENCODING")
    names = [name for name in env if name.startswith(("PYTHON", "LC_", "LANG", "LD_")) and name not in later]
    return {name: env[name] for name in names}


@contextlib.contextmanager
def fork_server() -> Iterator[ForkServer]:
    """A fork server for the block. Its folder is in the system's: the path of a socket must be short."""
    with tempfile.TemporaryDirectory(prefix="forks-") as folder:
        server = ForkServer(Path(folder))
        ForkServer.running.append(server)
        try:
            yield server
        finally:
            ForkServer.running.remove(server)
            server.close()


def _search_path(env: Mapping[str, str]) -> list[str]:
    return [folder for folder in env.get("PYTHONPATH", "").split(os.pathsep) if folder]
