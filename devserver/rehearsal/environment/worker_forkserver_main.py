"""The process that `nest.py` starts: it loads the SDK, then forks a worker process each time it is asked."""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys

from ...system.parent_death import die_with

PID = struct.Struct("!i")
DESCRIPTORS = 3


def serve(asked: socket.socket) -> None:
    """Fork until nobody can ask any more."""
    from ..scenario import runbook  # noqa: F401 - loaded here, for all that are forked
    from . import activity_interceptor, converters, worker_main  # noqa: F401 - loaded here, for all that are forked

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    me = os.getpid()
    while True:
        word, descriptors, _, _ = socket.recv_fds(asked, 1, DESCRIPTORS)
        if not word:
            return
        pid = os.fork()
        if pid == 0:
            asked.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control, lifeline, log = descriptors
            worker_main.begin(control, lifeline, log, parent=me)
        for each in descriptors:
            os.close(each)
        asked.sendall(PID.pack(pid))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with(int(sys.argv[2]))
    serve(socket.socket(fileno=int(sys.argv[1])))
    os._exit(0)
