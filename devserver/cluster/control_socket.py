"""The socket on which the process that supervises a cluster is asked: both of its ends.

A request and its answer are one message each: the kind of the request with its facts, then `done` or `failed`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator
from typing import Any

from ..errors import DevServerError
from ..system.channel import Channel
from ..system.local_socket import connected_socket, listening_socket
from .folder import ClusterFolder

REQUEST_SECONDS = 5.0  # for a request to arrive as a whole
ANSWER_SECONDS = 120.0  # beyond the limit of the request


class ControlSocket:
    """The end of the supervising process. It works on all requests at the same time.

    Args:
        folder: The cluster's folder, private to its user; so is the socket.
        handle: Does what a request asks for, and returns the status of the cluster; it yields while it waits.
    """

    def __init__(
        self, folder: ClusterFolder, handle: Callable[[dict[str, Any]], Generator[None, None, dict[str, Any]]]
    ) -> None:
        self._folder = folder
        self._handle = handle
        self._open: list[tuple[Channel, Generator[None, None, dict[str, Any]]]] = []
        self._socket = listening_socket(folder.socket)
        os.chdir("/")  # the folder in which it was started may be removed

    def fileno(self) -> int:
        """Its descriptor, which can be read when a request has come."""
        return self._socket.fileno()

    @property
    def busy(self) -> bool:
        """Whether a request is being worked on."""
        return bool(self._open)

    def accept(self) -> None:
        """Accept a request. A client that has left meanwhile, or says nothing, is ignored."""
        with contextlib.suppress(OSError):
            connection, _ = self._socket.accept()
            connection.settimeout(REQUEST_SECONDS)
            channel = Channel(connection)
            request = channel.receive()
            if request is None:
                channel.close()
            else:
                self._open.append((channel, self._handle(request)))

    def work(self) -> None:
        """Continue every request, and answer those that are done, also where the client has left."""
        for each in list(self._open):
            channel, steps = each
            try:
                next(steps)
                continue
            except StopIteration as done:
                answer: tuple[str, dict[str, Any]] = ("done", {"status": done.value})
            except DevServerError as error:
                answer = ("failed", {"error": error.to_json()})
            self._open.remove(each)
            with contextlib.suppress(OSError):
                channel.send(answer[0], **answer[1])
            channel.close()

    def close(self) -> None:
        """Close it and remove its file."""
        self._socket.close()
        self._folder.socket.unlink(missing_ok=True)


def ask(folder: ClusterFolder, kind: str, facts: dict[str, Any]) -> dict[str, Any] | None:
    """Send a request to the process that supervises a cluster; the status that it answers with, None without a process.

    Raises:
        DevServerError: The error that it answers with, of its own class.
    """
    try:
        with contextlib.closing(connected_socket(folder.socket, REQUEST_SECONDS)) as connection:
            connection.settimeout(float(facts.get("limit", 0.0)) + ANSWER_SECONDS)
            channel = Channel(connection)
            channel.send(kind, **facts)
            answer = channel.receive()
    except OSError:
        return None
    if answer is None:
        return None
    if answer["kind"] == "failed":
        raise DevServerError.from_json(answer["error"])
    status: dict[str, Any] = answer["status"]
    return status
