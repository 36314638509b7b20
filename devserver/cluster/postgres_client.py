"""A small client of PostgreSQL, enough to ask a cluster's database a question or to hold a connection.

Source: PostgreSQL's frontend/backend protocol 3.0, and RFC 5802 (SCRAM) with SHA-256.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import secrets
import select
import socket
import ssl
import struct
from types import TracebackType
from typing import TYPE_CHECKING

from .errors import DatabaseRefused

if TYPE_CHECKING:
    from typing_extensions import Self

PROTOCOL = 0x00030000
SSL_REQUEST = 80877103
MECHANISM = "SCRAM-SHA-256"
MOST_BYTES = 2**24  # of a message
NULL = -1


class PostgresConnection:
    """A connection to a database.

    Args:
        address: HOST:PORT.
        user: The user.
        password: The password; empty: none is needed.
        database: The name of the database.
        application: The name that the server shows for this connection (`pg_stat_activity`).
        limit: Seconds for the connection, and for each answer.
        tls: Whether to speak TLS, with the certificates that this system trusts.

    Raises:
        DatabaseRefused: The database refuses the connection, with its words.
        OSError: It does not answer.
    """

    def __init__(
        self,
        address: str,
        user: str,
        password: str,
        database: str,
        *,
        application: str = "devserver",
        limit: float = 5.0,
        tls: bool = False,
    ) -> None:
        host, _, port = address.rpartition(":")
        self._socket: socket.socket = socket.create_connection((host.strip("[]"), int(port)), timeout=limit)
        try:
            if tls:
                self._socket.sendall(struct.pack("!ii", 8, SSL_REQUEST))
                if self._exactly(1) != b"S":
                    raise DatabaseRefused(f"the database at {address} does not speak TLS")
                self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=host)
            words = {"user": user, "database": database, "application_name": application}
            body = "".join(f"{key}\0{value}\0" for key, value in words.items()).encode() + b"\0"
            self._socket.sendall(struct.pack("!ii", len(body) + 8, PROTOCOL) + body)
            self._authenticate(password)
        except BaseException:
            self._socket.close()
            raise

    def ask(self, statement: str) -> list[tuple[str | None, ...]]:
        """Run SQL; its rows, as text.

        Raises:
            DatabaseRefused: The database refuses it, with its words.
            OSError: It does not answer.
        """
        self._send(b"Q", statement.encode() + b"\0")
        rows: list[tuple[str | None, ...]] = []
        refused: DatabaseRefused | None = None
        while True:
            kind, body = self._receive()
            if kind == b"D":
                rows.append(_row(body))
            elif kind == b"E":
                refused = _error(body)
                if refused.fatal:
                    raise refused
            elif kind == b"Z":
                if refused is not None:
                    raise refused
                return rows

    @property
    def alive(self) -> bool:
        """Whether the database has not ended it. Only of a connection that waits for no answer."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._send(b"X", b"")
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _authenticate(self, password: str) -> None:
        scram: _Scram | None = None
        while True:
            kind, body = self._receive()
            if kind == b"E":
                raise _error(body)
            if kind == b"Z":
                return
            if kind != b"R":
                continue
            (method,), rest = struct.unpack("!i", body[:4]), body[4:]
            if method == 10:
                scram = _Scram(password)
                first = scram.first()
                self._send(b"p", f"{MECHANISM}\0".encode() + struct.pack("!i", len(first)) + first)
            elif method == 11 and scram is not None:
                self._send(b"p", scram.final(rest))
            elif method == 3:
                self._send(b"p", password.encode() + b"\0")
            elif method not in (0, 12):
                raise DatabaseRefused("the database asks for another kind of password than SCRAM-SHA-256")

    def _send(self, kind: bytes, body: bytes) -> None:
        self._socket.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def _receive(self) -> tuple[bytes, bytes]:
        kind, length = struct.unpack("!ci", self._exactly(5))
        if not 4 <= length <= MOST_BYTES:
            raise OSError("what answers is not PostgreSQL")
        return kind, self._exactly(length - 4)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            if not more:
                raise ConnectionResetError("the database has closed the connection")
            data += more
        return data


class _Scram:
    """One exchange; the server's proof is not checked: only a cluster's own database, or TLS, is asked."""

    def __init__(self, password: str) -> None:
        self._password = password
        self._bare = f"n=,r={secrets.token_urlsafe(18)}"

    def first(self) -> bytes:
        return f"n,,{self._bare}".encode()

    def final(self, server_first: bytes) -> bytes:
        said = server_first.decode()
        given = dict(part.split("=", 1) for part in said.split(","))
        salt, rounds = base64.b64decode(given["s"]), int(given["i"])
        salted = hashlib.pbkdf2_hmac("sha256", self._password.encode(), salt, rounds)
        key = hmac.digest(salted, b"Client Key", "sha256")
        without = f"c=biws,r={given['r']}"
        signed = f"{self._bare},{said},{without}".encode()
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        proof = base64.b64encode(bytes(one ^ other for one, other in zip(key, signature, strict=True)))
        return f"{without},p={proof.decode()}".encode()


def _row(body: bytes) -> tuple[str | None, ...]:
    (count,), at = struct.unpack("!h", body[:2]), 2
    row: list[str | None] = []
    for _ in range(count):
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        row.append(None if length == NULL else body[at : at + length].decode(errors="replace"))
        at += max(length, 0)
    return tuple(row)


def _error(body: bytes) -> DatabaseRefused:
    fields = {part[:1].decode(): part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    error = DatabaseRefused(f"{fields.get('M', 'the database refuses')} ({fields.get('C', '?')})")
    error.fatal = fields.get("V", "") in ("FATAL", "PANIC")
    return error
