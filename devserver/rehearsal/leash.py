"""Runs a command that the kernel kills when the rehearsal dies: `python leash.py PARENT COMMAND...`."""

from __future__ import annotations

import os
import signal
import sys

PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2); it outlives exec


def leashed(command: list[str]) -> list[str]:
    """The command on a leash of this process. Where there is no such call (macOS) it runs as it is."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def main(parent: int, command: list[str]) -> None:
    """Become the command."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606 - it is the user's own command, without a shell
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        os._exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
