"""Ties processes to the one that started them; run as `python leash.py PARENT COMMAND...` it ties a command."""

from __future__ import annotations

import os
import signal
import sys

PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2); it outlives exec


def leashed(command: list[str]) -> list[str]:
    """The command on a leash of this process. Where there is no such call (macOS) it runs as it is."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, also where it is frozen."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def main(parent: int, command: list[str]) -> None:
    """Become the command."""
    die_with(parent)
    try:
        os.execvp(command[0], command)  # noqa: S606 - it is the user's own command, without a shell
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        os._exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
