"""Move this process into a user and network namespace of its own. Root is not needed.

In it the process sees itself as root, so that it may filter packets. Its files still belong to its user.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914  # netdevice(7)
IFF_UP = 0x1
MOST_BYTES = 500


def enter_network() -> str | None:
    """Enter a new namespace, in which only the loopback interface is up; None, or why there is none.

    Sockets that this process has opened before stay in the network where they were opened. Call it while the process
    has one thread.
    """
    problem = _try_in_a_child()
    if problem is None:
        _enter()
    return problem


def _try_in_a_child() -> str | None:
    """Why the namespace cannot be entered: half a step into one, a process is of no use."""
    if sys.platform != "linux":
        return "network namespaces exist on Linux only"
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _enter()
        except OSError as error:
            os.write(write, f"{error.filename or 'unshare'}: {error.strerror}".encode()[:MOST_BYTES])
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as said:
        problem = said.read()
    os.waitpid(pid, 0)
    return f"this user may not create user and network namespaces ({problem})" if problem else None


def _enter() -> None:
    import ctypes

    user, group = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "unshare")
    # The kernel asks for these three writes in this order: user_namespaces(7).
    with contextlib.suppress(PermissionError):  # already denied in the namespace around this one
        Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP))
