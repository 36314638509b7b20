"""The log file of a server: where a run begins in it, and its last lines."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ..errors import FolderNotWritable
from ..system.timefmt import utc_now

LOG = "server.log"
RUN_MARK = "--- devserver starts"  # the line with which each run begins
ROTATE_BYTES = 20_000_000


def begin_log(log: Path, version: str, server_version: str) -> None:
    """Append the line with which a run begins. A log over `ROTATE_BYTES` is first renamed to `server.log.1`.

    Raises:
        FolderNotWritable: The disk is full or the folder cannot be written.
    """
    try:
        if log.exists() and log.stat().st_size > ROTATE_BYTES:
            log.replace(log.with_suffix(".log.1"))
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
            file.write(f"{RUN_MARK} temporal {version} (server {server_version}) at {utc_now()}\n")
    except OSError as error:
        raise FolderNotWritable(
            f"cannot write the log {log}: {error.strerror}",
            hint="free some space, or set DEVSERVER_HOME to another folder",
        ) from error


def bound_log(log: Path) -> None:
    """Move the content of a log over `ROTATE_BYTES` to `server.log.1`, while a server writes to it.

    The server appends to the file that it has open, so the file stays and is emptied; lines that it writes at this very
    moment may be lost. What cannot be written stays, without an error.
    """
    with contextlib.suppress(OSError):
        if log.stat().st_size <= ROTATE_BYTES:
            return
        import shutil

        aside = log.with_suffix(".log.1")
        with contextlib.suppress(OSError):  # a full disk: the log is emptied all the more
            shutil.copyfile(log, aside)
            aside.chmod(0o600)
        os.truncate(log, 0)


def log_tail(
    path: Path, lines: int = 12, *, end: int | None = None, most: int = 64_000, all_runs: bool = False
) -> list[str]:
    """The last lines of a log without blank ones; empty if there is no log.

    Args:
        path: The log.
        lines: How many lines at most.
        end: The position in bytes to stop at; None reads to the end of the file.
        most: How many bytes to read at most.
        all_runs: Include the runs before the latest one.
    """
    try:
        with path.open("rb") as file:
            last = file.seek(0, 2) if end is None else end
            first = file.seek(max(0, last - most))
            text = file.read(last - first).decode("utf-8", "replace")
    except OSError:
        return []
    found = [line.rstrip() for line in text.splitlines() if line.strip()]
    if not all_runs:
        starts = [index for index, line in enumerate(found) if line.startswith(RUN_MARK)]
        found = found[starts[-1] + 1 :] if starts else found
    return found[-lines:] if lines else []
