"""Run a program that refuses to run as root: PostgreSQL.

In a user namespace of its own, root has another uid: the program sees an ordinary user, who still owns root's files.
This file is also a script, `python unprivileged.py PARENT COMMAND...`, so it imports nothing of ours.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2); it outlives exec
ORDINARY = 1000


def bound_unprivileged(command: list[str]) -> list[str]:
    """The command, wrapped so that its process ends with this process and does not run as root (Linux)."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def main(parent: int, command: list[str]) -> None:
    """Become the command."""
    if sys.platform == "linux":
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
        if os.geteuid() == 0:
            group = os.getegid()  # afterwards it is not mapped yet
            if library.unshare(CLONE_NEWUSER) != 0:
                reason = os.strerror(ctypes.get_errno())
                sys.stderr.write(f"root cannot run {command[0]}, and there is no user namespace for it: {reason}\n")
                os._exit(126)
            # The kernel asks for these three writes in this order: user_namespaces(7).
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{ORDINARY} 0 1")
            Path("/proc/self/gid_map").write_text(f"{ORDINARY} {group} 1")
        library.prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)  # after the change of user, which clears it
        if os.getppid() != parent:
            os._exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is meant
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        os._exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
