"""Just enough of Cassandra's native protocol to see that a node serves.

Source: native_protocol_v4.spec of Apache Cassandra, sections 2 and 4.
"""

from __future__ import annotations

import contextlib
import socket
import struct

from .node_server import CQL_PORT

HEADER = struct.Struct("!BBhBi")  # version, flags, stream, opcode, length
VERSION_4 = 0x04
OPTIONS = 0x05
SUPPORTED = 0x06
ANSWER_SECONDS = 2.0


def serves(address: str) -> bool:
    """Whether a node answers clients: it does so once it has joined the ring."""
    with contextlib.suppress(OSError), socket.create_connection((address, CQL_PORT), timeout=1.0) as connection:
        connection.settimeout(ANSWER_SECONDS)
        connection.sendall(HEADER.pack(VERSION_4, 0, 0, OPTIONS, 0))
        answer = connection.recv(HEADER.size)
        return len(answer) == HEADER.size and HEADER.unpack(answer)[3] == SUPPORTED
    return False
