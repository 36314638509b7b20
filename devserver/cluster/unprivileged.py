"""Run a program that refuses to run as root: PostgreSQL.

In a user namespace of its own, root has another uid: the program sees an ordinary user, who still owns root's files.
This file is also a script, `python unprivileged.py COMMAND...`, so it imports nothing of ours.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
ORDINARY = 1000


def unprivileged(command: list[str]) -> list[str]:
    """The command, wrapped so that its process does not run as root (Linux)."""
    return [sys.executable, "-I", "-S", __file__, *command] if os.geteuid() == 0 else command


def main(command: list[str]) -> None:
    """Become the command, as an ordinary user."""
    import ctypes

    group = os.getegid()  # in the new namespace it is not mapped yet
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        reason = os.strerror(ctypes.get_errno())
        sys.stderr.write(f"root cannot run {command[0]}, and there is no user namespace for it: {reason}\n")
        os._exit(126)
    # The kernel asks for these three writes in this order: user_namespaces(7).
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{ORDINARY} 0 1")
    Path("/proc/self/gid_map").write_text(f"{ORDINARY} {group} 1")
    os.execv(command[0], command)  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main(sys.argv[1:])
