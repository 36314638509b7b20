"""The executable without the hash that each server makes of it.

The Go SDK, which the workers of the server use, makes an MD5 of the file that has the name of the executable: more than
half of the CPU time of a server that lives for a second. Here that name belongs to an empty file, so the hash is quick.
The executable is run through a descriptor that was opened before. This needs a mount namespace, so root on Linux;
elsewhere servers are only slower.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000


def begin() -> None:
    """Give this process and those that it starts mounts of their own, which end with them."""
    if sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount") is not None:
        ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS)


def quick(executable: Path, folder: Path) -> Path | None:
    """A path that runs `executable`, valid while this process lives; None where it cannot be made."""
    if not _own_mounts():
        return None
    name, empty = folder / executable.name, folder / "empty"
    os.link(executable, name)
    empty.touch(mode=0o700)
    opened = os.open(name, os.O_RDONLY)
    if subprocess.run(["mount", "--bind", str(empty), str(name)], check=False).returncode != 0:
        return None
    return Path(f"/proc/{os.getpid()}/fd/{opened}")


def _own_mounts() -> bool:
    """Whether `begin` gave this process its own mount namespace, so that no other process sees what is mounted."""
    try:
        return (
            os.readlink("/proc/self/ns/mnt") != os.readlink(f"/proc/{os.getppid()}/ns/mnt")  # noqa: PTH115
            and subprocess.run(["mount", "--make-rprivate", "/"], check=False).returncode == 0
        )
    except OSError:
        return False
