"""Sockets in the file system, also below very long paths."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from devserver.system.local_socket import connected_socket, listening_socket


@pytest.mark.parametrize("letters", [1, 150])
def test_a_connection(tmp_path: Path, letters: int) -> None:
    """It works where the path is longer than a socket's address, and only this user can use it."""
    folder = tmp_path / ("f" * letters)
    folder.mkdir()
    path = folder / "control.sock"
    with listening_socket(path) as listening, connected_socket(path, 5) as client:
        server, _ = listening.accept()
        with server:
            client.sendall(b"hello")
            assert server.recv(5) == b"hello"
        assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_dead_process_left_is_replaced(tmp_path: Path) -> None:
    """A connection to it fails; a new socket takes its place."""
    path = tmp_path / "control.sock"
    listening_socket(path).close()
    with pytest.raises(OSError, match="refused"):
        connected_socket(path, 1)
    with listening_socket(path), connected_socket(path, 1) as client:
        assert client.family == socket.AF_UNIX
