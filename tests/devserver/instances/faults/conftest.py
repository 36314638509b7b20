"""Fixtures of the fault tests: commands in the background or without root's privileges, and small disks."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.conftest import CLI_LIMIT, command

Begin = Callable[..., "AbstractContextManager[subprocess.Popen[str]]"]
Disk = Callable[[Path, int], Path]


@pytest.fixture
def begin(home: Path) -> Begin:
    """Start a command without waiting for it; kill it at the end of the block."""

    @contextlib.contextmanager
    def run(*args: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(command(*args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    return run


@pytest.fixture
def unprivileged(home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command as a user to whom permissions apply: root without its capabilities, or the current user."""
    drop: list[str] = []
    if os.geteuid() == 0:
        drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
        if shutil.which("setpriv") is None or subprocess.run([*drop, "true"], check=False).returncode != 0:
            pytest.skip("root's powers cannot be dropped here")

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*drop, *command(*args)], capture_output=True, text=True, timeout=CLI_LIMIT, check=False)

    return run


@pytest.fixture
def disk() -> Iterator[Disk]:
    """A function that mounts a disk of that many bytes on a folder."""
    with contextlib.ExitStack() as stack:

        def mount(folder: Path, size: int) -> Path:
            if os.geteuid() != 0 or shutil.which("mount") is None:
                pytest.skip("mounting a disk needs root")
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            words = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)]
            if subprocess.run(words, capture_output=True, check=False).returncode != 0:
                pytest.skip("mounting is not permitted here")
            stack.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
            return folder

        yield mount


def fill(folder: Path) -> Path:
    """Fill the disk of `folder` to the last byte; return the file that fills it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return filler
