"""The executable as the Temporal CLI: its version, and its commands without the user's client settings."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import NotTemporal
from ..system.spawn import client_free_environment

LIMIT_SECONDS = 10.0
MOST_BYTES = 1 << 16
_ANSWER = re.compile(r"temporal version (\S+) \(Server ([^,)\s]+)")
_BUSY_ATTEMPTS = 20


@dataclass(frozen=True)
class ProbeResult:
    """The versions of the CLI and of the server inside."""

    version: str
    server_version: str


def probe_version(path: Path, limit: float = LIMIT_SECONDS) -> ProbeResult:
    """Ask an executable for its versions. It may be any program: it need not be Temporal, answer, or end.

    Args:
        path: The executable.
        limit: Seconds for the answer; then it is killed, with the processes that it started.

    Raises:
        NotTemporal: It cannot be run, does not end, fails, or is another program.
    """
    process = _start(path)
    timed_out = threading.Event()

    def end() -> None:
        timed_out.set()
        _kill(process)

    timer = threading.Timer(limit, end)
    timer.start()
    try:
        said, code = _read_output(process)
    finally:
        timer.cancel()
        timer.join()
    if timed_out.is_set():
        raise _not_temporal(path, f"it did not answer `--version` within {limit:g} s", said)
    found = _ANSWER.search(said)
    if code != 0:
        raise _not_temporal(path, f"`--version` ended with exit code {code}", said)
    if found is None:
        raise _not_temporal(path, "`--version` prints something else", said)
    return ProbeResult(found[1], found[2])


def _start(path: Path) -> subprocess.Popen[bytes]:
    for _ in range(_BUSY_ATTEMPTS):
        try:
            return subprocess.Popen(
                [path, "--version"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            if error.errno != errno.ETXTBSY:
                raise _not_temporal(path, f"it cannot be run: {_reason(error)}", "") from error
            # A child that another thread is starting right now still has the file open for writing.
            time.sleep(0.05)
    raise _not_temporal(path, "it cannot be run: another process is writing to it", "")


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOEXEC:
        return "it is not a program, or was built for another kind of machine"
    if error.errno == errno.EACCES:
        return "permission denied (is it executable, and is its file system mounted noexec?)"
    return error.strerror or str(error)


def _read_output(process: subprocess.Popen[bytes]) -> tuple[str, int]:
    """Its output, up to a limit, and its exit code."""
    said = b""
    with process:
        if process.stdout is not None:
            while len(said) < MOST_BYTES and (part := process.stdout.read1(4096)):  # type: ignore[attr-defined]
                said += part
        if len(said) >= MOST_BYTES:
            _kill(process)
    return said.decode(errors="replace"), process.returncode


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _not_temporal(path: Path, reason: str, said: str) -> NotTemporal:
    lines = [line.rstrip()[:200] for line in said.splitlines() if line.strip()][:5]
    printable = ["".join(c if c.isprintable() else "?" for c in line) for line in lines]
    return NotTemporal(
        f"{path} is not a working Temporal executable: {reason}",
        details=[f"it printed: {line}" for line in printable] or ["it printed nothing"],
        hint="the Temporal CLI answers `temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)`",
    )


def run_temporal(executable: Path, *arguments: str, limit: float) -> subprocess.CompletedProcess[str]:
    """Run a command of the Temporal CLI, such as `operator search-attribute create`.

    Args:
        executable: The Temporal CLI.
        arguments: The command.
        limit: Seconds after which it is killed.

    Raises:
        subprocess.TimeoutExpired: It took longer than `limit` seconds.
    """
    return subprocess.run(
        [str(executable), *arguments],
        env=client_free_environment(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )
