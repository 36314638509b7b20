"""Run a command in a network namespace: `in_network.py NAMESPACE COMMAND...`; `in_network.py --new` makes one.

It is a script that imports nothing of ours. With `--new` it makes a namespace, says so, and waits for the end of its
input.
"""

from __future__ import annotations

import ctypes
import os
import sys

CLONE_NEWNET = 0x40000000


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        sys.stderr.write(f"there is no network namespace: {os.strerror(number)}\n")
        os._exit(126)


def main(words: list[str]) -> None:
    """Do it."""
    library = ctypes.CDLL(None, use_errno=True)
    if words == ["--new"]:
        _checked(library.unshare(CLONE_NEWNET))
        sys.stdout.write("made\n")
        sys.stdout.flush()
        sys.stdin.read()
        return
    namespace = os.open(words[0], os.O_RDONLY | os.O_CLOEXEC)
    _checked(library.setns(namespace, CLONE_NEWNET))
    os.execv(words[1], words[1:])  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main(sys.argv[1:])
