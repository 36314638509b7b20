"""The fork server: loads the SDK, then forks a worker process for each request of `worker_forkserver.py`."""

from __future__ import annotations

import os
import signal
import socket
import sys

from ...system.channel import Channel
from ...system.parent_death import die_with_parent


def serve(channel: Channel) -> None:
    """Fork until the parent has closed the channel or ended."""
    from ..scenario import runbook  # noqa: F401 - loaded once, for all forked processes
    from . import activity_interceptor, converters, worker_main  # noqa: F401 - loaded once, for all forked processes

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps them
    server = os.getpid()
    while channel.receive() is not None:
        connected, log = channel.take_descriptors()
        pid = os.fork()
        if pid == 0:
            channel.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            worker_main.main(connected, log, parent=server)
        os.close(connected)
        os.close(log)
        channel.send("forked", pid=pid)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(int(sys.argv[2]))
    serve(Channel(socket.socket(fileno=int(sys.argv[1]))))
    os._exit(0)
