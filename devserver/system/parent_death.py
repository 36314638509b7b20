"""Child processes that end with their parent.

This file is also a script, `python parent_death.py PARENT COMMAND...`, so it imports nothing of ours.
"""

from __future__ import annotations

import os
import signal
import sys

PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2); it outlives exec


def bound_to_parent(command: list[str]) -> list[str]:
    """The command, wrapped so that its process ends with this process. On macOS it runs unbound."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, even if it is frozen (Linux)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def main(parent: int, command: list[str]) -> None:
    """Become the command, bound to the parent."""
    die_with_parent(parent)
    try:
        os.execvp(command[0], command)  # noqa: S606 - the user's own command, without a shell
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        os._exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
