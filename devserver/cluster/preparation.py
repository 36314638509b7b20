"""What clusters are prepared with: programs that end, with their output, and folders that one process makes once."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..errors import FolderNotWritable
from ..system.filelocks import LockedFile
from ..system.files import private_folder
from .errors import ClusterStartFailed


def run_program(
    words: Sequence[str], *, limit: float, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program without input until it ends; its errors stand among its output, `stdout`.

    Raises:
        OSError: It cannot be run.
        subprocess.TimeoutExpired: It ran longer than `limit` seconds, and was killed.
    """
    return subprocess.run(
        list(words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=limit,
        check=False,
        env=environ,
    )


def last_lines(output: str, count: int) -> list[str]:
    """The last lines of an output that are not empty."""
    return [line for line in output.splitlines() if line.strip()][-count:]


def made_once(target: Path, make: Callable[[Path], None], *, lock: str, limit: float, doing: str) -> Path:
    """The folder `target`. If it is not there, `make` fills one that then gets this name; a killed one leaves nothing.

    Args:
        target: The folder.
        make: Gets an empty private folder.
        lock: The name of the file beside `target` that its maker locks.
        limit: Seconds to wait for another maker.
        doing: What the other does, for the error, such as "fetching Cassandra".

    Raises:
        ClusterStartFailed: Another process holds the lock for longer.
    """
    if target.is_dir():
        return target
    held = LockedFile.acquire(private_folder(target.parent) / lock, str(os.getpid()), limit=limit)
    if held is None:
        raise ClusterStartFailed(f"another process has been {doing} for {limit / 60:g} minutes")
    work = target.with_name(f"{target.name}.new")
    with held:
        if not target.is_dir():
            shutil.rmtree(work, ignore_errors=True)  # of a maker that was killed
            try:
                make(private_folder(work))
                work.replace(target)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return target


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder; nothing is left of a copy that fails.

    Raises:
        FolderNotWritable: The disk is full, or `target` cannot be written.
    """
    try:
        shutil.copytree(source, target)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        reason = error.args[0][0][2] if isinstance(error, shutil.Error) else error  # of the first of several files
        raise FolderNotWritable(
            f"cannot copy {source} to {target}: {reason}",
            hint="free some space, or set DEVSERVER_HOME to a folder on another disk",
        ) from error
