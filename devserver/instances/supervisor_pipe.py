"""The pipe from a detached supervisor to the process that started it: a JSON object per line, the last one `ready` or
`failed`.

`{"note": text}`, `{"warn": text}`, `{"ready": record}`, `{"failed": error}`. The pipe breaks when either side dies.
"""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Mapping
from typing import Any

from ..errors import DevServerError, StartFailed
from ..server.spec import ServerSpec
from .supervisor import Supervisor


def run_detached(spec: Mapping[str, Any], pipe: int, started: int | None = None) -> None:
    """Run a supervisor that reports to its starter over a pipe.

    Args:
        spec: The server spec as JSON.
        pipe: The descriptor of the pipe.
        started: The pid of the server if it was started already.
    """
    starter = StarterPipe(pipe)
    try:
        Supervisor(ServerSpec.from_json(spec), starter.send, starter.broken, started).run()
    except DevServerError as error:
        starter.send({"failed": error.to_json()})
        print(error, file=sys.stderr)  # noqa: T201 - the supervisor's log
    except KeyboardInterrupt:
        starter.send({"failed": StartFailed("the start was interrupted").to_json()})


class StarterPipe:
    """The supervisor's end of the pipe, open until the server is ready."""

    def __init__(self, pipe: int) -> None:
        self._pipe: int | None = pipe
        self._poll = select.poll()
        self._poll.register(pipe, 0)

    def broken(self) -> bool:
        """Whether the starter has ended. Not to be asked after `ready` was sent."""
        return bool(self._poll.poll(0))

    def send(self, event: dict[str, Any]) -> None:
        """Send an event; `ready` closes the pipe.

        Raises:
            KeyboardInterrupt: The starter ended before the server was ready, so nobody wants the server.
        """
        if self._pipe is None:
            return
        data = (json.dumps(event) + "\n").encode()
        try:
            while data:
                data = data[os.write(self._pipe, data) :]
        except BrokenPipeError:
            if "ready" in event:
                raise KeyboardInterrupt from None
        if "ready" in event:
            os.close(self._pipe)
            self._pipe = None
