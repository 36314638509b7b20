"""The fork server: loads the SDK, then forks a worker process for each request of `worker_forkserver.py`."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from typing import NoReturn

from ...system.channel import Channel
from ...system.parent_death import die_with_parent
from ...system.spawn import close_others


def serve(channel: Channel) -> None:
    """Fork until the parent has closed the channel or ended."""
    gc.disable()  # collecting among what is imported takes an eighth of the time, and finds nothing
    # Loaded once, for all forked processes.
    from ...introspection import build_id  # noqa: F401
    from ...worker import import_snapshot  # noqa: F401
    from ..scenario import runbook  # noqa: F401
    from . import activity_interceptor, converters, worker_main  # noqa: F401

    gc.freeze()
    gc.enable()
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


def main(descriptor: int, parent: int) -> NoReturn:
    """The whole life of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(parent)
    serve(Channel(socket.socket(fileno=descriptor)))
    os._exit(0)


def main_in_fork(descriptor: int, parent: int) -> NoReturn:
    """The whole life of the process that the command line has forked."""
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        close_others(descriptor)
        main(descriptor, parent)
    finally:
        os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
