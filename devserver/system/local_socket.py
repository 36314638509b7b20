"""Sockets in the file system, also where their path is longer than the 107 bytes that a socket's address may have."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

BACKLOG = 16


def listening_socket(path: Path) -> socket.socket:
    """A socket at `path` that listens; one that a dead process left there is replaced. Its folder must be private.

    Raises:
        OSError: It cannot be created.
    """
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    try:
        with _short(path) as short:
            listening.bind(short)
        path.chmod(0o600)
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


def connected_socket(path: Path, timeout: float) -> socket.socket:
    """A connection to the socket at `path`.

    Raises:
        OSError: Nobody listens there.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    try:
        with _short(path) as short:
            connection.connect(short)
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """A short name of the path: below the descriptor of its folder, where the system has such names."""
    opened = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        folder = Path(f"/proc/self/fd/{opened}")
        yield str(folder / path.name if folder.exists() else path)
    finally:
        os.close(opened)
