"""A child process for the tests: `python -m tests.devserver.system.child_main SOCKET PARENT WORD`."""

from __future__ import annotations

import os
import sys
import time

from devserver.system.channel import ParentChannel, exit_now


def main() -> None:
    """Answer messages until one says how to exit."""
    channel = ParentChannel(int(sys.argv[1]), int(sys.argv[2]))
    channel.send("ready", word=sys.argv[3], pid=os.getpid(), session=os.getsid(0))
    while True:
        message = channel.receive()
        if message["kind"] == "echo":
            channel.send("echoed", text=message["text"])
        elif message["kind"] == "fork":
            if os.fork() == 0:
                time.sleep(60)  # it keeps the socket open
            channel.send("forked")
        elif message["kind"] == "stop" and sys.argv[3] != "stubborn":
            channel.send("stopped")
            exit_now(3)


if __name__ == "__main__":
    main()
